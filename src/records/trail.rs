//! The audit trail as a table: its head, appending to it, reading it in order.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::canonical::{BEGINNING, Hash, link};
use super::error::{LedgerError, sqlite};

/// Where the trail ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// How many entries there are.
    pub(super) count: u64,
    /// The hash of the last.
    pub(super) hash: Vec<u8>,
}

/// A row as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) number: i64,
    pub(super) bytes: Vec<u8>,
    pub(super) hash: Vec<u8>,
}

/// The head as it is written down, nothing when its row is not there.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<Option<Head>> {
    connection
        .query_row("SELECT count, hash FROM head WHERE one = 1", [], |row| {
            let count: i64 = row.get(0)?;
            let count =
                u64::try_from(count).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, count))?;
            Ok(Head { count, hash: row.get(1)? })
        })
        .optional()
}

/// The last row.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<Option<Row>> {
    connection
        .query_row("SELECT number, bytes, hash FROM trail ORDER BY number DESC LIMIT 1", [], row)
        .optional()
}

/// Calls for every row in order until it fails.
pub(super) fn each(
    connection: &Connection,
    path: &Path,
    mut with: impl FnMut(Row) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let said = |error: rusqlite::Error| sqlite(path, &error);
    let mut statement =
        connection.prepare("SELECT number, bytes, hash FROM trail ORDER BY number").map_err(said)?;
    let mut rows = statement.query([]).map_err(said)?;
    while let Some(found) = rows.next().map_err(said)? {
        with(row(found).map_err(said)?)?;
    }
    Ok(())
}

/// Whether the table ends where the head says.
pub(super) fn ends_at(head: &Head, last: Option<&Row>) -> bool {
    match last {
        None => head.count == 0 && head.hash == BEGINNING,
        Some(row) => u64::try_from(row.number) == Ok(head.count) && row.hash == head.hash,
    }
}

/// Appends bytes behind a head, inside the caller's transaction; gives the new head.
pub(super) fn append(connection: &Connection, head: &Head, bytes: &[u8]) -> rusqlite::Result<Head> {
    let hash: Hash = link(&head.hash, bytes);
    let count = head.count + 1;
    let number = i64::try_from(count).unwrap_or(i64::MAX);
    connection.prepare_cached("INSERT INTO trail (number, bytes, hash) VALUES (?1, ?2, ?3)")?.execute((
        number,
        bytes,
        hash.as_slice(),
    ))?;
    connection
        .prepare_cached("UPDATE head SET count = ?1, hash = ?2 WHERE one = 1")?
        .execute((number, hash.as_slice()))?;
    Ok(Head { count, hash: hash.to_vec() })
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row { number: row.get(0)?, bytes: row.get(1)?, hash: row.get(2)? })
}
