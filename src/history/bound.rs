//! What is too old goes; what is too much goes too, the oldest and coarsest first, and it is said.

use rusqlite::params;

use super::file::File;
use super::trouble::Trouble;
use super::{Settings, Tier};
use crate::domain::Time;

/// Rows that go at once, so that other rooms do not wait long.
const AT_ONCE: i64 = 2_000;
/// The share of the bound that frames may take.
const FRAMES: u64 = 8;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Drops what need not be kept. Gives in words what had to go that should have been kept.
pub(super) fn keep_within(file: &File, settings: &Settings, now: Time) -> Result<Vec<String>, Trouble> {
    let said = |error: rusqlite::Error| file.said(&error);
    retire(file, &settings.tiers, now)?;
    let mut words = Vec::new();
    let mut dropped: Vec<(String, i64)> = Vec::new();
    if let Some(until) = frames_within(file, settings.max_bytes / FRAMES, now)? {
        dropped.push(("frames of the room".into(), until));
    }
    while used(file)? > settings.max_bytes {
        match drop_some(file, settings)? {
            Some((what, until)) => match dropped.iter_mut().find(|(known, _)| *known == what) {
                Some(known) => known.1 = known.1.max(until),
                None => dropped.push((what, until)),
            },
            None => break,
        }
    }
    for (what, until) in dropped {
        let until = Time::from_timestamp(until, 0).map(|at| at.format("%Y-%m-%d %H:%M").to_string());
        words.push(format!(
            "the history is larger than history.max_mib ({} MiB): {what} before {} UTC were dropped",
            settings.max_bytes >> 20,
            until.unwrap_or_default()
        ));
    }
    let free: i64 = file.connection.query_row("PRAGMA freelist_count", [], |row| row.get(0)).map_err(said)?;
    if free > 256 {
        let mut statement = file.connection.prepare("PRAGMA incremental_vacuum").map_err(said)?;
        let mut rows = statement.query([]).map_err(said)?;
        while rows.next().map_err(said)?.is_some() {}
        drop(rows);
        // The log may hold every page that was moved.
        file.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(said)?;
    }
    Ok(words)
}

/// The bytes that are in use: freed pages are given back soon.
pub(super) fn used(file: &File) -> Result<u64, Trouble> {
    let one = |sql: &str| {
        file.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| file.said(&error))
    };
    let pages = one("PRAGMA page_count")? - one("PRAGMA freelist_count")?;
    Ok(u64::try_from(pages * one("PRAGMA page_size")?).unwrap_or(0))
}

/// What is older than its time.
fn retire(file: &File, tiers: &[Tier], now: Time) -> Result<(), Trouble> {
    let said = |error: rusqlite::Error| file.said(&error);
    let longest = tiers.iter().map(|tier| i64::from(tier.keep_s)).max().unwrap_or(0);
    let transaction = file.begin()?;
    let second = now.timestamp();
    for tier in tiers {
        let before = second - i64::from(tier.keep_s);
        transaction
            .execute(
                "DELETE FROM chunks WHERE step = ?1 AND start + points * step <= ?2 AND start <= ?2",
                [i64::from(tier.step_s), before],
            )
            .map_err(said)?;
    }
    let oldest = second - longest;
    transaction.execute("DELETE FROM chunks WHERE start < ?1 - 240 * step", [oldest]).map_err(said)?;
    transaction.execute("DELETE FROM moments WHERE slot < ?1", [oldest]).map_err(said)?;
    let at = now.timestamp_millis();
    transaction
        .execute(
            "DELETE FROM witnesses WHERE event IN (SELECT id FROM events WHERE at < ?1)",
            [oldest * 1_000],
        )
        .map_err(said)?;
    transaction.execute("DELETE FROM events WHERE at < ?1", [oldest * 1_000]).map_err(said)?;
    // Frames grow sparse: every one for a day, one in ten minutes for two weeks, one an hour then; those of news stay
    // for two weeks. A key stays as long as others lean on it.
    for (age, grid, news) in [(DAY_MS, 600_000, 1), (14 * DAY_MS, 3_600_000, 2)] {
        transaction
            .execute(
                "DELETE FROM frames WHERE id IN (SELECT f.id FROM frames f WHERE f.at < ?1 - ?2 AND f.news < ?4 \
                 AND f.key IS NOT NULL AND EXISTS (SELECT 1 FROM frames o WHERE o.environment = f.environment \
                 AND o.at < f.at AND o.at >= f.at - f.at % ?3) LIMIT ?5)",
                params![at, age, grid, news, AT_ONCE],
            )
            .map_err(said)?;
    }
    drop_frames_before(&transaction, oldest * 1_000).map_err(said)?;
    transaction.commit().map_err(said)
}

/// Frames before a moment; a key stays while others that are younger lean on it.
fn drop_frames_before(transaction: &rusqlite::Transaction<'_>, at: i64) -> rusqlite::Result<usize> {
    let leaning = transaction.execute("DELETE FROM frames WHERE at < ?1 AND key IS NOT NULL", [at])?;
    let keys = transaction.execute(
        "DELETE FROM frames WHERE at < ?1 AND NOT EXISTS (SELECT 1 FROM frames l WHERE l.key = frames.id)",
        [at],
    )?;
    Ok(leaning + keys)
}

/// How frames grow sparse when they take too much: those older than so many milliseconds, as one in so many; keys bear the
/// others, so only what is kept one an hour or less goes down to the keys.
const SPARSE: [(i64, i64); 4] =
    [(HOUR_MS, HOUR_MS / 6), (DAY_MS, HOUR_MS), (7 * DAY_MS, 6 * HOUR_MS), (DAY_MS, 6 * HOUR_MS)];

/// Frames take a share of the bound only: series tell more for their bytes. They grow sparse before the oldest go, for
/// a room that is seldom known is better than one that is forgotten. Gives until when there is nothing now, seconds.
fn frames_within(file: &File, most: u64, now: Time) -> Result<Option<i64>, Trouble> {
    let sum = || -> Result<u64, Trouble> {
        let sql = "SELECT coalesce(sum(length(block)), 0) FROM frames";
        let sum: rusqlite::Result<i64> = file.connection.query_row(sql, [], |row| row.get(0));
        Ok(u64::try_from(sum.map_err(|error| file.said(&error))?).unwrap_or(0))
    };
    for (age, grid) in SPARSE {
        if sum()? <= most {
            return Ok(None);
        }
        grow_sparse(file, now.timestamp_millis() - age, grid)?;
    }
    let mut gone = None;
    while sum()? > most {
        match drop_oldest_frames(file)? {
            Some(until) => gone = Some(until),
            None => break,
        }
    }
    Ok(gone)
}

/// Of the frames before a moment, the first of each part of a grid stays, both in milliseconds.
fn grow_sparse(file: &File, before: i64, grid: i64) -> Result<(), Trouble> {
    let said = |error: rusqlite::Error| file.said(&error);
    let transaction = file.begin()?;
    if grid < HOUR_MS {
        transaction
            .execute(
                "DELETE FROM frames WHERE at < ?1 AND key IS NOT NULL AND EXISTS (SELECT 1 FROM frames o \
                 WHERE o.environment = frames.environment AND o.at < frames.at AND o.at >= frames.at - frames.at % ?2)",
                [before, grid],
            )
            .map_err(said)?;
    } else {
        transaction
            .execute("DELETE FROM frames WHERE at < ?1 AND key IS NOT NULL", [before])
            .map_err(said)?;
        transaction
            .execute(
                "DELETE FROM frames WHERE at < ?1 AND NOT EXISTS (SELECT 1 FROM frames l WHERE l.key = frames.id) \
                 AND EXISTS (SELECT 1 FROM frames o WHERE o.environment = frames.environment AND o.key IS NULL \
                 AND o.at < frames.at AND o.at >= frames.at - frames.at % ?2)",
                [before, grid],
            )
            .map_err(said)?;
    }
    transaction.commit().map_err(said)
}

/// The oldest key frame and all that lean on it, but never the newest; gives until when there is nothing now, seconds.
fn drop_oldest_frames(file: &File) -> Result<Option<i64>, Trouble> {
    let said = |error: rusqlite::Error| file.said(&error);
    let keys: Vec<(i64, i64)> = {
        let mut statement = file
            .connection
            .prepare_cached("SELECT id, at / 1000 FROM frames WHERE key IS NULL ORDER BY at LIMIT 2")
            .map_err(said)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(said)?;
        rows.collect::<Result<_, _>>().map_err(said)?
    };
    let [(oldest, _), (_, until)] = keys.as_slice() else { return Ok(None) };
    let transaction = file.begin()?;
    transaction.execute("DELETE FROM frames WHERE key = ?1 OR id = ?1", [oldest]).map_err(said)?;
    transaction.commit().map_err(said)?;
    Ok(Some(*until))
}

/// Drops the oldest window of the coarsest tier that has any; says what, and until when.
fn drop_some(file: &File, settings: &Settings) -> Result<Option<(String, i64)>, Trouble> {
    let said = |error: rusqlite::Error| file.said(&error);
    for tier in settings.tiers.iter().rev() {
        let step = i64::from(tier.step_s);
        let oldest: Option<i64> = file
            .connection
            .query_row("SELECT min(start) FROM chunks WHERE step = ?1", [step], |row| row.get(0))
            .map_err(said)?;
        let Some(oldest) = oldest else { continue };
        let transaction = file.begin()?;
        let until: i64 = transaction
            .query_row(
                "SELECT max(start + points * step) FROM chunks WHERE step = ?1 AND start = ?2",
                [step, oldest],
                |row| row.get(0),
            )
            .map_err(said)?;
        transaction
            .execute("DELETE FROM chunks WHERE step = ?1 AND start = ?2", [step, oldest])
            .map_err(said)?;
        transaction.commit().map_err(said)?;
        return Ok(Some((format!("points of every {step} s"), until)));
    }
    Ok(drop_oldest_frames(file)?.map(|until| ("frames of the room".into(), until)))
}
