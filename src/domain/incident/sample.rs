//! Entries and an incident made of them, for the tests of whoever reads incidents.

use super::{Entry, EntryId, Incident, IncidentId, Matter, Severity};
use crate::domain::{Event, EventKind, Level, ModelId, Time};

/// A moment so many seconds into the incident.
pub fn at(second: i64) -> Time {
    Time::from_timestamp(1_795_000_020 + second, 0).unwrap()
}

/// The incident's name.
pub fn name() -> IncidentId {
    IncidentId("i-1118-7f3a".into())
}

/// An entry that is written the moment it happens.
pub fn entry(id: &str, second: i64, by: &str, matter: Matter) -> Entry {
    let (id, incident, at) = (EntryId(id.into()), name(), at(second));
    Entry { id, incident, happened: at, recorded: at, by: by.into(), matter }
}

/// A line of the timeline.
pub fn event(second: i64, model: &str, kind: EventKind, level: Level, what: &str) -> Event {
    let model = Some(ModelId::new("prod-eu", model));
    Event { at: at(second), kind, model, level, what: what.into(), detail: String::new() }
}

/// How the incident is declared.
pub fn declared() -> Matter {
    let (title, models) = ("alzheimer 1.3.0 slow".into(), vec!["alzheimer".into()]);
    Matter::Declared { title, severity: Severity::Sev2, models }
}

/// The incident with these entries, and nothing folded from them.
pub fn incident(entries: Vec<Entry>) -> Incident {
    Incident {
        title: "alzheimer 1.3.0 slow".into(),
        severity: Severity::Sev2,
        models: vec!["alzheimer".into()],
        ..Incident::unfolded(name(), entries, Vec::new())
    }
}
