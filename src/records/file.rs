//! The folder and the file: where, with which permissions, and how SQLite opens it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::error::{LedgerError, sqlite as said_of};
use super::schema;
use crate::sqlite;

/// The file's name in its folder.
pub(super) const NAME: &str = "journal.db";
/// How long a write waits for another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the journal is when the config does not say: `$XDG_STATE_HOME/wardroom`, else `~/.local/state/wardroom`.
///
/// # Errors
/// A process without a home.
pub fn usual_folder() -> Result<PathBuf, LedgerError> {
    folder_of(
        std::env::var_os("XDG_STATE_HOME").map(PathBuf::from),
        std::env::var_os("HOME").map(PathBuf::from),
    )
    .ok_or_else(|| {
        LedgerError::Trouble(
            "there is no place for the journal: neither XDG_STATE_HOME nor HOME is set; set control.folder \
                 in the config"
                .into(),
        )
    })
}

/// The folder of the journal: the configured one, or [`usual_folder`].
///
/// # Errors
/// As [`usual_folder`].
pub fn folder(configured: Option<&Path>) -> Result<PathBuf, LedgerError> {
    configured.map_or_else(usual_folder, |folder| Ok(folder.to_owned()))
}

/// The XDG rules: a path that is not absolute does not count.
fn folder_of(state: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let state = state.filter(|path| path.is_absolute());
    let home = home.filter(|path| path.is_absolute()).map(|home| home.join(".local/state"));
    state.or(home).map(|folder| folder.join("wardroom"))
}

/// Opens the file for writing, and makes folder, file and tables when they are not there.
pub(super) fn writable(folder: &Path) -> Result<(Connection, PathBuf), LedgerError> {
    let path = folder.join(NAME);
    sqlite::make(folder, &path).map_err(|why| {
        LedgerError::at(
            folder,
            format!("the journal cannot be kept there: {why}"),
            "set control.folder to a folder that this user may write",
        )
    })?;
    let said = |error: rusqlite::Error| said_of(&path, &error);
    let connection = sqlite::open(&path, true).map_err(said)?;
    connection.busy_timeout(PATIENCE).map_err(said)?;
    if let Err(mode) = sqlite::share(&connection).map_err(said)? {
        return Err(LedgerError::at(
            &path,
            format!("its file system does not carry a shared journal (mode {mode})"),
            "set control.folder to a local disk",
        ));
    }
    schema::ready(&connection, &path)?;
    Ok((connection, path))
}

/// Opens a file that is there for reading only.
pub(super) fn readable(folder: &Path) -> Result<(Connection, PathBuf), LedgerError> {
    let path = folder.join(NAME);
    if !path.exists() {
        return Err(LedgerError::at(
            &path,
            "there is no journal",
            "give the folder with --folder or control.folder; it is made by the first act",
        ));
    }
    let said = |error: rusqlite::Error| said_of(&path, &error);
    let connection = sqlite::open(&path, false).map_err(said)?;
    connection.busy_timeout(PATIENCE).map_err(said)?;
    schema::known(&connection, &path)?;
    Ok((connection, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_folder_follows_xdg() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(folder_of(path("/s"), path("/h")), path("/s/wardroom"));
        assert_eq!(folder_of(path("relative"), path("/h")), path("/h/.local/state/wardroom"));
        assert_eq!(folder_of(None, path("/h")), path("/h/.local/state/wardroom"));
        assert_eq!(folder_of(path(""), None), None);
    }
}
