//! The facts that a plan rests on, and what differs when they have changed. Pure.

use serde_json::{Value, json};

use crate::domain::act::{Known, Operation};
use crate::domain::{Rollout, Version};
use crate::sources::canary::wire::Told;

/// What is pinned. Measured share and timers are not: they move all the time.
pub fn of(told: &Told) -> Vec<Known> {
    let rollout = &told.rollout;
    let known = |name: &str, value: Value| Known { name: name.into(), value };
    vec![
        known("generation", told.generation.into()),
        known("phase", rollout.phase.word().into()),
        known("situation", rollout.situation.word().into()),
        known("step", rollout.step.into()),
        known("stable", rollout.stable.as_str().into()),
        known("canary", rollout.canary.as_ref().map(Version::as_str).into()),
        known("asked", json!(rollout.asked)),
    ]
}

/// What has changed that matters to this act, in words; `None` when nothing has.
///
/// The generation by itself does not: a note, an owner, a changed plan move it too. An abort only asks
/// whether it would abort the same canary in favour of the same stable version.
pub fn moved(operation: &Operation, planned: &[Known], now: &Told) -> Option<String> {
    let matters = |name: &str| match name {
        "generation" => false,
        "stable" | "canary" => true,
        _ => !operation.is_safe_direction(),
    };
    let now = of(now);
    let changes: Vec<String> = planned
        .iter()
        .filter(|known| matters(&known.name))
        .filter_map(|known| {
            let fresh = now.iter().find(|fresh| fresh.name == known.name)?;
            let differs = !same(&fresh.value, &known.value);
            differs.then(|| format!("{} was {}, is {}", known.name, shown(&known.value), shown(&fresh.value)))
        })
        .collect();
    (!changes.is_empty()).then(|| changes.join("; "))
}

/// Numbers are the same when they are equal, however they are written: a journal reads 25 for 25.0.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `1.3.0 at 25 %, paused by its step; 1.2.0 stable`
pub fn words(rollout: &Rollout) -> String {
    let situation = rollout.situation.word();
    match &rollout.canary {
        Some(canary) => {
            format!("{canary} at {} %, {situation}; {} stable", rollout.asked, rollout.stable)
        }
        None => format!("{} at 100 %, {situation}", rollout.stable),
    }
}
