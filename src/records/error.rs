//! What may be wrong with the file, in words: what, where, what to do.

use std::path::Path;

use crate::sqlite::Ill;

/// Why the journal or the audit trail cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// In words: what, where, what to do.
    #[error("{0}")]
    Trouble(String),
}

impl LedgerError {
    /// A trouble with a file or folder, and its remedy.
    pub(super) fn at(path: &Path, what: impl std::fmt::Display, remedy: &str) -> Self {
        Self::Trouble(format!("{}: {what}; {remedy}", path.display()))
    }
}

/// What SQLite said, with the remedy for its kind.
pub(super) fn sqlite(path: &Path, error: &rusqlite::Error) -> LedgerError {
    match Ill::of(error) {
        Ill::Locked => LedgerError::at(
            path,
            "another program keeps it locked",
            "see who has it open (fuser), end that, and try again",
        ),
        Ill::Full => LedgerError::at(
            path,
            "its disk is full, nothing was written",
            "make room there or set control.folder to another disk",
        ),
        Ill::Damaged(said) => damaged(path, &said),
        Ill::Denied(said) => LedgerError::at(
            path,
            format!("cannot be opened or written ({said})"),
            "it and its folder must belong to this user; check their permissions",
        ),
        Ill::Disk(said) => LedgerError::at(
            path,
            format!("the disk failed ({said})"),
            "check the disk or set control.folder to another one",
        ),
        Ill::Other(said) => LedgerError::at(path, said, "run `wardroom audit verify` on its folder"),
    }
}

/// A file that is not what it should be.
pub(super) fn damaged(path: &Path, said: &str) -> LedgerError {
    LedgerError::at(
        path,
        format!("is damaged ({said})"),
        "keep it for the inquiry, with its -wal and -shm files, and set control.folder to a new folder",
    )
}
