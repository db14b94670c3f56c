//! A Flagger Canary: it steps by itself, at its own ticks, and says less in its status than its route does.

#[cfg(test)]
pub(crate) mod sample;
pub mod spec;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::httproute::{self, HTTP_ROUTE};
use super::look::{self, percent};
use super::route::Rule;
use super::virtualservice::{self, VIRTUAL_SERVICE};
use super::{Around, Kind, Naming, Resource, ladder, route};
use crate::domain::{ControllerKind, Level, Revision, Rollout, Situation, Step, Time, Version};

/// Where Canaries live.
pub const CANARY: Resource =
    Resource { group: "flagger.app", version: "v1beta1", kind: "Canary", plural: "canaries" };

/// Where the target and the primary live.
pub const DEPLOYMENTS: Resource =
    Resource { group: "apps", version: "v1", kind: "Deployment", plural: "deployments" };
/// Where their revisions live.
pub const REPLICA_SETS: Resource =
    Resource { group: "apps", version: "v1", kind: "ReplicaSet", plural: "replicasets" };

/// The kind.
pub struct Flagger;

/// The name of the target, `X`.
pub fn target(canary: &Value) -> &str {
    look::text(canary, "/spec/targetRef/name")
}

/// The name of the stable Deployment, `X-primary`.
pub fn primary(canary: &Value) -> String {
    format!("{}-primary", target(canary))
}

/// The name of the service and of the route.
pub fn service(canary: &Value) -> &str {
    let named = look::text(canary, "/spec/service/name");
    if named.is_empty() { target(canary) } else { named }
}

/// The canary's weight on a route that Flagger made, percent. `None` when the route does not split between
/// the two services of this Canary.
pub fn weight_on(canary: &Value, rules: &[Rule]) -> Option<f64> {
    let (primary, trial) = (format!("{}-primary", service(canary)), format!("{}-canary", service(canary)));
    rules.iter().find_map(|rule| {
        let of = |name: &str| rule.backends.iter().find(|backend| backend.service == name);
        route::share(of(&primary)?.weight, of(&trial)?.weight)
    })
}

/// The weight that users really get, from the route object that belongs to a Canary, percent.
fn true_weight(canary: &Value, around: &Around) -> Option<f64> {
    let (namespace, name) = (look::namespace(canary), service(canary));
    let istio = around.get(VIRTUAL_SERVICE.plural, namespace, name).map(virtualservice::rules);
    let gateway = || around.get(HTTP_ROUTE.plural, namespace, name).map(httproute::rules);
    let by_istio = istio.and_then(|rules| weight_on(canary, &rules));
    by_istio.or_else(|| weight_on(canary, &gateway()?))
}

/// Whether a Deployment has finished rolling out, with the counts in words.
pub fn complete(deployment: &Value) -> (bool, String) {
    let count = |pointer| look::count(deployment, pointer).unwrap_or(0);
    let wanted = look::count(deployment, "/spec/replicas").unwrap_or(1);
    let (updated, all) = (count("/status/updatedReplicas"), count("/status/replicas"));
    let available = count("/status/availableReplicas");
    let seen = look::number(deployment, "/status/observedGeneration")
        >= look::number(deployment, "/metadata/generation");
    let done = seen && updated >= wanted && all <= updated && available >= updated;
    let name = look::name(deployment);
    let words = match look::condition(deployment, "Progressing") {
        Some((_, "ProgressDeadlineExceeded", _)) => format!("{name}: its progress deadline is over"),
        _ if !seen => format!("{name}: the new template is not yet seen"),
        _ => format!("{name}: {updated} of {wanted} pods updated, {available} available"),
    };
    (done, words)
}

impl Kind for Flagger {
    fn controller(&self) -> ControllerKind {
        ControllerKind::Flagger
    }

    fn word(&self) -> &'static str {
        "canary"
    }

    fn resource(&self) -> Resource {
        CANARY
    }

    fn companions(&self) -> &'static [Resource] {
        &[DEPLOYMENTS, REPLICA_SETS, VIRTUAL_SERVICE, HTTP_ROUTE]
    }

    fn read(&self, object: &Value, around: &Around, naming: &Naming, now: Time) -> Option<Rollout> {
        if target(object).is_empty() {
            return None;
        }
        let status = |key: &str| look::text(object, &format!("/status/{key}"));
        let namespace = look::namespace(object);
        let of = |name: &str| around.get("deployments", namespace, name);
        let (trial, stable) = (of(target(object)), of(&primary(object)));
        let version = |deployment: Option<&Value>| {
            look::version(deployment?.pointer("/spec/template")?, &naming.version_from)
        };
        let or_hash = |version: Option<Version>, hash: &str| {
            version.unwrap_or_else(|| Version::new(if hash.is_empty() { "unknown" } else { hash }))
        };
        let old = or_hash(version(stable), status("lastPromotedSpec"));
        let new = or_hash(version(trial), status("lastAppliedSpec"));
        let mut rollout = Rollout::of("Flagger", old);
        rollout.steps = spec::steps(object);
        weights(&mut rollout, object, around);
        rollout.since = look::moment(object, "/status/lastTransitionTime");
        place(&mut rollout, object, stable, new, now);
        rollout.revisions = revisions(object, around, naming, &rollout);
        conditions(&mut rollout, object);
        cannot(&mut rollout, object);
        rollout.phase = rollout.situation.phase();
        Some(rollout)
    }
}

/// Weight and step. The status tells zero in most phases whatever the route does.
fn weights(rollout: &mut Rollout, object: &Value, around: &Around) {
    let reported = look::number(object, "/status/canaryWeight").unwrap_or(0.0).clamp(0.0, 100.0);
    rollout.set = true_weight(object, around);
    rollout.asked = rollout.set.unwrap_or(reported);
    match rollout.set {
        None => rollout.conditions.push(look::says(
            Level::Unknown,
            "no route of this Canary can be read: the weight is the one that its status reports",
        )),
        Some(set) if (set - reported).abs() >= 0.5 => rollout.conditions.push(look::says(
            Level::Warning,
            format!("the status reports {}, the route sends {}", percent(reported), percent(set)),
        )),
        Some(_) => {}
    }
}

/// Situation, step and what it waits for.
fn place(rollout: &mut Rollout, object: &Value, stable: Option<&Value>, new: Version, now: Time) {
    let phase = look::text(object, "/status/phase");
    let weight = rollout.asked;
    let gate = |kind: &str| spec::hook(object, kind).map_or_else(|| kind.to_owned(), |hook| hook.name);
    let (situation, message) = match phase {
        "" | "Initializing" => (Situation::Starting, "Flagger makes the primary".to_owned()),
        "Initialized" | "Succeeded" if stable.is_some_and(|stable| !complete(stable).0) => {
            let words = stable.map(|stable| complete(stable).1).unwrap_or_default();
            (Situation::Promoting, format!("copied, but not there yet: {words}"))
        }
        "Initialized" => (Situation::Idle, String::new()),
        "Succeeded" => (Situation::Complete, String::new()),
        "Waiting" => {
            (Situation::WaitingApproval, format!("gate {} before the rollout", gate("confirm-rollout")))
        }
        "WaitingPromotion" => {
            let words = format!("gate {} before the promotion; checks go on", gate("confirm-promotion"));
            (Situation::WaitingApproval, words)
        }
        "Progressing" if held(rollout, object, now) => {
            let words = format!("no tick has moved it: gate {}", gate("confirm-traffic-increase"));
            (Situation::WaitingApproval, words)
        }
        "Progressing" if weight <= 0.05 => (Situation::Starting, String::new()),
        "Progressing" => (Situation::Progressing, String::new()),
        "Promoting" => (Situation::Promoting, "the template is copied to the primary".into()),
        "Finalising" => (Situation::Promoting, "traffic is back on the primary, the canary goes".into()),
        "Failed" if weight > 0.05 => {
            let words = format!(
                "the promotion failed: the primary is not ready, the canary keeps {}",
                percent(weight)
            );
            (Situation::Degraded, words)
        }
        "Failed" => (Situation::Aborted, format!("failed; the target still wants {new}")),
        other => (Situation::Unknown, format!("phase {other}")),
    };
    rollout.situation = situation;
    rollout.message = message;
    let idle = matches!(phase, "" | "Initializing" | "Initialized" | "Succeeded");
    let applied = look::text(object, "/status/lastAppliedSpec");
    let put_back = phase == "Failed" && applied == look::text(object, "/status/lastPromotedSpec");
    if put_back {
        rollout.message = format!("the last canary failed; the target is back on {}", rollout.stable);
    } else if !idle {
        rollout.canary = Some(new);
    } else if new != rollout.stable && !phase.is_empty() {
        rollout.message = format!("{new} waits for the next tick");
    }
    rollout.step = match phase {
        "Promoting" | "Finalising" => rollout.steps.len().saturating_sub(1),
        "Succeeded" => rollout.steps.len(),
        _ => step_of(&rollout.steps, weight, object),
    };
    rollout.waits = rollout.situation == Situation::WaitingApproval;
    let ticks =
        matches!(rollout.situation, Situation::Progressing | Situation::Promoting | Situation::Starting);
    if look::flag(object, "/spec/suspend") {
        rollout.situation = Situation::Suspended;
        rollout.waits = true;
        let stays = percent(weight);
        rollout.message = format!("suspended at {stays}: checks and automatic rollback stand still too");
        rollout.conditions.push(look::says(Level::Critical, &rollout.message));
    } else if ticks && phase != "Succeeded" && phase != "Initialized" {
        let tick = chrono::TimeDelta::milliseconds(millis(spec::interval_s(object)));
        rollout.until = rollout.since.and_then(|since| since.checked_add_signed(tick)).filter(|at| *at > now);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounded")]
fn millis(seconds: f64) -> i64 {
    (seconds.clamp(0.0, 1e9) * 1e3) as i64
}

/// Whether a closed traffic gate holds it: it has one, and ticks went by that wrote nothing. Every tick that fails a
/// check or moves the weight writes a time.
fn held(rollout: &Rollout, object: &Value, now: Time) -> bool {
    let Some(since) = rollout.since else { return false };
    let silent = (now - since).as_seconds_f64();
    spec::hook(object, "confirm-traffic-increase").is_some() && silent > 1.5 * spec::interval_s(object) + 5.0
}

/// The step of a weight; with iterations, the one that is running.
fn step_of(steps: &[Step], weight: f64, object: &Value) -> usize {
    let last = steps.len().saturating_sub(1);
    if steps.first().is_some_and(|step| step.runs.starts_with("iteration")) {
        let done = look::count(object, "/status/iterations").unwrap_or(0) as usize;
        return done.saturating_sub(1).min(last);
    }
    // The copy is no weight: 100 % on the route is the last step before it.
    ladder::position(steps, weight.min(99.0)).min(last.saturating_sub(1))
}

/// Revisions of the target: ReplicaSets, the newest first.
fn revisions(object: &Value, around: &Around, naming: &Naming, rollout: &Rollout) -> Vec<Revision> {
    let namespace = look::namespace(object);
    let Some(deployment) = around.get("deployments", namespace, target(object)) else { return Vec::new() };
    let current = look::annotation(deployment, "deployment.kubernetes.io/revision");
    let sets = around.owned_by("replicasets", namespace, look::text(deployment, "/metadata/uid"));
    let mut found: Vec<Revision> = sets
        .map(|set| {
            let number = look::annotation(set, "deployment.kubernetes.io/revision");
            let version = set.pointer("/spec/template").and_then(|t| look::version(t, &naming.version_from));
            let containers = look::list(set, "/spec/template/spec/containers").iter();
            Revision {
                number: number.and_then(|number| number.parse().ok()),
                hash: look::label(set, "pod-template-hash").unwrap_or_default().to_owned(),
                is_stable: version.as_ref() == Some(&rollout.stable),
                is_canary: rollout.canary.is_some() && number.is_some() && number == current,
                version,
                images: containers.map(|container| look::text(container, "/image").to_owned()).collect(),
                created: look::moment(set, "/metadata/creationTimestamp"),
                pods: (
                    look::count(set, "/status/readyReplicas").unwrap_or(0),
                    look::count(set, "/spec/replicas").unwrap_or(0),
                ),
                known_bad: String::new(),
            }
        })
        .collect();
    found.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    found
}

/// What the status says, and the pitfalls that stand in the spec.
fn conditions(rollout: &mut Rollout, object: &Value) {
    let failed = look::count(object, "/status/failedChecks").unwrap_or(0);
    let threshold = spec::threshold(object);
    if failed > 0 {
        let words =
            format!("{failed} of {threshold} failed checks; at {threshold} Flagger rolls back by itself");
        rollout.conditions.push(look::says(Level::Warning, words));
    }
    if let Some((status, reason, message)) = look::condition(object, "Promoted") {
        let level = if status == "False" { Level::Critical } else { Level::Ok };
        rollout.conditions.push(look::says(level, format!("Promoted {status} ({reason}): {message}")));
    }
    if look::flag(object, "/spec/skipAnalysis") {
        let words = "skipAnalysis is on: the next version goes to all users without any check";
        rollout.conditions.push(look::says(Level::Critical, words));
    }
    rollout.conditions.sort_by_key(|condition| std::cmp::Reverse(condition.level));
}

/// The gate that holds a Canary in this phase, if any.
pub fn gate_now(object: &Value) -> Option<spec::Hook> {
    let kind = match look::text(object, "/status/phase") {
        "Waiting" => "confirm-rollout",
        "Progressing" => "confirm-traffic-increase",
        "WaitingPromotion" => "confirm-promotion",
        _ => return None,
    };
    spec::hook(object, kind)
}

fn cannot(rollout: &mut Rollout, object: &Value) {
    let mut say = |verb: &str, why: &str| rollout.cannot.push((verb.to_owned(), why.to_owned()));
    say(
        "weight",
        "Flagger takes the weight on the route for its own: one that is not a step makes the next step 100 %; \
         change stepWeights, or abort",
    );
    match gate_now(object) {
        None => say(
            "promote",
            "Flagger steps by itself at each tick and there is no gate to open; promote --full skips the analysis",
        ),
        Some(hook) if spec::Gate::behind(&hook.url).is_none() => {
            say("promote", "this gate is no tester that the API server reaches; open it with its own tool")
        }
        Some(_) => {}
    }
    match look::text(object, "/status/phase") {
        "Promoting" | "Finalising" => {
            say("abort", "too late: the template is copied to the primary; R goes back to a version");
        }
        "Waiting" => {
            say("abort", "the canary has no traffic yet; R puts the old template back on the target")
        }
        _ => {}
    }
}
