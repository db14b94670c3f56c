//! The folder and the file: with which permissions, and how SQLite opens it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::schema;
use super::trouble::{Hope, Trouble};
use crate::sqlite;

/// The file's name in its folder.
pub(super) const NAME: &str = "history.db";
/// How often a write looks whether another process is done, before it is put off.
const LOOKS: i32 = 500;
/// Between two looks. SQLite's own waiting grows to 100 ms, and a room that writes much would never let it in.
const PAUSE: Duration = Duration::from_millis(4);

fn wait(looks: i32) -> bool {
    std::thread::sleep(PAUSE);
    looks < LOOKS
}

/// The open file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
}

impl File {
    /// Opens the file for writing, and makes folder, file and tables when they are not there.
    pub(super) fn writable(folder: &Path) -> Result<Self, Trouble> {
        let path = folder.join(NAME);
        sqlite::make(folder, &path).map_err(|why| {
            Trouble::at(
                folder,
                format!("the history cannot be kept there: {why}"),
                "set history.folder to a folder that this user may write",
                Hope::Later,
            )
        })?;
        let said = |error: rusqlite::Error| Trouble::sqlite(&path, &error);
        let mut connection = sqlite::open(&path, true).map_err(said)?;
        connection.busy_handler(Some(wait)).map_err(said)?;
        // Counts only in a new file, before its first table: freed pages can be given back.
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL;").map_err(said)?;
        if let Err(mode) = sqlite::share(&connection).map_err(said)? {
            return Err(Trouble::at(
                &path,
                format!("its file system does not carry a shared history (mode {mode})"),
                "set history.folder to a local disk",
                Hope::Later,
            ));
        }
        connection.execute_batch("PRAGMA journal_size_limit = 16777216;").map_err(said)?;
        schema::ready(&connection, &path)?;
        Ok(Self { connection, path })
    }

    /// Opens a file that is there for reading only.
    pub(super) fn readable(folder: &Path) -> Result<Self, Trouble> {
        let path = folder.join(NAME);
        if !path.exists() {
            return Err(Trouble::at(
                &path,
                "there is no history",
                "set history.folder in the config; the file is made by the first room",
                Hope::Later,
            ));
        }
        let said = |error: rusqlite::Error| Trouble::sqlite(&path, &error);
        let mut connection = sqlite::open(&path, false).map_err(said)?;
        connection.busy_handler(Some(wait)).map_err(said)?;
        schema::known(&connection, &path)?;
        Ok(Self { connection, path })
    }

    /// Begins to write: waits for other processes now, not in the middle.
    pub(super) fn begin(&self) -> Result<Transaction<'_>, Trouble> {
        Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
            .map_err(|error| self.said(&error))
    }

    /// What SQLite said about this file.
    pub(super) fn said(&self, error: &rusqlite::Error) -> Trouble {
        Trouble::sqlite(&self.path, error)
    }

    /// The number of an environment; `None` when the file has never heard of it.
    pub(super) fn environment(&self, name: &str) -> Result<Option<i64>, Trouble> {
        use rusqlite::OptionalExtension;
        self.connection
            .query_row("SELECT id FROM environments WHERE name = ?1", [name], |row| row.get(0))
            .optional()
            .map_err(|error| self.said(&error))
    }
}
