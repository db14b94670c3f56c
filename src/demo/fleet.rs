//! The state that all servers of the demo share: the cast, the story's clock, the counters.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

use super::DemoOptions;
use super::Scenario;
use super::acts::Log;
use super::cast::{NAMES, Part, cast};
use super::histogram::Counts;
use super::injection::Injected;
use super::position::{PODS_S, Position};
use super::shelf::Shelf;
use super::story::{DRILLED, Mood, Story};
use super::track::Track;
use super::web::Mutations;

/// An hour of requests stands in the counters at the start.
const PAST_S: f64 = 3_600.0;
/// Requests a second of the model that a drill is done on: a drill shall not wait for evidence.
const DRILL_RATE: f64 = 60.0;
/// Requests a second of each model beside it.
const BESIDE_RATE: f64 = 8.0;
/// Requests a second of all models without a name together.
const OTHERS_RATE: f64 = 60.0;

/// One model with its counters.
#[derive(Debug)]
pub struct Model {
    /// What it is.
    pub part: Part,
    /// Its servers; each counts by version.
    pub instances: Vec<Vec<Counts>>,
    /// Requests that have arrived, by version: a split is counted when it is done, not when it is answered.
    arrived: Vec<AtomicU64>,
    track: Mutex<Track>,
}

impl Model {
    /// Counts a request to a version as it arrives.
    pub fn arrive(&self, version: usize) {
        if let Some(count) = self.arrived.get(version) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Requests that have arrived, by version.
    pub fn arrived(&self) -> Vec<u64> {
        self.arrived.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

/// All models and the clock.
#[derive(Debug)]
pub struct Fleet {
    /// The models.
    pub models: Vec<Model>,
    /// The story.
    pub story: Story,
    by_name: HashMap<String, usize>,
    /// Acts that were accepted.
    pub acts: Log,
    /// What was written in the registry.
    pub shelf: Shelf,
    /// Requests that may change something, by server.
    pub mutations: Mutations,
    /// What the stage of a drill has broken.
    pub injected: Injected,
    begun: Instant,
    begun_at: DateTime<Utc>,
    speed: f64,
}

impl Fleet {
    /// A fleet that has been running for an hour.
    pub fn new(options: &DemoOptions) -> Self {
        let story = Story { seed: options.seed, scenario: options.scenario };
        let count = options.models.max(1);
        let others = count.saturating_sub(NAMES).max(1) as f64;
        let models = cast(count).into_iter().enumerate().map(|(index, mut part)| {
            if index >= NAMES {
                part.rate = OTHERS_RATE / others;
            }
            if options.scenario == Scenario::Drill {
                part.rate = if index == DRILLED { DRILL_RATE } else { BESIDE_RATE };
            }
            let canary = story.canary(index, 0.0).filter(|canary| canary.phase != "idle");
            let canary = canary.map(|canary| canary.weight / 100.0);
            let instances = (0..part.instances).map(|_| {
                let counts: Vec<Counts> = part.versions.iter().map(|_| Counts::default()).collect();
                let past = PAST_S * part.rate.max(0.2) / part.instances as f64;
                let share = canary.unwrap_or(0.0);
                counts[part.stable].fill(past * (1.0 - share), part.median_ms, part.sigma, part.errors);
                if let Some(next) = counts.get(part.stable + 1).filter(|_| share > 0.0) {
                    next.fill(past * share * 0.02, part.median_ms, part.sigma, part.errors);
                }
                counts
            });
            let instances = instances.collect();
            let arrived = part.versions.iter().map(|_| AtomicU64::new(0)).collect();
            Model { part, instances, arrived, track: Mutex::default() }
        });
        let models: Vec<Model> = models.collect();
        let by_name =
            models.iter().enumerate().map(|(index, model)| (model.part.name.clone(), index)).collect();
        let (acts, shelf, mutations) = (Log::default(), Shelf::default(), Mutations::default());
        let (begun, begun_at, speed) = (Instant::now(), Utc::now(), options.speed);
        let injected = Injected::default();
        Self { models, story, by_name, acts, shelf, mutations, injected, begun, begun_at, speed }
    }

    /// Seconds of the story so far.
    pub fn t(&self) -> f64 {
        self.begun.elapsed().as_secs_f64() * self.speed
    }

    /// When a second of the story is, or was, on the clock.
    pub fn clock(&self, t: f64) -> DateTime<Utc> {
        self.begun_at + TimeDelta::milliseconds((t / self.speed * 1_000.0) as i64)
    }

    /// When a version was made: one every forty days.
    pub fn created(&self, model: usize, version: usize) -> DateTime<Utc> {
        let count = self.models.get(model).map_or(0, |state| state.part.versions.len());
        let ago = count.saturating_sub(version).min(1_000) as i64;
        self.clock(0.0) - TimeDelta::days(40 * ago)
    }

    /// How long pods take to start, story seconds.
    pub fn pods_s(&self) -> f64 {
        PODS_S * self.speed
    }

    /// Does something with a model's rollout as it stands now; `None` without one.
    pub fn rollout<T>(&self, model: usize, then: impl FnOnce(&mut Track, Position, f64) -> T) -> Option<T> {
        let state = self.models.get(model)?;
        let mut track = state.track.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock is read under the lock: a later look must not see an earlier moment.
        let t = self.t();
        let told = || Some(Position::told(state.part.stable, self.story.canary(model, t)?));
        let position = track.look(told(), t, self.pods_s(), || state.arrived())?;
        Some(then(&mut track, position, t))
    }

    /// Whether a model has a rollout in this story.
    pub fn has_rollout(&self, model: usize) -> bool {
        self.story.canary(model, 0.0).is_some()
    }

    /// Where a model's rollout stands now; `None` without one.
    pub fn position(&self, model: usize) -> Option<Position> {
        self.rollout(model, |_, position, _| position)
    }

    /// Index of the version that serves now, and of the one under trial with its share of traffic 0…1.
    pub fn serving(&self, model: usize) -> (usize, Option<(usize, f64)>) {
        let Some(part) = self.models.get(model).map(|model| &model.part) else { return (0, None) };
        self.position(model).map_or((part.stable, None), |position| (position.stable, position.trial()))
    }

    /// Index of a model by its name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// How a version fares: by the story, and by what was injected. `told`: its quality as far as labels have come.
    pub fn mood(&self, model: usize, version: usize, t: f64, told: bool) -> Mood {
        let is_test = self.models.get(model).is_some_and(|model| version > model.part.stable);
        let mood = self.story.mood(model, is_test, t);
        if is_test && model == DRILLED { self.injected.over(mood, told) } else { mood }
    }

    /// Drift of a feature over its quiet score: by the story, and by a version that reads it wrongly.
    pub fn drift(&self, model: usize, feature: usize, t: f64) -> f64 {
        let told = self.story.drift(model, feature, t);
        let Some(stable) = self.models.get(model).map(|model| model.part.stable) else { return told };
        if model != DRILLED || !self.injected.drifts() {
            return told;
        }
        let (serving, trial) = self.serving(model);
        let is_used = serving > stable || trial.is_some_and(|(_, share)| share > 0.0);
        told + if is_used { super::injection::DRIFT } else { 0.0 }
    }

    /// Seconds from a prediction to its label.
    pub fn label_delay_s(&self) -> f64 {
        if self.story.scenario == Scenario::Drill { super::injection::LABELS_LATE_S } else { 0.0 }
    }

    /// The quality KPIs of a version now: with a slow wave, so that a line is not a ruler.
    pub fn quality(&self, model: usize, version: usize, t: f64) -> Vec<f64> {
        let Some(part) = self.models.get(model).map(|model| &model.part) else { return Vec::new() };
        let mood = self.mood(model, version, t, true);
        let errors_first = usize::from(part.kind == crate::domain::ModelKind::Regression);
        let older = part.stable.saturating_sub(version) as f64;
        part.quality
            .iter()
            .enumerate()
            .map(|(i, &base)| {
                let wave = 0.002 * (t / 97.0 + (model * 3 + i) as f64).sin();
                let better = mood.quality - 0.012 * older;
                // For a regression only the first, R², is better when it is more.
                let sign: f64 = if errors_first == 1 && i > 0 { -0.4 } else { 1.0 };
                base + wave * sign.abs() + better * sign
            })
            .collect()
    }
}
