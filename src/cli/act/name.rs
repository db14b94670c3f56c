//! Which model is meant: its name in the config, or where its object is.

use crate::config::Config;
use crate::config::control::RolloutConfig;
use crate::config::model::ModelConfig;
use crate::domain::ModelId;

/// Kinds of objects of a cluster, the most likely first.
const KINDS: [&str; 6] =
    ["rollout", "deployment", "canary", "inferenceservice", "httproute", "virtualservice"];

/// Leaves only what this model needs in the config, so that nothing else is polled. Gives the name that was meant.
///
/// # Errors
/// A model that is not there.
pub(super) fn narrow(config: &mut Config, wanted: &str) -> Result<String, String> {
    let parts: Vec<&str> = wanted.split('/').collect();
    let names: Vec<String> = if let [context, namespace, name] = parts[..] {
        placed(config, wanted, context, namespace, name)?
    } else {
        vec![wanted.to_owned()]
    };
    config.model.retain(|model| names.contains(&model.name));
    if config.model.is_empty() {
        return Err(format!(
            "there is no model `{wanted}` in the config; write a name of a [[model]], or CONTEXT/NAMESPACE/NAME"
        ));
    }
    leave_out(config);
    Ok(names.first().cloned().unwrap_or_else(|| wanted.to_owned()))
}

/// Leaves only this model in the config.
pub fn only(config: &mut Config, model: &ModelId) {
    config.model.retain(|one| *one.name == *model.name && *one.namespace == *model.namespace);
    leave_out(config);
}

/// Sources that speak of models by name; verification does not need them.
fn leave_out(config: &mut Config) {
    config.samples.clear();
    config.drift_reports.clear();
    config.feature_histograms.clear();
    config.mlops.clear();
    config.alertmanager.clear();
}

/// The configured models whose rollout is there; without one, the object itself under each kind that it may have.
fn placed(
    config: &mut Config,
    wanted: &str,
    context: &str,
    namespace: &str,
    name: &str,
) -> Result<Vec<String>, String> {
    let cluster = config
        .cluster
        .iter()
        .find(|cluster| cluster.context.as_deref() == Some(context) || cluster.name == context)
        .map(|cluster| cluster.name.clone());
    let system = cluster.ok_or_else(|| {
        format!("{wanted}: no [[cluster]] of the config has the context `{context}`; add one, or write a model's name")
    })?;
    let is_there = |model: &&ModelConfig| {
        model.rollout.as_ref().is_some_and(|rollout| {
            rollout.system == system
                && rollout.name.as_ref().unwrap_or(&model.name) == name
                && rollout.namespace.as_ref().unwrap_or(&model.namespace) == namespace
        })
    };
    let known: Vec<String> = config.model.iter().filter(is_there).map(|model| model.name.clone()).collect();
    if !known.is_empty() {
        return Ok(known);
    }
    let mut names = Vec::new();
    for (index, kind) in KINDS.iter().enumerate() {
        let model = if index == 0 { name.to_owned() } else { format!("{name} ({kind})") };
        config.model.retain(|other| other.name != model);
        config.model.push(ModelConfig {
            name: model.clone(),
            kind: crate::domain::ModelKind::default(),
            namespace: namespace.into(),
            registry_name: Some(name.into()),
            prometheus: None,
            endpoint: Vec::new(),
            limits: std::collections::BTreeMap::new(),
            rollout: Some(RolloutConfig {
                system: system.clone(),
                kind: (*kind).into(),
                name: Some(name.into()),
                namespace: Some(namespace.into()),
            }),
            automatic: None,
            verify: None,
        });
        names.push(model);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[[cluster]]\nname = \"eu\"\ncontext = \"prod-eu\"\n[[model]]\nname = \"als\"\n\
        [[model]]\nname = \"sepsis\"\nnamespace = \"ml\"\nrollout = { system = \"eu\", kind = \"rollout\", name = \"sepsis-api\" }\n";

    fn narrowed(wanted: &str) -> Result<Vec<String>, String> {
        let mut config = crate::config::parse("test", TEXT, &[]).unwrap().config;
        narrow(&mut config, wanted)?;
        Ok(config.model.into_iter().map(|model| model.name).collect())
    }

    #[test]
    fn a_name_or_a_place_is_found() {
        assert_eq!(narrowed("als"), Ok(vec!["als".into()]));
        assert_eq!(narrowed("prod-eu/ml/sepsis-api"), Ok(vec!["sepsis".into()]));
        assert_eq!(narrowed("eu/ml/sepsis-api"), Ok(vec!["sepsis".into()]));
    }

    #[test]
    fn an_object_outside_the_config_is_tried_under_each_kind() {
        let names = narrowed("prod-eu/ml/ecg").unwrap();
        assert_eq!((names.len(), names[0].as_str(), names[1].as_str()), (6, "ecg", "ecg (deployment)"));
    }

    #[test]
    fn what_is_nowhere_is_an_error() {
        assert!(narrowed("none").unwrap_err().contains("no model `none`"));
        assert!(narrowed("other/ml/ecg").unwrap_err().contains("no [[cluster]]"));
    }
}
