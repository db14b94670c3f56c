//! Acts on real Rollouts, each with the pitfall that it is known for.

use std::time::Duration;

use serde_json::{Value, json};
use wardroom::control::{Seen, Sent};
use wardroom::domain::act::{May, Operation};
use wardroom::domain::{ControllerKind, Version};

use super::cluster::{Cluster, JSON, MERGE};
use super::driver::{Driver, warns};

const API: &str = "argoproj.io/v1alpha1";

/// A Rollout `m` of version v1 that is healthy.
struct Lab {
    cluster: Cluster,
    path: String,
}

impl Lab {
    fn new(file: &str, change: impl Fn(&mut Value)) -> Option<Self> {
        let cluster = Cluster::here("argo")?;
        cluster.create(file, "m", |item| {
            if item["kind"] == "Rollout" {
                change(item);
            }
        });
        let lab = Self { path: cluster.path(API, "rollouts/m"), cluster };
        lab.healthy();
        Some(lab)
    }

    fn driver(&self) -> Driver<'_> {
        Driver::new(&self.cluster, ControllerKind::Argo)
    }

    fn get(&self) -> Value {
        self.cluster.get(&self.path)
    }

    fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.cluster.until(what, &self.path, wanted)
    }

    fn healthy(&self) -> Value {
        self.until("healthy", |object| {
            let status = &object["status"];
            observed(object) && status["phase"] == "Healthy" && status["currentPodHash"] == status["stableRS"]
        })
    }

    /// Starts another version, with a fault of its pods if one is given.
    fn start(&self, version: &str, fault: Option<&str>) {
        let meta = json!({"labels": {"version": version}, "annotations": {"wardroom.test/fault": fault}});
        self.cluster.merge(&self.path, &json!({"spec": {"template": {"metadata": meta}}}));
    }

    /// Starts another version and waits for the pause at a step.
    fn paused(&self, version: &str, step: u64) -> Value {
        self.start(version, None);
        self.pause_at(step)
    }

    fn pause_at(&self, step: u64) -> Value {
        self.until(&format!("paused at step {step}"), |object| {
            observed(object)
                && object["status"]["currentStepIndex"] == step
                && object["status"]["pauseConditions"][0]["reason"] == "CanaryPauseStep"
        })
    }

    /// Starts another version and makes it stable.
    fn complete(&self, version: &str) -> Value {
        self.paused(version, 1);
        self.driver().act(Operation::PromoteFull);
        self.healthy()
    }

    fn hold(&self) {
        self.driver().act(Operation::Pause);
    }

    fn status(&self, status: &Value) {
        self.cluster.merge(&format!("{}/status", self.path), &json!({"status": status}));
    }

    /// Ready pods of a version.
    fn ready_pods(&self, version: &str) -> usize {
        let path = self.cluster.path("v1", &format!("pods?labelSelector=app%3Dm,version%3D{version}"));
        let pods = self.cluster.get(&path);
        let ready = |pod: &&Value| {
            let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
            conditions.into_iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
        };
        pods["items"].as_array().unwrap().iter().filter(ready).count()
    }

    fn route_weight(&self) -> u64 {
        let route = self.cluster.get(&self.cluster.path("networking.istio.io/v1", "virtualservices/m"));
        route["spec"]["http"][0]["route"][1]["weight"].as_u64().unwrap()
    }
}

fn observed(object: &Value) -> bool {
    object["status"]["observedGeneration"] == object["metadata"]["generation"].to_string().as_str()
}

fn to(version: &str) -> Operation {
    Operation::RollBack { to: Version::new(version) }
}

fn steps(steps: Value) -> impl Fn(&mut Value) {
    move |rollout| rollout["spec"]["strategy"]["canary"]["steps"] = steps.clone()
}

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
    std::thread::sleep(Duration::from_secs(1)); // A promotion at once would be lost: that is another test.
    let plan = lab.driver().act(Operation::Promote);
    assert_eq!(plan.requests.len(), 1);
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
    // Alone, the promotion does nothing: after the release the step's own pause is back.
    lab.status(&json!({"pauseConditions": null}));
    let plan = lab.driver().planned(Operation::Promote);
    let words: Vec<&str> = plan.requests.iter().map(|request| request.words.as_str()).collect();
    assert_eq!(words, ["spec.paused: false", "release the step's pause"]);
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

#[test]
fn a_rollback_outside_the_window_is_three_steps() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    let first = lab.get()["status"]["stableRS"].clone();
    lab.complete("v2");
    let plan = lab.driver().planned(to("v1"));
    let target = plan.version.clone().unwrap();
    assert_eq!((target.name.as_str(), target.revision, json!(target.hash)), ("v1", Some(1), first.clone()));
    assert_eq!(plan.requests.len(), 2);
    assert!(plan.requests[1].after.contains(&target.hash), "{}", plan.requests[1].after);
    assert!(plan.requests[1].dry_run.is_none(), "it does not stand alone");
    lab.driver().execute(&plan);
    let findings = lab.driver().verify(&plan);
    let after = lab.healthy();
    assert_eq!((&after["status"]["stableRS"], &after["status"]["currentPodHash"]), (&first, &first));
    assert_eq!(lab.ready_pods("v1"), 4, "{findings:?}");
    // It has a new number now: the old name still finds it, and it is so already.
    let again = lab.driver().planned(to("v1"));
    assert!(again.requests.is_empty() && again.version.unwrap().revision == Some(3));
    assert!(lab.driver().plan(to("v9")).unwrap_err().instead.contains("v2 = rev 2"));
}

#[test]
fn a_full_promotion_before_the_controller_saw_the_template_is_lost() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    lab.complete("v2");
    // The second step left out: both at once.
    let plan = lab.driver().planned(to("v1"));
    lab.cluster.call("PATCH", &lab.path, JSON, &plan.requests[0].body);
    lab.status(&json!({"promoteFull": true}));
    let after = lab.pause_at(1);
    assert_ne!(after["status"]["promoteFull"], true, "it was cleared with the change of template");
}

#[test]
fn a_rollback_inside_the_window_is_one_request() {
    let window = |rollout: &mut Value| rollout["spec"]["rollbackWindow"] = json!({"revisions": 2});
    let Some(lab) = Lab::new("rollout-basic.json", window) else { return };
    // The window counts by time of creation, in whole seconds.
    std::thread::sleep(Duration::from_millis(1_100));
    lab.complete("v2");
    let plan = lab.driver().act(to("v1"));
    assert_eq!(plan.requests.len(), 1, "{:?}", plan.requests);
    assert!(warns(&plan, "inside the rollback window"));
    lab.healthy();
}

#[test]
fn a_rollback_during_a_canary_aborts_first() {
    let Some(lab) = Lab::new("rollout-istio.json", |_| {}) else { return };
    lab.paused("v2", 1);
    lab.hold();
    let plan = lab.driver().act(to("v1"));
    let words: Vec<&str> =
        plan.requests.iter().map(|request| request.words.split(' ').next().unwrap()).collect();
    assert_eq!(words, ["abort:", "template", "spec.paused:"]);
    let after = lab.healthy();
    assert_eq!((lab.route_weight(), &after["spec"]["paused"]), (0, &json!(false)));
    assert_eq!(after["spec"]["template"]["metadata"]["labels"]["version"], "v1");
}

#[test]
fn a_template_in_a_deployment_is_patched_there() {
    let reference = |rollout: &mut Value| {
        let spec = rollout["spec"].as_object_mut().unwrap();
        spec.remove("template");
        spec.remove("selector");
        spec.insert(
            "workloadRef".into(),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "m", "scaleDown": "onsuccess"}),
        );
    };
    let Some(cluster) = Cluster::here("argo") else { return };
    cluster.create("deployment.json", "m", |item| {
        if item["kind"] == "Deployment" {
            item["spec"]["replicas"] = json!(0);
        } else {
            item["metadata"]["name"] = json!("unused");
        }
    });
    cluster.create("rollout-basic.json", "m", |item| {
        if item["kind"] == "Rollout" {
            reference(item);
        }
    });
    let lab = Lab { path: cluster.path(API, "rollouts/m"), cluster };
    lab.healthy();
    let deployment = lab.cluster.path("apps/v1", "deployments/m");
    let template = json!({"metadata": {"labels": {"version": "v2"}}});
    lab.cluster.merge(&deployment, &json!({"spec": {"template": template}}));
    lab.pause_at(1);
    lab.driver().act(Operation::PromoteFull);
    let plan = lab.driver().act(to("v1"));
    assert!(plan.requests[0].path.contains("/deployments/m?"), "{}", plan.requests[0].path);
    assert_eq!(plan.requests.len(), 2);
    assert_eq!(lab.ready_pods("v1"), 4);
    let by_reference =
        json!({"spec": {"workloadRef": {"apiVersion": "v1", "kind": "PodTemplate", "name": "m"}}});
    lab.cluster.merge(&lab.path, &by_reference);
    let refused = lab.driver().plan(to("v2")).unwrap_err();
    assert!(refused.why.contains("PodTemplate"), "{refused}");
}

#[test]
fn blue_green_is_promoted_without_a_step_index() {
    let strategy = |rollout: &mut Value| {
        rollout["spec"]["strategy"] =
            json!({"blueGreen": {"activeService": "m", "autoPromotionEnabled": false}});
    };
    let Some(lab) = Lab::new("rollout-basic.json", strategy) else { return };
    lab.start("v2", None);
    lab.until("paused", |object| object["status"]["pauseConditions"][0]["reason"] == "BlueGreenPause");
    std::thread::sleep(Duration::from_secs(1));
    let plan = lab.driver().planned(Operation::Promote);
    assert_eq!(plan.requests[0].body["status"], json!({"pauseConditions": null}));
    lab.driver().execute(&plan);
    lab.driver().verify(&plan);
    lab.healthy();
    lab.driver().act(to("v1"));
    let service = lab.cluster.get(&lab.cluster.path("v1", "services/m"));
    let after = lab.healthy();
    assert_eq!(service["spec"]["selector"]["rollouts-pod-template-hash"], after["status"]["stableRS"]);
}

#[test]
fn what_another_writer_changed_stops_the_act() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    lab.paused("v2", 1);
    let plan = lab.driver().planned(Operation::Pause);
    let promote = lab.driver().planned(Operation::Promote);
    // A write that does not matter does not stop it.
    lab.cluster.merge(&lab.path, &json!({"metadata": {"annotations": {"other": "writer"}}}));
    // One that does: somebody else aborts.
    lab.status(&json!({"abort": true}));
    lab.until("aborted", |object| !object["status"]["abortedAt"].is_null());
    let before = lab.get();
    for plan in [&plan, &promote] {
        let Sent::Moved(difference) = lab.driver().send(plan, 0) else { panic!("sent all the same") };
        assert!(difference.contains("status.abort was absent, is true"), "{difference}");
    }
    let after = lab.get();
    assert_eq!(before["spec"], after["spec"], "nothing was sent");
    let manager = |entry: &Value| entry["manager"] == "wardroom";
    assert!(!after["metadata"]["managedFields"].as_array().unwrap().iter().any(manager));
}

#[test]
fn an_object_made_again_is_another_one() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    lab.paused("v2", 1);
    let abort = lab.driver().planned(Operation::Abort);
    lab.cluster.call("DELETE", &lab.path, "application/json", &json!({"propagationPolicy": "Foreground"}));
    let gone = std::time::Instant::now() + super::cluster::PATIENCE;
    while lab.cluster.try_call("GET", &lab.path, "application/json", &Value::Null).is_ok() {
        assert!(std::time::Instant::now() < gone, "never gone");
        std::thread::sleep(Duration::from_millis(100));
    }
    let Sent::Moved(why) = lab.driver().send(&abort, 0) else { panic!("sent to nobody") };
    assert!(why.contains("not there"), "{why}");
    lab.cluster.create("rollout-basic.json", "m", |item| {
        if item["kind"] == "Service" {
            item["metadata"]["name"] = json!("again");
        }
    });
    let Sent::Moved(why) = lab.driver().send(&abort, 0) else { panic!("sent to another object") };
    assert!(why.contains("made again"), "{why}");
}

#[test]
fn a_role_that_may_pause_may_not_promote() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    lab.paused("v2", 1);
    let by = |identity: &str| {
        Driver::by(&lab.cluster, ControllerKind::Argo, &lab.cluster.kubeconfig_of(identity), "")
    };
    let pauser = by("pauser");
    let plan = pauser.planned(Operation::Promote);
    assert!(matches!(&plan.requests[0].may, May::No(why) if why.contains("patch rollouts/status")));
    assert!(plan.forbidden().is_some() && plan.requests[0].dry_run.is_none());
    let Sent::Refused(why) = pauser.send(&plan, 0) else { panic!("not refused") };
    assert!(why.starts_with("not permitted") && why.contains("rollouts/status"), "{why}");
    let plan = pauser.act(Operation::Pause);
    assert_eq!((&plan.requests[0].may, plan.who.identity.as_str()), (&May::Yes, "pauser"));
    let viewer = by("viewer").planned(Operation::Resume);
    assert!(matches!(viewer.requests[0].may, May::No(_)));
    assert!(matches!(by("viewer").send(&viewer, 0), Sent::Refused(_)));
    assert_eq!(lab.get()["spec"]["paused"], true);
    by("operator").act(Operation::Resume);
}

/// Lab lines 5 and 6 at the level of the protocol: how the three ways of not being done differ.
#[test]
fn conflicts_foreign_uids_and_failed_tests_are_told_apart() {
    use wardroom::control::kubernetes::Objects;
    use wardroom::control::kubernetes::answer::Meaning;
    use wardroom::control::kubernetes::object::Written;
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    let objects = Objects::new(lab.cluster.admin.clone(), "lab", Duration::from_secs(5), 1 << 24);
    let write = |part: &str, kind: &str, body: Value| {
        let path = format!("{}{part}?fieldManager=wardroom&fieldValidation=Strict", lab.path);
        lab.cluster.run(objects.patch(&path, kind, &body, "test"))
    };
    let not = |written: Written| match written {
        Written::Not(meaning) => meaning,
        accepted => panic!("{accepted:?}"),
    };
    let held = json!({"paused": true});
    let stale = write("", MERGE, json!({"metadata": {"resourceVersion": "1"}, "spec": held}));
    assert_eq!(not(stale), Meaning::Conflict);
    let stale =
        write("/status", MERGE, json!({"metadata": {"resourceVersion": "1"}, "status": {"abort": true}}));
    assert_eq!(not(stale), Meaning::Conflict);
    let foreign = write("", MERGE, json!({"metadata": {"uid": "another"}, "spec": held}));
    assert_eq!(not(foreign), Meaning::OtherObject);
    let tests = json!([{"op": "test", "path": "/metadata/uid", "value": "another"},
                       {"op": "add", "path": "/spec/paused", "value": true}]);
    assert_eq!(not(write("", JSON, tests.clone())), Meaning::TestFailed);
    assert_eq!(not(write("/status", JSON, tests)), Meaning::TestFailed);
    // The pitfall: under /status the uid of a merge patch is not looked at. The resourceVersion pins there.
    let written =
        write("/status", MERGE, json!({"metadata": {"uid": "another"}, "status": {"message": "x"}}));
    assert!(matches!(written, Written::Accepted { .. }), "{written:?}");
    for (part, body) in
        [("", json!({"spec": {"pausedd": true}})), ("/status", json!({"status": {"promoteFul": true}}))]
    {
        let Meaning::Refused(why) = not(write(part, MERGE, body.clone())) else { panic!("not refused") };
        assert!(why.contains("strict decoding error: unknown field"), "{why}");
        // Without it the patch is silently nothing.
        let before = lab.cluster.merge(&format!("{}{part}", lab.path), &body);
        assert!(before["spec"]["pausedd"].is_null() && before["status"]["promoteFul"].is_null());
    }
}
