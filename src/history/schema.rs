//! The tables. `user_version` tells their shape; a file of a newer shape is refused, never guessed at.

use std::path::Path;

use rusqlite::Connection;

use super::trouble::{Hope, Trouble};
use crate::sqlite::{Mark, Whose};

/// `WRhi`, and the shape that this program writes.
const MARK: Mark = Mark { application: 0x5752_6869, version: 1 };

/// Moments are the points of the finest resolution, one row for all series, until they are packed into chunks: one row
/// for all series of a model over a window. A tier is named by its step in seconds. Times are seconds in series and
/// milliseconds elsewhere. `rolled` says until when a coarser tier was made of the finer one.
const TABLES: &str = "
CREATE TABLE environments (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE models (id INTEGER PRIMARY KEY, environment INTEGER NOT NULL, cluster TEXT NOT NULL,
    namespace TEXT NOT NULL, name TEXT NOT NULL, home TEXT NOT NULL,
    UNIQUE (environment, home, cluster, namespace, name)) STRICT;
CREATE TABLE series (id INTEGER PRIMARY KEY, model INTEGER NOT NULL, what TEXT NOT NULL, version TEXT NOT NULL,
    UNIQUE (model, what, version)) STRICT;
CREATE TABLE moments (id INTEGER PRIMARY KEY, environment INTEGER NOT NULL, slot INTEGER NOT NULL,
    points BLOB NOT NULL, UNIQUE (slot, environment)) STRICT;
CREATE TABLE chunks (id INTEGER PRIMARY KEY, step INTEGER NOT NULL, start INTEGER NOT NULL, model INTEGER NOT NULL,
    points INTEGER NOT NULL, width INTEGER NOT NULL, block BLOB NOT NULL, UNIQUE (step, start, model)) STRICT;
CREATE TABLE rolled (step INTEGER PRIMARY KEY, until INTEGER NOT NULL) STRICT;
CREATE TABLE frames (id INTEGER PRIMARY KEY, environment INTEGER NOT NULL, at INTEGER NOT NULL, key INTEGER,
    news INTEGER NOT NULL, size INTEGER NOT NULL, block BLOB NOT NULL) STRICT;
CREATE INDEX frames_by_time ON frames (environment, at);
CREATE INDEX frames_by_key ON frames (key);
CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, environment INTEGER NOT NULL, at INTEGER NOT NULL,
    kind TEXT NOT NULL, model TEXT NOT NULL, what TEXT NOT NULL, event BLOB NOT NULL) STRICT;
CREATE INDEX events_by_time ON events (environment, at);
CREATE TABLE witnesses (room INTEGER NOT NULL, number INTEGER NOT NULL, event INTEGER NOT NULL,
    PRIMARY KEY (room, number)) STRICT, WITHOUT ROWID;
CREATE INDEX witnesses_by_event ON witnesses (event, room);
CREATE TABLE entries (number INTEGER PRIMARY KEY AUTOINCREMENT, environment INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE, incident TEXT NOT NULL, recorded INTEGER NOT NULL, room INTEGER NOT NULL,
    resolves INTEGER NOT NULL, entry TEXT NOT NULL) STRICT;
CREATE INDEX entries_by_incident ON entries (incident, number);
CREATE TRIGGER entries_keep BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entries_hold BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
";

/// Makes the tables when the file is new, and looks whether they are ours when it is not.
pub(super) fn ready(connection: &Connection, path: &Path) -> Result<(), Trouble> {
    let whose = MARK.claim(connection, |transaction| transaction.execute_batch(TABLES));
    ours(path, whose.map_err(|error| Trouble::sqlite(path, &error))?)
}

/// Looks whether a file is one of ours, of a shape that this program knows.
pub(super) fn known(connection: &Connection, path: &Path) -> Result<(), Trouble> {
    ours(path, MARK.look(connection).map_err(|error| Trouble::sqlite(path, &error))?)
}

fn ours(path: &Path, whose: Whose) -> Result<(), Trouble> {
    match whose {
        Whose::Ours => Ok(()),
        Whose::Newer(found) => Err(Trouble::at(
            path,
            format!("a newer wardroom wrote it (shape {found}, this one knows {})", MARK.version),
            "use that wardroom, or set history.folder to another folder",
            Hope::Never,
        )),
        Whose::Blank | Whose::Foreign => Err(Trouble::at(
            path,
            "it is no history of wardroom",
            "set history.folder to another folder",
            Hope::Never,
        )),
    }
}
