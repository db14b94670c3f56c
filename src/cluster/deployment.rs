//! A plain `Deployment`: no steps, no weights; the share of ready new pods is all there is.

use serde_json::Value;

use super::look::{self, says};
use super::revisions::{self, DEPLOYMENT, REPLICA_SETS};
use super::{Around, Kind, Naming, Resource, autoscaler, owner};
use crate::domain::text::clean;
use crate::domain::{Condition, ControllerKind, Level, Rollout, Situation, Time, Version};

/// Where Deployments live.
pub const DEPLOYMENTS: Resource =
    Resource { group: "apps", version: "v1", kind: "Deployment", plural: "deployments" };

/// The kind.
pub struct Deployment;

/// The controller that moves this Deployment, when it is not the Deployment's own: `Rollout als`.
pub fn moved_by(object: &Value, around: &Around) -> Option<String> {
    let owners = look::list(object, "/metadata/ownerReferences").iter();
    let mut controllers = owners.filter(|owner| look::flag(owner, "/controller"));
    if let Some(owner) = controllers.next() {
        return Some(format!("{} {}", look::text(owner, "/kind"), look::text(owner, "/name")));
    }
    let (namespace, name) = (look::namespace(object), look::name(object));
    let points = |found: &Value, pointer: &str| {
        look::text(found, &format!("{pointer}/kind")) == "Deployment"
            && look::text(found, &format!("{pointer}/name")) == name
    };
    let canary = around.of("canaries", namespace).find(|canary| points(canary, "/spec/targetRef"));
    if let Some(canary) = canary {
        return Some(format!("Canary {}", look::name(canary)));
    }
    let rollout = around.of("rollouts", namespace).find(|rollout| points(rollout, "/spec/workloadRef"));
    rollout.map(|rollout| format!("Rollout {}", look::name(rollout)))
}

struct Pods {
    wanted: u32,
    all: u32,
    updated: u32,
    available: u32,
    ready: u32,
}

impl Pods {
    fn of(object: &Value) -> Self {
        let count = |key: &str| look::count(object, &format!("/status/{key}")).unwrap_or(0);
        Self {
            wanted: look::count(object, "/spec/replicas").unwrap_or(1),
            all: count("replicas"),
            updated: count("updatedReplicas"),
            available: count("availableReplicas"),
            ready: count("readyReplicas"),
        }
    }

    /// Every pod is new and available, in the order in which `kubectl rollout status` looks.
    fn is_complete(&self) -> bool {
        self.updated >= self.wanted && self.all <= self.updated && self.available >= self.updated
    }
}

impl Kind for Deployment {
    fn controller(&self) -> ControllerKind {
        ControllerKind::Deployment
    }

    fn word(&self) -> &'static str {
        "deployment"
    }

    fn resource(&self) -> Resource {
        DEPLOYMENTS
    }

    fn companions(&self) -> &'static [Resource] {
        &[REPLICA_SETS, autoscaler::AUTOSCALERS, super::argo::ROLLOUTS, super::flagger::CANARY]
    }

    fn read(&self, object: &Value, around: &Around, naming: &Naming, _: Time) -> Option<Rollout> {
        if look::name(object).is_empty() || moved_by(object, around).is_some() {
            return None;
        }
        let sets = revisions::sets(object, around, DEPLOYMENT);
        let own = look::annotation(object, DEPLOYMENT.number).and_then(|number| number.parse().ok());
        let newest = sets
            .iter()
            .find(|set| own.is_some() && revisions::number(set, DEPLOYMENT) == own)
            .or(sets.first())
            .copied();
        let ready = |set: &Value| look::count(set, "/status/readyReplicas").unwrap_or(0);
        let is_newest = |set: &Value| newest.is_some_and(|newest| look::name(newest) == look::name(set));
        let pods = Pods::of(object);
        let observed =
            look::count(object, "/status/observedGeneration") >= look::count(object, "/metadata/generation");
        let complete = observed && pods.is_complete();
        // What still has pods serves; of several the newest.
        let has_pods =
            |set: &&&Value| ready(set) > 0 || look::count(set, "/status/replicas").unwrap_or(0) > 0;
        let old = sets.iter().filter(|set| !is_newest(set)).find(has_pods).copied().filter(|_| !complete);
        let hash = |set: Option<&Value>| {
            set.map(|set| revisions::hash(set, DEPLOYMENT).to_owned()).unwrap_or_default()
        };
        let (new_hash, old_hash) = (hash(newest), hash(old));
        let serving = if old.is_some() { &old_hash } else { &new_hash };
        let revisions = revisions::of(&sets, DEPLOYMENT, naming, serving, &new_hash);
        let stable = if serving.is_empty() {
            Version::new("unknown")
        } else {
            revisions::name_of(&revisions, serving)
        };
        let mut rollout = Rollout::of("deployment", stable);
        if old.is_some() {
            rollout.canary = Some(revisions::name_of(&revisions, &new_hash));
            rollout.asked = 100.0;
            rollout.set = newest.map(|newest| share(ready(newest), pods.ready));
        }
        let created =
            |set: Option<&Value>| set.and_then(|set| look::moment(set, "/metadata/creationTimestamp"));
        let goes_back = created(newest).zip(created(old)).is_some_and(|(new, old)| new < old);
        let first = revisions.len() < 2;
        let condition = |kind: &str| look::condition(object, kind);
        let late =
            condition("Progressing").is_some_and(|(_, reason, _)| reason == "ProgressDeadlineExceeded");
        let held = look::flag(object, "/spec/paused");
        let counts =
            format!("{} of {} pods updated, {} available", pods.updated, pods.wanted, pods.available);
        let (situation, message) = if !observed {
            (Situation::Progressing, "the controller has not seen the last change".into())
        } else if held {
            rollout.waits = true;
            let words =
                if old.is_some() { counts } else { "changes of the template wait for the release".into() };
            (Situation::PausedByHand, format!("held by hand; {words}"))
        } else if late && !complete {
            (Situation::Degraded, counts)
        } else if complete {
            (if first { Situation::Idle } else { Situation::Complete }, String::new())
        } else if goes_back {
            (Situation::RollingBack, counts)
        } else if newest.is_none_or(|newest| ready(newest) == 0) {
            (Situation::Starting, counts)
        } else {
            (Situation::Progressing, counts)
        };
        rollout.situation = situation;
        rollout.phase = situation.phase();
        rollout.since = look::list(object, "/status/conditions")
            .iter()
            .find(|condition| look::text(condition, "/type") == "Progressing")
            .and_then(|condition| look::moment(condition, "/lastTransitionTime"));
        rollout.owner = owner::words(object);
        rollout.autoscaler = autoscaler::words("Deployment", object, around);
        rollout.message = clean(&message, 300);
        rollout.revisions = revisions;
        rollout.conditions = conditions(object, held, &rollout.autoscaler, complete);
        rollout.cannot = cannot(held, rollout.revisions.len());
        Some(rollout)
    }
}

fn share(part: u32, all: u32) -> f64 {
    if all == 0 { 0.0 } else { (100.0 * f64::from(part) / f64::from(all)).clamp(0.0, 100.0) }
}

fn conditions(object: &Value, held: bool, scaler: &str, complete: bool) -> Vec<Condition> {
    let mut all = Vec::new();
    if let Some((_, "ProgressDeadlineExceeded", message)) = look::condition(object, "Progressing")
        && !complete
    {
        let limit = look::count(object, "/spec/progressDeadlineSeconds").unwrap_or(600);
        all.push(says(Level::Critical, format!("no progress for {limit} s: {message}")));
    }
    if let Some(("True", reason, message)) = look::condition(object, "ReplicaFailure") {
        all.push(says(Level::Critical, format!("pods cannot be made: {reason}, {message}")));
    }
    if let Some(("False", _, message)) = look::condition(object, "Available") {
        all.push(says(Level::Warning, format!("not available: {message}")));
    }
    if held {
        let scaling = if scaler.is_empty() { String::new() } else { format!("; scaling ({scaler}) goes on") };
        all.push(says(
            Level::Ok,
            format!("held: changes of the template pile up and roll out at release{scaling}"),
        ));
    }
    all
}

fn cannot(held: bool, revisions: usize) -> Vec<(String, String)> {
    let mut all = vec![
        ("weight", "a Deployment has no weights, only pods; use a Rollout, a Canary or a route"),
        ("promote", "a Deployment has no steps; it goes on by itself"),
        ("promote-full", "a Deployment goes on by itself; H releases a held one"),
        ("retry", "a Deployment is not aborted; R goes to a version"),
    ];
    if revisions < 2 {
        all.push(("rollback", "no other revision is kept; apply an older manifest"));
        all.push(("abort", "no other revision is kept; apply an older manifest"));
    } else if held {
        all.push(("rollback", "the controller does nothing while it is held; H releases it first"));
        all.push(("abort", "the controller does nothing while it is held; H releases it first"));
    }
    all.into_iter().map(|(verb, why)| (verb.to_owned(), why.to_owned())).collect()
}

#[cfg(test)]
mod tests;
