//! What must be seen before a request, whether it is still needed, and whether its effect is there.

use serde_json::Value;

use super::rollback;
use super::state::State;
use super::{place, revisions};
use crate::control::kubernetes::facts::{self, TEMPLATE};
use crate::control::kubernetes::{Site, request_of, send};
use crate::control::{Ready, Settled};
use crate::domain::Fault;
use crate::domain::act::{Operation, Plan, Request};

/// Whether a request that waits for something may be sent.
///
/// # Errors
/// The Rollout cannot be read.
pub async fn ready(site: &Site, plan: &Plan, n: usize, waited_s: f64) -> Result<Ready, Fault> {
    let request = request_of(plan, n)?;
    let place = place(&plan.target);
    let live = site.objects.get(&place.path()).await?;
    let state = State(&live);
    if let Some(uid) = facts::compare(&plan.facts[..plan.facts.len().min(1)], &live) {
        return Ok(Ready::Moved(uid));
    }
    if request.body.pointer("/metadata/annotations").is_some() {
        return Ok(taken_or_lost(state, waited_s));
    }
    if let Operation::RollBack { .. } = plan.operation {
        let home = rollback::home_of(site, &place, &live).await?;
        return Ok(after_template(plan, state, &home));
    }
    // The second request of a promotion under a hold: the step's own pause must be back.
    if state.held() {
        return Ok(Ready::NotYet("it is still held".into()));
    }
    let index = facts::read(&live, "status.currentStepIndex");
    if plan.fact("status.currentStepIndex").is_some_and(|then| *then != index) {
        return Ok(Ready::Moved(format!("it went on by itself, to step {}", facts::word(&index))));
    }
    let pauses = state.step_kind() != Some("pause") || !state.pauses().is_empty();
    Ok(match state.is_observed() && pauses {
        true => Ready::Yes,
        false => Ready::NotYet(format!("{} not seen yet", request.after)),
    })
}

/// How long the controller may take a write to the status for nothing before it is woken, seconds.
const WAKE_S: f64 = 1.0;

/// The note at the end is also what wakes a controller that has lost the act, so it waits for one or the other.
fn taken_or_lost(state: State<'_>, waited_s: f64) -> Ready {
    // A hold that comes as a pause begins can stay unobserved in the same way.
    let is_taken = !state.is_lost() && !state.is_ignored() && state.is_observed();
    match is_taken || waited_s >= WAKE_S {
        true => Ready::Yes,
        false => Ready::NotYet("the controller has not taken it yet".into()),
    }
}

fn target(plan: &Plan) -> &str {
    plan.version.as_ref().map_or("", |version| version.hash.as_str())
}

/// Promoting before the controller has seen the new template is lost: it clears the flag with the change.
fn after_template(plan: &Plan, state: State<'_>, home: &Value) -> Ready {
    if let Some(why) = rollback::put_back(old_template(plan), home) {
        return Ready::Moved(why);
    }
    let seen = state.is_observed() && workload_seen(state, home) && state.wanted() == target(plan);
    match seen {
        true => Ready::Yes,
        false => Ready::NotYet(format!("the controller still wants {}", state.wanted())),
    }
}

/// With a workloadRef the Rollout's generation says nothing about the template.
fn workload_seen(state: State<'_>, home: &Value) -> bool {
    if state.0.pointer("/spec/workloadRef").is_none() {
        return true;
    }
    let generation = home.pointer("/metadata/generation").and_then(Value::as_u64).map(|n| n.to_string());
    let seen = state.0.pointer("/status/workloadObservedGeneration").and_then(Value::as_str);
    seen.is_some() && seen.map(ToOwned::to_owned) == generation
}

/// The template before the act, as the plan's template request knew it.
pub fn old_template(plan: &Plan) -> Option<&Value> {
    plan.requests.iter().find_map(|request| {
        let facts = request.keep.get(crate::control::kubernetes::request::FACTS)?.as_array()?;
        facts.iter().find(|known| known.get("name").and_then(Value::as_str) == Some(TEMPLATE))?.get("value")
    })
}

/// Why a request is not needed any more: a rollback can be complete before it is promoted.
///
/// # Errors
/// The Rollout cannot be read.
pub async fn needless(site: &Site, plan: &Plan, n: usize) -> Result<Option<String>, Fault> {
    let request = request_of(plan, n)?;
    let rollback = matches!(plan.operation, Operation::RollBack { .. });
    if !rollback || !is_status(request, "promoteFull", true) {
        return Ok(None);
    }
    let live = site.objects.get(&place(&plan.target).path()).await?;
    let state = State(&live);
    let done = state.is_observed() && state.is_done() && state.stable() == target(plan);
    Ok(done.then(|| "already so: it is stable".into()))
}

fn is_status(request: &Request, flag: &str, value: bool) -> bool {
    request.body.pointer(&format!("/status/{flag}")).and_then(Value::as_bool) == Some(value)
}

/// Whether the effect of a request is there. The controller consumes what is written to its status, so the
/// consequence counts as well.
///
/// # Errors
/// The Rollout cannot be read.
pub async fn settled(site: &Site, plan: &Plan, n: usize) -> Result<Settled, Fault> {
    let request = request_of(plan, n)?;
    let plain = send::settled(&site.objects, request).await?;
    if !matches!(plain, Settled::NotDone(_)) && !is_promotion(request) {
        return Ok(plain);
    }
    let place = place(&plan.target);
    let live = site.objects.get(&place.path()).await?;
    let state = State(&live);
    if is_promotion(request) {
        return Ok(promotion(plan, state));
    }
    if is_status(request, "promoteFull", true) && state.is_done() && state.wanted() == target(plan) {
        return Ok(Settled::Done(format!("{} is stable", state.stable())));
    }
    let template = request.body.as_array().is_some_and(|operations| {
        operations.iter().any(|one| one.get("path").and_then(Value::as_str) == Some("/spec/template"))
    });
    if template && state.wanted() == target(plan) {
        // Named by the controller's own hash: it may have normalised what was written.
        let sets = revisions(site, &place, &live).await?;
        let name = sets.iter().find(|one| one.hash == state.wanted()).map(|one| one.name());
        return Ok(Settled::Done(format!("the controller wants {}", name.unwrap_or_default())));
    }
    Ok(plain)
}

/// Whether it is one of the bodies of promote.
fn is_promotion(request: &Request) -> bool {
    request.body.pointer("/status").is_some_and(|status| status.get("pauseConditions").is_some())
}

fn promotion(plan: &Plan, state: State<'_>) -> Settled {
    let before = |name: &str| plan.fact(name).cloned().unwrap_or_default();
    let index = facts::read(state.0, "status.currentStepIndex");
    if index != before("status.currentStepIndex") || state.is_done() {
        return Settled::Done(format!("it is at step {}", facts::word(&index)));
    }
    if state.pauses().is_empty() {
        return Settled::Done("the step's pause is released".into());
    }
    match facts::read(state.0, "status.pauseConditions") == before("status.pauseConditions") {
        true => Settled::NotDone("it still waits in the same pause".into()),
        false if plan.requests.len() > 1 => Settled::NotDone("it waits in its step's pause".into()),
        false => Settled::Done("another pause has begun".into()),
    }
}
