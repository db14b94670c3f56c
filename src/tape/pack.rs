//! The recorder's thread: packs what it is handed into blocks, and writes them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use super::block::{self, Kind};
use super::item::{self, Item, Whole};
use super::write::{Job, Pace, Sink};
use crate::domain::Time;

/// The thread: ends when the room is gone, or with the reason why nothing more can be written.
pub(super) fn write(
    sink: impl Sink,
    pace: Pace,
    from: &Receiver<Job>,
    taken: &AtomicUsize,
) -> Result<(), String> {
    // What reports say to the log was said by the room already.
    let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    let mut out = Out { sink, len: 0 };
    out.put(&block::preface())?;
    let mut state: Option<Box<Whole>> = None;
    let mut items: Vec<Item> = Vec::new();
    let (mut due, mut whole_at) = (Instant::now() + pace.block, Instant::now());
    let (mut whole_len, mut since_whole) = (0, 0);
    loop {
        let job = from.recv_timeout(due.saturating_duration_since(Instant::now()));
        let over = matches!(job, Err(RecvTimeoutError::Disconnected));
        let mut is_whole_due = false;
        match job {
            Ok(Job::Item(item)) => {
                taken.fetch_sub(1, Ordering::AcqRel);
                if let Some(state) = &mut state {
                    item::take(&mut state.store, &mut state.scene, item.clone());
                    items.push(item);
                }
            }
            Ok(Job::Whole(whole)) => {
                since_whole += out.items(state.as_deref(), &mut items, false)?;
                state = Some(whole);
                is_whole_due = true;
                taken.fetch_sub(1, Ordering::AcqRel);
            }
            Ok(Job::Close) => {
                taken.fetch_sub(1, Ordering::AcqRel);
                due = Instant::now();
            }
            Err(_) => {}
        }
        if over || Instant::now() >= due {
            since_whole += out.items(state.as_deref(), &mut items, !over)?;
            // What packing took does not put the next block off.
            due = (due + pace.block).max(Instant::now());
            let age = whole_at.elapsed();
            is_whole_due |=
                !over && (age >= pace.whole_at_last || age >= pace.whole && since_whole >= whole_len);
        }
        if is_whole_due && let Some(state) = &mut state {
            whole_len = out.block(Kind::Whole, state.scene.now, &**state)?;
            state.gap_since = None;
            (whole_at, since_whole) = (Instant::now(), 0);
        }
        if over {
            return Ok(());
        }
    }
}

struct Out<S> {
    sink: S,
    /// Bytes of whole blocks so far.
    len: u64,
}

impl<S: Sink> Out<S> {
    /// Writes what came as a block; an empty one says that nothing came.
    fn items(
        &mut self,
        state: Option<&Whole>,
        items: &mut Vec<Item>,
        even_empty: bool,
    ) -> Result<u64, String> {
        let Some(state) = state.filter(|_| even_empty || !items.is_empty()) else { return Ok(0) };
        let len = self.block(Kind::Items, state.scene.now, items)?;
        items.clear();
        Ok(len)
    }

    fn block<T: serde::Serialize>(&mut self, kind: Kind, at: Time, contents: &T) -> Result<u64, String> {
        let bytes = block::encode(kind, at, contents)?;
        self.put(&bytes)?;
        Ok(bytes.len() as u64)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), String> {
        if let Err(error) = self.sink.write_all(bytes).and_then(|()| self.sink.flush()) {
            self.sink.cut(self.len);
            return Err(format!("{error}; what was recorded before can be played"));
        }
        self.len += bytes.len() as u64;
        Ok(())
    }
}
