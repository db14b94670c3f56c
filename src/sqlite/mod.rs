//! SQLite files that several wardrooms on one machine share: made with the right permissions, marked as ours, never
//! guessed at. What an error means to an operator is said by whoever owns the file.

use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

/// How long one waits for another that makes the same file.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts.
const SOON: Duration = Duration::from_millis(5);

/// What marks a file as ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// `PRAGMA application_id`: four letters.
    pub application: i64,
    /// `PRAGMA user_version`: the shape that this program writes.
    pub version: i64,
}

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Nobody's: it holds nothing yet, another wardroom may be about to make it.
    Blank,
    /// Ours, of the shape that this program knows.
    Ours,
    /// A newer wardroom's, of this shape.
    Newer(i64),
    /// Somebody else's.
    Foreign,
}

impl Mark {
    /// Whose a file is.
    ///
    /// # Errors
    /// What SQLite says: locked, damaged, not a database.
    pub fn look(self, connection: &Connection) -> rusqlite::Result<Whose> {
        // One snapshot for all questions: another process may be just about to claim the file.
        connection.execute_batch("SAVEPOINT look")?;
        let whose = self.look_within(connection);
        let released = connection.execute_batch("RELEASE look");
        whose.and_then(|whose| released.map(|()| whose))
    }

    fn look_within(self, connection: &Connection) -> rusqlite::Result<Whose> {
        let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let (version, application) = (ask("PRAGMA user_version")?, ask("PRAGMA application_id")?);
        Ok(match version {
            version if version > self.version => Whose::Newer(version),
            version if version == self.version && application == self.application => Whose::Ours,
            0 if ask("SELECT count(*) FROM sqlite_schema")? == 0 => Whose::Blank,
            _ => Whose::Foreign,
        })
    }

    /// Fills a file that holds nothing, in one transaction, whoever else tries the same; says whose it is then.
    ///
    /// # Errors
    /// As [`Self::look`].
    pub fn claim(
        self,
        connection: &Connection,
        fill: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<Whose> {
        let whose = self.look(connection)?;
        if whose != Whose::Blank {
            return Ok(whose);
        }
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        // Another process may have made the tables while this one waited.
        let whose = self.look(&transaction)?;
        if whose != Whose::Blank {
            return Ok(whose);
        }
        fill(&transaction)?;
        let Self { application, version } = self;
        transaction.execute_batch(&format!(
            "PRAGMA application_id = {application}; PRAGMA user_version = {version};"
        ))?;
        transaction.commit()?;
        Ok(Whose::Ours)
    }
}

/// Makes folder (0700) and file (0600) when they are not there, and takes the file's permissions from others.
///
/// # Errors
/// A folder that cannot be made or written, or in which everybody may write.
pub fn make(folder: &Path, path: &Path) -> io::Result<()> {
    if !folder.exists() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mode = std::fs::metadata(folder)?.permissions().mode();
    if mode & 0o002 != 0 {
        return Err(io::Error::other("everybody may write in this folder and could replace the file"));
    }
    // SQLite gives -wal and -shm the permissions of the file; so they are right before it opens it.
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => {
            file.sync_all()?;
            std::fs::File::open(folder)?.sync_all()
        }
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {
            let mode = std::fs::metadata(path)?.permissions().mode();
            if mode & 0o077 != 0 {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
            }
            Ok(())
        }
        Err(why) => Err(why),
    }
}

/// Opens a file that is there.
///
/// # Errors
/// What SQLite says.
pub fn open(path: &Path, may_write: bool) -> rusqlite::Result<Connection> {
    let how = if may_write { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    Connection::open_with_flags(path, how | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Lets several processes share the file, and makes every write durable before it returns; the mode when the file
/// system cannot carry that.
///
/// # Errors
/// What SQLite says.
pub fn share(connection: &Connection) -> rusqlite::Result<Result<(), String>> {
    let begun = Instant::now();
    // Two that make a new file at once stand in each other's way; SQLite says so at once instead of waiting.
    let mode: String = loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && begun.elapsed() < PATIENCE =>
            {
                std::thread::sleep(SOON);
            }
            answer => break answer?,
        }
    };
    if mode != "wal" {
        return Ok(Err(mode));
    }
    // FULL: the log is on the disk before a write returns. fullfsync says the same to macOS.
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;")?;
    Ok(Ok(()))
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ill {
    /// Another program keeps it locked.
    Locked,
    /// Its disk is full.
    Full,
    /// It is damaged, or holds what it should not; what SQLite says.
    Damaged(String),
    /// It cannot be opened or written; what SQLite says.
    Denied(String),
    /// The disk failed; what SQLite says.
    Disk(String),
    /// Anything else; what SQLite says.
    Other(String),
}

impl Ill {
    /// The kind of an error.
    pub fn of(error: &rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        let said = match error {
            // The message alone: the rest repeats the statement.
            E::SqliteFailure(code, message) => message.clone().unwrap_or_else(|| code.to_string()),
            other => other.to_string(),
        };
        let is_content = matches!(
            error,
            E::FromSqlConversionFailure(..) | E::IntegralValueOutOfRange(..) | E::InvalidColumnType(..)
        );
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(said),
            None if is_content => Self::Damaged(said),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::Denied(said)
            }
            Some(ErrorCode::SystemIoFailure) => Self::Disk(said),
            _ => Self::Other(said),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: Mark = Mark { application: 0x5752_7465, version: 2 };

    #[test]
    fn a_file_is_blank_then_ours_and_a_newer_or_foreign_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.db");
        make(folder.path(), &path).unwrap();
        let connection = open(&path, true).unwrap();
        assert_eq!(share(&connection).unwrap(), Ok(()));
        assert_eq!(MARK.look(&connection).unwrap(), Whose::Blank);
        let fill = |transaction: &Transaction<'_>| transaction.execute_batch("CREATE TABLE t (n INTEGER)");
        assert_eq!(MARK.claim(&connection, fill).unwrap(), Whose::Ours);
        // A second time nothing is made: the table would be there already.
        assert_eq!(MARK.claim(&connection, fill).unwrap(), Whose::Ours);
        let older = Mark { version: 1, ..MARK };
        assert_eq!(older.claim(&connection, fill).unwrap(), Whose::Newer(2));
        let other = Mark { application: 1, ..MARK };
        assert_eq!(other.claim(&connection, fill).unwrap(), Whose::Foreign);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    /// Whoever looks while another claims the file sees it before or after, never half.
    #[test]
    fn a_file_that_is_being_claimed_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..200 {
            let path = folder.path().join(format!("{round}.db"));
            make(folder.path(), &path).unwrap();
            let ready = || {
                let connection = open(&path, true).unwrap();
                connection.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
                connection
            };
            assert_eq!(share(&ready()).unwrap(), Ok(()));
            let together = std::sync::Barrier::new(2);
            std::thread::scope(|scope| {
                let looker = scope.spawn(|| {
                    let connection = ready();
                    together.wait();
                    loop {
                        match MARK.look(&connection).unwrap() {
                            Whose::Blank => {}
                            seen => break seen,
                        }
                    }
                });
                let connection = ready();
                together.wait();
                let tables = "CREATE TABLE t (n INTEGER); CREATE TABLE u (n INTEGER);";
                assert_eq!(MARK.claim(&connection, |new| new.execute_batch(tables)).unwrap(), Whose::Ours);
                assert_eq!(looker.join().unwrap(), Whose::Ours, "round {round}");
            });
        }
    }

    /// First starts at the same moment make one file together.
    #[test]
    fn several_make_a_file_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..60 {
            let path = folder.path().join(format!("{round}.db"));
            let together = std::sync::Barrier::new(4);
            let start = || {
                together.wait();
                make(folder.path(), &path).unwrap();
                let connection = open(&path, true).unwrap();
                connection.busy_timeout(Duration::from_secs(30)).unwrap();
                assert_eq!(share(&connection).unwrap(), Ok(()), "round {round}");
                let fill = |new: &Transaction<'_>| new.execute_batch("CREATE TABLE t (n INTEGER)");
                assert_eq!(MARK.claim(&connection, fill).unwrap(), Whose::Ours, "round {round}");
            };
            std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(start))));
        }
    }

    #[test]
    fn errors_have_kinds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.db");
        std::fs::write(&path, "this is no database at all, but a text of some length").unwrap();
        let error = MARK.look(&open(&path, true).unwrap()).unwrap_err();
        assert!(matches!(Ill::of(&error), Ill::Damaged(_)), "{error}");
        let missing = open(&folder.path().join("missing.db"), true).unwrap_err();
        assert!(matches!(Ill::of(&missing), Ill::Denied(_)), "{missing}");
    }

    #[test]
    fn a_folder_where_everybody_may_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let why = make(folder.path(), &folder.path().join("some.db")).unwrap_err();
        assert!(why.to_string().contains("everybody"), "{why}");
    }
}
