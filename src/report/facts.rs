//! What is known of a model when a document is written: versions and drift.

use crate::domain::{Time, disagreement};
use crate::store::ModelState;

/// A feature that drifted.
#[derive(Debug, Clone, PartialEq)]
pub struct Drifted {
    /// Its name.
    pub feature: String,
    /// By which method, in words.
    pub method: String,
    /// The method's own score.
    pub raw: f64,
    /// The level's word.
    pub level: String,
    /// Since when it has been at this level or above.
    pub since: Option<Time>,
}

/// What is known of one model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The model's name.
    pub model: String,
    /// When this was so.
    pub at: Option<Time>,
    /// The version that serves.
    pub live: String,
    /// The canary; empty: none.
    pub canary: String,
    /// What each registry calls production: registry and version, with its name on screen where that is another.
    pub registries: Vec<(String, String)>,
    /// Registries that do not agree with what is served, in words.
    pub disagreements: Vec<String>,
    /// Drift of the inputs as a whole on the common scale, 0…1.
    pub drift: Option<f64>,
    /// Features at a level of low or above, the most drifted first.
    pub drifted: Vec<Drifted>,
    /// Findings of concept and prediction drift: kind and words.
    pub findings: Vec<(String, String)>,
    /// The level's word and its reason.
    pub level: String,
}

/// How many features a document names.
const FEATURES: usize = 20;

impl Facts {
    /// What the store knows of a model at a moment.
    pub fn of(model: &ModelState, at: Time) -> Self {
        let word =
            |version: Option<&crate::domain::Version>| version.map(ToString::to_string).unwrap_or_default();
        let drifted = model.features(None).into_iter().filter_map(|state| {
            let level = state.latest.level().filter(|&level| level > crate::domain::DriftLevel::Minimal)?;
            Some(Drifted {
                feature: state.latest.feature.to_string(),
                method: state.latest.scale.word().to_owned(),
                raw: state.latest.raw,
                level: level.word().to_owned(),
                // Without its history nobody knows since when.
                since: state.level_since().filter(|_| !state.history.is_empty()),
            })
        });
        let why = if model.why.is_empty() { String::new() } else { format!(": {}", model.why) };
        Self {
            model: model.id.name.to_string(),
            at: Some(at),
            live: word(model.live_version()),
            canary: word(model.canary().map(|(version, _)| version)),
            registries: model
                .registry
                .iter()
                .filter_map(|(id, entry)| {
                    let production = entry.production.as_ref()?;
                    let words = match entry.names.get(production) {
                        Some(name) if name != production => format!("{production} ({name})"),
                        _ => production.to_string(),
                    };
                    Some((id.to_string(), words))
                })
                .collect(),
            disagreements: model
                .registry
                .iter()
                .filter_map(|(id, entry)| {
                    Some(format!("{id} {}", disagreement(model.rollout.as_ref()?, entry)?))
                })
                .collect(),
            drift: model.data_drift(),
            drifted: drifted.take(FEATURES).collect(),
            findings: model
                .findings
                .iter()
                .filter(|(_, finding)| finding.abnormal)
                .map(|(kind, finding)| (kind.clone(), finding.text.clone()))
                .collect(),
            level: format!("{}{why}", model.level.word()),
        }
    }
}
