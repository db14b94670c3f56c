//! The engine's way to the journal: every write aside from the tasks that talk, and counted for the crash test.

use std::sync::Arc;

use super::crash;
use crate::domain::Time;
use crate::domain::act::{Act, ActId};
use crate::records::{Ledger, LedgerError};

/// Writes acts down.
#[derive(Clone)]
pub(super) struct Desk {
    ledger: Arc<Ledger>,
}

impl Desk {
    pub(super) fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger }
    }

    /// Writes an act down at a point. With `audited` the act learns the number of its entry in the audit trail.
    pub(super) async fn write(
        &self,
        at: Time,
        point: &str,
        act: &mut Act,
        audited: bool,
    ) -> Result<(), LedgerError> {
        let (copy, point) = (act.clone(), point.to_owned());
        crash::point();
        let entry = self.ask(move |ledger| ledger.write(at, &point, &copy, audited)).await?;
        crash::point();
        act.audit = entry.or(act.audit);
        Ok(())
    }

    /// Acts that are open and whose process is gone.
    pub(super) async fn unfinished(&self) -> Result<Vec<Act>, LedgerError> {
        self.ask(Ledger::unfinished).await
    }

    /// Takes an act over; false when another process did.
    pub(super) async fn take_over(&self, act: &ActId, at: Time) -> Result<bool, LedgerError> {
        let act = act.clone();
        self.ask(move |ledger| ledger.take_over(&act, at)).await
    }

    /// The last state of an act.
    pub(super) async fn act(&self, act: &ActId) -> Result<Option<Act>, LedgerError> {
        let act = act.clone();
        self.ask(move |ledger| ledger.act(&act)).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Ledger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let ledger = self.ledger.clone();
        tokio::task::spawn_blocking(move || what(&ledger))
            .await
            .unwrap_or_else(|_| Err(LedgerError::Trouble("the journal's thread has died".into())))
    }
}
