//! What keys and answers do to the dialogs of acts, without an engine and without a terminal.

mod afterwards;
mod choosing;

use std::collections::BTreeMap;

use super::dialog::{ActStage, Field, Proposal};
use super::in_flight;
use crate::app::sample::{fleet, press};
use crate::app::{App, Dialog, Effect, KeyMap, Msg, update};
use crate::domain::act::{ActId, Confirm, Hand, May, Operation, Plan, Refusal, Request, Told, Who, Wish};
use crate::domain::{ControllerKind, ModelId, Revision, Rollout, Situation, SourceId, Target, Time, Version};
use crate::store::Store;

fn now() -> Time {
    Time::from_timestamp(1_800_000_000, 0).unwrap()
}

fn target() -> Target {
    Target {
        system: SourceId::new("cluster"),
        kind: ControllerKind::Argo,
        context: "prod-eu".into(),
        namespace: "ml".into(),
        name: "alzheimer".into(),
    }
}

fn revision(name: &str, stable: bool, canary: bool, bad: &str) -> Revision {
    Revision {
        version: Some(Version::new(name)),
        is_stable: stable,
        is_canary: canary,
        known_bad: bad.into(),
        ..Revision::default()
    }
}

fn live(situation: Situation) -> Rollout {
    Rollout {
        target: Some(target()),
        canary: Some(Version::new("1.3.0")),
        asked: 25.0,
        phase: situation.phase(),
        situation,
        waits: true,
        since: Some(now()),
        revisions: vec![
            revision("1.3.0", false, true, ""),
            revision("1.2.0", true, false, ""),
            revision("1.1.0", false, false, "aborted 12 May"),
            revision("1.0.0", false, false, ""),
        ],
        ..Rollout::of("argo", Version::new("1.2.0"))
    }
}

fn room(rollout: Option<Rollout>) -> (App, Store) {
    let mut store = fleet(["alzheimer", "als"]);
    store.models[0].rollout = rollout;
    let mut app = App::new(now(), (120, 36), KeyMap::new(&BTreeMap::new()).unwrap());
    update(&mut app, &mut store, Msg::Tick(now()));
    (app, store)
}

fn tell(app: &mut App, store: &mut Store, told: Told) {
    assert!(update(app, store, Msg::Told(Box::new(told))).is_empty());
}

fn plan(operation: Operation, confirm: Confirm) -> Plan {
    let request = Request {
        hand: Hand::Controller,
        words: "abort: true".into(),
        verb: "PATCH".into(),
        path: "/apis/x/rollouts/alzheimer/status".into(),
        content_type: "application/merge-patch+json".into(),
        body: serde_json::Value::Null,
        may: May::Yes,
        dry_run: None,
        after: String::new(),
        wait_s: 0.0,
        optional: false,
        keep: BTreeMap::new(),
    };
    Plan {
        id: ActId("a-1".into()),
        model: ModelId::new("test", "alzheimer"),
        target: target(),
        operation,
        reason: String::new(),
        evidence: String::new(),
        who: Who { user: "sre".into(), ..Who::default() },
        made_at: now(),
        before: "1.3.0 at 25 %".into(),
        after: "1.2.0 at 100 %".into(),
        facts: Vec::new(),
        affects: String::new(),
        version: None,
        requests: vec![request],
        beware: Vec::new(),
        checks: Vec::new(),
        expected_s: 3.0,
        confirm,
        stepper: false,
    }
}

/// The question that an effect asks.
fn asked(effects: &[Effect]) -> (u64, Operation) {
    match effects {
        [Effect::Act(wish)] => match &**wish {
            Wish::Plan { number, operation, .. } => (*number, operation.clone()),
            other => panic!("{other:?}"),
        },
        other => panic!("no question: {other:?}"),
    }
}

/// The room with a plan on the glass.
fn planned(key: &str, confirm: Confirm) -> (App, Store) {
    let (mut app, mut store) = room(Some(live(Situation::PausedByStep)));
    let (number, operation) = asked(&press(&mut app, &mut store, &[key]));
    let plan = Ok(Box::new(plan(operation, confirm)));
    tell(&mut app, &mut store, Told::Planned { number, plan });
    app.drawn();
    (app, store)
}

fn proposal(app: &App) -> &Proposal {
    let Dialog::Act(dialog) = &app.dialog else { panic!("no dialog") };
    let ActStage::Planned(proposal) = &dialog.stage else { panic!("{:?}", dialog.stage) };
    proposal
}

fn executed(effects: &[Effect]) -> Option<&Plan> {
    match effects {
        [Effect::Act(wish)] => match &**wish {
            Wish::Execute(plan) => Some(plan),
            _ => None,
        },
        _ => None,
    }
}

#[test]
fn abort_is_its_key_and_enter() {
    let (mut app, mut store) = planned("A", Confirm::Enter);
    let effects = press(&mut app, &mut store, &["Enter"]);
    assert_eq!(executed(&effects).unwrap().operation, Operation::Abort);
    assert!(matches!(&app.dialog, Dialog::Act(dialog) if matches!(dialog.stage, ActStage::Following(_))));
    assert_eq!(in_flight(&app).count(), 1);
    assert!(app.counts_tenths());
}

#[test]
fn cancel_is_focused_everywhere_else_and_enter_does_nothing() {
    for key in ["P", "F", "H"] {
        let rollout = Rollout { until: Some(now()), ..live(Situation::PausedByStep) };
        let (mut app, mut store) = room(Some(rollout));
        let (number, operation) = asked(&press(&mut app, &mut store, &[key]));
        // Even an engine that calls it safe does not move the focus.
        let plan = Ok(Box::new(plan(operation, Confirm::Enter)));
        tell(&mut app, &mut store, Told::Planned { number, plan });
        app.drawn();
        assert_eq!(proposal(&app).focus, Field::Cancel, "{key}");
        assert!(press(&mut app, &mut store, &["Enter"]).is_empty(), "{key}");
        assert!(matches!(app.dialog, Dialog::None), "{key}");
    }
    let (mut app, mut store) = planned("P", Confirm::Choose);
    let effects = press(&mut app, &mut store, &["Tab", "Enter"]);
    assert_eq!(executed(&effects).unwrap().operation, Operation::Promote);
}

#[test]
fn a_name_must_be_typed_exactly() {
    let (mut app, mut store) = planned("F", Confirm::Type("als".into()));
    assert!(press(&mut app, &mut store, &["Tab", "Enter"]).is_empty(), "the act alone is not enough");
    assert!(app.message.as_ref().unwrap().text.contains("type als"));
    assert!(press(&mut app, &mut store, &["BackTab", "BackTab", "a", "l", "Enter"]).is_empty());
    assert_eq!(proposal(&app).focus, Field::Name);
    press(&mut app, &mut store, &["BackTab"]);
    press(&mut app, &mut store, &["q", "Space", "1"]);
    let effects = press(&mut app, &mut store, &["Tab", "s", "Enter"]);
    assert_eq!(executed(&effects).unwrap().reason, "q 1", "q is a letter in a text");
}

#[test]
fn keys_before_the_plan_was_drawn_are_discarded() {
    let (mut app, mut store) = room(Some(live(Situation::PausedByStep)));
    let effects = press(&mut app, &mut store, &["A", "Enter", "Enter", "A"]);
    let (number, operation) = asked(&effects);
    let plan = plan(operation, Confirm::Enter);
    tell(&mut app, &mut store, Told::Planned { number, plan: Ok(Box::new(plan)) });
    assert!(press(&mut app, &mut store, &["Enter", "Tab", "Enter"]).is_empty(), "not on the glass yet");
    update(&mut app, &mut store, Msg::Paste("x".into()));
    assert_eq!((proposal(&app).focus, proposal(&app).reason.value()), (Field::Do, ""));
    app.drawn();
    assert!(executed(&press(&mut app, &mut store, &["Enter"])).is_some());
}

#[test]
fn a_frame_before_the_plan_does_not_count_as_its_drawing() {
    let (mut app, mut store) = room(Some(live(Situation::PausedByStep)));
    let (number, operation) = asked(&press(&mut app, &mut store, &["A"]));
    app.drawn();
    let plan = plan(operation, Confirm::Enter);
    tell(&mut app, &mut store, Told::Planned { number, plan: Ok(Box::new(plan)) });
    assert!(press(&mut app, &mut store, &["Enter"]).is_empty());
}

#[test]
fn escape_sends_nothing_and_late_answers_change_nothing() {
    let (mut app, mut store) = room(Some(live(Situation::PausedByStep)));
    let (first, operation) = asked(&press(&mut app, &mut store, &["A"]));
    assert!(press(&mut app, &mut store, &["Esc"]).is_empty());
    let answer =
        |number, operation| Told::Planned { number, plan: Ok(Box::new(plan(operation, Confirm::Enter))) };
    tell(&mut app, &mut store, answer(first, operation.clone()));
    assert!(matches!(app.dialog, Dialog::None), "the question was withdrawn");

    let (second, _) = asked(&press(&mut app, &mut store, &["P"]));
    assert_ne!(first, second);
    tell(&mut app, &mut store, answer(first, operation));
    let Dialog::Act(dialog) = &app.dialog else { panic!("closed") };
    assert!(matches!(dialog.stage, ActStage::Asking { .. }), "an answer to the older question");

    let mut other = plan(Operation::Promote, Confirm::Choose);
    other.model = ModelId::new("test", "als");
    tell(&mut app, &mut store, Told::Planned { number: second, plan: Ok(Box::new(other)) });
    let Dialog::Act(dialog) = &app.dialog else { panic!("closed") };
    assert!(matches!(dialog.stage, ActStage::Asking { .. }), "a plan of another model");
}

#[test]
fn a_refusal_says_why_and_what_instead() {
    let (mut app, mut store) = room(Some(live(Situation::PausedByStep)));
    let (number, _) = asked(&press(&mut app, &mut store, &["A"]));
    tell(&mut app, &mut store, Told::Planned { number, plan: Err(Refusal::new("gone", "look at it")) });
    app.drawn();
    let Dialog::Act(dialog) = &app.dialog else { panic!("closed") };
    assert!(matches!(&dialog.stage, ActStage::Refused { refusal, .. } if refusal.instead == "look at it"));
    assert!(press(&mut app, &mut store, &["Enter"]).is_empty());
    assert!(matches!(app.dialog, Dialog::None));
}

#[test]
fn what_is_forbidden_or_so_already_cannot_be_done() {
    for (change, word) in [
        ((|plan: &mut Plan| plan.requests[0].may = May::No("RBAC".into())) as fn(&mut Plan), "RBAC"),
        (|plan| plan.requests.clear(), "already"),
    ] {
        let (mut app, mut store) = room(Some(live(Situation::PausedByStep)));
        let (number, operation) = asked(&press(&mut app, &mut store, &["A"]));
        let mut plan = plan(operation, Confirm::Enter);
        change(&mut plan);
        tell(&mut app, &mut store, Told::Planned { number, plan: Ok(Box::new(plan)) });
        app.drawn();
        assert_eq!(proposal(&app).focus, Field::Cancel, "{word}");
        assert!(press(&mut app, &mut store, &["Right", "Enter"]).is_empty());
        assert!(app.message.as_ref().unwrap().text.contains(word), "{:?}", app.message);
    }
}

#[test]
fn read_only_and_trouble_refuse_every_act() {
    for key in ["A", "H", "P", "F", "R", "Y", "W"] {
        let (mut app, mut store) = room(Some(live(Situation::PausedByStep)));
        app.read_only = true;
        assert!(press(&mut app, &mut store, &[key]).is_empty());
        assert!(app.message.as_ref().unwrap().text.ends_with(": read-only"), "{:?}", app.message);
        app.read_only = false;
        tell(&mut app, &mut store, Told::Trouble("the journal is full".into()));
        assert!(press(&mut app, &mut store, &[key]).is_empty());
        assert!(app.message.as_ref().unwrap().text.contains("the journal is full"), "{key}");
    }
    let (mut app, mut store) = planned("A", Confirm::Enter);
    tell(&mut app, &mut store, Told::Trouble("the journal is full".into()));
    assert!(press(&mut app, &mut store, &["Enter"]).is_empty(), "a plan made before is not carried out");
}
