//! From a key to a question: what a key means, versions, weights, commands, the list of what waits.

use super::super::waiting;
use super::*;
use crate::app::{Action, Availability, Pane};
use crate::domain::Phase;

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
