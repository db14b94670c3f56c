//! A drill beside the room: it is shown what the room knows and what the engine tells, and shows its bar there.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::domain::Time;
use crate::domain::act::Told;
use crate::drill::session::Eyes;
use crate::drill::{Drill, Phase};
use crate::store::Store;

/// The room's side.
pub struct Companion {
    store: watch::Sender<Arc<Store>>,
    told: mpsc::UnboundedSender<Told>,
    shown: watch::Receiver<Drill>,
}

impl Companion {
    /// Both sides: the room's, and what the drill sees of it. The keys stay with the room.
    pub fn pair(store: Store, shown: watch::Receiver<Drill>) -> (Self, Eyes) {
        let (store, seen) = watch::channel(Arc::new(store));
        let (told, hears) = mpsc::unbounded_channel();
        (Self { store, told, shown }, Eyes { store: seen, told: hears, wishes: None })
    }

    /// Shows the drill what the room knows.
    pub fn see(&self, store: &Store) {
        self.store.send_replace(Arc::new(store.clone()));
    }

    /// Passes on what the engine told.
    pub fn hear(&self, told: &Told) {
        // A drill that is over listens no more.
        let _ = self.told.send(told.clone());
    }

    /// The line of the room.
    pub fn bar(&self, now: Time) -> String {
        self.shown.borrow().bar(now)
    }

    /// Whether the room is not needed any more.
    pub fn is_over(&self) -> bool {
        self.shown.borrow().phase == Phase::Over
    }
}
