//! The function test: the model answers recorded requests with the right version and the recorded predictions.

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::model::Protocol;
use crate::config::{Config, fleet};
use crate::domain::{ModelId, Version};
use crate::sources::http::{Http, segment};

/// One answer may take so long.
const LONGEST: Duration = Duration::from_secs(5);
/// An answer is small.
const MAX_BYTES: u64 = 4 << 20;
/// So many recorded requests are sent to each server.
const MOST: usize = 10;

/// Asks every server of a model; gives what was seen.
///
/// # Errors
/// A server that does not answer, another version, another prediction; or nothing to ask, in words.
pub(super) async fn test(config: &Config, model: &ModelId, version: &Version) -> Result<String, String> {
    let found = config.model.iter().find(|one| fleet::model_id(config, one) == *model);
    let found = found.ok_or_else(|| format!("{model} is not in the config"))?;
    let verify = found.verify.clone().unwrap_or_default();
    let path = verify.samples.ok_or("no recorded request to send: set model.verify.samples")?;
    let shown = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
    let text = read.map_err(|why| why.to_string())?.map_err(|why| format!("{shown}: {why}"))?;
    let samples: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|sample| sample["version"].as_str().is_none_or(|of| of.is_empty() || of == version.as_str()))
        .take(MOST)
        .collect();
    let servers: Vec<_> = found.endpoint.iter().filter(|server| server.protocol == Protocol::Oip).collect();
    if samples.is_empty() || servers.is_empty() {
        return Err(format!("no recorded request of {version}, or no endpoint with protocol = \"oip\""));
    }
    let mut asked = 0;
    for server in &servers {
        let http = Http::new(&server.url, &server.access, LONGEST, MAX_BYTES).map_err(|f| f.to_string())?;
        let name = server.model.as_deref().unwrap_or(&found.name);
        for sample in &samples {
            let answer = ask(&http, name, sample).await?;
            let by = answer["model_version"].as_str().unwrap_or("no version").to_owned();
            if by != version.as_str() {
                return Err(format!("{} answers with {by}", http.place()));
            }
            compare(&answer, sample, verify.tolerance.unwrap_or(1e-6))?;
            asked += 1;
        }
    }
    Ok(format!("{asked} recorded requests answered by {version} as recorded"))
}

async fn ask(http: &Http, name: &str, sample: &Value) -> Result<Value, String> {
    let path = format!("v2/models/{}/infer", segment(name));
    let mut last = String::new();
    // A server may fail a request now and then: three tries tell a fault from a bad moment.
    for _ in 0..3 {
        let answer = http.post_json(&path, &json!({ "inputs": sample["inputs"] })).await;
        match answer.and_then(|answer| answer.ok()?.json()) {
            Ok(answer) => return Ok(answer),
            Err(fault) => last = fault.to_string(),
        }
    }
    Err(last)
}

fn numbers(outputs: &Value) -> Vec<f64> {
    match outputs {
        Value::Array(all) => all.iter().flat_map(numbers).collect(),
        Value::Object(tensor) => tensor.get("data").map(numbers).unwrap_or_default(),
        other => other.as_f64().into_iter().collect(),
    }
}

fn compare(answer: &Value, sample: &Value, tolerance: f64) -> Result<(), String> {
    let (said, expected) = (numbers(&answer["outputs"]), numbers(&sample["outputs"]));
    if said.len() != expected.len() {
        return Err(format!("{} values instead of {}", said.len(), expected.len()));
    }
    let far = |(a, b): &(&f64, &f64)| (*a - *b).abs() > tolerance * b.abs().max(1.0);
    match said.iter().zip(&expected).find(far) {
        Some((said, expected)) => Err(format!("predicts {said} instead of {expected}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_prediction_is_found() {
        let recorded = json!({"outputs": [{"name": "predict", "data": [0.25, 0.5]}]});
        assert_eq!(compare(&recorded, &recorded, 1e-6), Ok(()));
        let other = json!({"outputs": [{"data": [0.25, 0.6]}]});
        assert!(compare(&other, &recorded, 1e-6).unwrap_err().contains("0.6 instead of 0.5"));
        assert!(compare(&json!({"outputs": []}), &recorded, 1.0).is_err());
    }
}
