//! The model registry, as MLflow's REST API tells it.

use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::fleet::Fleet;
use super::mlops::past_quality;
use super::page::run_metrics;
use super::shelf;
use super::web::{Question, json as answer_json, text};

const API: &str = "/api/2.0/mlflow/";

/// Answers one request.
pub fn answer(fleet: &Fleet, question: &Question) -> Response {
    match question.path.as_str() {
        "/health" => return text("OK".into()),
        "/version" => return text("3.17.2".into()),
        _ => {}
    }
    let call = question.path.strip_prefix(API).unwrap_or_default();
    if question.method != Method::GET && !call.ends_with("/search") {
        return shelf::write(fleet, call, question);
    }
    let found = match call {
        "registered-models/search" => Some(search_models(fleet, question)),
        "registered-models/get" => fleet
            .find(question.parameter("name"))
            .map(|model| json!({"registered_model": registered(fleet, model)})),
        "registered-models/alias" => alias(fleet, question),
        "model-versions/search" => search_versions(fleet, question),
        "model-versions/get" => fleet.find(question.parameter("name")).and_then(|model| {
            let version = question.parameter("version").parse::<usize>().ok()?.checked_sub(1)?;
            Some(json!({"model_version": version_of(fleet, model, version)?}))
        }),
        "runs/get" => run(fleet, question.parameter("run_id")),
        "metrics/get-history" => history(fleet, question),
        _ => None,
    };
    match found {
        Some(value) => answer_json(200, &value),
        None => answer_json(404, &json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not found"})),
    }
}

fn search_models(fleet: &Fleet, question: &Question) -> Value {
    let wanted = question.parameter("max_results").parse::<usize>().unwrap_or(100).clamp(1, 1_000);
    let from = question.parameter("page_token").parse::<usize>().unwrap_or(0);
    let to = (from + wanted).min(fleet.models.len());
    let models: Vec<Value> = (from..to).map(|model| registered(fleet, model)).collect();
    let mut answer = json!({ "registered_models": models });
    if to < fleet.models.len() {
        answer["next_page_token"] = to.to_string().into();
    }
    answer
}

fn registered(fleet: &Fleet, model: usize) -> Value {
    let name = fleet.models.get(model).map(|model| model.part.name.as_str());
    let list: Vec<Value> = shelf::aliases(fleet, model)
        .into_iter()
        .map(|(alias, version)| json!({"alias": alias, "version": (version + 1).to_string()}))
        .collect();
    let mut tags = vec![json!({"key": "owner", "value": "clinical-ml"})];
    fleet.shelf.read(model, None, |kept| kept.over(&mut tags));
    json!({"name": name, "creation_timestamp": 1_700_000_000_000i64, "last_updated_timestamp": 1_760_000_000_000i64,
        "description": "served by the demo", "aliases": list, "tags": tags})
}

fn alias(fleet: &Fleet, question: &Question) -> Option<Value> {
    let model = fleet.find(question.parameter("name"))?;
    let version = *shelf::aliases(fleet, model).get(question.parameter("alias"))?;
    Some(json!({"model_version": version_of(fleet, model, version)?}))
}

fn search_versions(fleet: &Fleet, question: &Question) -> Option<Value> {
    // The only filter that is asked of the demo: name='…'.
    let filter = question.parameter("filter");
    let name = filter.split(['\'', '"']).nth(1)?;
    let Some(model) = fleet.find(name) else { return Some(json!({})) };
    let count = fleet.models.get(model)?.part.versions.len();
    let versions: Vec<Value> =
        (0..count).rev().filter_map(|version| version_of(fleet, model, version)).collect();
    Some(json!({ "model_versions": versions }))
}

/// One version as the registry tells it.
pub fn version_of(fleet: &Fleet, model: usize, version: usize) -> Option<Value> {
    let part = &fleet.models.get(model)?.part;
    let label = part.versions.get(version)?;
    let (champion, trial) = fleet.serving(model);
    let stage = match version {
        v if v == champion => "Production",
        v if Some(v) == trial.map(|(version, _)| version) => "Staging",
        v if v < champion => "Archived",
        _ => "None",
    };
    let created = fleet.created(model, version).timestamp_millis();
    let approved = if version <= champion { "2026-09-30 Dr. Okafor" } else { "" };
    let mut tags = vec![
        json!({"key": "semver", "value": label}),
        json!({"key": "framework", "value": "scikit-learn 1.7.2"}),
        json!({"key": "data_window", "value": "2024-01..2026-06"}),
        json!({"key": "code_hash", "value": format!("{:07x}", super::story::mix(version as u64) >> 36)}),
    ];
    if !approved.is_empty() {
        tags.push(json!({"key": "approval.clinical", "value": approved}));
    }
    let description = fleet.shelf.read(model, Some(version), |kept| {
        kept.over(&mut tags);
        kept.description.clone()
    });
    let description = description.flatten().unwrap_or_else(|| format!("release {label}"));
    Some(json!({
        "name": part.name, "version": (version + 1).to_string(), "creation_timestamp": created,
        "last_updated_timestamp": created, "current_stage": stage, "description": description,
        "source": format!("models:/m-{model}-{version}"), "run_id": format!("{model}-{version}"), "status": "READY", "tags": tags,
    }))
}

fn parse_run(run: &str) -> Option<(usize, usize)> {
    let (model, version) = run.split_once('-')?;
    Some((model.parse().ok()?, version.parse().ok()?))
}

fn run(fleet: &Fleet, id: &str) -> Option<Value> {
    let (model, version) = parse_run(id)?;
    let part = &fleet.models.get(model)?.part;
    part.versions.get(version)?;
    let quality = fleet.quality(model, version, 0.0);
    let metrics: Vec<Value> = run_metrics(part.kind)
        .iter()
        .zip(quality)
        .map(|(key, value)| json!({"key": key, "value": value, "timestamp": 1_760_000_000_000i64, "step": 0}))
        .collect();
    let params = json!([{"key": "learning_rate", "value": "0.05"}, {"key": "max_depth", "value": (4 + version).to_string()}]);
    Some(
        json!({"run": {"info": {"run_id": id, "status": "FINISHED"}, "data": {"metrics": metrics, "params": params, "tags": []}}}),
    )
}

fn history(fleet: &Fleet, question: &Question) -> Option<Value> {
    let (model, version) = parse_run(question.parameter("run_id"))?;
    let part = &fleet.models.get(model)?.part;
    let key = question.parameter("metric_key");
    let Some(place) = run_metrics(part.kind).iter().position(|name| *name == key) else {
        return Some(json!({}));
    };
    let now = fleet.clock(fleet.t()).timestamp_millis().div_euclid(86_400_000) * 86_400_000;
    let metrics: Vec<Value> = (1..=30u32)
        .rev()
        .map(|days| {
            let at = now - 86_400_000 * (i64::from(days) - 1);
            json!({"key": key, "value": past_quality(fleet, model, version, place, days), "timestamp": at, "step": 30 - days})
        })
        .collect();
    Some(json!({ "metrics": metrics }))
}
