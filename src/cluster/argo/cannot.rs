//! Acts that this Rollout has no way to do now, each with what to do instead.

use super::Facts;
use super::steps::Ladder;
use crate::cluster::look;
use crate::domain::{Rollout, Situation};

/// Verbs and reasons.
pub(super) fn of(facts: &Facts<'_>, rollout: &Rollout, ladder: &Ladder) -> Vec<(String, String)> {
    let mut all: Vec<(&str, String)> = Vec::new();
    all.push((
        "weight",
        if ladder.is_blue_green {
            "blue-green has no weights; P switches all traffic".into()
        } else {
            "the steps own the weight; P goes on to the next step".into()
        },
    ));
    let invalid = facts.condition("InvalidSpec").is_some_and(|(status, _, _)| status == "True");
    if invalid && facts.is_observed() {
        for verb in ["promote", "promote-full", "retry"] {
            all.push((
                verb,
                "the spec is invalid and the controller does nothing; correct it, or R goes to a version"
                    .into(),
            ));
        }
    } else if facts.promoting && facts.is_split() {
        for verb in ["promote", "promote-full"] {
            all.push((verb, "all traffic is on its way already; it waits for pods".into()));
        }
    } else if rollout.situation == Situation::PausedByHand && facts.is_split() && facts.pauses.is_empty() {
        all.push(("promote", "it is held by hand, not by a step; H releases it".into()));
    }
    if facts.is_split()
        && !facts.aborted
        && facts.is_going_back()
        && look::count(facts.object, "/spec/rollbackWindow/revisions").is_some()
    {
        all.push((
            "abort",
            "the controller ignores an abort of a rollback inside its window; R goes to the other version"
                .into(),
        ));
    }
    let kind = look::text(facts.object, "/spec/workloadRef/kind");
    if !kind.is_empty() && !["Deployment", "ReplicaSet"].contains(&kind) {
        all.push(("rollback", format!("its template lives in a {kind}; change that one")));
    } else if rollout.revisions.len() < 2 {
        all.push(("rollback", "no other revision is kept; apply an older manifest".into()));
    }
    all.into_iter().map(|(verb, why)| (verb.to_owned(), why)).collect()
}
