//! What waits for the thread of the history. Held only to put in or to take out, never while the file is used.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Keep;
use super::observer::{Frame, Sample, Seen};
use crate::domain::incident::Entry;
use crate::domain::{Event, Time};
use crate::store::Store;

/// Samples that wait at most; the oldest go first: while the file cannot be had, the series have a gap.
const SAMPLES: usize = 8;

/// Everything that waits.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) entries: Vec<Entry>,
    pub(super) events: Vec<Event>,
    pub(super) samples: VecDeque<Sample>,
    pub(super) frame: Option<Frame>,
    pub(super) past: Option<(Time, Box<Store>)>,
    pub(super) fill: Option<Box<Store>>,
    pub(super) stop: bool,
    gone: bool,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.events.is_empty()
            && self.samples.is_empty()
            && self.frame.is_none()
            && self.past.is_none()
            && self.fill.is_none()
            && !self.stop
    }
}

/// The inbox of the thread.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

/// Says at its end that nobody takes anything out any more.
pub(super) struct Over<'a>(&'a Inbox);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.lock().gone = true;
        self.0.bell.notify_all();
    }
}

impl Inbox {
    /// Puts a question in; false when nobody will take it out.
    pub(super) fn ask(&self, what: Keep) -> bool {
        let mut waiting = self.lock();
        if waiting.gone {
            return false;
        }
        match what {
            Keep::Events(events) => waiting.events.extend(events),
            Keep::Entries(entries) => waiting.entries.extend(entries),
            Keep::Past(at, empty) => waiting.past = Some((at, empty)),
            Keep::Fill(empty) => waiting.fill = Some(empty),
            Keep::Stop => waiting.stop = true,
        }
        drop(waiting);
        self.bell.notify_all();
        true
    }

    /// Puts in what was seen at a tick.
    pub(super) fn seen(&self, seen: Seen) {
        if seen.is_empty() {
            return;
        }
        let mut waiting = self.lock();
        if waiting.gone {
            return;
        }
        waiting.events.extend(seen.events);
        waiting.samples.extend(seen.sample);
        while waiting.samples.len() > SAMPLES {
            waiting.samples.pop_front();
        }
        if let Some(frame) = seen.frame {
            let is_news = frame.is_news || waiting.frame.as_ref().is_some_and(|old| old.is_news);
            waiting.frame = Some(Frame { is_news, ..frame });
        }
        drop(waiting);
        self.bell.notify_all();
    }

    /// Takes everything out; waits for something for `patience` at most.
    pub(super) fn take(&self, patience: Duration) -> Waiting {
        let waiting = self.lock();
        let (mut waiting, _) = self
            .bell
            .wait_timeout_while(waiting, patience, |waiting| waiting.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut waiting)
    }

    /// Whether a newer question about the past waits.
    pub(super) fn has_newer_past(&self) -> bool {
        self.lock().past.is_some()
    }

    /// To be held by the thread as long as it takes things out.
    pub(super) fn over(&self) -> Over<'_> {
        Over(self)
    }

    /// Waits until the thread has ended, `patience` at most.
    pub(super) fn wait_over(&self, patience: Duration) {
        let end = Instant::now() + patience;
        let mut waiting = self.lock();
        while !waiting.gone {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            waiting = self.bell.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
