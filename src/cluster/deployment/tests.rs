//! Deployments recorded from a real cluster.

use serde_json::json;

use super::*;
use crate::cluster::recorded::{Recorded, at};
use crate::domain::Phase;

macro_rules! recorded {
    ($name:literal) => {
        Recorded::of(include_str!(concat!("../../../fixtures/kubernetes/", $name, ".json")))
    };
}

const NOW: &str = "2026-11-21T15:41:30Z";

#[test]
fn complete_rolling_late_and_held() {
    let complete = recorded!("deployment-complete").read(&Deployment, NOW);
    assert_eq!(
        (complete.situation, complete.stable.as_str(), complete.canary.clone()),
        (Situation::Idle, "v1", None)
    );
    assert!(complete.cannot.iter().any(|(verb, _)| verb == "rollback"), "nothing to go back to");

    let rolling = recorded!("deployment-rolling").read(&Deployment, NOW);
    assert_eq!((rolling.stable.as_str(), rolling.canary.as_ref().unwrap().as_str()), ("v1", "v2"));
    assert_eq!((rolling.situation, rolling.set), (Situation::Starting, Some(0.0)));
    assert_eq!(rolling.message, "1 of 2 pods updated, 2 available");
    assert!(rolling.is_live() && !rolling.cannot.iter().any(|(verb, _)| verb == "abort"));

    let late = recorded!("deployment-deadline").read(&Deployment, NOW);
    assert_eq!((late.situation, late.phase), (Situation::Degraded, Phase::Degraded));
    assert!(late.conditions[0].text.contains("no progress for 6 s"), "{:?}", late.conditions);
    assert_eq!(late.stable.as_str(), "v1", "two ReplicaSets have pods; the old one serves");

    let held = recorded!("deployment-paused").read(&Deployment, NOW);
    assert_eq!((held.situation, held.waits), (Situation::PausedByHand, true));
    let why = held.cannot.iter().find(|(verb, _)| verb == "rollback").unwrap();
    assert!(why.1.contains("H releases it first"), "{}", why.1);
}

#[test]
fn the_weight_is_the_share_of_ready_new_pods() {
    let mut one = recorded!("deployment-rolling").set("/status/readyReplicas", json!(3));
    let sets: Vec<_> = one.around.of("replicasets", "ml").cloned().collect();
    for mut set in sets {
        if look::label(&set, "version") == Some("v2") {
            set["status"]["readyReplicas"] = json!(1);
            let name = look::name(&set).to_owned();
            one.around.put("replicasets", "ml", &name, set.into());
        }
    }
    let rollout = one.read(&Deployment, NOW);
    assert!((rollout.set.unwrap() - 100.0 / 3.0).abs() < 1e-9);
    assert_eq!(rollout.situation, Situation::Progressing);
}

#[test]
fn what_another_controller_moves_is_not_its_own_rollout() {
    let read = |recorded: &Recorded| {
        Deployment.read(&recorded.object, &recorded.around, &Naming::default(), at(NOW))
    };
    let owned = recorded!("deployment-complete").set(
        "/metadata/ownerReferences",
        json!([{"kind": "InferenceService", "name": "als", "controller": true}]),
    );
    assert_eq!(read(&owned), None);
    let mut canary = recorded!("deployment-complete");
    let reference = json!({"kind": "Deployment", "name": "tumour"});
    let other =
        json!({"metadata": {"name": "x"}, "spec": {"targetRef": {"kind": "Deployment", "name": "other"}}});
    canary.around.put("canaries", "ml", "x", other.into());
    assert!(read(&canary).is_some(), "a Canary of another");
    canary.around.put(
        "canaries",
        "ml",
        "c",
        json!({"metadata": {"name": "c"}, "spec": {"targetRef": reference}}).into(),
    );
    assert_eq!(moved_by(&canary.object, &canary.around).as_deref(), Some("Canary c"));
    assert_eq!(read(&canary), None);
    let mut rollout = recorded!("deployment-complete");
    rollout.around.put(
        "rollouts",
        "ml",
        "r",
        json!({"metadata": {"name": "r"}, "spec": {"workloadRef": reference}}).into(),
    );
    assert_eq!(read(&rollout), None);
}

#[test]
fn an_unseen_change_is_not_complete() {
    let unseen =
        recorded!("deployment-complete").set("/metadata/generation", json!(2)).read(&Deployment, NOW);
    assert_eq!(unseen.situation, Situation::Progressing);
    assert!(unseen.message.contains("has not seen"));
    assert_eq!(Deployment.read(&json!({}), &Around::default(), &Naming::default(), at(NOW)), None);
}
