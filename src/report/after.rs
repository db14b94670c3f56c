//! The report after a rollback: why, what was done, how it was verified, what follows.

use super::text::{inline, moment, span};
use super::{ActDetail, Dossier, impact, markdown, milestones};
use crate::domain::Time;
use crate::domain::act::ActId;
use crate::domain::incident::Matter;

/// A rollback is to be verified within this time, seconds.
const TARGET_S: f64 = 300.0;

/// The lines of one act in the incident.
struct Lines<'a> {
    act: &'a ActId,
    headline: &'a str,
    stages: Vec<(Time, &'a str, Option<u64>)>,
    audit_ids: Vec<&'a str>,
    by: &'a str,
}

/// Reason, acts with their clock marks and checks, cause, prevention, follow-ups.
pub fn post_rollback(dossier: &Dossier<'_>) -> String {
    let incident = dossier.incident;
    let acts = acts(dossier);
    let mut out = format!("# Report after a rollback: {}\n\n", inline(&incident.title));
    out.push_str(&format!(
        "Incident {}, {}, {}. Environment {}, {}. Written {} UTC.\n\n",
        inline(&incident.id.0),
        incident.severity.word(),
        milestones::state(incident),
        inline(dossier.environment),
        inline(&dossier.models()),
        moment(dossier.now)
    ));
    out.push_str("## Why it was rolled back\n\n");
    out.push_str(&reasons(dossier));
    out.push_str("\n## What was done\n\n");
    if acts.is_empty() {
        out.push_str(&format!(
            "wardroom knows of no rollback and no abort in this incident. If it was done by other means: when, by whom, \
             from which version to which: {}.\n",
            dossier.filled_by("operations")
        ));
    }
    let told: Vec<String> = acts.iter().map(|act| one(act, details(dossier, act.act))).collect();
    out.push_str(&told.join("\n"));
    out.push_str("\n## Durations\n\n");
    out.push_str(&milestones::tables(dossier));
    out.push_str(&format!(
        "\n## Cause\n\n{}\n\nThe root-cause analysis: `wardroom incident export {} --format root-cause`.\n",
        match &incident.hypothesis {
            Some(text) =>
                format!("Thought to be: {}. Confirmed: {}.", inline(text), dossier.filled_by("commander")),
            None => format!("{}.", dossier.filled_by("commander")),
        },
        super::text::preformatted(&incident.id.0, 60)
    ));
    out.push_str(&format!("\n## What would have prevented it\n\n{}\n", dossier.filled_by("commander")));
    out.push_str("\n## Follow-ups\n\n");
    out.push_str(&to_do(dossier));
    out
}

/// Acts that took traffic back, in order.
fn acts<'a>(dossier: &Dossier<'a>) -> Vec<Lines<'a>> {
    let mut found: Vec<Lines<'a>> = Vec::new();
    for entry in &dossier.incident.entries {
        let Matter::Acted { act, headline, stage, audit, audit_ids } = &entry.matter else { continue };
        let named = details(dossier, act).map(ActDetail::is_back);
        let words = headline.trim_start().to_lowercase();
        let back = named
            .unwrap_or_else(|| ["rollback", "roll back", "abort"].iter().any(|word| words.starts_with(word)));
        if !back {
            continue;
        }
        let line = (entry.happened, stage.as_str(), *audit);
        let ids = audit_ids.iter().map(String::as_str);
        match found.iter_mut().find(|known| known.act == act) {
            Some(known) => {
                known.stages.push(line);
                for id in ids {
                    if !known.audit_ids.contains(&id) {
                        known.audit_ids.push(id);
                    }
                }
            }
            None => found.push(Lines {
                act,
                headline,
                stages: vec![line],
                audit_ids: ids.collect(),
                by: &entry.by,
            }),
        }
    }
    found
}

fn details<'a>(dossier: &Dossier<'a>, act: &ActId) -> Option<&'a ActDetail> {
    dossier.acts.iter().find(|detail| detail.act.as_ref() == Some(act))
}

fn reasons(dossier: &Dossier<'_>) -> String {
    let mut lines = Vec::new();
    for act in dossier.acts.iter().filter(|act| act.is_back()) {
        let name = act.act.as_ref().map_or("–", |act| act.0.as_str());
        for (what, text) in [("in the operator's words", &act.why), ("evidence", &act.evidence)] {
            if !text.trim().is_empty() {
                lines.push(format!("- act {}, {what}: {}", inline(name), inline(text)));
            }
        }
    }
    for one in impact(dossier.incident, dossier.now) {
        lines.push(format!(
            "- {} was outside its limits for {} ({})",
            inline(&one.model),
            span(one.critical_s + one.warning_s),
            inline(&one.causes.join(", "))
        ));
    }
    if lines.is_empty() {
        lines.push(format!("{}.", dossier.filled_by("operations")));
    }
    lines.join("\n") + "\n"
}

fn one(act: &Lines<'_>, detail: Option<&ActDetail>) -> String {
    let mut out = format!("### {} ({})\n\n", inline(act.headline), inline(&act.act.0));
    out.push_str("| Time (UTC) | Stage | Audit entry |\n| --- | --- | --- |\n");
    for (at, stage, audit) in &act.stages {
        let audit = audit.map_or_else(|| "–".into(), |number| number.to_string());
        out.push_str(&format!("| {} | {} | {audit} |\n", moment(*at), inline(stage)));
    }
    let ids = if act.audit_ids.is_empty() { "none".into() } else { act.audit_ids.join(", ") };
    out.push_str(&format!("\nBy {}. Audit-IDs: {}.\n\n", inline(act.by), inline(&ids)));
    out.push_str(&match took(act, detail) {
        Some(s) if s <= TARGET_S => {
            format!("Confirmed until effective: {}, within the target of {}.\n", span(s), span(TARGET_S))
        }
        Some(s) => {
            format!("Confirmed until effective: {}, beyond the target of {}.\n", span(s), span(TARGET_S))
        }
        None => "Confirmed until effective: not known; it was not seen to become effective.\n".into(),
    });
    match detail {
        Some(detail) => out.push_str(&markdown::detail(detail)),
        None => out.push_str(
            "\nThe audit trail was not at hand: the checks of the verification are missing here.\n",
        ),
    }
    out.push('\n');
    out
}

/// From the audit trail, else from the lines of the incident.
fn took(act: &Lines<'_>, detail: Option<&ActDetail>) -> Option<f64> {
    let when = |word: &str| act.stages.iter().find(|(_, stage, _)| *stage == word).map(|(at, ..)| *at);
    detail
        .and_then(ActDetail::took_s)
        .or_else(|| Some((when("effective")? - when("confirmed")?).as_seconds_f64()))
}

/// What was written down, and what every rollback asks for. Only what is known to be done is ticked.
fn to_do(dossier: &Dossier<'_>) -> String {
    let incident = dossier.incident;
    let mut out = String::new();
    let own = markdown::follow_ups(incident);
    if own.starts_with('-') {
        out.push_str(&own);
    }
    let told = incident.updated.map(|at| format!(" (told {} UTC)", moment(at)));
    let communication = incident.roles.get("communication").map_or("communication".into(), |who| inline(who));
    let operations = incident.roles.get("operations").map_or("operations".into(), |who| inline(who));
    let tick = if told.is_some() { "x" } else { " " };
    out.push_str(&format!(
        "- [{tick}] Tell the clinical team: that it was rolled back, why, and until when{} (owner: {communication})\n",
        told.unwrap_or_default()
    ));
    let rest: [(&str, &str); 7] = [
        ("Watch the restored version for an hour", &operations),
        ("Confirm the root cause and write down what prevents it", "commander"),
        ("Mark the withdrawn version in the registry, with the reason", &operations),
        ("Repair the cause in development", "model team"),
        ("Validate the repaired version anew, on held-out and on recent data", "model team"),
        ("Deploy again only by the whole update procedure, with its approvals and a canary", "model team"),
        ("Tell the clinical team when the repair is planned, and when it is there", &communication),
    ];
    for (what, owner) in rest {
        out.push_str(&format!("- [ ] {what} (owner: {owner})\n"));
    }
    out
}
