//! Aborts, each in a state in which a naive one does nothing.

use super::*;

#[test]
fn an_abort_under_a_hold_moves_a_basic_canary_only_after_the_release() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    lab.paused("v2", 1);
    lab.hold();
    let plan = lab.driver().planned(Operation::Abort);
    let words: Vec<&str> = plan.requests.iter().map(|request| request.words.as_str()).collect();
    assert_eq!(words, ["abort: true", "spec.paused: false", "note who and why"]);
    assert!(plan.requests[2].optional);
    assert!(warns(&plan, "without the release an abort of it does nothing"));
    assert!(matches!(lab.driver().send(&plan, 0), Sent::Accepted { .. }));
    lab.until("the abort is digested", |object| !object["status"]["abortedAt"].is_null());
    let others = lab.driver().observe(&plan);
    let weight = others.iter().find(|one| one.id == "weight").unwrap();
    assert_eq!((weight.seen.clone(), lab.ready_pods("v2")), (Seen::NotYet, 1), "the abort alone did nothing");
    for n in 1..3 {
        let sent = lab.driver().send(&plan, n);
        assert!(matches!(sent, Sent::Accepted { .. }), "{n}: {sent:?}");
    }
    lab.driver().verify(&plan);
    assert_eq!((lab.ready_pods("v2"), lab.ready_pods("v1")), (0, 4));
    let after = lab.get();
    assert_eq!(after["status"]["abort"], true);
    let note = after["metadata"]["annotations"]["wardroom/last-act"].as_str().unwrap();
    assert!(note.starts_with("abort by kim@bastion at ") && note.ends_with(": a live test"), "{note}");
}

#[test]
fn an_abort_under_a_hold_takes_a_routed_canary_to_zero() {
    let Some(lab) = Lab::new("rollout-istio.json", |_| {}) else { return };
    lab.paused("v2", 1);
    lab.hold();
    assert_eq!(lab.route_weight(), 10);
    lab.driver().act(Operation::Abort);
    assert_eq!(lab.route_weight(), 0);
    assert_eq!(lab.get()["spec"]["paused"], false);
    // The manifest still wants v2; the clean end is a rollback to the stable version.
    let plan = lab.driver().act(to("v1"));
    assert_eq!(plan.requests.len(), 1, "{:?}", plan.requests);
    let after = lab.healthy();
    assert!(after["status"]["abort"].is_null(), "the abort has ended");
}

#[test]
fn an_abort_takes_a_full_promotion_back_in_the_same_request() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    lab.start("v2", Some("never-ready"));
    lab.until("started", |object| {
        observed(object) && object["status"]["currentPodHash"] != object["status"]["stableRS"]
    });
    let full = lab.driver().planned(Operation::PromoteFull);
    assert!(warns(&full, "waits until 4 pods of v2 are available, now 0"), "{:?}", full.beware);
    lab.driver().execute(&full);
    lab.until("promoting", |object| object["status"]["promoteFull"] == true);
    // An abort without it is dropped.
    lab.status(&json!({"abort": true}));
    lab.until("the abort is dropped", |object| object["status"]["abort"] != true);
    let plan = lab.driver().planned(Operation::Abort);
    assert_eq!(plan.requests[0].body["status"], json!({"abort": true, "promoteFull": false}));
    lab.driver().execute(&plan);
    lab.driver().verify(&plan);
    assert_eq!(lab.ready_pods("v1"), 4);
    // And it can be tried again, from its first step.
    let retry = lab.driver().act(Operation::Retry);
    assert_eq!(retry.requests[0].body["status"], json!({"abort": false}));
    assert_eq!(lab.get()["status"]["currentStepIndex"], 0);
}
