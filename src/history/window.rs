//! The points around a moment, held for the next question: the last hour by the finest step, the long series by hours.
//! Those of the present are held all the time and grow with every sample, so that the first step back is as quick as the
//! next.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::Tier;
use super::names::Names;
use super::observer::{Sample, What};
use super::read::{Wanted, read};
use super::series;
use crate::store::Point;

/// How far the recent series reach, seconds.
pub(super) const RECENT_S: i64 = 3_600;
/// How far around a moment is read at once, for the next steps, seconds.
const AROUND_S: i64 = 1_200;
/// How far the long series reach, seconds.
pub(super) const LONG_S: i64 = 90 * 86_400;
/// Distance of two points of the long series, seconds.
const HOUR_S: i64 = 3_600;
/// Points that the long series of all models may have together.
const LONG_MOST: i64 = 2_000_000;

/// Points by series, the oldest first: what a past moment shares.
pub(super) type Points = HashMap<i64, Arc<Vec<Point>>>;

/// What is held.
#[derive(Debug, Default)]
pub(super) struct Cache {
    /// The hour up to now and a while before it.
    live: Recent,
    /// The hour of the moment that was asked for last, when it is further back.
    past: Recent,
    long: Long,
}

/// Points from a moment up to another, seconds since 1970; by default those of no moment.
#[derive(Debug, Default)]
struct Recent {
    from: i64,
    to: i64,
    points: Points,
}

impl Recent {
    fn holds(&self, at: i64) -> bool {
        self.from <= at - RECENT_S && at < self.to
    }
}

/// Means of equal steps.
#[derive(Debug, Default)]
struct Long {
    /// From when on another step is over.
    until: i64,
    /// Zero before the first look.
    step: i64,
    points: Points,
}

/// What is read from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) connection: &'a Connection,
    pub(super) tiers: &'a [Tier],
    pub(super) environment: i64,
}

/// The points for a moment.
#[derive(Debug)]
pub(super) struct Around<'a> {
    pub(super) recent: &'a Points,
    pub(super) long: &'a Points,
    /// The step of the long points, seconds.
    pub(super) long_step: i64,
}

impl Source<'_> {
    /// The distance of the finest points, seconds.
    pub(super) fn finest(&self) -> i64 {
        self.tiers.first().map_or(15, |tier| i64::from(tier.step_s))
    }

    /// The newest moment that is kept.
    pub(super) fn newest(&self) -> rusqlite::Result<Option<i64>> {
        series::newest_moment(self.connection, self.environment, self.finest())
    }
}

impl Cache {
    /// Reads what is not held of the points for a moment.
    pub(super) fn around(
        &mut self,
        source: Source<'_>,
        names: &mut Names,
        at: i64,
    ) -> rusqlite::Result<Around<'_>> {
        if !self.live.holds(at) && !self.past.holds(at) {
            names.learn(source.connection, source.environment)?;
            let newest = source.newest()?;
            let is_now = newest.is_none_or(|newest| at + AROUND_S >= newest);
            let to = if is_now { i64::MAX } else { at + AROUND_S };
            let recent = read_recent(source, (at - RECENT_S - AROUND_S, to))?;
            *(if is_now { &mut self.live } else { &mut self.past }) = recent;
        }
        self.renew_long(source, names, at)?;
        let recent = if self.live.holds(at) { &self.live } else { &self.past };
        Ok(Around { recent: &recent.points, long: &self.long.points, long_step: self.long.step })
    }

    /// Lets go of what only the past needed.
    pub(super) fn rest(&mut self) {
        self.past = Recent::default();
    }

    /// Adds what was just written to the points of the present.
    pub(super) fn take(&mut self, names: &Names, sample: &Sample) {
        let live = &mut self.live;
        // Before the first question nothing is held.
        if live.to < sample.slot {
            return;
        }
        let Ok(at) = u32::try_from(sample.slot) else { return };
        let values = sample.values.iter().flat_map(|(model, values)| {
            values.iter().filter_map(move |(what, value)| Some((names.number(model, what)?, *value)))
        });
        for (series, value) in values {
            let points = Arc::make_mut(live.points.entry(series).or_default());
            // One that came late is in the file; the charts have its neighbours.
            if points.last().is_none_or(|&(last, _)| last < at) {
                points.push((at, value));
            }
        }
        let from = sample.slot - RECENT_S - AROUND_S;
        if live.from < from - AROUND_S {
            live.from = from;
            for points in live.points.values_mut() {
                let old = points.partition_point(|&(t, _)| i64::from(t) < from);
                Arc::make_mut(points).drain(..old);
            }
            live.points.retain(|_, points| !points.is_empty());
        }
    }

    /// Reads what the long series gained, if they were ever asked for.
    pub(super) fn keep_up(
        &mut self,
        source: Source<'_>,
        names: &mut Names,
        now: i64,
    ) -> rusqlite::Result<()> {
        if self.long.step == 0 { Ok(()) } else { self.renew_long(source, names, now) }
    }

    /// Reads the long series whole once, then what they gained since, as often as another of their steps is over.
    fn renew_long(&mut self, source: Source<'_>, names: &mut Names, at: i64) -> rusqlite::Result<()> {
        if self.long.step > 0 && at < self.long.until {
            return Ok(());
        }
        names.learn(source.connection, source.environment)?;
        let until = source.newest()?.unwrap_or(at).max(at);
        // Taken out: what is half read is not held.
        let mut long = std::mem::take(&mut self.long);
        if long.step == 0 {
            long.step = HOUR_S.max(LONG_S * names.count_long().max(1) / LONG_MOST / HOUR_S * HOUR_S);
            long.until = until - LONG_S;
        }
        // The step that was not over at the last look is read anew.
        let from = (long.until - long.step).div_euclid(long.step) * long.step;
        for (series, bins) in read_long(source, names, (from, until + 1), long.step)? {
            let points = Arc::make_mut(long.points.entry(series).or_default());
            points.truncate(points.partition_point(|&(t, _)| i64::from(t) < from));
            points.extend(bins.iter().map(Bin::mean));
        }
        let oldest = until - LONG_S - 86_400;
        for points in long.points.values_mut().filter(|points| i64::from(points[0].0) < oldest) {
            let old = points.partition_point(|&(t, _)| i64::from(t) < oldest + 86_400);
            Arc::make_mut(points).drain(..old);
        }
        long.points.retain(|_, points| !points.is_empty());
        long.until = until - until.rem_euclid(long.step) + long.step;
        self.long = long;
        Ok(())
    }
}

fn read_recent(source: Source<'_>, span: (i64, i64)) -> rusqlite::Result<Recent> {
    let wanted = Wanted { environment: source.environment, span, step_s: source.finest() };
    let add = |points: &mut Vec<Point>, at, value| points.extend(u32::try_from(at).map(|at| (at, value)));
    let points = read(source.connection, source.tiers, wanted, |_| true, add)?;
    let points = points.into_iter().map(|(series, points)| (series, Arc::new(points))).collect();
    Ok(Recent { from: span.0, to: span.1, points })
}

/// The values of one step of the long series.
#[derive(Debug, Clone, Copy)]
struct Bin {
    at: i64,
    sum: f64,
    count: u32,
}

impl Bin {
    fn mean(&self) -> Point {
        (u32::try_from(self.at).unwrap_or(0), (self.sum / f64::from(self.count)) as f32)
    }
}

fn read_long(
    source: Source<'_>,
    names: &Names,
    span: (i64, i64),
    step: i64,
) -> rusqlite::Result<Vec<(i64, Vec<Bin>)>> {
    let wanted = Wanted { environment: source.environment, span, step_s: step };
    let add = |bins: &mut Vec<Bin>, at: i64, value: f32| {
        let (at, value) = (at.div_euclid(step) * step, f64::from(value));
        match bins.last_mut() {
            Some(last) if last.at == at => (last.sum, last.count) = (last.sum + value, last.count + 1),
            _ => bins.push(Bin { at, sum: value, count: 1 }),
        }
    };
    read(source.connection, source.tiers, wanted, |series| names.is_long(series), add)
}

/// Whether a series is shown over days: quality and drift.
pub(super) fn is_long(what: &What) -> bool {
    match what {
        What::Kpi(kpi, _) => kpi.is_quality(),
        What::Drift(..) => true,
    }
}
