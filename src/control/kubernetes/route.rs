//! Weights of an HTTPRoute or a VirtualService, moved by wardroom itself: all rules in one patch that tests the names.

use serde_json::{Value, json};

use super::object::Place;
use super::share::{around, beware, check, draft, finding, live, stand};
use super::{KindPlanner, Patch, Site, refused};
use crate::cluster::httproute::{self, HTTP_ROUTE, HttpRoute};
use crate::cluster::route::{self, Backend, CANARY_MARK, Rule, Split};
use crate::cluster::virtualservice::{self, VIRTUAL_SERVICE, VirtualService};
use crate::cluster::{Around, Kind, Resource, ladder, percent};
use crate::control::{Ask, Boxed, Draft, Finding, Seen};
use crate::domain::act::{Known, Operation, Plan, Refusal, VersionMap};
use crate::domain::{ControllerKind, Fault, FaultKind, Level, Rollout, Target};

/// Until when a gateway should have taken new weights, seconds.
const WITHIN: f64 = 60.0;

/// Plans for HTTPRoutes and VirtualServices.
pub struct Routes;

struct Family {
    kind: &'static dyn Kind,
    resource: Resource,
    rules: fn(&Value) -> Vec<Rule>,
}

fn family(kind: ControllerKind) -> Family {
    match kind {
        ControllerKind::VirtualService => {
            Family { kind: &VirtualService, resource: VIRTUAL_SERVICE, rules: virtualservice::rules }
        }
        _ => Family { kind: &HttpRoute, resource: HTTP_ROUTE, rules: httproute::rules },
    }
}

fn place(target: &Target) -> Place {
    Place::new(family(target.kind).resource, &target.namespace, &target.name)
}

fn split_of(family: &Family, object: &Value) -> Result<Split, Refusal> {
    let mark = object.pointer(&format!("/metadata/annotations/{}", CANARY_MARK.replace('/', "~1")));
    let gone = "the route does not split between two backends";
    let split = route::split(&(family.rules)(object), mark.and_then(Value::as_str));
    split.unwrap_or_else(|| Err(gone.into())).map_err(|why| Refusal::new(why, "change the route by hand"))
}

/// Two weights of this share; whole percents as such, tenths and hundredths in a larger sum.
fn weights(percent: f64) -> (i64, i64) {
    let sum = if percent.fract() == 0.0 { 100 } else { 10_000 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "0 to 10 000")]
    let canary = (percent / 100.0 * sum as f64).round() as i64;
    (sum - canary, canary)
}

/// The patch that gives the canary this share in every rule, without pins; what must hold, what tells its effect.
fn patch(split: &Split, percent: f64) -> (Value, Vec<Known>, Vec<Known>) {
    let (stable, canary) = weights(percent);
    let (mut tests, mut writes, mut facts, mut effect) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut one = |backend: &Backend, weight: i64| {
        for (path, value) in &backend.proof {
            tests.push(json!({"op": "test", "path": path, "value": value}));
            facts.push(Known { name: path.clone(), value: value.clone() });
        }
        facts.push(Known { name: backend.pointer.clone(), value: json!(backend.written) });
        effect.push(Known { name: backend.pointer.clone(), value: json!(weight) });
        let op = if backend.written.is_some() { "replace" } else { "add" };
        writes.push(json!({"op": op, "path": backend.pointer, "value": weight}));
    };
    for (old, new) in &split.pairs {
        one(old, stable);
        one(new, canary);
    }
    tests.extend(writes);
    (Value::Array(tests), facts, effect)
}

/// The share that an act wants for the canary, percent.
fn wanted(ask: &Ask, rollout: &Rollout, split: &Split, ladder: &[f64]) -> Result<f64, Refusal> {
    let now = split.share().unwrap_or_else(|| split.largest());
    match &ask.operation {
        Operation::Promote => ladder::next(ladder, now)
            .ok_or_else(|| Refusal::new("all traffic is on it already", "there is no further step")),
        Operation::PromoteFull => Ok(100.0),
        Operation::Abort => Ok(0.0),
        Operation::SetWeight { percent } if (0.0..=100.0).contains(percent) => Ok(*percent),
        Operation::SetWeight { percent } => {
            Err(Refusal::new(format!("{percent} is no percent"), "name a weight from 0 to 100"))
        }
        Operation::RollBack { to } => {
            let (old, new) = split.names();
            let named = |name: &str| {
                let revision = rollout.revisions.iter().find(|revision| revision.hash == name);
                revision.is_some_and(|revision| super::share::is_named(revision, to))
            };
            match (named(old), named(new)) {
                (true, false) => Ok(0.0),
                (false, true) => Ok(100.0),
                (true, true) => Err(Refusal::new(
                    format!("both backends are {to}"),
                    "name the backend instead of the version",
                )),
                (false, false) => Err(Refusal::new(
                    format!("no backend of this route serves {to}"),
                    "deploy it behind one of them first",
                )),
            }
        }
        other => Err(Refusal::new(
            format!("a route has no {}", other.verb()),
            "set a weight, promote or abort instead",
        )),
    }
}

/// Who else may set the weights, and what stands behind the backends.
async fn neighbours(site: &Site, target: &Target, split: &Split) -> Result<Around, Fault> {
    let services = split.pairs.first().into_iter().flat_map(|(old, new)| [old, new]);
    let mut places: Vec<Place> = services
        .filter(|backend| !backend.service.is_empty())
        .map(|backend| Place::new(httproute::SERVICES, &target.namespace, &backend.service))
        .collect();
    places.dedup();
    let mut found = around(&site.objects, &places).await?;
    for kind in [httproute::ROLLOUTS, crate::cluster::flagger::CANARY, virtualservice::DESTINATION_RULES] {
        match site.objects.list(&kind, &target.namespace, "").await {
            Ok(objects) => {
                for object in objects {
                    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                    let name = name.to_owned();
                    found.put(kind.plural, &target.namespace, &name, object.into());
                }
            }
            // A cluster without this kind has no such owner.
            Err(fault) if fault.kind == FaultKind::Absent => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}

async fn plan(site: &Site, ask: &Ask) -> Result<Draft, Refusal> {
    let family = family(ask.target.kind);
    let place = place(&ask.target);
    let object = live(site, &place).await?;
    let split = split_of(&family, &object)?;
    let around = neighbours(site, &ask.target, &split).await.map_err(refused)?;
    let rollout = stand(family.kind, &object, &around, site, ask)?;
    let to = wanted(ask, &rollout, &split, &site.cluster.ladder)?;
    let now = split.share().unwrap_or_else(|| split.largest());
    let name_of = |backend: &str| {
        let revision = rollout.revisions.iter().find(|revision| revision.hash == backend);
        revision.map_or_else(|| backend.to_owned(), crate::domain::Revision::name)
    };
    let (old, new) = split.names();
    let (old_name, new_name) = (name_of(old), name_of(new));
    let (body, facts, effect) = patch(&split, to);
    let before = format!("{new_name} at {}, {old_name} at {}", percent(now), percent(100.0 - now));
    let after = format!("{new_name} at {}, {old_name} at {}", percent(to), percent(100.0 - to));
    let mut draft = draft(site, ask, &object, before, after, facts.clone()).await;
    draft.share = Some((to - now).abs());
    draft.expected_s = 5.0;
    if to <= 0.0 || to >= 100.0 {
        let (name, hash) = if to <= 0.0 { (old_name, old) } else { (new_name, new) };
        draft.version = Some(VersionMap { name, hash: hash.into(), ..VersionMap::default() });
    }
    if split.share().is_some_and(|share| (share - to).abs() < 0.005) {
        return Ok(draft);
    }
    let words = format!("weight of {new} in {} → {}", rules_word(split.pairs.len()), percent(to));
    let mut patch = Patch::new(&place, "", words, body).resting_on(facts);
    patch.effect = effect;
    draft.requests = vec![patch.request(&site.objects, &object).await];
    for (share, backend) in [(100.0 - to, &split.pairs[0].0), (to, &split.pairs[0].1)] {
        let known = around.get("services", &ask.target.namespace, &backend.service).is_some();
        if share > 0.0 && !backend.service.is_empty() && !known {
            let words = format!("there is no Service {}: its share is answered with 500", backend.service);
            draft.beware.push(beware(Level::Critical, words));
        }
    }
    for fixed in &split.fixed {
        draft.beware.push(beware(Level::Unknown, format!("{fixed}; it is not moved")));
    }
    draft.beware.push(beware(
        Level::Ok,
        "the route is not the traffic: proxies take seconds, open connections and sticky sessions keep the old share",
    ));
    let spoken =
        object.pointer("/status/parents").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    if family.resource == HTTP_ROUTE && spoken {
        draft.checks.push(check("observed", "every gateway has accepted this generation", true, WITHIN));
    }
    draft.checks.push(check(
        "weight",
        format!("{} at {} in every rule of the route", new, percent(to)),
        true,
        WITHIN,
    ));
    Ok(draft)
}

fn rules_word(count: usize) -> String {
    if count == 1 { "the rule".into() } else { format!("{count} rules") }
}

/// The share that a plan has asked for, from what its request tells of its effect.
fn share_of(plan: &Plan, split: &Split) -> Option<f64> {
    let effect = plan.requests.first()?.keep.get(super::request::EFFECT)?;
    let effect: Vec<Known> = serde_json::from_value(effect.clone()).ok()?;
    let (old, new) = split.pairs.first()?;
    let of = |backend: &Backend| {
        effect.iter().find(|known| known.name == backend.pointer).and_then(|known| known.value.as_i64())
    };
    route::share(of(old)?, of(new)?)
}

async fn observe(site: &Site, plan: &Plan) -> Result<Vec<Finding>, Fault> {
    let family = family(plan.target.kind);
    let object = site.objects.get(&place(&plan.target).path()).await?;
    let mut findings = Vec::new();
    for check in &plan.checks {
        match check.id.as_str() {
            "observed" => findings.push(accepted(&object)),
            "weight" => findings.push(weighed(&family, &object, plan)),
            _ => {}
        }
    }
    Ok(findings)
}

fn weighed(family: &Family, object: &Value, plan: &Plan) -> Finding {
    let Ok(split) = split_of(family, object) else {
        return Finding {
            id: "weight".into(),
            seen: Seen::No,
            detail: "the route does not split between the two any more".into(),
        };
    };
    match (share_of(plan, &split), split.share()) {
        (Some(wanted), Some(share)) => {
            finding("weight", (wanted - share).abs() < 0.005, format!("{} on the route", percent(share)))
        }
        (_, None) => finding("weight", false, "the rules disagree"),
        (None, Some(share)) => finding("weight", false, format!("{} on the route", percent(share))),
    }
}

/// What the gateways say about this generation of an HTTPRoute.
fn accepted(object: &Value) -> Finding {
    let parents = object.pointer("/status/parents").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if parents.is_empty() {
        return Finding {
            id: "observed".into(),
            seen: Seen::Nothing,
            detail: "no gateway says anything about this route".into(),
        };
    }
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
    let holds = |parent: &Value, kind: &str| {
        let conditions = parent.get("conditions").and_then(Value::as_array).into_iter().flatten();
        conditions.filter(|found| found.get("type").and_then(Value::as_str) == Some(kind)).any(|found| {
            let seen = found.get("observedGeneration").and_then(Value::as_i64) >= generation;
            seen && found.get("status").and_then(Value::as_str) == Some("True")
        })
    };
    let good =
        parents.iter().filter(|parent| holds(parent, "Accepted") && holds(parent, "ResolvedRefs")).count();
    let detail = format!("{good} of {} gateways accept this generation", parents.len());
    finding("observed", good == parents.len(), detail)
}

impl KindPlanner for Routes {
    fn kinds(&self) -> &'static [ControllerKind] {
        &[ControllerKind::HttpRoute, ControllerKind::VirtualService]
    }

    fn plan<'a>(&'a self, site: &'a Site, ask: &'a Ask) -> Boxed<'a, Result<Draft, Refusal>> {
        Box::pin(plan(site, ask))
    }

    fn observe<'a>(&'a self, site: &'a Site, plan: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>> {
        Box::pin(observe(site, plan))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http() -> Value {
        serde_json::from_str(include_str!("../../../fixtures/kubernetes/routes/httproute.json")).unwrap()
    }

    #[test]
    fn fractions_of_a_percent_are_kept() {
        assert_eq!(weights(25.0), (75, 25));
        assert_eq!(weights(0.5), (9_950, 50));
        assert_eq!(weights(100.0), (0, 100));
    }

    #[test]
    fn all_rules_move_in_one_patch_that_tests_the_names() {
        let mut object = http();
        object["spec"]["rules"][1]["backendRefs"][1].as_object_mut().unwrap().remove("weight");
        let split = split_of(&family(ControllerKind::HttpRoute), &object).unwrap();
        let (body, facts, effect) = patch(&split, 50.0);
        let operations = body.as_array().unwrap();
        let of = |op: &str| operations.iter().filter(|o| o["op"] == op).count();
        assert_eq!((of("test"), of("replace"), of("add")), (4, 3, 1));
        assert!(operations[..4].iter().all(|o| o["op"] == "test"), "tests come first");
        assert_eq!(operations[4]["path"], "/spec/rules/0/backendRefs/0/weight");
        assert_eq!((facts.len(), effect.len()), (8, 4));
        assert!(effect.iter().all(|known| known.value == json!(50)));
    }

    #[test]
    fn a_subset_is_tested_with_its_host() {
        let object: Value =
            serde_json::from_str(include_str!("../../../fixtures/kubernetes/routes/virtualservice.json"))
                .unwrap();
        let split = split_of(&family(ControllerKind::VirtualService), &object).unwrap();
        let (body, _, _) = patch(&split, 25.0);
        let tests = body.as_array().unwrap().iter().filter(|o| o["op"] == "test").count();
        assert_eq!((tests, split.pairs.len()), (4, 1));
    }

    #[test]
    fn acceptance_is_of_a_generation() {
        let mut object = http();
        assert_eq!(accepted(&object).seen, Seen::Yes);
        object["metadata"]["generation"] = json!(4);
        assert_eq!(accepted(&object).seen, Seen::NotYet);
        object["status"] = Value::Null;
        assert_eq!(accepted(&object).seen, Seen::Nothing);
    }
}
