//! Puts a report into the store, and writes down what changed.

use super::changes;
use super::model_state::{FeatureState, Finding, Instance, Slice, Sourced};
use super::{ModelState, Store, rejudge};
use crate::domain::{
    Event, EventKind, Fact, Fault, Harvest, Kpi, Level, ModelId, Reading, Report, SourceGroup, SourceId, Time,
};

/// Distance of two points of a long series that grows from live readings, seconds.
const LONG_STEP_S: u32 = 3_600;
/// Points of a long series: 90 days by hours.
pub(super) const LONG_POINTS: usize = 2_160;
/// Points of a feature's history.
pub(super) const DRIFT_POINTS: usize = 200;
/// KPIs whose recent course is kept.
const TRACKED: [Kpi; 7] = [
    Kpi::LatencyP50,
    Kpi::LatencyP95,
    Kpi::LatencyP99,
    Kpi::LatencyMean,
    Kpi::ErrorRate,
    Kpi::Throughput,
    Kpi::LabelLag,
];

impl Store {
    /// Takes in what one poll brought. A report of another epoch or of an unknown source changes nothing.
    pub fn apply(&mut self, report: &Report) {
        let Some(&index) = self.source_index.get(&report.source) else { return };
        if report.epoch != self.epoch {
            return;
        }
        self.generation += 1;
        let source = &mut self.sources[index];
        if source.asked.replace(report.at).is_none() {
            self.unasked = self.unasked.saturating_sub(1);
        }
        source.took_ms = report.took_ms;
        match &report.outcome {
            Ok(harvest) => self.answered(index, harvest, report.at),
            Err(fault) => self.failed(index, fault, report.at),
        }
        let touched = self.sources[index].touches.clone();
        for model in touched {
            rejudge::rejudge(self, model, report.at);
        }
    }

    fn failed(&mut self, index: usize, fault: &Fault, at: Time) {
        let source = &mut self.sources[index];
        let word = fault.kind.word();
        let is_news = source.fault.as_ref().is_none_or(|old| old.kind != fault.kind);
        source.fault_since = source.fault_since.or(Some(at));
        source.fault = Some(fault.clone());
        if is_news {
            let (id, model) = (source.info.id.to_string(), source.info.model.clone());
            tracing::warn!(target: "sources", "{id} {fault}");
            self.record(Event {
                at,
                kind: EventKind::Source,
                model,
                level: Level::Unknown,
                what: format!("{id} {word}"),
                detail: fault.to_string(),
            });
        }
    }

    fn answered(&mut self, index: usize, harvest: &Harvest, at: Time) {
        let source = &mut self.sources[index];
        source.seen = Some(at);
        source.skew_s = harvest.skew_s.unwrap_or(source.skew_s);
        if let Some(fault) = source.fault.take() {
            let lasted = source.fault_since.take().map_or(0.0, |since| (at - since).as_seconds_f64());
            let (id, model) = (source.info.id.to_string(), source.info.model.clone());
            tracing::info!(target: "sources", "{id} answers again");
            self.record(Event {
                at,
                kind: EventKind::Source,
                model,
                level: Level::Ok,
                what: format!("{id} answers again"),
                detail: format!("was {} for {lasted:.0} s", fault.kind.word()),
            });
        }
        for fact in &harvest.facts {
            self.take(index, fact, at);
        }
    }

    fn take(&mut self, source: usize, fact: &Fact, at: Time) {
        match fact {
            Fact::Reading { model, version, kpi, reading } => {
                self.touch(source, model);
                let (sources, capacity) = (&self.sources, self.capacity);
                let mine = rank(sources[source].info.group);
                let fresh = |other: &Sourced| {
                    let limit = sources[other.source].info.interval_s.max(1.0) * 3.0;
                    (at - other.seen).as_seconds_f64() <= limit
                };
                let Some(model) = self.model_index.get(model).and_then(|&i| self.models.get_mut(i)) else {
                    return;
                };
                let slice = (*kpi, version.clone());
                let entries = model.readings.entry(slice.clone()).or_default();
                if entries.iter().any(|e| rank(sources[e.source].info.group) < mine && fresh(e)) {
                    return;
                }
                entries
                    .retain(|e| e.source != source && rank(sources[e.source].info.group) <= mine && fresh(e));
                entries.push(Sourced { source, seen: at, reading: reading.clone() });
                trace(model, slice, at, capacity);
            }
            Fact::History { model, version, kpi, points, step_s } => {
                let capacity = self.capacity;
                if let Some(model) = self.touch(source, model) {
                    let slice = (*kpi, version.clone());
                    if *step_s >= LONG_STEP_S {
                        model.long.entry(slice).or_default().splice(points, LONG_POINTS);
                    } else {
                        model.recent.entry(slice).or_default().splice(points, capacity);
                    }
                }
            }
            Fact::Endpoint { model, status } => {
                let name = self.sources[source].info.id.0.clone();
                if let Some(model) = self.touch(source, model) {
                    model.instances.insert(name, Instance { source, status: Some(status.clone()) });
                }
            }
            Fact::Drift { model, features } => {
                if let Some(model) = self.touch(source, model) {
                    for feature in features {
                        remember_drift(model, feature, &[(feature.at, feature.raw)]);
                    }
                    changes::drift_reading(model, source, at);
                }
            }
            Fact::DriftHistory { model, feature, points } => {
                if let Some(model) = self.touch(source, model) {
                    remember_drift(model, feature, &[]);
                    if let Some(state) = model.drift.get_mut(&(feature.feature.clone(), feature.scale)) {
                        state.history.splice(points, DRIFT_POINTS);
                    }
                    changes::drift_reading(model, source, at);
                }
            }
            Fact::DriftFinding { model, kind, finding, abnormal } => {
                if let Some(model) = self.touch(source, model) {
                    let finding = Finding { text: finding.clone(), abnormal: *abnormal };
                    model.findings.insert(kind.clone(), finding);
                }
            }
            Fact::Registered { model, entry } => {
                let id: SourceId = self.sources[source].info.id.clone();
                let Some(model) = self.touch(source, model) else { return };
                let old = model.registry.insert(id.clone(), entry.clone());
                let events =
                    old.map(|old| changes::registry(&model.id, &id, &old, entry, at)).unwrap_or_default();
                events.into_iter().for_each(|event| self.record(event));
            }
            Fact::Counters { model, metric, counters } => {
                let rank = rank(self.sources[source].info.group);
                if let Some(model) = self.touch(source, model) {
                    model.counted.take(rank, metric, counters, at);
                    model.judging.take(rank, metric, counters, at);
                }
            }
            Fact::Rollout { model, rollout } => {
                let Some(model) = self.touch(source, model) else { return };
                let mut new = (**rollout).clone();
                super::known_bad::mark(&mut model.known_bad, model.rollout.as_ref(), &mut new, at);
                let old = model.rollout.replace(new);
                let events = changes::rollout(&model.id, old.as_ref(), rollout, at);
                events.into_iter().for_each(|event| self.record(event));
            }
            Fact::RolloutGone { model, what } => {
                let Some(model) = self.touch(source, model) else { return };
                let gone = model.rollout.take();
                let events = gone.map(|gone| changes::rollout_gone(&model.id, &gone, what, at));
                events.into_iter().for_each(|event| self.record(event));
            }
            Fact::Alerts(alerts) => {
                let id = self.sources[source].info.id.clone();
                let old = self.alerts.insert(id, alerts.clone()).unwrap_or_default();
                for event in changes::alerts(&old, alerts, at) {
                    self.record(event);
                }
                for id in old.iter().chain(alerts).filter_map(|alert| alert.model.clone()) {
                    self.touch(source, &id);
                }
            }
            Fact::Silences(silences) => {
                let id = self.sources[source].info.id.clone();
                self.silences.insert(id, silences.clone());
            }
            Fact::Remark(text) => {
                if self.sources[source].remark(text) {
                    tracing::info!(target: "sources", "{}: {text}", self.sources[source].info.id);
                }
            }
        }
    }

    /// The model, noted as one that the source speaks of.
    fn touch(&mut self, source: usize, id: &ModelId) -> Option<&mut ModelState> {
        let index = self.index_of(id)?;
        let touches = &mut self.sources[source].touches;
        if let Err(place) = touches.binary_search(&index) {
            touches.insert(place, index);
        }
        self.models.get_mut(index)
    }
}

/// Whose word counts more on what is counted: 0 is the best.
fn rank(group: SourceGroup) -> u8 {
    match group {
        SourceGroup::Prometheus => 0,
        SourceGroup::Endpoints => 1,
        _ => 2,
    }
}

/// Adds the combined value of a slice to its series.
fn trace(model: &mut ModelState, slice: Slice, at: Time, capacity: usize) {
    let Some(reading) =
        model.readings.get(&slice).and_then(|entries| super::combine::combine(slice.0, entries))
    else {
        return;
    };
    let Some(value) = reading.value else { return };
    if TRACKED.contains(&slice.0) {
        model.recent.entry(slice).or_default().push(at, value, capacity);
    } else if slice.0.is_quality() {
        model.long.entry(slice).or_default().push_coarse(at, value, LONG_STEP_S, LONG_POINTS);
    }
}

fn remember_drift(model: &mut ModelState, feature: &crate::domain::FeatureDrift, points: &[(Time, f64)]) {
    let name = (feature.feature.clone(), feature.scale);
    let state = model
        .drift
        .entry(name)
        .or_insert_with(|| FeatureState { latest: feature.clone(), history: super::Series::default() });
    if feature.at >= state.latest.at {
        state.latest = feature.clone();
    }
    for &(at, raw) in points {
        state.history.push_coarse(at, raw, 600, DRIFT_POINTS);
    }
}

/// A reading of data drift made from the features.
pub(super) fn drift_as_reading(model: &ModelState, at: Time) -> Option<Reading> {
    let samples = model.drift.values().filter_map(|state| state.latest.samples).min();
    // As old as the newest score: a report of yesterday is not of now.
    let newest = model.drift.values().map(|state| state.latest.at).max().unwrap_or(at).min(at);
    model.data_drift().map(|drift| Reading::new(drift, newest).with_samples(samples))
}
