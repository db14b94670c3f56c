//! Entries of an incident in words.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::app::App;
use crate::app::acting::in_flight;
use crate::domain::act::ActId;
use crate::domain::incident::{Entry, Incident, Matter, Severity};
use crate::domain::{Level, Time};
use crate::view::look::Role;
use crate::view::text;

/// An act of another room of which nothing more is heard is not in flight for ever, minutes.
const FORGOTTEN_MIN: i64 = 30;

/// What an entry says, with how it looks.
pub fn matter(entry: &Entry) -> (String, Role) {
    match &entry.matter {
        Matter::Declared { title, severity, models } => {
            let about = if models.is_empty() { "the whole fleet".into() } else { models.join(", ") };
            (format!("declared {}: {title} ({about})", severity.word()), Role::Strong)
        }
        Matter::Joined => (format!("{} joined", entry.by), Role::Dim),
        Matter::Role { role, person } => (format!("{role}: {person}"), Role::Text),
        Matter::Severity { severity } => (format!("severity {}", severity.word()), Role::Text),
        Matter::Milestone { milestone, evidence } => {
            (format!("{}: {evidence}", milestone.word().to_uppercase()), Role::Strong)
        }
        Matter::Hypothesis { text } => (format!("hypothesis: {text}"), Role::Text),
        Matter::NextDecision { due, text } => {
            (format!("to be decided at {}: {text}", due.format("%H:%M")), Role::Text)
        }
        Matter::Note { text } => (text.clone(), Role::Text),
        Matter::FollowUp { text, owner } => {
            let owner = if owner.is_empty() { String::new() } else { format!(" ({owner})") };
            (format!("follow-up: {text}{owner}"), Role::Text)
        }
        Matter::Update { text } => (format!("others were told: {text}"), Role::Text),
        Matter::Seen { event } => {
            let model = event.model.as_ref().map(|model| format!("{} ", model.name)).unwrap_or_default();
            let role = if event.level >= Level::Unknown { Role::of(event.level) } else { Role::Text };
            let detail = if event.detail.is_empty() { String::new() } else { format!(", {}", event.detail) };
            (format!("{model}{}{detail}", event.what), role)
        }
        Matter::Acted { act, headline, stage, audit, audit_ids } => {
            let mut words = format!("{headline} {stage} (act {act}");
            if let Some(audit) = audit {
                words.push_str(&format!(", audit {audit}"));
            }
            if let [first, more @ ..] = audit_ids.as_slice() {
                words.push_str(&format!(", Audit-ID {first}"));
                if !more.is_empty() {
                    words.push_str(&format!(" and {} more", more.len()));
                }
            }
            (words + ")", Role::Text)
        }
        Matter::Correction { text, happened, .. } => {
            let at = happened.map(|at| format!(" it happened at {},", text::clock(at))).unwrap_or_default();
            (format!("correction:{at} {text}").trim_end_matches([' ', ',']).to_owned(), Role::Text)
        }
    }
}

/// How bad a severity looks.
pub fn severity_role(severity: Severity) -> Role {
    match severity {
        Severity::Sev1 => Role::Critical,
        Severity::Sev2 | Severity::Sev3 => Role::Warning,
        Severity::Sev4 => Role::Text,
    }
}

/// So long after the last word others wait for the next one.
fn update_every(severity: Severity) -> TimeDelta {
    TimeDelta::minutes(match severity {
        Severity::Sev1 => 15,
        Severity::Sev2 => 30,
        Severity::Sev3 | Severity::Sev4 => 60,
    })
}

/// `update 4 min ago`, and whether it is overdue.
pub fn update(incident: &Incident, now: Time) -> (String, bool) {
    let every = update_every(incident.severity);
    match incident.updated {
        Some(at) => (format!("update {} ago", ago(at, now)), incident.is_open() && now - at > every),
        None => {
            let since = incident.entries.first().map_or(now, |entry| entry.recorded);
            ("no update".into(), incident.is_open() && now - since > every)
        }
    }
}

/// `next 14:20 roll back?`, and whether it is overdue.
pub fn decision(incident: &Incident, now: Time) -> Option<(String, bool)> {
    let (due, what) = incident.next_decision.as_ref()?;
    Some((format!("next {} {what}", due.format("%H:%M")), incident.is_open() && *due < now))
}

/// Acts on its models that are under way, of this room and of others, with since when.
pub fn flying(app: &App, incident: &Incident) -> Vec<(String, Time)> {
    let mine = in_flight(app).filter(|act| incident.is_about(&act.plan.model.name));
    let mut flying: Vec<(String, Time)> = mine.map(|act| (act.headline(), act.confirmed_at)).collect();
    let mut others: BTreeMap<&ActId, Option<(String, Time)>> = BTreeMap::new();
    for entry in &incident.entries {
        if let Matter::Acted { act, headline, stage, .. } = &entry.matter
            && app.acting.act(act).is_none()
        {
            let begun =
                stage == "confirmed" && (app.present() - entry.happened).num_minutes() < FORGOTTEN_MIN;
            let known = others.entry(act).or_insert_with(|| Some((headline.clone(), entry.happened)));
            if !begun {
                *known = None;
            }
        }
    }
    flying.extend(others.into_values().flatten());
    flying
}

/// How long ago.
pub fn ago(at: Time, now: Time) -> String {
    text::age((now - at).as_seconds_f64())
}
