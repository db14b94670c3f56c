//! Registered models and their versions, whichever registry told them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Time, Version};

/// A model as one registry knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct RegisteredModel {
    /// The name in the registry.
    pub name: String,
    /// The description.
    pub description: String,
    /// Alias to version: `champion` → 3.
    pub aliases: BTreeMap<String, Version>,
    /// Tags of the model.
    pub tags: BTreeMap<String, String>,
    /// The version in production by this registry's own word (alias, stage or status), when it says.
    pub production: Option<Version>,
    /// Every version, newest first.
    pub versions: Vec<RegisteredVersion>,
}

/// One version as one registry knows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RegisteredVersion {
    /// Its name.
    pub version: Version,
    /// The stage: `Production`, `Staging`, `Archived`, or empty.
    pub stage: String,
    /// Ready, pending, failed, validated …: the registry's own word.
    pub status: String,
    /// When it was made.
    pub created: Option<Time>,
    /// The description or note.
    pub description: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Offline metrics of its run: name to value, NaN left out.
    pub metrics: BTreeMap<String, f64>,
    /// Parameters of its run and other facts: hyperparameters, framework, data window, hashes.
    pub facts: BTreeMap<String, String>,
    /// Approvals that it carries: role to who and when.
    pub approvals: BTreeMap<String, String>,
}

impl RegisteredVersion {
    /// A version of which only the name is known.
    pub fn named(version: Version) -> Self {
        Self {
            version,
            stage: String::new(),
            status: String::new(),
            created: None,
            description: String::new(),
            tags: BTreeMap::new(),
            metrics: BTreeMap::new(),
            facts: BTreeMap::new(),
            approvals: BTreeMap::new(),
        }
    }
}
