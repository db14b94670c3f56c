//! The state that all servers of the demo share: the cast, the story's clock, the counters.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

use super::DemoOptions;
use super::cast::{NAMES, Part, cast};
use super::histogram::Counts;
use super::story::{Canary, STEPS, Story};

/// An hour of requests stands in the counters at the start.
const PAST_S: f64 = 3_600.0;
/// Requests a second of all models without a name together.
const OTHERS_RATE: f64 = 60.0;

/// One model with its counters.
#[derive(Debug)]
pub struct Model {
    /// What it is.
    pub part: Part,
    /// Its servers; each counts by version.
    pub instances: Vec<Vec<Counts>>,
    /// Share of requests that the canary got lately, percent: bits of an f64.
    share: AtomicU64,
}

impl Model {
    /// Share of requests that the canary got lately, percent.
    pub fn share(&self) -> f64 {
        f64::from_bits(self.share.load(Ordering::Relaxed))
    }

    /// Sets that share.
    pub fn set_share(&self, percent: f64) {
        self.share.store(percent.to_bits(), Ordering::Relaxed);
    }

    /// Requests to a version on all servers.
    pub fn requests(&self, version: usize) -> u64 {
        self.instances.iter().filter_map(|counts| counts.get(version)).map(Counts::total).sum()
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
            let canary = story.canary(index, 0.0).map(|canary| canary.weight / 100.0);
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
            Model { part, instances, share: AtomicU64::new((canary.unwrap_or(0.0) * 100.0).to_bits()) }
        });
        let models: Vec<Model> = models.collect();
        let by_name =
            models.iter().enumerate().map(|(index, model)| (model.part.name.clone(), index)).collect();
        Self { models, story, by_name, begun: Instant::now(), begun_at: Utc::now(), speed: options.speed }
    }

    /// Seconds of the story so far.
    pub fn t(&self) -> f64 {
        self.begun.elapsed().as_secs_f64() * self.speed
    }

    /// When a second of the story is, or was, on the clock.
    pub fn clock(&self, t: f64) -> DateTime<Utc> {
        self.begun_at + TimeDelta::milliseconds((t / self.speed * 1_000.0) as i64)
    }

    /// The canary of a model now, if one takes traffic or has.
    pub fn canary(&self, model: usize) -> Option<Canary> {
        self.story.canary(model, self.t())
    }

    /// Index of the version that serves now, and of the one under trial with its share of traffic 0…1.
    pub fn serving(&self, model: usize) -> (usize, Option<(usize, f64)>) {
        let Some(part) = self.models.get(model).map(|model| &model.part) else { return (0, None) };
        let next = (part.stable + 1 < part.versions.len()).then_some(part.stable + 1);
        match (self.canary(model), next) {
            (Some(canary), Some(next)) if canary.phase == "healthy" => (next, None),
            (Some(canary), Some(next)) if canary.step < STEPS.len() => {
                (part.stable, Some((next, canary.weight / 100.0)))
            }
            _ => (part.stable, None),
        }
    }

    /// Index of a model by its name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The quality KPIs of a version now: with a slow wave, so that a line is not a ruler.
    pub fn quality(&self, model: usize, version: usize, t: f64) -> Vec<f64> {
        let Some(part) = self.models.get(model).map(|model| &model.part) else { return Vec::new() };
        let mood = self.story.mood(model, version > part.stable, t);
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
