//! What an act should lead to, and whether it has. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::control::{Finding, Seen};
use crate::domain::act::{Beware, CheckPlan, Operation, Refusal, VersionMap};
use crate::domain::{Level, Phase, Revision, Rollout, Situation, Version};
use crate::sources::canary::wire::Told;

/// Weights differ when they differ by more than this, percent.
const HAIR: f64 = 0.05;

/// What an act should lead to.
#[derive(Debug, Clone, Default)]
pub struct Goal {
    /// In words.
    pub words: String,
    /// The part of the traffic that it concerns, percent.
    pub share: Option<f64>,
    /// The version that all traffic is on afterwards.
    pub version: Option<VersionMap>,
    /// The canary's weight afterwards, percent: at least this for a promotion, exactly this else.
    weight: Option<f64>,
    /// The stable version afterwards.
    stable: Option<Version>,
    /// How long until it is effective, seconds.
    pub expected_s: f64,
}

impl Goal {
    /// What a later look needs, as it is kept with the request.
    pub fn kept(&self) -> BTreeMap<String, Value> {
        let stable = self.stable.as_ref().map(|version| json!(version.as_str()));
        let weight = self.weight.map(|weight| json!(weight));
        [("stable", stable), ("weight", weight)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }
}

/// What an act leads to from here.
///
/// # Errors
/// A version or a step that this rollout does not have.
pub fn goal(operation: &Operation, rollout: &Rollout) -> Result<Goal, Refusal> {
    let (stable, asked) = (&rollout.stable, rollout.asked);
    let canary = rollout.canary.clone().or_else(|| {
        let tried = rollout.revisions.iter().find(|revision| revision.is_canary);
        tried.and_then(|revision| revision.version.clone())
    });
    let name = canary.as_ref().map_or_else(|| "the canary".to_owned(), ToString::to_string);
    let all_on = |version: &Version, share: f64, words: String| Goal {
        words,
        share: Some(share),
        version: Some(by_all_names(version, rollout)),
        stable: Some(version.clone()),
        expected_s: 5.0,
        ..Goal::default()
    };
    Ok(match operation {
        Operation::Pause => Goal {
            words: format!("{name} held at {asked} %"),
            share: Some(asked),
            expected_s: 2.0,
            ..Goal::default()
        },
        Operation::Resume => Goal {
            words: format!("{name} at {asked} %, goes on with its steps"),
            share: Some(asked),
            expected_s: 2.0,
            ..Goal::default()
        },
        Operation::Promote => match rollout.steps.get(rollout.step + 1) {
            Some(next) if next.weight < 100.0 => Goal {
                words: format!("{name} at {} %", next.weight),
                share: Some(next.weight),
                weight: Some(next.weight),
                expected_s: 5.0,
                ..Goal::default()
            },
            _ => all_on(&known(canary)?, 100.0 - asked, format!("{name} at 100 %")),
        },
        Operation::PromoteFull => all_on(&known(canary)?, 100.0 - asked, format!("{name} at 100 %")),
        Operation::Abort => Goal {
            weight: Some(0.0),
            expected_s: 3.0,
            ..all_on(stable, asked, format!("{stable} at 100 %, {name} aborted"))
        },
        Operation::Retry => {
            let first = rollout.steps.first().map_or(0.0, |step| step.weight);
            Goal {
                words: format!("{name} at {first} %, from its first step"),
                share: Some(first),
                weight: Some(first),
                expected_s: 5.0,
                ..Goal::default()
            }
        }
        Operation::RollBack { to } => {
            revision(to, rollout)?;
            Goal { expected_s: 10.0, ..all_on(to, 100.0, format!("{to} at 100 %")) }
        }
        Operation::SetWeight { percent } => {
            if !(0.0..=100.0).contains(percent) {
                let instead = "give a percent from 0 to 100";
                return Err(Refusal::new(format!("{percent} is no share of traffic"), instead));
            }
            Goal {
                words: format!("{name} at {percent} %"),
                share: Some((percent - asked).abs()),
                weight: Some(*percent),
                expected_s: 5.0,
                ..Goal::default()
            }
        }
    })
}

fn known(canary: Option<Version>) -> Result<Version, Refusal> {
    canary.ok_or_else(|| Refusal::new("the controller does not name the canary", "act with its own tool"))
}

/// The revision of a version, when the controller lists revisions at all.
fn revision<'r>(version: &Version, rollout: &'r Rollout) -> Result<Option<&'r Revision>, Refusal> {
    let found = rollout.revisions.iter().find(|revision| revision.version.as_ref() == Some(version));
    if found.is_some() || rollout.revisions.is_empty() {
        return Ok(found);
    }
    let kept: Vec<String> = rollout.revisions.iter().take(8).map(Revision::name).collect();
    Err(Refusal::new(
        format!("the controller keeps no version {version}"),
        format!("choose one of {}", kept.join(", ")),
    ))
}

fn by_all_names(version: &Version, rollout: &Rollout) -> VersionMap {
    let found = rollout.revisions.iter().find(|revision| revision.version.as_ref() == Some(version));
    VersionMap {
        name: version.to_string(),
        revision: found.and_then(|revision| revision.number),
        hash: found.map(|revision| revision.hash.clone()).unwrap_or_default(),
        registry: String::new(),
    }
}

/// What the request does, in a few words.
pub fn request_words(operation: &Operation) -> String {
    match operation {
        Operation::RollBack { to } => format!("rollback to {to}"),
        Operation::SetWeight { percent } => format!("weight {percent} %"),
        other => other.verb().into(),
    }
}

/// What an operator should know beforehand.
pub fn beware(operation: &Operation, told: &Told) -> Vec<Beware> {
    let mut found = Vec::new();
    let mut warn = |level, text: String| found.push(Beware { level, text });
    if let Operation::RollBack { to } = operation
        && let Ok(Some(revision)) = revision(to, &told.rollout)
        && !revision.known_bad.is_empty()
    {
        warn(Level::Critical, format!("{to} is known to be bad: {}", revision.known_bad));
    }
    if told.generation.is_none() {
        warn(
            Level::Unknown,
            "this controller has no generation: a change of the last moment is not seen".into(),
        );
    }
    if !told.rollout.owner.is_empty() {
        warn(Level::Warning, format!("{} owns it and may undo this", told.rollout.owner));
    }
    found
}

/// What this controller will look at.
pub fn checks(operation: &Operation, generation: Option<u64>) -> Vec<CheckPlan> {
    let check =
        |id: &str, words: String, within_s: f64| CheckPlan { id: id.into(), words, needed: true, within_s };
    let beyond =
        generation.map(|generation| format!(" (generation beyond {generation})")).unwrap_or_default();
    let mut checks = vec![check("observed", format!("controller has accepted it{beyond}"), 15.0)];
    checks.extend(match operation {
        Operation::Pause => vec![check("state", "it is held by hand".into(), 15.0)],
        Operation::Resume => vec![check("state", "nobody holds it any more".into(), 15.0)],
        Operation::Promote | Operation::Retry => {
            vec![check("weight", "the step's weight is set".into(), 60.0)]
        }
        Operation::SetWeight { percent } => {
            vec![check("weight", format!("the canary's weight is {percent} %"), 60.0)]
        }
        Operation::Abort => vec![
            check("weight", "the canary's weight is 0 %".into(), 60.0),
            check("revision", "only the stable version serves".into(), 60.0),
        ],
        Operation::PromoteFull | Operation::RollBack { .. } => {
            vec![check("revision", "the version is the stable one, alone".into(), 300.0)]
        }
    });
    checks
}

/// What the rollout says about one check, except `observed`.
pub fn look(id: &str, operation: &Operation, keep: &BTreeMap<String, Value>, now: &Rollout) -> Finding {
    let stable = keep.get("stable").and_then(Value::as_str);
    let weight = keep.get("weight").and_then(Value::as_f64);
    let measured = now.measured.map(|share| format!(", {share} % measured")).unwrap_or_default();
    let asked = now.set.unwrap_or(now.asked);
    let over = matches!(now.situation, Situation::Aborted | Situation::Degraded);
    let yes = |holds: bool| match (holds, over && !matches!(operation, Operation::Abort)) {
        (true, _) => Seen::Yes,
        (false, true) => Seen::No,
        (false, false) => Seen::NotYet,
    };
    let (seen, detail) = match id {
        "state" => {
            let held = matches!(now.situation, Situation::PausedByHand | Situation::Suspended);
            (yes(held == matches!(operation, Operation::Pause)), now.situation.word().to_owned())
        }
        "weight" => {
            let there = weight.is_some_and(|weight| match operation {
                // The clock may have led it further already.
                Operation::Promote | Operation::Retry => now.is_live() && asked + HAIR >= weight,
                _ => (asked - weight).abs() <= HAIR,
            });
            let promoted = matches!(operation, Operation::Promote) && now.situation == Situation::Complete;
            (yes(there || promoted), format!("{asked} % set{measured}"))
        }
        "revision" => {
            let alone = !now.is_live() || now.situation == Situation::Aborted;
            let here = stable.is_none_or(|stable| now.stable.as_str() == stable);
            // A weight of 0 is not yet an abort: the controller must have given the canary up.
            let ended = !matches!(operation, Operation::Abort) || now.phase == Phase::Aborted;
            // Under way: pods of the version still start.
            let still = !matches!(now.situation, Situation::RollingBack | Situation::Promoting);
            (yes(alone && here && ended && still), super::facts::words(now))
        }
        _ => (Seen::Nothing, String::new()),
    };
    Finding { id: id.into(), seen, detail }
}
