//! A model server: the Open Inference Protocol, version 2, and a metrics page.

use std::time::{Duration, Instant};

use axum::http::Method;
use axum::response::{IntoResponse, Response};
use rand::Rng;
use rand_distr::{Distribution, LogNormal};
use serde::Deserialize;
use serde_json::json;

use super::fleet::Fleet;
use super::page;
use super::story::mix;
use super::web::{Question, absent, json as answer_json, text};
use crate::domain::ModelKind;

/// Share of predictions whose label comes.
const LABELLED: f64 = 0.31;

#[derive(Deserialize)]
struct Infer {
    id: Option<String>,
    inputs: Vec<Tensor>,
}

#[derive(Deserialize)]
struct Tensor {
    shape: Vec<usize>,
    data: Vec<f64>,
}

/// Answers one request to one server of one model.
pub async fn answer(fleet: &Fleet, model: usize, instance: usize, question: &Question) -> Response {
    while fleet.story.is_hung(model, instance, fleet.t()) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let Some(state) = fleet.models.get(model) else { return absent("no such model") };
    let parts: Vec<&str> = question.path.trim_matches('/').split('/').collect();
    let versions = &state.part.versions;
    let (serving, _) = fleet.serving(model);
    let version_of = |label: &str| versions.iter().position(|version| version == label);
    match (&question.method, parts.as_slice()) {
        (&Method::GET, ["metrics"]) => text(page::metrics(fleet, model, instance)),
        (&Method::GET, ["v2"]) => {
            answer_json(200, &json!({"name": "wardroom-demo", "version": "1", "extensions": []}))
        }
        (&Method::GET, ["v2", "health", "live" | "ready"]) => ().into_response(),
        (_, ["v2", "models", name, ..]) if *name != state.part.name => {
            absent(&format!("Model {name} not found"))
        }
        (&Method::GET, ["v2", "models", _]) => {
            let (serving, trial) = fleet.serving(model);
            let loaded: Vec<&String> = std::iter::once(serving)
                .chain(trial.map(|(v, _)| v))
                .filter_map(|v| versions.get(v))
                .collect();
            let shape = json!([{"name": "features", "datatype": "FP64", "shape": [-1, 4]}]);
            answer_json(
                200,
                &json!({"name": state.part.name, "versions": loaded, "platform": "demo", "inputs": shape,
                    "outputs": [{"name": "predict", "datatype": "FP64", "shape": [-1]}]}),
            )
        }
        (&Method::GET, ["v2", "models", _, "ready"]) => ().into_response(),
        (&Method::GET, ["v2", "models", _, "versions", label, "ready"]) => match version_of(label) {
            Some(_) => ().into_response(),
            None => absent(&format!("version {label} not found")),
        },
        (&Method::POST, ["v2", "models", _, "infer"]) => {
            infer(fleet, model, instance, serving, question).await
        }
        (&Method::POST, ["v2", "models", _, "versions", label, "infer"]) => match version_of(label) {
            Some(version) => infer(fleet, model, instance, version, question).await,
            None => absent(&format!("version {label} not found")),
        },
        _ => answer_json(404, &json!({"detail": "Not Found"})),
    }
}

/// Predicts, after a latency drawn from the version's distribution; counts what it did.
async fn infer(
    fleet: &Fleet,
    model: usize,
    instance: usize,
    version: usize,
    question: &Question,
) -> Response {
    let begun = Instant::now();
    let Some(state) = fleet.models.get(model) else { return absent("no such model") };
    let Ok(asked) = serde_json::from_slice::<Infer>(&question.body) else {
        return answer_json(422, &json!({"detail": [{"loc": ["body"], "msg": "invalid inference request"}]}));
    };
    state.arrive(version);
    let mood = fleet.mood(model, version, fleet.t(), false);
    let (wait, failed) = {
        let mut rng = rand::rng();
        let median = state.part.median_ms * mood.slower / 1_000.0;
        let wait =
            LogNormal::new(median.ln(), state.part.sigma).map_or(median, |latency| latency.sample(&mut rng));
        (wait.min(8.0), rng.random_bool((state.part.errors + mood.more_errors).clamp(0.0, 1.0)))
    };
    // Timers fire up to a millisecond late; the work itself takes some microseconds.
    tokio::time::sleep(Duration::from_secs_f64((wait - 0.0008).max(0.0))).await;
    let predictions: Vec<f64> = asked
        .inputs
        .iter()
        .flat_map(|tensor| predict(model, version, tensor.shape.get(1).copied().unwrap_or(1), &tensor.data))
        .collect();
    if let Some(counts) = state.instances.get(instance).and_then(|counts| counts.get(version)) {
        counts.add(begun.elapsed().as_secs_f64(), failed);
        // A part of the predictions gets its label; the story does not wait for it.
        if !failed && let Some(correct) = labelled(fleet, model, version) {
            match fleet.label_delay_s() {
                0.0 => counts.label(correct),
                late_s => counts.label_late(Instant::now() + Duration::from_secs_f64(late_s), correct),
            }
        }
    }
    if failed {
        return answer_json(500, &json!({"error": "the model raised an exception"}));
    }
    answer_json(
        200,
        &json!({"model_name": state.part.name, "model_version": state.part.versions.get(version), "id": asked.id,
            "outputs": [{"name": "predict", "datatype": "FP64", "shape": [predictions.len()], "data": predictions}]}),
    )
}

/// Whether the label that comes for a prediction calls it right; most predictions get none.
fn labelled(fleet: &Fleet, model: usize, version: usize) -> Option<bool> {
    let state = fleet.models.get(model)?;
    if state.part.kind != ModelKind::Classification || !rand::rng().random_bool(LABELLED) {
        return None;
    }
    // What labels will say is decided when the prediction is made, however late they come.
    let (t, told) = (fleet.t(), fleet.mood(model, version, fleet.t(), true));
    let missing = fleet.mood(model, version, t, false).quality - told.quality;
    let accuracy = fleet.quality(model, version, t).first()? + missing;
    Some(rand::rng().random_bool(accuracy.clamp(0.0, 1.0)))
}

/// A logistic model whose weights follow from the model and its version; `data` are rows of `width` values.
pub fn predict(model: usize, version: usize, width: usize, data: &[f64]) -> Vec<f64> {
    let weight = |i: usize| (mix((model * 64 + version * 8 + i) as u64) % 2_000) as f64 / 1_000.0 - 1.0;
    let row = |row: &[f64]| row.iter().enumerate().map(|(i, x)| x * weight(i)).sum::<f64>();
    data.chunks(width.max(1)).map(|values| 1.0 / (1.0 + (-row(values)).exp())).collect()
}
