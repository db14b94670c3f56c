use super::*;
use crate::control::sample_plan;
use crate::domain::act::{Stage, VersionMap};

fn at(s: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + s, 0).unwrap()
}

fn plan() -> Plan {
    let version = VersionMap { name: "1.2.0".into(), ..VersionMap::default() };
    Plan { version: Some(version), ..sample_plan() }
}

fn drill() -> Drill {
    let plan = plan();
    let setting = Setting {
        id: "d-1".into(),
        scenario: Scenario::ErrorBurst,
        on: "demo".into(),
        auto: true,
        by: "kim@bastion".into(),
        model: plan.model,
        stable: Version::new("1.2.0"),
        test: Version::new("9.9.9"),
    };
    Drill::new(setting, at(0))
}

/// An act that was confirmed at second 20 and is through at 25.
fn effective() -> Act {
    let mut act = Act::confirmed(plan(), at(20));
    for request in &mut act.requests {
        *request =
            RequestState::Accepted { sent: at(21), at: at(22), audit_id: String::new(), note: String::new() };
    }
    for check in &mut act.checks {
        check.state = CheckState::Passed { at: at(23) };
    }
    (act.stage, act.effective_at, act.outcome) = (Stage::Watching, Some(at(25)), Some(Outcome::Effective));
    act
}

fn is_monotone(marks: &Marks) -> bool {
    let times: Vec<Time> = Mark::ALL.iter().filter_map(|mark| marks.at(*mark)).collect();
    times.is_sorted()
}

#[test]
fn a_whole_drill_has_every_mark_in_order_and_ends_well() {
    let mut drill = drill();
    drill.injected(at(10));
    drill.told(&Told::Planned { number: 1, plan: Ok(Box::new(plan())) }, at(18));
    assert!(drill.marks.has(Mark::PlanShown) && drill.marks.has(Mark::Detected));
    drill.told(&Told::Act(Box::new(effective())), at(26));
    drill.marks.set(Mark::MetricsNormal, at(40));
    drill.marks.set(Mark::CleanedUp, at(45));
    drill.prove_the_rollback();
    drill.cleaned = Some(Ok(()));
    assert!(Mark::ALL.iter().all(|mark| drill.marks.has(*mark)), "{:?}", drill.marks);
    assert!(is_monotone(&drill.marks), "{:?}", drill.marks);
    assert_eq!(drill.headline_s(), Some(5.0));
    assert!(drill.is_verified(), "{:?}", drill.proofs);
    assert_eq!(drill.exit_code(), 0);
}

#[test]
fn the_exit_code_says_what_went_wrong() {
    let through = |mut drill: Drill, took_s: i64| {
        drill.injected(at(10));
        let mut act = effective();
        act.effective_at = Some(at(20 + took_s));
        drill.told(&Told::Act(Box::new(act)), at(20 + took_s));
        drill.marks.set(Mark::MetricsNormal, at(30 + took_s));
        drill.prove_the_rollback();
        drill.cleaned = Some(Ok(()));
        drill
    };
    assert_eq!(through(drill(), 300).exit_code(), 0);
    assert_eq!(through(drill(), 301).exit_code(), 1, "verified, and too late");
    let mut wrong = through(drill(), 10);
    wrong.prove("function", "answers", Err("500".into()));
    assert_eq!(wrong.exit_code(), 2);
    let mut dirty = through(drill(), 10);
    dirty.cleaned = Some(Err("the test version is still there".into()));
    assert_eq!(dirty.exit_code(), 3);
    let mut unseen = drill();
    (unseen.cleaned, unseen.end) = (Some(Ok(())), Some(End::NotInTime("nobody".into())));
    assert_eq!(unseen.exit_code(), 1);
    assert_eq!(drill().exit_code(), 3, "one that was cut off is not cleaned up");
}

#[test]
fn acts_on_other_models_or_from_before_do_not_count() {
    let mut drill = drill();
    drill.told(&Told::Act(Box::new(effective())), at(26));
    assert!(drill.act.is_none(), "nothing was injected yet");
    drill.injected(at(24));
    drill.told(&Told::Act(Box::new(effective())), at(26));
    assert!(drill.act.is_none(), "confirmed before the fault");
    let mut other = effective();
    (other.confirmed_at, other.plan.model) = (at(30), ModelId::new("demo", "other"));
    drill.told(&Told::Act(Box::new(other)), at(31));
    assert!(drill.act.is_none());
}

#[test]
fn an_act_that_came_to_nothing_gives_way_to_the_next() {
    let mut drill = drill();
    drill.injected(at(10));
    let mut nothing = Act::confirmed(plan(), at(15));
    nothing.requests.iter_mut().for_each(|one| *one = RequestState::NotSent { why: "moved".into() });
    (nothing.stage, nothing.outcome) = (Stage::Over, Some(Outcome::Nothing { why: "moved".into() }));
    drill.told(&Told::Act(Box::new(nothing)), at(16));
    assert_eq!((drill.phase, drill.marks.has(Mark::Confirmed)), (Phase::Searching, false));
    let mut act = effective();
    act.plan.id = crate::domain::act::ActId("a-2".into());
    drill.told(&Told::Act(Box::new(act)), at(26));
    assert_eq!(drill.marks.at(Mark::Confirmed), Some(at(20)));
    assert_eq!(drill.phase, Phase::Settling);
}
