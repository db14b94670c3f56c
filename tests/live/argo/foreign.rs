//! Other writers, other objects, other roles.

use super::*;

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
    lab.cluster.call("DELETE", &lab.path, &json!({"propagationPolicy": "Foreground"}));
    let gone = std::time::Instant::now() + PATIENCE;
    while lab.cluster.try_call("GET", &lab.path, &Value::Null).is_ok() {
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
        Driver::by(
            &lab.cluster,
            ControllerKind::Argo,
            &lab.cluster.kubeconfig_of(identity).expect("the lab has identities"),
            "",
        )
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

/// The writer that puts the template back is this test: it plays the documented part of a GitOps controller.
#[test]
fn a_standin_for_self_heal_puts_the_template_back() {
    let tracked = |rollout: &mut Value| {
        let id = json!({"argocd.argoproj.io/tracking-id": "shop:argoproj.io/Rollout:ml/m"});
        rollout["metadata"]["annotations"] = id;
    };
    let Some(lab) = Lab::new("rollout-basic.json", tracked) else { return };
    lab.complete("v2");
    let template = lab.get()["spec"]["template"].clone();
    let heal = || {
        let path = format!("{}?fieldManager=argocd-controller", lab.path);
        let body = json!([{"op": "replace", "path": "/spec/template", "value": template}]);
        lab.cluster.call("JSON", &path, &body);
    };
    let plan = lab.driver().planned(to("v1"));
    let red = plan.beware.iter().find(|beware| beware.level == Level::Critical).expect("a red warning");
    assert!(
        red.text.contains("Argo CD shop") && red.text.contains("revert the commit in Git"),
        "{}",
        red.text
    );
    assert!(plan.checks.iter().any(|check| check.id == "kept" && check.needed));
    assert!(matches!(lab.driver().send(&plan, 0), Sent::Accepted { .. }));
    heal();
    let Sent::Moved(why) = lab.driver().send(&plan, 1) else { panic!("promoted the bad version") };
    assert_eq!(why, "the template was put back by argocd-controller");
    let findings = lab.driver().observe(&plan);
    let kept = findings.iter().find(|one| one.id == "kept").unwrap();
    assert_eq!((kept.seen.clone(), kept.detail.as_str()), (Seen::No, why.as_str()));
    // An abort touches only the status: nobody puts that back.
    lab.paused("v3", 1);
    let abort = lab.driver().act(Operation::Abort);
    assert!(abort.beware.iter().all(|beware| beware.level != Level::Critical), "{:?}", abort.beware);
}

/// Lab lines 5 and 6 at the level of the protocol: how the three ways of not being done differ.
#[test]
fn conflicts_foreign_uids_and_failed_tests_are_told_apart() {
    use wardroom::control::kubernetes::Objects;
    use wardroom::control::kubernetes::answer::Meaning;
    use wardroom::control::kubernetes::object::Written;
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    let objects = Objects::new(lab.cluster.admin(), "lab", Duration::from_secs(5), 1 << 24);
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
