//! Holding, releasing, promoting by a step.

use super::*;

#[test]
fn a_release_leaves_the_step_where_it_is() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    lab.paused("v2", 1);
    lab.hold();
    let held = lab.get();
    assert_eq!((&held["spec"]["paused"], &held["status"]["currentStepIndex"]), (&json!(true), &json!(1)));
    let plan = lab.driver().act(Operation::Resume);
    assert_eq!(plan.requests[0].body["spec"], json!({"paused": false}), "nothing but the hold");
    let after = lab.pause_at(1);
    assert_eq!(after["spec"]["paused"], json!(false));
    assert!(lab.driver().plan(Operation::Resume).unwrap_err().instead.contains("promote"));
    // The weight is the steps' own.
    assert!(lab.driver().plan(Operation::SetWeight { percent: 30.0 }).unwrap_err().why.contains("steps"));
}

#[test]
fn a_pause_that_elapsed_under_a_hold_advances_at_the_release() {
    let short = json!([{"setWeight": 25}, {"pause": {"duration": "6s"}}, {"setWeight": 50}, {"pause": {}}]);
    let Some(lab) = Lab::new("rollout-basic.json", steps(short)) else { return };
    let paused = lab.paused("v2", 1);
    lab.hold();
    let started = paused["status"]["pauseConditions"][0]["startTime"].as_str().unwrap();
    let started = chrono::DateTime::parse_from_rfc3339(started).unwrap();
    // The condition is the clock itself.
    while (chrono::Utc::now() - started.to_utc()).num_milliseconds() < 7_000 {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(lab.get()["status"]["currentStepIndex"], 1, "the hold keeps the step");
    let plan = lab.driver().planned(Operation::Resume);
    assert!(warns(&plan, "goes to the next step at once"), "{:?}", plan.beware);
    lab.driver().execute(&plan);
    lab.pause_at(3);
}

#[test]
fn a_promotion_releases_one_pause_and_waits_for_its_effect() {
    let Some(lab) = Lab::new("rollout-istio.json", |_| {}) else { return };
    lab.paused("v2", 1);
    assert_eq!(lab.route_weight(), 10);
    let plan = lab.driver().act(Operation::Promote);
    assert_eq!(plan.requests.len(), 2);
    assert!(plan.requests[1].optional && plan.requests[1].after.contains("lost"));
    assert_eq!(plan.requests[0].body["status"], json!({"pauseConditions": null}));
    let dry = plan.requests[0].dry_run.as_ref().unwrap().as_ref().unwrap();
    assert!(dry.contains("status.pauseConditions"), "{dry}");
    assert!(lab.route_weight() >= 25);
}

#[test]
fn a_running_step_is_skipped_and_named() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    lab.start("v2", Some("never-ready"));
    lab.until("at its first step", |object| observed(object) && object["status"]["currentStepIndex"] == 0);
    let plan = lab.driver().planned(Operation::Promote);
    assert_eq!(plan.requests[0].words, "skip the running setWeight, to step 1");
    assert_eq!(plan.requests[0].body["status"], json!({"pauseConditions": null, "currentStepIndex": 1}));
    assert!(warns(&plan, "not reached yet"));
    lab.driver().execute(&plan);
    lab.until("at step 1", |object| object["status"]["currentStepIndex"] == 1);
}

#[test]
fn a_promotion_under_a_hold_is_two_requests_in_order() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    lab.paused("v2", 1);
    lab.hold();
    let plan = lab.driver().planned(Operation::Promote);
    let words: Vec<&str> = plan.requests.iter().map(|request| request.words.as_str()).collect();
    assert_eq!(words, ["spec.paused: false", "release the step's pause", "note who and why"]);
    lab.driver().execute(&plan);
    lab.driver().verify(&plan);
    assert!(lab.get()["status"]["currentStepIndex"].as_u64().unwrap() > 1);
}

#[test]
fn a_lost_promotion_is_seen_and_nudged() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    for attempt in 0..8 {
        lab.paused(&format!("v{}", attempt + 2), 1);
        std::thread::sleep(Duration::from_millis(50));
        lab.status(&json!({"pauseConditions": null}));
        if !stays_lost(&lab) {
            continue;
        }
        let lost = lab.get();
        let plan = lab.driver().planned(Operation::Promote);
        assert_eq!(plan.requests.len(), 1);
        assert!(plan.requests[0].body["metadata"]["annotations"].is_object(), "{:?}", plan.requests[0].body);
        assert!(warns(&plan, "any write to the object wakes it"));
        assert!(plan.before.contains("promotion lost"), "{}", plan.before);
        assert_eq!(lost["status"]["currentStepIndex"], 1);
        lab.driver().execute(&plan);
        lab.driver().verify(&plan);
        assert!(lab.get()["status"]["currentStepIndex"].as_u64().unwrap() > 1);
        return;
    }
    panic!("the controller lost none of eight promotions");
}

/// Whether the promotion is still not taken after two seconds.
fn stays_lost(lab: &Lab) -> bool {
    let end = std::time::Instant::now() + Duration::from_secs(2);
    while std::time::Instant::now() < end {
        let status = lab.get()["status"].clone();
        let lost = status["controllerPause"] == true && status["pauseConditions"].is_null();
        if !lost && status["currentStepIndex"] != 1 {
            return false;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let status = lab.get()["status"].clone();
    status["controllerPause"] == true && status["pauseConditions"].is_null()
}

/// An abort and a full promotion are lost like a promotion when they come just as a pause begins. The plan is made before
/// it begins, so that it is sent at that moment; the note at its end wakes the controller.
#[test]
fn acts_at_the_moment_of_a_pause_are_not_lost() {
    for operation in [Operation::Abort, Operation::PromoteFull] {
        let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
        lab.start("v2", Some("slow:3"));
        lab.until("started", |object| {
            observed(object) && object["status"]["currentPodHash"] != object["status"]["stableRS"]
        });
        let plan = lab.driver().planned(operation.clone());
        assert!(plan.requests.last().unwrap().after.contains("wakes it"));
        lab.pause_at(1);
        lab.driver().execute(&plan);
        lab.driver().verify(&plan);
        let stable = if operation == Operation::Abort { "v1" } else { "v2" };
        lab.until("its pods", |_| lab.ready_pods(stable) == 4);
    }
}
