//! A rollout as its controller tells it: steps, weights, state. Reading only.

use serde::{Deserialize, Serialize};

use super::{Time, Version};

/// Where a rollout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Weight moves or a step runs.
    Progressing,
    /// Held at a step, by itself or by hand.
    Paused,
    /// All traffic on one version.
    Healthy,
    /// Aborted: back on stable.
    Aborted,
    /// The controller itself calls it failed.
    Degraded,
}

impl Phase {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Progressing => "progressing",
            Self::Paused => "paused",
            Self::Healthy => "healthy",
            Self::Aborted => "aborted",
            Self::Degraded => "degraded",
        }
    }
}

/// One step of a canary.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Weight of the canary at this step, percent.
    pub weight: f64,
    /// How long the step pauses, seconds; `None` waits for a person.
    #[serde(default)]
    pub pause_s: Option<f64>,
}

/// A rollout of one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rollout {
    /// Which controller told it, in words: `argo-rollouts`, `demo`.
    pub controller: String,
    /// The version that serves.
    pub stable: Version,
    /// The version under trial, when there is one.
    pub canary: Option<Version>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The current step, from 0; equal to the number of steps when done.
    pub step: usize,
    /// Weight asked for the canary, percent.
    pub asked: f64,
    /// Share measured by the controller or splitter itself, percent.
    pub measured: Option<f64>,
    /// Where it stands.
    pub phase: Phase,
    /// Since when.
    pub since: Option<Time>,
    /// When the current pause ends by itself.
    pub until: Option<Time>,
    /// Whether it waits for a person.
    pub waits: bool,
    /// Who owns the manifest: `Argo CD, self-heal`, empty when nobody.
    pub owner: String,
    /// What the controller says about it.
    pub message: String,
}

impl Rollout {
    /// Whether a canary takes part of the traffic now.
    pub fn is_live(&self) -> bool {
        self.canary.is_some() && !matches!(self.phase, Phase::Healthy)
    }
}
