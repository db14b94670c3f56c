//! What keys, ticks and other rooms do to incidents, without a terminal and without a file.

mod acts;
mod spectator;

use std::collections::BTreeMap;

use super::{IncidentStage, Incidents};
use crate::app::sample::{fleet, press};
use crate::app::{App, Dialog, Effect, KeyMap, Msg, update};
use crate::domain::incident::{Entry, Incident, Matter, Milestone, Severity};
use crate::domain::{Event, EventKind, Level, ModelId, Time};
use crate::store::Store;

fn at(second: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn event(second: i64, kind: EventKind, level: Level, what: &str) -> Event {
    let model = Some(ModelId::new("test", "alzheimer"));
    Event { at: at(second), kind, model, level, what: what.into(), detail: String::new() }
}

/// A room with one model in trouble since a minute.
fn room(prefix: &str, person: &str) -> (App, Store) {
    let mut store = fleet(["alzheimer", "als"]);
    bad(&mut store, Level::Critical, -60);
    store.record(event(-55, EventKind::Judgement, Level::Critical, "p95 612 ms > 500"));
    let mut app = App::new(at(0), (120, 36), KeyMap::new(&BTreeMap::new()).unwrap());
    (app.operator, app.incidents.prefix) = (person.into(), prefix.into());
    (app, store)
}

/// The level of the first model. A tick would judge it anew: nothing measures it in these tests.
fn bad(store: &mut Store, level: Level, since: i64) {
    let model = &mut store.models[0];
    (model.level, model.level_since) = (level, Some(at(since)));
    model.why = if level >= Level::Warning { "p95 612 ms > 500".into() } else { String::new() };
}

fn line(app: &mut App, store: &mut Store, text: &str) -> Vec<Effect> {
    update(app, store, Msg::Paste(text.into()));
    press(app, store, &["Enter"])
}

fn written(effects: Vec<Effect>) -> Vec<Entry> {
    let of = |effect| match effect {
        Effect::Write(entries) => entries,
        _ => Vec::new(),
    };
    effects.into_iter().flat_map(of).collect()
}

fn declare(app: &mut App, store: &mut Store) -> Vec<Entry> {
    written(press(app, store, &["i", "Enter"]))
}

fn only(app: &App) -> &Incident {
    assert_eq!(app.incidents.open.len(), 1);
    &app.incidents.open[0]
}

fn kinds(entries: &[Entry]) -> Vec<&'static str> {
    let of = |entry: &Entry| match &entry.matter {
        Matter::Declared { .. } => "declared",
        Matter::Milestone { milestone, .. } => milestone.word(),
        Matter::Seen { .. } => "seen",
        Matter::Acted { .. } => "acted",
        Matter::Note { .. } => "note",
        Matter::Joined => "joined",
        _ => "other",
    };
    entries.iter().map(of).collect()
}

#[test]
fn declaring_writes_when_it_began_what_noticed_it_and_who_took_it_on() {
    let (mut app, mut store) = room("a", "kim@bastion");
    press(&mut app, &mut store, &["i"]);
    let Dialog::Incident(dialog) = &app.dialog else { panic!("no dialog") };
    let IncidentStage::Declare(declaration) = &dialog.stage else { panic!("no form") };
    assert_eq!(declaration.title.value(), "alzheimer p95 612 ms > 500");
    assert_eq!(declaration.severity, Severity::Sev2);
    let entries = written(press(&mut app, &mut store, &["Tab", "Left", "Enter"]));
    assert_eq!(kinds(&entries), ["declared", "started", "detected", "acknowledged", "seen"]);
    let incident = only(&app);
    assert_eq!((incident.severity, incident.models.as_slice()), (Severity::Sev1, &["alzheimer".into()][..]));
    let mark = |milestone| &incident.marks[&milestone];
    assert_eq!(mark(Milestone::Started).at, at(-60));
    assert!(mark(Milestone::Started).evidence.contains("critical since"), "{incident:?}");
    assert_eq!(mark(Milestone::Detected).at, at(-55));
    assert_eq!(mark(Milestone::Detected).evidence, "alzheimer p95 612 ms > 500");
    assert_eq!(
        (mark(Milestone::Acknowledged).at, mark(Milestone::Acknowledged).by.as_str()),
        (at(0), "kim@bastion")
    );
    assert!(app.incidents.is_pending(&incident.entries[0].id), "until it comes back it is being written");
    update(&mut app, &mut store, Msg::Entries(entries));
    assert!(app.incidents.pending.is_empty());
    assert_eq!(only(&app).entries.len(), 5);
}

#[test]
fn the_keys_of_the_sheet_write_what_they_say() {
    let (mut app, mut store) = room("a", "kim@bastion");
    declare(&mut app, &mut store);
    press(&mut app, &mut store, &["n"]);
    line(&mut app, &mut store, "the cache\u{1b}[31m is cold\n");
    press(&mut app, &mut store, &["h"]);
    line(&mut app, &mut store, "the new tokenizer");
    press(&mut app, &mut store, &["u"]);
    line(&mut app, &mut store, "users see slow answers");
    press(&mut app, &mut store, &["f"]);
    line(&mut app, &mut store, "an alert for p95");
    press(&mut app, &mut store, &["r", "Enter", "r", "Enter", "s", "Left", "Enter", "d"]);
    line(&mut app, &mut store, "soon");
    assert!(app.message.as_ref().is_some_and(|message| message.text.contains("minutes")));
    press(&mut app, &mut store, &["Ctrl-u"]);
    press(&mut app, &mut store, &["Esc", "d"]);
    line(&mut app, &mut store, "15 roll back unless p95 falls");
    let incident = only(&app);
    assert_eq!(incident.hypothesis.as_deref(), Some("the new tokenizer"));
    assert_eq!(
        (incident.roles["commander"].as_str(), incident.roles["operations"].as_str()),
        ("kim@bastion", "kim@bastion")
    );
    assert_eq!((incident.severity, incident.updated), (Severity::Sev1, Some(at(0))));
    assert_eq!(incident.next_decision, Some((at(900), "roll back unless p95 falls".into())));
    let said =
        |entry: &&Entry| matches!(&entry.matter, Matter::Note { text } if text == "the cache[31m is cold");
    assert_eq!(incident.entries.iter().filter(said).count(), 1);
    press(&mut app, &mut store, &["m"]);
    line(&mut app, &mut store, "p95 is back");
    assert_eq!(only(&app).marks[&Milestone::Mitigated].evidence, "p95 is back");
    press(&mut app, &mut store, &["m", "Enter"]);
    assert!(app.incidents.open.is_empty() && !app.has_incident_bar());
    assert_eq!(app.incidents.over[0].marks[&Milestone::Resolved].by, "kim@bastion");
}

#[test]
fn a_correction_names_its_entry_and_both_stay() {
    let (mut app, mut store) = room("a", "kim");
    declare(&mut app, &mut store);
    app.now = at(5);
    press(&mut app, &mut store, &["n"]);
    line(&mut app, &mut store, "deploy at noon");
    let count = only(&app).entries.len();
    press(&mut app, &mut store, &["c", "Enter"]);
    line(&mut app, &mut store, "07:58 the deploy was at one");
    let incident = only(&app);
    assert_eq!(incident.entries.len(), count + 1);
    let note = incident.entries.iter().find(|entry| matches!(entry.matter, Matter::Note { .. })).unwrap();
    let Some(Matter::Correction { text, happened, .. }) =
        incident.correction_of(&note.id).map(|entry| &entry.matter)
    else {
        panic!("no correction")
    };
    assert_eq!((text.as_str(), happened.unwrap()), ("the deploy was at one", at(-120)));
}

#[test]
fn a_note_goes_into_the_open_incident_and_into_the_timeline() {
    let (mut app, mut store) = room("a", "kim");
    press(&mut app, &mut store, &["n"]);
    assert!(line(&mut app, &mut store, "before it").is_empty());
    declare(&mut app, &mut store);
    press(&mut app, &mut store, &["Esc", "n"]);
    let entries = written(line(&mut app, &mut store, "looking"));
    assert_eq!(kinds(&entries), ["note"]);
    assert_eq!(store.timeline.back().map(|event| event.what.as_str()), Some("looking"));
}

#[test]
fn lines_of_the_timeline_write_themselves_once() {
    let (mut app, mut store) = room("a", "kim");
    store.record(event(-1, EventKind::Note, Level::Ok, "a note is no line that writes itself"));
    let first = declare(&mut app, &mut store);
    assert_eq!(kinds(&first).iter().filter(|kind| **kind == "seen").count(), 1);
    store.record(event(5, EventKind::Rollout, Level::Ok, "weight 10 → 25 %"));
    let other = Event {
        model: Some(ModelId::new("test", "als")),
        ..event(5, EventKind::Rollout, Level::Ok, "paused")
    };
    store.record(other);
    store.record(Event { model: None, ..event(6, EventKind::Source, Level::Unknown, "mlflow hung") });
    let found =
        Event { detail: "argo  first seen".into(), ..event(6, EventKind::Rollout, Level::Ok, "canary 2") };
    store.record(found);
    let met = Event {
        detail: "was –, unknown".into(),
        ..event(6, EventKind::Judgement, Level::Warning, "err 2 %")
    };
    store.record(met);
    let new = written(super::tick(&mut app, &store));
    let what: Vec<&str> = new
        .iter()
        .filter_map(|entry| match &entry.matter {
            Matter::Seen { event } => Some(event.what.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(what, ["weight 10 → 25 %", "mlflow hung"]);
    assert!(new.iter().all(|entry| entry.by == "wardroom"));
    assert!(super::tick(&mut app, &store).is_empty());
}

#[test]
fn what_has_no_answer_is_given_again_and_nothing_is_lost_without_a_history() {
    let (mut app, mut store) = room("a", "kim");
    let first = declare(&mut app, &mut store);
    app.now = at(3);
    assert!(super::tick(&mut app, &store).is_empty());
    app.now = at(6);
    assert_eq!(written(super::tick(&mut app, &store)).len(), first.len());
    super::alone(&mut app, "the disk is full");
    assert!(
        app.message
            .as_ref()
            .is_some_and(|message| message.text.contains("only in this session: the disk is full"))
    );
    app.now = at(60);
    assert!(super::tick(&mut app, &store).is_empty());
    press(&mut app, &mut store, &["n"]);
    line(&mut app, &mut store, "still here");
    assert_eq!(only(&app).entries.len(), first.len() + 1);
    app.now = at(125);
    let all = written(super::tick(&mut app, &store));
    assert_eq!(all.len(), first.len() + 1, "when the disk is mended nothing has been lost");
    update(&mut app, &mut store, Msg::Entries(all));
    assert_eq!((app.incidents.alone.as_deref(), app.incidents.pending.len()), (None, 0));
}

#[test]
fn another_room_sees_it_joins_and_neither_doubles_what_both_see() {
    let (mut app, mut store) = room("a", "kim");
    let (mut other, mut theirs) = room("b", "sam");
    let mut shared = declare(&mut app, &mut store);
    update(&mut other, &mut theirs, Msg::Entries(shared.clone()));
    assert!(other.message.as_ref().is_some_and(|message| message.text.contains("kim declared SEV2")));
    press(&mut other, &mut theirs, &["i"]);
    assert!(
        matches!(&other.dialog, Dialog::Incident(dialog) if matches!(dialog.stage, IncidentStage::Choose { .. }))
    );
    let joined = written(press(&mut other, &mut theirs, &["Enter"]));
    assert_eq!(kinds(&joined), ["joined"]);
    shared.extend(joined);
    for (app, store, second, p95) in [(&mut app, &mut store, 61, 590), (&mut other, &mut theirs, 64, 602)] {
        app.incidents.looked = store.timeline.back().cloned();
        store.record(event(second, EventKind::Judgement, Level::Critical, &format!("p95 {p95} ms > 500")));
        store.record(event(second + 1, EventKind::Rollout, Level::Ok, "aborted at 0 %"));
        shared.extend(written(super::tick(app, store)));
    }
    for (app, store) in [(&mut app, &mut store), (&mut other, &mut theirs)] {
        update(app, store, Msg::Entries(shared.clone()));
        let seen =
            only(app).entries.iter().filter(|entry| matches!(entry.matter, Matter::Seen { .. })).count();
        assert_eq!((seen, only(app).people.len()), (3, 2));
    }
    assert_eq!(only(&app), only(&other));
}

#[test]
fn names_of_entries_differ_and_keep_their_order() {
    let mut incidents = Incidents { prefix: "a".into(), ..Incidents::default() };
    let names: Vec<_> = (0..300).map(|_| incidents.name()).collect();
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]));
}
