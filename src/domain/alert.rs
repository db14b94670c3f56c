//! Alerts and silences, as Alertmanager and Prometheus tell them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Level, Time};

/// What an alert is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Known to Prometheus, not yet long enough true.
    Pending,
    /// Firing.
    Firing,
    /// Firing, muted by a silence.
    Silenced,
    /// Firing, muted by another alert.
    Inhibited,
}

impl AlertState {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Silenced => "silenced",
            Self::Inhibited => "inhibited",
        }
    }
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// What makes it the same alert between two polls.
    pub fingerprint: String,
    /// `alertname`.
    pub name: String,
    /// All labels, cleaned.
    pub labels: BTreeMap<String, String>,
    /// The summary or description.
    pub summary: String,
    /// From the `severity` label: critical (also page, error), warning, else ok for information.
    pub severity: Level,
    /// What it is doing.
    pub state: AlertState,
    /// Since when.
    pub since: Time,
    /// The model it speaks of, when a label names one that the fleet knows.
    pub model: Option<super::ModelId>,
    /// Identifiers of the silences that mute it.
    pub silenced_by: Vec<String>,
}

/// A silence that is active or will be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Its identifier.
    pub id: String,
    /// The matchers in words: `model="als"`.
    pub matchers: String,
    /// Who made it.
    pub by: String,
    /// Why.
    pub comment: String,
    /// When it ends.
    pub until: Time,
}
