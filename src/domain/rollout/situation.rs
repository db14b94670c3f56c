//! Where a rollout stands, whatever its controller calls that.

use serde::{Deserialize, Serialize};

/// Where a rollout stands, roughly. [`Situation`] is finer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Weight moves or a step runs.
    Progressing,
    /// Held at a step, by itself or by hand.
    Paused,
    /// All traffic on one version.
    #[default]
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

/// Where a rollout stands, with what it waits for: the same words for every controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Situation {
    /// One version, nothing under way.
    #[default]
    Idle,
    /// The first pods of a new version start.
    Starting,
    /// A step runs or the weight moves.
    Progressing,
    /// A pause of the plan's own; promote releases it.
    PausedByStep,
    /// A person holds it; release ends it.
    PausedByHand,
    /// An analysis could not tell.
    PausedInconclusive,
    /// A gate waits for an approval.
    WaitingApproval,
    /// The whole controller is told to ignore it; its own checks stand still too.
    Suspended,
    /// A promotion was accepted and then lost by the controller: any write wakes it.
    PromotionLost,
    /// The abort is under way.
    Aborting,
    /// Back on stable; the manifest still wants the other version.
    Aborted,
    /// All traffic goes to the new version.
    Promoting,
    /// An older version comes back.
    RollingBack,
    /// The new version has become the stable one.
    Complete,
    /// The controller calls it failed.
    Degraded,
    /// Nothing recent is known.
    Unknown,
}

impl Situation {
    /// The words on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Starting => "starting",
            Self::Progressing => "progressing",
            Self::PausedByStep => "paused by its step",
            Self::PausedByHand => "held by hand",
            Self::PausedInconclusive => "paused: analysis inconclusive",
            Self::WaitingApproval => "waits for approval",
            Self::Suspended => "suspended",
            Self::PromotionLost => "promotion lost",
            Self::Aborting => "aborting",
            Self::Aborted => "aborted",
            Self::Promoting => "promoting",
            Self::RollingBack => "rolling back",
            Self::Complete => "complete",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
        }
    }

    /// The rough phase it belongs to.
    pub fn phase(self) -> Phase {
        match self {
            Self::Idle | Self::Complete => Phase::Healthy,
            Self::Starting | Self::Progressing | Self::Promoting | Self::RollingBack | Self::Aborting => {
                Phase::Progressing
            }
            Self::PausedByStep
            | Self::PausedByHand
            | Self::PausedInconclusive
            | Self::WaitingApproval
            | Self::Suspended
            | Self::PromotionLost => Phase::Paused,
            Self::Aborted => Phase::Aborted,
            Self::Degraded | Self::Unknown => Phase::Degraded,
        }
    }
}
