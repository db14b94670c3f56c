//! The tables. `user_version` tells their shape; a file of a newer shape is refused, never guessed at.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::canonical::BEGINNING;
use super::error::{LedgerError, sqlite};

/// The shape that this program writes.
pub(super) const VERSION: i64 = 1;
/// `WRoo`: marks the file as ours.
const APPLICATION: i64 = 0x5752_6f6f;

/// Every object of the file, by name, as it must stand in `sqlite_schema`.
///
/// The trail's columns: the bytes are the one truth, the hash is their link of the chain. The journal carries the
/// head of the trail as it was after each of its rows, so that a cut tail is found even when `head` is cut with it.
pub(super) const OBJECTS: [(&str, &str); 7] = [
    (
        "journal",
        "CREATE TABLE journal (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, point TEXT NOT NULL, \
         act_id TEXT NOT NULL, process INTEGER NOT NULL, started INTEGER NOT NULL, boot TEXT NOT NULL, \
         open INTEGER NOT NULL, act BLOB NOT NULL, trail_count INTEGER NOT NULL, trail_hash BLOB NOT NULL) STRICT",
    ),
    ("journal_by_act", "CREATE INDEX journal_by_act ON journal (act_id, number)"),
    (
        "trail",
        "CREATE TABLE trail (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL, hash BLOB NOT NULL) STRICT",
    ),
    (
        "head",
        "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL, hash BLOB NOT NULL) \
         STRICT",
    ),
    (
        "trail_keeps",
        "CREATE TRIGGER trail_keeps BEFORE UPDATE ON trail BEGIN SELECT RAISE(ABORT, 'the audit trail is \
         append-only'); END",
    ),
    (
        "trail_holds",
        "CREATE TRIGGER trail_holds BEFORE DELETE ON trail BEGIN SELECT RAISE(ABORT, 'the audit trail is \
         append-only'); END",
    ),
    // INSERT OR REPLACE would not wake the trigger of DELETE.
    (
        "trail_grows",
        "CREATE TRIGGER trail_grows BEFORE INSERT ON trail WHEN NEW.number IS NOT (SELECT count + 1 FROM head) \
         BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
    ),
];

/// Makes the tables when the file is new, and looks whether they are ours when it is not.
pub(super) fn ready(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let said = |error: rusqlite::Error| sqlite(path, &error);
    if version(connection, path)? == VERSION {
        return known(connection, path);
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(said)?;
    let objects: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(said)?;
    // Another process may have made them while this one waited.
    if version(&transaction, path)? != 0 || objects > 0 {
        return known(&transaction, path);
    }
    for (_, statement) in OBJECTS {
        transaction.execute_batch(statement).map_err(said)?;
    }
    transaction
        .execute("INSERT INTO head (one, count, hash) VALUES (1, 0, ?1)", [BEGINNING.as_slice()])
        .map_err(said)?;
    transaction
        .execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"))
        .map_err(said)?;
    transaction.commit().map_err(said)
}

/// Looks whether a file is one of ours, of a shape that this program knows.
pub(super) fn known(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let found = version(connection, path)?;
    if found > VERSION {
        return Err(LedgerError::at(
            path,
            format!("a newer wardroom wrote it (shape {found}, this one knows {VERSION})"),
            "use that wardroom, or set control.folder to another folder",
        ));
    }
    let application: i64 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(|error| sqlite(path, &error))?;
    if found != VERSION || application != APPLICATION {
        return Err(LedgerError::at(
            path,
            "it is no journal of wardroom",
            "set control.folder to another folder",
        ));
    }
    Ok(())
}

fn version(connection: &Connection, path: &Path) -> Result<i64, LedgerError> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|error| sqlite(path, &error))
}
