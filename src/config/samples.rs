//! Raw samples of one model: a reference file and a file that grows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::drift_reports::grouped_twice;
use super::duration::Span;
use super::error::ConfigError;
use super::model::Config;
use super::places::Places;

/// Methods whose score has a size. The homogeneity test is not among them: its p-value says only whether.
const METHODS: [&str; 5] = ["ks", "psi", "js", "kl", "wasserstein"];
/// Rows of a window at most: the window is kept in memory, eight bytes a cell.
const MOST_ROWS: usize = 10_000_000;

/// Samples of one model's features in files; their drift is computed here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SamplesConfig {
    /// Its unique name, shown in the header.
    #[serde(default = "usual_name")]
    pub name: String,
    /// The model that the samples are about.
    pub model: String,
    /// Samples as they should be: CSV, JSON lines or Parquet. Read again when it changes.
    pub reference: PathBuf,
    /// Samples as they come: only what was appended is read.
    pub current: PathBuf,
    /// How many of the last rows are compared.
    #[serde(default = "usual_window")]
    pub window: usize,
    /// Methods: ks, psi, js, kl, wasserstein.
    #[serde(default = "usual_methods")]
    pub methods: Vec<String>,
    /// Groups of features: `groups.sensor = ["spo2", "pulse"]`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Vec<String>>,
    /// The column of the predictions: its drift is shown as drift of predictions, not of a feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction_column: Option<String>,
    /// How often it is looked at; the general `refresh` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// The deadline of reading and computing; a minute when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

fn usual_name() -> String {
    "samples".into()
}

fn usual_window() -> usize {
    5_000
}

fn usual_methods() -> Vec<String> {
    ["ks", "js", "psi", "kl"].map(String::from).into()
}

/// Looks at every table of samples, but not at names, which all sources share.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub(super) fn validate(config: &Config, places: &Places) -> Result<(), ConfigError> {
    for (index, samples) in config.samples.iter().enumerate() {
        let wrong = |key: &str, what: String, remedy: &str| {
            let place = places.place(&format!("samples[{index}]{key}"));
            Err(ConfigError::new(place, what, remedy))
        };
        if let Some((what, remedy)) = config.lacks(&samples.model) {
            return wrong(".model", what, remedy);
        }
        if samples.reference == samples.current {
            let what = "is the reference as well: nothing would ever drift".to_owned();
            return wrong(".current", what, "name the file that the server appends to");
        }
        if !(1..=MOST_ROWS).contains(&samples.window) {
            let what = format!("{} rows are not between 1 and {MOST_ROWS}", samples.window);
            return wrong(".window", what, "write 5000, which pins a score to 4 points");
        }
        if samples.methods.is_empty() {
            return wrong(".methods", "names no method".into(), "write [\"ks\"], or leave it out");
        }
        for (number, method) in samples.methods.iter().enumerate() {
            if !METHODS.contains(&method.as_str()) {
                let what = format!("`{method}` is no method with a size");
                let remedy = format!("write some of {}", METHODS.join(", "));
                return wrong(&format!(".methods[{number}]"), what, &remedy);
            }
        }
        if let Some((group, what)) = grouped_twice(&samples.groups) {
            return wrong(&format!(".groups.{group}"), what, "keep each feature in one group");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    #[test]
    fn every_mistake_says_place_and_remedy() {
        let start = "[[model]]\nname = \"als\"\n[[samples]]\nreference = \"/r\"\n";
        let table = [
            ("model = \"als\"\n", ["w.toml:3", "missing field `current`", "add the key"]),
            ("current = \"/c\"\nmodel = \"x\"\n", ["w.toml:6, samples[0].model", "`x`", "[[model]]"]),
            ("current = \"/r\"\nmodel = \"als\"\n", ["w.toml:5, samples[0].current", "reference", "appends"]),
            ("current = \"/c\"\nmodel = \"als\"\nwindow = 0\n", ["w.toml:7", "0 rows", "5000"]),
            ("current = \"/c\"\nmodel = \"als\"\nmethods = []\n", ["w.toml:7", "no method", "leave it out"]),
            (
                "current = \"/c\"\nmodel = \"als\"\nmethods = [\"ks\", \"chi2\"]\n",
                ["w.toml:7, samples[0].methods[1]", "`chi2`", "wasserstein"],
            ),
            (
                "current = \"/c\"\nmodel = \"als\"\ngroups.a = [\"x\"]\ngroups.b = [\"x\"]\n",
                ["w.toml:8, samples[0].groups.b", "in the group `a`", "one group"],
            ),
            (
                "current = \"/c\"\nmodel = \"als\"\n[[samples]]\nmodel = \"als\"\nreference = \"/r\"\ncurrent = \"/d\"\n",
                ["w.toml:7", "stands twice", "another `name`"],
            ),
        ];
        for (text, expected) in table {
            let error = parse("w.toml", &format!("{start}{text}"), &[]).map(|_| ()).unwrap_err().to_string();
            for part in expected {
                assert!(error.contains(part), "{text:?}: `{part}` is not in: {error}");
            }
        }
    }
}
