//! Weights of real HTTPRoutes and VirtualServices, and the shares of real requests that they lead to.

use serde_json::{Value, json};
use wardroom::control::{Seen, Sent};
use wardroom::domain::act::Operation;
use wardroom::domain::{ControllerKind, Version};

use super::driver::{Driver, warns};
use super::stage::Stage;
use super::traffic::{self, fits};

const N: u64 = 200;

/// A route `m` over the Services `m-stable` (v1) and `m-canary` (v2), at 90 to 10.
struct Lab {
    cluster: Stage,
    kind: ControllerKind,
    path: String,
    plane: Option<String>,
}

fn deployment(version: &str, backend: &str) -> Value {
    let labels = json!({"app": "m", "version": version});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": format!("m-{version}")}, "spec": {
        "replicas": 1, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels, "annotations": {"wardroom.test/backend": backend}},
            "spec": {"containers": [{"name": "model", "image": format!("registry.test/m:{version}")}]}}}})
}

fn service(name: &str, version: &str, route: &str) -> Value {
    let annotations = if route.is_empty() { json!({}) } else { json!({"wardroom.test/route": route}) };
    json!({"metadata": {"name": name, "annotations": annotations}, "spec": {
        "selector": {"app": "m", "version": version}, "ports": [{"port": 80, "targetPort": 8080}]}})
}

impl Lab {
    fn new(kind: ControllerKind) -> Option<Self> {
        let cluster = Stage::here("routes")?;
        let backend = traffic::backend();
        let (api, plural) = match kind {
            ControllerKind::HttpRoute => ("gateway.networking.k8s.io/v1", "httproutes"),
            _ => ("networking.istio.io/v1", "virtualservices"),
        };
        let post = |path: &str, body: &Value| cluster.call("POST", path, body);
        for version in ["v1", "v2"] {
            post(&cluster.path("deployments"), &deployment(version, &backend));
        }
        let route = format!("{}/m", plural.trim_end_matches('s'));
        for (name, version, route) in
            [("m", "v1", route.as_str()), ("m-stable", "v1", ""), ("m-canary", "v2", "")]
        {
            post(&cluster.path("services"), &service(name, version, route));
        }
        let object = match kind {
            ControllerKind::HttpRoute => {
                let refs =
                    json!([{"name": "m-stable", "port": 80, "weight": 9}, {"name": "m-canary", "port": 80}]);
                json!({"apiVersion": api, "kind": "HTTPRoute", "metadata": {"name": "m"}, "spec": {
                    "parentRefs": [{"name": "edge"}], "rules": [
                        {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": refs},
                        {"matches": [{"path": {"type": "PathPrefix", "value": "/v1"}}], "backendRefs": refs}]}})
            }
            _ => json!({"apiVersion": api, "kind": "VirtualService", "metadata": {"name": "m"}, "spec": {
                "hosts": ["m"], "http": [{"name": "main", "route": [
                    {"destination": {"host": "m-stable"}, "weight": 90},
                    {"destination": {"host": "m-canary"}, "weight": 10}]}]}}),
        };
        post(&cluster.path(plural), &object);
        for version in ["v1", "v2"] {
            let path = cluster.path(&format!("deployments/m-{version}"));
            cluster.until("ready", &path, |found| found["status"]["readyReplicas"] == 1);
        }
        let plane = traffic::plane(&cluster);
        Some(Self { path: cluster.path(&format!("{plural}/m")), cluster, kind, plane })
    }

    fn driver(&self) -> Driver<'_> {
        Driver::new(&self.cluster, self.kind)
    }

    /// Real requests: the canary's share fits.
    fn measure(&self, percent: f64) {
        let Some(plane) = &self.plane else { return };
        // The plane watches the route: what it does with old weights is not ours.
        super::lab::ask_until(
            || traffic::measured(plane, &self.cluster.namespace, "m", N),
            |counts| {
                let canary = counts.get("v2").copied().unwrap_or(0);
                let all: u64 = counts.values().sum();
                all == N && fits(canary, N, percent)
            },
        );
        let counts = traffic::measured(plane, &self.cluster.namespace, "m", N);
        let canary = counts.get("v2").copied().unwrap_or(0);
        assert!(fits(canary, N, percent), "{percent} % and {counts:?}");
    }

    fn climbs_and_goes_back(&self) {
        self.measure(10.0);
        let plan = self.driver().act(Operation::SetWeight { percent: 25.0 });
        assert!(warns(&plan, "sticky sessions"), "{:?}", plan.beware);
        assert_eq!(plan.requests.len(), 1, "all rules in one patch");
        assert!(plan.requests[0].dry_run.as_ref().unwrap().is_ok());
        self.measure(25.0);
        let plan = self.driver().act(Operation::Promote);
        assert_eq!(plan.after, "v2 at 50 %, v1 at 50 %", "versions from the labels of the Services");
        self.measure(50.0);
        let abort = self.driver().act(Operation::Abort);
        assert_eq!(abort.version.as_ref().unwrap().name, "v1");
        self.measure(0.0);
        assert!(self.driver().plan(Operation::Abort).is_err(), "nothing is live");
        self.driver().act(Operation::PromoteFull);
        self.measure(100.0);
        let back = self.driver().act(Operation::RollBack { to: Version::new("v1") });
        assert_eq!(back.version.as_ref().unwrap().hash, "m-stable");
        self.measure(0.0);
        assert!(self.driver().plan(Operation::RollBack { to: Version::new("v7") }).is_err());
        assert!(self.driver().plan(Operation::Pause).unwrap_err().why.contains("by itself"));
    }
}

#[test]
fn an_http_route_moves_all_its_rules_and_the_traffic_follows() {
    let Some(lab) = Lab::new(ControllerKind::HttpRoute) else { return };
    lab.climbs_and_goes_back();
    let rules = lab.cluster.get(&lab.path)["spec"]["rules"].clone();
    assert_eq!(rules[0]["backendRefs"], rules[1]["backendRefs"]);
    assert_eq!(rules[0]["backendRefs"][1]["weight"], 0);
}

#[test]
fn a_virtual_service_moves_and_the_traffic_follows() {
    let Some(lab) = Lab::new(ControllerKind::VirtualService) else { return };
    lab.climbs_and_goes_back();
}

#[test]
fn a_route_that_somebody_else_moved_is_left_alone() {
    let Some(lab) = Lab::new(ControllerKind::VirtualService) else { return };
    let plan = lab.driver().planned(Operation::SetWeight { percent: 25.0 });
    let weights = |old: u64, new: u64| {
        json!({"spec": {"http": [{"name": "main", "route": [
            {"destination": {"host": "m-stable"}, "weight": old}, {"destination": {"host": "m-canary"}, "weight": new}]}]}})
    };
    lab.cluster.merge(&lab.path, &weights(80, 20));
    match lab.driver().send(&plan, 0) {
        Sent::Moved(words) => assert!(words.contains("was 10, is 20"), "{words}"),
        other => panic!("{other:?}"),
    }
    // Backends in another order: the tests of the names hold it off.
    let plan = lab.driver().planned(Operation::SetWeight { percent: 25.0 });
    let swapped = json!({"spec": {"http": [{"name": "main", "route": [
        {"destination": {"host": "m-canary"}, "weight": 20}, {"destination": {"host": "m-stable"}, "weight": 80}]}]}});
    lab.cluster.merge(&lab.path, &swapped);
    assert!(matches!(lab.driver().send(&plan, 0), Sent::Moved(_)));
    let driver = lab.driver();
    driver.act(Operation::SetWeight { percent: 25.0 });
    let route = lab.cluster.get(&lab.path)["spec"]["http"][0]["route"].clone();
    assert_eq!((&route[0]["weight"], &route[1]["weight"]), (&json!(25), &json!(75)), "by name, not by place");
    // Something else of the object may change meanwhile: a label is no fact of the plan.
    let plan = driver.planned(Operation::Abort);
    lab.cluster.merge(&lab.path, &json!({"metadata": {"labels": {"team": "icu"}}}));
    assert!(matches!(driver.send(&plan, 0), Sent::Accepted { .. }));
    assert!(driver.verify(&plan).iter().all(|finding| finding.seen == Seen::Yes));
}

#[test]
fn a_route_with_an_owner_or_a_third_backend_is_refused() {
    let Some(lab) = Lab::new(ControllerKind::HttpRoute) else { return };
    let canary = json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "m"}, "spec": {
        "suspend": true, "provider": "gatewayapi:v1", "service": {"port": 80},
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "m"},
        "analysis": {"interval": "10s", "threshold": 1, "maxWeight": 50, "stepWeight": 25}}});
    let path = lab.cluster.path("canaries");
    lab.cluster.call("POST", &path, &canary);
    let refusal = lab.driver().plan(Operation::Abort).unwrap_err();
    assert!(refusal.why.contains("Canary m sets these weights"), "{refusal}");
    lab.cluster.call("DELETE", &format!("{path}/m"), &Value::Null);
    let mut rules = lab.cluster.get(&lab.path)["spec"]["rules"].clone();
    let third = json!({"name": "m", "port": 80, "weight": 1});
    rules[1]["backendRefs"].as_array_mut().unwrap().push(third);
    lab.cluster.merge(&lab.path, &json!({"spec": {"rules": rules}}));
    let refusal = lab.driver().plan(Operation::Abort).unwrap_err();
    assert!(refusal.why.contains("3 weighted backends"), "{refusal}");
}
