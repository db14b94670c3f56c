//! Where a Rollout stands, since when, until when, and in words.

use chrono::TimeDelta;

use super::steps::Ladder;
use super::{ANALYSIS_RUNS, Facts};
use crate::cluster::{Around, duration, look};
use crate::domain::{Situation, Time};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub situation: Situation,
    pub since: Option<Time>,
    pub until: Option<Time>,
    pub waits: bool,
    pub message: String,
}

/// Looks. The manifest's generation comes first: what the status says of an older one is old.
pub(super) fn of(facts: &Facts<'_>, ladder: &Ladder, around: &Around, index: usize, now: Time) -> Found {
    let mut found = Found {
        since: facts.changed("Progressing"),
        message: look::text(facts.object, "/status/message").to_owned(),
        ..Found::default()
    };
    let phase = look::text(facts.object, "/status/phase");
    let pause = facts.pauses.first().copied();
    let (situation, words) = if !facts.is_observed() {
        let generation = look::count(facts.object, "/metadata/generation").unwrap_or(0);
        let seen = look::text(facts.object, "/status/observedGeneration");
        let seen = if seen.is_empty() { "none" } else { seen };
        let words = format!(
            "the controller has not seen the last change: generation {generation}, it has seen {seen}"
        );
        (Situation::Progressing, Some(words))
    } else if facts.aborted {
        aborted(facts, ladder, &mut found)
    } else if is_broken(facts) {
        (Situation::Degraded, None)
    } else if !facts.is_split() {
        whole(facts, phase)
    } else if facts.promoting {
        let available = facts.trial.map_or(0, |pods| pods.available);
        let words =
            format!("all traffic when its pods are there: {available} of {} available", facts.replicas);
        (Situation::Promoting, Some(words))
    } else if facts.held {
        held(facts, ladder, index, now, &mut found)
    } else if let Some((reason, at)) = pause {
        paused(reason, at, ladder, index, &mut found)
    } else if look::flag(facts.object, "/status/controllerPause") {
        found.waits = true;
        let words = "the promotion was accepted and then lost by the controller; any write to the object wakes it: \
                     promote again, or annotate it";
        (Situation::PromotionLost, Some(words.to_owned()))
    } else if let Some(words) = workload_unseen(facts, around) {
        (Situation::Progressing, Some(words))
    } else if phase == "Degraded" {
        (Situation::Degraded, None)
    } else {
        moving(facts, ladder, around, index)
    };
    found.situation = situation;
    if let Some(words) = words {
        found.message = words;
    }
    found
}

/// Whether the controller does nothing any more: the manifest is wrong, or nothing moved for too long.
fn is_broken(facts: &Facts<'_>) -> bool {
    facts.condition("InvalidSpec").is_some_and(|(status, _, _)| status == "True")
        || facts.condition("Progressing").is_some_and(|(_, reason, _)| reason == "ProgressDeadlineExceeded")
}

/// Aborted: on its way while the router or the pods of a basic canary still serve it, or while a hold freezes it.
fn aborted(facts: &Facts<'_>, ladder: &Ladder, found: &mut Found) -> (Situation, Option<String>) {
    found.since = look::moment(facts.object, "/status/abortedAt").or(found.since);
    let (serving, wanted) = (Facts::short(facts.stable), Facts::short(facts.wanted));
    let mut words = format!("aborted: serving {serving}; spec still wants {wanted}");
    let said = look::text(facts.object, "/status/message");
    if let Some((_, why)) = said.split_once(": ").filter(|(_, why)| why.contains(": ")) {
        words.push_str(&format!(" ({})", why.split_once(": ").map_or(why, |(_, reason)| reason)));
    }
    if facts.held {
        found.waits = true;
        words.push_str("; held by hand, so its pods stay: abort again releases the hold");
        return (Situation::Aborting, Some(words));
    }
    let routed = look::number(facts.object, "/status/canary/weights/canary/weight").unwrap_or(0.0);
    let pods = facts.trial.map_or(0, |pods| pods.available);
    let still = if ladder.is_routed { routed > 0.0 } else { !ladder.is_blue_green && pods > 0 };
    (if still { Situation::Aborting } else { Situation::Aborted }, Some(words))
}

/// One version: nothing is under trial.
fn whole(facts: &Facts<'_>, phase: &str) -> (Situation, Option<String>) {
    let available = look::count(facts.object, "/status/availableReplicas").unwrap_or(0);
    match phase {
        _ if facts.held => {
            (Situation::PausedByHand, Some("held by hand; a new version would not start".to_owned()))
        }
        "Degraded" => (Situation::Degraded, None),
        "Healthy" => {
            let first = look::annotation(facts.object, crate::cluster::revisions::ARGO.number) == Some("1");
            (if first { Situation::Idle } else { Situation::Complete }, None)
        }
        _ if available < facts.replicas || facts.stable.is_empty() => {
            (Situation::Starting, Some(format!("{available} of {} pods available", facts.replicas)))
        }
        _ => (Situation::Progressing, None),
    }
}

/// Held by hand. The clock of a step's pause keeps running meanwhile.
fn held(
    facts: &Facts<'_>,
    ladder: &Ladder,
    index: usize,
    now: Time,
    found: &mut Found,
) -> (Situation, Option<String>) {
    found.waits = true;
    let mut words = "held by hand".to_owned();
    if let Some((reason, at)) = facts.pauses.first().copied() {
        let (own, _) = paused(reason, at, ladder, index, found);
        found.waits = true;
        words = match (own, found.until) {
            (Situation::PausedByStep, Some(until)) if until <= now => {
                "held by hand; timer elapsed; advances on release".into()
            }
            (Situation::PausedByStep, Some(until)) => {
                format!("held by hand; the step's timer runs on until {}", until.format("%H:%M:%S UTC"))
            }
            (Situation::PausedInconclusive, _) => "held by hand, and an analysis was inconclusive".into(),
            _ => "held by hand, and the step's own pause waits behind it: after release it wants a promotion"
                .into(),
        };
    }
    (Situation::PausedByHand, Some(words))
}

fn paused(
    reason: &str,
    at: Option<Time>,
    ladder: &Ladder,
    index: usize,
    found: &mut Found,
) -> (Situation, Option<String>) {
    found.since = at.or(found.since);
    if reason.starts_with("Inconclusive") {
        found.waits = true;
        let what = if reason.ends_with("Experiment") { "experiment" } else { "analysis" };
        return (
            Situation::PausedInconclusive,
            Some(format!("the {what} could not tell: promote goes past it")),
        );
    }
    let lasts = match reason {
        "BlueGreenPause" => ladder.rungs.first().and_then(|rung| rung.pause_s).filter(|lasts| *lasts > 0.0),
        _ => ladder.pause(index).flatten(),
    };
    found.until = lasts.zip(at).and_then(|(lasts, at)| {
        // Longer than the calendar is not a moment.
        at.checked_add_signed(TimeDelta::try_milliseconds((lasts * 1_000.0) as i64)?)
    });
    found.waits = lasts.is_none();
    let place = if ladder.is_blue_green {
        "before the switch".into()
    } else {
        format!("step {} of {}", (index + 1).min(ladder.len()), ladder.len())
    };
    let words = match lasts {
        Some(lasts) => format!("{place}: pause of {}", duration::words(lasts)),
        None => format!("{place}: waits for a promotion"),
    };
    (Situation::PausedByStep, Some(words))
}

/// With a `workloadRef` the template lives in a Deployment, whose newest generation must be seen too.
fn workload_unseen(facts: &Facts<'_>, around: &Around) -> Option<String> {
    let name = look::text(facts.object, "/spec/workloadRef/name");
    if name.is_empty() || look::text(facts.object, "/spec/workloadRef/kind") != "Deployment" {
        return None;
    }
    let workload = around.get("deployments", look::namespace(facts.object), name)?;
    let generation = look::count(workload, "/metadata/generation")?.to_string();
    let seen = look::text(facts.object, "/status/workloadObservedGeneration");
    (seen != generation).then(|| {
        format!("the controller has not seen the last change of Deployment {name}: generation {generation}")
    })
}

/// A step runs or pods start.
fn moving(facts: &Facts<'_>, ladder: &Ladder, around: &Around, index: usize) -> (Situation, Option<String>) {
    let available = facts.trial.map_or(0, |pods| pods.available);
    if facts.is_going_back() {
        return (Situation::RollingBack, None);
    }
    if available == 0 && index == 0 {
        let message = look::text(facts.object, "/status/message");
        let words = if message.is_empty() { "the first pods start" } else { message };
        return (Situation::Starting, Some(words.to_owned()));
    }
    let run = [
        "/status/canary/currentStepAnalysisRunStatus",
        "/status/blueGreen/prePromotionAnalysisRunStatus",
        "/status/blueGreen/postPromotionAnalysisRunStatus",
    ]
    .iter()
    .find_map(|at| facts.object.pointer(at))
    .filter(|run| ["Running", "Pending"].contains(&look::text(run, "/status")));
    let experiment = look::text(facts.object, "/status/canary/currentExperiment");
    let words = match run {
        Some(run) => {
            let name = look::text(run, "/name");
            let running = around.get(ANALYSIS_RUNS.plural, look::namespace(facts.object), name);
            let count = running.and_then(|run| look::count(run, "/status/runSummary/count"));
            let metrics = count.map_or_else(String::new, |count| format!(" of {count} metrics"));
            Some(format!("analysis {name}{metrics} runs"))
        }
        None if !experiment.is_empty() => Some(format!("experiment {experiment} runs")),
        None if !ladder.is_blue_green && index < ladder.len() => {
            let message = look::text(facts.object, "/status/message");
            let more = if message.is_empty() { String::new() } else { format!(": {message}") };
            Some(format!("step {} of {}{more}", index + 1, ladder.len()))
        }
        None => None,
    };
    (Situation::Progressing, words)
}
