//! Acts on real Canaries of the real Flagger controller, each with the pitfall that it is known for (lab line 7).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wardroom::cluster::flagger::{Flagger, weight_on};
use wardroom::cluster::virtualservice;
use wardroom::cluster::{Around, Kind, Naming};
use wardroom::control::{Ready, Seen, Sent};
use wardroom::domain::act::Operation;
use wardroom::domain::{ControllerKind, Situation, Version};

use super::driver::{Driver, warns};
use super::stage::{PATIENCE, Stage};
use super::traffic;

const SWITCH: &str = "timeout = \"5s\"\nflagger_abort_by_failed_checks = true";

/// A Canary `m` over a VirtualService, initialized with version v1.
struct Lab {
    cluster: Stage,
    canary: String,
    route: String,
}

impl Lab {
    fn new(analysis: &Value) -> Option<Self> {
        let cluster = Stage::here("flagger")?;
        cluster.create("flagger-istio.json", "m", |item| {
            if item["kind"] == "Canary" {
                let told = item["spec"]["analysis"].as_object_mut().unwrap();
                told.retain(|key, _| !["stepWeight", "maxWeight"].contains(&key.as_str()));
                told.extend(analysis.as_object().unwrap().clone());
            }
        });
        let lab =
            Self { canary: cluster.path("canaries/m"), route: cluster.path("virtualservices/m"), cluster };
        lab.phase("Initialized");
        Some(lab)
    }

    fn phase(&self, wanted: &str) -> Value {
        self.cluster.until(wanted, &self.canary, |canary| canary["status"]["phase"] == wanted)
    }

    fn deployment(&self, name: &str) -> Value {
        self.cluster.get(&self.cluster.path(&format!("deployments/{name}")))
    }

    fn start(&self, version: &str, fault: Option<&str>) {
        let path = self.cluster.path("deployments/m");
        let meta = json!({"labels": {"version": version}, "annotations": {"wardroom.test/fault": fault}});
        let image = json!([{"name": "model", "image": format!("registry.test/m:{version}")}]);
        let body = json!({"spec": {"template": {"metadata": meta, "spec": {"containers": image}}}});
        self.cluster.merge(&path, &body);
    }

    /// The canary's weight on the route, percent.
    fn weight(&self) -> f64 {
        let canary = self.cluster.get(&self.canary);
        weight_on(&canary, &virtualservice::rules(&self.cluster.get(&self.route))).unwrap()
    }

    fn until_weight(&self, wanted: f64) {
        let end = Instant::now() + PATIENCE;
        while (self.weight() - wanted).abs() > 0.5 {
            assert!(Instant::now() < end, "never at {wanted} %: {}", self.weight());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What the reading half says.
    fn read(&self) -> wardroom::domain::Rollout {
        let namespace = self.cluster.namespace.as_str();
        let mut around = Around::default();
        around.put("virtualservices", namespace, "m", Arc::new(self.cluster.get(&self.route)));
        for name in ["m", "m-primary"] {
            around.put("deployments", namespace, name, Arc::new(self.deployment(name)));
        }
        let canary = self.cluster.get(&self.canary);
        Flagger.read(&canary, &around, &Naming::default(), chrono::Utc::now()).unwrap()
    }

    fn driver(&self) -> Driver<'_> {
        Driver::new(&self.cluster, ControllerKind::Flagger)
    }
}

fn steps(weights: &[u32]) -> Value {
    json!({"stepWeights": weights})
}

#[test]
fn the_status_lies_before_a_promotion_and_failed_checks_abort_it() {
    let gate = traffic::answering(|_| 403);
    let mut analysis = steps(&[50]);
    analysis["webhooks"] =
        json!([{"name": "ask", "type": "confirm-promotion", "url": format!("{gate}/gate/check")}]);
    let Some(lab) = Lab::new(&analysis) else { return };
    lab.start("v2", None);
    let canary = lab.phase("WaitingPromotion");
    assert_eq!(canary["status"]["canaryWeight"], 0, "the status says nothing goes there");
    assert!((lab.weight() - 50.0).abs() < 0.1, "and half of the traffic does");
    let rollout = lab.read();
    assert_eq!(
        (rollout.set, rollout.situation, rollout.waits),
        (Some(50.0), Situation::WaitingApproval, true)
    );
    assert_eq!(rollout.canary, Some(Version::new("v2")));

    let refusal = lab.driver().plan(Operation::Abort).unwrap_err();
    assert!(refusal.instead.contains("flagger_abort_by_failed_checks"), "{refusal}");
    let refusal = lab.driver().plan(Operation::SetWeight { percent: 10.0 }).unwrap_err();
    assert!(refusal.why.contains("own"), "{refusal}");

    let driver = Driver::by(&lab.cluster, ControllerKind::Flagger, &lab.cluster.kubeconfig, SWITCH);
    let plan = driver.planned(Operation::Abort);
    assert_eq!(plan.requests[0].body["status"]["failedChecks"], 2);
    driver.execute(&plan);
    assert!(
        driver.observe(&plan).iter().any(|one| one.id == "failed" && one.seen == Seen::NotYet),
        "not before a tick"
    );
    driver.verify(&plan);
    let after = lab.read();
    assert_eq!((after.situation, after.set), (Situation::Aborted, Some(0.0)));
    assert_eq!(lab.deployment("m")["spec"]["replicas"], 0);
    assert_eq!(after.stable, Version::new("v1"));

    // Tried again, by a touch of the template.
    driver.act(Operation::Retry);
    assert_eq!(lab.cluster.get(&lab.canary)["status"]["phase"], "Progressing");
}

#[test]
fn a_weight_set_by_hand_jumps_to_all_traffic_and_a_suspended_one_stays() {
    let Some(lab) = Lab::new(&steps(&[10, 20, 30])) else { return };
    lab.start("v2", None);
    lab.until_weight(10.0);
    let plan = lab.driver().act(Operation::Pause);
    assert!(warns(&plan, "automatic rollback stop too"), "{:?}", plan.beware);
    let held = lab.weight();
    assert_eq!(lab.read().situation, Situation::Suspended);
    assert!(lab.driver().plan(Operation::PromoteFull).unwrap_err().why.contains("suspended"));
    // By hand, while nobody looks: a weight that is no step.
    let weights = json!({"spec": {"http": [{"route": [
        {"destination": {"host": "m-primary"}, "weight": 85}, {"destination": {"host": "m-canary"}, "weight": 15}]}]}});
    lab.cluster.merge(&lab.route, &weights);
    // The condition is the clock itself: more than a tick goes by.
    let end = Instant::now() + Duration::from_secs(13);
    while Instant::now() < end {
        assert!((lab.weight() - 15.0).abs() < 0.1, "held at {held}, then set by hand, and Flagger leaves it");
        std::thread::sleep(Duration::from_millis(250));
    }
    lab.driver().act(Operation::Resume);
    lab.until_weight(100.0);
    assert_eq!(lab.cluster.get(&lab.canary)["status"]["canaryWeight"], 100, "from 15 % to 100 % in one tick");
}

#[test]
fn a_full_promotion_is_succeeded_before_the_primary_is_ready_and_a_rollback_skips_the_analysis() {
    let Some(lab) = Lab::new(&steps(&[10, 50])) else { return };
    lab.start("v2", Some("slow:6"));
    lab.phase("Progressing");
    let driver = lab.driver();
    let plan = driver.planned(Operation::PromoteFull);
    let words: Vec<&str> = plan.requests.iter().map(|request| request.words.as_str()).collect();
    assert!(words[0].contains("true") && words[1].contains("false"), "{words:?}");
    assert!(!plan.requests[1].after.is_empty());
    assert!(matches!(driver.send(&plan, 0), Sent::Accepted { .. }));
    let early = Arc::new(AtomicBool::new(false));
    let seen = early.clone();
    lab.cluster.until("Succeeded", &lab.canary, move |canary| {
        let is = canary["status"]["phase"] == "Succeeded";
        seen.store(is, Ordering::SeqCst);
        is
    });
    let findings = driver.observe(&plan);
    let of = |id: &str| findings.iter().find(|one| one.id == id).unwrap();
    assert!(early.load(Ordering::SeqCst));
    assert_eq!(of("copied").seen, Seen::Yes, "Flagger says Succeeded");
    assert_eq!(of("primary").seen, Seen::NotYet, "and users are not there: {}", of("primary").detail);
    assert_eq!(lab.read().situation, Situation::Promoting, "the screen does not say complete");
    assert!(matches!(driver.send(&plan, 1), Sent::Accepted { .. }));
    driver.verify(&plan);
    let after = lab.cluster.get(&lab.canary);
    assert_ne!(after["spec"]["skipAnalysis"], true, "the next version is checked again");
    assert_eq!(lab.read().stable, Version::new("v2"));

    let plan = driver.planned(Operation::RollBack { to: Version::new("v1") });
    assert_eq!(plan.requests.len(), 3, "skip, template, check again");
    assert!(warns(&plan, "skipped on purpose"));
    driver.execute(&plan);
    driver.verify(&plan);
    let primary = lab.deployment("m-primary");
    assert_eq!(primary["spec"]["template"]["metadata"]["labels"]["version"], "v1");
    assert_eq!(primary["spec"]["template"]["spec"]["containers"][0]["image"], "registry.test/m:v1");
    assert!(
        driver.planned(Operation::RollBack { to: Version::new("v1") }).requests.is_empty(),
        "it is so already"
    );
    assert!(driver.plan(Operation::RollBack { to: Version::new("v9") }).unwrap_err().why.contains("v9"));
}

/// An address of this machine that is not loopback, which an API server takes for an endpoint; nothing is sent.
fn own_address() -> Option<String> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback()).then(|| address.to_string())
}

#[test]
fn a_rollback_gate_is_opened_and_closed_again_through_the_api_server() {
    let Some(address) = own_address() else {
        crate::cluster::skip("this machine has no address but loopback");
        return;
    };
    let Some(lab) = Lab::new(&steps(&[10, 50])) else { return };
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let tester = traffic::answering_at(&address, move |path| {
        log.lock().unwrap().push(path.to_owned());
        202
    });
    let port: u16 = tester.rsplit(':').next().unwrap().parse().unwrap();
    let namespace = lab.cluster.namespace.clone();
    let service = json!({"metadata": {"name": "tester"}, "spec": {"ports": [{"name": "http", "port": 80, "targetPort": port}]}});
    lab.cluster.call("POST", &lab.cluster.path("services"), &service);
    // The API server passes requests on only to addresses of pods: one that nobody runs lends this machine's to it.
    let pod = json!({"metadata": {"name": "tester"}, "spec": {"schedulerName": "nobody",
        "containers": [{"name": "tester", "image": "registry.test/tester:1"}]}});
    lab.cluster.call("POST", &lab.cluster.path("pods"), &pod);
    let status = json!({"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}});
    lab.cluster.merge(&lab.cluster.path("pods/tester/status"), &status);
    let whom = json!({"kind": "Pod", "name": "tester", "namespace": namespace});
    let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": "tester", "labels": {"kubernetes.io/service-name": "tester"}},
        "endpoints": [{"addresses": [address], "conditions": {"ready": true}, "targetRef": whom}],
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}]});
    let slices = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
    lab.cluster.call("POST", &slices, &slice);
    let endpoints = json!({"metadata": {"name": "tester"}, "subsets": [
        {"addresses": [{"ip": address, "targetRef": whom}], "ports": [{"name": "http", "port": port}]}]});
    lab.cluster.call("POST", &format!("/api/v1/namespaces/{namespace}/endpoints"), &endpoints);
    // Flagger itself cannot resolve this name here, so the failure is brought about by hand below.
    let hook = json!([{"name": "back", "type": "rollback", "url": format!("http://tester.{namespace}/rollback/check")}]);
    lab.cluster.merge(&lab.canary, &json!({"spec": {"analysis": {"webhooks": hook}}}));
    lab.start("v2", None);
    lab.phase("Progressing");

    let driver = lab.driver();
    let plan = driver.planned(Operation::Abort);
    assert_eq!(plan.requests.iter().map(|one| one.verb.as_str()).collect::<Vec<_>>(), ["POST", "POST"]);
    assert_eq!(plan.requests[0].body, json!({"name": "m", "namespace": namespace}));
    assert_eq!(plan.requests[0].may, wardroom::domain::act::May::Yes);
    let sent = driver.send(&plan, 0);
    assert!(matches!(sent, Sent::Accepted { .. }), "{sent:?}");
    let ready = lab.cluster.run(driver.controller.ready(&plan, 1, 0.0)).unwrap();
    assert!(matches!(ready, Ready::NotYet(_)), "closed too early, Flagger would not see it: {ready:?}");
    lab.cluster.merge(&format!("{}/status", lab.canary), &json!({"status": {"failedChecks": 2}}));
    assert!(matches!(driver.send(&plan, 1), Sent::Accepted { .. }));
    assert_eq!(*asked.lock().unwrap(), ["/rollback/open", "/rollback/close"]);
    driver.verify(&plan);
    // An identity without services/proxy is told so in the plan.
    if let Some(viewer) = lab.cluster.kubeconfig_of("pauser") {
        lab.start("v3", None);
        lab.phase("Progressing");
        let plan = Driver::by(&lab.cluster, ControllerKind::Flagger, &viewer, "timeout = \"5s\"")
            .planned(Operation::Abort);
        assert!(plan.forbidden().is_some_and(|(_, why)| why.contains("proxy")), "{:?}", plan.requests[0].may);
    }
}
