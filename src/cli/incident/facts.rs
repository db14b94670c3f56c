//! What documents add to the entries: the audit trail's words on the acts, and what the history kept of the models.

use std::collections::BTreeSet;
use std::path::Path;

use super::folder::Place;
use super::out;
use crate::domain::act::{ActId, Who};
use crate::domain::incident::{Incident, Matter, Milestone};
use crate::domain::{Kpi, Time};
use crate::history::{self, Settings};
use crate::records::{Entry, Filter, Line, Trail};
use crate::report::{self, ActDetail, Chart, Facts, Traffic};

/// The most models that documents draw and describe.
const MODELS: usize = 8;
/// Where requests are counted from.
const FROM: &str = "the rates in the history, from 15 min before the start";

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

/// What the history kept. What cannot be read leaves the documents shorter, and is said on standard error.
pub fn seen(settings: &Settings, incident: &Incident, now: Time) -> Seen {
    let mut names: Vec<String> =
        report::impact(incident, now).into_iter().map(|impact| impact.model).collect();
    names.extend(incident.models.iter().cloned());
    let mut known = BTreeSet::new();
    names.retain(|name| known.insert(name.clone()));
    names.truncate(MODELS);
    let (charts, traffic) = series(settings, incident, now, &names).unwrap_or_else(|why| {
        out::complain(&format!("charts and requests are left out: {why}"));
        Default::default()
    });
    let facts = facts(settings, incident, now, &names).unwrap_or_else(|why| {
        out::complain(&format!("versions and drift are left out: {why}"));
        Vec::new()
    });
    Seen { charts, traffic, facts }
}

fn series(
    settings: &Settings,
    incident: &Incident,
    now: Time,
    names: &[String],
) -> Result<(Vec<Chart>, Vec<Traffic>), String> {
    let (from, to) = report::extent(incident, now);
    let kpis = [Kpi::LatencyP95, Kpi::ErrorRate, Kpi::Throughput];
    let kept = history::read_series(settings, &kpis, from, to)?;
    let (mut charts, mut traffic) = (Vec::new(), Vec::new());
    for name in names {
        let of = |kpi| kept.iter().find(|series| series.kpi == kpi && *series.model.name == **name);
        for kpi in [Kpi::LatencyP95, Kpi::ErrorRate] {
            if let Some(series) = of(kpi) {
                charts.push(Chart { model: name.clone(), kpi, points: series.points.clone() });
            }
        }
        if let Some(rate) = of(Kpi::Throughput) {
            let errors = of(Kpi::ErrorRate).map_or(&[][..], |series| series.points.as_slice());
            traffic.push(report::traffic(name, &rate.points, errors, FROM));
        }
    }
    Ok((charts, traffic))
}

/// The models when it was noticed and now, or when it was resolved.
fn facts(
    settings: &Settings,
    incident: &Incident,
    now: Time,
    names: &[String],
) -> Result<Vec<Facts>, String> {
    let mark = |milestone| incident.marks.get(&milestone).map(|mark| mark.at);
    let first = mark(Milestone::Detected).or_else(|| incident.started()).unwrap_or(now);
    let last = mark(Milestone::Resolved).unwrap_or(now);
    let mut found: Vec<Facts> = Vec::new();
    for at in [first, last] {
        let Some((seen, models)) = history::models_at(settings, at)? else { continue };
        for model in models.iter().filter(|model| names.iter().any(|name| **name == *model.id.name)) {
            let fact = Facts::of(model, seen);
            if !found.contains(&fact) {
                found.push(fact);
            }
        }
    }
    found.sort_by_key(|fact| names.iter().position(|name| *name == fact.model));
    Ok(found)
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
