//! Models that can be asked for together: one server kind, one selection, the same labels. And back again:
//! whose series is this, and of which version.

use std::collections::BTreeMap;

use super::wire::Labels;
use crate::config::{Config, ModelConfig, Preset, PrometheusModel};
use crate::domain::{ModelId, ModelKind, Version};
use crate::sources::model_id;
use crate::sources::presets::Catalogue;

/// A model in a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Which model of the fleet.
    pub model: ModelId,
    /// What it predicts.
    pub kind: ModelKind,
    /// What the model label says.
    pub value: String,
    /// Whether the config names that value itself: then nothing else fits.
    pub exact: bool,
    /// The place of this group's kind among those of the model: the first that has a KPI wins.
    pub rank: usize,
}

/// Models asked for together.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The kind's name in the catalogue.
    pub kind: String,
    /// What the kind publishes.
    pub preset: Preset,
    /// The config's matchers.
    pub select: String,
    /// Labels that may hold the model, the first that a series has wins. None: `select` tells the model.
    pub model_labels: Vec<String>,
    /// Labels that may hold the version.
    pub version_labels: Vec<String>,
    /// The models.
    pub members: Vec<Member>,
}

/// A model of the config whose metrics one Prometheus has.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Which model of the fleet.
    pub id: ModelId,
    /// Its name and kind in the config.
    pub name: String,
    /// What it predicts.
    pub kind: ModelKind,
    /// Where its metrics are.
    pub at: PrometheusModel,
}

/// The models that the Prometheus of this name is asked about; `first` is true for the first one, which
/// gets those that name none.
pub fn watched(config: &Config, prometheus: &str, first: bool) -> Vec<Watched> {
    let here = |model: &ModelConfig| {
        let at = model.prometheus.as_ref()?;
        let ours = at.source.as_deref().map_or(first, |source| source == prometheus);
        ours.then(|| Watched {
            id: model_id(config, model),
            name: model.name.clone(),
            kind: model.kind,
            at: at.clone(),
        })
    };
    config.model.iter().filter_map(here).collect()
}

/// The groups of these models. `kinds` tells which kinds a model without preset was recognised as.
pub fn groups(models: &[Watched], catalogue: &Catalogue, kinds: impl Fn(&str) -> Vec<String>) -> Vec<Group> {
    let mut groups: BTreeMap<(String, String, Vec<String>, Vec<String>), Group> = BTreeMap::new();
    for model in models {
        let at = &model.at;
        // Own queries alone need no kind.
        let presets = match (at.preset.is_empty(), at.queries.is_empty()) {
            (false, _) => at.preset.clone(),
            (true, true) => kinds(&at.select),
            (true, false) => Vec::new(),
        };
        // Rank 0 is for the model's own queries.
        for (rank, kind) in (1..).zip(&presets) {
            let Some(preset) = catalogue.get(kind) else { continue };
            let model_labels = labels(&at.model_label, &preset.model_label);
            let version_labels = labels(&at.version_label, &preset.version_label);
            let key = (kind.clone(), at.select.clone(), model_labels.clone(), version_labels.clone());
            let group = groups.entry(key).or_insert_with(|| Group {
                kind: kind.clone(),
                preset: preset.clone(),
                select: at.select.clone(),
                model_labels,
                version_labels,
                members: Vec::new(),
            });
            group.members.push(Member {
                model: model.id.clone(),
                kind: model.kind,
                value: at.model_value.clone().unwrap_or_else(|| model.name.clone()),
                exact: at.model_value.is_some(),
                rank,
            });
        }
    }
    groups.into_values().collect()
}

fn labels(own: &Option<String>, preset: &[String]) -> Vec<String> {
    match own.as_deref() {
        None => preset.to_vec(),
        Some("") => Vec::new(),
        Some(label) => vec![label.to_owned()],
    }
}

impl Group {
    /// The labels to keep in a `by` clause, beside `more`. Series of a whole server have no model label.
    pub fn by<'g>(&'g self, more: &[&'g str], of_server: bool) -> Vec<&'g str> {
        let models = self.model_labels.iter().filter(|_| !of_server);
        let all = more.iter().copied().chain(models.chain(&self.version_labels).map(String::as_str));
        let mut labels: Vec<&str> = Vec::new();
        for label in all {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }

    /// A matcher that keeps other people's models out, where one label tells the model and the list is
    /// short enough.
    pub fn filter(&self, of_server: bool) -> String {
        let [label] = self.model_labels.as_slice() else { return String::new() };
        if of_server || self.members.len() > 40 {
            return String::new();
        }
        let mut values: Vec<String> = Vec::new();
        for member in &self.members {
            let spellings: &[String] = &match member.exact {
                true => vec![member.value.clone()],
                false => {
                    vec![member.value.clone(), member.value.replace('-', "_"), member.value.replace('_', "-")]
                }
            };
            values.extend(spellings.iter().cloned());
        }
        values.sort();
        values.dedup();
        super::query::one_of(label, &values)
    }

    /// Whose series this is, by number. Without a model label all members share it.
    pub fn owners(&self, labels: &Labels, of_server: bool) -> Vec<usize> {
        let all = || (0..self.members.len()).collect();
        if self.model_labels.is_empty() || of_server {
            return all();
        }
        let told = self.model_labels.iter().find_map(|name| labels.get(name)).filter(|value| is_told(value));
        let Some(told) = told else { return Vec::new() };
        let fits = |member: &Member| {
            member.value == *told || !member.exact && spelling(&member.value) == spelling(told)
        };
        (0..self.members.len()).filter(|&index| fits(&self.members[index])).collect()
    }

    /// The version that a series speaks of; a version missing in words (`None`) is no version.
    pub fn version(&self, labels: &Labels) -> Option<Version> {
        let told =
            self.version_labels.iter().filter_map(|name| labels.get(name)).find(|value| is_told(value));
        told.map(|value| Version::new(value))
    }
}

/// Servers write `-`, `_` and blanks in names as they like.
fn spelling(name: &str) -> String {
    name.chars().map(|c| if matches!(c, '_' | ' ') { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Whether a label's value says something: MLServer writes `None`, BentoML `not available`.
fn is_told(value: &str) -> bool {
    !matches!(value, "" | "None" | "none" | "null" | "not available" | "unknown" | "<unknown>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        toml::from_str(text).unwrap()
    }

    fn labelled(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    const FLEET: &str = r#"
        [[prometheus]]
        url = "http://p"
        [[model]]
        name = "alpha-one"
        prometheus = { preset = ["wardroom"] }
        [[model]]
        name = "beta"
        prometheus = { preset = ["wardroom"], model_value = "b" }
        [[model]]
        name = "als"
        prometheus = { preset = ["mlserver", "evaluation"], select = 'deployment="als"', model_label = "" }
        [[model]]
        name = "elsewhere"
        prometheus = { source = "other", preset = ["wardroom"] }
    "#;

    fn fleet() -> Vec<Group> {
        let config = config(FLEET);
        let catalogue = crate::sources::presets::catalogue(&config.preset);
        groups(&watched(&config, "prometheus", true), &catalogue, |_| Vec::new())
    }

    #[test]
    fn models_that_share_everything_are_asked_together() {
        let groups = fleet();
        let seen: Vec<(&str, usize)> = groups.iter().map(|g| (g.kind.as_str(), g.members.len())).collect();
        assert_eq!(seen, [("evaluation", 1), ("mlserver", 1), ("wardroom", 2)]);
        assert_eq!(groups[0].members[0].rank, 2);
        assert_eq!(groups[2].by(&["le"], false), ["le", "model", "version"]);
        assert_eq!(groups[2].filter(false), r#"model=~"alpha\\-one|alpha_one|b""#);
    }

    #[test]
    fn series_find_their_owner_and_version() {
        let groups = fleet();
        let wardroom = &groups[2];
        let owners = |model: &str| wardroom.owners(&labelled(&[("model", model)]), false);
        assert_eq!(owners("alpha_one"), [0]);
        assert_eq!(owners("b"), [1]);
        assert!(owners("beta").is_empty(), "a configured value is exact");
        assert!(wardroom.owners(&labelled(&[]), false).is_empty());
        assert_eq!(groups[1].owners(&labelled(&[]), false), [0], "select tells the model");
        let version = |value| wardroom.version(&labelled(&[("version", value)]));
        assert_eq!(version("1.2"), Some(Version::new("1.2")));
        assert_eq!(version("None"), None);
    }
}
