//! Whose samples these are: finds this endpoint's model and the versions among a page's labels.

use crate::config::preset::Preset;
use crate::domain::{ModelId, Version};
use crate::sources::exposition::Sample;

/// The model that an endpoint serves, as its metrics call it.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The model of the fleet.
    pub model: ModelId,
    /// Its name on this server.
    pub name: String,
    /// The version that the config says this server serves.
    pub version: Option<Version>,
}

impl Subject {
    /// The model that a sample speaks of; `None` when no label tells.
    pub fn model_of<'s>(preset: &Preset, sample: &'s Sample<'_>) -> Option<&'s str> {
        preset.model_label.iter().find_map(|label| sample.label(label)).filter(|value| is_told(value))
    }

    /// Whether a sample speaks of this model, or of the whole server.
    pub fn owns(&self, preset: &Preset, sample: &Sample<'_>) -> bool {
        Self::model_of(preset, sample).is_none_or(|name| self.is_called(name))
    }

    /// Whether this is the model's name: servers write `-`, `_` and blanks as they like.
    pub fn is_called(&self, name: &str) -> bool {
        let same = |c: char| match c {
            '_' | ' ' => '-',
            other => other.to_ascii_lowercase(),
        };
        name == self.name || name.chars().map(same).eq(self.name.chars().map(same))
    }

    /// The version of a sample, else the configured one. Servers write a missing version in words.
    pub fn version_of(&self, preset: &Preset, sample: &Sample<'_>) -> Option<Version> {
        let told = preset.version_label.iter().filter_map(|label| sample.label(label)).find(|v| is_told(v));
        told.map(Version::new).or_else(|| self.version.clone())
    }
}

/// Whether a label's value says something: MLServer writes `None`, BentoML `not available`.
fn is_told(value: &str) -> bool {
    !matches!(value, "" | "None" | "none" | "null" | "not available" | "unknown" | "<unknown>")
}
