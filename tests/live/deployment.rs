//! Acts on real Deployments.

use serde_json::{Value, json};
use wardroom::control::{Seen, Sent};
use wardroom::domain::act::{May, Operation};
use wardroom::domain::{ControllerKind, Version};

use super::driver::{Driver, warns};
use super::stage::Stage;

/// A Deployment `m` of version v1, complete.
struct Lab {
    cluster: Stage,
    path: String,
}

impl Lab {
    fn new() -> Option<Self> {
        let cluster = Stage::here("argo-deployment")?;
        cluster.create("deployment.json", "m", |_| {});
        let lab = Self { path: cluster.path("deployments/m"), cluster };
        lab.complete("v1");
        Some(lab)
    }

    fn driver(&self) -> Driver<'_> {
        Driver::new(&self.cluster, ControllerKind::Deployment)
    }

    fn get(&self) -> Value {
        self.cluster.get(&self.path)
    }

    fn start(&self, version: &str, fault: Option<&str>) {
        let meta = json!({"labels": {"version": version}, "annotations": {"wardroom.test/fault": fault}});
        self.cluster.merge(&self.path, &json!({"spec": {"template": {"metadata": meta}}}));
    }

    fn complete(&self, version: &str) -> Value {
        self.cluster.until("complete", &self.path, |object| {
            let status = &object["status"];
            object["spec"]["template"]["metadata"]["labels"]["version"] == version
                && status["observedGeneration"] == object["metadata"]["generation"]
                && status["updatedReplicas"] == 2
                && status["replicas"] == 2
                && status["availableReplicas"] == 2
        })
    }

    /// Until pods of the version are there that never become ready.
    fn stuck(&self) {
        self.cluster.until("under way", &self.path, |object| {
            let status = &object["status"];
            status["observedGeneration"] == object["metadata"]["generation"]
                && status["updatedReplicas"].as_u64() > Some(0)
                && status["unavailableReplicas"].as_u64() > Some(0)
        });
    }
}

fn to(version: &str) -> Operation {
    Operation::RollBack { to: Version::new(version) }
}

#[test]
fn a_rollback_names_its_revision_and_is_not_done_before_its_pods_are() {
    let Some(lab) = Lab::new() else { return };
    lab.start("v2", None);
    lab.complete("v2");
    lab.start("v3", Some("never-ready"));
    lab.stuck();
    // Two revisions have pods, and v1 is neither of them.
    let plan = lab.driver().planned(to("v1"));
    let target = plan.version.clone().unwrap();
    assert_eq!((target.name.as_str(), target.revision), ("v1", Some(1)));
    assert_eq!(plan.requests[0].may, May::Yes);
    let before = lab.driver().observe(&plan);
    assert!(before.iter().any(|one| one.id == "revision" && one.seen == Seen::NotYet), "{before:?}");
    lab.driver().execute(&plan);
    lab.driver().verify(&plan);
    let after = lab.complete("v1");
    let template = &after["spec"]["template"]["metadata"];
    assert!(template["annotations"]["wardroom.test/fault"].is_null(), "replaced, not merged: {template}");
    let cause = after["metadata"]["annotations"]["kubernetes.io/change-cause"].as_str().unwrap();
    assert!(cause.starts_with("rollback to v1 by kim@bastion"), "{cause}");
    // The revision has a new number: "the previous one" would be v3 now.
    let again = lab.driver().planned(to("v1"));
    assert!(again.requests.is_empty());
    assert_eq!(again.version.unwrap().revision, Some(4));
    assert!(lab.driver().plan(Operation::Promote).unwrap_err().why.contains("no steps"));
}

#[test]
fn a_held_update_is_aborted_to_the_named_old_revision() {
    let Some(lab) = Lab::new() else { return };
    assert!(lab.driver().plan(Operation::Pause).unwrap_err().why.contains("no rolling update"));
    assert!(lab.driver().plan(Operation::Abort).unwrap_err().instead.contains("roll back"));
    lab.start("v2", Some("never-ready"));
    lab.stuck();
    lab.driver().act(Operation::Pause);
    assert_eq!(lab.get()["spec"]["paused"], true);
    let refusal = lab.driver().plan(to("v1")).unwrap_err();
    assert!(refusal.instead.contains("release it first"), "{refusal}");
    let plan = lab.driver().planned(Operation::Abort);
    assert_eq!(plan.version.as_ref().unwrap().name, "v1");
    let words: Vec<&str> =
        plan.requests.iter().map(|request| request.words.split(' ').next().unwrap()).collect();
    assert_eq!(words, ["template", "spec.paused:"]);
    lab.driver().execute(&plan);
    lab.driver().verify(&plan);
    assert_ne!(lab.complete("v1")["spec"]["paused"], true);
}

#[test]
fn edits_under_a_hold_roll_out_at_the_release() {
    let Some(lab) = Lab::new() else { return };
    lab.start("v2", Some("never-ready"));
    lab.stuck();
    lab.driver().act(Operation::Pause);
    lab.start("v3", None);
    let plan = lab.driver().planned(Operation::Resume);
    assert!(warns(&plan, "edited while it was held"), "{:?}", plan.beware);
    lab.driver().execute(&plan);
    lab.driver().verify(&plan);
    lab.complete("v3");
}

#[test]
fn a_template_that_somebody_else_changed_stops_the_rollback() {
    let Some(lab) = Lab::new() else { return };
    lab.start("v2", None);
    lab.complete("v2");
    let plan = lab.driver().planned(to("v1"));
    // Scaling is no reason to stop; another template is.
    lab.cluster.merge(&lab.path, &json!({"spec": {"replicas": 3}}));
    lab.start("v3", None);
    let Sent::Moved(why) = lab.driver().send(&plan, 0) else { panic!("sent all the same") };
    assert!(why.contains("spec.template (sha256) was "), "{why}");
    assert_eq!(lab.get()["spec"]["template"]["metadata"]["labels"]["version"], "v3");
    let plan = lab.driver().planned(to("v1"));
    lab.cluster.merge(&lab.path, &json!({"spec": {"replicas": 2}}));
    lab.driver().execute(&plan);
    lab.driver().verify(&plan);
    lab.complete("v1");
}
