//! How an incident stands, from its entries: the same state from the same entries, in whatever order and however often
//! they come.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Entry, EntryId, IncidentId, Matter, Milestone, Severity, same};
use crate::domain::{Event, EventKind, Time};

/// A milestone as it holds now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// When it was reached.
    pub at: Time,
    /// Who set it.
    pub by: String,
    /// From what evidence.
    pub evidence: String,
}

/// How an incident stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Lines that another room wrote of a happening that stands in `entries` already. They say nothing new.
    pub doubles: Vec<Entry>,
}

impl Incident {
    /// The incidents that these entries tell of, in the order of their first entries. An entry that is there twice
    /// counts once; of two of one name that differ the one recorded first counts.
    pub fn fold(entries: &[Entry]) -> Vec<Self> {
        let mut by_incident: BTreeMap<&IncidentId, BTreeMap<&EntryId, &Entry>> = BTreeMap::new();
        for entry in entries {
            let known = by_incident.entry(&entry.incident).or_default().entry(&entry.id).or_insert(entry);
            if rank(entry) < rank(known) {
                *known = entry;
            }
        }
        let mut incidents: Vec<Self> = by_incident
            .into_iter()
            .map(|(id, entries)| Self::of(id.clone(), entries.into_values().cloned().collect()))
            .collect();
        incidents.sort_by(|a, b| (a.began(), &a.id).cmp(&(b.began(), &b.id)));
        incidents
    }

    /// Takes one more entry in; false when it was known already, or is of another incident.
    pub fn take(&mut self, entry: Entry) -> bool {
        if entry.incident != self.id {
            return false;
        }
        let mut all = std::mem::take(&mut self.entries);
        all.append(&mut self.doubles);
        let is_new = match all.iter_mut().find(|known| known.id == entry.id) {
            Some(known) if rank(&entry) < rank(known) => {
                *known = entry;
                true
            }
            Some(_) => false,
            None => {
                all.push(entry);
                true
            }
        };
        *self = Self::of(self.id.clone(), all);
        is_new
    }

    /// The incident of entries that are all its own and each there once.
    fn of(id: IncidentId, mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| (a.recorded, &a.id).cmp(&(b.recorded, &b.id)));
        let doubled = same::doubled(&entries);
        let (doubles, entries) = entries.into_iter().partition(|entry| doubled.contains(&entry.id));
        let mut incident = Self::unfolded(id, entries, doubles);
        incident.settle();
        incident
    }

    /// Entries, and nothing worked out of them yet.
    pub(super) fn unfolded(id: IncidentId, entries: Vec<Entry>, doubles: Vec<Entry>) -> Self {
        Self {
            id,
            title: String::new(),
            severity: Severity::Sev3,
            models: Vec::new(),
            marks: BTreeMap::new(),
            roles: BTreeMap::new(),
            people: Vec::new(),
            hypothesis: None,
            next_decision: None,
            updated: None,
            entries,
            doubles,
        }
    }

    /// Works the state out of the entries, which stand in their order.
    fn settle(&mut self) {
        let entries = std::mem::take(&mut self.entries);
        let corrections = Corrections::of(&entries);
        let mut declared = false;
        let mut rated = false;
        for entry in &entries {
            let (at, said) = (corrections.happened(entry), corrections.said(entry));
            let or = |text: &str| said.map_or_else(|| text.to_owned(), str::to_owned);
            match &entry.matter {
                Matter::Declared { title, severity, models } => {
                    if !std::mem::replace(&mut declared, true) {
                        (self.title, self.models) = (or(title), models.clone());
                        if !rated {
                            self.severity = *severity;
                        }
                    }
                    self.join(&entry.by);
                }
                Matter::Joined => self.join(&entry.by),
                Matter::Role { role, person } => {
                    self.roles.insert(role.clone(), person.clone());
                }
                Matter::Severity { severity } => (self.severity, rated) = (*severity, true),
                Matter::Milestone { milestone, evidence } => {
                    let mark = Mark { at, by: entry.by.clone(), evidence: or(evidence) };
                    self.marks.insert(*milestone, mark);
                }
                Matter::Hypothesis { text } => self.hypothesis = Some(or(text)),
                Matter::NextDecision { due, text } => self.next_decision = Some((*due, or(text))),
                Matter::Update { .. } => self.updated = self.updated.max(Some(at)),
                Matter::Note { .. }
                | Matter::FollowUp { .. }
                | Matter::Seen { .. }
                | Matter::Acted { .. }
                | Matter::Correction { .. } => {}
            }
        }
        self.entries = entries;
    }

    fn join(&mut self, person: &str) {
        if !self.people.iter().any(|known| known == person) {
            self.people.push(person.to_owned());
        }
    }

    /// When the first entry was recorded.
    fn began(&self) -> Option<Time> {
        self.entries.first().map(|entry| entry.recorded)
    }

    /// Whether it is not resolved.
    pub fn is_open(&self) -> bool {
        !self.marks.contains_key(&Milestone::Resolved)
    }

    /// When the trouble began: the milestone, else when it was declared.
    pub fn started(&self) -> Option<Time> {
        let declared = || self.entries.iter().find(|entry| matches!(entry.matter, Matter::Declared { .. }));
        let mark = self.marks.get(&Milestone::Started).map(|mark| mark.at);
        mark.or_else(|| declared().map(|entry| entry.happened)).or_else(|| self.began())
    }

    /// From the start to detection.
    pub fn time_to_detect(&self) -> Option<TimeDelta> {
        self.between(Milestone::Started, Milestone::Detected)
    }

    /// From detection to a person who took it on.
    pub fn time_to_acknowledge(&self) -> Option<TimeDelta> {
        self.between(Milestone::Detected, Milestone::Acknowledged)
    }

    /// From the start until users were well again.
    pub fn time_to_mitigate(&self) -> Option<TimeDelta> {
        self.between(Milestone::Started, Milestone::Mitigated)
    }

    /// From the start to the end of the incident.
    pub fn time_to_resolve(&self) -> Option<TimeDelta> {
        self.between(Milestone::Started, Milestone::Resolved)
    }

    /// From one milestone to another; `None` when one is missing, or when they stand the wrong way round, which a
    /// correction has to mend.
    pub fn between(&self, from: Milestone, to: Milestone) -> Option<TimeDelta> {
        let took = self.marks.get(&to)?.at - self.marks.get(&from)?.at;
        (took >= TimeDelta::zero()).then_some(took)
    }

    /// The newest correction of an entry.
    pub fn correction_of(&self, id: &EntryId) -> Option<&Entry> {
        let of = |entry: &&Entry| matches!(&entry.matter, Matter::Correction { of, .. } if of == id);
        self.entries.iter().rev().find(of)
    }

    /// Whether it is about a model of this name; an incident about all models is about each.
    pub fn is_about(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|name| name == model)
    }

    /// Whether a line of the timeline belongs to it: of its models or of none, since the start and before the end.
    pub fn covers(&self, event: &Event) -> bool {
        let end = self.marks.get(&Milestone::Resolved).map(|mark| mark.at);
        let since = self.started().is_some_and(|start| event.at >= start);
        let until = end.is_none_or(|end| event.at <= end);
        let about = event.model.as_ref().is_none_or(|model| self.is_about(&model.name));
        since && until && about
    }
}

/// Whether a kind of line is taken into incidents as it is; notes and acts have entries of their own.
pub fn writes_itself(kind: EventKind) -> bool {
    match kind {
        EventKind::Judgement
        | EventKind::Alert
        | EventKind::Rollout
        | EventKind::Registry
        | EventKind::Source
        | EventKind::Drift => true,
        EventKind::Note | EventKind::Action => false,
    }
}

/// Which of two entries of one name counts: the one recorded first, then anything that does not depend on the order.
fn rank(entry: &Entry) -> (Time, Time, &str, String) {
    (entry.recorded, entry.happened, &entry.by, format!("{:?}", entry.matter))
}

/// What the corrections say of each entry; of several the last holds.
struct Corrections<'a>(BTreeMap<&'a EntryId, (&'a str, Option<Time>)>);

impl<'a> Corrections<'a> {
    fn of(entries: &'a [Entry]) -> Self {
        let of: BTreeMap<&EntryId, &EntryId> = entries
            .iter()
            .filter_map(|entry| match &entry.matter {
                Matter::Correction { of, .. } => Some((&entry.id, of)),
                _ => None,
            })
            .collect();
        let mut all: BTreeMap<&EntryId, (&str, Option<Time>)> = BTreeMap::new();
        for entry in entries {
            let Matter::Correction { of: target, text, happened } = &entry.matter else { continue };
            // A correction of a correction corrects what that one did; a ring corrects nothing.
            let (mut target, mut passed) = (target, BTreeSet::new());
            while let Some(next) = of.get(target) {
                if !passed.insert(target) {
                    break;
                }
                target = next;
            }
            let before = all.get(target).and_then(|(_, happened)| *happened);
            all.insert(target, (text, happened.or(before)));
        }
        Self(all)
    }

    /// What is right instead of an entry's words.
    fn said(&self, entry: &Entry) -> Option<&'a str> {
        self.0.get(&entry.id).map(|(text, _)| *text).filter(|text| !text.is_empty())
    }

    /// When an entry really happened.
    fn happened(&self, entry: &Entry) -> Time {
        self.0.get(&entry.id).and_then(|(_, happened)| *happened).unwrap_or(entry.happened)
    }
}
