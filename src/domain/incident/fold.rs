//! How an incident stands, from its entries.

use std::collections::BTreeMap;

use super::{Entry, IncidentId, Milestone, Severity};
use crate::domain::Time;

/// A milestone as it holds now.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// When it was reached.
    pub at: Time,
    /// Who set it.
    pub by: String,
    /// From what evidence.
    pub evidence: String,
}

/// How an incident stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Which.
    pub id: IncidentId,
    /// What it is about.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// The models it is about, by name; empty: all.
    pub models: Vec<String>,
    /// Milestones reached.
    pub marks: BTreeMap<Milestone, Mark>,
    /// Role to person.
    pub roles: BTreeMap<String, String>,
    /// Everybody who joined, in order.
    pub people: Vec<String>,
    /// What is thought to be the cause now.
    pub hypothesis: Option<String>,
    /// When the next decision is due, and which.
    pub next_decision: Option<(Time, String)>,
    /// When others were told last.
    pub updated: Option<Time>,
    /// Every entry, in order of recording.
    pub entries: Vec<Entry>,
}
