//! The book of ticks: `checklists.db`, an SQLite file (WAL) that several wardrooms share. Rows are added and read,
//! nothing else. Calls block: never call from the UI's task.

use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Row, Transaction, TransactionBehavior, params};

use crate::checklist::Tick;
use crate::domain::Time;

/// The file's name in its folder.
pub const NAME: &str = "checklists.db";
/// How long a write waits for another process.
const PATIENCE: Duration = Duration::from_secs(5);
/// The shape that this program writes.
const VERSION: i64 = 1;
/// `WRck`: marks the file as ours.
const APPLICATION: i64 = 0x5752_636b;
/// Everything that the file holds. The order of rowids is the order in which ticks were written.
const TABLES: &str = "
    CREATE TABLE ticks (id TEXT PRIMARY KEY, environment TEXT NOT NULL, item TEXT NOT NULL, period TEXT NOT NULL,
        at TEXT NOT NULL, by TEXT NOT NULL, evidence TEXT NOT NULL, automatic INTEGER NOT NULL,
        undone INTEGER NOT NULL) STRICT;
    CREATE TRIGGER ticks_keep BEFORE UPDATE ON ticks BEGIN SELECT RAISE(ABORT, 'ticks are append-only'); END;
    CREATE TRIGGER ticks_hold BEFORE DELETE ON ticks BEGIN SELECT RAISE(ABORT, 'ticks are append-only'); END;";

/// Why the book cannot be used: what, where, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TicksError(String);

fn at(path: &Path, what: impl std::fmt::Display, remedy: &str) -> TicksError {
    TicksError(format!("{}: {what}; {remedy}", path.display()))
}

fn said(path: &Path) -> impl Fn(rusqlite::Error) -> TicksError + '_ {
    move |error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => at(
            path,
            "another program keeps it locked",
            "see who has it open (fuser), end that, and try again",
        ),
        Some(ErrorCode::DiskFull) => {
            at(path, "its disk is full, nothing was written", "make room there or set history.folder")
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            at(path, format!("is damaged ({error})"), "move it away, with its -wal and -shm files")
        }
        _ => at(path, error, "check the folder and its permissions, or set history.folder"),
    }
}

/// Writes ticks down, all or none; durable when it returns. One that is there already is not written again.
///
/// # Errors
/// A folder that cannot be written, a file that is damaged, newer, locked for seconds, a full disk.
pub fn append(folder: &Path, ticks: &[Tick]) -> Result<(), TicksError> {
    if ticks.is_empty() {
        return Ok(());
    }
    let (connection, path) = writable(folder)?;
    let said = said(&path);
    let transaction =
        Transaction::new_unchecked(&connection, TransactionBehavior::Immediate).map_err(&said)?;
    for tick in ticks {
        let sql = "INSERT INTO ticks (id, environment, item, period, at, by, evidence, automatic, undone)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING";
        let moment = tick.at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        let row = params![
            tick.id,
            tick.environment,
            tick.item,
            tick.period,
            moment,
            tick.by,
            tick.evidence,
            tick.automatic,
            tick.undone
        ];
        transaction.execute(sql, row).map_err(&said)?;
    }
    transaction.commit().map_err(&said)
}

/// The ticks of an environment since a moment, in the order in which they were written; none when there is no book.
///
/// # Errors
/// A file that cannot be read, or is none of ours.
pub fn read(folder: &Path, environment: &str, since: Time) -> Result<Vec<Tick>, TicksError> {
    let path = folder.join(NAME);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let said = said(&path);
    // Read and write: only so can a log be read that another wardroom left behind.
    let connection = open(&path)?;
    if is_blank(&connection).map_err(&said)? {
        return Ok(Vec::new());
    }
    known(&connection, &path)?;
    let since = since.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    let sql = "SELECT id, environment, item, period, at, by, evidence, automatic, undone FROM ticks
        WHERE environment = ?1 AND at >= ?2 ORDER BY rowid";
    let mut statement = connection.prepare(sql).map_err(&said)?;
    let rows = statement.query_map(params![environment, since], tick).map_err(&said)?;
    rows.collect::<Result<Vec<Tick>, _>>().map_err(&said)
}

fn tick(row: &Row<'_>) -> rusqlite::Result<Tick> {
    let moment: String = row.get(4)?;
    let moment = chrono::DateTime::parse_from_rfc3339(&moment).map_err(|why| {
        rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, Box::new(why))
    })?;
    Ok(Tick {
        id: row.get(0)?,
        environment: row.get(1)?,
        item: row.get(2)?,
        period: row.get(3)?,
        at: moment.to_utc(),
        by: row.get(5)?,
        evidence: row.get(6)?,
        automatic: row.get(7)?,
        undone: row.get(8)?,
    })
}

fn open(path: &Path) -> Result<Connection, TicksError> {
    let said = said(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&said)?;
    connection.busy_timeout(PATIENCE).map_err(&said)?;
    Ok(connection)
}

fn writable(folder: &Path) -> Result<(Connection, PathBuf), TicksError> {
    let path = folder.join(NAME);
    make(folder, &path).map_err(|why| {
        at(
            folder,
            format!("ticks cannot be kept there: {why}"),
            "set history.folder to a folder of this user",
        )
    })?;
    let said = said(&path);
    let connection = open(&path)?;
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(&said)?;
    if mode != "wal" {
        let what = format!("its file system does not carry a shared book (mode {mode})");
        return Err(at(&path, what, "set history.folder to a local disk"));
    }
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;").map_err(&said)?;
    let transaction =
        Transaction::new_unchecked(&connection, TransactionBehavior::Immediate).map_err(&said)?;
    if is_blank(&transaction).map_err(&said)? {
        let marks = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};");
        transaction.execute_batch(TABLES).map_err(&said)?;
        transaction.execute_batch(&marks).map_err(&said)?;
        transaction.commit().map_err(&said)?;
    } else {
        drop(transaction);
        known(&connection, &path)?;
    }
    Ok((connection, path.clone()))
}

/// Whether the file holds nothing yet: another wardroom is about to make it.
fn is_blank(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

/// Looks whether a file is one of ours, of a shape that this program knows.
fn known(connection: &Connection, path: &Path) -> Result<(), TicksError> {
    let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(said(path));
    let (version, application) = (ask("PRAGMA user_version")?, ask("PRAGMA application_id")?);
    if application != APPLICATION {
        return Err(at(path, "it is no book of ticks of wardroom", "set history.folder to another folder"));
    }
    if version > VERSION {
        let what = format!("a newer wardroom wrote it (shape {version}, this one knows {VERSION})");
        return Err(at(path, what, "use that wardroom, or set history.folder to another folder"));
    }
    Ok(())
}

fn make(folder: &Path, path: &Path) -> io::Result<()> {
    if !folder.exists() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    if std::fs::metadata(folder)?.permissions().mode() & 0o002 != 0 {
        return Err(io::Error::other("everybody may write in this folder and could replace the file"));
    }
    // SQLite gives -wal and -shm the permissions of the file.
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => std::fs::File::open(folder)?.sync_all(),
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(id: &str, second: i64) -> Tick {
        Tick {
            id: id.into(),
            environment: "prod".into(),
            item: "service".into(),
            period: "2027-01-15".into(),
            at: Time::from_timestamp(1_800_000_000 + second, 0).unwrap(),
            by: "sre@bastion".into(),
            evidence: "looked".into(),
            automatic: false,
            undone: false,
        }
    }

    #[test]
    fn what_is_written_is_read_in_its_order_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let since = Time::from_timestamp(1_800_000_000, 0).unwrap();
        assert_eq!(read(folder.path(), "prod", since).unwrap(), [], "without a book");
        let other = Tick { environment: "test".into(), ..tick("c", 0) };
        append(folder.path(), &[tick("b", 5), tick("a", 1), tick("b", 5), other, tick("old", -1)]).unwrap();
        append(folder.path(), &[Tick { evidence: "changed".into(), ..tick("a", 1) }]).unwrap();
        assert_eq!(read(folder.path(), "prod", since).unwrap(), [tick("b", 5), tick("a", 1)]);
        let mode = std::fs::metadata(folder.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn nothing_is_changed_or_deleted() {
        let folder = tempfile::tempdir().unwrap();
        append(folder.path(), &[tick("a", 1)]).unwrap();
        let raw = Connection::open(folder.path().join(NAME)).unwrap();
        for sql in ["DELETE FROM ticks", "UPDATE ticks SET by = 'eve'"] {
            assert!(raw.execute(sql, []).unwrap_err().to_string().contains("append-only"), "{sql}");
        }
    }

    #[test]
    fn several_wardrooms_write_at_once_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let folder = folder.path();
                scope.spawn(move || {
                    for n in 0..10 {
                        append(folder, &[tick(&format!("{writer} {n}"), n), tick("the same", 0)]).unwrap();
                    }
                });
            }
        });
        let all = read(folder.path(), "prod", Time::from_timestamp(0, 0).unwrap()).unwrap();
        assert_eq!(all.len(), 41);
    }

    #[test]
    fn a_file_that_is_none_is_told_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        std::fs::write(&path, "a letter ".repeat(999)).unwrap();
        let error = read(folder.path(), "prod", Time::from_timestamp(0, 0).unwrap()).unwrap_err().to_string();
        assert!(error.contains("is damaged") && error.contains("move it away"), "{error}");
        assert!(append(folder.path(), &[tick("a", 1)]).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap().len(), 9 * 999);
        let raw = tempfile::tempdir().unwrap();
        let path = raw.path().join(NAME);
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
        let error = append(raw.path(), &[tick("a", 1)]).unwrap_err().to_string();
        assert!(error.contains("no book of ticks"), "{error}");
    }
}
