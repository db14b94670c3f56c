//! Drift reports: files or an Evidently service, each about one model.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::access::Access;
use super::duration::Span;
use super::error::ConfigError;
use super::model::Config;
use super::places::Places;

/// Drift reports of one model: a file, a folder of files, or a project of an Evidently service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftReportsConfig {
    /// Its unique name, shown in the header.
    #[serde(default = "usual_name")]
    pub name: String,
    /// The model that the reports are about.
    pub model: String,
    /// A report, or a folder whose newest report counts: Evidently JSON, NannyML CSV, whylogs JSON, or
    /// wardroom's own rows as JSON, JSON lines or CSV.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The base URL of an Evidently service, instead of `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// The project of that service, by id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// How often it is looked at; the general `refresh` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// The deadline of a request or of reading the files; the general `timeout` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How the service is reached.
    #[serde(default)]
    pub access: Access,
    /// The column of the predictions: its drift is shown as drift of predictions, not of a feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction_column: Option<String>,
    /// The column of the truth: its drift is shown as drift of the concept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_column: Option<String>,
    /// Groups of features: `groups.sensor = ["spo2", "pulse"]`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Vec<String>>,
    /// How far times without a zone are ahead of UTC, minutes; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc_offset_minutes: Option<i32>,
}

fn usual_name() -> String {
    "drift-reports".into()
}

/// A feature that stands in two groups: the second group, and what is wrong.
pub(super) fn grouped_twice(groups: &BTreeMap<String, Vec<String>>) -> Option<(&str, String)> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    groups.iter().flat_map(|(group, features)| features.iter().map(move |feature| (group, feature))).find_map(
        |(group, feature)| {
            let first = known.insert(feature, group).filter(|first| first != group)?;
            Some((group.as_str(), format!("`{feature}` is in the group `{first}` already")))
        },
    )
}

/// Looks at every table of drift reports, but not at names and addresses, which all sources share.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub(super) fn validate(config: &Config, places: &Places) -> Result<(), ConfigError> {
    for (index, reports) in config.drift_reports.iter().enumerate() {
        let wrong = |key: &str, what: String, remedy: &str| {
            let place = places.place(&format!("drift_reports[{index}]{key}"));
            Err(ConfigError::new(place, what, remedy))
        };
        if let Some((what, remedy)) = config.lacks(&reports.model) {
            return wrong(".model", what, remedy);
        }
        match (&reports.path, &reports.url) {
            (Some(_), None) | (None, Some(_)) => {}
            (None, None) => {
                let remedy =
                    "write `path` for a file or folder, or `url` and `project` for an Evidently service";
                return wrong("", "names neither `path` nor `url`".into(), remedy);
            }
            (Some(_), Some(_)) => {
                let remedy = "keep one of them; a second [[drift_reports]] may read the other";
                return wrong(".url", "`path` and `url` stand together".into(), remedy);
            }
        }
        let project = reports.project.as_deref().map(str::trim).filter(|name| !name.is_empty());
        if reports.url.is_some() && project.is_none() {
            return wrong("", "has a `url` but no `project`".into(), "write the project's id or name");
        }
        if reports.path.is_some() && reports.project.is_some() {
            return wrong(".project", "a `path` has no project".into(), "remove `project`, or write a `url`");
        }
        if reports.prediction_column.is_some() && reports.prediction_column == reports.target_column {
            let what = "is the prediction column as well".to_owned();
            return wrong(".target_column", what, "name the column of the truth, or leave it out");
        }
        if reports.utc_offset_minutes.is_some_and(|minutes| !(-1_440..=1_440).contains(&minutes)) {
            let what = "is more than a day".to_owned();
            return wrong(".utc_offset_minutes", what, "write minutes ahead of UTC, such as 60 or -300");
        }
        if let Some((group, what)) = grouped_twice(&reports.groups) {
            return wrong(&format!(".groups.{group}"), what, "keep each feature in one group");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    fn error(table: &str) -> String {
        let text = format!("[[model]]\nname = \"als\"\n[[drift_reports]]\n{table}");
        parse("w.toml", &text, &[]).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn every_mistake_says_place_and_remedy() {
        let table = [
            ("path = \"/r\"\n", ["w.toml:3, drift_reports", "missing field `model`", "add the key"]),
            ("model = \"x\"\npath = \"/r\"\n", ["w.toml:4, drift_reports[0].model", "`x`", "[[model]]"]),
            ("model = \"als\"\n", ["w.toml:3, drift_reports[0]", "neither `path` nor `url`", "write `path`"]),
            (
                "model = \"als\"\npath = \"/r\"\nurl = \"http://h/\"\n",
                ["w.toml:6, drift_reports[0].url", "stand together", "keep one"],
            ),
            ("model = \"als\"\nurl = \"http://h/\"\n", ["w.toml:3", "no `project`", "id or name"]),
            (
                "model = \"als\"\nurl = \"ftp://h/\"\nproject = \"p\"\n",
                ["w.toml:5", "web address", "http://"],
            ),
            ("model = \"als\"\npath = \"/r\"\nproject = \"p\"\n", ["w.toml:6", "no project", "remove"]),
            (
                "model = \"als\"\npath = \"/r\"\nprediction_column = \"p\"\ntarget_column = \"p\"\n",
                ["w.toml:7, drift_reports[0].target_column", "prediction column", "leave it out"],
            ),
            (
                "model = \"als\"\npath = \"/r\"\nutc_offset_minutes = 5000\n",
                ["w.toml:6", "more than a day", "-300"],
            ),
            (
                "model = \"als\"\npath = \"/r\"\ngroups.a = [\"x\"]\ngroups.b = [\"x\"]\n",
                ["w.toml:7, drift_reports[0].groups.b", "`x` is in the group `a`", "one group"],
            ),
            (
                "model = \"als\"\npath = \"/r\"\n[[drift_reports]]\nmodel = \"als\"\npath = \"/s\"\n",
                ["w.toml:6", "stands twice", "another `name`"],
            ),
        ];
        for (text, expected) in table {
            let error = error(text);
            for part in expected {
                assert!(error.contains(part), "{text:?}: `{part}` is not in: {error}");
            }
        }
    }
}
