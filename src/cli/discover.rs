//! `wardroom discover`: a first config from what servers say.

use std::collections::HashMap;

use super::args::{Common, DiscoverArgs};
use super::{logging, out, stage};
use crate::config::ClusterConfig;
use crate::sources::discover::{self, Found, FoundModel, FoundRollout};

/// Runs it.
///
/// # Errors
/// No server given, or one that does not answer: then nothing is printed on standard output.
pub fn run(common: &Common, options: &DiscoverArgs) -> Result<u8, String> {
    logging::headless(common.log_file.as_deref())?;
    if options.prometheus.is_none() && options.mlflow.is_none() && options.kubeconfig.is_none() {
        return Err(
            "discover: name at least one server: --prometheus URL, --mlflow URL or --kubeconfig FILE".into(),
        );
    }
    if options.kubeconfig.is_none() && !options.context.is_empty() {
        return Err("discover: --context needs --kubeconfig FILE".into());
    }
    let clusters = clusters(options)?;
    let runtime = stage::runtime()?;
    let found = runtime
        .block_on(discover::ask(options.prometheus.as_ref(), options.mlflow.as_ref(), &clusters))
        .map_err(|(server, fault)| format!("discover: {server}: {fault}"))?;
    let text = write(options, &found);
    // What is printed must be ready to use: it is read like any other config before it is shown.
    crate::config::parse("discovered", &text, &[])
        .map_err(|error| format!("discover: what it wrote is no config: {error}"))?;
    out::say(&text);
    Ok(0)
}

/// The clusters that are asked: one a context.
fn clusters(options: &DiscoverArgs) -> Result<Vec<ClusterConfig>, String> {
    let Some(kubeconfig) = &options.kubeconfig else { return Ok(Vec::new()) };
    let contexts: Vec<Option<&String>> =
        if options.context.is_empty() { vec![None] } else { options.context.iter().map(Some).collect() };
    let mut all = Vec::new();
    let mut known = std::collections::HashSet::new();
    for context in contexts.into_iter().filter(|context| known.insert(*context)) {
        let mut text = format!("[[cluster]]\nkubeconfig = {}\n", quote(&kubeconfig.display().to_string()));
        if let Some(context) = context {
            text.push_str(&format!("name = {0}\ncontext = {0}\n", quote(context)));
        }
        let parsed =
            crate::config::parse("--kubeconfig", &text, &[]).map_err(|error| format!("discover: {error}"))?;
        all.extend(parsed.config.cluster);
    }
    Ok(all)
}

fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The config as text.
pub fn write(options: &DiscoverArgs, found: &Found) -> String {
    let mut text = format!(
        "# Written by `wardroom discover`. Save it as wardroom.toml, then try `wardroom doctor`.\nenvironment = {}\n",
        quote(&options.environment)
    );
    if let Some(url) = &options.prometheus {
        text.push_str(&format!("\n[[prometheus]]\nurl = {}\n", quote(url.as_str())));
    }
    if let Some(url) = &options.mlflow {
        text.push_str(&format!("\n[[mlflow]]\nurl = {}\n", quote(url.as_str())));
    }
    for cluster in &found.clusters {
        let file = options.kubeconfig.as_ref().map(|path| {
            // A relative path would be another file from another folder.
            std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string()
        });
        text.push_str(&format!("\n[[cluster]]\nname = {}\n", quote(&cluster.context)));
        if let Some(file) = file {
            text.push_str(&format!("kubeconfig = {}\n", quote(&file)));
        }
        text.push_str(&format!("context = {}\n# production = true\n", quote(&cluster.context)));
        for note in &cluster.notes {
            text.push_str(&format!("# {note}\n"));
        }
    }
    let mut named = names(found);
    for model in &found.models {
        // A rollout of the same name is the same model.
        let mine = named.iter().position(|(name, _, _)| discover::same(name, &model.name));
        let rollout = mine.map(|place| named.remove(place));
        write_model(&mut text, model);
        if let Some((_, context, rollout)) = rollout {
            write_rollout(&mut text, &model.name, context, rollout);
        }
    }
    for (name, context, rollout) in named {
        text.push_str(&format!("\n[[model]]\nname = {}\n", quote(&name)));
        write_rollout(&mut text, &name, context, rollout);
    }
    for kind in &found.unmatched {
        text.push_str(&format!("\n# {kind}\n"));
    }
    text
}

fn write_model(text: &mut String, model: &FoundModel) {
    text.push_str(&format!("\n[[model]]\nname = {}\nkind = \"{}\"\n", quote(&model.name), model.kind.word()));
    if let Some(registered) = model.registered.as_ref().filter(|registered| **registered != model.name) {
        text.push_str(&format!("registry_name = {}\n", quote(registered)));
    }
    if model.seen.is_empty() {
        text.push_str(
            "# Prometheus has no metrics of it by this name: add [model.prometheus] or [[model.endpoint]].\n",
        );
        return;
    }
    let (same, other) = model.presets();
    let presets: Vec<String> = same.into_iter().map(quote).collect();
    text.push_str(&format!("[model.prometheus]\npreset = [{}]\n", presets.join(", ")));
    if let Some(value) = model.label_value().filter(|value| *value != model.name) {
        text.push_str(&format!("model_value = {}\n", quote(value)));
    }
    for (preset, value) in other {
        let value = crate::domain::text::clean_name(value);
        text.push_str(&format!(
            "# The kind `{preset}` calls it `{value}`: give it a model of its own, or ask by `queries`.\n"
        ));
    }
}

fn write_rollout(text: &mut String, name: &str, context: &str, rollout: &FoundRollout) {
    text.push_str(&format!(
        "[model.rollout]\nsystem = {}\nkind = {}\nnamespace = {}\n",
        quote(context),
        quote(rollout.kind),
        quote(&rollout.namespace)
    ));
    if rollout.name != name {
        text.push_str(&format!("name = {}\n", quote(&rollout.name)));
    }
}

/// Each rollout with a name of its own: the object's; with its namespace, then its context and at last its kind before it
/// where names clash.
fn names(found: &Found) -> Vec<(String, &str, &FoundRollout)> {
    let forms: [fn(&str, &FoundRollout) -> String; 4] = [
        |_, rollout| rollout.name.clone(),
        |_, rollout| format!("{}/{}", rollout.namespace, rollout.name),
        |context, rollout| format!("{context}/{}/{}", rollout.namespace, rollout.name),
        |context, rollout| format!("{context}/{}/{}/{}", rollout.namespace, rollout.kind, rollout.name),
    ];
    let all: Vec<(&str, &FoundRollout)> = found
        .clusters
        .iter()
        .flat_map(|cluster| cluster.rollouts.iter().map(|rollout| (cluster.context.as_str(), rollout)))
        .collect();
    let counts: Vec<HashMap<String, usize>> = forms
        .iter()
        .map(|form| {
            let mut counts = HashMap::new();
            all.iter().for_each(|(context, rollout)| *counts.entry(form(context, rollout)).or_default() += 1);
            counts
        })
        .collect();
    all.into_iter()
        .map(|(context, rollout)| {
            let fits = forms.iter().zip(&counts).map(|(form, counts)| (form(context, rollout), counts));
            let mut name = forms[3](context, rollout);
            for (form, counts) in fits {
                if counts.get(&form) == Some(&1) {
                    name = form;
                    break;
                }
            }
            (name, context, rollout)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::discover::FoundCluster;

    fn rollout(namespace: &str, kind: &'static str, name: &str) -> FoundRollout {
        FoundRollout { namespace: namespace.into(), name: name.into(), kind }
    }

    fn options() -> DiscoverArgs {
        DiscoverArgs {
            prometheus: None,
            mlflow: None,
            kubeconfig: Some("/k/config".into()),
            context: Vec::new(),
            environment: "lab".into(),
        }
    }

    #[test]
    fn prefixes_stand_only_where_names_clash_and_the_config_parses() {
        let eu = vec![
            rollout("a", "rollout", "als"),
            rollout("b", "rollout", "als"),
            rollout("a", "rollout", "sepsis"),
            rollout("a", "httproute", "sepsis"),
        ];
        let us = vec![rollout("a", "rollout", "als"), rollout("c", "deployment", "to\"u")];
        let cluster =
            |context: &str, rollouts, notes| FoundCluster { context: context.into(), rollouts, notes };
        let found = Found {
            clusters: vec![
                cluster("eu", eu, vec!["denied: canaries: 403, no".into()]),
                cluster("us", us, vec![]),
            ],
            models: vec![FoundModel { name: "To\"U".into(), ..FoundModel::default() }],
            ..Found::default()
        };
        let given: Vec<String> = names(&found).into_iter().map(|(name, _, _)| name).collect();
        assert_eq!(
            given,
            ["eu/a/als", "b/als", "eu/a/rollout/sepsis", "eu/a/httproute/sepsis", "us/a/als", "to\"u"]
        );
        let text = write(&options(), &found);
        assert!(text.contains("# denied: canaries: 403, no"), "{text}");
        let config =
            crate::config::parse("t", &text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}")).config;
        assert_eq!(
            (config.cluster.len(), config.model.len()),
            (2, 6),
            "the registry's model and its rollout are one"
        );
        let of = |name: &str| {
            config.model.iter().find(|model| model.name == name).unwrap().rollout.clone().unwrap()
        };
        assert_eq!((of("b/als").name.as_deref(), of("b/als").system.as_str()), (Some("als"), "eu"));
        assert_eq!(of("To\"U").name.as_deref(), Some("to\"u"));
    }
}
