//! Rollouts recorded from a real controller (1.9.1), and the contract's example.

use serde_json::json;

use super::*;
use crate::cluster::recorded::{Recorded, at};
use crate::domain::act::Operation;
use crate::domain::{Phase, Step};

macro_rules! recorded {
    ($name:literal) => {
        Recorded::of(include_str!(concat!("../../../fixtures/kubernetes/", $name, ".json")))
    };
}

const NOW: &str = "2026-11-21T15:41:00Z";

fn says(rollout: &Rollout, words: &str) -> bool {
    rollout.conditions.iter().any(|condition| condition.text.contains(words))
}

fn cannot(rollout: &Rollout, verb: &str) -> bool {
    rollout.cannot.iter().any(|(known, why)| known == verb && why.contains(';'))
}

#[test]
fn the_example_of_the_contract() {
    let example = recorded!("argo-contract");
    let rollout = example.read(&Argo, "2026-11-20T19:45:00Z");
    let rung = |weight, pause_s, runs: &str| Step { weight, pause_s, runs: runs.into() };
    assert_eq!(
        rollout.steps,
        [
            rung(5.0, Some(600.0), ""),
            rung(10.0, None, ""),
            rung(25.0, Some(0.0), "analysis auc"),
            rung(50.0, Some(600.0), ""),
            rung(100.0, Some(0.0), "")
        ]
    );
    assert_eq!((rollout.step, rollout.asked, rollout.set), (1, 10.0, Some(10.0)));
    assert_eq!((rollout.situation, rollout.waits), (Situation::PausedByStep, true));
    assert_eq!((rollout.stable.as_str(), rollout.canary.as_ref().unwrap().as_str()), ("59c8", "6f7d"));
    assert_eq!(rollout.since, Some(at("2026-11-20T19:40:00Z")));
    assert_eq!(rollout.until, None, "it waits for a person");
    assert_eq!(rollout.message, "step 4 of 8: waits for a promotion");

    let first = recorded!("argo-contract").set("/status/currentStepIndex", json!(1));
    let first = first.read(&Argo, "2026-11-20T19:45:00Z");
    assert_eq!(first.until, Some(at("2026-11-20T19:50:00Z")));
    assert_eq!((first.asked, first.waits), (5.0, false));
    assert_eq!(first.message, "step 2 of 8: pause of 10 min");

    let hold = |now| {
        let held = recorded!("argo-contract")
            .set("/status/currentStepIndex", json!(1))
            .set("/spec/paused", json!(true));
        held.read(&Argo, now)
    };
    assert_eq!(hold("2026-11-20T19:50:01Z").message, "held by hand; timer elapsed; advances on release");
    assert!(hold("2026-11-20T19:49:00Z").message.ends_with("runs on until 19:50:00 UTC"));

    let unseen = recorded!("argo-contract").set("/metadata/generation", json!(13)).read(&Argo, NOW);
    assert_eq!(unseen.situation, Situation::Progressing);
    assert!(unseen.message.contains("generation 13, it has seen 12"), "{}", unseen.message);

    let past = recorded!("argo-contract").set("/status/currentStepIndex", json!(8));
    let past = past
        .set("/status/pauseConditions", json!(null))
        .set("/status/controllerPause", json!(false))
        .read(&Argo, NOW);
    assert_eq!((past.asked, past.step), (100.0, 4), "all steps done, not all traffic moved");
}

#[test]
fn paused_by_its_step() {
    let rollout = recorded!("argo-paused-by-step").read(&Argo, NOW);
    assert_eq!((rollout.stable.as_str(), rollout.canary.as_ref().unwrap().as_str()), ("v1", "v2"));
    assert_eq!((rollout.situation, rollout.asked, rollout.set), (Situation::PausedByStep, 10.0, Some(10.0)));
    assert!(rollout.is_live() && rollout.waits);
    let names: Vec<_> =
        rollout.revisions.iter().map(|r| (r.name(), r.pods, r.is_stable, r.is_canary)).collect();
    assert_eq!(names, [("v2".into(), (1, 1), false, true), ("v1".into(), (2, 2), true, false)]);
    assert_eq!(rollout.revisions[0].images, ["sepsis:v1"]);
    assert!(cannot(&rollout, "weight") && !cannot(&rollout, "promote") && !cannot(&rollout, "rollback"));
}

#[test]
fn held_by_hand_with_an_autoscaler() {
    let rollout = recorded!("argo-held").read(&Argo, NOW);
    assert_eq!((rollout.situation, rollout.waits), (Situation::PausedByHand, true));
    assert_eq!(rollout.autoscaler, "HPA 2–6");
    assert!(says(&rollout, "the autoscaler (HPA 2–6) does nothing"), "{:?}", rollout.conditions);
    assert!(rollout.message.contains("after release it wants a promotion"), "{}", rollout.message);
    let only_held = recorded!("argo-held").set("/status/pauseConditions", json!(null)).read(&Argo, NOW);
    assert!(cannot(&only_held, "promote"), "a promotion there would skip a step");
}

#[test]
fn aborted_says_what_serves_and_what_the_manifest_wants() {
    let rollout = recorded!("argo-aborted").read(&Argo, NOW);
    assert_eq!((rollout.situation, rollout.phase), (Situation::Aborted, Phase::Aborted));
    assert_eq!((rollout.asked, rollout.set), (0.0, Some(0.0)));
    assert!(
        says(&rollout, "aborted: serving 64444bd9bd; spec still wants 7fcb568b4c"),
        "{:?}",
        rollout.conditions
    );
    assert!(says(&rollout, "roll back to v1 makes the spec match"));
    assert_eq!(rollout.revisions[0].known_bad, "aborted 21 Nov 15:40");
    assert_eq!(rollout.since, Some(at("2026-11-21T15:40:38Z")));

    let still =
        recorded!("argo-aborted").set("/status/canary/weights/canary/weight", json!(10)).read(&Argo, NOW);
    assert_eq!(still.situation, Situation::Aborting, "the router still sends it traffic");
    let kept = recorded!("argo-aborted").set("/spec/strategy/canary/abortScaleDownDelaySeconds", json!(0));
    assert!(says(&kept.read(&Argo, NOW), "stay for ever"));
}

#[test]
fn complete_after_a_promotion() {
    let rollout = recorded!("argo-complete").read(&Argo, NOW);
    assert_eq!((rollout.situation, rollout.canary.clone()), (Situation::Complete, None));
    assert_eq!((rollout.stable.as_str(), rollout.step, rollout.asked), ("v2", rollout.steps.len(), 0.0));
    assert!(!rollout.is_live());
}

#[test]
fn a_lost_promotion_has_a_name_and_a_way_out() {
    let rollout = recorded!("argo-promotion-lost").read(&Argo, NOW);
    assert_eq!((rollout.situation, rollout.waits), (Situation::PromotionLost, true));
    assert!(rollout.message.contains("any write to the object wakes it"), "{}", rollout.message);
}

#[test]
fn an_analysis_goes_on_under_a_hold() {
    let rollout = recorded!("argo-analysis-failing").read(&Argo, NOW);
    assert_eq!(rollout.situation, Situation::PausedByHand);
    let metric = &rollout.analyses[0].metrics[0];
    assert_eq!(
        (metric.value.as_str(), metric.limit.as_str(), metric.counts),
        ("0.91", "result >= 0.95", (3, 3, Some(5)))
    );
    assert_eq!(
        (rollout.analyses[0].kind.as_str(), rollout.analyses[0].phase.as_str()),
        ("background", "Running")
    );
    assert!(says(&rollout, "analysis still live: 3 of 6 failures used"), "{:?}", rollout.conditions);

    let aborted = recorded!("argo-analysis-aborted").read(&Argo, NOW);
    assert_eq!((aborted.situation, aborted.waits), (Situation::Aborting, true), "the hold freezes its pods");
    assert!(aborted.message.contains("failed (6) > failureLimit (5)"), "{}", aborted.message);
    assert_eq!(aborted.revisions[0].known_bad, "analysis failed 21 Nov 15:41, auc");
}

#[test]
fn blue_green_is_a_ladder_of_two() {
    let rollout = recorded!("argo-bluegreen-paused").read(&Argo, NOW);
    let weights: Vec<f64> = rollout.steps.iter().map(|step| step.weight).collect();
    assert_eq!((weights, rollout.step, rollout.asked, rollout.set), (vec![0.0, 100.0], 0, 0.0, Some(0.0)));
    assert_eq!((rollout.situation, rollout.waits), (Situation::PausedByStep, true));
    assert_eq!(rollout.message, "before the switch: waits for a promotion");
    assert!(rollout.refuses(&Operation::SetWeight { percent: 5.0 }).unwrap().contains("P switches"));
}

#[test]
fn without_a_router_the_weight_is_pods() {
    let rollout = recorded!("argo-basic-starting").read(&Argo, NOW);
    assert_eq!((rollout.situation, rollout.asked, rollout.set), (Situation::Starting, 25.0, Some(0.0)));
    let one_ready = recorded!("argo-basic-starting").set("/status/availableReplicas", json!(5));
    let mut set = one_ready.around.get("replicasets", "ml", "basic-58989f7747").unwrap().clone();
    set["status"]["availableReplicas"] = json!(1);
    let mut one_ready = one_ready;
    one_ready.around.put("replicasets", "ml", "basic-58989f7747", set.into());
    assert_eq!(one_ready.read(&Argo, NOW).set, Some(20.0), "available of all available");

    let invalid = recorded!("argo-invalid-spec").read(&Argo, NOW);
    assert_eq!((invalid.situation, invalid.phase), (Situation::Degraded, Phase::Degraded));
    assert!(says(&invalid, "SetWeight needs to be between 0 and 100") && cannot(&invalid, "promote"));
}

#[test]
fn promotions_deadlines_and_scaled_down_stable_sets_are_in_words() {
    let promoting = recorded!("argo-paused-by-step").set("/status/promoteFull", json!(true)).read(&Argo, NOW);
    assert_eq!((promoting.situation, promoting.asked), (Situation::Promoting, 100.0));
    assert!(
        says(&promoting, "promotion to all waits for pods: 1 of 2 available"),
        "{:?}",
        promoting.conditions
    );

    let shrunk =
        recorded!("argo-paused-by-step").set("/spec/strategy/canary/dynamicStableScale", json!(true));
    assert!(!says(&shrunk.read(&Argo, NOW), "dynamicStableScale"), "all stable pods are there");
    let mut set = shrunk.around.get("replicasets", "ml", "sepsis-64444bd9bd").unwrap().clone();
    set["status"]["availableReplicas"] = json!(1);
    let mut shrunk = shrunk;
    shrunk.around.put("replicasets", "ml", "sepsis-64444bd9bd", set.into());
    assert!(says(&shrunk.read(&Argo, NOW), "an abort waits for 1 to start"));

    let late = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}]);
    let late = recorded!("argo-paused-by-step").set("/status/conditions", late).read(&Argo, NOW);
    assert_eq!(late.situation, Situation::Degraded);
    assert!(says(&late, "no progress for 60 s: timed out"));

    let inconclusive = json!([{"reason": "InconclusiveAnalysisRun", "startTime": "2026-11-21T15:40:33Z"}]);
    let inconclusive =
        recorded!("argo-paused-by-step").set("/status/pauseConditions", inconclusive).read(&Argo, NOW);
    assert_eq!((inconclusive.situation, inconclusive.waits), (Situation::PausedInconclusive, true));
}

#[test]
fn a_workload_elsewhere_must_be_seen_too() {
    let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "als"});
    let mut split = recorded!("argo-basic-starting")
        .set("/spec/workloadRef", reference)
        .set("/status/workloadObservedGeneration", json!("3"));
    let workload =
        |generation: u64| json!({"metadata": {"namespace": "ml", "name": "als", "generation": generation}});
    split.around.put("deployments", "ml", "als", workload(4).into());
    assert!(split.read(&Argo, NOW).message.contains("Deployment als: generation 4"));
    split.around.put("deployments", "ml", "als", workload(3).into());
    assert_eq!(split.read(&Argo, NOW).situation, Situation::Starting);
    let odd = split.set("/spec/workloadRef", json!({"kind": "PodTemplate", "name": "als"})).read(&Argo, NOW);
    assert!(cannot(&odd, "rollback"));
}

#[test]
fn objects_that_say_nothing_are_read_all_the_same() {
    let around = Around::default();
    let naming = Naming::default();
    for odd in [json!({}), json!(3), json!(null)] {
        assert_eq!(Argo.read(&odd, &around, &naming, at(NOW)), None, "{odd}");
    }
    let young = json!({"metadata": {"name": "als", "namespace": "ml", "generation": 1}, "spec": {"strategy": "none"}});
    let rollout = Argo.read(&young, &around, &naming, at(NOW)).unwrap();
    assert_eq!(rollout.situation, Situation::Progressing, "not seen by its controller");
    assert_eq!(rollout.stable.as_str(), "unknown");
    let huge = json!({"metadata": {"name": "als"}, "spec": {"strategy": {"canary": {"steps": [{"pause": {"duration": "876000h"}}]}}},
        "status": {"currentPodHash": "b", "stableRS": "a", "currentStepIndex": 4_000_000_000_u32,
            "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-21T15:40:33Z"}]}});
    let rollout = Argo.read(&huge, &around, &naming, at(NOW)).unwrap();
    assert_eq!((rollout.step, rollout.asked), (1, 100.0));
}

proptest::proptest! {
    #[test]
    fn no_status_breaks_the_reading(index in 0_u32..12, weight in -50.0..500.0_f64, most in -1.0..1_000.0_f64, abort: bool, full: bool, paused: bool) {
        let object = recorded!("argo-contract")
            .set("/status/currentStepIndex", json!(index))
            .set("/status/canary/weights/canary/weight", json!(weight))
            .set("/spec/strategy/canary/trafficRouting/maxTrafficWeight", json!(most))
            .set("/status/abort", json!(abort)).set("/status/promoteFull", json!(full)).set("/spec/paused", json!(paused));
        let rollout = object.read(&Argo, NOW);
        proptest::prop_assert!((0.0..=100.0).contains(&rollout.asked));
        proptest::prop_assert!(rollout.set.is_none_or(|set| (0.0..=100.0).contains(&set)));
        proptest::prop_assert!(rollout.step <= rollout.steps.len());
        proptest::prop_assert!(rollout.steps.iter().all(|step| (0.0..=100.0).contains(&step.weight)));
    }
}
