//! An Argo Rollouts `Rollout`: it steps by itself; its judge is server-side. Computed as its own command line does.

mod analysis;
mod cannot;
mod remarks;
mod situation;
pub mod steps;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::revisions::{self, ARGO, REPLICA_SETS};
use super::{Around, Kind, Naming, Resource, autoscaler, look, owner};
use crate::domain::text::clean;
use crate::domain::{ControllerKind, Level, Rollout, Situation, Time, Version};
use steps::Ladder;

/// Where Rollouts live.
pub const ROLLOUTS: Resource =
    Resource { group: "argoproj.io", version: "v1alpha1", kind: "Rollout", plural: "rollouts" };
/// Where AnalysisRuns live.
pub const ANALYSIS_RUNS: Resource =
    Resource { group: "argoproj.io", version: "v1alpha1", kind: "AnalysisRun", plural: "analysisruns" };

/// The kind.
pub struct Argo;

/// A Rollout's fields that everything here asks for.
pub(super) struct Facts<'a> {
    object: &'a Value,
    /// The hash that the manifest wants.
    pub wanted: &'a str,
    /// The hash that serves.
    pub stable: &'a str,
    /// Whether a person holds it.
    pub held: bool,
    /// Whether it was aborted.
    pub aborted: bool,
    /// Whether a promotion to all traffic was asked for.
    pub promoting: bool,
    /// Why the controller pauses, with the moment.
    pub pauses: Vec<(&'a str, Option<Time>)>,
    /// Ready, available and wanted pods of the wanted hash; none when its ReplicaSet is not known.
    pub trial: Option<Pods>,
    /// The same of the stable hash.
    pub serving: Option<Pods>,
    /// Pods that the manifest wants.
    pub replicas: u32,
}

/// Pods of one ReplicaSet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pods {
    pub available: u32,
    pub created: Option<Time>,
}

impl<'a> Facts<'a> {
    fn of(object: &'a Value, sets: &[&Value]) -> Self {
        let wanted = look::text(object, "/status/currentPodHash");
        let stable = look::text(object, "/status/stableRS");
        let pods = |hash: &str| {
            let set = sets.iter().find(|set| !hash.is_empty() && revisions::hash(set, ARGO) == hash)?;
            let available = look::count(set, "/status/availableReplicas").unwrap_or(0);
            Some(Pods { available, created: look::moment(set, "/metadata/creationTimestamp") })
        };
        let pause = |pause: &'a Value| (look::text(pause, "/reason"), look::moment(pause, "/startTime"));
        Self {
            object,
            wanted,
            stable,
            held: look::flag(object, "/spec/paused"),
            aborted: look::flag(object, "/status/abort"),
            promoting: look::flag(object, "/status/promoteFull"),
            pauses: look::list(object, "/status/pauseConditions").iter().map(pause).collect(),
            trial: pods(wanted),
            serving: pods(stable),
            replicas: look::count(object, "/spec/replicas").unwrap_or(1),
        }
    }

    /// Whether two versions are there: something is under trial, or was aborted.
    pub fn is_split(&self) -> bool {
        !self.stable.is_empty() && !self.wanted.is_empty() && self.stable != self.wanted
    }

    /// Whether the controller has seen the newest manifest: its number stands as a text.
    pub fn is_observed(&self) -> bool {
        let seen = look::text(self.object, "/status/observedGeneration");
        look::count(self.object, "/metadata/generation")
            .is_none_or(|generation| seen == generation.to_string())
    }

    /// Whether an older revision is coming back.
    pub fn is_going_back(&self) -> bool {
        match (self.trial.and_then(|pods| pods.created), self.serving.and_then(|pods| pods.created)) {
            (Some(wanted), Some(stable)) => wanted < stable,
            _ => false,
        }
    }

    /// The status' condition of this type: status, reason, message.
    pub fn condition(&self, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
        look::condition(self.object, kind)
    }

    /// When a condition changed last.
    fn changed(&self, kind: &str) -> Option<Time> {
        let all = look::list(self.object, "/status/conditions").iter();
        let found = all.into_iter().find(|condition| look::text(condition, "/type") == kind)?;
        look::moment(found, "/lastTransitionTime")
    }

    /// A hash as people say it.
    pub fn short(hash: &str) -> String {
        clean(hash, 10)
    }
}

/// The weight that users get, percent: the router's; without one the share of the pods that are available.
fn set_weight(facts: &Facts<'_>, ladder: &Ladder) -> Option<f64> {
    if !facts.is_split() {
        return None;
    }
    if ladder.is_blue_green {
        let active = look::text(facts.object, "/status/blueGreen/activeSelector");
        return (!active.is_empty()).then_some(if active == facts.wanted { 100.0 } else { 0.0 });
    }
    if let Some(weight) = look::number(facts.object, "/status/canary/weights/canary/weight") {
        return Some((100.0 * weight / ladder.most).clamp(0.0, 100.0));
    }
    if ladder.is_routed {
        return None;
    }
    let all = look::count(facts.object, "/status/availableReplicas").filter(|all| *all > 0)?;
    Some((100.0 * f64::from(facts.trial?.available) / f64::from(all)).clamp(0.0, 100.0))
}

impl Kind for Argo {
    fn controller(&self) -> ControllerKind {
        ControllerKind::Argo
    }

    fn word(&self) -> &'static str {
        "rollout"
    }

    fn resource(&self) -> Resource {
        ROLLOUTS
    }

    fn companions(&self) -> &'static [Resource] {
        &[REPLICA_SETS, ANALYSIS_RUNS, autoscaler::AUTOSCALERS, super::deployment::DEPLOYMENTS]
    }

    fn read(&self, object: &Value, around: &Around, naming: &Naming, now: Time) -> Option<Rollout> {
        look::text(object, "/metadata/name").chars().next()?;
        let sets = revisions::sets(object, around, ARGO);
        let facts = Facts::of(object, &sets);
        let ladder = Ladder::of(object);
        let mut revisions = revisions::of(&sets, ARGO, naming, facts.stable, facts.wanted);
        analysis::mark_bad(&mut revisions, object, around);
        let name = |hash: &str| revisions::name_of(&revisions, hash);
        // Before the first pods are ready there is no stable hash: what starts is what will serve.
        let serving = if facts.stable.is_empty() { facts.wanted } else { facts.stable };
        let stable = if serving.is_empty() { Version::new("unknown") } else { name(serving) };
        let mut rollout = Rollout::of("argo-rollouts", stable);
        rollout.canary = facts.is_split().then(|| name(facts.wanted));
        let index = ladder.index(object);
        rollout.step =
            if facts.is_split() || facts.stable.is_empty() { ladder.rung(index) } else { ladder.rungs.len() };
        rollout.asked = ladder.asked(&facts, index);
        rollout.set = set_weight(&facts, &ladder);
        let found = situation::of(&facts, &ladder, around, index, now);
        rollout.situation = found.situation;
        rollout.phase = found.situation.phase();
        rollout.since = found.since;
        rollout.until = found.until;
        rollout.waits = found.waits;
        rollout.steps = ladder.rungs.clone();
        rollout.owner = owner::words(object);
        rollout.autoscaler = autoscaler::words("Rollout", object, around);
        rollout.analyses = analysis::of(object, around, facts.wanted);
        rollout.revisions = revisions;
        rollout.message = clean(&found.message, 400);
        rollout.conditions = remarks::of(&facts, &rollout, &ladder);
        rollout.cannot = cannot::of(&facts, &rollout, &ladder);
        if rollout.situation == Situation::Aborted
            && let Some(bad) = rollout.revisions.iter_mut().find(|revision| revision.is_canary)
            && bad.known_bad.is_empty()
        {
            bad.known_bad = match look::moment(object, "/status/abortedAt") {
                Some(at) => format!("aborted {}", at.format("%-d %b %H:%M")),
                None => "aborted".into(),
            };
        }
        rollout.conditions.sort_by_key(|condition| std::cmp::Reverse(rank(condition.level)));
        Some(rollout)
    }
}

/// How far up a condition stands.
fn rank(level: Level) -> u8 {
    match level {
        Level::Critical => 2,
        Level::Warning => 1,
        _ => 0,
    }
}
