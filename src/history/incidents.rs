//! Entries of incidents for programs without a room: read them all, append some. Calls block.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, params};

use crate::domain::incident::Entry;

/// The file's name in its folder.
const NAME: &str = "history.db";
/// How long a write waits for another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// Every entry of a folder's history, in order of recording; none where there is no history yet.
///
/// # Errors
/// A file that cannot be read, in words: what, where, what to do.
pub fn read_entries(folder: &Path) -> Result<Vec<Entry>, String> {
    let path = folder.join(NAME);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let read = || -> rusqlite::Result<Vec<Vec<u8>>> {
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        let known: i64 = connection.query_row(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'entries'",
            [],
            |row| row.get(0),
        )?;
        if known == 0 {
            return Ok(Vec::new());
        }
        let mut rows = connection.prepare("SELECT bytes FROM entries ORDER BY recorded, rowid")?;
        rows.query_map([], |row| row.get(0))?.collect()
    };
    let rows = read().map_err(|error| said(&path, &error))?;
    rows.iter()
        .map(|bytes| {
            serde_json::from_slice(bytes).map_err(|why| {
                format!("{}: an entry cannot be read ({why}); was it written by a newer wardroom?", path.display())
            })
        })
        .collect()
}

/// Appends entries, durably, all or none; one that is there already is passed over. Gives those that are new, with the
/// time of recording that they got: it grows with every entry of the file.
///
/// # Errors
/// A file that cannot be written, in words: what, where, what to do. Nothing was written then.
pub fn append(folder: &Path, entries: &[Entry]) -> Result<Vec<Entry>, String> {
    let path = folder.join(NAME);
    let write = || -> rusqlite::Result<Vec<Entry>> {
        let connection = Connection::open(&path)?;
        connection.busy_timeout(PATIENCE)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS entries
             (id TEXT PRIMARY KEY, incident TEXT NOT NULL, recorded INTEGER NOT NULL, bytes BLOB NOT NULL)",
        )?;
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
        let mut last: Option<i64> =
            transaction.query_row("SELECT max(recorded) FROM entries", [], |row| row.get(0))?;
        let mut new = Vec::new();
        for entry in entries {
            let mut entry = entry.clone();
            let after = last.and_then(|last| crate::domain::Time::from_timestamp_micros(last + 1));
            entry.recorded = after.map_or(entry.recorded, |after| after.max(entry.recorded));
            let bytes = serde_json::to_vec(&entry)
                .map_err(|why| rusqlite::Error::ToSqlConversionFailure(Box::new(why)))?;
            let recorded = entry.recorded.timestamp_micros();
            let added = transaction.execute(
                "INSERT INTO entries VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING",
                params![entry.id.0, entry.incident.0, recorded, bytes],
            )?;
            if added == 1 {
                last = Some(recorded);
                new.push(entry);
            }
        }
        transaction.commit()?;
        Ok(new)
    };
    make(folder).and_then(|()| write().map_err(|error| said(&path, &error)))
}

fn make(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt;
    if folder.exists() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|why| {
        format!("{}: the history cannot be kept there ({why}); set history.folder", folder.display())
    })
}

fn said(path: &PathBuf, error: &rusqlite::Error) -> String {
    let (what, remedy) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            ("another program keeps it locked".to_owned(), "see who has it open (fuser) and try again")
        }
        Some(ErrorCode::DiskFull) => ("its disk is full, nothing was written".to_owned(), "make room there"),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            ("it is damaged".to_owned(), "keep it for the inquiry, and set history.folder to a new folder")
        }
        _ => (error.to_string(), "check its folder and permissions"),
    };
    format!("{}: {what}; {remedy}", path.display())
}
