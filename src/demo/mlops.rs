//! The MLOps service: `GET /mlops/status` with quality and drift history of the named models.

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::cast::NAMES;
use super::fleet::Fleet;
use super::page::run_metrics;
use super::web::{Question, absent, json as answer_json};

/// Answers one request.
pub fn answer(fleet: &Fleet, question: &Question) -> Response {
    if question.path != "/mlops/status" {
        return absent("Not Found");
    }
    let models: Vec<Value> =
        (0..fleet.models.len().min(NAMES)).filter_map(|model| status(fleet, model)).collect();
    answer_json(200, &json!({"service": "mlops", "time": time(fleet, fleet.t()), "models": models}))
}

fn time(fleet: &Fleet, t: f64) -> String {
    fleet.clock(t).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Quality of a model on a past day: near today's, a little better before.
pub fn past_quality(fleet: &Fleet, model: usize, version: usize, place: usize, days_ago: u32) -> f64 {
    let today = fleet.quality(model, version, fleet.t()).get(place).copied().unwrap_or(f64::NAN);
    let mixed = super::story::mix((model * 1_000 + place * 100) as u64 + u64::from(days_ago)) % 1_000;
    let noise = 0.012 * (mixed as f64 / 1_000.0 - 0.5);
    let slope = if model.is_multiple_of(3) { 0.0006 } else { 0.0001 };
    today + noise + slope * f64::from(days_ago)
}

fn status(fleet: &Fleet, model: usize) -> Option<Value> {
    let state = fleet.models.get(model)?;
    let (t, (serving, _)) = (fleet.t(), fleet.serving(model));
    // The service evaluates on the hour and at midnight: the past does not slide with the clock.
    let now = fleet.clock(t);
    let on = |step: i64| now - chrono::TimeDelta::seconds(now.timestamp().rem_euclid(step));
    let mut quality = Map::new();
    for (place, kpi) in run_metrics(state.part.kind).iter().enumerate() {
        let history: Vec<Value> = (1..=30)
            .rev()
            .map(|days| {
                let at = on(86_400) - chrono::TimeDelta::days(i64::from(days) - 1);
                json!([
                    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
                    past_quality(fleet, model, serving, place, days)
                ])
            })
            .collect();
        let value = fleet.quality(model, serving, t).get(place).copied();
        quality.insert(
            (*kpi).into(),
            json!({"value": value, "samples": state.part.labelled, "history": history}),
        );
    }
    let features: Vec<Value> = state
        .part
        .features
        .iter()
        .enumerate()
        .map(|(place, (group, feature, quiet))| {
            let score = |t: f64, hour: u64| {
                let wave = (super::story::mix(hour * 97 + (model * 16 + place) as u64) % 100) as f64 / 100.0;
                quiet * (0.7 + 0.6 * wave) + fleet.story.drift(model, place, t)
            };
            let history: Vec<Value> = (1..=48u64)
                .rev()
                .map(|hours| {
                    let at = on(3_600) - chrono::TimeDelta::hours(i64::try_from(hours).unwrap_or(0) - 1);
                    let value = score(t - 3_600.0 * hours as f64, hours);
                    json!([at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), value])
                })
                .collect();
            json!({"feature": feature, "group": group, "score": quiet + fleet.drift(model, place, t), "history": history})
        })
        .collect();
    let lag = fleet.story.label_lag(model, t);
    // Where samples tell the present, the service tells the past only.
    let told = if model == super::samples::MODEL { t - 3_600.0 } else { t };
    Some(json!({
        "model": state.part.name,
        "version": state.part.versions.get(serving),
        "quality": quality,
        "labels": {"coverage": 0.31, "median_age_s": 1_320.0, "last": time(fleet, t - lag)},
        "drift": {
            "method": "ks_distance", "threshold": 0.1, "rows": 3_500, "time": time(fleet, told),
            "features": features,
            "concept": {"finding": "none found", "abnormal": false},
            "prediction": {"finding": "+4 pts of 10", "abnormal": false},
        },
        "retraining": {"status": "idle"},
    }))
}
