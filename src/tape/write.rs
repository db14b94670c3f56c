//! The recorder: the loop hands over cheap copies of what came, a thread packs and writes them.
//!
//! The thread keeps a state of its own by taking in what the room took in, so that writing a whole state down costs
//! the loop nothing.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use super::glance::{Desk, Glance};
use super::item::{Head, Item, Scene, Whole};
use super::pack;
use crate::app::{App, Msg};
use crate::domain::Time;
use crate::store::Store;

/// How a recording is cut into blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How many things may wait for the thread.
    pub queue: usize,
    /// A block is closed after this time.
    pub block: Duration,
    /// Another whole state is written after this time, when the blocks since the last one hold as much as it did …
    pub whole: Duration,
    /// … and after this time however little came.
    pub whole_at_last: Duration,
}

impl Default for Pace {
    /// More may wait than a large fleet brings in a second; blocks are a little shorter than the second that is promised.
    fn default() -> Self {
        Self {
            queue: 16_384,
            block: Duration::from_millis(800),
            whole: Duration::from_secs(60),
            whole_at_last: Duration::from_secs(300),
        }
    }
}

/// How long the end of a recording may wait for the disk.
const LAST_BLOCK: Duration = Duration::from_secs(2);

/// Where blocks go.
pub trait Sink: Write + Send + 'static {
    /// Drops what stands after the last whole block.
    fn cut(&mut self, len: u64);
}

impl Sink for File {
    fn cut(&mut self, len: u64) {
        // When even that fails, the half block stays: a player stops before it.
        let _ = self.set_len(len);
    }
}

/// A file that is to become a tape. Dropped before the recording began, it is gone again.
#[derive(Debug)]
pub struct Draft {
    file: Option<File>,
    path: PathBuf,
}

impl Draft {
    /// Makes the file of `--record`, readable for its owner only.
    ///
    /// # Errors
    /// It is there already, or cannot be made: says what to do.
    pub fn create(path: &Path) -> Result<Self, String> {
        Self::create_as("--record", path)
    }

    /// The same for another option of the command line.
    pub(super) fn create_as(option: &str, path: &Path) -> Result<Self, String> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                format!("{option} {}: the file is there already; name a new one", path.display())
            }
            _ => format!("{option} {}: {error}; name a file in a folder you may write to", path.display()),
        })?;
        Ok(Self { file: Some(file), path: path.to_owned() })
    }

    /// The file itself.
    pub(super) fn into_file(mut self) -> Option<File> {
        self.file.take()
    }

    /// Begins the recording with the whole state.
    pub fn begin(mut self, app: &App, store: &Store) -> Option<Recorder> {
        Some(Recorder::begin(self.file.take()?, Pace::default(), app, store))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // It is empty, and this process made it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What the thread is handed.
pub(super) enum Job {
    Item(Item),
    Whole(Box<Whole>),
    Close,
}

/// What the loop has to tell the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// The disk does not keep up: something is missing from the tape.
    Behind(String),
    /// The recording goes on with a whole state.
    GoesOn(String),
    /// The recording is over; the room goes on.
    Ended(String),
}

/// What is to be kept of a message, noted before the room takes it in.
#[derive(Debug)]
pub enum Note {
    /// This.
    Item(Item),
    /// Lines of the timeline that come after this generation.
    Watch(u64),
    /// The whole state: the past was laid under it.
    Whole,
}

/// The loop's end of a recording. Nothing here waits.
#[derive(Debug)]
pub struct Recorder {
    to: SyncSender<Job>,
    why: Receiver<String>,
    waiting: Arc<AtomicUsize>,
    queue: usize,
    head: Head,
    now: Time,
    glance: Glance,
    desk: Desk,
    /// Since when things are dropped, and whether that was said.
    lost: Option<(Time, bool)>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Item(_) => "Item",
            Self::Whole(_) => "Whole",
            Self::Close => "Close",
        })
    }
}

impl Recorder {
    /// Begins with the whole state.
    pub fn begin(sink: impl Sink, pace: Pace, app: &App, store: &Store) -> Self {
        let (to, from) = sync_channel(pace.queue);
        let (tell, why) = sync_channel(1);
        let waiting = Arc::new(AtomicUsize::new(0));
        let taken = waiting.clone();
        let head = Head {
            wardroom: env!("CARGO_PKG_VERSION").into(),
            begun: app.now,
            size: app.size,
            theme: app.theme.clone(),
            ascii: app.ascii,
            masked: false,
        };
        let mut recorder = Self {
            to,
            why,
            waiting,
            queue: pace.queue,
            head,
            now: app.now,
            glance: Glance::of(app),
            desk: Desk::of(app),
            lost: None,
        };
        recorder.send_whole(app, store, None);
        std::thread::spawn(move || {
            if let Err(why) = pack::write(sink, pace, &from, &taken) {
                // The loop may have gone already.
                let _ = tell.try_send(why);
            }
        });
        recorder
    }

    /// Notes what is to be kept of a message. To be called before the room takes it in.
    pub fn note(msg: &Msg, store: &Store) -> Note {
        match msg {
            Msg::Report(report) => Note::Item(Item::Report(report.clone())),
            Msg::Tick(now) => Note::Item(Item::Tick(*now)),
            Msg::Filled(_) => Note::Whole,
            // Keys, what the engine told, …: what they change is seen in the timeline and in the glance.
            _ => Note::Watch(store.generation),
        }
    }

    /// Keeps what was noted, after the room took it in.
    pub fn keep(&mut self, note: Note, app: &App, store: &Store) {
        match note {
            Note::Item(item) => {
                match item.at() {
                    Some(at) => self.now = at.max(self.now),
                    None => self.moment(app),
                }
                self.send(item);
            }
            Note::Watch(before) => {
                // Every line counts one generation, and nothing else does outside reports.
                let new = usize::try_from(store.generation.saturating_sub(before)).unwrap_or(usize::MAX);
                match store.timeline.len().checked_sub(new) {
                    Some(_) if new == 0 => {}
                    Some(first) => {
                        self.moment(app);
                        self.send(Item::Events(store.timeline.range(first..).cloned().collect()));
                    }
                    None => self.send_whole(app, store, None),
                }
            }
            Note::Whole => self.send_whole(app, store, None),
        }
    }

    /// Keeps where the operator looks. To be called with every frame that is drawn.
    pub fn look(&mut self, app: &App) {
        self.moment(app);
        let glance = Glance::of(app);
        if glance != self.glance {
            self.glance = glance.clone();
            self.send(Item::Glance(Box::new(glance)));
        }
        if !self.desk.is_of(app) {
            self.desk = Desk::of(app);
            self.send(Item::Desk(Box::new(self.desk.clone())));
        }
    }

    /// Keeps the moment, before what has none of its own.
    fn moment(&mut self, app: &App) {
        let now = app.time.now.unwrap_or(app.now);
        if now > self.now {
            self.now = now;
            self.send(Item::Now(now));
        }
    }

    /// Closes the block here, whatever its age.
    pub fn close_block(&mut self) {
        if self.lost.is_none() {
            self.hand(Job::Close);
        }
    }

    /// To be called every second: begins anew when the disk has caught up, and says what there is to say.
    pub fn keep_up(&mut self, app: &App, store: &Store) -> Option<Word> {
        match self.why.try_recv() {
            Ok(why) => return Some(Word::Ended(format!("the recording has ended: {why}"))),
            Err(TryRecvError::Disconnected) => return Some(Word::Ended("the recording has ended".into())),
            Err(TryRecvError::Empty) => {}
        }
        let (since, said) = self.lost?;
        if self.waiting.load(Ordering::Acquire) < self.queue / 4 + 1 {
            self.lost = None;
            self.send_whole(app, store, Some(since));
            if self.lost.is_none() {
                let from = since.format("%H:%M:%S");
                return Some(Word::GoesOn(format!("the recording goes on; it has a gap since {from}Z")));
            }
        }
        if said {
            return None;
        }
        self.lost = Some((since, true));
        Some(Word::Behind("the disk is too slow for the recording; it will have a gap".into()))
    }

    /// Ends the recording: waits a moment for the last block. Says what went wrong, if anything.
    ///
    /// # Errors
    /// The last blocks could not be written.
    pub fn end(self) -> Result<(), String> {
        let Self { to, why, .. } = self;
        drop(to);
        match why.recv_timeout(LAST_BLOCK) {
            Ok(why) => Err(format!("the recording has ended: {why}")),
            Err(RecvTimeoutError::Disconnected) => Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                Err("the disk is too slow; the recording may lack its last seconds".into())
            }
        }
    }

    fn send_whole(&mut self, app: &App, store: &Store, gap_since: Option<Time>) {
        self.now = app.time.now.unwrap_or(app.now);
        self.glance = Glance::of(app);
        self.desk = Desk::of(app);
        let scene = Scene { now: self.now, glance: self.glance.clone(), desk: self.desk.clone() };
        let whole = Whole { head: self.head.clone(), gap_since, store: store.clone(), scene };
        self.hand(Job::Whole(Box::new(whole)));
    }

    fn send(&mut self, item: Item) {
        // What follows a gap means nothing without the whole state.
        if self.lost.is_none() {
            self.hand(Job::Item(item));
        }
    }

    fn hand(&mut self, job: Job) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        if self.to.try_send(job).is_err() {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            // A sink that is gone tells why by itself.
            self.lost = self.lost.or(Some((self.now, false)));
        }
    }
}
