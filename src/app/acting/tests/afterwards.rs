//! After the confirmation: following, leaving, what an earlier process left.

use super::super::done;
use super::*;
use crate::domain::act::{Act, Outcome, Stage};
use crate::domain::{EventKind, Level};

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
