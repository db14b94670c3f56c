//! Writes a document of an incident to standard output or to a new file.

use std::io::Write;
use std::path::Path;

use super::folder::Place;
use super::{Form, facts, out};
use crate::cli::stage;
use crate::domain::incident::{Entry, Incident};
use crate::domain::text::clean;
use crate::report::{self, Dossier};

/// Exports an incident; `entries` are all of the history.
pub fn run(
    place: &Place,
    incident: &Incident,
    entries: &[Entry],
    form: Form,
    file: Option<&Path>,
    age_identity: Option<&Path>,
) -> Result<u8, String> {
    let own =
        || -> Vec<Entry> { entries.iter().filter(|entry| entry.incident == incident.id).cloned().collect() };
    let document = |with: fn(&Dossier<'_>) -> String| -> Result<String, String> {
        let now = stage::now();
        let settings = place.of(incident)?;
        let acts = facts::acts(place, incident, age_identity);
        let seen = facts::seen(&settings, incident, now);
        Ok(with(&Dossier {
            incident,
            environment: &settings.environment,
            now,
            acts: &acts,
            charts: &seen.charts,
            traffic: &seen.traffic,
            facts: &seen.facts,
        }))
    };
    let text = match form {
        Form::Csv => report::sheet::write(&own())?,
        Form::Jsonl => report::lines::write(&own())?,
        Form::Markdown => document(report::markdown)?,
        Form::Stakeholder => document(report::stakeholder)?,
        Form::PostRollback => document(report::post_rollback)?,
        Form::RootCause => document(report::root_cause)?,
    };
    match file {
        None => out::say(&text),
        Some(path) => keep(path, &text)?,
    }
    Ok(0)
}

/// Writes a new file; one that is there is never written over.
pub fn keep(path: &Path, text: &str) -> Result<(), String> {
    let said = |why: std::io::Error| {
        let remedy = match why.kind() {
            std::io::ErrorKind::AlreadyExists => "choose another name: what is there is not written over",
            _ => "check the folder and its permissions",
        };
        format!("--out {}: {why}; {remedy}", clean(&path.display().to_string(), 200))
    };
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(said)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(said)
}
