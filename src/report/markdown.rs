//! The whole incident as Markdown, for people.

use super::text::{count, inline, moment, span};
use super::{ActDetail, Dossier, chart, impact, milestones, timeline};
use crate::domain::Time;
use crate::domain::incident::{Incident, Matter, Milestone};

/// Overview, impact, timeline, actions, follow-ups, charts.
pub fn markdown(dossier: &Dossier<'_>) -> String {
    let incident = dossier.incident;
    let mut out = format!("# Incident {}: {}\n\n", inline(&incident.id.0), inline(&incident.title));
    out.push_str(&format!("Written {} UTC.\n\n## Overview\n\n", moment(dossier.now)));
    out.push_str(&overview(dossier));
    out.push('\n');
    out.push_str(&milestones::tables(dossier));
    out.push_str("\n## Impact\n\n");
    out.push_str(&impact_tables(dossier));
    out.push_str("\n## Timeline\n\n");
    out.push_str(&timeline::table(&incident.entries));
    out.push_str("\n## Actions\n\n");
    out.push_str(&actions(dossier));
    out.push_str("\n## Follow-ups\n\n");
    out.push_str(&follow_ups(incident));
    out.push_str("\n## Charts\n\n");
    out.push_str(&charts(dossier));
    out
}

fn overview(dossier: &Dossier<'_>) -> String {
    let incident = dossier.incident;
    let mut rows = vec![
        ("Severity", incident.severity.word().to_owned()),
        ("State", milestones::state(incident).to_owned()),
        ("Environment", inline(dossier.environment)),
        ("Models", inline(&dossier.models())),
    ];
    let roles: Vec<String> =
        incident.roles.iter().map(|(role, person)| format!("{}: {}", inline(role), inline(person))).collect();
    rows.push(("Roles", if roles.is_empty() { "none was given".into() } else { roles.join(", ") }));
    rows.push(("People", inline(&incident.people.join(", "))));
    rows.push(("Hypothesis", incident.hypothesis.as_deref().map_or_else(|| "none yet".into(), inline)));
    if let Some((due, text)) = &incident.next_decision {
        rows.push(("Next decision", format!("{} UTC: {}", moment(*due), inline(text))));
    }
    let told =
        incident.updated.map_or_else(|| "nobody was told yet".into(), |at| format!("{} UTC", moment(at)));
    rows.push(("Last update to others", told));
    let rows: String = rows.iter().map(|(name, text)| format!("| {name} | {text} |\n")).collect();
    format!("| | |\n| --- | --- |\n{rows}")
}

fn impact_tables(dossier: &Dossier<'_>) -> String {
    let found = impact(dossier.incident, dossier.now);
    let mut out = String::new();
    if found.is_empty() {
        out.push_str("No limit was seen to be crossed and no alert to fire in this incident.\n");
    } else {
        out.push_str(
            "| Model | From (UTC) | Until (UTC) | Critical, min | Warning, min | Not known, min | What |\n",
        );
        out.push_str("| --- | --- | --- | ---: | ---: | ---: | --- |\n");
        for one in &found {
            let from = one.from.map_or_else(|| "–".into(), moment);
            let until = one.until.map_or_else(|| "not seen to be well again".into(), moment);
            out.push_str(&format!(
                "| {} | {from} | {until} | {:.1} | {:.1} | {:.1} | {} |\n",
                inline(&one.model),
                one.critical_s / 60.0,
                one.warning_s / 60.0,
                one.unknown_s / 60.0,
                inline(&one.causes.join(", "))
            ));
        }
    }
    out.push('\n');
    if dossier.traffic.is_empty() {
        out.push_str(
            "How many requests were asked and failed is not known: no series of this time was at hand.\n",
        );
        return out;
    }
    out.push_str("| Model | Requests | Failed | Share | From |\n| --- | ---: | ---: | ---: | --- |\n");
    for one in dossier.traffic {
        let number = |value: Option<f64>| value.map_or_else(|| "not known".into(), count);
        let share = match (one.requests, one.errors) {
            (Some(requests), Some(errors)) if requests > 0.0 => format!("{:.2} %", 100.0 * errors / requests),
            _ => "not known".into(),
        };
        out.push_str(&format!(
            "| {} | {} | {} | {share} | {} |\n",
            inline(&one.model),
            number(one.requests),
            number(one.errors),
            inline(&one.from)
        ));
    }
    out
}

fn actions(dossier: &Dossier<'_>) -> String {
    let mut out = String::new();
    for entry in &dossier.incident.entries {
        let Matter::Acted { act, headline, stage, audit, audit_ids } = &entry.matter else { continue };
        if out.is_empty() {
            out.push_str("| Time (UTC) | Act | What | Stage | Audit entry | Audit-IDs | By |\n");
            out.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
        }
        let number = audit.map_or_else(|| "–".into(), |number| number.to_string());
        let ids = if audit_ids.is_empty() { "–".into() } else { inline(&audit_ids.join(", ")) };
        out.push_str(&format!(
            "| {} | {} | {} | {} | {number} | {ids} | {} |\n",
            moment(entry.happened),
            inline(&act.0),
            inline(headline),
            inline(stage),
            inline(&entry.by)
        ));
    }
    if out.is_empty() {
        return "Nothing was done with wardroom in this incident.\n".into();
    }
    for act in dossier.acts {
        out.push_str(&detail(act));
    }
    out
}

/// What the audit trail adds to an act.
pub(super) fn detail(act: &ActDetail) -> String {
    let name = act.act.as_ref().map_or("–", |act| act.0.as_str());
    let mut lines = vec![format!(
        "\n**{}** {} {}: {}",
        inline(name),
        inline(&act.verb),
        inline(&act.model),
        inline(if act.outcome.is_empty() { "not over" } else { &act.outcome })
    )];
    let mut say = |name: &str, text: &str| {
        if !text.trim().is_empty() {
            lines.push(format!("- {name}: {}", inline(text)));
        }
    };
    say("by", &act.who);
    say("why", &act.why);
    say("before", &act.before);
    say("after", &act.after);
    say("evidence", &act.evidence);
    if let Some(took) = act.took_s() {
        say("confirmed until effective", &span(took));
    }
    for (words, is, seen) in &act.checks {
        let seen = if seen.is_empty() { String::new() } else { format!(" ({})", inline(seen)) };
        lines.push(format!("- check {}: {}{seen}", inline(is), inline(words)));
    }
    lines.join("\n").replacen("\n- ", "\n\n- ", 1) + "\n"
}

pub(super) fn follow_ups(incident: &Incident) -> String {
    let mut out = String::new();
    for entry in &incident.entries {
        if let Matter::FollowUp { text, owner } = &entry.matter {
            let owner = if owner.is_empty() { "nobody yet".into() } else { inline(owner) };
            out.push_str(&format!("- [ ] {} (owner: {owner})\n", inline(text)));
        }
    }
    if out.is_empty() { "None was written down.\n".into() } else { out }
}

fn charts(dossier: &Dossier<'_>) -> String {
    if dossier.charts.is_empty() {
        return "No series of this time was at hand.\n".into();
    }
    let (from, to) = extent(dossier.incident, dossier.now);
    chart::block(dossier.charts, from, to)
}

/// The time that charts show: the incident with a quarter of an hour on both sides, and nothing that is still to come.
pub fn extent(incident: &Incident, now: Time) -> (Time, Time) {
    let margin = chrono::TimeDelta::minutes(15);
    let first = incident.entries.iter().map(|entry| entry.happened).min().unwrap_or(now);
    let first = incident.marks.get(&Milestone::Started).map_or(first, |mark| mark.at.min(first));
    let last = incident.marks.get(&Milestone::Resolved).map_or(now, |mark| mark.at + margin);
    (first - margin, last.min(now).max(first))
}
