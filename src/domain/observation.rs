//! What sources say: facts, harvested together by one poll of one target.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Alert, Counter, EndpointStatus, Fault, FeatureDrift, Kpi, ModelId, Reading, RegisteredModel, Rollout,
    Silence, SourceId, Time, Version,
};

/// One fact about the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// A KPI now, of a model as a whole (`version` absent) or of one version.
    Reading {
        /// Of which model.
        model: ModelId,
        /// Of which version; absent for all traffic.
        version: Option<Version>,
        /// Which KPI.
        kpi: Kpi,
        /// The value and what it rests on.
        reading: Reading,
    },
    /// Past values of a KPI, for the charts. A missing point is a gap; NaN points are left out.
    History {
        /// Of which model.
        model: ModelId,
        /// Of which version; absent for all traffic.
        version: Option<Version>,
        /// Which KPI.
        kpi: Kpi,
        /// Moments and values, in order of time.
        points: Vec<(Time, f64)>,
        /// The distance between two points, seconds: above an hour they belong to the long series.
        step_s: u32,
    },
    /// A probe of one instance of a model's server.
    Endpoint {
        /// Whose instance.
        model: ModelId,
        /// What the probe saw.
        status: EndpointStatus,
    },
    /// Drift of features now. Replaces what this source said about these features before.
    Drift {
        /// Of which model.
        model: ModelId,
        /// One entry a feature.
        features: Vec<FeatureDrift>,
    },
    /// Past drift of one feature, on its raw scale.
    DriftHistory {
        /// Of which model.
        model: ModelId,
        /// The feature with its scale; `raw` and `at` are those of the newest point.
        feature: FeatureDrift,
        /// Moments and raw scores, in order of time.
        points: Vec<(Time, f64)>,
    },
    /// Kinds of drift that are not of one feature, in words ready to show.
    DriftFinding {
        /// Of which model.
        model: ModelId,
        /// `concept` or `prediction`.
        kind: String,
        /// What was found: `none found`, `+4 pts of 10`.
        finding: String,
        /// Whether it needs attention.
        abnormal: bool,
    },
    /// A model as one registry knows it; replaces what this registry said before.
    Registered {
        /// Which of the fleet's models.
        model: ModelId,
        /// What the registry says.
        entry: RegisteredModel,
    },
    /// Running totals of one metric by version: `errors`, `latency`, `accuracy` or any other count. They
    /// feed the judgement of canaries.
    Counters {
        /// Of which model.
        model: ModelId,
        /// Which metric.
        metric: Arc<str>,
        /// The totals.
        counters: Vec<Counter>,
    },
    /// A rollout as its controller tells it.
    Rollout {
        /// Of which model.
        model: ModelId,
        /// How it stands.
        rollout: Box<Rollout>,
    },
    /// A rollout that this source told of is not there any more.
    RolloutGone {
        /// Of which model.
        model: ModelId,
        /// What was looked for: `Rollout ml/sepsis`.
        what: String,
    },
    /// All alerts of this source; replaces what it said before.
    Alerts(Vec<Alert>),
    /// All silences of this source; replaces what it said before.
    Silences(Vec<Silence>),
    /// Something about the source that an operator should know: a server's warning, a preset that was
    /// guessed, clock skew. Shown in the log and with the source.
    Remark(String),
}

/// What one successful poll brought.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Harvest {
    /// The facts.
    pub facts: Vec<Fact>,
    /// The server's clock minus ours, seconds, when the server tells its time.
    pub skew_s: Option<f64>,
}

impl Harvest {
    /// A harvest of these facts.
    pub fn of(facts: Vec<Fact>) -> Self {
        Self { facts, skew_s: None }
    }
}

/// What a source is to the header: it groups the model endpoints into one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceGroup {
    /// Metrics servers.
    Prometheus,
    /// Model registries.
    Registry,
    /// Rollout controllers.
    Controller,
    /// Model servers.
    Endpoints,
    /// Alert managers.
    Alerts,
    /// The MLOps service.
    Mlops,
}

/// Who a target is: told once when polling starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// Its unique name.
    pub id: SourceId,
    /// Its group in the header.
    pub group: SourceGroup,
    /// The upstream's kind in words: `prometheus`, `mlflow`, `oip`.
    pub kind: std::borrow::Cow<'static, str>,
    /// Where it is, without credentials.
    pub place: String,
    /// How often it is polled, seconds.
    pub interval_s: f64,
    /// The model that it serves, for endpoints.
    pub model: Option<ModelId>,
    /// KPIs that it is expected to bring, for which models: silence of this source makes these unknown.
    pub owes: Vec<(ModelId, Kpi)>,
}

/// The outcome of one poll of one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The epoch in which the poll was asked; answers of older epochs change nothing.
    pub epoch: u64,
    /// Which target.
    pub source: SourceId,
    /// When the answer was complete.
    pub at: Time,
    /// How long it took, milliseconds.
    pub took_ms: f64,
    /// What it brought, or what went wrong.
    pub outcome: Result<Arc<Harvest>, Fault>,
}
