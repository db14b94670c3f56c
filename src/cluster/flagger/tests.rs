//! What is read from Canaries as the real Flagger 1.44 left them.

use std::sync::Arc;

use serde_json::json;

use super::sample::real;
use super::*;

fn now() -> Time {
    "2026-11-21T15:27:36Z".parse().unwrap()
}

fn read(canary: &Value, around: &Around) -> Rollout {
    Flagger.read(canary, around, &Naming::default(), now()).unwrap()
}

#[test]
fn a_step_is_read_from_the_route() {
    for (canary, around) in [real("progressing-istio"), real("progressing-gateway")] {
        let rollout = read(&canary, &around);
        assert_eq!((rollout.set, rollout.asked, rollout.step), (Some(25.0), 25.0, 0));
        assert_eq!((rollout.stable.as_str(), rollout.canary.as_ref().unwrap().as_str()), ("v1", "v2"));
        assert_eq!(rollout.situation, Situation::Progressing);
        assert_eq!(rollout.steps.len(), 3);
        assert!(rollout.until.is_some_and(|until| until > now()), "the next tick is known");
        assert!(rollout.refuses(&crate::domain::act::Operation::SetWeight { percent: 30.0 }).is_some());
    }
}

#[test]
fn the_status_lies_in_waiting_promotion() {
    let (mut canary, around) = real("promoting-gateway");
    canary["status"]["phase"] = json!("WaitingPromotion");
    canary["status"]["canaryWeight"] = json!(0);
    canary["spec"]["analysis"]["webhooks"] =
        json!([{"type": "confirm-promotion", "name": "ask kim", "url": "http://lt.test/gate/check"}]);
    let rollout = read(&canary, &around);
    assert_eq!(rollout.set, Some(50.0), "the route still sends half of the traffic");
    assert_eq!((rollout.situation, rollout.waits), (Situation::WaitingApproval, true));
    assert!(rollout.message.contains("ask kim"), "{}", rollout.message);
    assert!(rollout.conditions.iter().any(|c| c.text == "the status reports 0 %, the route sends 50 %"));
    let cannot: Vec<&str> = rollout.cannot.iter().map(|(verb, _)| verb.as_str()).collect();
    assert_eq!(cannot, ["weight"], "the gate can be opened through the API server");
}

#[test]
fn a_promotion_is_a_copy_and_comes_last() {
    let (canary, around) = real("promoting-gateway");
    let rollout = read(&canary, &around);
    assert_eq!((rollout.situation, rollout.step), (Situation::Promoting, 2));
    assert!(rollout.cannot.iter().any(|(verb, why)| verb == "abort" && why.contains("too late")));
    let (canary, around) = real("finalising-istio");
    assert_eq!(read(&canary, &around).set, Some(0.0));
    let (canary, around) = real("succeeded-istio");
    let rollout = read(&canary, &around);
    assert_eq!((rollout.situation, rollout.step, rollout.canary), (Situation::Complete, 3, None));
    assert_eq!(rollout.stable.as_str(), "v2");
}

#[test]
fn succeeded_is_not_there_before_the_primary_is() {
    let (canary, mut around) = real("succeeded-istio");
    let mut primary = around.get("deployments", "ml", "sepsis-primary").unwrap().clone();
    primary["status"]["updatedReplicas"] = json!(1);
    around.put("deployments", "ml", "sepsis-primary", Arc::new(primary));
    let rollout = read(&canary, &around);
    assert_eq!(rollout.situation, Situation::Promoting);
    assert!(rollout.message.contains("1 of 2 pods updated"), "{}", rollout.message);
}

#[test]
fn failed_is_aborted_unless_the_canary_kept_the_traffic() {
    let (mut canary, around) = real("finalising-istio");
    canary["status"]["phase"] = json!("Failed");
    assert_eq!(read(&canary, &around).situation, Situation::Aborted);
    canary["status"]["lastAppliedSpec"] = canary["status"]["lastPromotedSpec"].clone();
    assert_eq!(read(&canary, &around).canary, None, "the target was put back");
    let (mut canary, around) = real("promoting-gateway");
    canary["status"]["phase"] = json!("Failed");
    assert_eq!(read(&canary, &around).situation, Situation::Degraded);
}

#[test]
fn suspended_is_said_in_red() {
    let (mut canary, around) = real("progressing-istio");
    canary["spec"]["suspend"] = json!(true);
    let rollout = read(&canary, &around);
    assert_eq!((rollout.situation, rollout.until), (Situation::Suspended, None));
    assert_eq!(rollout.conditions[0].level, Level::Critical);
    assert!(rollout.conditions[0].text.contains("automatic rollback stand still"));
}

#[test]
fn a_silent_tick_behind_a_gate_waits_for_a_human() {
    let (mut canary, around) = real("progressing-istio");
    canary["spec"]["analysis"]["webhooks"] =
        json!([{"type": "confirm-traffic-increase", "name": "hold", "url": "http://gate.example/ok"}]);
    let at = |s: i64| now() + chrono::TimeDelta::seconds(s);
    let read = |now| Flagger.read(&canary, &around, &Naming::default(), now).unwrap();
    assert_eq!(read(at(0)).situation, Situation::Progressing);
    let late = read(at(60));
    assert_eq!((late.situation, late.waits), (Situation::WaitingApproval, true));
    assert!(late.cannot.iter().any(|(verb, why)| verb == "promote" && why.contains("its own tool")));
}

#[test]
fn checks_are_counted_and_odd_objects_are_no_rollouts() {
    let (mut canary, around) = real("progressing-istio");
    canary["status"]["failedChecks"] = json!(1);
    assert!(read(&canary, &around).conditions.iter().any(|c| c.text.starts_with("1 of 2 failed checks")));
    let without_route = read(&canary, &Around::default());
    assert_eq!((without_route.set, without_route.asked), (None, 25.0));
    assert!(Flagger.read(&json!({"spec": 3}), &around, &Naming::default(), now()).is_none());
    let bare = json!({"metadata": {"name": "a"}, "spec": {"targetRef": {"name": "a"}}});
    assert_eq!(read(&bare, &Around::default()).situation, Situation::Starting);
}
