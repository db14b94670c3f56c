//! What wardroom has seen, in an embedded SQLite file (WAL) that several wardrooms on one machine share: down-sampled
//! series, frames of the whole room, events, incidents. One thread owns the file; nobody else ever waits for it.

mod bound;
mod codec;
mod events;
mod file;
mod frames;
mod inbox;
mod incidents;
mod keeper;
mod look;
mod names;
mod observer;
mod pack;
mod past;
mod read;
mod schema;
mod series;
#[cfg(test)]
mod size_tests;
#[cfg(test)]
mod tests;
pub mod ticks;
mod trouble;
mod window;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::incident::Entry;
use crate::domain::{Event, Time};
use crate::store::{Past, Store};
use inbox::Inbox;
use keeper::Keeper;
use observer::Observer;

pub use incidents::{
    KeptSeries, append, environment_of, environments, models_at, read_entries, read_events, read_series,
};
pub use look::{Found, FoundTier, LookError, entries, look};

/// One resolution of the kept series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// The distance of two points, seconds.
    pub step_s: u32,
    /// For how long they are kept, seconds.
    pub keep_s: u32,
}

/// How a history is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The folder of the file.
    pub folder: PathBuf,
    /// The largest size of the file, bytes.
    pub max_bytes: u64,
    /// The resolutions, the finest first.
    pub tiers: Vec<Tier>,
    /// How often the whole room is kept, seconds.
    pub frame_s: f64,
    /// The environment's name: one file may hold several.
    pub environment: String,
}

/// What the history is asked for. None of it waits.
#[derive(Debug)]
pub enum Keep {
    /// Lines of the timeline.
    Events(Vec<Event>),
    /// Entries of incidents: durable before [`Kept::Written`] names them.
    Entries(Vec<Entry>),
    /// The room at a moment. The empty store of the config gives models, kinds, limits and sources. A newer question
    /// replaces an older one that was not answered yet.
    Past(Time, Box<Store>),
    /// Everything of the last hour and the last 90 days, to fill the charts of a room that has just begun.
    Fill(Box<Store>),
    /// End when everything that was asked for before is done.
    Stop,
}

/// What the history tells.
#[derive(Debug)]
pub enum Kept {
    /// A past moment; `Err`: why there is none.
    Past(Result<Box<Past>, String>),
    /// The past of a room that has just begun, to be laid under what it knows.
    Filled(Box<Store>),
    /// Entries that are durable now.
    Written(Vec<Entry>),
    /// Entries of any wardroom that this one has not been told of, at the start all of incidents that are open.
    Entries(Vec<Entry>),
    /// Something to know: what was dropped for want of room, a gap. For the log and the footer.
    Notice(String),
    /// Nothing is kept any more, because; the room goes on without.
    Trouble(String),
}

/// How long the end of a room waits for what is still to be written.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The loop's end of the history.
#[derive(Debug)]
pub struct History {
    inbox: Arc<Inbox>,
    observer: Observer,
}

impl History {
    /// Opens the history on a thread of its own, which tells what it has to tell through `tell`. Returns at once:
    /// a file that cannot be had is told as [`Kept::Trouble`].
    pub fn open(settings: Settings, tell: impl Fn(Kept) + Send + 'static) -> Self {
        let inbox = Arc::new(Inbox::default());
        let observer = Observer::new(&settings);
        let theirs = inbox.clone();
        let work = move || {
            // Whoever waits for the end is woken by a panic too.
            let _over = theirs.over();
            Keeper::new(settings, &tell).run(&theirs);
        };
        // A machine without a thread to spare drops the work, and with it what would ring the bell.
        if std::thread::Builder::new().name("history".into()).spawn(work).is_err() {
            drop(inbox.over());
        }
        Self { inbox, observer }
    }

    /// Takes down what the store shows now. To be called at every tick; takes next to no time and never waits for
    /// the file.
    pub fn observe(&mut self, store: &Store, now: Time) {
        let seen = self.observer.look(store, now);
        self.inbox.seen(seen);
    }

    /// Asks for something; false when the history is gone.
    pub fn ask(&self, what: Keep) -> bool {
        self.inbox.ask(what)
    }
}

impl Drop for History {
    /// What was seen last is written before the room ends, when the file can be had within two seconds.
    fn drop(&mut self) {
        self.inbox.ask(Keep::Stop);
        self.inbox.wait_over(LAST_WORDS);
    }
}
