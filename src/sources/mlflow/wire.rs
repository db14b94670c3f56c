//! MLflow's answers as they come: everything may be absent, numbers may be strings.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::domain::text::{clean, clean_name};

/// A key with a value, in a list as MLflow writes maps.
#[derive(Debug, Clone, Deserialize)]
pub struct Pair {
    /// The key.
    #[serde(default)]
    pub key: String,
    /// The value.
    #[serde(default)]
    pub value: String,
}

/// Pairs as a map, cleaned for the screen.
pub fn map(pairs: &[Pair]) -> BTreeMap<String, String> {
    pairs.iter().map(|pair| (clean_name(&pair.key), clean(&pair.value, 400))).collect()
}

/// An alias of a registered model.
#[derive(Debug, Clone, Deserialize)]
pub struct Alias {
    /// Its name.
    pub alias: String,
    /// The version it points to.
    #[serde(deserialize_with = "text")]
    pub version: String,
}

/// A registered model.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Vec<Pair>,
    /// Its aliases, only told here.
    pub aliases: Vec<Alias>,
}

/// `registered-models/get`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ModelAnswer {
    /// The model.
    pub registered_model: Model,
}

/// `registered-models/search`; the list is absent when it is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Models {
    /// A page of models.
    pub registered_models: Vec<Model>,
    /// How to get the next page.
    pub next_page_token: Option<String>,
}

/// A model version.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ModelVersion {
    /// The model's name.
    pub name: String,
    /// Its number, as text.
    #[serde(deserialize_with = "text")]
    pub version: String,
    /// When it was made, ms.
    pub creation_timestamp: Option<i64>,
    /// `None`, `Staging`, `Production`, `Archived`.
    pub current_stage: Option<String>,
    /// The note.
    pub description: Option<String>,
    /// Where its files lie.
    pub source: Option<String>,
    /// The run that made it, may be empty.
    pub run_id: Option<String>,
    /// `READY` and others.
    pub status: Option<String>,
    /// Why it is not ready.
    pub status_message: Option<String>,
    /// Its tags.
    pub tags: Vec<Pair>,
}

/// `model-versions/get`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct VersionAnswer {
    /// The version.
    pub model_version: ModelVersion,
}

/// `model-versions/search`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ModelVersions {
    /// A page of versions.
    pub model_versions: Vec<ModelVersion>,
    /// How to get the next page.
    pub next_page_token: Option<String>,
}

/// One logged value.
#[derive(Debug, Clone, Deserialize)]
pub struct Metric {
    /// Its name.
    #[serde(default)]
    pub key: String,
    /// The value: `"NaN"` as text, the largest float for infinity.
    #[serde(default, deserialize_with = "number")]
    pub value: Option<f64>,
    /// When, ms.
    pub timestamp: Option<i64>,
}

/// `metrics/get-history`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct History {
    /// A page of values.
    pub metrics: Vec<Metric>,
    /// How to get the next page.
    pub next_page_token: Option<String>,
}

/// `runs/get`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RunAnswer {
    /// The run.
    pub run: Run,
}

/// A run.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Run {
    /// Who and when.
    pub info: RunInfo,
    /// What it logged.
    pub data: RunData,
    /// What it read.
    pub inputs: RunInputs,
}

/// Who and when.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RunInfo {
    /// The account that ran it.
    pub user_id: Option<String>,
    /// `FINISHED`, `RUNNING` …
    pub status: Option<String>,
    /// When it ended, ms.
    pub end_time: Option<i64>,
}

/// What a run logged.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RunData {
    /// The last value of each metric.
    pub metrics: Vec<Metric>,
    /// Hyperparameters.
    pub params: Vec<Pair>,
    /// Tags, with MLflow's own.
    pub tags: Vec<Pair>,
}

/// What a run read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RunInputs {
    /// Data sets.
    pub dataset_inputs: Vec<DatasetInput>,
}

/// One data set.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DatasetInput {
    /// The data set.
    pub dataset: Dataset,
}

/// A data set's name and hash.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// Its hash.
    pub digest: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(f64),
    Text(String),
    Other(serde::de::IgnoredAny),
}

/// A finite number, also written as text; NaN and infinities (1.797e308 in SQL stores) are none.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let value = match Scalar::deserialize(deserializer)? {
        Scalar::Number(value) => Some(value),
        Scalar::Text(text) => text.parse().ok(),
        Scalar::Other(_) => None,
    };
    Ok(value.filter(|value: &f64| value.abs() < 1e308))
}

/// A text that some servers write as a number.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Scalar::deserialize(deserializer)? {
        Scalar::Number(value) => value.to_string(),
        Scalar::Text(text) => text,
        Scalar::Other(_) => String::new(),
    })
}
