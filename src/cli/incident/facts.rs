//! What documents add to the entries: the audit trail's words on the acts, and what the history kept of the models.

use std::collections::BTreeSet;
use std::path::Path;

use super::folder::Place;
use super::out;
use crate::domain::Time;
use crate::domain::act::{ActId, Who};
use crate::domain::incident::{Incident, Matter};
use crate::records::{Entry, Filter, Line, Trail};
use crate::report::{ActDetail, Chart, Facts, Traffic};

/// What the history kept of the incident's models.
#[derive(Debug, Default)]
pub struct Seen {
    /// Series.
    pub charts: Vec<Chart>,
    /// Requests and errors.
    pub traffic: Vec<Traffic>,
    /// Versions and drift.
    pub facts: Vec<Facts>,
}

/// What the history kept.
pub fn seen(_place: &Place, _incident: &Incident, _now: Time) -> Seen {
    Seen::default()
}

/// The environment's name: that of the config, else that of the models that were seen.
pub fn environment(place: &Place, incident: &Incident) -> String {
    let named = place.environment();
    if !named.is_empty() {
        return named.to_owned();
    }
    let seen = incident.entries.iter().find_map(|entry| match &entry.matter {
        Matter::Seen { event } => event.model.as_ref().map(|model| model.environment.to_string()),
        _ => None,
    });
    seen.unwrap_or_else(|| "not known".into())
}

/// What the audit trail knows of the incident's acts. A trail that cannot be read leaves the documents shorter, and is
/// said on standard error.
pub fn acts(place: &Place, incident: &Incident, age_identity: Option<&Path>) -> Vec<ActDetail> {
    let mut wanted: BTreeSet<&ActId> = BTreeSet::new();
    for entry in &incident.entries {
        if let Matter::Acted { act, .. } = &entry.matter {
            wanted.insert(act);
        }
    }
    if wanted.is_empty() {
        return Vec::new();
    }
    let key = age_identity.or(place.config.control.age_identity.as_deref());
    let mut found: Vec<ActDetail> = Vec::new();
    let read = Trail::open(&place.trail(), key).and_then(|trail| {
        trail.each(&Filter::default(), |entry| {
            if wanted.contains(&entry.act) {
                add(&mut found, &entry);
            }
            Ok(())
        })
    });
    if let Err(why) = read {
        out::complain(&format!("the audit trail's words on the acts are left out: {why}"));
    }
    found
}

fn add(found: &mut Vec<ActDetail>, entry: &Entry) {
    let place = found.iter().position(|detail| detail.act.as_ref() == Some(&entry.act));
    let place = place.unwrap_or_else(|| {
        found.push(ActDetail { act: Some(entry.act.clone()), ..ActDetail::default() });
        found.len() - 1
    });
    let detail = &mut found[place];
    match entry.line {
        Line::Confirmed | Line::Automatic => detail.confirmed = detail.confirmed.or(Some(entry.at)),
        Line::RequestAccepted => detail.accepted = Some(entry.at),
        Line::Effective => detail.effective = detail.effective.or(Some(entry.at)),
        _ => {}
    }
    detail.model = entry.model.name.to_string();
    detail.verb.clone_from(&entry.verb);
    detail.who = who(&entry.who);
    for (known, told) in [
        (&mut detail.why, &entry.why),
        (&mut detail.before, &entry.before),
        (&mut detail.after, &entry.after),
        (&mut detail.evidence, &entry.evidence),
        (&mut detail.outcome, &entry.outcome),
    ] {
        if !told.is_empty() {
            known.clone_from(told);
        }
    }
    if !entry.checks.is_empty() {
        let told = entry.checks.iter();
        detail.checks =
            told.map(|check| (check.words.clone(), check.is.clone(), check.detail.clone())).collect();
    }
}

fn who(who: &Who) -> String {
    let mut words = who.user.clone();
    if !who.identity.is_empty() && who.identity != who.user {
        words.push_str(&format!(" as {}", who.identity));
    }
    if !who.by.is_empty() {
        words.push_str(&format!(" ({})", who.by));
    }
    words
}
