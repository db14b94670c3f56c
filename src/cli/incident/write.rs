//! Writes entries: a declaration, notes, milestones, corrections.

use super::folder::{Place, writer};
use super::{IncidentCommand, out};
use crate::cli::stage;
use crate::domain::Time;
use crate::domain::incident::{Entry, EntryId, Incident, IncidentId, Matter, Severity};
use crate::domain::text::{clean, clean_name};

/// The longest text of an entry, in characters.
const LONGEST: usize = 2_000;

/// Declares an incident and prints its name.
pub fn declare(
    place: &Place,
    entries: &[Entry],
    title: &str,
    severity: Severity,
    models: &[String],
) -> Result<u8, String> {
    let title = said("--title", title)?;
    let known: Vec<&str> = place.config.model.iter().map(|model| model.name.as_str()).collect();
    let models: Vec<String> = models.iter().map(|name| clean_name(name)).collect();
    // Without a config any name may be right.
    if let Some(wrong) = models.iter().find(|name| !known.is_empty() && !known.contains(&name.as_str())) {
        let some: Vec<&str> = known.iter().take(20).copied().collect();
        return Err(format!(
            "--model {wrong}: there is no such model in the config; it has {}",
            some.join(", ")
        ));
    }
    let now = stage::now();
    let id = fresh(now, entries);
    let matter = Matter::Declared { title, severity, models };
    write(place, entry(&id, now, None, matter))?;
    out::say(&id.0);
    Ok(0)
}

/// Writes what a command says into an incident, and prints the entry's name.
pub fn into(place: &Place, incident: &Incident, command: &IncidentCommand) -> Result<u8, String> {
    let (matter, at) = match command {
        IncidentCommand::Note { text, at, .. } => (Matter::Note { text: said("the note", text)? }, *at),
        IncidentCommand::Milestone { milestone, evidence, at, .. } => {
            let evidence = said("--evidence", evidence)?;
            (Matter::Milestone { milestone: *milestone, evidence }, *at)
        }
        IncidentCommand::FollowUp { text, owner, .. } => {
            let text = said("the follow-up", text)?;
            (Matter::FollowUp { text, owner: clean_name(owner) }, None)
        }
        IncidentCommand::Update { text, .. } => (Matter::Update { text: said("the update", text)? }, None),
        IncidentCommand::Correct { entry, text, at, .. } => {
            let of = EntryId(entry.clone());
            if !incident.entries.iter().chain(&incident.doubles).any(|known| known.id == of) {
                return Err(format!(
                    "incident {} has no entry {}; `wardroom incident show {} --output json` prints their IDs",
                    incident.id,
                    clean_name(entry),
                    incident.id
                ));
            }
            // When the correction was made and when the corrected happened are two times.
            (Matter::Correction { of, text: said("the correction", text)?, happened: *at }, None)
        }
        // The others write nothing.
        _ => return Ok(0),
    };
    let written = write(place, entry(&incident.id, stage::now(), at, matter))?;
    out::say(&written.0);
    Ok(0)
}

fn said(what: &str, text: &str) -> Result<String, String> {
    let cleaned = clean(text, LONGEST);
    if cleaned.is_empty() { Err(format!("{what} is empty; say it in a few words")) } else { Ok(cleaned) }
}

fn entry(incident: &IncidentId, now: Time, happened: Option<Time>, matter: Matter) -> Entry {
    Entry {
        id: EntryId(format!("e-{:016x}", rand::random::<u64>())),
        incident: incident.clone(),
        happened: happened.unwrap_or(now),
        recorded: now,
        by: writer(),
        matter,
    }
}

fn write(place: &Place, entry: Entry) -> Result<EntryId, String> {
    let id = entry.id.clone();
    place.append(&[entry])?;
    Ok(id)
}

/// A name that no incident has: the day, and four digits.
fn fresh(now: Time, entries: &[Entry]) -> IncidentId {
    loop {
        let id = IncidentId(format!("i-{}-{:04x}", now.format("%m%d"), rand::random::<u16>()));
        if !entries.iter().any(|entry| entry.incident == id) {
            return id;
        }
    }
}
