//! Acts on real Rollouts, each with the pitfall that it is known for.

use std::time::Duration;

use serde_json::{Value, json};
use wardroom::control::{Seen, Sent, Settled};
use wardroom::domain::act::{May, Operation};
use wardroom::domain::{ControllerKind, Level, Version};

use super::driver::{Driver, warns};
use super::stage::{JSON, MERGE, PATIENCE, Stage};

mod abort;
mod foreign;
mod hold;
mod rollback;
mod trouble;

/// A Rollout `m` of version v1 that is healthy.
struct Lab {
    cluster: Stage,
    path: String,
}

impl Lab {
    fn new(file: &str, change: impl Fn(&mut Value)) -> Option<Self> {
        let cluster = Stage::here("argo")?;
        cluster.create(file, "m", |item| {
            if item["kind"] == "Rollout" {
                change(item);
            }
        });
        let lab = Self { path: cluster.path("rollouts/m"), cluster };
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
        let path = self.cluster.path(&format!("pods?labelSelector=app%3Dm,version%3D{version}"));
        let pods = self.cluster.get(&path);
        // A pod that is being deleted gets no requests any more.
        let ready = |pod: &&Value| {
            let stays = pod["metadata"]["deletionTimestamp"].is_null();
            let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
            stays && conditions.into_iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
        };
        pods["items"].as_array().unwrap().iter().filter(ready).count()
    }

    fn route_weight(&self) -> u64 {
        let route = self.cluster.get(&self.cluster.path("virtualservices/m"));
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
