//! Incidents in the room: what is known of them, what is being written, and the dialog. Nothing is written from here:
//! entries leave as [`Effect::Write`] and come back through the message `Entries` when they are durable.

mod declare;
mod dialog;
mod itself;
mod keys;
pub mod spectator;
#[cfg(test)]
mod tests;
mod typed;

use std::collections::BTreeMap;

use super::effect::Effect;
use super::state::{App, Dialog};
use crate::domain::incident::{Entry, EntryId, Incident, IncidentId, Matter, Milestone};
use crate::domain::{Event, EventKind, Level, Time};
use crate::store::Store;

pub use dialog::{Ask, Asked, Declaration, DeclareField, IncidentDialog, IncidentStage, ROLES, Scope};
pub use itself::tick;
pub use keys::{key, paste};

/// After so many seconds without an answer what was to be written is asked for again; so many while nothing is kept.
const AGAIN_S: i64 = 5;
const AGAIN_ALONE_S: i64 = 60;
/// An entry of another room that is older than this, seconds, is no news for the timeline.
const NEWS_S: i64 = 120;
/// Who wrote what nobody typed.
pub(super) const ITSELF: &str = "wardroom";

/// Incidents that are known.
#[derive(Debug, Clone, Default)]
pub struct Incidents {
    /// Those that are not resolved, the newest last.
    pub open: Vec<Incident>,
    /// Those that this session knows and that are resolved, the newest last.
    pub over: Vec<Incident>,
    /// Entries of this session that are not known to be durable yet.
    pub pending: BTreeMap<EntryId, Entry>,
    /// Why no entry is kept beyond this session for now; `None`: they are kept.
    pub alone: Option<String>,
    /// What the names of this session's entries begin with: random, given when the room begins.
    pub prefix: String,
    /// How many names were given.
    named: u64,
    /// Entries that are durable, or that other rooms wrote.
    known: BTreeMap<EntryId, Entry>,
    /// When this room began to look.
    began: Option<Time>,
    /// The newest line of the timeline that was looked at.
    looked: Option<Event>,
    /// When something was last given to be written.
    asked: Option<Time>,
}

impl Incidents {
    /// An incident by its name.
    pub fn get(&self, id: &IncidentId) -> Option<&Incident> {
        self.open.iter().chain(&self.over).find(|incident| incident.id == *id)
    }

    /// The one that the room shows: the newest open one that `person` joined, else the newest open one.
    pub fn current(&self, person: &str) -> Option<&Incident> {
        let joined = |incident: &&Incident| incident.people.iter().any(|known| known == person);
        self.open.iter().rev().find(joined).or_else(|| self.open.last())
    }

    /// Whether an entry is not known to be durable.
    pub fn is_pending(&self, id: &EntryId) -> bool {
        self.pending.contains_key(id)
    }

    /// Whether an entry is known, durable or not.
    fn knows(&self, id: &EntryId) -> bool {
        self.known.contains_key(id) || self.pending.contains_key(id)
    }

    /// A fresh name for an entry.
    fn name(&mut self) -> EntryId {
        self.named += 1;
        EntryId(format!("e-{}-{:05}", self.prefix, self.named))
    }

    /// Works out how the incidents stand.
    fn fold(&mut self) {
        // What is durable counts before what this session thinks of it.
        let pending = self.pending.iter().filter(|(id, _)| !self.known.contains_key(id));
        let entries: Vec<Entry> =
            self.known.values().chain(pending.map(|(_, entry)| entry)).cloned().collect();
        (self.open, self.over) = Incident::fold(&entries).into_iter().partition(Incident::is_open);
    }
}

impl App {
    /// Now, also while the past is shown.
    pub fn present(&self) -> Time {
        self.time.now.unwrap_or(self.now)
    }

    /// Whether a bar about an open incident stands under the header.
    pub fn has_incident_bar(&self) -> bool {
        !self.incidents.open.is_empty()
    }

    /// Why nothing may be written from here.
    fn cannot_write(&self) -> Option<&'static str> {
        if self.spectator {
            Some("this is a spectator, which only looks")
        } else if self.time.asked.is_some() {
            Some("the past is shown; End goes back to now")
        } else {
            None
        }
    }
}

/// An entry that somebody here writes now.
fn entry(app: &mut App, incident: &IncidentId, happened: Option<Time>, matter: Matter) -> Entry {
    let recorded = app.present();
    Entry {
        id: app.incidents.name(),
        incident: incident.clone(),
        happened: happened.unwrap_or(recorded),
        recorded,
        by: app.operator.clone(),
        matter,
    }
}

/// Gives entries to be written. They stand on screen as not written until they come back.
fn write(app: &mut App, entries: Vec<Entry>) -> Vec<Effect> {
    let new: Vec<Entry> = entries.into_iter().filter(|entry| !app.incidents.knows(&entry.id)).collect();
    if new.is_empty() || app.spectator {
        return Vec::new();
    }
    let pending = new.iter().map(|entry| (entry.id.clone(), entry.clone()));
    app.incidents.pending.extend(pending);
    app.incidents.fold();
    app.incidents.asked = Some(app.present());
    vec![Effect::Write(new)]
}

/// What has had no answer for a while is given once more: an entry written twice is one.
fn again(app: &mut App) -> Vec<Effect> {
    let now = app.present();
    let pause = if app.incidents.alone.is_some() { AGAIN_ALONE_S } else { AGAIN_S };
    let waits = app.incidents.asked.is_some_and(|at| (now - at).num_seconds() >= pause);
    if !waits || app.incidents.pending.is_empty() {
        return Vec::new();
    }
    app.incidents.asked = Some(now);
    vec![Effect::Write(app.incidents.pending.values().cloned().collect())]
}

/// From now on nothing is kept: incidents live in this session only, and nothing of them is lost in it.
pub fn alone(app: &mut App, why: impl Into<String>) {
    let why = why.into();
    if !app.incidents.pending.is_empty() {
        app.say(format!("the incident lives only in this session: {why}"), Level::Warning);
    }
    app.incidents.alone = Some(why);
}

/// Takes entries in, own and others'.
pub fn take(app: &mut App, store: &mut Store, entries: Vec<Entry>) {
    let now = app.present();
    let (mut news, mut wrote) = (Vec::new(), false);
    for entry in entries {
        let mine = app.incidents.pending.remove(&entry.id).is_some();
        wrote |= mine;
        let known = app.incidents.known.contains_key(&entry.id);
        if !mine && !known {
            news.push(entry.clone());
        }
        app.incidents.known.entry(entry.id.clone()).or_insert(entry);
    }
    if wrote {
        // The history is well again.
        app.incidents.alone = None;
    }
    if app.incidents.pending.is_empty() {
        app.incidents.asked = None;
    }
    app.incidents.fold();
    // At the start all entries of open incidents come: those are no news.
    for entry in news.into_iter().filter(|entry| (now - entry.recorded).num_seconds() < NEWS_S) {
        tell(app, store, &entry);
    }
}

/// Another room wrote something that people here want to know.
fn tell(app: &mut App, store: &mut Store, entry: &Entry) {
    let mut model = None;
    let what = match &entry.matter {
        Matter::Declared { title, severity, models } => {
            let key = app.keymap.key(super::Action::Incident);
            let words = format!("{} declared {} {title}", entry.by, severity.word());
            app.say(format!("{words}; {key} joins"), Level::Warning);
            let named = |name: &String| store.models.iter().find(|model| *model.id.name == **name);
            model = models.first().and_then(named).map(|model| model.id.clone());
            format!("{} declared: {title}", severity.word())
        }
        Matter::Note { text } => text.clone(),
        Matter::Update { text } => format!("update: {text}"),
        Matter::Hypothesis { text } => format!("hypothesis: {text}"),
        Matter::Milestone { milestone, evidence } => format!("{}: {evidence}", milestone.word()),
        Matter::Role { role, person } => format!("{role}: {person}"),
        Matter::Severity { severity } => format!("severity {}", severity.word()),
        Matter::NextDecision { text, .. } => format!("to be decided: {text}"),
        Matter::Acted { headline, stage, .. } => format!("{headline} {stage}"),
        _ => return,
    };
    let detail = format!("{}  {}", entry.by, entry.incident);
    store.record(Event { at: entry.happened, kind: EventKind::Note, model, level: Level::Ok, what, detail });
}

/// Declares, joins or shows an incident.
pub fn open(app: &mut App, store: &Store) -> Vec<Effect> {
    let joined = |incident: &Incident| incident.people.contains(&app.operator);
    let stage = match app.incidents.open.as_slice() {
        [] => {
            if let Some(why) = app.cannot_write() {
                app.say(format!("incident: {why}"), Level::Warning);
                return Vec::new();
            }
            IncidentStage::Declare(Box::new(Declaration::of(app, store)))
        }
        [only] if joined(only) || app.spectator => IncidentStage::sheet(only.id.clone()),
        many => IncidentStage::Choose { cursor: many.len() - 1 },
    };
    app.dialog = Dialog::Incident(Box::new(IncidentDialog { stage, scroll: 0 }));
    Vec::new()
}

/// Writes a note into the incident that the room shows, if there is one.
pub(super) fn note(app: &mut App, text: String) -> Vec<Effect> {
    let Some(id) = app.incidents.current(&app.operator).map(|incident| incident.id.clone()) else {
        return Vec::new();
    };
    let entry = entry(app, &id, None, Matter::Note { text });
    write(app, vec![entry])
}

/// The milestone that comes next.
pub(super) fn next_milestone(incident: &Incident) -> Milestone {
    let next = Milestone::ALL.into_iter().find(|milestone| !incident.marks.contains_key(milestone));
    next.unwrap_or(Milestone::Resolved)
}
