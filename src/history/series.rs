//! Reading and writing of kept points.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::Tier;
use super::codec::{pack_moment, unpack, unpack_moment};
use super::names::Names;
use super::observer::Sample;

/// The most points of a chunk.
pub(super) const CHUNK: i64 = 240;

/// Points by series: seconds since 1970 and value, the oldest first.
pub(super) type Points = HashMap<i64, Vec<(i64, f32)>>;

/// Writes the values of a moment; the first room that has them wins.
pub(super) fn write(
    transaction: &Transaction<'_>,
    environment: i64,
    names: &mut Names,
    sample: &Sample,
) -> rusqlite::Result<()> {
    let there = transaction
        .prepare_cached("SELECT 1 FROM moments WHERE slot = ?1 AND environment = ?2")?
        .query_row([sample.slot, environment], |_| Ok(()))
        .optional()?;
    if there.is_some() {
        return Ok(());
    }
    let mut points = Vec::new();
    for (model, values) in &sample.values {
        for (what, value) in values {
            points.push((names.series(transaction, environment, model, what)?, *value));
        }
    }
    points.sort_unstable_by_key(|&(series, _)| series);
    transaction
        .prepare_cached("INSERT OR IGNORE INTO moments (slot, environment, points) VALUES (?1, ?2, ?3)")?
        .execute(params![sample.slot, environment, pack_moment(&points)])?;
    Ok(())
}

/// The length of a tier's chunks, seconds: short enough that the finer tier is still there when they are made.
pub(super) fn window(tiers: &[Tier], tier: usize) -> i64 {
    let step = i64::from(tiers[tier].step_s.max(1));
    let finer = tier.checked_sub(1).map_or(tiers[tier].keep_s, |finer| tiers[finer].keep_s);
    step * (i64::from(finer) / 2 / step).clamp(1, CHUNK)
}

/// Until when a coarser tier was made.
pub(super) fn rolled(connection: &Connection, step: i64) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT until FROM rolled WHERE step = ?1")?
        .query_row([step], |row| row.get(0))
        .optional()
}

/// The oldest point of a tier, seconds since 1970.
pub(super) fn oldest(connection: &Connection, step: i64, is_finest: bool) -> rusqlite::Result<Option<i64>> {
    let chunk: Option<i64> = connection
        .prepare_cached("SELECT min(start) FROM chunks WHERE step = ?1")?
        .query_row([step], |row| row.get(0))?;
    if chunk.is_some() || !is_finest {
        return Ok(chunk);
    }
    connection.prepare_cached("SELECT min(slot) FROM moments")?.query_row([], |row| row.get(0))
}

/// Calls `each` with every point in `[from, to)` whose distance is at most `step_s` as far as such are kept: older ones
/// come from coarser tiers, newer ones, that are not in the coarser yet, from finer ones. Series by series in order of
/// time within a tier; the tiers in order of time.
pub(super) fn read(
    connection: &Connection,
    tiers: &[Tier],
    environment: i64,
    (from, to): (i64, i64),
    step_s: i64,
    each: &mut dyn FnMut(i64, i64, f32),
) -> rusqlite::Result<()> {
    let step = |tier: usize| i64::from(tiers[tier].step_s.max(1));
    let base = (0..tiers.len()).rev().find(|&tier| step(tier) <= step_s).unwrap_or(0);
    let mut parts = Vec::new();
    let mut end = to;
    // Newer than the base reaches: finer tiers; from the newest down.
    for tier in 0..tiers.len() {
        let start = match tier {
            _ if tier >= base => oldest(connection, step(tier), tier == 0)?,
            // A finer tier is only needed for what the next coarser one does not have yet.
            _ => match rolled(connection, step(tier + 1))? {
                Some(until) => Some(until),
                None => oldest(connection, step(tier), tier == 0)?,
            },
        };
        let Some(start) = start.map(|start| start.max(from)).filter(|&start| start < end) else { continue };
        parts.push((tier, start, end));
        end = start;
        if end <= from {
            break;
        }
    }
    for (tier, start, end) in parts.into_iter().rev() {
        chunks(connection, environment, step(tier), (start, end), each)?;
        if tier == 0 {
            moments(connection, environment, (start, end), each)?;
        }
    }
    Ok(())
}

fn chunks(
    connection: &Connection,
    environment: i64,
    step: i64,
    (from, to): (i64, i64),
    each: &mut dyn FnMut(i64, i64, f32),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT start, block FROM chunks WHERE step = ?1 AND start > ?2 AND start < ?3 \
         AND model IN (SELECT id FROM models WHERE environment = ?4) ORDER BY start",
    )?;
    let mut rows = statement.query(params![step, from - CHUNK * step, to, environment])?;
    while let Some(row) = rows.next()? {
        let start: i64 = row.get(0)?;
        let block = row.get_ref(1)?.as_blob()?;
        for (series, values) in unpack(block).ok_or_else(damaged)? {
            let first = ((from - start + step - 1).div_euclid(step)).max(0);
            for (place, value) in values.iter().enumerate().skip(usize::try_from(first).unwrap_or(0)) {
                let at = start + place as i64 * step;
                if at >= to {
                    break;
                }
                if value.is_finite() {
                    each(series, at, *value);
                }
            }
        }
    }
    Ok(())
}

fn moments(
    connection: &Connection,
    environment: i64,
    (from, to): (i64, i64),
    each: &mut dyn FnMut(i64, i64, f32),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT slot, points FROM moments WHERE slot >= ?1 AND slot < ?2 AND environment = ?3 ORDER BY slot",
    )?;
    let mut rows = statement.query([from, to, environment])?;
    while let Some(row) = rows.next()? {
        let slot: i64 = row.get(0)?;
        for (series, value) in unpack_moment(row.get_ref(1)?.as_blob()?).ok_or_else(damaged)? {
            each(series, slot, value);
        }
    }
    Ok(())
}

/// A block that does not read back as what was written.
pub(super) fn damaged() -> rusqlite::Error {
    let what = std::io::Error::new(std::io::ErrorKind::InvalidData, "a block of points does not unpack");
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(what))
}

/// The newest moment that is kept, not after `to`, and within `[from, to]`.
pub(super) fn newest_moment(
    connection: &Connection,
    environment: i64,
    (from, to): (i64, i64),
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT max(slot) FROM moments WHERE slot BETWEEN ?1 AND ?2 AND environment = ?3")?
        .query_row([from, to, environment], |row| row.get(0))
}
