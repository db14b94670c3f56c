//! KServe in Standard mode: entries of `spec.canary[]`, each a Deployment of its own, weights on an HTTPRoute.

use serde_json::Value;

use super::httproute;
use super::inferenceservice::conditions;
use super::look::{self, percent};
use super::{Around, Naming, ladder};
use crate::domain::{Level, Revision, Rollout, Situation, Version};

/// The name of the Deployment and Service of a predictor.
pub fn predictor_name(service: &str, predictor: &str) -> String {
    if predictor.is_empty() {
        format!("{service}-predictor")
    } else {
        format!("{service}-{predictor}-predictor")
    }
}

/// The name of a predictor as a person says it.
fn said(object: &Value, predictor: &Value) -> String {
    let name = look::text(predictor, "/name");
    if name.is_empty() { predictor_name(look::name(object), "") } else { name.to_owned() }
}

/// The model version of a predictor: of its Deployment by the mapping, else its name.
pub fn version(object: &Value, predictor: &Value, around: &Around, naming: &Naming) -> Version {
    let deployment = predictor_name(look::name(object), look::text(predictor, "/name"));
    let found = around.get("deployments", look::namespace(object), &deployment);
    let template = found.and_then(|found| found.pointer("/spec/template"));
    let version = template.and_then(|template| look::version(template, &naming.version_from));
    version.unwrap_or_else(|| Version::new(&said(object, predictor)))
}

/// The true weight of a predictor: its share on the route that the service owns, percent. `None` without a route;
/// zero when the route does not know the predictor.
pub fn true_weight<'a>(
    routes: impl Iterator<Item = &'a Value>,
    service: &str,
    predictor: &str,
) -> Option<f64> {
    let wanted = predictor_name(service, predictor);
    let mut best = None;
    for route in routes {
        let rules = httproute::rules(route);
        let known = look::name(route) == service || look::name(route) == predictor_name(service, "");
        for rule in rules {
            let sum: i64 = rule.backends.iter().map(|backend| backend.weight).sum();
            let its = rule.backends.iter().filter(|backend| backend.service == wanted);
            let its: i64 = its.map(|backend| backend.weight).sum();
            if known || its > 0 {
                let share = super::route::share(sum - its, its);
                best = share.into_iter().chain(best).reduce(f64::max);
            }
        }
    }
    best
}

/// What the object means.
pub(super) fn read(object: &Value, around: &Around, naming: &Naming) -> Rollout {
    let nobody = Value::Null;
    let predictor = object.pointer("/spec/predictor").unwrap_or(&nobody);
    let mut rollout = Rollout::of("KServe (Standard)", version(object, predictor, around, naming));
    rollout.steps = ladder::steps(&naming.ladder);
    let entries = look::list(object, "/spec/canary");
    rollout.revisions = entries
        .iter()
        .filter_map(|entry| entry.get("predictor"))
        .chain([predictor])
        .map(|predictor| revision(object, predictor, around, naming))
        .collect();
    if let Some(stable) = rollout.revisions.last_mut() {
        stable.is_stable = true;
    }
    match entries {
        [] => idle(&mut rollout, object),
        [entry] => one(&mut rollout, object, entry, around, naming),
        several => {
            let why = format!(
                "{} canaries at once: wardroom moves the weight of one; remove the others",
                several.len()
            );
            rollout.situation = Situation::PausedByStep;
            rollout.canary = several[0].get("predictor").map(|p| version(object, p, around, naming));
            ladder::cannot_at_all(&mut rollout, &why);
            rollout.message = why;
        }
    }
    conditions(&mut rollout, object);
    rollout.phase = rollout.situation.phase();
    rollout
}

fn idle(rollout: &mut Rollout, object: &Value) {
    ladder::cannot(rollout);
    if look::number(object, "/spec/predictor/canaryTrafficPercent").is_some() {
        let words = "canaryTrafficPercent is ignored in Standard mode; use spec.canary";
        rollout.conditions.push(look::says(Level::Critical, words));
    }
    let why = "no canary is deployed and the old Deployment is gone; apply the old spec again";
    rollout.cannot.push(("rollback".into(), why.into()));
}

fn one(rollout: &mut Rollout, object: &Value, entry: &Value, around: &Around, naming: &Naming) {
    ladder::cannot(rollout);
    let Some(predictor) = entry.get("predictor") else { return };
    let name = look::text(predictor, "/name");
    let new = version(object, predictor, around, naming);
    let asked = look::number(entry, "/trafficPercent").unwrap_or(0.0).clamp(0.0, 100.0);
    let statuses = look::list(object, "/status/canaryStatuses").iter();
    let status = statuses.into_iter().find(|status| look::text(status, "/name") == name);
    let ready = status.is_some_and(|status| look::flag(status, "/ready"));
    let namespace = look::namespace(object);
    let uid = look::text(object, "/metadata/uid");
    rollout.asked = asked;
    rollout.set = true_weight(around.owned_by("httproutes", namespace, uid), look::name(object), name);
    rollout.step = ladder::position(&rollout.steps, asked);
    rollout.canary = Some(new);
    if let Some(revision) = rollout.revisions.first_mut() {
        revision.is_canary = true;
    }
    if !ready {
        rollout.situation = Situation::Starting;
        rollout.message =
            format!("canary not serving: {name} is not ready, its {} stays on stable", percent(asked));
    } else if asked <= 0.05 {
        rollout.situation = Situation::Aborted;
        rollout.message = format!("{name} is dark: kept warm, aborted, or not begun; Y begins the ladder");
    } else {
        ladder::stays(rollout, asked);
    }
    match rollout.set {
        Some(set) if ready && (set - asked).abs() >= 0.5 => {
            let words = format!("asked {}, the HTTPRoute gives it {}", percent(asked), percent(set));
            let hint = if set == 0.0 { "; KServe 0.20 writes no canary weights to routes" } else { "" };
            rollout.conditions.push(look::says(Level::Critical, words + hint));
        }
        None => {
            rollout.conditions.push(look::says(Level::Unknown, "no HTTPRoute of this service can be read"))
        }
        Some(_) => {}
    }
}

fn revision(object: &Value, predictor: &Value, around: &Around, naming: &Naming) -> Revision {
    let deployment = predictor_name(look::name(object), look::text(predictor, "/name"));
    let found = around.get("deployments", look::namespace(object), &deployment);
    let count = |pointer: &str| found.and_then(|found| look::count(found, pointer)).unwrap_or(0);
    let model = look::text(predictor, "/model/storageUri");
    Revision {
        hash: said(object, predictor),
        version: Some(version(object, predictor, around, naming)),
        images: (!model.is_empty()).then(|| model.to_owned()).into_iter().collect(),
        created: found.and_then(|found| look::moment(found, "/metadata/creationTimestamp")),
        pods: (count("/status/readyReplicas"), count("/spec/replicas")),
        ..Revision::default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn fixture() -> Value {
        serde_json::from_str(include_str!("../../fixtures/kubernetes/kserve/standard-canary.json")).unwrap()
    }

    fn route(weights: Option<(i64, i64)>) -> Value {
        let mut refs = json!([{"name": "als-v1-predictor", "port": 80}]);
        if let Some((old, new)) = weights {
            refs = json!([{"name": "als-v1-predictor", "port": 80, "weight": old},
                {"name": "als-v2-predictor", "port": 80, "weight": new}]);
        }
        json!({"metadata": {"name": "als", "namespace": "ml", "ownerReferences": [
                {"kind": "InferenceService", "name": "als", "uid": "5f0c", "controller": true}]},
            "spec": {"rules": [{"backendRefs": refs}]}})
    }

    fn of(object: &Value, route: Option<Value>) -> Rollout {
        let mut around = Around::default();
        if let Some(route) = route {
            around.put("httproutes", "ml", "als", Arc::new(route));
        }
        read(object, &around, &Naming { ladder: vec![25.0, 50.0], ..Naming::default() })
    }

    #[test]
    fn the_true_weight_is_on_the_route() {
        let rollout = of(&fixture(), Some(route(Some((75, 25)))));
        assert_eq!((rollout.asked, rollout.set), (25.0, Some(25.0)));
        assert_eq!((rollout.stable.as_str(), rollout.canary.as_ref().unwrap().as_str()), ("v1", "v2"));
        assert_eq!((rollout.situation, rollout.waits, rollout.step), (Situation::PausedByStep, true, 0));
        assert!(rollout.revisions[0].is_canary && rollout.revisions[1].is_stable);
        let without = of(&fixture(), Some(route(None)));
        assert_eq!(without.set, Some(0.0), "the route does not know the canary");
        assert!(
            without.conditions[0].text.contains("the HTTPRoute gives it 0 %"),
            "{:?}",
            without.conditions
        );
        assert_eq!(of(&fixture(), None).set, None);
    }

    #[test]
    fn a_canary_that_is_not_ready_serves_nobody() {
        let mut object = fixture();
        object["status"]["canaryStatuses"][0]["ready"] = json!(false);
        assert!(of(&object, None).message.starts_with("canary not serving"));
        assert_eq!(of(&object, None).situation, Situation::Starting);
    }

    #[test]
    fn dark_several_and_none() {
        let mut object = fixture();
        object["spec"]["canary"][0]["trafficPercent"] = json!(0);
        assert_eq!(of(&object, None).situation, Situation::Aborted);
        let mut third = object["spec"]["canary"][0].clone();
        third["predictor"]["name"] = json!("v3");
        object["spec"]["canary"].as_array_mut().unwrap().push(third);
        assert_eq!(of(&object, None).cannot.len(), ladder::VERBS.len());
        object["spec"]["canary"] = json!([]);
        object["spec"]["predictor"]["canaryTrafficPercent"] = json!(5);
        let idle = of(&object, None);
        assert_eq!((idle.situation, idle.canary.clone()), (Situation::Idle, None));
        assert!(idle.conditions[0].text.contains("ignored"), "{:?}", idle.conditions);
    }
}
