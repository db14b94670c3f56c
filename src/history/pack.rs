//! Packs moments into chunks, and makes the coarser tiers of the finer ones. Each window in one transaction, so that a
//! room that is killed, or two that do it at once, lose and double nothing.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{OptionalExtension, Transaction, params};

use super::Tier;
use super::codec::{Column, pack as pack_columns, unpack, unpack_moment};
use super::file::File;
use super::series::{CHUNK, damaged, rolled, window};
use super::trouble::Trouble;

/// How long a late moment is waited for, seconds.
const GRACE_S: i64 = 60;

/// Packs every window that is complete.
pub(super) fn pack(file: &File, tiers: &[Tier], now: i64) -> Result<(), Trouble> {
    let said = |error: rusqlite::Error| file.said(&error);
    for tier in 0..tiers.len() {
        loop {
            // Nothing is locked only to find that there is nothing to do.
            if !is_due(&file.connection, tiers, tier, now).map_err(said)? {
                break;
            }
            let transaction = file.begin()?;
            let has_packed = match tier {
                0 => pack_moments(&transaction, tiers, now).map_err(said)?,
                _ => roll(&transaction, tiers, tier, now).map_err(said)?,
            };
            transaction.commit().map_err(said)?;
            if !has_packed {
                break;
            }
        }
    }
    Ok(())
}

fn is_due(
    connection: &rusqlite::Connection,
    tiers: &[Tier],
    tier: usize,
    now: i64,
) -> rusqlite::Result<bool> {
    match tier {
        0 => Ok(due_moments(connection, tiers, now)?.is_some()),
        _ => Ok(due_roll(connection, tiers, tier, now)?.is_some()),
    }
}

/// The window of the oldest moments, when it is complete.
fn due_moments(
    connection: &rusqlite::Connection,
    tiers: &[Tier],
    now: i64,
) -> rusqlite::Result<Option<(i64, i64)>> {
    let length = window(tiers, 0);
    let oldest: Option<i64> =
        connection.prepare_cached("SELECT min(slot) FROM moments")?.query_row([], |row| row.get(0))?;
    let start = oldest.map(|oldest| oldest.div_euclid(length) * length);
    Ok(start.map(|start| (start, start + length)).filter(|(_, end)| end + GRACE_S <= now))
}

fn pack_moments(transaction: &Transaction<'_>, tiers: &[Tier], now: i64) -> rusqlite::Result<bool> {
    let Some((start, end)) = due_moments(transaction, tiers, now)? else { return Ok(false) };
    let step = i64::from(tiers[0].step_s.max(1));
    let count = usize::try_from((end - start) / step).unwrap_or(0);
    let mut columns: HashMap<i64, Vec<f32>> = HashMap::new();
    {
        let mut statement =
            transaction.prepare_cached("SELECT slot, points FROM moments WHERE slot >= ?1 AND slot < ?2")?;
        let mut rows = statement.query([start, end])?;
        while let Some(row) = rows.next()? {
            let place = usize::try_from((row.get::<_, i64>(0)? - start) / step).unwrap_or(0);
            for (series, value) in unpack_moment(row.get_ref(1)?.as_blob()?).ok_or_else(damaged)? {
                let column = columns.entry(series).or_insert_with(|| vec![f32::NAN; count]);
                if let Some(cell) = column.get_mut(place) {
                    *cell = value;
                }
            }
        }
    }
    insert(transaction, step, start, columns)?;
    transaction.execute("DELETE FROM moments WHERE slot >= ?1 AND slot < ?2", [start, end])?;
    Ok(true)
}

/// The next window of a coarser tier, when the finer tier has it whole.
fn due_roll(
    connection: &rusqlite::Connection,
    tiers: &[Tier],
    tier: usize,
    now: i64,
) -> rusqlite::Result<Option<(i64, i64)>> {
    let step = |tier: usize| i64::from(tiers[tier].step_s.max(1));
    let length = window(tiers, tier);
    let finer = step(tier - 1);
    let done = rolled(connection, step(tier))?.unwrap_or(0);
    let first: Option<i64> = connection
        .prepare_cached(
            "SELECT min(start) FROM chunks WHERE step = ?1 AND start + points * step > ?2 AND start > ?3",
        )?
        .query_row([finer, done, done - CHUNK * finer], |row| row.get(0))?;
    let Some(first) = first else { return Ok(None) };
    let start = (first.div_euclid(length) * length).max(done);
    let whole = match tier {
        1 => {
            let oldest: Option<i64> =
                connection.query_row("SELECT min(slot) FROM moments", [], |row| row.get(0))?;
            let packed = (now - GRACE_S).div_euclid(window(tiers, 0)) * window(tiers, 0);
            oldest.unwrap_or(packed).min(packed)
        }
        _ => rolled(connection, finer)?.unwrap_or(0),
    };
    Ok((start + length <= whole).then_some((start, start + length)))
}

fn roll(transaction: &Transaction<'_>, tiers: &[Tier], tier: usize, now: i64) -> rusqlite::Result<bool> {
    let Some((start, end)) = due_roll(transaction, tiers, tier, now)? else { return Ok(false) };
    let step = i64::from(tiers[tier].step_s.max(1));
    let finer = i64::from(tiers[tier - 1].step_s.max(1));
    let count = usize::try_from((end - start) / step).unwrap_or(0);
    let mut sums: HashMap<i64, Vec<(f64, u32)>> = HashMap::new();
    {
        let mut statement = transaction.prepare_cached(
            "SELECT start, block FROM chunks WHERE step = ?1 AND start > ?2 AND start < ?3",
        )?;
        let mut rows = statement.query([finer, start - CHUNK * finer, end])?;
        while let Some(row) = rows.next()? {
            let begins: i64 = row.get(0)?;
            for (series, values) in unpack(row.get_ref(1)?.as_blob()?).ok_or_else(damaged)? {
                let sums = sums.entry(series).or_insert_with(|| vec![(0.0, 0); count]);
                for (place, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
                    let at = begins + place as i64 * finer - start;
                    let cell =
                        usize::try_from(at.div_euclid(step)).ok().and_then(|place| sums.get_mut(place));
                    if let Some(cell) = cell {
                        *cell = (cell.0 + f64::from(*value), cell.1 + 1);
                    }
                }
            }
        }
    }
    let mean = |(sum, n): (f64, u32)| if n == 0 { f32::NAN } else { (sum / f64::from(n)) as f32 };
    let columns = sums
        .into_iter()
        .filter(|(_, sums)| sums.iter().any(|&(_, n)| n > 0))
        .map(|(series, sums)| (series, sums.into_iter().map(mean).collect()))
        .collect();
    insert(transaction, step, start, columns)?;
    transaction.execute("INSERT OR REPLACE INTO rolled (step, until) VALUES (?1, ?2)", [step, end])?;
    Ok(true)
}

/// Writes the series of a window, a chunk a model. What is there already stays where the new has a gap.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    step: i64,
    start: i64,
    columns: HashMap<i64, Vec<f32>>,
) -> rusqlite::Result<()> {
    let mut owners: HashMap<i64, i64> = HashMap::new();
    {
        let mut statement = transaction.prepare_cached("SELECT id, model FROM series")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            owners.insert(row.get(0)?, row.get(1)?);
        }
    }
    let mut by_model: BTreeMap<i64, Vec<Column>> = BTreeMap::new();
    for (series, values) in columns {
        if let Some(owner) = owners.get(&series) {
            by_model.entry(*owner).or_default().push((series, values));
        }
    }
    let mut there = transaction
        .prepare_cached("SELECT block FROM chunks WHERE step = ?1 AND start = ?2 AND model = ?3")?;
    let mut put = transaction.prepare_cached(
        "INSERT OR REPLACE INTO chunks (step, start, model, points, width, block) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (model, mut columns) in by_model {
        let old: Option<Vec<u8>> = there.query_row([step, start, model], |row| row.get(0)).optional()?;
        if let Some(old) = old {
            merge(&mut columns, unpack(&old).ok_or_else(damaged)?);
        }
        columns.sort_unstable_by_key(|&(series, _)| series);
        let points = columns.first().map_or(0, |(_, values)| values.len() as i64);
        put.execute(params![step, start, model, points, columns.len() as i64, pack_columns(&columns)])?;
    }
    Ok(())
}

fn merge(columns: &mut Vec<Column>, old: Vec<Column>) {
    let longest = columns.iter().chain(&old).map(|(_, values)| values.len()).max().unwrap_or(0);
    for (series, values) in old {
        match columns.iter_mut().find(|(known, _)| *known == series) {
            Some((_, new)) => {
                new.resize(longest, f32::NAN);
                for (new, old) in new.iter_mut().zip(values) {
                    // The first room that had a moment wins.
                    if old.is_finite() {
                        *new = old;
                    }
                }
            }
            None => columns.push((series, values)),
        }
    }
    columns.iter_mut().for_each(|(_, values)| values.resize(longest, f32::NAN));
}
