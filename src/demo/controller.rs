//! The canary controller: tells each rollout, and counts which version really got the requests.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use serde_json::{Value, json};

use super::cast::NAMES;
use super::fleet::Fleet;
use super::story::STEPS;
use super::web::{Question, absent, json as answer_json};

/// Answers one request.
pub fn answer(fleet: &Fleet, question: &Question) -> Response {
    if question.path != "/api/v1/rollouts" {
        return absent("Not Found");
    }
    let rollouts: Vec<Value> = (0..fleet.models.len()).filter_map(|model| rollout(fleet, model)).collect();
    answer_json(200, &json!({"controller": "demo", "rollouts": rollouts}))
}

fn rollout(fleet: &Fleet, model: usize) -> Option<Value> {
    let canary = fleet.canary(model)?;
    let state = fleet.models.get(model)?;
    let (serving, trial) = fleet.serving(model);
    let name = |version: usize| state.part.versions.get(version);
    let steps: Vec<Value> = STEPS
        .iter()
        .map(|&weight| json!({"weight": weight, "pause_s": if weight == 25.0 { Value::Null } else { json!(60) }}))
        .collect();
    let time = |t: f64| fleet.clock(t).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    Some(json!({
        "model": state.part.name,
        "stable": name(serving),
        "canary": trial.and_then(|(version, _)| name(version)),
        "steps": steps,
        "step": canary.step,
        "asked": canary.weight,
        "measured": trial.map(|_| (state.share() * 10.0).round() / 10.0),
        "phase": canary.phase,
        "since": time(canary.since),
        "until": canary.until.map(time),
        "waits": canary.waits,
        "message": canary.message,
    }))
}

/// Counts, every two seconds, the canary's share of the requests of the last half minute.
pub async fn count_shares(fleet: Arc<Fleet>) {
    let mut past: VecDeque<Vec<(u64, u64)>> = VecDeque::new();
    loop {
        let now: Vec<(u64, u64)> =
            (0..fleet.models.len().min(NAMES)).map(|model| counted(&fleet, model)).collect();
        let oldest = past.front();
        for (model, &(canary, all)) in now.iter().enumerate() {
            let (canary_then, all_then) = oldest.and_then(|then| then.get(model)).copied().unwrap_or((0, 0));
            let (more, of) = (canary.saturating_sub(canary_then), all.saturating_sub(all_then));
            if oldest.is_some() && of > 0 {
                fleet.models[model].set_share(100.0 * more as f64 / of as f64);
            }
        }
        past.push_back(now);
        if past.len() > 15 {
            past.pop_front();
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Requests to the version under trial, and to all.
fn counted(fleet: &Fleet, model: usize) -> (u64, u64) {
    let Some(state) = fleet.models.get(model) else { return (0, 0) };
    let canary = fleet.serving(model).1.map_or(0, |(version, _)| state.requests(version));
    (canary, (0..state.part.versions.len()).map(|version| state.requests(version)).sum())
}
