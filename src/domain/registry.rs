//! Registered models and their versions, whichever registry told them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Rollout, Situation, Time, Version};

/// A model as one registry knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Default, serde::Deserialize)]
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
    /// The registry's version to the name that it has on screen, by the tag that the config names; empty without one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<Version, Version>,
}

/// How the registry's production differs from what the cluster serves, in words that follow the registry's name;
/// `None` when it does not, when it cannot be told, or while the cluster is on its way.
///
/// A registry that numbers its versions agrees when the numbered one carries the serving version's name: by the
/// config's mapping, else in any tag or fact.
pub fn disagreement(rollout: &Rollout, registry: &RegisteredModel) -> Option<String> {
    let production = registry.production.as_ref()?;
    let moves = matches!(
        rollout.situation,
        Situation::Promoting | Situation::RollingBack | Situation::Aborting | Situation::Unknown
    );
    let stable = &rollout.stable;
    if moves || production == stable {
        return None;
    }
    let differs = |told: String| Some(format!("calls {told} production, the rollout serves {stable}"));
    match registry.names.get(production) {
        Some(name) if name == stable => return None,
        Some(name) if name != production => return differs(format!("{production} ({name})")),
        _ => {}
    }
    let entry = registry.versions.iter().find(|version| version.version == *production);
    if entry.is_none() && registry.names.is_empty() {
        return None;
    }
    let bare = |name: &str| name.trim_start_matches(['v', 'V']).to_owned();
    let is_stable = |name: &str| bare(name) == bare(stable.as_str());
    let named = entry.is_some_and(|version| {
        version.tags.values().chain(version.facts.values()).any(|value| is_stable(value))
    });
    if named || is_stable(production.as_str()) { None } else { differs(production.to_string()) }
}

/// One version as one registry knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cluster_and_registry_are_compared_by_the_name_on_screen() {
        let version = Version::new;
        let mut rollout = Rollout::of("demo", version("1.2.0"));
        let mut registry = RegisteredModel {
            production: Some(version("3")),
            names: [(version("3"), version("1.2.0")), (version("4"), version("1.3.0"))].into(),
            ..RegisteredModel::default()
        };
        assert_eq!(disagreement(&rollout, &registry), None);
        rollout.stable = version("1.3.0");
        let words = disagreement(&rollout, &registry).unwrap();
        assert_eq!(words, "calls 3 (1.2.0) production, the rollout serves 1.3.0");
        rollout.situation = Situation::Promoting;
        assert_eq!(disagreement(&rollout, &registry), None, "it is on its way");
        rollout.situation = Situation::Complete;
        registry.production = Some(version("9"));
        assert!(disagreement(&rollout, &registry).unwrap().contains("calls 9 production"));
        registry.production = None;
        assert_eq!(disagreement(&rollout, &registry), None, "it does not say");
        registry = RegisteredModel { production: Some(version("3")), ..RegisteredModel::default() };
        assert_eq!(disagreement(&rollout, &registry), None, "without a mapping nothing can be told");
    }
}
