use std::collections::BTreeMap;

use super::*;
use crate::app::sample::{fleet, press};
use crate::app::{Availability, KeyMap, Msg, update};
use crate::domain::act::{Operation, Told};
use crate::domain::{ControllerKind, SourceId, Target};
use crate::domain::{Event, EventKind, ModelId, Phase, Rollout, Situation, Version};

fn now() -> Time {
    Time::from_timestamp(1_800_000_000, 0).unwrap()
}

fn ago(s: i64) -> Time {
    now() - TimeDelta::seconds(s)
}

/// Two models; the canary of the first is at so many percent.
fn store(asked: f64) -> Store {
    let mut store = fleet(["alzheimer", "als"]);
    store.models[0].rollout = Some(Rollout {
        canary: Some(Version::new("1.3.0")),
        asked,
        phase: Phase::Progressing,
        situation: Situation::Progressing,
        target: Some(Target {
            system: SourceId::new("test"),
            kind: ControllerKind::Argo,
            context: "test".into(),
            namespace: "ml".into(),
            name: "alzheimer".into(),
        }),
        ..Rollout::of("test", Version::new("1.2.0"))
    });
    store
}

fn room() -> (App, Store) {
    let mut app = App::new(now(), (120, 36), KeyMap::new(&BTreeMap::new()).unwrap());
    let mut store = store(50.0);
    update(&mut app, &mut store, Msg::Tick(now()));
    (app, store)
}

fn past(asked: Time, at: Time) -> Msg {
    let past = Past { asked, at, store: store(10.0), note: String::new(), oldest: ago(3_600) };
    Msg::Past(Ok(Box::new(past)))
}

/// A room that shows the moment 15 s ago.
fn back() -> (App, Store) {
    let (mut app, mut store) = room();
    press(&mut app, &mut store, &["Left"]);
    update(&mut app, &mut store, past(ago(15), ago(17)));
    assert!(app.is_past());
    (app, store)
}

fn said(app: &App) -> &str {
    app.message.as_ref().map_or("", |message| &message.text)
}

fn weight(store: &Store) -> f64 {
    store.models[0].rollout.as_ref().unwrap().asked
}

#[test]
fn arrows_ask_and_the_old_moment_stays_until_the_answer() {
    let (mut app, mut store) = room();
    assert_eq!(press(&mut app, &mut store, &["Left"]), [Effect::Past(Some(ago(15)))]);
    assert_eq!((app.is_past(), app.now, app.time.reading()), (false, now(), Some(ago(15))));
    assert_eq!(press(&mut app, &mut store, &["Shift-Left"]), [Effect::Past(Some(ago(315)))]);
    assert_eq!(press(&mut app, &mut store, &["Right"]), [Effect::Past(Some(ago(300)))]);
    update(&mut app, &mut store, past(ago(300), ago(302)));
    assert_eq!((app.now, app.clock(), app.time.reading()), (ago(302), now(), None));
    assert_eq!((weight(app.shown(&store)), weight(&store)), (10.0, 50.0));
}

#[test]
fn time_goes_on_behind_the_past() {
    let (mut app, mut store) = back();
    update(&mut app, &mut store, Msg::Tick(now() + TimeDelta::seconds(5)));
    assert_eq!((app.now, app.clock()), (ago(17), now() + TimeDelta::seconds(5)));
    app.wake(now() + TimeDelta::seconds(6));
    assert_eq!((app.now, app.clock()), (ago(17), now() + TimeDelta::seconds(6)));
    let told = Told::Advice { model: ModelId::new("test", "als"), words: "look".into() };
    update(&mut app, &mut store, Msg::Told(Box::new(told)));
    let event = store.timeline.back().unwrap();
    assert_eq!(event.at, now() + TimeDelta::seconds(6), "what happens now happens now");
    assert!(app.shown(&store).timeline.is_empty(), "the past does not change");
    app.say("a word", Level::Ok);
    update(&mut app, &mut store, Msg::Tick(now() + TimeDelta::seconds(20)));
    assert!(app.message.is_none(), "words go with the present's time");
}

#[test]
fn end_and_a_step_beyond_now_return_at_once() {
    for keys in [&["End"][..], &["Right", "Right"], &["Shift-Right"]] {
        let (mut app, mut store) = back();
        app.wake(now() + TimeDelta::seconds(9));
        let effects = press(&mut app, &mut store, keys);
        assert_eq!(effects.last(), Some(&Effect::Past(None)), "{keys:?}");
        assert!(!app.is_past() && app.time.past.is_none() && app.time.asked.is_none());
        assert_eq!(app.now, now() + TimeDelta::seconds(9));
        assert_eq!(weight(app.shown(&store)), 50.0);
    }
    let (mut app, mut store) = room();
    assert_eq!(press(&mut app, &mut store, &["End"]), []);
    assert_eq!(said(&app), "this is now");
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let (mut app, mut store) = room();
    press(&mut app, &mut store, &["Left", "End"]);
    update(&mut app, &mut store, past(ago(15), ago(15)));
    assert!(!app.is_past());
    press(&mut app, &mut store, &["Left", "Left"]);
    update(&mut app, &mut store, past(ago(15), ago(15)));
    assert_eq!((app.now, app.time.reading()), (ago(15), Some(ago(30))), "it shows the way");
    update(&mut app, &mut store, past(ago(30), ago(30)));
    assert_eq!((app.now, app.time.reading()), (ago(30), None));
    update(&mut app, &mut store, past(ago(15), ago(15)));
    assert_eq!(app.now, ago(30), "a question is answered once");
}

#[test]
fn a_reason_leaves_the_old_moment() {
    let (mut app, mut store) = back();
    press(&mut app, &mut store, &["Left"]);
    update(&mut app, &mut store, Msg::Past(Err("the disk is full".into())));
    assert_eq!((said(&app), app.now, app.time.reading()), ("the disk is full", ago(17), None));
    let (mut app, mut store) = room();
    press(&mut app, &mut store, &["Left"]);
    update(&mut app, &mut store, Msg::Past(Err("nothing is kept".into())));
    assert!(!app.is_past() && app.time.reading().is_none());
}

#[test]
fn every_step_back_shows_something_older_until_nothing_is() {
    let (mut app, mut store) = back();
    // The moment that came is older than the one asked for.
    assert_eq!(press(&mut app, &mut store, &["Left"]), [Effect::Past(Some(ago(32)))]);
    press(&mut app, &mut store, &["Shift-Left"; 11]);
    assert_eq!(press(&mut app, &mut store, &["Shift-Left"]), [Effect::Past(Some(ago(3_600)))]);
    update(&mut app, &mut store, past(ago(3_600), ago(3_600)));
    assert_eq!(press(&mut app, &mut store, &["Left"]), []);
    assert!(said(&app).starts_with("nothing older than "), "{}", said(&app));
}

#[test]
fn nothing_can_be_done_in_the_past() {
    let why = "the past: End returns to now";
    for (key, name) in [
        ("A", "abort"),
        ("H", "hold"),
        ("P", "promote"),
        ("F", "promote-full"),
        ("R", "rollback"),
        ("Y", "retry"),
        ("W", "weight"),
        ("n", "note"),
        ("e", "acts"),
        ("i", "incident"),
        ("l", "checklist"),
    ] {
        let (mut app, mut store) = back();
        assert_eq!(press(&mut app, &mut store, &[key]), [], "{name}");
        assert_eq!(said(&app), format!("{name}: {why}"));
        assert!(matches!(app.dialog, Dialog::None), "{name}");
        let action = Action::from_name(name).unwrap();
        assert_eq!(action.availability(&app, &store), Availability::No(why.into()));
        assert_eq!(press(&mut app, &mut store, &["End"]), [Effect::Past(None)], "{name}");
        assert_ne!(action.availability(&app, &store), Availability::No(why.into()));
    }
    let (mut app, mut store) = back();
    for command in [":abort", ":rollback 1.1.0", ":weight 5", ":note too late"] {
        let keys: Vec<String> =
            command.chars().map(|c| if c == ' ' { "Space".into() } else { c.to_string() }).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).chain(["Enter"]).collect();
        assert_eq!(press(&mut app, &mut store, &keys), [], "{command}");
        assert!(said(&app).ends_with(why), "{command}: {}", said(&app));
    }
    assert!(store.timeline.is_empty() && app.shown(&store).timeline.is_empty());
}

#[test]
fn a_dialog_that_asks_is_closed_or_keeps_the_room_in_the_present() {
    let (mut app, mut store) = back();
    press(&mut app, &mut store, &["End", "Left", "A"]);
    assert!(matches!(app.dialog, Dialog::Act(_)), "{}", said(&app));
    update(&mut app, &mut store, past(ago(15), ago(15)));
    assert!(!app.is_past() && matches!(app.dialog, Dialog::Act(_)), "whoever acts stays in the present");
    assert_eq!(app.time.reading(), None);

    // However it got there: no key of a dialog of acts sends anything from the past.
    let (mut app, mut store) = room();
    press(&mut app, &mut store, &["A"]);
    let dialog = app.dialog.clone();
    (app, store) = back();
    app.dialog = dialog;
    assert_eq!(press(&mut app, &mut store, &["Enter"]), []);
    assert!(matches!(app.dialog, Dialog::None));
    assert_eq!(said(&app), "nothing is sent: the past: End returns to now");
    let model = ModelId::new("test", "alzheimer");
    assert_eq!(crate::app::acting::ask_for(&mut app, &store, &model, Operation::Abort), []);
}

#[test]
fn looking_around_works_in_the_past() {
    let (mut app, mut store) = back();
    press(&mut app, &mut store, &["4", "Enter", "Esc", "Esc", "j"]);
    assert_eq!(app.selected.as_ref().map(|id| &*id.name), Some("als"));
    press(&mut app, &mut store, &["w"]);
    assert!(matches!(app.dialog, Dialog::Waits(_)));
    press(&mut app, &mut store, &["Esc", "/", "a", "l", "z", "Enter"]);
    assert_eq!(app.selected.as_ref().map(|id| &*id.name), Some("alzheimer"));
    assert!(app.is_past());
}

#[test]
fn a_fresh_room_is_filled_behind_the_past_too() {
    let (mut app, mut live) = back();
    let mut before = store(0.0);
    before.record(Event {
        at: ago(60),
        kind: EventKind::Note,
        model: None,
        level: Level::Ok,
        what: "before".into(),
        detail: String::new(),
    });
    update(&mut app, &mut live, Msg::Filled(Box::new(before)));
    assert_eq!((live.timeline.len(), app.shown(&live).timeline.len()), (1, 0));
}
