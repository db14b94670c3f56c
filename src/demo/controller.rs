//! The canary controller: tells each rollout, counts which version really got the requests, and obeys.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, Method};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::acts;
use super::cast::NAMES;
use super::fleet::Fleet;
use super::position::Position;
use super::story::STEPS;
use super::track::Track;
use super::web::{Question, absent, json as answer_json};
use crate::domain::{Phase, Situation};

/// Answers one request; an `Audit-ID` comes back as it went.
pub fn answer(fleet: &Fleet, question: &Question) -> Response {
    let mut response = answered(fleet, question);
    if let Some(id) = question.headers.get("audit-id") {
        response.headers_mut().insert(HeaderName::from_static("audit-id"), id.clone());
    }
    response
}

fn answered(fleet: &Fleet, question: &Question) -> Response {
    let parts: Vec<&str> = question.path.trim_matches('/').split('/').collect();
    match (&question.method, parts.as_slice()) {
        (&Method::GET, ["api", "v1", "rollouts"]) => {
            let rollouts: Vec<Value> =
                (0..fleet.models.len()).filter_map(|model| rollout(fleet, model)).collect();
            answer_json(200, &json!({"controller": "demo", "rollouts": rollouts}))
        }
        (&Method::GET, ["api", "v1", "rollouts", name]) => {
            match fleet.find(name).and_then(|model| rollout(fleet, model)) {
                Some(rollout) => answer_json(200, &rollout),
                None => absent("no such rollout"),
            }
        }
        (&Method::POST, ["api", "v1", "rollouts", name, "acts"]) => acts::act(fleet, name, question),
        (&Method::GET, ["api", "v1", "acts"]) => acts::list(fleet, question),
        (&Method::GET, ["api", "v1", "mutations"]) => answer_json(200, &fleet.mutations.told()),
        _ => absent("Not Found"),
    }
}

fn rollout(fleet: &Fleet, model: usize) -> Option<Value> {
    let (told, canary) =
        fleet.rollout(model, |track, position, _| (told(fleet, model, track, &position), position.canary))?;
    let measured = canary.and_then(|canary| share(fleet, model, canary));
    let mut told = told?;
    told["measured"] = measured.map(|share| (share * 10.0).round() / 10.0).into();
    Some(told)
}

/// The share of the requests that a version got lately, percent.
fn share(fleet: &Fleet, model: usize, version: usize) -> Option<f64> {
    let arrived = fleet.models.get(model)?.arrived();
    fleet.rollout(model, |track, _, _| track.share(version, &arrived))?
}

/// A rollout as the controller tells it, without the measured share.
pub fn told(fleet: &Fleet, model: usize, track: &Track, position: &Position) -> Option<Value> {
    let state = fleet.models.get(model)?;
    let name = |version: usize| state.part.versions.get(version);
    let steps: Vec<Value> = STEPS
        .iter()
        .map(|&weight| json!({"weight": weight, "pause_s": if weight == 25.0 { Value::Null } else { json!(60) }}))
        .collect();
    let time = |t: f64| fleet.clock(t).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let phase = position.situation.phase();
    let waits = position.situation == Situation::PausedByStep;
    let mut cannot = Map::new();
    if position.situation == Situation::PausedByHand {
        cannot.insert("promote".into(), "it is held by hand; resume first, then promote".into());
    }
    let live = matches!(phase, Phase::Progressing | Phase::Paused | Phase::Degraded);
    let conditions = match phase {
        Phase::Degraded => json!([{"level": "critical", "text": position.message}]),
        _ => json!([]),
    };
    Some(json!({
        "model": state.part.name,
        "controller": "demo",
        "generation": track.generation(),
        "acts": true,
        "dry_run": true,
        "cannot": cannot,
        "stable": name(position.stable),
        "canary": position.canary.filter(|_| live).and_then(name),
        "steps": steps,
        "step": position.step,
        "asked": position.weight,
        "set": position.weight,
        "phase": phase.word(),
        "situation": word(position.situation),
        "since": time(position.since),
        "until": position.until.map(time),
        "waits": waits,
        "pause": if phase == Phase::Paused { position.message.as_str() } else { "" },
        "message": position.message,
        "conditions": conditions,
        "revisions": revisions(fleet, model, position),
    }))
}

/// The situation as the interface writes it: `paused-by-step`.
pub fn word(situation: Situation) -> Value {
    match serde_json::to_value(situation) {
        Ok(Value::String(word)) => word.replace('_', "-").into(),
        _ => Value::Null,
    }
}

/// Every version of the cast can be brought back.
fn revisions(fleet: &Fleet, model: usize, position: &Position) -> Vec<Value> {
    let Some(state) = fleet.models.get(model) else { return Vec::new() };
    let wanted = state.part.instances;
    let revision = |(version, name): (usize, &String)| {
        let pods = match () {
            () if version == position.stable => [wanted, wanted],
            () if position.to == Some(version) => [0, wanted],
            () if position.trial().is_some_and(|(trial, _)| trial == version) => {
                [usize::from(position.situation != Situation::Degraded), 1]
            }
            () => [0, 0],
        };
        let bad = position.bad.get(&version);
        let bad = bad.map(|(why, t)| format!("{why} {}", fleet.clock(*t).format("%d %b %H:%MZ")));
        json!({
            "number": version + 1,
            "hash": format!("{:08x}", super::story::mix((model * 64 + version) as u64) >> 32),
            "version": name,
            "created": fleet.created(model, version).to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            "stable": version == position.stable,
            "canary": position.canary == Some(version),
            "pods": pods,
            "known_bad": bad.unwrap_or_default(),
        })
    };
    state.part.versions.iter().enumerate().rev().map(revision).collect()
}

/// Looks at every rollout twice a second, so that its clock moves and the share is counted.
pub async fn count_shares(fleet: Arc<Fleet>) {
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        for (model, state) in fleet.models.iter().enumerate().take(NAMES) {
            fleet.rollout(model, |track, _, _| track.sample(state.arrived()));
        }
    }
}
