//! What happened, for the timeline.

use serde::{Deserialize, Serialize};

use super::{Level, ModelId, Time};

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A KPI crossed a limit, or came back.
    Judgement,
    /// An alert fired or ended.
    Alert,
    /// A canary's weight, step or state changed.
    Rollout,
    /// A version, alias or stage changed in a registry.
    Registry,
    /// A source went away or came back.
    Source,
    /// A drift level changed.
    Drift,
    /// A person wrote a note.
    Note,
    /// wardroom acted upon the world, for a person or by itself.
    Action,
}

impl EventKind {
    /// The word on screen and in filters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Judgement => "judgement",
            Self::Alert => "alert",
            Self::Rollout => "rollout",
            Self::Registry => "registry",
            Self::Source => "source",
            Self::Drift => "drift",
            Self::Note => "note",
            Self::Action => "action",
        }
    }
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened, or was seen first.
    pub at: Time,
    /// What kind of thing.
    pub kind: EventKind,
    /// Of which model, if of one.
    pub model: Option<ModelId>,
    /// How bad.
    pub level: Level,
    /// What happened, short: `weight 10 → 25 %`.
    pub what: String,
    /// Who or where, and details: `argo-rollouts  step 3`.
    pub detail: String,
}
