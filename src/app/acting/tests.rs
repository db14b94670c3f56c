//! What keys and answers do to the dialogs of acts, without an engine and without a terminal.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dialog::{ActStage, Field, Proposal};
use super::{done, in_flight, waiting};
use crate::app::keymap::Chord;
use crate::app::{Action, App, Availability, Dialog, Effect, KeyMap, Msg, Pane, update};
use crate::domain::act::{
    Act, ActId, Confirm, Hand, May, Operation, Outcome, Plan, Refusal, Request, Stage, Told, Who, Wish,
};
use crate::domain::{
    ControllerKind, EventKind, Level, Limits, ModelId, ModelKind, Phase, Revision, Rollout, Situation,
    SourceId, Target, Time, Version,
};
use crate::store::{ModelSpec, Store};

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
    let limits = Arc::new(Limits::guide(ModelKind::Classification));
    let spec = |name: &str| ModelSpec {
        id: ModelId::new("test", name),
        kind: ModelKind::Classification,
        limits: limits.clone(),
    };
    let mut store = Store::new("test", ["alzheimer", "als"].map(spec).to_vec());
    store.models[0].rollout = rollout;
    let mut app = App::new(now(), (120, 36), KeyMap::new(&BTreeMap::new()).unwrap());
    update(&mut app, &mut store, Msg::Tick(now()));
    (app, store)
}

fn press(app: &mut App, store: &mut Store, keys: &[&str]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys {
        effects.extend(update(app, store, Msg::Key(Chord::parse(key).unwrap().press())));
    }
    effects
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

#[test]
fn hold_and_release_are_one_key_that_says_which() {
    for (situation, until, wanted, word) in [
        (Situation::Progressing, None, Ok(Operation::Pause), "hold"),
        (Situation::PausedByHand, None, Ok(Operation::Resume), "release"),
        (Situation::Suspended, None, Ok(Operation::Resume), "release"),
        (Situation::PausedByStep, Some(now()), Ok(Operation::Pause), "hold"),
        (Situation::PausedByStep, None, Err("P releases it"), "release"),
    ] {
        let (mut app, mut store) = room(Some(Rollout { until, ..live(situation) }));
        assert_eq!(Action::Hold.bar_word(&app, &store), word);
        let effects = press(&mut app, &mut store, &["H"]);
        match wanted {
            Ok(operation) => assert_eq!(asked(&effects).1, operation, "{situation:?}"),
            Err(why) => {
                assert!(effects.is_empty());
                assert!(app.message.unwrap().text.contains(why), "{situation:?}");
            }
        }
    }
}

#[test]
fn rolling_back_chooses_a_version_that_does_not_serve() {
    let (mut app, mut store) = room(Some(live(Situation::PausedByStep)));
    assert!(press(&mut app, &mut store, &["R"]).is_empty(), "first the list");
    let cursor = |app: &App| match &app.dialog {
        Dialog::Act(dialog) => match &dialog.stage {
            ActStage::Versions { list, cursor } => list[*cursor].name(),
            other => panic!("{other:?}"),
        },
        _ => panic!("no dialog"),
    };
    assert_eq!(cursor(&app), "1.0.0", "neither the canary nor a bad one is offered first");
    press(&mut app, &mut store, &["k", "k"]);
    assert_eq!(cursor(&app), "1.3.0", "the stable one is stepped over");
    press(&mut app, &mut store, &["k", "j", "j", "j", "j"]);
    assert_eq!(cursor(&app), "1.0.0");
    let (_, operation) = asked(&press(&mut app, &mut store, &["Enter"]));
    assert_eq!(operation, Operation::RollBack { to: Version::new("1.0.0") });
}

#[test]
fn a_weight_is_a_number_first() {
    let (mut app, mut store) = room(Some(live(Situation::Progressing)));
    assert!(press(&mut app, &mut store, &["W", "1", "0", "1", "Enter"]).is_empty());
    assert!(app.message.as_ref().unwrap().text.contains("0 to 100"));
    let effects = press(&mut app, &mut store, &["Backspace", "Backspace", "5", "Enter"]);
    assert_eq!(asked(&effects).1, Operation::SetWeight { percent: 15.0 });
}

#[test]
fn commands_plan_by_the_same_door() {
    let line = |app: &mut App, store: &mut Store, text: &str| {
        press(app, store, &[":"]);
        update(app, store, Msg::Paste(text.into()));
        press(app, store, &["Enter"])
    };
    for (text, operation) in [
        ("abort", Operation::Abort),
        ("promote", Operation::Promote),
        ("pause", Operation::Pause),
        ("weight 25", Operation::SetWeight { percent: 25.0 }),
        ("rollback 1.1.0", Operation::RollBack { to: Version::new("1.1.0") }),
    ] {
        let (mut app, mut store) = room(Some(live(Situation::Progressing)));
        assert_eq!(asked(&line(&mut app, &mut store, text)).1, operation, "{text}");
    }
    let (mut app, mut store) = room(Some(live(Situation::Progressing)));
    app.read_only = true;
    assert!(line(&mut app, &mut store, "rollback 1.1.0").is_empty());
    let (mut app, mut store) = room(None);
    assert!(line(&mut app, &mut store, "weight 25").is_empty());
    assert!(app.message.unwrap().text.contains("no rollout controller"));
}

#[test]
fn a_refused_key_says_what_to_do_instead() {
    let (app, store) = room(Some(live(Situation::Progressing)));
    let Availability::No(why) = Action::Retry.availability(&app, &store) else { panic!("available") };
    assert_eq!(why, "nothing was aborted");
    let idle = Rollout { target: Some(target()), ..Rollout::of("argo", Version::new("1")) };
    let (app, store) = room(Some(idle));
    let Availability::No(why) = Action::Abort.availability(&app, &store) else { panic!("available") };
    assert!(why.contains("R rolls back"), "{why}");
    let Availability::No(why) = Action::RollBack.availability(&app, &store) else { panic!("available") };
    assert!(why.contains(":rollback VERSION"), "{why}");
}

#[test]
fn an_act_goes_on_when_its_box_is_closed_and_ends_in_the_timeline_once() {
    let (mut app, mut store) = planned("A", Confirm::Enter);
    press(&mut app, &mut store, &["Enter"]);
    assert!(press(&mut app, &mut store, &["Esc"]).is_empty());
    assert!(matches!(app.dialog, Dialog::None) && in_flight(&app).count() == 1);
    press(&mut app, &mut store, &["e"]);
    assert!(matches!(app.dialog, Dialog::Act(_)), "its key shows it again");
    press(&mut app, &mut store, &["Esc"]);

    let mut act = Act::confirmed(plan(Operation::Abort, Confirm::Enter), now());
    act.plan.reason = "p95".into();
    (act.stage, act.outcome, act.audit) = (Stage::Watching, Some(Outcome::Effective), Some(41));
    act.effective_at = Some(now() + chrono::TimeDelta::milliseconds(2_900));
    for _ in 0..2 {
        tell(&mut app, &mut store, Told::Act(Box::new(act.clone())));
    }
    let events: Vec<_> = store.timeline.iter().filter(|event| event.kind == EventKind::Action).collect();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].what, "abort alzheimer effective in 2.9 s");
    assert_eq!(events[0].detail, "sre “p95”  audit 41");
    assert_eq!(in_flight(&app).count(), 0);
    assert!(!app.counts_tenths());
    assert!(done(&app, &store, &act.plan.model).unwrap().starts_with("Abort is effective since"));

    act.outcome = Some(Outcome::Failed { why: "reverted by argocd".into() });
    tell(&mut app, &mut store, Told::Act(Box::new(act)));
    let last = store.timeline.back().unwrap();
    assert_eq!((last.level, last.what.as_str()), (Level::Critical, "abort alzheimer failed"));
}

#[test]
fn quitting_leaves_at_once_also_in_the_middle_of_an_act() {
    let (mut app, mut store) = planned("A", Confirm::Enter);
    assert_eq!(press(&mut app, &mut store, &["q"]), [Effect::Quit]);
    press(&mut app, &mut store, &["Enter"]);
    assert_eq!(press(&mut app, &mut store, &["q"]), [Effect::Quit]);
    assert_eq!(press(&mut app, &mut store, &["Ctrl-c"]), [Effect::Quit]);
}

#[test]
fn what_an_earlier_process_left_is_verified_or_closed_by_choice() {
    let left = |name: &str| {
        let mut act = Act::confirmed(plan(Operation::Abort, Confirm::Enter), now());
        act.plan.id = ActId(name.into());
        act
    };
    let (mut app, mut store) = room(Some(live(Situation::Progressing)));
    tell(&mut app, &mut store, Told::Unfinished(vec![left("a"), left("b")]));
    assert!(press(&mut app, &mut store, &["V", "C"]).is_empty(), "not on the glass yet");
    app.drawn();
    let effects = press(&mut app, &mut store, &["j", "V"]);
    assert_eq!(effects, [Effect::Act(Box::new(Wish::Verify(ActId("b".into()))))]);
    assert_eq!(app.acting.unfinished.len(), 1);
    press(&mut app, &mut store, &["Esc", "e"]);
    app.drawn();
    let effects = press(&mut app, &mut store, &["C"]);
    assert_eq!(effects, [Effect::Act(Box::new(Wish::Close(ActId("a".into()))))]);
    assert!(matches!(app.dialog, Dialog::None));

    tell(&mut app, &mut store, Told::Unfinished(vec![left("c")]));
    app.drawn();
    assert!(press(&mut app, &mut store, &["Esc"]).is_empty());
    assert_eq!(app.acting.unfinished.len(), 1, "later is later");
}

#[test]
fn the_list_of_what_waits_leads_to_the_model() {
    let (mut app, mut store) = room(Some(live(Situation::PausedByStep)));
    store.models[1].rollout = Some(Rollout {
        since: Some(now() - chrono::TimeDelta::hours(2)),
        phase: Phase::Aborted,
        ..live(Situation::Aborted)
    });
    let list = waiting(&app, &store);
    assert_eq!(list[0].name, "als", "the longest first");
    assert!(list[0].press.contains("Y retries"), "{:?}", list[0]);
    assert_eq!(list[1].press, "P promotes, A aborts");
    assert_eq!(list[1].place, "prod-eu/ml/alzheimer");
    press(&mut app, &mut store, &["w", "j", "k", "Enter"]);
    assert_eq!(app.selected.as_ref().map(|id| &*id.name), Some("als"));
    assert_eq!(app.tab, Pane::Canary);
}
