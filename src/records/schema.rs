//! The tables. `user_version` tells their shape; a file of a newer shape is refused, never guessed at.

use std::path::Path;

use rusqlite::Connection;

use super::canonical::BEGINNING;
use super::error::{LedgerError, sqlite};
use crate::sqlite::{Mark, Whose};

/// `WRoo`, and the shape that this program writes.
const MARK: Mark = Mark { application: 0x5752_6f6f, version: 1 };

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
    let whose = MARK.claim(connection, |transaction| {
        for (_, statement) in OBJECTS {
            transaction.execute_batch(statement)?;
        }
        let first = "INSERT INTO head (one, count, hash) VALUES (1, 0, ?1)";
        transaction.execute(first, [BEGINNING.as_slice()]).map(drop)
    });
    ours(path, whose.map_err(|error| sqlite(path, &error))?)
}

/// Looks whether a file is one of ours, of a shape that this program knows.
pub(super) fn known(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    ours(path, MARK.look(connection).map_err(|error| sqlite(path, &error))?)
}

fn ours(path: &Path, whose: Whose) -> Result<(), LedgerError> {
    match whose {
        Whose::Ours => Ok(()),
        Whose::Newer(found) => Err(LedgerError::at(
            path,
            format!("a newer wardroom wrote it (shape {found}, this one knows {})", MARK.version),
            "use that wardroom, or set control.folder to another folder",
        )),
        Whose::Blank | Whose::Foreign => {
            Err(LedgerError::at(path, "it is no journal of wardroom", "set control.folder to another folder"))
        }
    }
}
