//! The shape of `wardroom.toml`.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::access::Access;
use super::control::{AutoConfig, ClusterConfig, ControlConfig, HaproxyConfig, RolloutConfig, VerifyConfig};
use super::drift_reports::DriftReportsConfig;
use super::duration::Span;
use super::feature_histograms::FeatureHistogramsConfig;
use super::history::HistoryConfig;
use super::preset::Preset;
use super::samples::SamplesConfig;
use super::servers::{
    AlertmanagerConfig, CanaryConfig, FileRegistryConfig, MlflowConfig, MlopsConfig, PrometheusConfig,
};
use crate::domain::{Kpi, ModelKind};

/// All settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The name of what is watched, shown in the header.
    pub environment: String,
    /// How often each source is polled, unless it says otherwise.
    pub refresh: Span,
    /// The deadline of one request, unless a source says otherwise.
    pub timeout: Span,
    /// The window over which rates and percentiles are taken; at least four times the scrape interval.
    pub window: Span,
    /// Largest answer that is read, in MiB.
    pub max_answer_mib: u64,
    /// How many requests may be under way at once.
    pub concurrency: usize,
    /// The theme: a name (`default`, `light`, `colour-blind`, `high-contrast`, `mono`) or a file.
    pub theme: String,
    /// Draw with ASCII characters only.
    pub ascii: bool,
    /// Take the mouse from the terminal at the start.
    pub mouse: bool,
    /// At most so many frames a second.
    pub max_fps: u32,
    /// Prometheus servers.
    pub prometheus: Vec<PrometheusConfig>,
    /// MLflow registries.
    pub mlflow: Vec<MlflowConfig>,
    /// File registries.
    pub files: Vec<FileRegistryConfig>,
    /// Alertmanagers.
    pub alertmanager: Vec<AlertmanagerConfig>,
    /// MLOps services.
    pub mlops: Vec<MlopsConfig>,
    /// Canary controllers that speak the documented HTTP interface.
    pub canary: Vec<CanaryConfig>,
    /// Kubernetes clusters.
    pub cluster: Vec<ClusterConfig>,
    /// HAProxies whose weights split traffic.
    pub haproxy: Vec<HaproxyConfig>,
    /// How wardroom may act.
    pub control: ControlConfig,
    /// What is kept of what was seen.
    pub history: HistoryConfig,
    /// Drift reports in files or in an Evidently service.
    pub drift_reports: Vec<DriftReportsConfig>,
    /// Raw samples in files, whose drift is computed.
    pub samples: Vec<SamplesConfig>,
    /// Feature histograms in Prometheus, whose drift is computed.
    pub feature_histograms: Vec<FeatureHistogramsConfig>,
    /// Own or changed metric catalogue entries, by name of the server kind.
    pub preset: BTreeMap<String, Preset>,
    /// Limits by scope (`all`, `classification`, `regression`) and KPI.
    pub limits: BTreeMap<String, BTreeMap<Kpi, LimitConfig>>,
    /// Named alert rules beside the limits.
    pub rule: Vec<NamedRule>,
    /// How canaries are judged.
    pub judge: crate::judge::Rules,
    /// Changed keys: action to key, `filter = "/"`.
    pub keys: BTreeMap<String, String>,
    /// The models, in the order in which they stand while nothing is wrong.
    pub model: Vec<ModelConfig>,
}

impl Config {
    /// The deadline of a request to a server that may have one of its own.
    pub fn deadline(&self, own: Option<Span>) -> Duration {
        own.unwrap_or(self.timeout).0
    }

    /// How often a source is polled that may have an interval of its own, seconds.
    pub fn interval_s(&self, own: Option<Span>) -> f64 {
        own.unwrap_or(self.refresh).as_secs_f64()
    }

    /// What is wrong with a table that names this model, and what to do; nothing when the model is there.
    pub(super) fn lacks(&self, name: &str) -> Option<(String, &'static str)> {
        let is_there = self.model.iter().any(|model| model.name == name);
        let what = || format!("the model `{name}` is not in the config");
        (!is_there).then(|| (what(), "correct the name, or add a [[model]] of this name"))
    }

    /// The most bytes of one answer.
    pub fn max_bytes(&self) -> u64 {
        self.max_answer_mib.saturating_mul(1 << 20)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            environment: "local".into(),
            refresh: Span::seconds(15),
            timeout: Span::seconds(5),
            window: Span::seconds(300),
            max_answer_mib: 16,
            concurrency: 64,
            theme: "default".into(),
            ascii: false,
            mouse: false,
            max_fps: 30,
            prometheus: Vec::new(),
            mlflow: Vec::new(),
            files: Vec::new(),
            alertmanager: Vec::new(),
            mlops: Vec::new(),
            canary: Vec::new(),
            cluster: Vec::new(),
            haproxy: Vec::new(),
            control: ControlConfig::default(),
            history: HistoryConfig::default(),
            drift_reports: Vec::new(),
            samples: Vec::new(),
            feature_histograms: Vec::new(),
            preset: BTreeMap::new(),
            limits: BTreeMap::new(),
            rule: Vec::new(),
            judge: crate::judge::Rules::default(),
            keys: BTreeMap::new(),
            model: Vec::new(),
        }
    }
}

/// One model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Its name, unique in the environment.
    pub name: String,
    /// What it predicts.
    #[serde(default)]
    pub kind: ModelKind,
    /// The namespace it runs in, empty outside clusters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its name in the registries, when it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_name: Option<String>,
    /// Where its metrics are found in Prometheus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<PrometheusModel>,
    /// Its servers, polled directly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoint: Vec<EndpointConfig>,
    /// Its own limits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<Kpi, LimitConfig>,
    /// Where its rollout is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutConfig>,
    /// What wardroom may do by itself; nothing when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic: Option<AutoConfig>,
    /// What verification looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<VerifyConfig>,
}

/// Where a model's metrics are found in Prometheus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrometheusModel {
    /// Which Prometheus; the first when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The server kind: an entry of the metric catalogue. Several may be named: the first that has a KPI wins.
    #[serde(default)]
    pub preset: Vec<String>,
    /// Label matchers added to every query: `deployment="als", environment="prod"`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub select: String,
    /// The label that tells the model; the preset's when absent, none when empty (then `select` must).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_label: Option<String>,
    /// The value of that label; the model's name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_value: Option<String>,
    /// The label that tells the version; the preset's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_label: Option<String>,
    /// Own PromQL by KPI, in the KPI's unit (ms, percent, 0…1); overrides the preset.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub queries: BTreeMap<Kpi, String>,
}

/// What a model server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Open Inference Protocol v2: MLServer, KServe, Triton.
    Oip,
    /// `mlflow models serve`.
    MlflowScoring,
    /// BentoML.
    Bentoml,
    /// Any URL that answers 2xx when well.
    Health,
}

/// One server of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// Its name, unique; the model's name with a number when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it speaks.
    pub protocol: Protocol,
    /// Its base URL (for `health`: the URL itself).
    pub url: Url,
    /// The model's name on this server, when it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The version that this server serves, when its metrics and answers do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its metrics page, scraped into own series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Url>,
    /// The server kind of the metrics page: an entry of the metric catalogue; recognised when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// How often it is polled; the general `refresh` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// The deadline of a request; the general `timeout` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How it is reached.
    #[serde(default)]
    pub access: Access,
}

/// Limits of one KPI, in its unit (latency ms, rates percent, scores 0…1). What is absent is inherited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitConfig {
    /// What good looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// Beyond this somebody should look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<f64>,
    /// Beyond this somebody must act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critical: Option<f64>,
    /// Fewer samples than this judge nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_samples: Option<u64>,
}

/// How bad a named rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody should look.
    Warning,
    /// Somebody must act.
    Critical,
}

/// A named alert rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedRule {
    /// Its name, shown as the judging rule.
    pub name: String,
    /// What it judges.
    pub kpi: Kpi,
    /// Broken strictly beyond this value, in the bad direction of the KPI.
    pub limit: f64,
    /// How bad it is.
    pub severity: Severity,
    /// Only for these models; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Fewer samples than this judge nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_samples: Option<u64>,
}
