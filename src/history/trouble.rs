//! What may be wrong with the file, in words: what, where, what to do.

use std::path::Path;

use crate::sqlite::Ill;

/// Whether it helps to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hope {
    /// Another program has it locked: try again at once.
    Soon,
    /// The disk is full, the folder cannot be written: somebody must do something first.
    Later,
    /// It is damaged, or not ours.
    Never,
}

/// Why the history cannot be used now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub(super) struct Trouble {
    pub(super) words: String,
    pub(super) hope: Hope,
}

impl Trouble {
    pub(super) fn at(path: &Path, what: impl std::fmt::Display, remedy: &str, hope: Hope) -> Self {
        Self { words: format!("{}: {what}; {remedy}", path.display()), hope }
    }

    /// Something in the file is not what it should be.
    pub(super) fn damaged(path: &Path, said: impl std::fmt::Display) -> Self {
        let what = format!("is damaged ({said})");
        Self::at(
            path,
            what,
            "leave it for an inquiry, or move it aside with its -wal and -shm files: a new one is made at the next start",
            Hope::Never,
        )
    }

    /// What SQLite said, with the remedy for its kind.
    pub(super) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        match Ill::of(error) {
            Ill::Locked => Self::at(
                path,
                "another program keeps it locked",
                "see who has it open (fuser) and end that",
                Hope::Soon,
            ),
            Ill::Full => Self::at(
                path,
                "its disk is full",
                "make room there, or set history.folder to another disk; it is tried again every 30 s",
                Hope::Later,
            ),
            Ill::Damaged(said) => Self::damaged(path, said),
            Ill::Denied(said) => Self::at(
                path,
                format!("cannot be opened or written ({said})"),
                "it and its folder must belong to this user; check their permissions, or set history.folder",
                Hope::Later,
            ),
            Ill::Disk(said) => Self::at(
                path,
                format!("the disk failed ({said})"),
                "check the disk, or set history.folder to another one; it is tried again every 30 s",
                Hope::Later,
            ),
            Ill::Other(said) => Self::at(path, said, "run `wardroom history --check`", Hope::Later),
        }
    }
}
