//! The one model of the world: what is known, since when, and what happened.

use serde::{Deserialize, Serialize};

pub mod apply;
pub mod changes;
pub mod combine;
pub mod counted;
pub mod judging;
mod known_bad;
pub mod model_state;
pub mod past;
pub mod rejudge;
pub mod series;
pub mod source_state;
pub mod summary;
mod under;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::domain::{Alert, Event, Limits, ModelId, ModelKind, Silence, SourceId, SourceInfo, Time};
use crate::judge::Rules;

pub use counted::{Counted, Tallies};
pub use judging::Judging;
pub use model_state::{FeatureState, Finding, Instance, ModelState, Slice, Sourced};
pub use past::Past;
pub use series::{Point, Series};
pub use source_state::SourceState;
pub use summary::{GroupHealth, Tally};

/// Seconds between two looks at a canary, unless told otherwise.
const LOOK_S: f64 = 15.0;
/// How many events the timeline keeps in memory.
const TIMELINE: usize = 2_000;

/// A model as the config names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// Who it is.
    pub id: ModelId,
    /// What it predicts.
    pub kind: ModelKind,
    /// Its rules.
    pub limits: Arc<Limits>,
}

/// The state of the world as far as wardroom knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Store {
    /// Grows with every change; a view of the same generation and moment is the same.
    pub generation: u64,
    /// Answers asked in another epoch change nothing.
    pub epoch: u64,
    /// The environment's name.
    pub environment: Arc<str>,
    /// The models, in the order of the config.
    pub models: Vec<ModelState>,
    /// The sources, in the order of the config.
    pub sources: Vec<SourceState>,
    /// What happened, the newest last.
    pub timeline: VecDeque<Event>,
    /// Alerts by source.
    pub alerts: BTreeMap<SourceId, Vec<Alert>>,
    /// Silences by source.
    pub silences: BTreeMap<SourceId, Vec<Silence>>,
    model_index: HashMap<ModelId, usize>,
    source_index: HashMap<SourceId, usize>,
    /// How canaries are judged.
    rules: Arc<Rules>,
    /// Seconds between two looks at a canary.
    look_s: f64,
    /// Points kept in a recent series.
    capacity: usize,
    /// Sources that have not been asked yet.
    unasked: usize,
}

impl Store {
    /// A store of these models, of which nothing is known yet.
    pub fn new(environment: &str, specs: Vec<ModelSpec>) -> Self {
        let capacity = if specs.len() > 2_000 { 120 } else { 600 };
        let models: Vec<ModelState> =
            specs.into_iter().map(|spec| ModelState::new(spec.id, spec.kind, spec.limits)).collect();
        let model_index = models.iter().enumerate().map(|(index, model)| (model.id.clone(), index)).collect();
        Self {
            generation: 0,
            epoch: 0,
            environment: environment.into(),
            models,
            sources: Vec::new(),
            timeline: VecDeque::new(),
            alerts: BTreeMap::new(),
            silences: BTreeMap::new(),
            model_index,
            source_index: HashMap::new(),
            rules: Arc::new(Rules::default()),
            look_s: LOOK_S,
            capacity,
            unasked: 0,
        }
    }

    /// Canaries are judged by these rules, every `refresh_s` seconds, kept between 5 and 60.
    pub fn judge_by(&mut self, rules: Rules, refresh_s: f64) {
        self.rules = Arc::new(rules);
        self.look_s = refresh_s.clamp(5.0, 60.0);
    }

    /// How canaries are judged.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Announces the sources that will report.
    pub fn expect(&mut self, sources: Vec<SourceInfo>) {
        for info in sources {
            let index = self.sources.len();
            self.source_index.insert(info.id.clone(), index);
            let mut touches: Vec<usize> =
                info.owes.iter().filter_map(|(model, _)| self.index_of(model)).collect();
            touches.extend(info.model.as_ref().and_then(|model| self.index_of(model)));
            touches.sort_unstable();
            touches.dedup();
            for (model, kpi) in &info.owes {
                if let Some(model) = self.index_of(model) {
                    self.models[model].debtors.push((index, *kpi));
                }
            }
            self.unasked += 1;
            if let Some(model) = info.model.as_ref().and_then(|model| self.index_of(model)) {
                let name: Arc<str> = info.id.0.clone();
                self.models[model].instances.insert(name, Instance { source: index, status: None });
            }
            self.sources.push(SourceState { touches, ..SourceState::new(info) });
        }
    }

    /// The index of a model.
    pub fn index_of(&self, id: &ModelId) -> Option<usize> {
        self.model_index.get(id).copied()
    }

    /// A model by its identity.
    pub fn model(&self, id: &ModelId) -> Option<&ModelState> {
        self.models.get(self.index_of(id)?)
    }

    /// A source by its name.
    pub fn source(&self, id: &SourceId) -> Option<&SourceState> {
        self.sources.get(*self.source_index.get(id)?)
    }

    /// Every alert of every source, firing and worst first.
    pub fn all_alerts(&self) -> Vec<&Alert> {
        let mut alerts: Vec<&Alert> = self.alerts.values().flatten().collect();
        alerts.sort_by_key(|alert| {
            (alert.state != crate::domain::AlertState::Firing, std::cmp::Reverse(alert.severity), alert.since)
        });
        alerts
    }

    /// Writes a line of the timeline.
    pub fn record(&mut self, event: Event) {
        if self.timeline.len() == TIMELINE {
            self.timeline.pop_front();
        }
        self.timeline.push_back(event);
        self.generation += 1;
    }

    /// Brings judgements up to date with the passing of time: what has become old is no longer current.
    pub fn tick(&mut self, now: Time) {
        rejudge::look(self, now);
        rejudge::sweep(self, now);
    }
}

#[cfg(test)]
mod tests;
