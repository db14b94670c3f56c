//! The timeline as a table: every entry in order of recording, corrections beside what they correct.

use std::collections::HashMap;

use super::text::{inline, moment};
use super::words;
use crate::domain::Time;
use crate::domain::incident::{Entry, EntryId, Matter};

/// The corrections of entries that are there, by what they correct, in order of recording.
pub(super) fn corrections(entries: &[Entry]) -> HashMap<&EntryId, Vec<&Entry>> {
    let known: std::collections::HashSet<&EntryId> = entries.iter().map(|entry| &entry.id).collect();
    let mut found: HashMap<&EntryId, Vec<&Entry>> = HashMap::new();
    for entry in entries {
        if let Matter::Correction { of, .. } = &entry.matter
            && known.contains(of)
            && *of != entry.id
        {
            found.entry(of).or_default().push(entry);
        }
    }
    found
}

/// When an entry happened, as far as is known now: what the last correction of its time says.
pub(super) fn happened(entry: &Entry, corrections: &HashMap<&EntryId, Vec<&Entry>>) -> Time {
    let told = corrections.get(&entry.id).into_iter().flatten().rev().find_map(|entry| match &entry.matter {
        Matter::Correction { happened, .. } => *happened,
        _ => None,
    });
    told.unwrap_or(entry.happened)
}

/// The table: `Time (UTC) | Event | Evidence`.
pub(super) fn table(entries: &[Entry]) -> String {
    let mut out = String::from("| Time (UTC) | Event | Evidence |\n| --- | --- | --- |\n");
    let corrected = corrections(entries);
    // A correction of a correction stands beside what the first one corrects.
    for entry in entries {
        let stands_elsewhere = matches!(&entry.matter, Matter::Correction { of, .. }
            if corrected.get(of).is_some_and(|those| those.iter().any(|other| other.id == entry.id)));
        if stands_elsewhere && !is_circle(entry, entries) {
            continue;
        }
        let mut event = inline(&words::event(entry));
        let mut evidence = inline(&words::evidence(entry));
        let mut time = times(entry);
        beside(entry, &corrected, 0, &mut time, &mut event, &mut evidence);
        out.push_str(&format!("| {time} | {event} | {evidence} |\n"));
    }
    out
}

/// Corrections may point in a circle when somebody writes nonsense; then each stands for itself.
fn is_circle(entry: &Entry, entries: &[Entry]) -> bool {
    let mut at = entry;
    for _ in 0..=entries.len() {
        let Matter::Correction { of, .. } = &at.matter else { return false };
        match entries.iter().find(|other| other.id == *of) {
            Some(next) => at = next,
            None => return false,
        }
    }
    true
}

fn beside(
    entry: &Entry,
    corrected: &HashMap<&EntryId, Vec<&Entry>>,
    depth: usize,
    time: &mut String,
    event: &mut String,
    evidence: &mut String,
) {
    // A chain that is longer than anybody writes ends here.
    if depth > 8 {
        return;
    }
    for correction in corrected.get(&entry.id).into_iter().flatten() {
        let Matter::Correction { text, happened, .. } = &correction.matter else { continue };
        if let Some(happened) = happened {
            time.push_str(&format!("<br>corrected: {}", moment(*happened)));
        }
        event.push_str(&format!("<br>corrected: {}", inline(text)));
        evidence.push_str(&format!(
            "<br>correction by {}, recorded {}",
            inline(&correction.by),
            moment(correction.recorded)
        ));
        beside(correction, corrected, depth + 1, time, event, evidence);
    }
}

/// Both times, where they are not the same second.
fn times(entry: &Entry) -> String {
    let (happened, recorded) = (moment(entry.happened), moment(entry.recorded));
    if happened == recorded { happened } else { format!("{happened} (recorded {recorded})") }
}
