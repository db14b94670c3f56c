//! The thread that owns the file: takes out what waits, writes it, answers, tidies up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::file::File;
use super::frames::Keys;
use super::inbox::{Inbox, Waiting};
use super::names::Names;
use super::observer::Frame;
use super::past::From;
use super::trouble::{Hope, Trouble};
use super::window::{Cache, Source};
use super::{Kept, Settings, bound, events, pack, series};
use crate::domain::incident::Entry;
use crate::domain::{Event, Time};
use crate::store::Store;

/// How often it is looked what other rooms wrote.
const LOOK: Duration = Duration::from_millis(500);
/// Between two attempts at a file that somebody must first make room for.
const LATER: Duration = Duration::from_secs(30);
/// How long the file is left alone after it was written.
const TURN: Duration = Duration::from_millis(15);
/// Between two attempts at a file that another program keeps locked.
const SOON: Duration = Duration::from_millis(200);
/// Between two rounds of dropping what is too old or too much.
const TIDY: Duration = Duration::from_secs(30);
/// How long what the last step read is held for the next.
const REST: Duration = Duration::from_secs(300);
/// How long the room draws a past moment, undisturbed, before the next is looked at.
const MOMENT: Duration = Duration::from_millis(30);
/// More than a step, and less than a jump.
const FAR: TimeDelta = TimeDelta::hours(2);
/// How long a lock may last before it is told.
const LONG_LOCK: Duration = Duration::from_secs(15);
/// Lines of the timeline that wait at most for a file that cannot be had.
const LINES: usize = 20_000;

/// The thread's state.
pub(super) struct Keeper<'a> {
    settings: Settings,
    tell: &'a dyn Fn(Kept),
    /// Tells this room from others: random.
    room: i64,
    file: Option<File>,
    environment: i64,
    /// When to try again; `None` with a file, or when there is no hope.
    retry: Option<Instant>,
    /// The trouble that was told last.
    told: Option<String>,
    /// Since when the file is locked.
    locked: Option<Instant>,
    is_lost: bool,
    entries: Vec<Entry>,
    events: Vec<(i64, Event)>,
    lines: i64,
    /// The number of the last entry that was told.
    last_entry: Option<i64>,
    data_version: i64,
    names: Names,
    keys: Keys,
    cache: Cache,
    /// The newest moment that was seen.
    now: Option<Time>,
    tidied: Option<Instant>,
    /// When a past moment was asked for last.
    travelled: Option<Instant>,
    /// The moment that was asked for last.
    asked: Option<Time>,
    /// The moment that will probably be asked for next.
    ahead: Option<Time>,
}

/// Whoever takes steps mostly takes another one.
fn next_step(before: Option<Time>, at: Time) -> Option<Time> {
    let step = at - before?;
    at.checked_add_signed(step).filter(|_| step.abs() <= FAR)
}

impl<'a> Keeper<'a> {
    pub(super) fn new(settings: Settings, tell: &'a dyn Fn(Kept)) -> Self {
        Self {
            settings,
            tell,
            room: rand::random::<i64>(),
            file: None,
            environment: 0,
            retry: Some(Instant::now()),
            told: None,
            locked: None,
            is_lost: false,
            entries: Vec::new(),
            events: Vec::new(),
            lines: 0,
            last_entry: None,
            data_version: 0,
            names: Names::default(),
            keys: Keys::default(),
            cache: Cache::default(),
            now: None,
            tidied: None,
            travelled: None,
            asked: None,
            ahead: None,
        }
    }

    /// Works until it is told to stop and everything is written, or cannot be.
    pub(super) fn run(mut self, inbox: &Inbox) {
        let mut stop: Option<Instant> = None;
        loop {
            let pause = match self.locked {
                Some(_) => SOON,
                None if self.ahead.is_some() => MOMENT,
                None => LOOK,
            };
            let mut waiting = inbox.take(pause);
            if waiting.stop {
                stop = Some(Instant::now());
            }
            self.entries.append(&mut waiting.entries);
            for event in waiting.events.drain(..) {
                self.lines += 1;
                self.events.push((self.lines, event));
            }
            let writes = !self.entries.is_empty() || !self.events.is_empty() || waiting.frame.is_some();
            self.turn(&mut waiting, inbox);
            if writes {
                // Other rooms get their turn.
                std::thread::sleep(TURN);
            }
            if self.is_lost {
                self.entries.clear();
                self.events.clear();
            } else if self.events.len() > LINES {
                let more = self.events.len() - LINES;
                self.events.drain(..more);
                (self.tell)(Kept::Notice(format!("{more} lines of the timeline could not be kept")));
            }
            let is_done = self.entries.is_empty() && self.events.is_empty();
            if stop.is_some_and(|since| is_done || self.file.is_none() || since.elapsed() > super::LAST_WORDS)
            {
                return;
            }
        }
    }

    /// One turn: whatever goes wrong is told, and what must not be lost waits for the next.
    fn turn(&mut self, waiting: &mut Waiting, inbox: &Inbox) {
        if self.file.is_none() && self.retry.is_some_and(|when| when <= Instant::now()) {
            match self.open() {
                Ok(()) => {}
                Err(trouble) => self.suffer(trouble),
            }
        }
        let Some(file) = self.file.take() else {
            if waiting.past.take().is_some() {
                let why =
                    self.told.clone().unwrap_or_else(|| "the history is locked by another program".into());
                (self.tell)(Kept::Past(Err(why)));
            }
            if let Some(empty) = waiting.fill.take().filter(|_| !self.is_lost) {
                inbox.ask(super::Keep::Fill(empty));
                // Not at once: the file must be there first.
                std::thread::sleep(SOON);
            }
            return;
        };
        match self.work(&file, waiting, inbox) {
            Ok(()) => {
                self.file = Some(file);
                self.locked = None;
                if self.told.take().is_some() {
                    (self.tell)(Kept::Notice("the history is kept again".into()));
                }
            }
            Err(trouble) => {
                // What a transaction taught that was rolled back does not hold.
                self.names.forget();
                self.keys.forget();
                if waiting.past.is_some() {
                    (self.tell)(Kept::Past(Err(trouble.words.clone())));
                }
                if trouble.hope == Hope::Soon {
                    self.file = Some(file);
                }
                self.suffer(trouble);
            }
        }
    }

    fn open(&mut self) -> Result<(), Trouble> {
        let file = File::writable(&self.settings.folder)?;
        let transaction = file.begin()?;
        let said = |error: rusqlite::Error| file.said(&error);
        self.environment = Names::environment(&transaction, &self.settings.environment).map_err(said)?;
        transaction.commit().map_err(said)?;
        self.names.learn(&file.connection, self.environment).map_err(said)?;
        if self.last_entry.is_none() {
            let (last, entries) = events::entries(&file.connection, self.environment, true).map_err(said)?;
            self.last_entry = Some(last);
            if !entries.is_empty() {
                (self.tell)(Kept::Entries(entries));
            }
        }
        self.file = Some(file);
        self.retry = None;
        Ok(())
    }

    fn suffer(&mut self, trouble: Trouble) {
        match trouble.hope {
            Hope::Soon => {
                let since = *self.locked.get_or_insert_with(Instant::now);
                self.retry = self.file.is_none().then(Instant::now);
                if since.elapsed() < LONG_LOCK {
                    return;
                }
            }
            Hope::Later => self.retry = Some(Instant::now() + LATER),
            Hope::Never => (self.retry, self.is_lost) = (None, true),
        }
        if self.told.as_ref() != Some(&trouble.words) {
            self.told = Some(trouble.words.clone());
            (self.tell)(Kept::Trouble(trouble.words));
        }
    }

    fn work(&mut self, file: &File, waiting: &mut Waiting, inbox: &Inbox) -> Result<(), Trouble> {
        self.write_entries(file)?;
        self.write_seen(file, waiting)?;
        if let Some((at, empty)) = waiting.past.take() {
            // A newer question is answered instead.
            if !inbox.has_newer_past() {
                self.answer(file, at, *empty)?;
                self.ahead = next_step(self.asked.replace(at), at);
            }
        } else if let Some(next) = self.ahead.take() {
            self.look_ahead(file, next);
        }
        self.listen(file)?;
        if let Some(empty) = waiting.fill.take() {
            self.fill(file, *empty)?;
        }
        self.tidy(file)
    }

    fn write_entries(&mut self, file: &File) -> Result<(), Trouble> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let transaction = file.begin()?;
        let written =
            events::write_entries(&transaction, self.environment, self.room, &self.entries, &file.path)?;
        transaction.commit().map_err(|error| file.said(&error))?;
        self.entries.clear();
        (self.tell)(Kept::Written(written));
        Ok(())
    }

    /// Lines, samples and the frame, in one transaction.
    fn write_seen(&mut self, file: &File, waiting: &mut Waiting) -> Result<(), Trouble> {
        let samples: Vec<_> = waiting.samples.drain(..).collect();
        let frame: Option<Arc<Frame>> = waiting.frame.take().map(Arc::new);
        let seen = frame.as_ref().map(|frame| frame.at);
        let newest = samples.iter().filter_map(|sample| Time::from_timestamp(sample.slot, 0));
        self.now = newest.chain(seen).chain(self.now).max();
        if self.events.is_empty() && samples.is_empty() && frame.is_none() {
            return Ok(());
        }
        let said = |error: rusqlite::Error| file.said(&error);
        let transaction = file.begin()?;
        events::write_events(&transaction, self.environment, self.room, &self.events).map_err(said)?;
        for sample in &samples {
            series::write(&transaction, self.environment, &mut self.names, sample).map_err(said)?;
        }
        if let Some(frame) = &frame {
            self.keys.write(&transaction, self.environment, frame, self.settings.frame_s).map_err(said)?;
        }
        transaction.commit().map_err(said)?;
        samples.iter().for_each(|sample| self.cache.take(&self.names, sample));
        self.events.clear();
        Ok(())
    }

    fn source<'b>(&'b mut self, file: &'b File) -> (From<'b>, &'b mut Keys) {
        let source = Source {
            connection: &file.connection,
            tiers: &self.settings.tiers,
            environment: self.environment,
        };
        (From { source, names: &mut self.names, cache: &mut self.cache }, &mut self.keys)
    }

    fn answer(&mut self, file: &File, at: Time, empty: Store) -> Result<(), Trouble> {
        self.travelled = Some(Instant::now());
        let (mut from, keys) = self.source(file);
        match from.past(keys, at, empty) {
            Ok(past) => {
                (self.tell)(Kept::Past(past.map(Box::new)));
                Ok(())
            }
            Err(error) => {
                let trouble = file.said(&error);
                (self.tell)(Kept::Past(Err(trouble.words.clone())));
                Err(trouble)
            }
        }
    }

    /// Reads what the next step will need, before it is asked for. What cannot be read is told when it is.
    fn look_ahead(&mut self, file: &File, next: Time) {
        let (mut from, keys) = self.source(file);
        let _ = from.look_ahead(keys, next);
    }

    fn fill(&mut self, file: &File, empty: Store) -> Result<(), Trouble> {
        let said = |error: rusqlite::Error| file.said(&error);
        let seen = self.now;
        let (mut from, _) = self.source(file);
        let newest = from.source.newest().map_err(said)?.and_then(|newest| Time::from_timestamp(newest, 0));
        let Some(now) = seen.into_iter().chain(newest).max() else { return Ok(()) };
        let filled = from.fill(empty, now).map_err(said)?;
        (self.tell)(Kept::Filled(Box::new(filled)));
        Ok(())
    }

    /// What other rooms wrote since the last look.
    fn listen(&mut self, file: &File) -> Result<(), Trouble> {
        let said = |error: rusqlite::Error| file.said(&error);
        let version: i64 =
            file.connection.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(said)?;
        if version == self.data_version {
            return Ok(());
        }
        self.data_version = version;
        let last = self.last_entry.unwrap_or(0);
        let (last, entries) =
            events::entries_since(&file.connection, self.environment, self.room, last).map_err(said)?;
        self.last_entry = Some(last);
        if !entries.is_empty() {
            (self.tell)(Kept::Entries(entries));
        }
        Ok(())
    }

    /// Packs what is complete, drops what is too old or too much.
    fn tidy(&mut self, file: &File) -> Result<(), Trouble> {
        let Some(now) = self.now else { return Ok(()) };
        if self.tidied.is_some_and(|at| at.elapsed() < TIDY) {
            return Ok(());
        }
        self.tidied = Some(Instant::now());
        if self.travelled.is_none_or(|at| at.elapsed() > REST) {
            self.cache.rest();
            self.keys.rest();
        }
        let (mut from, _) = self.source(file);
        from.keep_up(now).map_err(|error| file.said(&error))?;
        pack::pack(file, &self.settings.tiers, now.timestamp())?;
        for words in bound::keep_within(file, &self.settings, now)? {
            (self.tell)(Kept::Notice(words));
        }
        Ok(())
    }
}
