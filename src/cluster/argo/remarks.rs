//! What else is to be said about a Rollout: what bites, before it does.

use super::Facts;
use super::steps::Ladder;
use crate::cluster::look::{self, says};
use crate::domain::{Condition, Level, Rollout, Situation};

/// The conditions in words.
pub(super) fn of(facts: &Facts<'_>, rollout: &Rollout, ladder: &Ladder) -> Vec<Condition> {
    let mut all = Vec::new();
    told(facts, &mut all);
    let wanted = facts.replicas;
    let available = facts.trial.map_or(0, |pods| pods.available);
    if matches!(rollout.situation, Situation::Aborted | Situation::Aborting) {
        all.push(says(
            Level::Warning,
            format!(
                "aborted: serving {}; spec still wants {}: a retry or any change of the template starts it again; roll back to {} makes the spec match",
                Facts::short(facts.stable),
                Facts::short(facts.wanted),
                rollout.stable
            ),
        ));
        let delay = facts.object.pointer("/spec/strategy/canary/abortScaleDownDelaySeconds");
        if delay.and_then(serde_json::Value::as_i64) == Some(0) && available > 0 {
            all.push(says(
                Level::Warning,
                format!(
                    "{available} pods of the aborted version stay for ever (abortScaleDownDelaySeconds: 0)"
                ),
            ));
        }
    }
    if facts.held {
        if !rollout.autoscaler.is_empty() {
            let words = format!(
                "held: all scaling is frozen, so the autoscaler ({}) does nothing",
                rollout.autoscaler
            );
            all.push(says(Level::Warning, words));
        } else if facts.is_split() {
            all.push(says(Level::Ok, "held: pods are neither added nor removed until release"));
        }
        all.extend(live_analysis(rollout));
    }
    if facts.promoting && facts.is_split() {
        let words = format!(
            "promotion to all waits for pods: {available} of {wanted} available; a plain abort is ignored meanwhile"
        );
        all.push(says(if available < wanted { Level::Warning } else { Level::Ok }, words));
    }
    if look::flag(facts.object, "/spec/strategy/canary/dynamicStableScale") && facts.is_split() {
        let serving = facts.serving.map_or(0, |pods| pods.available);
        if serving < wanted {
            let words = format!(
                "the stable version is scaled down to {serving} of {wanted} pods (dynamicStableScale): an abort waits for {} to start",
                wanted - serving
            );
            all.push(says(Level::Warning, words));
        }
    }
    if facts.is_split()
        && facts.is_going_back()
        && look::count(facts.object, "/spec/rollbackWindow/revisions").is_some()
    {
        all.push(says(
            Level::Ok,
            "an older revision comes back inside the rollback window: no steps, and an abort is ignored",
        ));
    }
    if facts.object.pointer("/status/canary/weights/verified").and_then(serde_json::Value::as_bool)
        == Some(false)
    {
        all.push(says(
            Level::Warning,
            "the load balancer has not confirmed the weight yet (verified: false)",
        ));
    }
    if facts.is_split() && !ladder.is_routed && !ladder.is_blue_green {
        all.push(says(Level::Ok, "no router: the weight is the share of pods"));
    }
    if look::count(facts.object, "/spec/revisionHistoryLimit") == Some(0) {
        all.push(says(Level::Warning, "revisionHistoryLimit is 0: there is nothing to go back to"));
    }
    all
}

/// The controller's own conditions.
fn told(facts: &Facts<'_>, all: &mut Vec<Condition>) {
    if let Some(("True", _, message)) = facts.condition("InvalidSpec") {
        all.push(says(Level::Critical, format!("invalid spec: {message}")));
    }
    if let Some((_, "ProgressDeadlineExceeded", message)) = facts.condition("Progressing") {
        let limit = look::count(facts.object, "/spec/progressDeadlineSeconds").unwrap_or(600);
        all.push(says(Level::Critical, format!("no progress for {limit} s: {message}")));
    }
    if let Some(("True", reason, message)) = facts.condition("ReplicaFailure") {
        all.push(says(Level::Critical, format!("pods cannot be made: {reason}, {message}")));
    }
    if let Some(("False", _, message)) = facts.condition("Available") {
        all.push(says(Level::Warning, format!("not available: {message}")));
    }
}

/// A hold does not stop the judge.
fn live_analysis(rollout: &Rollout) -> Vec<Condition> {
    let running = rollout.analyses.iter().filter(|analysis| analysis.phase == "Running");
    let each = running.map(|analysis| {
        let worst = analysis.metrics.iter().filter_map(|metric| {
            let (_, failed, may_fail) = metric.counts;
            may_fail.map(|may_fail| (failed, may_fail + 1, metric.name.as_str()))
        });
        let worst = worst.max_by(|a, b| (f64::from(a.0) / f64::from(a.1)).total_cmp(&(f64::from(b.0) / f64::from(b.1))));
        match worst {
            Some((failed, most, name)) => says(
                if failed > 0 { Level::Warning } else { Level::Ok },
                format!("held; analysis still live: {failed} of {most} failures used ({name}), the last one aborts"),
            ),
            None => says(Level::Ok, format!("held; analysis {} is still live", analysis.name)),
        }
    });
    each.collect()
}
