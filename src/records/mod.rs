//! What must not be lost: the journal of acts and the audit trail, in one SQLite file (WAL), which several wardrooms on
//! one machine share. Every write is durable before it returns. Calls block: never call from the UI's task.

use std::path::Path;

use crate::domain::Time;
use crate::domain::act::{Act, ActId};

/// Why the journal or the audit trail cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// In words: what, where, what to do.
    #[error("{0}")]
    Trouble(String),
}

/// One line of the journal: the whole act as it was at a named point.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    /// Its number, rising over all acts.
    pub number: u64,
    /// When.
    pub at: Time,
    /// The point: `confirmed`, `before request 1`, `after request 1`, `check weight`, `effective`, `over`.
    pub point: String,
    /// The process that wrote it.
    pub process: u32,
    /// The act.
    pub act: Act,
}

/// The journal and the audit trail.
#[derive(Debug)]
pub struct Ledger {}

impl Ledger {
    /// Opens the file, and makes it when it is not there.
    ///
    /// # Errors
    /// A folder that cannot be written, a damaged file, a key that cannot be read.
    pub fn open(_folder: &Path, _age_identity: Option<&Path>) -> Result<Self, LedgerError> {
        Err(LedgerError::Trouble("not built yet".into()))
    }

    /// Writes an act down at a point; with `audited`, an entry of the audit trail in the same transaction. Gives the
    /// number of the audit entry.
    ///
    /// # Errors
    /// A disk that is full, a lock that lasts: nothing may be sent then.
    pub fn write(
        &self,
        _at: Time,
        _point: &str,
        _act: &Act,
        _audited: bool,
    ) -> Result<Option<u64>, LedgerError> {
        Err(LedgerError::Trouble("not built yet".into()))
    }

    /// Acts that are open and whose process is gone.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn unfinished(&self) -> Result<Vec<Act>, LedgerError> {
        Err(LedgerError::Trouble("not built yet".into()))
    }

    /// Takes an unfinished act over for this process, so that a second wardroom does not; false when another did.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn take_over(&self, _act: &ActId, _at: Time) -> Result<bool, LedgerError> {
        Err(LedgerError::Trouble("not built yet".into()))
    }

    /// Every line of one act, the oldest first.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn journal(&self, _act: &ActId) -> Result<Vec<JournalRow>, LedgerError> {
        Err(LedgerError::Trouble("not built yet".into()))
    }

    /// The last state of each act, the newest first, at most `limit`.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn acts(&self, _limit: usize) -> Result<Vec<Act>, LedgerError> {
        Err(LedgerError::Trouble("not built yet".into()))
    }
}
