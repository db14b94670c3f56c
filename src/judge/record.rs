//! Recorded blocks: one JSON object a line, as `wardroom judge FILE` reads them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::portion::{Counts, Portion, Role};
use super::rollout::Look;
use super::rules::MetricKind;
use crate::domain::Time;
use crate::stats::sequential::Arm;

/// A line as it is written. Other fields are left alone: recorders may add their own.
#[derive(Deserialize)]
struct Line {
    t: Time,
    metric: String,
    arm: String,
    events: Option<u64>,
    trials: Option<u64>,
    buckets: Option<BTreeMap<String, f64>>,
    age_s: Option<f64>,
    predictions: Option<u64>,
    instance: Option<String>,
}

/// What is wrong with a recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}; {remedy}")]
pub struct RecordError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

/// A whole recording.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recording {
    /// Its metrics, in the order in which they appear.
    pub metrics: Vec<(Arc<str>, MetricKind)>,
    /// Its looks, in order of time: all lines of one moment are one look.
    pub looks: Vec<Look>,
}

const SHAPE: &str = "write {\"t\":\"2026-01-01T00:00:00Z\",\"metric\":\"errors\",\"arm\":\"canary\",\"events\":3,\"trials\":200}";

impl Line {
    fn parse(text: &str) -> Result<Self, (String, &'static str)> {
        serde_json::from_str(text).map_err(|why| (format!("not a block: {why}"), SHAPE))
    }

    fn portion(self) -> Result<Portion, (String, &'static str)> {
        let role = match self.arm.as_str() {
            "canary" => Role::Canary,
            "baseline" => Role::Baseline,
            other => return Err((format!("arm `{other}`"), "arm is `canary` or `baseline`")),
        };
        let counts = match (self.buckets, self.events, self.trials) {
            (Some(buckets), None, None) => Counts::Buckets(cumulative(&buckets)?.into()),
            (None, Some(events), Some(trials)) if events <= trials => {
                Counts::Events(Arm::new(events, trials))
            }
            (None, Some(events), Some(trials)) => {
                return Err((format!("{events} events of {trials} trials"), "events are at most the trials"));
            }
            _ => return Err(("neither counts nor buckets alone".into(), SHAPE)),
        };
        let age_s = match self.age_s {
            Some(age) if !(0.0..=1e12).contains(&age) => {
                return Err((format!("age_s {age}"), "age_s is seconds, 0 or more"));
            }
            age => age.map(|age| age.round() as u64),
        };
        let instance = self.instance.map(|name| crate::domain::text::clean_name(&name).into());
        Ok(Portion { role, instance, age_s, predictions: self.predictions, counts })
    }
}

/// Buckets by upper bound, cumulative, the last one infinite.
fn cumulative(buckets: &BTreeMap<String, f64>) -> Result<Vec<(f64, f64)>, (String, &'static str)> {
    let mut sorted = Vec::with_capacity(buckets.len());
    for (bound, &count) in buckets {
        let parsed = match bound.as_str() {
            "+Inf" | "Inf" | "inf" | "+inf" | "Infinity" => f64::INFINITY,
            text => text.parse::<f64>().unwrap_or(f64::NAN),
        };
        if parsed.is_nan() {
            return Err((
                format!("bucket `{bound}`"),
                "a bucket is named by its upper bound in seconds, or +Inf",
            ));
        }
        if !(count >= 0.0 && count.is_finite()) {
            return Err((format!("bucket `{bound}` holds {count}"), "a bucket holds a count"));
        }
        sorted.push((parsed, count));
    }
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    if sorted.last().is_none_or(|last| last.0 != f64::INFINITY) {
        return Err(("no +Inf bucket".into(), "the +Inf bucket holds all answers of the block"));
    }
    if sorted.windows(2).any(|pair| pair[1].1 < pair[0].1) {
        return Err(("buckets fall".into(), "buckets are cumulative over their bounds"));
    }
    Ok(sorted)
}

/// Reads a recording. Empty lines are skipped.
///
/// # Errors
/// The first line that is no block, or that does not fit the others of its metric.
pub fn parse(text: &str) -> Result<Recording, RecordError> {
    let mut kinds: Vec<(Arc<str>, MetricKind)> = Vec::new();
    let mut looks: BTreeMap<Time, BTreeMap<usize, Vec<Portion>>> = BTreeMap::new();
    for (index, text) in text.lines().enumerate() {
        if text.trim().is_empty() {
            continue;
        }
        let wrong = |(what, remedy): (String, &'static str)| RecordError { line: index + 1, what, remedy };
        let line = Line::parse(text).map_err(wrong)?;
        let (at, name, has_age) =
            (line.t, crate::domain::text::clean_name(&line.metric), line.age_s.is_some());
        let portion = line.portion().map_err(wrong)?;
        let has_buckets = matches!(portion.counts, Counts::Buckets(_));
        let kind = match MetricKind::of(&name, has_buckets) {
            MetricKind::Counts if has_age => MetricKind::Accuracy,
            kind => kind,
        };
        let place = match kinds.iter().position(|(known, _)| **known == *name) {
            Some(place) => place,
            None => {
                kinds.push((name.as_str().into(), kind));
                kinds.len() - 1
            }
        };
        let is_latency = |kind| kind == MetricKind::Latency;
        if is_latency(kinds[place].1) != has_buckets {
            let what = format!("metric `{name}` has both counts and buckets, or a latency has no buckets");
            return Err(wrong((what, "a latency is given by buckets, everything else by events and trials")));
        }
        looks.entry(at).or_default().entry(place).or_default().push(portion);
    }
    let name = |place: usize| kinds[place].0.clone();
    let looks = looks
        .into_iter()
        .map(|(at, metrics)| Look {
            at,
            share: None,
            metrics: metrics.into_iter().map(|(place, portions)| (name(place), portions)).collect(),
        })
        .collect();
    Ok(Recording { metrics: kinds, looks })
}
