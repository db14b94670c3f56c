//! The field's words: types and rules without input, output, clock or widgets.

pub mod act;
pub mod alert;
pub mod counters;
pub mod drift;
pub mod endpoint;
pub mod event;
pub mod fault;
pub mod identity;
pub mod incident;
pub mod judge;
pub mod kpi;
pub mod limits;
pub mod observation;
pub mod registry;
pub mod rollout;
pub mod text;

pub use alert::{Alert, AlertState, Silence};
pub use counters::{Counter, Total};
pub use drift::{DriftLevel, DriftScale, FeatureDrift};
pub use endpoint::{EndpointStatus, Readiness};
pub use event::{Event, EventKind};
pub use fault::{Fault, FaultKind, Freshness};
pub use identity::{ModelId, SourceId, Version};
pub use judge::{Judgement, Level, Reading, judge};
pub use kpi::{Direction, Kpi, ModelKind};
pub use limits::{Limits, Origin, Rule};
pub use observation::{Fact, Harvest, Report, SourceGroup, SourceInfo};
pub use registry::{RegisteredModel, RegisteredVersion, disagreement};
pub use rollout::{
    Analysis, AnalysisMetric, Condition, ControllerKind, Phase, Revision, Rollout, Situation, Step, Target,
};

/// A moment, always UTC.
pub type Time = chrono::DateTime<chrono::Utc>;
