//! Reading of kept points: from coarse tiers where only such are kept, from finer ones since; the unpacking is spread
//! over the cores.

use rusqlite::{Connection, params};
use zstd::bulk::Decompressor;

use super::Tier;
use super::codec::{unpack_moment, unpack_some};
use super::series::{CHUNK, damaged, oldest, rolled};
use crate::parallel;

/// The shares of models that are unpacked side by side.
const SHARES: usize = 16;
/// Packed bytes that are held at once.
const AT_ONCE: usize = 16 << 20;
/// Moments that are held at once.
const MOMENTS: usize = 64;

/// What is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) environment: i64,
    /// Begin, and the end that is not read any more, seconds since 1970.
    pub(super) span: (i64, i64),
    /// The distance of two points that will do, seconds.
    pub(super) step_s: i64,
}

/// Makes something of the points of each wanted series, sorted by the series' number: `add` gets them one by one, in
/// order of time. Their distance is at most `step_s` as far as such are kept: older ones come from coarser tiers, newer
/// ones, that are not in the coarser yet, from finer ones.
pub(super) fn read<A: Default + Send>(
    connection: &Connection,
    tiers: &[Tier],
    wanted: Wanted,
    is_wanted: impl Fn(i64) -> bool + Sync,
    add: impl Fn(&mut A, i64, f32) + Sync,
) -> rusqlite::Result<Vec<(i64, A)>> {
    let mut shares: Vec<Sorted<A>> = (0..SHARES).map(|_| Sorted::default()).collect();
    let parts = parts(connection, tiers, wanted)?;
    for &(step, span) in &parts {
        shares = chunks(connection, Wanted { span, step_s: step, ..wanted }, shares, &is_wanted, &add)?;
    }
    let mut all = Sorted(shares.into_iter().flat_map(|share| share.0).collect());
    all.0.sort_unstable_by_key(|(series, _)| *series);
    let finest = tiers.first().map(|tier| i64::from(tier.step_s.max(1)));
    if let Some(&(_, span)) = parts.last().filter(|(step, _)| Some(*step) == finest) {
        moments(connection, Wanted { span, ..wanted }, &mut all, &is_wanted, &add)?;
    }
    Ok(all.0)
}

/// The spans that are read from each step, in order of time.
fn parts(
    connection: &Connection,
    tiers: &[Tier],
    wanted: Wanted,
) -> rusqlite::Result<Vec<(i64, (i64, i64))>> {
    let step = |tier: usize| i64::from(tiers[tier].step_s.max(1));
    let base = (0..tiers.len()).rev().find(|&tier| step(tier) <= wanted.step_s).unwrap_or(0);
    let mut parts = Vec::new();
    let (from, mut end) = wanted.span;
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
        parts.push((step(tier), (start, end)));
        end = start;
        if end <= from {
            break;
        }
    }
    parts.reverse();
    Ok(parts)
}

/// What was made of each series so far, sorted by its number.
#[derive(Debug)]
struct Sorted<A>(Vec<(i64, A)>);

impl<A> Default for Sorted<A> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<A: Default> Sorted<A> {
    /// The place of a series: mostly the one behind that of the series before.
    fn at(&mut self, series: i64, guess: &mut usize) -> &mut A {
        if self.0.get(*guess).is_none_or(|(known, _)| *known != series) {
            *guess = match self.0.binary_search_by_key(&series, |(known, _)| *known) {
                Ok(place) => place,
                Err(place) => {
                    self.0.insert(place, (series, A::default()));
                    place
                }
            };
        }
        *guess += 1;
        &mut self.0[*guess - 1].1
    }
}

/// A block with its begin.
type Block = (i64, Vec<u8>);

fn chunks<A: Default + Send>(
    connection: &Connection,
    wanted: Wanted,
    mut shares: Vec<Sorted<A>>,
    is_wanted: &(impl Fn(i64) -> bool + Sync),
    add: &(impl Fn(&mut A, i64, f32) + Sync),
) -> rusqlite::Result<Vec<Sorted<A>>> {
    let Wanted { environment, span: (from, to), step_s: step } = wanted;
    let unpack = |(mut share, blocks): (Sorted<A>, Vec<Block>)| {
        let mut decompressor = Decompressor::new().ok()?;
        let mut guess = 0;
        for (start, block) in blocks {
            let first = usize::try_from((from - start + step - 1).div_euclid(step)).unwrap_or(0);
            let end = usize::try_from((to - start + step - 1).div_euclid(step)).unwrap_or(0);
            let mut each = |series, values: &[f32]| {
                let made = share.at(series, &mut guess);
                for (place, value) in values.iter().enumerate().take(end).skip(first) {
                    if value.is_finite() {
                        add(made, start + place as i64 * step, *value);
                    }
                }
            };
            unpack_some(&mut decompressor, &block, is_wanted, &mut each)?;
        }
        Some(share)
    };
    let mut statement = connection.prepare_cached(
        "SELECT start, model, block FROM chunks WHERE step = ?1 AND start > ?2 AND start < ?3 \
         AND model IN (SELECT id FROM models WHERE environment = ?4) ORDER BY start",
    )?;
    let mut rows = statement.query(params![step, from - CHUNK * step, to, environment])?;
    let mut waiting: Vec<Vec<Block>> = vec![Vec::new(); SHARES];
    let mut bytes = 0;
    loop {
        let row = rows.next()?;
        if let Some(row) = row {
            let (start, model, block): (i64, i64, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            bytes += block.len();
            waiting[model.rem_euclid(SHARES as i64) as usize].push((start, block));
        }
        let is_over = row.is_none();
        if bytes >= AT_ONCE || is_over {
            let blocks = std::mem::replace(&mut waiting, vec![Vec::new(); SHARES]);
            bytes = 0;
            let work = shares.into_iter().zip(blocks).collect();
            shares = parallel::map(work, unpack).into_iter().collect::<Option<_>>().ok_or_else(damaged)?;
        }
        if is_over {
            return Ok(shares);
        }
    }
}

fn moments<A: Default>(
    connection: &Connection,
    wanted: Wanted,
    all: &mut Sorted<A>,
    is_wanted: &(impl Fn(i64) -> bool + Sync),
    add: &(impl Fn(&mut A, i64, f32) + Sync),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT slot, points FROM moments WHERE slot >= ?1 AND slot < ?2 AND environment = ?3 ORDER BY slot",
    )?;
    let mut rows = statement.query([wanted.span.0, wanted.span.1, wanted.environment])?;
    loop {
        let mut waiting: Vec<Block> = Vec::with_capacity(MOMENTS);
        while waiting.len() < MOMENTS
            && let Some(row) = rows.next()?
        {
            waiting.push((row.get(0)?, row.get(1)?));
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let unpacked = parallel::map(waiting, |(slot, block)| Some((slot, unpack_moment(&block)?)));
        for moment in unpacked {
            let (slot, points) = moment.ok_or_else(damaged)?;
            let mut guess = 0;
            for (series, value) in points.into_iter().filter(|(series, _)| is_wanted(*series)) {
                add(all.at(series, &mut guess), slot, value);
            }
        }
    }
}
