//! What an operator wants done, and who that is.

use serde::{Deserialize, Serialize};

use crate::domain::Version;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum Operation {
    /// Hold by hand.
    Pause,
    /// Release what is held by hand, and nothing else.
    Resume,
    /// Go on by one step: release a step's pause, or set the next weight.
    Promote,
    /// All traffic to the canary.
    PromoteFull,
    /// All traffic back to stable.
    Abort,
    /// Try an aborted canary again.
    Retry,
    /// Bring back a named version.
    RollBack {
        /// The version as it is named on screen.
        to: Version,
    },
    /// Set the canary's share of traffic.
    SetWeight {
        /// Percent, 0…100.
        percent: f64,
    },
}

impl Operation {
    /// The word of the command line, and the key of [`crate::domain::Rollout::cannot`].
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Promote => "promote",
            Self::PromoteFull => "promote-full",
            Self::Abort => "abort",
            Self::Retry => "retry",
            Self::RollBack { .. } => "rollback",
            Self::SetWeight { .. } => "weight",
        }
    }

    /// The words of a title: `Roll back`, to be followed by the model's name.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Pause => "Hold",
            Self::Resume => "Release",
            Self::Promote => "Promote",
            Self::PromoteFull => "Promote to all traffic:",
            Self::Abort => "Abort",
            Self::Retry => "Retry",
            Self::RollBack { .. } => "Roll back",
            Self::SetWeight { .. } => "Set the weight of",
        }
    }

    /// Whether it leads back to what is known to work.
    pub fn is_safe_direction(&self) -> bool {
        matches!(self, Self::Abort)
    }
}

/// Who acts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The user of the operating system.
    pub user: String,
    /// Where the SSH session came from, empty without one.
    pub origin: String,
    /// The machine.
    pub host: String,
    /// The identity towards the cluster or controller, as it tells it; empty until it was asked.
    pub identity: String,
    /// `room`, `command line`, or `automatic`.
    pub by: String,
}
