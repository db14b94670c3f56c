//! The MLOps service: `GET /mlops/status`, quality over thirty days and drift over two.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use chrono::{TimeDelta, Timelike};
use serde_json::{Map, Value, json};

use super::clock::text;
use super::fleet::Fleet;
use super::noise;
use super::roster::NAMED;
use crate::domain::Time;

/// Days of quality.
const DAYS: u32 = 30;

/// Hours of drift.
const HOURS: i64 = 48;

/// The routes.
pub fn router(fleet: Arc<Fleet>) -> Router {
    Router::new().route("/mlops/status", get(status)).with_state(fleet)
}

async fn status(State(fleet): State<Arc<Fleet>>) -> Json<Value> {
    let named = fleet.story.models().len().min(NAMED);
    let now = fleet.clock.now();
    let models: Vec<Value> = (0..named).map(|model| entry(&fleet, model, now)).collect();
    Json(json!({"service": "mlops", "time": text(now), "models": models}))
}

fn entry(fleet: &Fleet, model: usize, now: Time) -> Value {
    let t = fleet.clock.story_at(now);
    let stable = fleet.story.rollout(model, t).stable;
    let labels = fleet.story.labels(model, stable, t);
    let seed = fleet.story.seed();
    let trained = 4.0 + noise::between(seed, &[0x3741, model as u64], 0.0, 36.0);
    json!({
        "model": fleet.spec(model).name,
        "version": stable.to_string(),
        "quality": quality(fleet, model, now),
        "labels": {
            "coverage": rounded(labels.coverage),
            "median_age_s": labels.median_age_s.round(),
            "last": text(fleet.clock.at(labels.last)),
        },
        "drift": drift(fleet, model, now),
        "retraining": {
            "last": text(fleet.clock.at(-86_400.0 * trained.floor() - 43_200.0)),
            "status": if fleet.story.data_drift(model, t) > 0.2 { "requested" } else { "idle" },
        },
    })
}

fn quality(fleet: &Fleet, model: usize, now: Time) -> Value {
    let t = fleet.clock.story_at(now);
    let stable = fleet.story.rollout(model, t).stable;
    let labels = fleet.story.labels(model, stable, t);
    let kind = fleet.spec(model).kind;
    // One point a day at midnight, the newest now.
    let midnight = now - TimeDelta::seconds(i64::from(now.num_seconds_from_midnight()));
    let days: Vec<(Time, [f64; 6])> = (0..DAYS)
        .rev()
        .map(|day| {
            let at = if day == 0 { now } else { midnight - TimeDelta::days(i64::from(day) - 1) };
            (at, fleet.story.quality_on(model, stable, day, t))
        })
        .collect();
    let mut scores = Map::new();
    for (place, kpi) in kind.quality().iter().enumerate() {
        let history: Vec<Value> =
            days.iter().map(|(at, scores)| json!([text(*at), rounded(scores[place])])).collect();
        let value = fleet.story.quality(model, stable, t)[place];
        let samples = labels.behind(kind, place);
        let score = json!({"value": rounded(value), "samples": samples, "history": history});
        scores.insert(kpi.id().into(), score);
    }
    Value::Object(scores)
}

fn drift(fleet: &Fleet, model: usize, now: Time) -> Value {
    let t = fleet.clock.story_at(now);
    let hour = now - TimeDelta::seconds(i64::from(now.num_seconds_from_midnight() % 3_600));
    // Full hours, and the last one so far.
    let moments: Vec<(Time, f64)> = (0..HOURS)
        .rev()
        .map(|back| hour - TimeDelta::hours(back))
        .chain([now])
        .map(|at| (at, fleet.clock.story_at(at)))
        .collect();
    let inputs = fleet.spec(model).features.iter().enumerate();
    let features: Vec<Value> = inputs
        .map(|(place, feature)| {
            let history: Vec<Value> = moments
                .iter()
                .map(|(at, second)| json!([text(*at), rounded(fleet.story.drift(model, place, *second))]))
                .collect();
            let score = rounded(fleet.story.drift(model, place, t));
            json!({"feature": feature.name, "group": feature.group, "score": score, "history": history})
        })
        .collect();
    let points = (fleet.story.data_drift(model, t) * 33.0).round();
    json!({
        "method": "ks_distance",
        "threshold": 0.1,
        "rows": 3_500,
        "time": text(now),
        "features": features,
        "concept": {"finding": "none found", "abnormal": false},
        "prediction": {"finding": format!("+{points} pts of 10"), "abnormal": points > 6.0},
    })
}

fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
