//! The metric catalogue's entries: what a server kind publishes under which name. Data, not code.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{DriftScale, Kpi};

/// The unit of a metric on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Unit {
    /// Seconds.
    #[default]
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// A share 0…1, shown in percent.
    #[serde(rename = "ratio")]
    Ratio,
    /// As it is.
    #[serde(rename = "plain")]
    Plain,
}

impl Unit {
    /// The factor that brings a latency to milliseconds, a ratio to percent.
    pub fn factor(self) -> f64 {
        match self {
            Self::Seconds => 1_000.0,
            Self::Milliseconds | Self::Plain => 1.0,
            Self::Microseconds => 0.001,
            Self::Ratio => 100.0,
        }
    }
}

/// How latencies are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistogramType {
    /// `_bucket` series with `le`.
    #[default]
    Histogram,
    /// A native histogram: one series, no `le`.
    NativeHistogram,
    /// Ready-made quantiles: cannot be added up, the worst instance is shown.
    Summary,
}

/// A latency distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistogramPreset {
    /// Names for it without `_bucket`, the first that exists wins.
    pub metric: Vec<String>,
    /// How it is published.
    #[serde(rename = "type", default)]
    pub kind: HistogramType,
    /// Its unit.
    #[serde(default)]
    pub unit: Unit,
    /// Label matchers in PromQL: `path=~".*/infer"`.
    #[serde(default)]
    pub select: String,
    /// Whether it tells models apart (`model`) or speaks of the whole server (`server`).
    #[serde(default = "model_scope")]
    pub scope: String,
}

fn model_scope() -> String {
    "model".into()
}

/// A counter of requests or failures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CounterPreset {
    /// Names for it, the first that exists wins.
    pub metric: Vec<String>,
    /// Another counter to add: successes plus failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plus: Option<String>,
    /// Label matchers in PromQL.
    #[serde(default)]
    pub select: String,
}

/// A mean: rate of a sum over rate of a count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeanPreset {
    /// The sum of durations.
    pub sum: String,
    /// The count of requests.
    pub count: String,
    /// The unit of the sum.
    #[serde(default)]
    pub unit: Unit,
    /// Label matchers in PromQL.
    #[serde(default)]
    pub select: String,
}

/// A gauge that is a KPI.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GaugePreset {
    /// Names for it, the first that exists wins.
    pub metric: Vec<String>,
    /// The unit on the wire; `ratio` is shown in percent.
    #[serde(default = "plain")]
    pub unit: Unit,
    /// Label matchers in PromQL.
    #[serde(default)]
    pub select: String,
}

fn plain() -> Unit {
    Unit::Plain
}

/// A counter of predictions whose label has come, one series an outcome: what accuracy is judged by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelPreset {
    /// Names for it, the first that exists wins.
    pub metric: Vec<String>,
    /// Label matchers in PromQL of those that were wrong: `correct="false"`.
    pub wrong: String,
    /// The label with the age of the labels in seconds: only predictions of equal age are compared.
    #[serde(default = "age_label")]
    pub age: String,
}

fn age_label() -> String {
    "age_s".into()
}

/// A drift gauge, one series a feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftPreset {
    /// Names for it, the first that exists wins.
    pub metric: Vec<String>,
    /// Labels that may hold the feature's name, the first that exists wins.
    #[serde(default = "feature_labels")]
    pub feature: Vec<String>,
    /// The label with the feature's group.
    #[serde(default = "group_label")]
    pub group: String,
    /// The label with the method, which tells what the score means.
    #[serde(default = "method_label")]
    pub method: String,
    /// What the score means when no label tells. Without either, the source refuses to guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<DriftScale>,
    /// The threshold of the exporter's own test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

fn feature_labels() -> Vec<String> {
    ["feature", "column_name", "feature_name", "column"].map(String::from).to_vec()
}

fn group_label() -> String {
    "group".into()
}

fn method_label() -> String {
    "method".into()
}

/// What one kind of server publishes. Every part is optional; a user's entry of the same name overrides
/// ours part by part.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Preset {
    /// Metrics that must all exist for this kind to be recognised.
    pub detect: Vec<String>,
    /// Labels that may hold the model's name, the first that exists wins.
    pub model_label: Vec<String>,
    /// Labels that may hold the version, the first that exists wins.
    pub version_label: Vec<String>,
    /// The latency distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<HistogramPreset>,
    /// The mean latency, where there is no distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<MeanPreset>,
    /// All requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<CounterPreset>,
    /// Failed requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<CounterPreset>,
    /// Gauges by KPI: quality, labels, resources.
    pub gauges: BTreeMap<Kpi, GaugePreset>,
    /// Predictions whose label has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelPreset>,
    /// Drift per feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftPreset>,
}
