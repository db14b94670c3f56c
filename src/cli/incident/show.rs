//! Prints incidents: a list, and one with its timeline.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::super::args::Output;
use super::out;
use crate::domain::incident::{Entry, Incident, Milestone};
use crate::domain::text::clean;
use crate::report::{durations, event, evidence, span};

/// The widest cell of a table, in columns.
const WIDEST: usize = 70;

/// Prints a list, the newest first.
pub fn list(incidents: &[Incident], open: bool, output: Output) -> Result<u8, String> {
    let chosen: Vec<&Incident> =
        incidents.iter().rev().filter(|incident| !open || incident.is_open()).collect();
    match output {
        Output::Json => {
            let all: Vec<Value> = chosen.iter().map(|incident| stand(incident)).collect();
            out::say(&pretty(&json!({ "incidents": all }))?);
        }
        Output::Table if chosen.is_empty() => out::say("no incident"),
        Output::Table => {
            let head =
                ["ID", "SEVERITY", "STATE", "SINCE (UTC)", "ENTRIES", "MODELS", "TITLE"].map(str::to_owned);
            let rows = chosen.iter().map(|incident| {
                [
                    incident.id.0.clone(),
                    incident.severity.word().to_owned(),
                    state(incident).to_owned(),
                    incident
                        .started()
                        .map_or_else(|| "–".into(), |at| at.format("%Y-%m-%d %H:%M:%S").to_string()),
                    incident.entries.len().to_string(),
                    if incident.models.is_empty() { "all".into() } else { incident.models.join(", ") },
                    incident.title.clone(),
                ]
            });
            out::say(&table(std::iter::once(head).chain(rows).collect()));
        }
    }
    Ok(0)
}

/// Prints one.
pub fn one(incident: &Incident, output: Output) -> Result<u8, String> {
    if output == Output::Json {
        let mut all = stand(incident);
        all["entries"] = serde_json::to_value(&incident.entries).map_err(|why| why.to_string())?;
        out::say(&pretty(&all)?);
        return Ok(0);
    }
    let mut text = vec![
        clean(&format!("{} {} {}", incident.id, incident.severity.word(), incident.title), 400),
        format!("state      {}", state(incident)),
    ];
    let mut line = |name: &str, words: String| text.push(format!("{name:<10} {}", clean(&words, 400)));
    line("models", if incident.models.is_empty() { "all".into() } else { incident.models.join(", ") });
    line("people", incident.people.join(", "));
    for (role, person) in &incident.roles {
        line("role", format!("{role}: {person}"));
    }
    if let Some(hypothesis) = &incident.hypothesis {
        line("hypothesis", hypothesis.clone());
    }
    if let Some((due, what)) = &incident.next_decision {
        line("decision", format!("{} UTC {what}", due.format("%Y-%m-%d %H:%M:%S")));
    }
    for milestone in Milestone::ALL {
        if let Some(mark) = incident.marks.get(&milestone) {
            let at = mark.at.format("%Y-%m-%d %H:%M:%S");
            let words = clean(&format!("{} ({})", mark.by, mark.evidence), 400);
            text.push(format!("{:<12} {at} UTC  {words}", milestone.word()));
        }
    }
    for duration in durations(incident) {
        if let Some(seconds) = duration.seconds {
            text.push(format!("{:<19} {}", duration.name, span(seconds)));
        }
    }
    let head = ["TIME (UTC)", "EVENT", "EVIDENCE", "ENTRY"].map(str::to_owned);
    let rows = incident.entries.iter().map(|entry| {
        let at = entry.happened.format("%Y-%m-%d %H:%M:%S").to_string();
        [at, event(entry), evidence(entry), entry.id.0.clone()]
    });
    text.push(String::new());
    text.push(table(std::iter::once(head).chain(rows).collect()));
    out::say(&text.join("\n"));
    Ok(0)
}

/// The state in a word.
fn state(incident: &Incident) -> &'static str {
    crate::report::state(incident)
}

/// How an incident stands, without its entries.
fn stand(incident: &Incident) -> Value {
    let marks: serde_json::Map<String, Value> = incident
        .marks
        .iter()
        .map(|(milestone, mark)| {
            let mark = json!({ "at": mark.at, "by": mark.by, "evidence": mark.evidence });
            (milestone.word().to_owned(), mark)
        })
        .collect();
    let spans: serde_json::Map<String, Value> = durations(incident)
        .iter()
        .map(|duration| (duration.name.replace(' ', "_") + "_s", json!(duration.seconds)))
        .collect();
    let last = incident.entries.last().map(|entry: &Entry| entry.recorded);
    json!({
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "state": state(incident),
        "open": incident.is_open(),
        "models": incident.models,
        "started": incident.started(),
        "milestones": marks,
        "durations": spans,
        "roles": incident.roles,
        "people": incident.people,
        "hypothesis": incident.hypothesis,
        "next_decision": incident.next_decision.as_ref().map(|(due, text)| json!({ "due": due, "text": text })),
        "updated": incident.updated,
        "last_recorded": last,
        "entry_count": incident.entries.len(),
    })
}

fn pretty(value: &Value) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|why| why.to_string())
}

fn table<const N: usize>(rows: Vec<[String; N]>) -> String {
    let rows: Vec<[String; N]> = rows.into_iter().map(|row| row.map(|cell| clean(&cell, WIDEST))).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            // The format's own padding counts characters, not columns.
            let padded = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width()))));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}
