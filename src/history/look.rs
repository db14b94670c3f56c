//! What a history holds, for `wardroom history`, and its entries for those who export them.

use std::path::PathBuf;

use super::file::{File, NAME};
use super::trouble::Hope;
use super::{Settings, bound, events};
use crate::domain::Time;
use crate::domain::incident::Entry;

/// What one resolution holds.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundTier {
    /// The distance of two points, seconds.
    pub step_s: i64,
    /// Points, gaps among them counted too.
    pub points: i64,
    /// The oldest.
    pub oldest: Option<Time>,
    /// The newest.
    pub newest: Option<Time>,
}

/// What a history holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// Its size with its log, bytes.
    pub bytes: u64,
    /// Bytes of it that are in use.
    pub used: u64,
    /// The environments it knows.
    pub environments: Vec<String>,
    /// Its resolutions, the finest first.
    pub tiers: Vec<FoundTier>,
    /// Frames of whole rooms.
    pub frames: i64,
    /// Lines of the timeline.
    pub events: i64,
    /// Entries of incidents.
    pub entries: i64,
    /// What the integrity check said, when it was asked for: empty when all is well.
    pub damage: Option<Vec<String>>,
}

/// Why there is nothing to be told of a history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// The file is damaged, in words.
    #[error("{0}")]
    Damaged(String),
    /// The file is not there, cannot be read or is not ours, in words.
    #[error("{0}")]
    Unreadable(String),
}

impl From<super::trouble::Trouble> for LookError {
    fn from(trouble: super::trouble::Trouble) -> Self {
        if trouble.hope == Hope::Never && trouble.words.contains("is damaged") {
            Self::Damaged(trouble.words)
        } else {
            Self::Unreadable(trouble.words)
        }
    }
}

/// Looks at a history; with `check`, at every page of it.
///
/// # Errors
/// A file that is not there, cannot be read, or is damaged.
pub fn look(settings: &Settings, check: bool) -> Result<Found, LookError> {
    let file = File::readable(&settings.folder)?;
    let said = |error: rusqlite::Error| LookError::from(file.said(&error));
    let one = |sql: &str| -> Result<i64, LookError> {
        file.connection.query_row(sql, [], |row| row.get(0)).map_err(said)
    };
    let words = |sql: &str| -> Result<Vec<String>, LookError> {
        let mut statement = file.connection.prepare(sql).map_err(said)?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(said)?;
        rows.collect::<Result<_, _>>().map_err(said)
    };
    let mut tiers = Vec::new();
    {
        let mut statement = file
            .connection
            .prepare(
                "SELECT step, count(*), min(start), max(start + (points - 1) * step), sum(points * width) FROM chunks \
                 GROUP BY step ORDER BY step",
            )
            .map_err(said)?;
        let mut rows = statement.query([]).map_err(said)?;
        while let Some(row) = rows.next().map_err(said)? {
            let at = |column| row.get::<_, i64>(column).map(|at| Time::from_timestamp(at, 0));
            tiers.push(FoundTier {
                step_s: row.get(0).map_err(said)?,
                points: row.get(4).map_err(said)?,
                oldest: at(2).map_err(said)?,
                newest: at(3).map_err(said)?,
            });
        }
    }
    add_moments(&file, settings, &mut tiers).map_err(said)?;
    let damage = match check {
        true => {
            Some(words("PRAGMA integrity_check")?.into_iter().filter(|line| line != "ok").collect::<Vec<_>>())
        }
        false => None,
    };
    let size = |end: &str| {
        let path = settings.folder.join(format!("{NAME}{end}"));
        std::fs::metadata(path).map_or(0, |data| data.len())
    };
    Ok(Found {
        bytes: size("") + size("-wal"),
        used: bound::used(&file)?,
        environments: words("SELECT name FROM environments ORDER BY name")?,
        tiers,
        frames: one("SELECT count(*) FROM frames")?,
        events: one("SELECT count(*) FROM events")?,
        entries: one("SELECT count(*) FROM entries")?,
        damage,
        path: file.path.clone(),
    })
}

/// Moments that are not packed yet belong to the finest tier.
fn add_moments(file: &File, settings: &Settings, tiers: &mut Vec<FoundTier>) -> rusqlite::Result<()> {
    let (count, oldest, newest): (i64, Option<i64>, Option<i64>) =
        file.connection.query_row("SELECT count(*), min(slot), max(slot) FROM moments", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    if count == 0 {
        return Ok(());
    }
    let step_s = settings.tiers.first().map_or(15, |tier| i64::from(tier.step_s));
    if tiers.first().is_none_or(|tier| tier.step_s != step_s) {
        tiers.insert(0, FoundTier { step_s, points: 0, oldest: None, newest: None });
    }
    let mut points = 0;
    let mut statement = file.connection.prepare("SELECT points FROM moments")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let values = super::codec::unpack_moment(row.get_ref(0)?.as_blob()?);
        points += values.ok_or_else(super::series::damaged)?.len() as i64;
    }
    let oldest = oldest.and_then(|at| Time::from_timestamp(at, 0));
    let newest = newest.and_then(|at| Time::from_timestamp(at, 0));
    let tier = &mut tiers[0];
    tier.points += points;
    tier.oldest = tier.oldest.into_iter().chain(oldest).min();
    tier.newest = tier.newest.into_iter().chain(newest).max();
    Ok(())
}

/// Every entry of every incident of an environment, in order of recording.
///
/// # Errors
/// As [`look`].
pub fn entries(settings: &Settings) -> Result<Vec<Entry>, LookError> {
    let file = File::readable(&settings.folder)?;
    let said = |error: rusqlite::Error| LookError::from(file.said(&error));
    let Some(environment) = file.environment(&settings.environment)? else { return Ok(Vec::new()) };
    Ok(events::entries(&file.connection, environment, false).map_err(said)?.1)
}
