//! Standard mode: entries of `spec.canary`, changed by JSON patches that test names, looked at on the HTTPRoute.

use serde_json::{Map, Value, json};

use super::{WITHIN, no_such, place, stepped};
use crate::cluster::flagger::{DEPLOYMENTS, complete};
use crate::cluster::httproute::HTTP_ROUTE;
use crate::cluster::inferenceservice::{InferenceService, mode};
use crate::cluster::kserve_standard::{predictor_name, true_weight};
use crate::cluster::{Around, percent};
use crate::control::kubernetes::object::{Place, uid_of};
use crate::control::kubernetes::share::{around, beware, check, draft, finding, is_named, live, stand};
use crate::control::kubernetes::{Patch, Site, facts, refused};
use crate::control::{Ask, Draft, Finding, Seen};
use crate::domain::act::{Known, Operation, Plan, Refusal, VersionMap};
use crate::domain::{ControllerKind, Fault, Level, Rollout};

const FACTS: [&str; 3] =
    ["/spec/predictor/name", "/spec/canary/0/predictor/name", "/spec/canary/0/trafficPercent"];

/// The predictor that verification looks for, and its share: facts for the eye and for `observe`.
const PREDICTOR: &str = "predictor looked for";
const SHARE: &str = "percent looked for";

/// Fields of a predictor that a canary may not have.
const NOT_ON_A_CANARY: [&str; 5] = ["maxReplicas", "scaleTarget", "scaleMetric", "autoScaling", "workerSpec"];

/// One patch and what it leads to.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) words: String,
    pub(super) body: Value,
    pub(super) effect: Vec<Known>,
    /// The predictor to look for, and its share afterwards.
    pub(super) predictor: String,
    pub(super) share: f64,
    pub(super) beware: Vec<(Level, String)>,
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(super) async fn plan(site: &Site, ask: &Ask) -> Result<Draft, Refusal> {
    let place = place(&ask.target);
    let object = live(site, &place).await?;
    if mode(&object) != Some(ControllerKind::KserveStandard) {
        return Err(Refusal::new("it is not in Standard mode any more", "look at the object"));
    }
    let around = world(site, &object).await.map_err(refused)?;
    let rollout = stand(&InferenceService, &object, &around, site, ask)?;
    let change = change(&ask.operation, &site.cluster.ladder, &object, &rollout)?;
    let before = format!(
        "{} at {}, the route gives it {}",
        rollout.canary.as_ref().unwrap_or(&rollout.stable),
        percent(rollout.asked),
        rollout.set.map_or_else(|| "an unknown share".into(), percent)
    );
    let after = format!("{} at {}", change.predictor, percent(change.share));
    let mut known = facts::gather(&object, &FACTS);
    known.push(Known { name: PREDICTOR.into(), value: json!(change.predictor) });
    known.push(Known { name: SHARE.into(), value: json!(change.share) });
    let mut draft = draft(site, ask, &object, before, after, known).await;
    draft.share = Some((change.share - rollout.asked).abs());
    draft.expected_s = 30.0;
    if change.share <= 0.0 {
        let stable = rollout.revisions.iter().find(|revision| revision.is_stable);
        draft.version = stable.map(|revision| VersionMap {
            name: revision.name(),
            hash: revision.hash.clone(),
            ..VersionMap::default()
        });
    }
    if change.share >= 100.0 {
        let revision = rollout.revisions.iter().find(|revision| revision.hash == change.predictor);
        draft.version = Some(VersionMap {
            name: revision.map_or_else(|| change.predictor.clone(), crate::domain::Revision::name),
            hash: change.predictor.clone(),
            ..VersionMap::default()
        });
    }
    draft.beware.extend(change.beware.iter().map(|(level, words)| beware(*level, words.clone())));
    if rollout.set == Some(0.0) && rollout.asked > 0.0 {
        draft.beware.push(beware(
            Level::Critical,
            "the HTTPRoute has no backend for this canary: KServe 0.20 writes no canary weights, users stay where they are",
        ));
    }
    draft
        .beware
        .push(beware(Level::Ok, "wardroom is the stepper: the weight stays where it is until it is told"));
    let mut patch =
        Patch::new(&place, "", change.words, change.body).resting_on(facts::gather(&object, &FACTS));
    patch.effect = change.effect;
    if facts::compare(&patch.effect, &object).is_some() {
        draft.requests.push(patch.request(&site.objects, &object).await);
    }
    let words = format!("{} at {} on the HTTPRoute", change.predictor, percent(change.share));
    draft.checks.push(check("weight", words, true, WITHIN));
    if change.share > 0.0 {
        let name = predictor_name(&ask.target.name, &change.predictor);
        draft.checks.push(check("pods", format!("Deployment {name} is complete"), true, WITHIN));
    }
    Ok(draft)
}

/// The patch of an act.
pub(super) fn change(
    operation: &Operation,
    ladder: &[f64],
    object: &Value,
    rollout: &Rollout,
) -> Result<Change, Refusal> {
    let entry = object.pointer("/spec/canary/0").ok_or_else(|| {
        Refusal::new("no canary is deployed", "apply a manifest with spec.canary, or the old spec again")
    })?;
    let name = text(entry, "/predictor/name");
    let now = entry.pointer("/trafficPercent").and_then(Value::as_f64).unwrap_or(0.0);
    match operation {
        Operation::Abort => Ok(weigh(name, 0, Vec::new())),
        Operation::Promote => match stepped(operation, now, ladder)? {
            100 => Ok(swap(object, entry)),
            step => Ok(weigh(name, step, Vec::new())),
        },
        Operation::SetWeight { .. } | Operation::Retry => {
            Ok(weigh(name, stepped(operation, now, ladder)?, Vec::new()))
        }
        Operation::PromoteFull => Ok(swap(object, entry)),
        Operation::RollBack { to } => {
            let stable = rollout.revisions.iter().find(|revision| revision.is_stable);
            let other = rollout.revisions.iter().find(|revision| revision.hash == name);
            if stable.is_some_and(|revision| is_named(revision, to)) {
                return Ok(weigh(name, 0, Vec::new()));
            }
            if other.is_some_and(|revision| is_named(revision, to)) {
                return Ok(awaken(object, entry, name));
            }
            Err(Refusal::new(
                format!("{to} is not kept warm here: its Deployment is gone"),
                "apply its old spec again; the model is then loaded anew",
            ))
        }
        other => Err(no_such(other)),
    }
}

fn tested(name: &str, mut rest: Vec<Value>) -> Value {
    rest.insert(0, json!({"op": "test", "path": "/spec/canary/0/predictor/name", "value": name}));
    Value::Array(rest)
}

#[expect(clippy::cast_precision_loss, reason = "0 to 100")]
fn weigh(name: &str, to: i64, beware: Vec<(Level, String)>) -> Change {
    let path = "/spec/canary/0/trafficPercent";
    // `add` also replaces, and the field may be absent at 0.
    let body = tested(name, vec![json!({"op": "add", "path": path, "value": to})]);
    Change {
        words: format!("trafficPercent of {name}: {to}"),
        body,
        effect: vec![Known { name: path.into(), value: json!(to) }],
        predictor: name.into(),
        share: to as f64,
        beware,
    }
}

/// All traffic back to a version that is kept warm: with as many pods as the stable one has.
fn awaken(object: &Value, entry: &Value, name: &str) -> Change {
    let mut beware = vec![(
        Level::Unknown,
        "the spec keeps both versions: promote --full makes the old one the predictor again".to_owned(),
    )];
    let mut change = weigh(name, 100, Vec::new());
    let wanted = object.pointer("/spec/predictor/minReplicas").and_then(Value::as_i64).unwrap_or(1);
    let warm = entry.pointer("/predictor/minReplicas").and_then(Value::as_i64);
    if let Some(warm) = warm.filter(|&warm| warm < wanted) {
        let path = "/spec/canary/0/predictor/minReplicas";
        if let Value::Array(operations) = &mut change.body {
            operations.push(json!({"op": "replace", "path": path, "value": wanted}));
        }
        change.words += &format!(", minReplicas {warm} → {wanted}");
        beware.push((Level::Warning, format!("{warm} warm pods take all traffic until {wanted} are up")));
    }
    change.beware = beware;
    change
}

/// The canary becomes the predictor under its own name; the old one stays as a dark canary, its pods with it.
fn swap(object: &Value, entry: &Value) -> Change {
    let old = object.pointer("/spec/predictor").cloned().unwrap_or_else(|| json!({}));
    let mut new = old.clone();
    let own = entry.get("predictor").cloned().unwrap_or_else(|| json!({}));
    overlay(&mut new, &own);
    // The canary's own number of pods was for its share of traffic.
    match (old.get("minReplicas"), new.as_object_mut()) {
        (Some(floor), Some(new)) => drop(new.insert("minReplicas".into(), floor.clone())),
        (None, Some(new)) => drop(new.remove("minReplicas")),
        _ => {}
    }
    let (name, old_name) = (text(&own, "/name").to_owned(), text(&old, "/name").to_owned());
    let mut operations = vec![match old.get("name") {
        Some(old_name) => json!({"op": "test", "path": "/spec/predictor/name", "value": old_name}),
        None => json!({"op": "test", "path": "/spec/predictor", "value": old}),
    }];
    operations.push(json!({"op": "replace", "path": "/spec/predictor", "value": new}));
    let mut beware = Vec::new();
    if old_name.is_empty() {
        operations.push(json!({"op": "remove", "path": "/spec/canary/0"}));
        beware.push((
            Level::Critical,
            "the old predictor has no name: its Deployment is deleted at once, a rollback must load the model again"
                .to_owned(),
        ));
    } else {
        operations.push(json!({"op": "replace", "path": "/spec/canary/0", "value": dark(&old)}));
        beware.push((
            Level::Ok,
            format!("{old_name} is kept warm with 1 pod and no traffic, so that a rollback takes seconds"),
        ));
        beware.push((Level::Unknown, format!("KServe takes that pod from {name}, which has one less")));
    }
    Change {
        words: if old_name.is_empty() {
            format!("predictor ← {name}, canary removed")
        } else {
            format!("predictor ← {name}, {old_name} stays as a dark canary")
        },
        body: tested(&name, operations),
        effect: vec![Known { name: "/spec/predictor/name".into(), value: json!(name) }],
        predictor: name,
        share: 100.0,
        beware,
    }
}

/// An old predictor as a canary without traffic.
fn dark(old: &Value) -> Value {
    let mut predictor = old.clone();
    if let Some(fields) = predictor.as_object_mut() {
        for field in NOT_ON_A_CANARY {
            fields.remove(field);
        }
        fields.insert("minReplicas".into(), json!(1));
    }
    // The schema of KServe 0.20 wants the container's name in a canary, and not in the predictor.
    if let Some(model) = predictor.get_mut("model").and_then(Value::as_object_mut) {
        model.entry("name").or_insert_with(|| json!("kserve-container"));
    }
    json!({"trafficPercent": 0, "predictor": predictor})
}

/// Lays `over` upon `under`, as KServe does to make a canary from the stable predictor.
fn overlay(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => merge(under, over),
        (under, over) => *under = over.clone(),
    }
}

fn merge(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match under.get_mut(key) {
            Some(there) => overlay(there, value),
            None => drop(under.insert(key.clone(), value.clone())),
        }
    }
}

/// The Deployments of both predictors and the routes that the service owns.
async fn world(site: &Site, object: &Value) -> Result<Around, Fault> {
    let (namespace, service) = (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    let names = ["/spec/predictor/name", "/spec/canary/0/predictor/name"];
    let deployment =
        |pointer: &str| Place::new(DEPLOYMENTS, namespace, &predictor_name(service, text(object, pointer)));
    let mut places: Vec<Place> = names.iter().map(|pointer| deployment(pointer)).collect();
    places.push(Place::new(HTTP_ROUTE, namespace, service));
    places.push(Place::new(HTTP_ROUTE, namespace, &predictor_name(service, "")));
    around(&site.objects, &places).await
}

pub(super) async fn observe(site: &Site, plan: &Plan) -> Result<Vec<Finding>, Fault> {
    let object = site.objects.get(&place(&plan.target).path()).await?;
    let around = world(site, &object).await?;
    let mut findings = vec![weighed(&object, &around, plan)];
    if plan.checks.iter().any(|check| check.id == "pods") {
        let name = predictor_name(&plan.target.name, looked_for(plan));
        let deployment = around.get("deployments", &plan.target.namespace, &name);
        findings.push(match deployment.map(complete) {
            Some((done, words)) => finding("pods", done, words),
            None => finding("pods", false, format!("Deployment {name} is not there")),
        });
    }
    Ok(findings)
}

fn looked_for(plan: &Plan) -> &str {
    plan.fact(PREDICTOR).and_then(Value::as_str).unwrap_or_default()
}

/// The share of the predictor that is looked for, on the route; the status only repeats the spec.
pub(super) fn weighed(object: &Value, around: &Around, plan: &Plan) -> Finding {
    let wanted = plan.fact(SHARE).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let (namespace, service) = (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    let routes = around.owned_by("httproutes", namespace, uid_of(object));
    match true_weight(routes, service, looked_for(plan)) {
        Some(share) => {
            let words = format!("{} at {} on the HTTPRoute", looked_for(plan), percent(share));
            finding("weight", (share - wanted).abs() < 0.5, words)
        }
        None => Finding {
            id: "weight".into(),
            seen: Seen::Nothing,
            detail: "no HTTPRoute of this service can be read".into(),
        },
    }
}
