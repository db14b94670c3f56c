//! A model server as a probe sees it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Version;

/// Whether an instance would answer a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// Ready for this model.
    Ready,
    /// Alive, but not ready, or the model is not loaded.
    NotReady,
    /// The server does not know the model.
    Absent,
}

/// What a probe of one instance learned. A probe that failed is a [`super::Fault`] instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointStatus {
    /// The instance's name in the config, `als-2`.
    pub instance: Arc<str>,
    /// Whether it would answer.
    pub readiness: Readiness,
    /// How long the probe took, ms: the outside view of the server, not of a prediction.
    pub probe_ms: f64,
    /// Versions that the server says it holds.
    pub versions: Vec<Version>,
    /// Software and version, when the server tells.
    pub server: Option<String>,
    /// A word on what is wrong.
    pub detail: Option<String>,
}
