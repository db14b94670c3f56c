//! Writing of kept points, and how far they reach.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::Tier;
use super::codec::pack_moment;
use super::names::Names;
use super::observer::Sample;

/// The most points of a chunk.
pub(super) const CHUNK: i64 = 240;

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

/// A block that does not read back as what was written.
pub(super) fn damaged() -> rusqlite::Error {
    let what = std::io::Error::new(std::io::ErrorKind::InvalidData, "a block of points does not unpack");
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(what))
}

/// The newest moment that is kept: until it is packed as it was written, then the end of the newest chunk.
pub(super) fn newest_moment(
    connection: &Connection,
    environment: i64,
    finest: i64,
) -> rusqlite::Result<Option<i64>> {
    let written: Option<i64> = connection
        .prepare_cached("SELECT max(slot) FROM moments WHERE environment = ?1")?
        .query_row([environment], |row| row.get(0))?;
    if written.is_some() {
        return Ok(written);
    }
    connection
        .prepare_cached(
            "SELECT max(start + (points - 1) * step) FROM chunks WHERE step = ?1 AND start = (SELECT max(start) \
             FROM chunks WHERE step = ?1 AND model IN (SELECT id FROM models WHERE environment = ?2))",
        )?
        .query_row([finest, environment], |row| row.get(0))
}
