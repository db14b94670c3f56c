//! Documents: incident exports, messages, templates. Data in, text out: no clock, no files, no network.

mod after;
mod cause;
mod chart;
mod facts;
mod impact;
pub mod lines;
mod markdown;
mod message;
mod milestones;
mod performance;
pub mod sheet;
mod text;
mod timeline;
mod traffic;
mod words;

#[cfg(test)]
mod tests;

use crate::domain::Time;
use crate::domain::act::ActId;
use crate::domain::incident::Incident;

pub use after::post_rollback;
pub use cause::root_cause;
pub use chart::Chart;
pub use facts::{Drifted, Facts};
pub use impact::{Impact, impact};
pub use markdown::{extent, markdown};
pub use message::stakeholder;
pub use milestones::{Duration, durations, state};
pub use performance::{Performance, Points, Summary, Violation, performance, performance_markdown};
pub use text::span;
pub use traffic::traffic;
pub use words::{event, evidence, kind};

/// What the audit trail knows of an act beyond its line in the incident.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ActDetail {
    /// The act.
    pub act: Option<ActId>,
    /// The model's name.
    pub model: String,
    /// The operation's word: `rollback`, `abort`.
    pub verb: String,
    /// Who, in words: `kim as system:serviceaccount:ops`.
    pub who: String,
    /// Why, in the operator's words.
    pub why: String,
    /// The state that it started from.
    pub before: String,
    /// The state that it led to.
    pub after: String,
    /// What spoke for it.
    pub evidence: String,
    /// The outcome's word; empty while it is open.
    pub outcome: String,
    /// When it was confirmed.
    pub confirmed: Option<Time>,
    /// When the last request was accepted.
    pub accepted: Option<Time>,
    /// When users were on the right version.
    pub effective: Option<Time>,
    /// Each check: its words, `passed`, `failed`, `unknown` or `skipped`, and what was seen.
    pub checks: Vec<(String, String, String)>,
}

impl ActDetail {
    /// Whether it took traffic back from a version.
    pub fn is_back(&self) -> bool {
        matches!(self.verb.as_str(), "rollback" | "abort")
    }

    /// Seconds from the confirmation until users were on the right version.
    pub fn took_s(&self) -> Option<f64> {
        Some((self.effective? - self.confirmed?).as_seconds_f64())
    }
}

/// How much was asked of a model while the incident lasted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traffic {
    /// The model's name.
    pub model: String,
    /// Requests.
    pub requests: Option<f64>,
    /// Requests that failed.
    pub errors: Option<f64>,
    /// Where the numbers come from, in words.
    pub from: String,
}

/// Everything that a document is written from. Parts that are not known are empty, and the document says so.
#[derive(Debug, Clone)]
pub struct Dossier<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// The environment's name.
    pub environment: &'a str,
    /// When the document is written.
    pub now: Time,
    /// What the audit trail knows of its acts.
    pub acts: &'a [ActDetail],
    /// Series of the time, to be drawn as text.
    pub charts: &'a [Chart],
    /// What was asked of the models.
    pub traffic: &'a [Traffic],
    /// What is known of the models: versions, drift.
    pub facts: &'a [Facts],
}

impl Dossier<'_> {
    /// The models' names in words.
    fn models(&self) -> String {
        if self.incident.models.is_empty() { "all models".into() } else { self.incident.models.join(", ") }
    }

    /// Who fills a part in: the person of a role, else the role.
    fn filled_by(&self, role: &str) -> String {
        match self.incident.roles.get(role) {
            Some(person) => format!("_to be filled in by {} ({role})_", text::inline(person)),
            None => format!("_to be filled in by the {role} role_"),
        }
    }
}
