//! Lines of the timeline and entries of incidents. What two rooms saw at the same time is one line.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::trouble::Trouble;
use crate::domain::incident::{Entry, Matter, Milestone};
use crate::domain::{Event, Time};

/// Two rooms poll at different moments: lines that say the same within this time are one, milliseconds.
const PAIR_MS: i64 = 90_000;

/// Writes lines of the timeline. `number` counts the lines of this room, so that one written twice is one. A line that
/// another room wrote, and this one has not seen yet, is only noted as seen.
pub(super) fn write_events(
    transaction: &Transaction<'_>,
    environment: i64,
    room: i64,
    events: &[(i64, Event)],
) -> rusqlite::Result<()> {
    let mut known = transaction.prepare_cached("SELECT 1 FROM witnesses WHERE room = ?1 AND number = ?2")?;
    let mut same = transaction.prepare_cached(
        "SELECT id FROM events WHERE environment = ?1 AND at BETWEEN ?2 - ?7 AND ?2 + ?7 AND kind = ?3 \
         AND model = ?4 AND what = ?5 \
         AND NOT EXISTS (SELECT 1 FROM witnesses w WHERE w.event = events.id AND w.room = ?6) \
         ORDER BY abs(at - ?2), id LIMIT 1",
    )?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO events (environment, at, kind, model, what, event) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut witness =
        transaction.prepare_cached("INSERT INTO witnesses (room, number, event) VALUES (?1, ?2, ?3)")?;
    for (number, event) in events {
        if known.query_row([room, *number], |_| Ok(())).optional()?.is_some() {
            continue;
        }
        let at = event.at.timestamp_millis();
        let kind = event.kind.word();
        let model = event.model.as_ref().map(model_text).unwrap_or_default();
        let found: Option<i64> = same
            .query_row(params![environment, at, kind, model, event.what, room, PAIR_MS], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => {
                let Ok(bytes) = rmp_serde::to_vec_named(event) else { continue };
                insert.execute(params![environment, at, kind, model, event.what, bytes])?;
                transaction.last_insert_rowid()
            }
        };
        witness.execute([room, *number, id])?;
    }
    Ok(())
}

/// The newest lines in `[from, to]`, at most `limit`, the oldest first.
pub(super) fn events(
    connection: &Connection,
    environment: i64,
    from: Time,
    to: Time,
    limit: usize,
) -> rusqlite::Result<Vec<Event>> {
    let mut statement = connection.prepare_cached(
        "SELECT event FROM events WHERE environment = ?1 AND at BETWEEN ?2 AND ?3 ORDER BY at DESC, id DESC \
         LIMIT ?4",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let key = params![environment, from.timestamp_millis(), to.timestamp_millis(), limit];
    let rows = statement.query_map(key, |row| row.get::<_, Vec<u8>>(0))?;
    let mut events = Vec::new();
    for bytes in rows {
        // A line of a newer wardroom that this one cannot read is left out.
        events.extend(rmp_serde::from_slice::<Event>(&bytes?).ok());
    }
    events.reverse();
    Ok(events)
}

/// Writes entries, and gives them as they stand: one that is there already stays as it was, and the time of recording
/// grows with every entry of the file.
pub(super) fn write_entries(
    transaction: &Transaction<'_>,
    environment: i64,
    room: i64,
    entries: &[Entry],
    path: &Path,
) -> Result<Vec<Entry>, Trouble> {
    let said = |error: rusqlite::Error| Trouble::sqlite(path, &error);
    let mut newest: i64 = transaction
        .query_row("SELECT coalesce(max(recorded), 0) FROM entries", [], |row| row.get(0))
        .map_err(said)?;
    let mut written = Vec::new();
    for entry in entries {
        let there: Option<String> = transaction
            .query_row("SELECT entry FROM entries WHERE id = ?1", [&entry.id.0], |row| row.get(0))
            .optional()
            .map_err(said)?;
        if let Some(there) = there {
            written.extend(serde_json::from_str::<Entry>(&there).ok());
            continue;
        }
        let mut entry = entry.clone();
        if entry.recorded.timestamp_millis() <= newest {
            entry.recorded = Time::from_timestamp_millis(newest + 1).unwrap_or(entry.recorded);
        }
        newest = newest.max(entry.recorded.timestamp_millis());
        let Ok(text) = serde_json::to_string(&entry) else { continue };
        let key = params![environment, entry.id.0, entry.incident.0, newest, room, resolves(&entry), text];
        transaction
            .execute(
                "INSERT INTO entries (environment, id, incident, recorded, room, resolves, entry) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                key,
            )
            .map_err(said)?;
        written.push(entry);
    }
    Ok(written)
}

fn resolves(entry: &Entry) -> bool {
    matches!(&entry.matter, Matter::Milestone { milestone: Milestone::Resolved, .. })
}

/// Entries behind a number that other rooms wrote, and the number of the last one.
pub(super) fn entries_since(
    connection: &Connection,
    environment: i64,
    room: i64,
    number: i64,
) -> rusqlite::Result<(i64, Vec<Entry>)> {
    let mut statement = connection.prepare_cached(
        "SELECT number, room, entry FROM entries WHERE environment = ?1 AND number > ?2 ORDER BY number",
    )?;
    let mut rows = statement.query([environment, number])?;
    let (mut last, mut found) = (number, Vec::new());
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        if row.get::<_, i64>(1)? != room {
            found.extend(serde_json::from_str::<Entry>(&row.get::<_, String>(2)?).ok());
        }
    }
    Ok((last, found))
}

/// Every entry of an environment's incidents; with `open`, only of those that are not resolved. With the number of the
/// last entry of all.
pub(super) fn entries(
    connection: &Connection,
    environment: i64,
    open: bool,
) -> rusqlite::Result<(i64, Vec<Entry>)> {
    let mut statement = connection.prepare_cached(
        "SELECT number, entry FROM entries WHERE environment = ?1 AND (NOT ?2 OR incident NOT IN \
         (SELECT incident FROM entries WHERE resolves)) ORDER BY number",
    )?;
    let mut found = Vec::new();
    let mut rows = statement.query(params![environment, open])?;
    while let Some(row) = rows.next()? {
        found.extend(serde_json::from_str::<Entry>(&row.get::<_, String>(1)?).ok());
    }
    let last = connection.query_row("SELECT coalesce(max(number), 0) FROM entries", [], |row| row.get(0))?;
    Ok((last, found))
}

/// A model's full name in a column.
fn model_text(model: &crate::domain::ModelId) -> String {
    [&model.environment, &model.cluster, &model.namespace, &model.name].map(|part| &**part).join("/")
}
