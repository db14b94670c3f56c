//! Puts a past moment of the room together: the frame before it, the values since, the series, the timeline.

use std::collections::HashMap;

use super::events;
use super::frames::{self, Keys};
use super::names::Names;
use super::observer::{Frame, What};
use super::window::{Around, Cache, LONG_S, Points, RECENT_S, Source};
use crate::domain::{Kpi, Time, Version};
use crate::parallel;
use crate::store::{ModelState, Past, Series, SourceState, Store};

/// Lines of the timeline that a room holds.
const LINES: usize = 2_000;
/// Points of one series.
const CAPACITY: usize = 2_400;

/// What is read from, and what is remembered for the next question.
pub(super) struct From<'a> {
    pub(super) source: Source<'a>,
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
        let Source { connection, environment, .. } = self.source;
        let Some(oldest) = frames::oldest(connection, environment)? else {
            return Ok(Err("nothing is kept yet".into()));
        };
        let frame = match keys.read(connection, environment, asked)? {
            None => {
                let words = format!("nothing is kept from before {}", clock(oldest, asked));
                return Ok(Err(words));
            }
            Some(Err(why)) => return Ok(Err(format!("the room of that moment cannot be read: {why}"))),
            Some(Ok(frame)) => frame,
        };
        let around = self.cache.around(self.source, self.names, asked.timestamp())?;
        let known =
            newest_value(around.recent, (frame.at.timestamp(), asked.timestamp()), self.source.finest());
        let at = known.and_then(|known| Time::from_timestamp(known, 0)).unwrap_or(frame.at).max(frame.at);
        let mut store = lay(empty, &frame, &Moment { around, names: self.names, framed: frame.at, at });
        let beginning = Time::from_timestamp(0, 0).unwrap_or(asked);
        store.timeline = events::events(connection, environment, beginning, at, LINES)?.into();
        let note = self.note(asked, at)?;
        Ok(Ok(Past { asked, at, store, note, oldest }))
    }

    /// Reads what a moment will need that may be asked for.
    pub(super) fn look_ahead(&mut self, keys: &mut Keys, at: Time) -> rusqlite::Result<()> {
        drop(keys.read(self.source.connection, self.source.environment, at)?);
        self.cache.around(self.source, self.names, at.timestamp()).map(drop)
    }

    /// What is known at the start of a room.
    pub(super) fn fill(&mut self, mut store: Store, now: Time) -> rusqlite::Result<Store> {
        let around = self.cache.around(self.source, self.names, now.timestamp())?;
        let moment = Moment { around, names: self.names, framed: now, at: now };
        store.models.iter_mut().for_each(|model| moment.fill(model));
        let from = now - chrono::TimeDelta::days(2);
        let Source { connection, environment, .. } = self.source;
        store.timeline = events::events(connection, environment, from, now, LINES)?.into();
        Ok(store)
    }

    /// Reads what the charts of days gained, before somebody asks for it.
    pub(super) fn keep_up(&mut self, now: Time) -> rusqlite::Result<()> {
        self.cache.keep_up(self.source, self.names, now.timestamp())
    }

    /// What is missing around the moment.
    fn note(&self, asked: Time, at: Time) -> rusqlite::Result<String> {
        let step = self.source.finest();
        let gap = (asked - at).num_seconds();
        if gap <= 2 * step.max(60) {
            return Ok(String::new());
        }
        let next = frames::next(self.source.connection, self.source.environment, asked)?;
        let until = next.map_or_else(|| "then on".to_owned(), |next| format!("to {}", clock(next, asked)));
        Ok(format!("nothing was recorded from {} {until}", clock(at, asked)))
    }
}

/// A moment in words: the day too when it is not the day of `beside`.
fn clock(at: Time, beside: Time) -> String {
    let form = if at.date_naive() == beside.date_naive() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    at.format(form).to_string()
}

/// The newest moment with a value in `[from, to]`.
fn newest_value(points: &Points, (from, to): (i64, i64), step_s: i64) -> Option<i64> {
    let mut newest = None;
    for points in points.values() {
        let end = points.partition_point(|&(at, _)| i64::from(at) <= to);
        let last = points[..end].last().map(|&(at, _)| i64::from(at)).filter(|&at| at >= from);
        newest = newest.max(last);
        // Mostly all series have their last value at the same moment, the last there can be.
        if newest.is_some_and(|newest| newest + step_s > to) {
            break;
        }
    }
    newest
}

/// What a moment is put together from.
struct Moment<'a> {
    around: Around<'a>,
    names: &'a Names,
    /// When the frame was taken.
    framed: Time,
    /// The moment.
    at: Time,
}

impl Moment<'_> {
    /// Fills the charts' series up to the moment.
    fn fill(&self, model: &mut ModelState) {
        let at = self.at.timestamp();
        for (what, number) in self.names.of_model(&model.id.clone()) {
            match what {
                What::Kpi(Kpi::DataDrift, _) => {}
                What::Kpi(kpi, version) if kpi.is_quality() => {
                    if let Some(series) = self.long(number) {
                        model.long.insert((*kpi, version.clone()), series);
                    }
                }
                What::Kpi(kpi, version) => {
                    let Some(points) = self.around.recent.get(&number) else { continue };
                    let series = Series::stretch(points, at - RECENT_S, at, CAPACITY);
                    if !series.is_empty() {
                        model.recent.insert((*kpi, version.clone()), series);
                    }
                }
                What::Drift(feature, scale) => {
                    if let Some(state) = model.drift.get_mut(&(feature.clone(), *scale)) {
                        state.history = self.long(number).unwrap_or_default();
                    }
                }
            }
        }
    }

    /// A long series up to the moment. The mean of the hour that was not over then would tell what was still to come: its
    /// place takes the last value before the moment.
    fn long(&self, number: i64) -> Option<Series> {
        let at = self.at.timestamp();
        let long = self.around.long.get(&number);
        let until = at - self.around.long_step;
        let mut series =
            long.map_or_else(Series::default, |points| Series::stretch(points, at - LONG_S, until, CAPACITY));
        if let Some((seen, value)) = self.last(number) {
            series.push(seen, value, CAPACITY);
        }
        (!series.is_empty()).then_some(series)
    }

    /// The last value of a series that is not after the moment.
    fn last(&self, number: i64) -> Option<(Time, f64)> {
        let points = self.around.recent.get(&number)?;
        let end = points.partition_point(|&(at, _)| i64::from(at) <= self.at.timestamp());
        let &(seen, value) = points[..end].last()?;
        Some((Time::from_timestamp(i64::from(seen), 0)?, f64::from(value)))
    }

    /// Values that were kept between the frame and the moment take the place of the frame's.
    fn overlay(&self, model: &mut ModelState) {
        for (what, number) in self.names.of_model(&model.id.clone()) {
            if let What::Kpi(kpi, version) = what
                && let Some((seen, value)) = self.last(number)
                && seen.timestamp() > self.framed.timestamp()
            {
                renew(model, *kpi, version.clone(), seen, value);
            }
        }
    }

    /// Who spoke at the frame and was not heard of as silent since spoke until the moment.
    fn later(&self, source: &mut SourceState) {
        let later = self.at - self.framed;
        if source.fault.is_none() {
            source.seen = source.seen.map(|seen| seen + later);
            source.asked = source.asked.map(|asked| asked + later);
        }
    }
}

/// Gives a slice a newer value: that of all its sources together.
fn renew(model: &mut ModelState, kpi: Kpi, version: Option<Version>, seen: Time, value: f64) {
    let all_traffic = version.is_none();
    let Some(entries) = model.readings.get_mut(&(kpi, version)) else { return };
    let Some(first) = entries.first_mut() else { return };
    first.reading.value = Some(value);
    first.reading.at = first.reading.at.max(seen);
    first.seen = seen;
    entries.truncate(1);
    if all_traffic && let Some(judged) = model.judgements.iter_mut().find(|judged| judged.kpi == kpi) {
        judged.value = Some(value);
    }
}

/// Lays a frame into the store of the config. Models and sources are matched by name; a source that the config no
/// longer has is added, so that what it said keeps its owner.
fn lay(mut store: Store, frame: &Frame, moment: &Moment<'_>) -> Store {
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
    let moved: HashMap<usize, usize> = frame
        .models
        .iter()
        .enumerate()
        .filter_map(|(old, model)| Some((old, store.index_of(&model.id)?)))
        .collect();
    for source in &frame.sources {
        let Some(&index) = places.get(&source.info.id) else { continue };
        let mut source = source.clone();
        source.touches = source.touches.iter().filter_map(|old| moved.get(old)).copied().collect();
        source.touches.sort_unstable();
        moment.later(&mut source);
        store.sources[index] = source;
    }
    let speaks: Vec<bool> = store.sources.iter().map(|source| source.fault.is_none()).collect();
    let known = frame.models.iter().enumerate().filter(|(old, _)| moved.contains_key(old)).collect();
    let models = parallel::map(known, |(old, model)| (old, of_then(model, moment, &owners, &speaks)));
    for (old, model) in models {
        store.models[moved[&old]] = model;
    }
    store.alerts = frame.alerts.clone();
    store.silences = frame.silences.clone();
    store.generation += 1;
    store
}

/// A model of the frame as it stood at the moment. `owners` are the places of the frame's sources now, `speaks` tells by
/// place who spoke.
fn of_then(model: &ModelState, moment: &Moment<'_>, owners: &[Option<usize>], speaks: &[bool]) -> ModelState {
    let place = |old: usize| owners.get(old).copied().flatten();
    let mut model = model.clone();
    model.debtors.retain_mut(|(source, _)| place(*source).map(|new| *source = new).is_some());
    model.readings.values_mut().for_each(|entries| {
        entries.retain_mut(|entry| place(entry.source).map(|new| entry.source = new).is_some());
    });
    model.readings.retain(|_, entries| !entries.is_empty());
    model.instances.retain(|_, instance| place(instance.source).map(|new| instance.source = new).is_some());
    moment.fill(&mut model);
    moment.overlay(&mut model);
    let later = moment.at - moment.framed;
    for entry in model.readings.values_mut().flatten() {
        if speaks.get(entry.source) == Some(&true) {
            entry.seen = (entry.seen + later).min(moment.at);
        }
    }
    model
}
