//! The answers of the small interface as they come, and what they say.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::text::{clean, clean_name};
use crate::domain::{
    Analysis, AnalysisMetric, Condition, ControllerKind, Level, Phase, Revision, Rollout, Situation,
    SourceId, Step, Target, Version,
};
use crate::sources::lenient::{self, Lenient};

/// Lists longer than this are cut: they come from somebody else's program.
const LONGEST: usize = 200;

/// `GET /api/v1/rollouts`.
#[derive(Deserialize)]
pub struct Body {
    /// How the controller calls itself.
    pub controller: Option<String>,
    /// Its rollouts.
    #[serde(default)]
    pub rollouts: Vec<Lenient<Entry>>,
}

/// One rollout, as it is told.
#[derive(Deserialize)]
pub struct Entry {
    /// The model, which is the rollout's name.
    pub model: String,
    /// Its namespace.
    pub namespace: Option<String>,
    controller: Option<String>,
    stable: Option<String>,
    canary: Option<String>,
    #[serde(default)]
    steps: Option<Vec<Step>>,
    step: Option<usize>,
    asked: Option<f64>,
    set: Option<f64>,
    measured: Option<f64>,
    phase: Option<String>,
    situation: Option<String>,
    since: Option<String>,
    until: Option<String>,
    waits: Option<bool>,
    owner: Option<String>,
    autoscaler: Option<String>,
    message: Option<String>,
    pause: Option<String>,
    generation: Option<u64>,
    acts: Option<Acts>,
    dry_run: Option<bool>,
    #[serde(default)]
    cannot: BTreeMap<String, String>,
    #[serde(default)]
    revisions: Vec<Lenient<RevisionEntry>>,
    #[serde(default)]
    analyses: Vec<Lenient<AnalysisEntry>>,
    #[serde(default)]
    conditions: Vec<Lenient<ConditionEntry>>,
}

/// Which acts a controller takes: all, none, or these.
#[derive(Deserialize)]
#[serde(untagged)]
enum Acts {
    All(bool),
    These(Vec<String>),
}

#[derive(Deserialize)]
struct RevisionEntry {
    number: Option<u64>,
    #[serde(default)]
    hash: String,
    version: Option<String>,
    #[serde(default)]
    images: Vec<String>,
    created: Option<String>,
    #[serde(default)]
    stable: bool,
    #[serde(default)]
    canary: bool,
    #[serde(default)]
    pods: (u32, u32),
    #[serde(default)]
    known_bad: String,
}

#[derive(Deserialize)]
struct AnalysisEntry {
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    phase: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    metrics: Vec<MetricEntry>,
}

#[derive(Deserialize)]
struct MetricEntry {
    name: String,
    #[serde(default)]
    phase: String,
    value: Option<serde_json::Value>,
    #[serde(default)]
    limit: String,
    #[serde(default)]
    count: u32,
    #[serde(default)]
    failed: u32,
    may_fail: Option<u32>,
}

#[derive(Deserialize)]
struct ConditionEntry {
    level: Option<String>,
    text: String,
}

/// What one entry says.
#[derive(Debug, Clone)]
pub struct Told {
    /// The rollout.
    pub rollout: Rollout,
    /// The number that moves with every change, when it has one.
    pub generation: Option<u64>,
    /// Whether it can say what an act would do without doing it.
    pub dry_run: bool,
}

/// The verbs of the interface.
const VERBS: [&str; 8] =
    ["pause", "resume", "promote", "promote-full", "abort", "retry", "rollback", "weight"];

impl Entry {
    /// What it says, told by `system`.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn told(self, system: &SourceId, controller: &str) -> Result<Told, String> {
        let phase_word = self.phase.as_deref().unwrap_or_default();
        let situation = self.situation.as_deref().and_then(situation);
        let phase = phase(phase_word).or_else(|| situation.map(Situation::phase));
        let (Some(stable), Some(phase)) = (self.stable.as_deref(), phase) else {
            return Err(format!("no stable version or unknown phase `{phase_word}`"));
        };
        let steps = self.steps.unwrap_or_default();
        let percent = |value: f64| value.is_finite().then(|| value.clamp(0.0, 100.0));
        let step = self.step.unwrap_or(0).min(steps.len());
        let waits = self.waits.unwrap_or(false);
        let canary = self.canary.as_deref().filter(|name| !name.is_empty()).map(Version::new);
        let pause = clean(&self.pause.unwrap_or_default(), 200);
        let message = clean(&self.message.unwrap_or_default(), 400);
        let message = match (pause.is_empty() || message.contains(&pause), message.is_empty()) {
            (true, _) => message,
            (false, true) => pause,
            (false, false) => format!("{pause}: {message}"),
        };
        let acts = self.acts.unwrap_or(Acts::All(false));
        let target = (!matches!(acts, Acts::All(false))).then(|| Target {
            system: system.clone(),
            kind: ControllerKind::Http,
            context: "".into(),
            namespace: clean_name(self.namespace.as_deref().unwrap_or_default()).into(),
            name: clean_name(&self.model).into(),
        });
        let mut cannot: Vec<(String, String)> = self
            .cannot
            .into_iter()
            .take(LONGEST)
            .map(|(verb, why)| (clean_name(&verb), clean(&why, 200)))
            .collect();
        if let Acts::These(verbs) = acts {
            let missing = VERBS
                .into_iter()
                .filter(|verb| !verbs.iter().any(|listed| listed == verb))
                .filter(|verb| !cannot.iter().any(|(told, _)| told == verb));
            let missing: Vec<_> = missing
                .map(|verb| (verb.to_owned(), format!("this controller has no {verb}; use its own tool")))
                .collect();
            cannot.extend(missing);
        }
        let mut conditions: Vec<Condition> = ok(self.conditions).map(ConditionEntry::condition).collect();
        conditions.sort_by_key(|condition| std::cmp::Reverse(condition.level));
        let rollout = Rollout {
            target,
            situation: situation
                .unwrap_or_else(|| derived(phase, waits, canary.is_some(), self.until.is_some())),
            canary,
            step,
            steps,
            asked: self.asked.and_then(percent).unwrap_or(0.0),
            set: self.set.and_then(percent),
            measured: self.measured.and_then(percent),
            phase,
            since: lenient::time(self.since.as_deref()),
            until: lenient::time(self.until.as_deref()),
            waits,
            owner: clean_name(&self.owner.unwrap_or_default()),
            autoscaler: clean_name(&self.autoscaler.unwrap_or_default()),
            message,
            revisions: ok(self.revisions).map(RevisionEntry::revision).collect(),
            analyses: ok(self.analyses).map(AnalysisEntry::analysis).collect(),
            conditions,
            cannot,
            ..Rollout::of(clean_name(self.controller.as_deref().unwrap_or(controller)), Version::new(stable))
        };
        Ok(Told { rollout, generation: self.generation, dry_run: self.dry_run.unwrap_or(false) })
    }
}

/// What could be read of a list, its first part when it is too long.
fn ok<T>(list: Vec<Lenient<T>>) -> impl Iterator<Item = T> {
    list.into_iter().filter_map(|entry| entry.0.ok()).take(LONGEST)
}

impl RevisionEntry {
    fn revision(self) -> Revision {
        Revision {
            number: self.number,
            hash: clean_name(&self.hash),
            version: self.version.as_deref().filter(|name| !name.is_empty()).map(Version::new),
            images: self.images.iter().take(8).map(|image| clean_name(image)).collect(),
            created: lenient::time(self.created.as_deref()),
            is_stable: self.stable,
            is_canary: self.canary,
            pods: self.pods,
            known_bad: clean(&self.known_bad, 200),
        }
    }
}

impl AnalysisEntry {
    fn analysis(self) -> Analysis {
        let metric = |metric: MetricEntry| AnalysisMetric {
            name: clean_name(&metric.name),
            phase: clean_name(&metric.phase),
            value: metric.value.map(|value| shown(&value)).unwrap_or_default(),
            limit: clean_name(&metric.limit),
            counts: (metric.count, metric.failed, metric.may_fail),
        };
        Analysis {
            name: clean_name(&self.name),
            kind: clean_name(&self.kind),
            phase: clean_name(&self.phase),
            message: clean(&self.message, 400),
            metrics: self.metrics.into_iter().take(LONGEST).map(metric).collect(),
        }
    }
}

/// A value as it is shown: text without its quotes, anything else as it is written.
fn shown(value: &serde_json::Value) -> String {
    clean(&value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned), 60)
}

impl ConditionEntry {
    fn condition(self) -> Condition {
        let level = match self.level.unwrap_or_default().to_ascii_lowercase().as_str() {
            "critical" | "error" => Level::Critical,
            "warning" => Level::Warning,
            "unknown" => Level::Unknown,
            _ => Level::Ok,
        };
        Condition { level, text: clean(&self.text, 300) }
    }
}

fn phase(word: &str) -> Option<Phase> {
    Some(match word.to_ascii_lowercase().as_str() {
        "progressing" => Phase::Progressing,
        "paused" => Phase::Paused,
        "healthy" => Phase::Healthy,
        "aborted" => Phase::Aborted,
        "degraded" => Phase::Degraded,
        _ => return None,
    })
}

/// A situation by its name, written with `-` or `_`.
fn situation(word: &str) -> Option<Situation> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    serde_json::from_value(serde_json::Value::String(word)).ok()
}

/// The situation of a controller that tells only the phase.
fn derived(phase: Phase, waits: bool, canary: bool, timed: bool) -> Situation {
    match phase {
        Phase::Progressing => Situation::Progressing,
        // A pause that ends by itself, or waits for a decision, is the plan's own.
        Phase::Paused if waits || timed => Situation::PausedByStep,
        Phase::Paused => Situation::PausedByHand,
        Phase::Healthy if canary => Situation::Complete,
        Phase::Healthy => Situation::Idle,
        Phase::Aborted => Situation::Aborted,
        Phase::Degraded => Situation::Degraded,
    }
}
