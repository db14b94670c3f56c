//! What the room's loop takes down at a tick: a sample of the values, new lines of the timeline, the room by and by.
//! Cheap, as keys wait for it.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Settings;
use crate::domain::{Alert, DriftScale, Event, Kpi, ModelId, Silence, SourceId, Time, Version};
use crate::store::{FeatureState, ModelState, Series, SourceState, Sourced, Store};

/// Models that are copied at one tick for a frame.
const AT_ONCE: usize = 256;
/// Between two frames that news asked for, seconds.
const NEWS_S: f64 = 3.0;

/// Of what a value is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum What {
    /// A KPI of one version, or of all traffic.
    Kpi(Kpi, Option<Version>),
    /// A feature's raw drift by one method.
    Drift(Arc<str>, DriftScale),
}

/// The values of a moment.
#[derive(Debug)]
pub(super) struct Sample {
    /// The moment on the finest grid, seconds since 1970.
    pub(super) slot: i64,
    pub(super) values: Vec<(ModelId, Vec<(What, f32)>)>,
}

/// The whole room at a moment, without series and timeline.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Frame {
    pub(super) at: Time,
    /// Whether something happened.
    pub(super) is_news: bool,
    pub(super) models: Vec<ModelState>,
    pub(super) sources: Vec<SourceState>,
    pub(super) alerts: BTreeMap<SourceId, Vec<Alert>>,
    pub(super) silences: BTreeMap<SourceId, Vec<Silence>>,
}

impl Frame {
    /// Everything but the models.
    pub(super) fn without_models(&self) -> Self {
        Self {
            at: self.at,
            is_news: self.is_news,
            models: Vec::new(),
            sources: self.sources.clone(),
            alerts: self.alerts.clone(),
            silences: self.silences.clone(),
        }
    }
}

/// What one tick gave.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) sample: Option<Sample>,
    pub(super) events: Vec<Event>,
    pub(super) frame: Option<Frame>,
}

impl Seen {
    pub(super) fn is_empty(&self) -> bool {
        self.sample.is_none() && self.events.is_empty() && self.frame.is_none()
    }
}

/// Watches the store for the history.
#[derive(Debug)]
pub(super) struct Observer {
    step_s: i64,
    frame_s: f64,
    slot: Option<i64>,
    last: Option<Event>,
    state: u64,
    framed: Option<Time>,
    has_news: bool,
    copied: Vec<ModelState>,
    is_copying: bool,
}

impl Observer {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            step_s: settings.tiers.first().map_or(15, |tier| i64::from(tier.step_s.max(1))),
            frame_s: settings.frame_s.max(1.0),
            slot: None,
            last: None,
            state: 0,
            framed: None,
            has_news: false,
            copied: Vec::new(),
            is_copying: false,
        }
    }

    /// Looks at the store.
    pub(super) fn look(&mut self, store: &Store, now: Time) -> Seen {
        let events = self.news(&store.timeline);
        let state = state(store);
        self.has_news |= !events.is_empty() || state != self.state;
        self.state = state;
        Seen { sample: self.sample(store, now), events, frame: self.frame(store, now) }
    }

    /// Lines of the timeline that came since the last look: those behind the last one then.
    fn news(&mut self, timeline: &VecDeque<Event>) -> Vec<Event> {
        let known = self.last.as_ref().and_then(|last| timeline.iter().rposition(|event| event == last));
        let new: Vec<Event> = timeline.iter().skip(known.map_or(0, |known| known + 1)).cloned().collect();
        if let Some(last) = new.last() {
            self.last = Some(last.clone());
        }
        new
    }

    /// The values, once in each part of the grid.
    fn sample(&mut self, store: &Store, now: Time) -> Option<Sample> {
        let slot = now.timestamp().div_euclid(self.step_s) * self.step_s;
        if self.slot == Some(slot) {
            return None;
        }
        let step_s = self.step_s as f64;
        let values: Vec<_> = store
            .models
            .iter()
            .filter_map(|model| {
                let values = values(model, store, step_s, now);
                (!values.is_empty()).then(|| (model.id.clone(), values))
            })
            .collect();
        // Before the first answer there is nothing; the part of the grid stays open.
        if values.is_empty() {
            return None;
        }
        self.slot = Some(slot);
        Some(Sample { slot, values })
    }

    /// The room, copied over some ticks when it is large.
    fn frame(&mut self, store: &Store, now: Time) -> Option<Frame> {
        if !self.is_copying {
            let since = self.framed.map_or(f64::MAX, |at| (now - at).as_seconds_f64());
            let is_due = since >= self.frame_s || since < 0.0 || (self.has_news && since >= NEWS_S);
            if !is_due || store.sources.iter().all(|source| source.asked.is_none()) {
                return None;
            }
            self.is_copying = true;
            self.copied.clear();
        }
        let begun = self.copied.len();
        self.copied.extend(store.models.iter().skip(begun).take(AT_ONCE).map(light));
        if self.copied.len() < store.models.len() {
            return None;
        }
        self.is_copying = false;
        self.framed = Some(now);
        Some(Frame {
            at: now,
            is_news: std::mem::take(&mut self.has_news),
            models: std::mem::take(&mut self.copied),
            sources: store.sources.clone(),
            alerts: store.alerts.clone(),
            silences: store.silences.clone(),
        })
    }
}

/// What the model shows now, where its source still speaks: the last word of a silent one is a gap, not a value.
fn values(model: &ModelState, store: &Store, step_s: f64, now: Time) -> Vec<(What, f32)> {
    let speaks = |entry: &Sourced| {
        let interval = store.sources.get(entry.source).map_or(0.0, |source| source.info.interval_s);
        (now - entry.seen).as_seconds_f64() <= (3.0 * interval).max(step_s)
    };
    let mut values: Vec<(What, f32)> = Vec::with_capacity(model.readings.len());
    for ((kpi, version), entries) in &model.readings {
        if !entries.iter().any(speaks) {
            continue;
        }
        let value = match entries.as_slice() {
            [one] => one.reading.value,
            several => crate::store::combine::combine(*kpi, several).and_then(|reading| reading.value),
        };
        if let Some(value) = value.filter(|value| value.is_finite()) {
            values.push((What::Kpi(*kpi, version.clone()), value as f32));
        }
    }
    for ((feature, scale), state) in &model.drift {
        if state.latest.raw.is_finite() {
            values.push((What::Drift(feature.clone(), *scale), state.latest.raw as f32));
        }
    }
    values
}

/// A model without its series.
fn light(model: &ModelState) -> ModelState {
    let feature =
        |state: &FeatureState| FeatureState { latest: state.latest.clone(), history: Series::default() };
    ModelState {
        id: model.id.clone(),
        kind: model.kind,
        limits: model.limits.clone(),
        debtors: model.debtors.clone(),
        readings: model.readings.clone(),
        recent: BTreeMap::new(),
        long: BTreeMap::new(),
        instances: model.instances.clone(),
        drift: model.drift.iter().map(|(name, state)| (name.clone(), feature(state))).collect(),
        findings: model.findings.clone(),
        registry: model.registry.clone(),
        rollout: model.rollout.clone(),
        known_bad: model.known_bad.clone(),
        counted: model.counted.clone(),
        judging: model.judging.clone(),
        judgements: model.judgements.clone(),
        level: model.level,
        level_since: model.level_since,
        why: model.why.clone(),
    }
}

/// A number that changes when a rollout, an alert, a silence or a registry's word does.
fn state(store: &Store) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (index, model) in store.models.iter().enumerate() {
        (index, model.level as u8).hash(&mut hasher);
        if let Some(rollout) = &model.rollout {
            (rollout.step, rollout.asked.to_bits(), rollout.waits).hash(&mut hasher);
            (&rollout.stable, &rollout.canary).hash(&mut hasher);
            std::mem::discriminant(&rollout.phase).hash(&mut hasher);
        }
        for entry in model.registry.values() {
            (&entry.production, &entry.aliases, entry.versions.len()).hash(&mut hasher);
        }
    }
    for alert in store.alerts.values().flatten() {
        (&alert.name, alert.since).hash(&mut hasher);
        std::mem::discriminant(&alert.state).hash(&mut hasher);
    }
    store.silences.values().map(Vec::len).sum::<usize>().hash(&mut hasher);
    hasher.finish()
}
