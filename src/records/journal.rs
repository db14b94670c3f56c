//! The journal as a table: one row a point, with the act whole and the process that drives it.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row};

use super::JournalRow;
use super::crypt::{Keys, unseal};
use super::error::{LedgerError, damaged, sqlite};
use super::process::Process;
use super::trail::Head;
use crate::domain::Time;
use crate::domain::act::{Act, ActId};

/// The columns in the order of [`kept`].
const COLUMNS: &str = "number, at, point, process, started, boot, open, act";

/// A row as it is kept.
#[derive(Debug)]
pub(super) struct Kept {
    number: u64,
    at: Time,
    point: String,
    /// The process that drives the act.
    pub(super) process: Process,
    /// Whether the act was open.
    pub(super) open: bool,
    act: Vec<u8>,
}

impl Kept {
    /// The act in it.
    pub(super) fn act(self, keys: Option<&Keys>, path: &Path) -> Result<Act, LedgerError> {
        let number = self.number;
        let plain = unseal(keys, path, self.act)?;
        serde_json::from_slice(&plain).map_err(|why| damaged(path, &format!("journal row {number}: {why}")))
    }

    /// The whole row.
    pub(super) fn read(self, keys: Option<&Keys>, path: &Path) -> Result<JournalRow, LedgerError> {
        let (number, at, point, process) = (self.number, self.at, self.point.clone(), self.process.number);
        Ok(JournalRow { number, at, point, process, act: self.act(keys, path)? })
    }
}

/// What is written at a point.
pub(super) struct New<'a> {
    pub(super) at: Time,
    pub(super) point: &'a str,
    pub(super) act: &'a Act,
    /// The act's JSON, encrypted where that is configured.
    pub(super) bytes: &'a [u8],
    pub(super) process: &'a Process,
    /// Where the trail ends.
    pub(super) head: &'a Head,
}

/// Writes a row.
pub(super) fn insert(connection: &Connection, new: &New<'_>) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO journal (at, point, act_id, process, started, boot, open, act, trail_count, trail_hash) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute((
            time_text(new.at),
            new.point,
            &new.act.plan.id.0,
            new.process.number,
            i64::try_from(new.process.started).unwrap_or(i64::MAX),
            &new.process.boot,
            new.act.is_open(),
            new.bytes,
            i64::try_from(new.head.count).unwrap_or(i64::MAX),
            &new.head.hash,
        ))
        .map(|_| ())
}

/// The last row of an act.
pub(super) fn last(connection: &Connection, path: &Path, act: &ActId) -> Result<Option<Kept>, LedgerError> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM journal WHERE act_id = ?1 ORDER BY number DESC LIMIT 1"
        ))
        .and_then(|mut statement| statement.query_row([&act.0], kept).optional())
        .map_err(|error| sqlite(path, &error))
}

/// Every row of an act, the oldest first.
pub(super) fn of_act(connection: &Connection, path: &Path, act: &ActId) -> Result<Vec<Kept>, LedgerError> {
    let query = format!("SELECT {COLUMNS} FROM journal WHERE act_id = ?1 ORDER BY number");
    all(connection, path, &query, [&act.0])
}

/// The last row of each act, the newest first.
pub(super) fn lasts(
    connection: &Connection,
    path: &Path,
    only_open: bool,
    limit: usize,
) -> Result<Vec<Kept>, LedgerError> {
    let open = if only_open { "WHERE open = 1" } else { "" };
    let query = format!(
        "SELECT {COLUMNS} FROM journal JOIN (SELECT max(number) AS last FROM journal GROUP BY act_id) \
         ON number = last {open} ORDER BY number DESC LIMIT ?1"
    );
    all(connection, path, &query, [i64::try_from(limit).unwrap_or(i64::MAX)])
}

fn all(
    connection: &Connection,
    path: &Path,
    query: &str,
    with: impl rusqlite::Params,
) -> Result<Vec<Kept>, LedgerError> {
    connection
        .prepare_cached(query)
        .and_then(|mut statement| statement.query_map(with, kept)?.collect())
        .map_err(|error| sqlite(path, &error))
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let at: String = row.get(1)?;
    let at = chrono::DateTime::parse_from_rfc3339(&at).map_err(|why| {
        rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(why))
    })?;
    Ok(Kept {
        number: unsigned(row, 0)?,
        at: at.to_utc(),
        point: row.get(2)?,
        process: Process { number: row.get(3)?, started: unsigned(row, 4)?, boot: row.get(5)? },
        open: row.get(6)?,
        act: row.get(7)?,
    })
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// A moment as the file keeps it.
fn time_text(at: Time) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}
