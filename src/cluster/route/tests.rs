//! Routes: proportions, rules together, owners.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::cluster::httproute::HttpRoute;
use crate::cluster::virtualservice::VirtualService;
use crate::cluster::{Kind, httproute, virtualservice};
use crate::domain::Time;
use crate::domain::act::Operation;

fn http() -> Value {
    serde_json::from_str(include_str!("../../../fixtures/kubernetes/routes/httproute.json")).unwrap()
}

fn istio() -> Value {
    serde_json::from_str(include_str!("../../../fixtures/kubernetes/routes/virtualservice.json")).unwrap()
}

fn naming() -> Naming {
    Naming { ladder: vec![5.0, 10.0, 25.0, 50.0, 100.0], ..Naming::default() }
}

fn now() -> Time {
    Time::from_timestamp(1_795_000_000, 0).unwrap()
}

fn of(object: &Value, around: &Around) -> Rollout {
    HttpRoute.read(object, around, &naming(), now()).unwrap()
}

#[test]
fn shares_are_proportions() {
    assert_eq!(
        (share(3, 1), share(0, 7), share(5, 0), share(0, 0)),
        (Some(25.0), Some(100.0), Some(0.0), None)
    );
    assert_eq!(share(i64::MAX, 1), None);
}

#[test]
fn a_gateway_route_and_its_versions() {
    let mut around = Around::default();
    let service = json!({"metadata": {"name": "als-canary"}, "spec": {"selector": {"version": "1.3.0"}}});
    around.put("services", "ml", "als-canary", Arc::new(service));
    let rollout = of(&http(), &around);
    assert_eq!((rollout.set, rollout.step, rollout.waits), (Some(25.0), 2, true));
    assert_eq!(rollout.stable.as_str(), "als-stable", "no label: the name of the backend");
    assert_eq!(rollout.canary.as_ref().unwrap().as_str(), "1.3.0");
    assert_eq!(rollout.situation, Situation::PausedByStep);
    assert!(rollout.refuses(&Operation::Pause).unwrap().contains("by itself"));
}

#[test]
fn a_virtual_service_with_subsets() {
    let mut around = Around::default();
    let rule = json!({"spec": {"subsets": [{"name": "v1", "labels": {"version": "1.2.0"}}]}});
    around.put("destinationrules", "ml", "als", Arc::new(rule));
    let rollout = VirtualService.read(&istio(), &around, &naming(), now()).unwrap();
    assert_eq!(rollout.stable.as_str(), "1.2.0");
    assert_eq!(rollout.canary.as_ref().unwrap().as_str(), "v2");
    assert_eq!(rollout.set, Some(10.0));
    let unweighted = rollout.conditions.iter().find(|c| c.text.contains("rule health"));
    assert!(unweighted.is_some_and(|c| c.text.contains("not moved")), "{:?}", rollout.conditions);
}

#[test]
fn ends_of_the_ladder() {
    let mut route = http();
    let weigh = |route: &mut Value, old: i64, new: i64| {
        for rule in route["spec"]["rules"].as_array_mut().unwrap() {
            rule["backendRefs"][0]["weight"] = json!(old);
            rule["backendRefs"][1]["weight"] = json!(new);
        }
    };
    weigh(&mut route, 0, 1);
    let done = of(&route, &Around::default());
    assert_eq!(
        (done.situation, done.stable.as_str(), &done.canary),
        (Situation::Complete, "als-canary", &None)
    );
    assert!(
        done.refuses(&Operation::RollBack { to: Version::new("als-stable") })
            .is_none_or(|why| why.contains("read"))
    );
    weigh(&mut route, 1, 0);
    let mut idle = of(&route, &Around::default());
    assert_eq!((idle.situation, idle.asked), (Situation::Idle, 0.0));
    idle.target = Some(crate::domain::Target {
        system: crate::domain::SourceId::new("c"),
        kind: crate::domain::ControllerKind::HttpRoute,
        context: "".into(),
        namespace: "ml".into(),
        name: "als".into(),
    });
    assert_eq!(idle.refuses(&Operation::Promote), None, "where wardroom steps it may begin");
    assert!(idle.refuses(&Operation::Abort).is_some());
    weigh(&mut route, 0, 0);
    assert_eq!(of(&route, &Around::default()).situation, Situation::Degraded);
}

#[test]
fn rules_that_disagree_are_said() {
    let mut route = http();
    route["spec"]["rules"][1]["backendRefs"][1]["weight"] = json!(0);
    let rollout = of(&route, &Around::default());
    assert_eq!(rollout.set, Some(25.0), "the larger share counts");
    assert!(rollout.message.contains("disagree: 25 %, 0 %"), "{}", rollout.message);
}

#[test]
fn more_than_two_backends_are_refused_and_one_is_no_rollout() {
    let mut route = http();
    let third = json!({"name": "als-old", "port": 80, "weight": 0});
    route["spec"]["rules"][0]["backendRefs"].as_array_mut().unwrap().push(third);
    let rollout = of(&route, &Around::default());
    assert!(rollout.cannot.iter().all(|(_, why)| why.contains("3 weighted backends")));
    assert_eq!(rollout.cannot.len(), ladder::VERBS.len());
    let mut other = http();
    other["spec"]["rules"][1]["backendRefs"][0]["name"] = json!("sepsis-stable");
    assert!(of(&other, &Around::default()).cannot[0].1.contains("the same two"));
    let single = json!({"spec": {"rules": [{"backendRefs": [{"name": "a"}]}, {}]}});
    assert!(HttpRoute.read(&single, &Around::default(), &naming(), now()).is_none());
    assert!(HttpRoute.read(&json!({"spec": {"rules": "x"}}), &Around::default(), &naming(), now()).is_none());
}

#[test]
fn the_canary_is_told_by_mark_name_or_place() {
    let both = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
    assert_eq!(canary_of(&both("a", "b"), None).unwrap(), "b");
    assert_eq!(canary_of(&both("x-canary", "x"), None).unwrap(), "x-canary");
    assert_eq!(canary_of(&both("x", "x-stable"), None).unwrap(), "x");
    assert_eq!(canary_of(&both("a", "b"), Some("a")).unwrap(), "a");
    assert!(canary_of(&both("a", "b"), Some("c")).is_err());
    assert!(canary_of(&both("a", "a"), None).is_err());
}

#[test]
fn an_owner_takes_every_act_away() {
    let flagger = include_str!("../../../fixtures/kubernetes/flagger/progressing-gateway.json");
    let list: Value = serde_json::from_str(flagger).unwrap();
    let route = list["items"].as_array().unwrap().iter().find(|item| item["kind"] == "HTTPRoute").unwrap();
    let rollout = of(route, &Around::default());
    assert_eq!(rollout.owner, "Canary als");
    assert!(rollout.cannot.len() == ladder::VERBS.len() && !rollout.waits);
    let mut around = Around::default();
    let argo = json!({"metadata": {"name": "als", "namespace": "ml"}, "spec": {"strategy": {"canary": {"trafficRouting":
        {"istio": {"virtualService": {"name": "als"}}, "plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "als"}}}}}}});
    around.put("rollouts", "ml", "als", Arc::new(argo));
    assert_eq!(owner("HTTPRoute", &http(), &around), "Rollout als");
    assert_eq!(owner("VirtualService", &istio(), &around), "Rollout als");
    assert_eq!(owner("VirtualService", &istio(), &Around::default()), "");
}

#[test]
fn absent_weights_have_the_defaults_of_their_kind() {
    let mut route = http();
    route["spec"]["rules"][0]["backendRefs"][0].as_object_mut().unwrap().remove("weight");
    assert_eq!(httproute::rules(&route)[0].backends[0].weight, 1);
    let mut service = istio();
    service["spec"]["http"][0]["route"][1].as_object_mut().unwrap().remove("weight");
    let rule = &virtualservice::rules(&service)[0];
    assert_eq!((rule.backends[1].weight, rule.backends[1].written), (0, None));
}

#[test]
fn what_the_gateway_says_is_shown_when_it_is_of_this_generation() {
    let mut route = http();
    assert!(of(&route, &Around::default()).conditions.is_empty());
    route["status"]["parents"][0]["conditions"][1]["status"] = json!("False");
    assert_eq!(of(&route, &Around::default()).conditions[0].level, Level::Critical);
    route["metadata"]["generation"] = json!(9);
    assert!(of(&route, &Around::default()).conditions[0].text.contains("has not seen"));
}
