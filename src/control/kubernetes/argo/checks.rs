//! What verification sees of a Rollout: the controller, the weight, the revision, the pods.

use serde_json::Value;

use super::route::{self, Share};
use super::state::State;
use super::{effect, place, revisions, rollback};
use crate::control::kubernetes::facts;
use crate::control::kubernetes::revision::Found;
use crate::control::kubernetes::{Site, finding, kept_long_enough};
use crate::control::{Finding, Seen};
use crate::domain::Fault;
use crate::domain::act::{Operation, Plan};

/// The canary's share now, percent: as it was set on the router, else the share of available pods.
pub fn weight(state: State<'_>, sets: &[Found]) -> f64 {
    if state.is_blue_green() {
        return if state.is_done() { 100.0 } else { 0.0 };
    }
    if state.is_routed() {
        return state.routed_weight().unwrap_or(0.0);
    }
    pods_share(sets, state.wanted())
}

#[expect(clippy::cast_precision_loss, reason = "counts of pods are small")]
fn pods_share(sets: &[Found], hash: &str) -> f64 {
    let of = |revision: &Found| revision.pods.2;
    let all: u64 = sets.iter().map(of).sum();
    let ours: u64 = sets.iter().filter(|revision| revision.hash == hash).map(of).sum();
    if all == 0 { 0.0 } else { ours as f64 * 100.0 / all as f64 }
}

/// Looks at every check of the plan.
///
/// # Errors
/// Something cannot be read.
pub async fn observe(site: &Site, plan: &Plan) -> Result<Vec<Finding>, Fault> {
    let place = place(&plan.target);
    let live = site.objects.get(&place.path()).await?;
    let state = State(&live);
    let sets = revisions(site, &place, &live).await?;
    let mut findings = Vec::new();
    for check in &plan.checks {
        findings.push(match check.id.as_str() {
            "observed" => observed(plan, state),
            "held" => finding("held", state.held() && state.phase() == "Paused", state.phase()),
            "released" => finding("released", !state.held(), state.words()),
            "weight" => {
                let (shares, unread) = route::shares(site, &place.namespace, state).await;
                weighed(plan, state, &sets, &shares, &unread)
            }
            "revision" => stable(plan, state, &sets),
            "pods" => pods(plan, &sets),
            "kept" => {
                let home = rollback::home_of(site, &place, &live).await?;
                kept(plan, &home)
            }
            // Another hand's check.
            _ => continue,
        });
    }
    Ok(findings)
}

fn target(plan: &Plan) -> &str {
    plan.version.as_ref().map_or("", |version| version.hash.as_str())
}

/// The hash that the act is about: what was wanted when it was planned.
fn canary(plan: &Plan) -> &str {
    plan.fact("status.currentPodHash").and_then(Value::as_str).unwrap_or_default()
}

fn observed(plan: &Plan, state: State<'_>) -> Finding {
    let id = "observed";
    let generation = facts::read(state.0, "metadata.generation");
    match &plan.operation {
        Operation::Pause | Operation::Resume => {
            finding(id, state.is_observed(), &format!("generation {}", facts::word(&generation)))
        }
        Operation::Promote => gone_on(plan, state),
        Operation::PromoteFull => {
            let seen = state.is_done() || (state.promoting() && !state.is_ignored());
            let lost = "accepted and not taken: promote it in full again to wake the controller";
            let detail = if state.is_ignored() { lost } else { state.words() };
            finding(id, seen && state.is_observed(), detail)
        }
        Operation::Abort => {
            let (reason, message) = state.condition("Progressing").unwrap_or_default();
            let seen = state.aborted() && reason == "RolloutAborted";
            let lost = "accepted and not taken: abort again to wake the controller";
            let detail = match (seen, state.is_ignored()) {
                (true, _) => message,
                (_, true) => lost,
                _ => state.words(),
            };
            let gone = !state.aborted() && (state.is_done() || state.promoting());
            match gone && state.wanted() == canary(plan) {
                true => no(id, "the controller dropped the abort"),
                false => finding(id, seen, detail),
            }
        }
        Operation::Retry => finding(id, !state.aborted() && state.phase() != "Degraded", state.words()),
        Operation::RollBack { .. } => {
            let seen = state.is_observed() && state.wanted() == target(plan);
            finding(id, seen, &format!("the controller wants {}", state.wanted()))
        }
        Operation::SetWeight { .. } => Finding { id: id.into(), seen: Seen::Nothing, detail: String::new() },
    }
}

/// Whether the controller went on after a promotion; a 200 is not it.
fn gone_on(plan: &Plan, state: State<'_>) -> Finding {
    let id = "observed";
    if state.aborted() {
        return no(id, &format!("it was aborted: {}", state.message()));
    }
    let before = plan.fact("status.currentStepIndex").and_then(Value::as_u64);
    let now = facts::read(state.0, "status.currentStepIndex").as_u64();
    if state.is_done() || (now > before && before.is_some()) {
        let at = now
            .map_or_else(|| state.words().into(), |now| format!("step {} of {}", now, state.steps().len()));
        return finding(id, true, &at);
    }
    let pause = facts::read(state.0, "status.pauseConditions");
    let was = plan.fact("status.pauseConditions").cloned().unwrap_or_default();
    if state.is_blue_green() && state.pauses().is_empty() && !state.controller_pause() {
        return finding(id, true, "the preview is being promoted");
    }
    if state.is_lost() {
        return finding(
            id,
            false,
            "accepted and not taken: if it stays so the promotion is lost; promote again wakes it",
        );
    }
    finding(id, false, if pause == was { "it still waits in the same pause" } else { state.words() })
}

fn weighed(plan: &Plan, state: State<'_>, sets: &[Found], shares: &[Share], unread: &[String]) -> Finding {
    let hash = canary(plan);
    let mut told: Vec<String> =
        shares.iter().map(|one| format!("{:.0} % on {}", one.percent, one.route)).collect();
    told.extend(unread.iter().cloned());
    let verified = facts::read(state.0, "status.canary.weights.verified").as_bool() != Some(false);
    if !verified {
        told.push("the router has not confirmed it".into());
    }
    let set = weight(state, sets);
    let (seen, main) = match &plan.operation {
        Operation::Abort => {
            let none = if state.is_routed() { set < 0.5 } else { pods_share(sets, hash) < 0.5 };
            (none && shares.iter().all(|one| one.percent < 0.5), format!("canary at {set:.0} %"))
        }
        Operation::Promote => {
            let index = plan.fact("status.currentStepIndex").and_then(Value::as_u64).unwrap_or(0);
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            let stop = state.next_stop(index);
            let wanted = if state.is_blue_green() { 100.0 } else { state.weight_at(stop) };
            let beyond = state.index().is_some_and(|now| now > stop);
            let slack = if state.is_routed() { 0.5 } else { one_pod(state) };
            let there =
                (set - wanted).abs() <= slack && shares.iter().all(|one| (one.percent - wanted).abs() < 0.5);
            (state.is_done() || beyond || there, format!("{set:.0} % of {wanted:.0} %"))
        }
        _ => {
            // All traffic is on the target when it is stable and nothing goes to another canary.
            let done = state.is_done() && state.stable() == target(plan);
            let rest = if state.is_blue_green() {
                if state.active() == target(plan) { 0.0 } else { 100.0 }
            } else if state.is_routed() {
                set
            } else {
                100.0 - pods_share(sets, target(plan))
            };
            // A finished canary's route points at stable again.
            let clear = rest < 0.5 || (state.is_routed() && set > 99.5);
            let routes = shares.iter().all(|one| one.percent < 0.5 || one.percent > 99.5);
            (done && clear && routes, format!("{} is {}", state.stable(), state.words()))
        }
    };
    told.insert(0, main);
    finding("weight", seen && verified, &told.join(", "))
}

#[expect(clippy::cast_precision_loss, reason = "counts of pods are small")]
fn one_pod(state: State<'_>) -> f64 {
    100.0 / (state.replicas().max(1) as f64)
}

/// The target is stable and wanted, all its pods are available, the controller calls it healthy. After an abort the
/// manifest wants another one and the phase is `Degraded`: then only the stable pods count.
fn stable(plan: &Plan, state: State<'_>, sets: &[Found]) -> Finding {
    let id = "revision";
    let hash = target(plan);
    let available = sets.iter().find(|one| one.hash == hash).map_or(0, |one| one.pods.2);
    let pods = format!("{available} of {} pods of {hash} available", state.replicas());
    let enough = available >= state.replicas();
    if plan.operation == Operation::Abort {
        // A basic canary gives the pods back one by one, and they are all stable again at the end.
        return finding(id, enough && state.stable() == hash, &pods);
    }
    let right = state.is_done() && state.stable() == hash && state.is_observed();
    if right && enough && state.phase() == "Healthy" {
        return finding(id, true, &format!("stable, {pods}"));
    }
    match state.condition("Progressing") {
        Some(("ProgressDeadlineExceeded", message)) => no(id, message),
        _ if state.aborted() && state.wanted() == hash => no(id, &format!("aborted: {}", state.message())),
        _ => finding(id, false, &format!("stable is {}, {} ({pods})", state.stable(), state.phase())),
    }
}

fn pods(plan: &Plan, sets: &[Found]) -> Finding {
    let others: Vec<&Found> = match plan.operation {
        Operation::Abort => sets.iter().filter(|one| one.hash == canary(plan)).collect(),
        _ => sets.iter().filter(|one| one.hash != target(plan)).collect(),
    };
    let ready: u64 = others.iter().map(|one| one.pods.1).sum();
    finding("pods", ready == 0, &format!("{ready} ready pods of other versions"))
}

fn kept(plan: &Plan, home: &Value) -> Finding {
    if let Some(why) = rollback::put_back(effect::old_template(plan), home) {
        return no("kept", &why);
    }
    kept_long_enough(plan, home)
}

fn no(id: &str, detail: &str) -> Finding {
    Finding { seen: Seen::No, ..finding(id, false, detail) }
}
