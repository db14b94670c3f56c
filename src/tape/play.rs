//! The player: the state of the recorded room at any of its moments.

use std::collections::VecDeque;
use std::path::Path;

use chrono::TimeDelta;

use super::block::Kind;
use super::item::{self, Head, Item, Scene, Whole};
use super::read::{Tape, TapeError};
use crate::app::App;
use crate::domain::Time;
use crate::store::Store;

/// A tape with the state at one of its moments.
#[derive(Debug)]
pub struct Player {
    tape: Tape,
    head: Head,
    store: Store,
    scene: Scene,
    gap_since: Option<Time>,
    /// What of the present block has not been taken in.
    items: VecDeque<Item>,
    /// The next block.
    next: usize,
    /// The moment up to which the tape has run.
    position: Time,
}

impl Player {
    /// Opens a tape at its beginning.
    ///
    /// # Errors
    /// See [`TapeError`].
    pub fn open(path: &Path) -> Result<Self, TapeError> {
        let mut tape = Tape::open(path)?;
        let whole =
            tape.whole(0).map_err(|why| TapeError::First { path: path.display().to_string(), why })?;
        let Whole { head, gap_since, store, scene } = whole;
        let position = tape.begins();
        let items = VecDeque::new();
        Ok(Self { tape, head, store, scene, gap_since, items, next: 1, position })
    }

    /// What the tape says of itself.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The store of the moment.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The store of the moment, for a room that looks at it. What it changes is gone with the next jump.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Everything else of the moment.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Why the tape ends before the file does, if it does.
    pub fn cut(&self) -> Option<&str> {
        self.tape.cut()
    }

    /// The moment up to which the tape has run.
    pub fn position(&self) -> Time {
        self.position
    }

    /// The first moment.
    pub fn begins(&self) -> Time {
        self.tape.begins()
    }

    /// The last moment.
    pub fn ends(&self) -> Time {
        self.tape.ends()
    }

    /// Whether nothing more comes.
    pub fn is_over(&self) -> bool {
        self.items.is_empty() && self.next >= self.tape.len()
    }

    /// A gap of the recording that was just passed: since when nothing is known. Said once.
    pub fn take_gap(&mut self) -> Option<Time> {
        self.gap_since.take()
    }

    /// Runs on to a moment; only forward.
    pub fn run_to(&mut self, to: Time) {
        let _quiet = quiet();
        self.position = self.position.max(to.min(self.ends()));
        loop {
            while let Some(item) = self.items.front() {
                if item.at().is_some_and(|at| at > to) {
                    return;
                }
                if let Some(item) = self.items.pop_front() {
                    item::take(&mut self.store, &mut self.scene, item);
                }
            }
            if !self.open_next(to) {
                return;
            }
        }
    }

    /// Runs one block on. False at the end.
    pub fn step(&mut self) -> bool {
        let Some(end) = self.tape.at(self.next) else { return false };
        let _quiet = quiet();
        let is_open = self.open_next(Time::MAX_UTC);
        while let Some(item) = self.items.pop_front() {
            item::take(&mut self.store, &mut self.scene, item);
        }
        self.position = self.position.max(end);
        is_open
    }

    /// Goes to a moment, be it before or after the present one.
    pub fn go_to(&mut self, at: Time) {
        let at = at.clamp(self.begins(), self.ends().max(self.begins()));
        let from = self.tape.whole_before(at);
        if at < self.position || from >= self.next {
            // The present state serves when it lies between that whole state and the moment.
            self.begin_at(from);
        }
        self.run_to(at);
    }

    /// Goes so many seconds forward, or back.
    pub fn go_by(&mut self, seconds: i64) {
        let at = self.position.checked_add_signed(TimeDelta::seconds(seconds));
        self.go_to(at.unwrap_or(self.position));
    }

    /// Makes the present moment anew, without what a room changed in it.
    pub fn again(&mut self) {
        let at = self.position;
        self.begin_at(self.tape.whole_before(at));
        self.run_to(at);
    }

    /// Goes to the last moment.
    pub fn go_to_end(&mut self) {
        self.go_to(self.ends());
        // The last block's moment may lie before its last item's.
        self.run_to(Time::MAX_UTC);
    }

    /// Lets a room show the moment; `follow`: looking where the recorded operator looked.
    pub fn show(&mut self, app: &mut App, follow: bool) {
        app.now = self.scene.now;
        self.scene.desk.onto(app);
        if follow {
            self.scene.glance.onto(app);
        }
    }

    /// Starts from a whole state; from the first when that one is broken.
    fn begin_at(&mut self, block: usize) {
        match self.tape.whole(block) {
            Ok(whole) => {
                self.store = whole.store;
                self.scene = whole.scene;
                self.gap_since = whole.gap_since;
                self.items.clear();
                self.next = block + 1;
                self.position = self.tape.at(block).unwrap_or(self.position);
            }
            Err(why) if block > 0 => {
                self.tape.end_before(block, &why);
                self.begin_at(self.tape.whole_before(self.ends()));
            }
            // It was read once already: the file changed below our feet; what is shown stays.
            Err(why) => self.tape.end_before(self.next, &why),
        }
    }

    /// Opens the next block unless it is a whole state after `to`. False when there is nothing to open.
    fn open_next(&mut self, to: Time) -> bool {
        let block = self.next;
        let opened = match self.tape.kind(block) {
            None => return false,
            Some(Kind::Whole) if self.tape.at(block).is_some_and(|at| at > to) => return false,
            Some(Kind::Whole) => self.tape.whole(block).map(|whole| {
                self.store = whole.store;
                self.scene = whole.scene;
                self.gap_since = whole.gap_since.or(self.gap_since);
            }),
            Some(Kind::Items) => self.tape.items(block).map(|items| self.items = items.into()),
        };
        match opened {
            Ok(()) => self.next = block + 1,
            Err(why) => self.tape.end_before(block, &why),
        }
        self.next > block
    }
}

/// What reports say to the log was said when it was recorded.
fn quiet() -> tracing::subscriber::DefaultGuard {
    tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default())
}
