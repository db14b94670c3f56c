//! Rollbacks to a named revision.

use super::*;

#[test]
fn a_rollback_outside_the_window_is_three_steps() {
    let Some(lab) = Lab::new("rollout-basic.json", |_| {}) else { return };
    let first = lab.get()["status"]["stableRS"].clone();
    lab.complete("v2");
    let plan = lab.driver().planned(to("v1"));
    let target = plan.version.clone().unwrap();
    assert_eq!((target.name.as_str(), target.revision, json!(target.hash)), ("v1", Some(1), first.clone()));
    assert_eq!(plan.requests.len(), 3);
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
    lab.cluster.call("JSON", &lab.path, &plan.requests[0].body);
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
    let Some(cluster) = Stage::here("argo") else { return };
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
    let lab = Lab { path: cluster.path("rollouts/m"), cluster };
    lab.healthy();
    let deployment = lab.cluster.path("deployments/m");
    let template = json!({"metadata": {"labels": {"version": "v2"}}});
    lab.cluster.merge(&deployment, &json!({"spec": {"template": template}}));
    lab.pause_at(1);
    lab.driver().act(Operation::PromoteFull);
    let plan = lab.driver().act(to("v1"));
    assert!(plan.requests[0].path.contains("/deployments/m?"), "{}", plan.requests[0].path);
    assert_eq!(plan.requests.len(), 3);
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
    let plan = lab.driver().planned(Operation::Promote);
    assert_eq!(plan.requests[0].body["status"], json!({"pauseConditions": null}));
    lab.driver().execute(&plan);
    lab.driver().verify(&plan);
    lab.healthy();
    lab.driver().act(to("v1"));
    let service = lab.cluster.get(&lab.cluster.path("services/m"));
    let after = lab.healthy();
    assert_eq!(service["spec"]["selector"]["rollouts-pod-template-hash"], after["status"]["stableRS"]);
}
