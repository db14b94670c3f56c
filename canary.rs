//! The canary controller: `GET /api/v1/rollouts`.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::clock::text;
use super::fleet::Fleet;
use super::roster::NAMED;
use super::story::{PAUSE_S, WEIGHTS};

/// The routes.
pub fn router(fleet: Arc<Fleet>) -> Router {
    Router::new().route("/api/v1/rollouts", get(rollouts)).with_state(fleet)
}

async fn rollouts(State(fleet): State<Arc<Fleet>>) -> Json<Value> {
    let named = fleet.story.models().len().min(NAMED);
    let all: Vec<Value> = (0..named).map(|model| rollout(&fleet, model)).collect();
    Json(json!({"controller": "demo", "rollouts": all}))
}

fn rollout(fleet: &Fleet, model: usize) -> Value {
    let standing = fleet.rollout(model);
    let steps: Vec<Value> =
        WEIGHTS.iter().map(|weight| json!({"weight": weight, "pause_s": PAUSE_S / fleet.clock.speed()})).collect();
    let since = fleet.clock.at(standing.since);
    let measured = standing.canary.and_then(|_| {
        let second = |at: crate::domain::Time| u64::try_from(at.timestamp()).unwrap_or_default();
        // The second in which the weight moved holds requests of both weights.
        fleet.running(model).share.measured(second(since) + 1, second(fleet.clock.now()))
    });
    json!({
        "model": fleet.spec(model).name,
        "namespace": "",
        "stable": standing.stable.to_string(),
        "canary": standing.canary.map(|release| release.to_string()),
        "steps": steps,
        "step": standing.step,
        "asked": standing.asked,
        "measured": measured.map(|share| (share * 100.0).round() / 100.0),
        "phase": standing.phase,
        "since": text(since),
        "until": standing.until.map(|until| text(fleet.clock.at(until))),
        "waits": standing.waits,
        "owner": "",
        "message": standing.message,
    })
}
