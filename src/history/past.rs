//! Puts a past moment of the room together: the frame before it, the values since, the series, the timeline.

use std::collections::HashMap;

use rusqlite::Connection;

use super::frames::{self, Keys};
use super::names::Names;
use super::observer::{Frame, What};
use super::series::{self, Points};
use super::{Tier, events};
use crate::domain::{Kpi, Reading, Time};
use crate::store::{ModelState, Past, Series, Store};

/// Lines of the timeline that a room holds.
const LINES: usize = 2_000;
/// How far the recent series reach, seconds.
const RECENT_S: i64 = 3_600;
/// How far around a moment is read at once, for the next steps, seconds.
const AROUND_S: i64 = 1_200;
/// How far the long series reach, seconds.
const LONG_S: i64 = 90 * 86_400;
/// Distance of two points of the long series, seconds.
const HOUR_S: i64 = 3_600;
/// Points that the long series of all models may have together.
const LONG_MOST: i64 = 2_000_000;
/// Points of one series.
const CAPACITY: usize = 2_400;

/// What the last question read, for the next one.
#[derive(Debug, Default)]
pub(super) struct Cache {
    long: Option<Long>,
    recent: Option<Recent>,
}

#[derive(Debug)]
struct Long {
    until: i64,
    step: i64,
    points: Points,
}

#[derive(Debug)]
struct Recent {
    from: i64,
    to: i64,
    points: Points,
}

/// What is read from.
pub(super) struct From<'a> {
    pub(super) connection: &'a Connection,
    pub(super) tiers: &'a [Tier],
    pub(super) environment: i64,
    pub(super) names: &'a mut Names,
    pub(super) cache: &'a mut Cache,
}

impl From<'_> {
    /// The room at a moment; `Err` inside: why there is none.
    pub(super) fn past(
        &mut self,
        keys: &mut Keys,
        asked: Time,
        empty: Store,
    ) -> rusqlite::Result<Result<Past, String>> {
        let Some(oldest) = frames::oldest(self.connection, self.environment)? else {
            return Ok(Err("nothing is kept yet".into()));
        };
        let frame = match keys.read(self.connection, self.environment, asked)? {
            None => {
                let words = format!("nothing is kept from before {}", clock(oldest, asked));
                return Ok(Err(words));
            }
            Some(Err(why)) => return Ok(Err(format!("the room of that moment cannot be read: {why}"))),
            Some(Ok(frame)) => frame,
        };
        let framed = frame.at;
        let mut store = lay(empty, frame);
        self.recent(asked.timestamp())?;
        self.long(asked.timestamp())?;
        let known = self.newest_value(framed.timestamp(), asked.timestamp())?;
        let at = known.and_then(|known| Time::from_timestamp(known, 0)).unwrap_or(framed).max(framed);
        self.fill_series(&mut store, at.timestamp());
        self.overlay(&mut store, framed, at);
        let beginning = Time::from_timestamp(0, 0).unwrap_or(asked);
        let lines = events::events(self.connection, self.environment, beginning, at.max(framed), LINES)?;
        store.timeline = lines.into();
        let note = self.note(asked, at)?;
        Ok(Ok(Past { asked, at, store, note, oldest }))
    }

    /// What is known at the start of a room.
    pub(super) fn fill(&mut self, mut store: Store, now: Time) -> rusqlite::Result<Store> {
        self.recent(now.timestamp())?;
        self.long(now.timestamp())?;
        self.fill_series(&mut store, now.timestamp());
        let from = now - chrono::TimeDelta::days(2);
        store.timeline = events::events(self.connection, self.environment, from, now, LINES)?.into();
        Ok(store)
    }

    /// Reads the points of the hour before a moment, and of some time behind it for the next steps.
    fn recent(&mut self, at: i64) -> rusqlite::Result<()> {
        let step = self.tiers.first().map_or(15, |tier| i64::from(tier.step_s));
        let has = |recent: &Recent| recent.from <= at - RECENT_S && at < recent.to;
        if self.cache.recent.as_ref().is_some_and(has) {
            return Ok(());
        }
        self.names.learn(self.connection, self.environment)?;
        let newest = series::newest_moment(self.connection, self.environment, (0, i64::MAX))?;
        let (from, mut to) = (at - RECENT_S - AROUND_S, at + AROUND_S);
        let mut points = Points::default();
        let mut each = |series, at, value| points.entry(series).or_default().push((at, value));
        series::read(self.connection, self.tiers, self.environment, (from, to), step, &mut each)?;
        // What is still being written must be read again.
        to = to.min(newest.map_or(to, |newest| newest + 1));
        self.cache.recent = Some(Recent { from, to, points });
        Ok(())
    }

    /// Reads the long series, as often as they gain a point.
    fn long(&mut self, at: i64) -> rusqlite::Result<()> {
        if self.cache.long.as_ref().is_some_and(|long| at < long.until) {
            return Ok(());
        }
        self.names.learn(self.connection, self.environment)?;
        let newest = series::newest_moment(self.connection, self.environment, (0, i64::MAX))?.unwrap_or(at);
        let until = newest.max(at);
        let count: i64 = self.connection.query_row("SELECT count(*) FROM series", [], |row| row.get(0))?;
        let step = HOUR_S.max(LONG_S * count.max(1) / LONG_MOST / HOUR_S * HOUR_S);
        let mut sums: HashMap<i64, Vec<(i64, f64, u32)>> = HashMap::new();
        let names = &self.names;
        let mut each = |series: i64, at: i64, value: f32| {
            if !names.knows(series) {
                return;
            }
            let bins = sums.entry(series).or_default();
            let bin = at.div_euclid(step) * step;
            match bins.last_mut() {
                Some(last) if last.0 == bin => (last.1, last.2) = (last.1 + f64::from(value), last.2 + 1),
                _ => bins.push((bin, f64::from(value), 1)),
            }
        };
        let span = (until - LONG_S, until + 1);
        series::read(self.connection, self.tiers, self.environment, span, step, &mut each)?;
        let mean = |(at, sum, n): (i64, f64, u32)| (at, (sum / f64::from(n)) as f32);
        let points =
            sums.into_iter().map(|(series, bins)| (series, bins.into_iter().map(mean).collect())).collect();
        self.cache.long = Some(Long { until: newest - newest.rem_euclid(step) + step, step, points });
        Ok(())
    }

    /// The newest moment with a value in `[from, to]`.
    fn newest_value(&self, from: i64, to: i64) -> rusqlite::Result<Option<i64>> {
        let Some(recent) = &self.cache.recent else { return Ok(None) };
        let newest = |points: &Vec<(i64, f32)>| {
            let end = points.partition_point(|&(at, _)| at <= to);
            points[..end].last().map(|&(at, _)| at).filter(|&at| at >= from)
        };
        Ok(recent.points.values().filter_map(newest).max())
    }

    /// Fills the charts' series up to a moment.
    fn fill_series(&self, store: &mut Store, at: i64) {
        for model in &mut store.models {
            for (what, number) in self.names.of_model(&model.id.clone()) {
                match what {
                    What::Kpi(Kpi::DataDrift, _) => {}
                    What::Kpi(kpi, version) if kpi.is_quality() => {
                        let series = model.long.entry((*kpi, version.clone())).or_default();
                        self.fill_long(series, number, at);
                    }
                    What::Kpi(kpi, version) => {
                        let recent = self.cache.recent.as_ref().and_then(|recent| recent.points.get(&number));
                        let Some(points) = recent else { continue };
                        let series = model.recent.entry((*kpi, version.clone())).or_default();
                        put(series, points, at - RECENT_S, at);
                    }
                    What::Drift(feature, scale) => {
                        if let Some(state) = model.drift.get_mut(&(feature.clone(), *scale)) {
                            self.fill_long(&mut state.history, number, at);
                        }
                    }
                }
            }
            model.recent.retain(|_, series| !series.is_empty());
            model.long.retain(|_, series| !series.is_empty());
        }
    }

    /// A long series up to a moment. The mean of the hour that was not over then would tell what was still to come:
    /// its place takes the last value before the moment.
    fn fill_long(&self, series: &mut Series, number: i64, at: i64) {
        let Some(long) = &self.cache.long else { return };
        if let Some(points) = long.points.get(&number) {
            put(series, points, at - LONG_S, at - long.step);
        }
        let recent = self.cache.recent.as_ref().and_then(|recent| recent.points.get(&number));
        let newest = recent.and_then(|points| points[..points.partition_point(|&(t, _)| t <= at)].last());
        if let Some(&(seen, value)) = newest
            && let Some(seen) = Time::from_timestamp(seen, 0)
        {
            series.push(seen, f64::from(value), CAPACITY);
        }
    }

    /// Values that were kept between the frame and the moment take the place of the frame's.
    fn overlay(&self, store: &mut Store, framed: Time, at: Time) {
        let Some(recent) = &self.cache.recent else { return };
        let (from, to) = (framed.timestamp(), at.timestamp());
        for model in &mut store.models {
            let newer: Vec<_> = self
                .names
                .of_model(&model.id)
                .filter_map(|(what, series)| {
                    let points = recent.points.get(&series)?;
                    let end = points.partition_point(|&(at, _)| at <= to);
                    let &(seen, value) = points[..end].last().filter(|(seen, _)| *seen > from)?;
                    Some((what.clone(), Time::from_timestamp(seen, 0)?, f64::from(value)))
                })
                .collect();
            for (what, seen, value) in newer {
                if let What::Kpi(kpi, version) = what {
                    renew(model, kpi, version, seen, value);
                }
            }
        }
        // Who spoke at the frame and was not heard of as silent since spoke until the moment.
        let later = at - framed;
        for source in &mut store.sources {
            if source.fault.is_none() {
                source.seen = source.seen.map(|seen| seen + later);
                source.asked = source.asked.map(|asked| asked + later);
            }
        }
        for entry in store.models.iter_mut().flat_map(|model| model.readings.values_mut()).flatten() {
            if store.sources.get(entry.source).is_some_and(|source| source.fault.is_none()) {
                entry.seen = (entry.seen + later).min(at);
            }
        }
    }

    /// What is missing around the moment.
    fn note(&self, asked: Time, at: Time) -> rusqlite::Result<String> {
        let step = self.tiers.first().map_or(15, |tier| i64::from(tier.step_s));
        let gap = (asked - at).num_seconds();
        if gap <= 2 * step.max(60) {
            return Ok(String::new());
        }
        let next = frames::next(self.connection, self.environment, asked)?;
        let until = next.map_or_else(|| "then on".to_owned(), |next| format!("to {}", clock(next, asked)));
        Ok(format!("nothing was recorded from {} {until}", clock(at, asked)))
    }
}

/// A moment in words: the day too when it is not the day of `beside`.
fn clock(at: Time, beside: Time) -> String {
    let form = if at.date_naive() == beside.date_naive() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    at.format(form).to_string()
}

/// Puts the points of a span into a series.
fn put(series: &mut Series, points: &[(i64, f32)], from: i64, to: i64) {
    let start = points.partition_point(|&(at, _)| at < from);
    let end = points.partition_point(|&(at, _)| at <= to);
    series.take_sorted(points.get(start..end).unwrap_or_default(), CAPACITY);
}

/// Gives a slice a newer value: that of all its sources together.
fn renew(model: &mut ModelState, kpi: Kpi, version: Option<crate::domain::Version>, seen: Time, value: f64) {
    let all_traffic = version.is_none();
    let Some(entries) = model.readings.get_mut(&(kpi, version)) else { return };
    let Some(first) = entries.first_mut() else { return };
    first.reading = Reading { value: Some(value), ..first.reading.clone() };
    first.reading.at = first.reading.at.max(seen);
    first.seen = seen;
    entries.truncate(1);
    if all_traffic && let Some(judged) = model.judgements.iter_mut().find(|judged| judged.kpi == kpi) {
        judged.value = Some(value);
    }
}

/// Lays a frame into the store of the config. Models and sources are matched by name; a source that the config no
/// longer has is added, so that what it said keeps its owner.
fn lay(mut store: Store, frame: Frame) -> Store {
    let missing: Vec<_> = frame
        .sources
        .iter()
        .filter(|source| store.source(&source.info.id).is_none())
        .map(|source| source.info.clone())
        .collect();
    store.expect(missing);
    let places: HashMap<_, usize> =
        store.sources.iter().enumerate().map(|(place, source)| (source.info.id.clone(), place)).collect();
    let owners: Vec<Option<usize>> =
        frame.sources.iter().map(|source| places.get(&source.info.id).copied()).collect();
    let place = |old: usize| owners.get(old).copied().flatten();
    let mut moved = HashMap::new();
    for (old, mut model) in frame.models.into_iter().enumerate() {
        let Some(index) = store.index_of(&model.id) else { continue };
        moved.insert(old, index);
        model.debtors.retain_mut(|(source, _)| place(*source).map(|new| *source = new).is_some());
        model.readings.values_mut().for_each(|entries| {
            entries.retain_mut(|entry| place(entry.source).map(|new| entry.source = new).is_some());
        });
        model.readings.retain(|_, entries| !entries.is_empty());
        model
            .instances
            .retain(|_, instance| place(instance.source).map(|new| instance.source = new).is_some());
        store.models[index] = model;
    }
    for mut source in frame.sources {
        let Some(&index) = places.get(&source.info.id) else { continue };
        source.touches = source.touches.iter().filter_map(|old| moved.get(old)).copied().collect();
        source.touches.sort_unstable();
        store.sources[index] = source;
    }
    store.alerts = frame.alerts;
    store.silences = frame.silences;
    store.generation += 1;
    store
}
