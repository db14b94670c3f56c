//! `wardroom discover`: a first config from what servers say.

use super::args::{Common, DiscoverArgs};
use super::{logging, out, stage};
use crate::sources::discover::{self, Found};

/// Runs it.
///
/// # Errors
/// No server given, or one that does not answer: then nothing is printed on standard output.
pub fn run(common: &Common, options: &DiscoverArgs) -> Result<u8, String> {
    logging::headless(common.log_file.as_deref())?;
    if options.prometheus.is_none() && options.mlflow.is_none() {
        return Err("discover: name at least one server, --prometheus URL or --mlflow URL".into());
    }
    let runtime = stage::runtime()?;
    let found = runtime
        .block_on(discover::ask(options.prometheus.as_ref(), options.mlflow.as_ref()))
        .map_err(|(server, fault)| format!("discover: {server}: {fault}"))?;
    let text = write(options, &found);
    // What is printed must be ready to use: it is read like any other config before it is shown.
    crate::config::parse("discovered", &text, &[])
        .map_err(|error| format!("discover: what it wrote is no config: {error}"))?;
    out::say(&text);
    Ok(0)
}

/// The config as text.
pub fn write(options: &DiscoverArgs, found: &Found) -> String {
    let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
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
    for model in &found.models {
        text.push_str(&format!(
            "\n[[model]]\nname = {}\nkind = \"{}\"\n",
            quote(&model.name),
            model.kind.word()
        ));
        if let Some(registered) = model.registered.as_ref().filter(|registered| **registered != model.name) {
            text.push_str(&format!("registry_name = {}\n", quote(registered)));
        }
        if model.seen.is_empty() {
            text.push_str("# Prometheus has no metrics of it by this name: add [model.prometheus] or [[model.endpoint]].\n");
            continue;
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
    for kind in &found.unmatched {
        text.push_str(&format!("\n# {kind}\n"));
    }
    text
}
