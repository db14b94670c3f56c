//! The book of ticks: `checklists.db`, an SQLite file (WAL) that several wardrooms share. Rows are added and read,
//! nothing else. Calls block: never call from the UI's task.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use crate::checklist::Tick;
use crate::domain::Time;
use crate::sqlite::{self, Ill, Mark, Whose};

/// The file's name in its folder.
pub const NAME: &str = "checklists.db";
/// How long a write waits for another process.
const PATIENCE: Duration = Duration::from_secs(5);
/// `WRck`, and the shape that this program writes.
const MARK: Mark = Mark { application: 0x5752_636b, version: 1 };
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
    move |error| match Ill::of(&error) {
        Ill::Locked => at(
            path,
            "another program keeps it locked",
            "see who has it open (fuser), end that, and try again",
        ),
        Ill::Full => {
            at(path, "its disk is full, nothing was written", "make room there or set history.folder")
        }
        Ill::Damaged(said) => {
            at(path, format!("is damaged ({said})"), "move it away, with its -wal and -shm files")
        }
        Ill::Denied(said) | Ill::Disk(said) | Ill::Other(said) => {
            at(path, said, "check the folder and its permissions, or set history.folder")
        }
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
    let whose = MARK.look(&connection).map_err(&said)?;
    known(&path, whose)?;
    if whose == Whose::Blank {
        return Ok(Vec::new());
    }
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
    let connection = sqlite::open(path, true).map_err(&said)?;
    connection.busy_timeout(PATIENCE).map_err(&said)?;
    Ok(connection)
}

fn writable(folder: &Path) -> Result<(Connection, PathBuf), TicksError> {
    let path = folder.join(NAME);
    sqlite::make(folder, &path).map_err(|why| {
        at(
            folder,
            format!("ticks cannot be kept there: {why}"),
            "set history.folder to a folder of this user",
        )
    })?;
    let said = said(&path);
    let connection = open(&path)?;
    if let Err(mode) = sqlite::share(&connection).map_err(&said)? {
        let what = format!("its file system does not carry a shared book (mode {mode})");
        return Err(at(&path, what, "set history.folder to a local disk"));
    }
    let whose = MARK.claim(&connection, |transaction| transaction.execute_batch(TABLES));
    known(&path, whose.map_err(&said)?)?;
    Ok((connection, path.clone()))
}

/// Looks whether a file is one of ours, of a shape that this program knows.
fn known(path: &Path, whose: Whose) -> Result<(), TicksError> {
    match whose {
        Whose::Ours | Whose::Blank => Ok(()),
        Whose::Foreign => {
            Err(at(path, "it is no book of ticks of wardroom", "set history.folder to another folder"))
        }
        Whose::Newer(version) => {
            let what =
                format!("a newer wardroom wrote it (shape {version}, this one knows {})", MARK.version);
            Err(at(path, what, "use that wardroom, or set history.folder to another folder"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

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
