//! Incidents as an append-only list of entries: everything else about one is folded from them.

mod fold;
mod same;
#[cfg(test)]
pub mod sample;
#[cfg(test)]
mod tests;

pub use fold::{Incident, Mark, writes_itself};
pub use same::{acted_id, seen_id};

use serde::{Deserialize, Serialize};

use super::act::ActId;
use super::{Event, Time};

/// The unique name of an incident, short enough to be said in a call: `i-1121-7f3a`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub String);

/// The unique name of an entry, given by who writes it, so that one written twice is one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub String);

impl std::fmt::Display for IncidentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for EntryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The points in an incident's life that durations are taken between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    /// The trouble began.
    Started,
    /// Something or somebody noticed.
    Detected,
    /// A person took it on.
    Acknowledged,
    /// Users are well again.
    Mitigated,
    /// Nothing is left to do in a hurry.
    Resolved,
}

impl Milestone {
    /// All, in their order.
    pub const ALL: [Self; 5] =
        [Self::Started, Self::Detected, Self::Acknowledged, Self::Mitigated, Self::Resolved];

    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Detected => "detected",
            Self::Acknowledged => "acknowledged",
            Self::Mitigated => "mitigated",
            Self::Resolved => "resolved",
        }
    }
}

/// How bad an incident is, 1 the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Patients or all users are affected.
    Sev1,
    /// A part of the users is affected.
    Sev2,
    /// Degraded, with a way around.
    Sev3,
    /// A nuisance.
    Sev4,
}

impl Severity {
    /// All, the worst first.
    pub const ALL: [Self; 4] = [Self::Sev1, Self::Sev2, Self::Sev3, Self::Sev4];

    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sev1 => "SEV1",
            Self::Sev2 => "SEV2",
            Self::Sev3 => "SEV3",
            Self::Sev4 => "SEV4",
        }
    }
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Matter {
    /// The incident was declared.
    Declared {
        /// What it is about.
        title: String,
        /// How bad, as far as is known.
        severity: Severity,
        /// The models it is about, by name; empty: all.
        models: Vec<String>,
    },
    /// A person joined.
    Joined,
    /// A person has a role: `commander`, `operations`, `communication`, `scribe`.
    Role {
        /// Which.
        role: String,
        /// Who.
        person: String,
    },
    /// It is judged to be this bad.
    Severity {
        /// How bad.
        severity: Severity,
    },
    /// A milestone was reached; the last one said of a kind holds.
    Milestone {
        /// Which.
        milestone: Milestone,
        /// What speaks for it: `alert CanaryLatencyHigh fires`, `act a-3f9c21d4 effective`.
        evidence: String,
    },
    /// What is thought to be the cause now.
    Hypothesis {
        /// The words.
        text: String,
    },
    /// When the next decision is due, and which.
    NextDecision {
        /// When.
        due: Time,
        /// What is to be decided.
        text: String,
    },
    /// A note typed in place.
    Note {
        /// The words.
        text: String,
    },
    /// Something to do afterwards.
    FollowUp {
        /// What.
        text: String,
        /// Who; empty: nobody yet.
        owner: String,
    },
    /// Others were told how it stands.
    Update {
        /// The words.
        text: String,
    },
    /// A line of the timeline that wrote itself: an alert, a crossing, a controller's transition.
    Seen {
        /// The line.
        event: Event,
    },
    /// An act, as it was at this point.
    Acted {
        /// Which act.
        act: ActId,
        /// `roll back alzheimer to 1.2.0`.
        headline: String,
        /// `confirmed`, `effective`, `failed`, …
        stage: String,
        /// The number of its entry in the audit trail.
        audit: Option<u64>,
        /// The `Audit-ID`s of its requests.
        audit_ids: Vec<String>,
    },
    /// An earlier entry was wrong; both stand.
    Correction {
        /// Which.
        of: EntryId,
        /// What is right.
        text: String,
        /// When it really happened, when the time was wrong.
        happened: Option<Time>,
    },
}

/// One line of an incident. Never changed once written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its unique name.
    pub id: EntryId,
    /// Of which incident.
    pub incident: IncidentId,
    /// When it happened.
    pub happened: Time,
    /// When it was recorded; grows with every entry of a history.
    pub recorded: Time,
    /// Who: `sre@bastion`, or `wardroom` when it wrote itself.
    pub by: String,
    /// What.
    pub matter: Matter,
}
