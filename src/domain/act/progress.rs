//! How far an act got: one value, written down whole at every step, so that a restart knows what this one knew.

use serde::{Deserialize, Serialize};

use super::{Operation, Plan};
use crate::domain::Time;

/// Where one request stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum RequestState {
    /// Not its turn.
    Waiting {
        /// For what, in words; empty: for the one before.
        for_what: String,
    },
    /// It is on its way: written down before it was sent.
    Sent {
        /// When.
        at: Time,
        /// The `Audit-ID` it carries.
        audit_id: String,
    },
    /// The server accepted it.
    Accepted {
        /// When it was sent.
        sent: Time,
        /// When the answer came.
        at: Time,
        /// The `Audit-ID` that the server told, or ours.
        audit_id: String,
        /// A word: `already so`, `resourceVersion 88123 → 88140`.
        note: String,
    },
    /// The server refused it, or the world had moved; nothing was changed by it.
    Refused {
        /// When.
        at: Time,
        /// Why, with the difference when the world had moved.
        why: String,
    },
    /// Nobody knows whether it was done.
    Unknown {
        /// When that became clear.
        at: Time,
        /// Why.
        why: String,
    },
    /// It was never sent.
    NotSent {
        /// Why.
        why: String,
    },
}

/// What a check saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum CheckState {
    /// Not yet.
    Waiting,
    /// It holds.
    Passed {
        /// Since when.
        at: Time,
    },
    /// It held and does not any more, or the opposite was seen.
    Failed {
        /// When.
        at: Time,
    },
    /// It was not seen in time: nobody knows.
    Unknown {
        /// When that became clear.
        at: Time,
    },
    /// There is nothing to look at here; `detail` says what to configure.
    Skipped,
}

/// One check with what it saw last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The check's name in the plan.
    pub id: String,
    /// The words.
    pub words: String,
    /// Whether the act is effective only with it.
    pub needed: bool,
    /// Where it stands.
    pub state: CheckState,
    /// What was seen: `weight 0 % on the route`, `20 of 20 probes 1.2.0`.
    pub detail: String,
}

/// Where the act stands as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Confirmed and written down.
    Confirmed,
    /// Requests are being sent.
    Sending,
    /// All were accepted; the checks are awaited.
    Verifying,
    /// Effective; it is watched on.
    Watching,
    /// Nothing more happens by itself.
    Over,
}

/// How an act ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Outcome {
    /// Users are on the right version; every needed check passed.
    Effective,
    /// Nothing was sent, because.
    Nothing {
        /// Why.
        why: String,
    },
    /// Something was sent and it failed, because.
    Failed {
        /// Why.
        why: String,
    },
    /// Nobody knows: it was sent and its effect was not seen in time.
    Unknown {
        /// Why.
        why: String,
    },
}

impl Outcome {
    /// The exit code of the command line.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Effective => 0,
            Self::Nothing { .. } => 1,
            Self::Failed { .. } => 2,
            Self::Unknown { .. } => 3,
        }
    }

    /// The word on screen.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Effective => "effective",
            Self::Nothing { .. } => "nothing sent",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// An act: a confirmed plan and how far it got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// The plan as it was confirmed.
    pub plan: Plan,
    /// When it was confirmed.
    pub confirmed_at: Time,
    /// One for each request of the plan.
    pub requests: Vec<RequestState>,
    /// One for each check of the plan.
    pub checks: Vec<Check>,
    /// Where it stands.
    pub stage: Stage,
    /// When it became effective.
    pub effective_at: Option<Time>,
    /// Until when it is watched on.
    pub watch_until: Option<Time>,
    /// What the watch saw that is not well: `reverted by argocd-controller 14:05:12`.
    pub watch_notes: Vec<String>,
    /// How it ended, or what is known so far when it was cut off.
    pub outcome: Option<Outcome>,
    /// The number of its last entry in the audit trail.
    pub audit: Option<u64>,
    /// Set after a restart: which process took it over and when, in words.
    pub resumed: String,
}

impl Act {
    /// A plan that was confirmed now.
    pub fn confirmed(plan: Plan, at: Time) -> Self {
        let requests =
            plan.requests.iter().map(|_| RequestState::Waiting { for_what: String::new() }).collect();
        let checks = plan.checks.iter().map(|check| Check {
            id: check.id.clone(),
            words: check.words.clone(),
            needed: check.needed,
            state: CheckState::Waiting,
            detail: String::new(),
        });
        Self {
            checks: checks.collect(),
            requests,
            plan,
            confirmed_at: at,
            stage: Stage::Confirmed,
            effective_at: None,
            watch_until: None,
            watch_notes: Vec::new(),
            outcome: None,
            audit: None,
            resumed: String::new(),
        }
    }

    /// Whether it still does something, or was cut off while it did.
    pub fn is_open(&self) -> bool {
        self.stage != Stage::Over
    }

    /// When the last request was accepted.
    pub fn accepted_at(&self) -> Option<Time> {
        self.requests.iter().rev().find_map(|request| match request {
            RequestState::Accepted { at, .. } => Some(*at),
            _ => None,
        })
    }

    /// The act in one line: `roll back alzheimer 1.3.0 → 1.2.0`.
    pub fn headline(&self) -> String {
        let to = match &self.plan.operation {
            Operation::RollBack { to } => format!(" to {to}"),
            Operation::SetWeight { percent } => format!(" to {percent} %"),
            _ => String::new(),
        };
        format!("{} {}{to}", self.plan.operation.verb(), self.plan.model)
    }
}
