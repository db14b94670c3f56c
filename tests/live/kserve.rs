//! InferenceServices on the real API server. KServe itself does not run here: a small stand-in plays the part of its
//! controller that is read in its source (0.20), which is why these tests are called `standin`. What they prove is what
//! wardroom sends and how it reads the answer, not what KServe does.

use std::cell::Cell;

use serde_json::{Value, json};
use wardroom::cluster::inferenceservice::InferenceService;
use wardroom::cluster::{Around, Kind, Naming};
use wardroom::control::Seen;
use wardroom::domain::act::Operation;
use wardroom::domain::{ControllerKind, Level, Situation, Version};

use super::driver::{Driver, warns};
use super::stage::Stage;

const API: &str = "serving.kserve.io/v1beta1";

fn model(uri: &str) -> Value {
    json!({"modelFormat": {"name": "sklearn"}, "storageUri": uri})
}

/// The schema wants the container's name in a canary.
fn named(uri: &str) -> Value {
    let mut model = model(uri);
    model["name"] = json!("kserve-container");
    model
}

/// The controller in Knative mode, as far as traffic goes.
struct Knative {
    cluster: Stage,
    path: String,
    /// Whether the newest revision is ready.
    loads: Cell<bool>,
}

impl Knative {
    fn new() -> Option<Self> {
        let cluster = Stage::here("kserve")?;
        let object = json!({"apiVersion": API, "kind": "InferenceService",
            "metadata": {"name": "m", "annotations": {"serving.kserve.io/deploymentMode": "Knative"}},
            "spec": {"predictor": {"minReplicas": 1, "model": model("s3://m/1")}}});
        cluster.call("POST", &cluster.path("inferenceservices"), &object);
        let path = cluster.path("inferenceservices/m");
        let lab = Self { cluster, path, loads: Cell::new(true) };
        lab.reconcile();
        Some(lab)
    }

    /// One round: revisions from the model, traffic from the percent, then who is rolled out (ksvc_reconciler.go and
    /// PropagateStatus of inference_service_status.go).
    fn reconcile(&self) {
        let object = self.cluster.get(&self.path);
        let mut status = object["status"]["components"]["predictor"].clone();
        let name = |status: &Value, key: &str| status[key].as_str().unwrap_or_default().to_owned();
        let uri = object["spec"]["predictor"]["model"]["storageUri"].as_str().unwrap();
        let created = format!("m-predictor-0000{}", uri.rsplit('/').next().unwrap());
        status["latestCreatedRevision"] = json!(created);
        if self.loads.get() {
            status["latestReadyRevision"] = json!(created);
        }
        let (ready, rolled) =
            (name(&status, "latestReadyRevision"), name(&status, "latestRolledoutRevision"));
        let percent = object["spec"]["predictor"]["canaryTrafficPercent"].as_i64();
        let latest =
            |percent: i64| json!({"latestRevision": true, "percent": percent, "revisionName": ready});
        let traffic = match percent {
            Some(percent) if !rolled.is_empty() && percent < 100 => vec![
                latest(percent),
                json!({"latestRevision": false, "percent": 100 - percent, "revisionName": rolled, "tag": "prev"}),
            ],
            Some(percent) if !rolled.is_empty() => vec![latest(percent)],
            _ => vec![latest(100)],
        };
        let share = traffic[0]["percent"].as_i64().unwrap();
        let of_ready: i64 = traffic
            .iter()
            .filter(|target| target["revisionName"] == json!(ready))
            .map(|target| target["percent"].as_i64().unwrap())
            .sum();
        if rolled != ready {
            if share == 100 {
                status["previousRolledoutRevision"] = json!(rolled);
                status["latestRolledoutRevision"] = json!(ready);
            }
        } else if ready == created && share < 100 && of_ready == 100 {
            let previous = name(&status, "previousRolledoutRevision");
            if !previous.is_empty() {
                status["latestRolledoutRevision"] = json!(previous);
            }
        }
        status["traffic"] = json!(traffic);
        let body = json!({"status": {"deploymentMode": "Knative", "components": {"predictor": status}}});
        self.cluster.merge(&format!("{}/status", self.path), &body);
    }

    fn driver(&self) -> Driver<'_> {
        Driver::new(&self.cluster, ControllerKind::KserveKnative)
    }

    fn read(&self) -> wardroom::domain::Rollout {
        let naming = Naming { ladder: vec![5.0, 10.0, 25.0, 50.0, 100.0], ..Naming::default() };
        let object = self.cluster.get(&self.path);
        InferenceService.read(&object, &Around::default(), &naming, chrono::Utc::now()).unwrap()
    }

    /// Plans, sends, lets the stand-in go round, verifies.
    fn act(&self, operation: Operation, rounds: usize) {
        let driver = self.driver();
        let plan = driver.planned(operation);
        driver.execute(&plan);
        assert!(
            driver.observe(&plan).iter().any(|one| one.id == "weight" && one.seen == Seen::NotYet),
            "a percent in the spec is no traffic"
        );
        (0..rounds).for_each(|_| self.reconcile());
        driver.verify(&plan);
    }
}

#[test]
fn standin_a_percent_to_a_revision_that_is_not_ready_serves_nobody() {
    let Some(lab) = Knative::new() else { return };
    assert!(lab.driver().plan(Operation::SetWeight { percent: 5.0 }).is_err(), "no canary is there");
    lab.loads.set(false);
    let body = json!({"spec": {"predictor": {"canaryTrafficPercent": 10, "model": model("s3://m/2")}}});
    lab.cluster.merge(&lab.path, &body);
    lab.reconcile();
    let rollout = lab.read();
    assert_eq!((rollout.asked, rollout.set), (10.0, Some(0.0)));
    assert!(rollout.message.starts_with("canary not serving: m-predictor-00002"), "{}", rollout.message);
    assert_eq!(rollout.conditions[0].level, Level::Critical);
    let refusal = lab.driver().plan(Operation::Promote).unwrap_err();
    assert!(refusal.why.starts_with("canary not serving"), "{refusal}");
    lab.loads.set(true);
    lab.reconcile();
    lab.act(Operation::Promote, 1);
    let rollout = lab.read();
    assert_eq!((rollout.asked, rollout.set, rollout.situation), (25.0, Some(25.0), Situation::PausedByStep));
    lab.act(Operation::Abort, 1);
    assert_eq!(lab.read().situation, Situation::Aborted);
    lab.act(Operation::Retry, 1);
    assert_eq!(lab.read().set, Some(5.0));
}

#[test]
fn standin_zero_after_a_promotion_goes_back_in_two_rounds_and_no_further() {
    let Some(lab) = Knative::new() else { return };
    let next = |n: u32| json!({"spec": {"predictor": {"canaryTrafficPercent": 10, "model": model(&format!("s3://m/{n}"))}}});
    for n in [2, 3] {
        lab.cluster.merge(&lab.path, &next(n));
        lab.reconcile();
        let plan = lab.driver().planned(Operation::PromoteFull);
        assert!(warns(&plan, "the next model gets all traffic"), "{:?}", plan.beware);
        assert_eq!(plan.requests[0].body["spec"]["predictor"]["canaryTrafficPercent"], Value::Null);
        lab.act(Operation::PromoteFull, 1);
    }
    assert_eq!(lab.read().stable.as_str(), "m-predictor-00003");
    let older = lab.driver().plan(Operation::RollBack { to: Version::new("m-predictor-00001") }).unwrap_err();
    assert!(older.instead.contains("saved spec"), "{older}");
    let driver = lab.driver();
    let plan = driver.planned(Operation::RollBack { to: Version::new("m-predictor-00002") });
    driver.execute(&plan);
    lab.reconcile();
    let first = driver.observe(&plan);
    assert!(
        first.iter().any(|one| one.id == "weight" && one.seen == Seen::NotYet),
        "one round only counts back"
    );
    lab.reconcile();
    driver.verify(&plan);
    assert_eq!(lab.read().stable.as_str(), "m-predictor-00002");
}

/// The controller in Standard mode, as its documentation has it: a Deployment for each predictor, weights of ready
/// canaries on the HTTPRoute, orphans deleted. (The release 0.20.0 writes no such weights yet.)
struct Standard {
    cluster: Stage,
    path: String,
}

impl Standard {
    fn new() -> Option<Self> {
        let cluster = Stage::here("kserve")?;
        let object = json!({"apiVersion": API, "kind": "InferenceService",
            "metadata": {"name": "m", "annotations": {"serving.kserve.io/deploymentMode": "Standard"}},
            "spec": {"predictor": {"name": "v1", "minReplicas": 2, "model": model("s3://m/1")},
                "canary": [{"trafficPercent": 25, "predictor": {"name": "v2", "model": named("s3://m/2")}}]}});
        cluster.call("POST", &cluster.path("inferenceservices"), &object);
        let path = cluster.path("inferenceservices/m");
        let lab = Self { cluster, path };
        lab.settle();
        Some(lab)
    }

    fn deployments(&self) -> Vec<Value> {
        let all = self.cluster.get(&self.cluster.path("deployments"));
        all["items"].as_array().unwrap().clone()
    }

    fn uid(&self, name: &str) -> String {
        let found = self.cluster.get(&self.cluster.path(&format!("deployments/m-{name}-predictor")));
        found["metadata"]["uid"].as_str().unwrap().to_owned()
    }

    /// Rounds until every Deployment that is wanted is ready and the route follows.
    fn settle(&self) {
        self.reconcile();
        for deployment in self.deployments() {
            let name = deployment["metadata"]["name"].as_str().unwrap();
            let path = self.cluster.path(&format!("deployments/{name}"));
            self.cluster.until("ready", &path, |found| {
                let wanted = &found["spec"]["replicas"];
                found["status"]["availableReplicas"] == *wanted
                    && found["status"]["observedGeneration"] == found["metadata"]["generation"]
            });
        }
        self.reconcile();
    }

    fn reconcile(&self) {
        let object = self.cluster.get(&self.path);
        let spec = &object["spec"];
        let entries = spec["canary"].as_array().cloned().unwrap_or_default();
        let owner = json!([{"apiVersion": API, "kind": "InferenceService", "name": "m", "controller": true,
            "uid": object["metadata"]["uid"]}]);
        let floor = spec["predictor"]["minReplicas"].as_u64().unwrap_or(1);
        let count = |entry: &Value| {
            let percent = entry["trafficPercent"].as_u64().unwrap_or(0);
            entry["predictor"]["minReplicas"].as_u64().unwrap_or((floor * percent).div_ceil(100))
        };
        let taken: u64 = entries.iter().map(count).sum();
        let mut wanted = vec![(
            spec["predictor"]["name"].as_str().unwrap().to_owned(),
            floor.saturating_sub(taken).max(1),
        )];
        wanted.extend(
            entries
                .iter()
                .map(|entry| (entry["predictor"]["name"].as_str().unwrap().to_owned(), count(entry))),
        );
        let there = self.deployments();
        let full = |name: &str| format!("m-{name}-predictor");
        for (name, replicas) in &wanted {
            let labels = json!({"app": full(name), "version": name});
            let known = there.iter().any(|found| found["metadata"]["name"] == json!(full(name)));
            if known {
                let path = self.cluster.path(&format!("deployments/{}", full(name)));
                self.cluster.merge(&path, &json!({"spec": {"replicas": replicas}}));
            } else {
                let deployment = json!({"metadata": {"name": full(name), "ownerReferences": owner}, "spec": {
                    "replicas": replicas, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "model", "image": "registry.test/model:1"}]}}}});
                self.cluster.call("POST", &self.cluster.path("deployments"), &deployment);
            }
        }
        for found in &there {
            let name = found["metadata"]["name"].as_str().unwrap();
            if !wanted.iter().any(|(kept, _)| full(kept) == name) {
                let path = self.cluster.path(&format!("deployments/{name}"));
                self.cluster.call("DELETE", &path, &Value::Null);
            }
        }
        self.route(&object, &entries, &there, &owner);
    }

    fn route(&self, object: &Value, entries: &[Value], there: &[Value], owner: &Value) {
        let full = |name: &Value| format!("m-{}-predictor", name.as_str().unwrap());
        let ready = |name: &Value| {
            let found = there.iter().find(|found| found["metadata"]["name"] == json!(full(name)));
            found.is_some_and(|found| found["status"]["availableReplicas"].as_u64().unwrap_or(0) > 0)
        };
        let statuses: Vec<Value> = entries
            .iter()
            .map(|entry| {
                let name = &entry["predictor"]["name"];
                json!({"name": name, "ready": ready(name), "trafficPercent": entry["trafficPercent"]})
            })
            .collect();
        let given: u64 = statuses
            .iter()
            .filter(|status| status["ready"] == true)
            .map(|status| status["trafficPercent"].as_u64().unwrap_or(0))
            .sum();
        let mut refs = vec![
            json!({"name": full(&object["spec"]["predictor"]["name"]), "port": 80, "weight": 100 - given}),
        ];
        for status in statuses.iter().filter(|status| status["ready"] == true) {
            refs.push(json!({"name": full(&status["name"]), "port": 80, "weight": status["trafficPercent"]}));
        }
        let body = json!({"status": {"deploymentMode": "Standard", "canaryStatuses": statuses}});
        self.cluster.merge(&format!("{}/status", self.path), &body);
        let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": "m", "ownerReferences": owner},
            "spec": {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": refs}]}});
        let path = self.cluster.path("httproutes");
        if self.cluster.try_call("POST", &path, &route).is_err() {
            self.cluster.merge(&format!("{path}/m"), &json!({"spec": route["spec"]}));
        }
    }

    fn driver(&self) -> Driver<'_> {
        Driver::new(&self.cluster, ControllerKind::KserveStandard)
    }

    fn act(&self, operation: Operation) {
        let driver = self.driver();
        let plan = driver.planned(operation);
        driver.execute(&plan);
        self.settle();
        driver.verify(&plan);
    }
}

#[test]
fn standin_a_promotion_keeps_the_old_pods_as_a_dark_canary_and_a_rollback_finds_them() {
    let Some(lab) = Standard::new() else { return };
    lab.act(Operation::Promote);
    let object = lab.cluster.get(&lab.path);
    assert_eq!(object["spec"]["canary"][0]["trafficPercent"], 50);
    let (old, new) = (lab.uid("v1"), lab.uid("v2"));
    let plan = lab.driver().planned(Operation::PromoteFull);
    assert!(warns(&plan, "v1 is kept warm"), "{:?}", plan.beware);
    lab.act(Operation::PromoteFull);
    let object = lab.cluster.get(&lab.path);
    assert_eq!(object["spec"]["predictor"]["name"], "v2");
    assert_eq!(object["spec"]["predictor"]["model"]["storageUri"], "s3://m/2");
    assert_eq!((lab.uid("v1"), lab.uid("v2")), (old.clone(), new), "the same Deployments, the same pods");
    lab.act(Operation::RollBack { to: Version::new("v1") });
    let route = lab.cluster.get(&lab.cluster.path("httproutes/m"));
    let refs = &route["spec"]["rules"][0]["backendRefs"];
    assert_eq!((&refs[0]["weight"], &refs[1]["weight"]), (&json!(0), &json!(100)));
    assert_eq!(refs[1]["name"], "m-v1-predictor");
    assert_eq!(lab.uid("v1"), old, "not started anew");
    lab.act(Operation::Abort);
}

#[test]
fn standin_another_canary_in_the_first_place_is_not_moved_by_mistake() {
    let Some(lab) = Standard::new() else { return };
    let plan = lab.driver().planned(Operation::Abort);
    let other = json!([{"op": "replace", "path": "/spec/canary/0/predictor/name", "value": "v3"}]);
    lab.cluster.call("JSON", &lab.path, &other);
    let sent = lab.driver().send(&plan, 0);
    assert!(
        matches!(&sent, wardroom::control::Sent::Moved(words) if words.contains("was v2, is v3")),
        "{sent:?}"
    );
    let several = json!([{"op": "add", "path": "/spec/canary/-", "value":
        {"trafficPercent": 5, "predictor": {"name": "v4", "model": named("s3://m/4")}}}]);
    lab.cluster.call("JSON", &lab.path, &several);
    assert!(lab.driver().plan(Operation::Abort).unwrap_err().why.contains("2 canaries at once"));
}
