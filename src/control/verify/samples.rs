//! Recorded predictions, and whether a new one equals them.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::Version;
use crate::domain::text::clean;

/// What is read of a file at most, bytes.
const MAX_BYTES: u64 = 16 << 20;
/// Samples of one version that are kept.
const MOST: usize = 100;

/// One recorded prediction.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Sample {
    /// The tensors of the question, as the Open Inference Protocol has them.
    pub inputs: Value,
    /// The version that answered; empty: any.
    #[serde(default)]
    pub version: String,
    /// The expected tensors, or their values.
    pub outputs: Value,
}

/// The samples of one version in a file of JSON lines.
pub(super) fn read(path: &Path, version: &Version) -> Result<Vec<Sample>, String> {
    let shown = path.display();
    let file = std::fs::File::open(path).map_err(|why| format!("model.verify.samples {shown}: {why}"))?;
    let mut samples = Vec::new();
    for (number, line) in BufReader::new(file.take(MAX_BYTES)).lines().enumerate() {
        let line = line.map_err(|why| format!("model.verify.samples {shown}: {why}"))?;
        if line.trim().is_empty() {
            continue;
        }
        let sample: Sample = serde_json::from_str(&line)
            .map_err(|why| format!("model.verify.samples {shown}, line {}: {why}", number + 1))?;
        if (sample.version.is_empty() || sample.version == version.as_str()) && samples.len() < MOST {
            samples.push(sample);
        }
    }
    Ok(samples)
}

/// How an answer differs from the recorded one; `None` when it does not.
pub(super) fn differs(answer: &Value, sample: &Sample, tolerance: f64) -> Option<String> {
    let said = answer.get("outputs").map(values).unwrap_or_default();
    let expected = values(&sample.outputs);
    if said.len() != expected.len() {
        return Some(format!("{} values instead of {}", said.len(), expected.len()));
    }
    let pair = expected.iter().zip(&said).find(|(expected, said)| !is_near(expected, said, tolerance))?;
    Some(format!("{} instead of {}", clean(&pair.1.to_string(), 40), clean(&pair.0.to_string(), 40)))
}

/// The plain values of tensors, or of a list of values.
fn values(outputs: &Value) -> Vec<&Value> {
    match outputs {
        Value::Array(all) => all.iter().flat_map(values).collect(),
        Value::Object(tensor) => tensor.get("data").map(values).unwrap_or_default(),
        plain => vec![plain],
    }
}

fn is_near(expected: &Value, said: &Value, tolerance: f64) -> bool {
    match (expected.as_f64(), said.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= tolerance * a.abs().max(1.0),
        _ => expected == said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sample(outputs: Value) -> Sample {
        Sample { inputs: json!([]), version: String::new(), outputs }
    }

    #[test]
    fn tensors_and_bare_values_are_compared_alike() {
        let answer = json!({"outputs": [{"name": "predict", "shape": [2], "data": [0.25, 0.750_000_01]}]});
        assert_eq!(differs(&answer, &sample(json!([0.25, 0.75])), 1e-6), None);
        assert_eq!(differs(&answer, &sample(json!([{"name": "x", "data": [0.25, 0.75]}])), 1e-6), None);
        let why = differs(&answer, &sample(json!([0.25, 0.80])), 1e-6).unwrap();
        assert!(why.contains("instead of 0.8"), "{why}");
        assert!(differs(&answer, &sample(json!([0.25])), 1.0).is_some());
        assert!(differs(&json!({"outputs": [{"data": ["cat"]}]}), &sample(json!(["dog"])), 1.0).is_some());
    }

    #[test]
    fn only_samples_of_the_version_count_and_a_bad_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("samples.jsonl");
        let lines = "{\"inputs\":[],\"version\":\"1.2.0\",\"outputs\":[1]}\n\n{\"inputs\":[],\"version\":\"1.3.0\",\"outputs\":[2]}\n";
        std::fs::write(&path, lines).unwrap();
        assert_eq!(read(&path, &Version::new("1.3.0")).unwrap().len(), 1);
        std::fs::write(&path, format!("{lines}not json\n")).unwrap();
        assert!(read(&path, &Version::new("1.3.0")).unwrap_err().contains("line 4"));
        assert!(read(&folder.path().join("none"), &Version::new("1")).unwrap_err().contains("none"));
    }
}
