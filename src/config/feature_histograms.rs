//! Feature histograms in Prometheus, whose drift is computed here.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::Span;
use super::error::ConfigError;
use super::model::Config;
use super::places::Places;

/// Histograms of one model's features in Prometheus: the last window against a reference of the past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeatureHistogramsConfig {
    /// Its unique name, shown in the header.
    #[serde(default = "usual_name")]
    pub name: String,
    /// The model that the features are of.
    pub model: String,
    /// Which Prometheus; the first when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The classic histogram's metric, `model_feature_bucket`.
    pub metric: String,
    /// The label that names the feature.
    #[serde(default = "usual_label")]
    pub feature_label: String,
    /// The label that names the feature's group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_label: Option<String>,
    /// Label matchers added to the query: `model="als"`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub select: String,
    /// The current window; an hour when absent.
    #[serde(default = "usual_window")]
    pub window: Span,
    /// The reference is so long ago, such as `7d`, and as long as the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_offset: Option<Span>,
    /// Instead of the offset: the reference begins at this moment (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_from: Option<String>,
    /// The reference ends at this moment (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_to: Option<String>,
    /// How often it is asked; the general `refresh`, but at least a minute, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
}

impl FeatureHistogramsConfig {
    /// The fixed reference, when one is named: begin and end.
    pub fn fixed(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        moment(self.reference_from.as_deref()?).zip(moment(self.reference_to.as_deref()?))
    }
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| at.to_utc())
}

fn usual_name() -> String {
    "feature-histograms".into()
}

fn usual_label() -> String {
    "feature".into()
}

fn usual_window() -> Span {
    Span::seconds(3_600)
}

/// Looks at every table of feature histograms, but not at names, which all sources share.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub(super) fn validate(config: &Config, places: &Places) -> Result<(), ConfigError> {
    for (index, one) in config.feature_histograms.iter().enumerate() {
        let wrong = |key: &str, what: String, remedy: &str| {
            let place = places.place(&format!("feature_histograms[{index}]{key}"));
            Err(ConfigError::new(place, what, remedy))
        };
        if let Some((what, remedy)) = config.lacks(&one.model) {
            return wrong(".model", what, remedy);
        }
        let known = |name: &str| config.prometheus.iter().any(|server| server.name == name);
        if config.prometheus.is_empty() || one.source.as_deref().is_some_and(|name| !known(name)) {
            let what = format!(
                "there is no [[prometheus]] named `{}`",
                one.source.as_deref().unwrap_or("prometheus")
            );
            return wrong(".source", what, "add the [[prometheus]] table with its url, or correct `source`");
        }
        if !one.metric.ends_with("_bucket") {
            let what = format!("`{}` does not end with _bucket", one.metric);
            return wrong(".metric", what, "name the series with the label `le` of a classic histogram");
        }
        if one.feature_label.trim().is_empty() || one.feature_label == "le" {
            let what = "names no feature".to_owned();
            return wrong(".feature_label", what, "write the label that holds the feature's name");
        }
        if one.window.as_secs_f64() < 10.0 {
            let what = format!("{} is too short", one.window);
            return wrong(".window", what, "write at least 10s; 1h is usual");
        }
        match (one.reference_offset, &one.reference_from, &one.reference_to) {
            (Some(offset), None, None) if offset >= one.window => {}
            (Some(offset), None, None) => {
                let what = format!("{offset} is shorter than the window: it would be compared with itself");
                return wrong(".reference_offset", what, "write at least the window, such as 7d");
            }
            (None, Some(from), Some(to)) => {
                for (key, text) in [(".reference_from", from), (".reference_to", to)] {
                    if moment(text).is_none() {
                        let what = format!("`{text}` is no moment");
                        return wrong(key, what, "write RFC 3339, such as 2026-01-01T00:00:00Z");
                    }
                }
                let long = one.fixed().is_some_and(|(from, to)| (to - from).num_seconds() >= 60);
                if !long {
                    let what = "is not a minute after reference_from".to_owned();
                    return wrong(".reference_to", what, "let the reference end after its begin");
                }
            }
            (None, None, None) => {
                let remedy = "write `reference_offset` such as 7d, or `reference_from` and `reference_to`";
                return wrong("", "names no reference".into(), remedy);
            }
            _ => {
                let remedy = "keep `reference_offset`, or both `reference_from` and `reference_to`";
                return wrong("", "names half a reference, or two".into(), remedy);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    #[test]
    fn every_mistake_says_place_and_remedy() {
        let start =
            "[[prometheus]]\nurl = \"http://p/\"\n[[model]]\nname = \"als\"\n[[feature_histograms]]\n";
        let good = "model = \"als\"\nmetric = \"f_bucket\"\n";
        let table = [
            (format!("{good}reference_offset = \"7d\"\n"), [""; 3]),
            (
                format!(
                    "{good}reference_from = \"2026-01-01T00:00:00Z\"\nreference_to = \"2026-01-08T00:00:00Z\"\n"
                ),
                [""; 3],
            ),
            ("model = \"als\"\nmetric = \"f\"\n".into(), ["w.toml:7", "_bucket", "`le`"]),
            (good.into(), ["w.toml:5, feature_histograms[0]", "no reference", "7d"]),
            (format!("{good}reference_offset = \"5m\"\n"), ["w.toml:8", "with itself", "at least"]),
            (format!("{good}reference_from = \"2026-01-01T00:00:00Z\"\n"), ["w.toml:5", "half", "both"]),
            (
                format!("{good}reference_from = \"monday\"\nreference_to = \"2026-01-08T00:00:00Z\"\n"),
                ["w.toml:8", "`monday`", "RFC 3339"],
            ),
            (
                format!(
                    "{good}reference_to = \"2026-01-01T00:00:00Z\"\nreference_from = \"2026-01-08T00:00:00Z\"\n"
                ),
                ["w.toml:8", "a minute after", "end after"],
            ),
            (
                format!("source = \"x\"\n{good}reference_offset = \"7d\"\n"),
                ["w.toml:6, feature_histograms[0].source", "`x`", "[[prometheus]]"],
            ),
            (format!("{good}window = \"5s\"\nreference_offset = \"7d\"\n"), ["w.toml:8", "too short", "1h"]),
            (
                format!("{good}feature_label = \"le\"\nreference_offset = \"7d\"\n"),
                ["w.toml:8", "names no feature", "label"],
            ),
        ];
        for (text, expected) in table {
            match parse("w.toml", &format!("{start}{text}"), &[]) {
                Ok(_) => assert_eq!(expected, [""; 3], "{text:?} is taken"),
                Err(error) => {
                    let error = error.to_string();
                    for part in expected {
                        assert!(!part.is_empty() && error.contains(part), "{text:?}: `{part}`: {error}");
                    }
                }
            }
        }
    }
}
