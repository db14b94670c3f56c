//! The documents of one version: metadata, training config, feature schema, model card. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::text::{clean, clean_name};
use crate::domain::{RegisteredVersion, Version};
use crate::sources::lenient;

/// What `metadata.json` says, in words.
#[derive(Debug, Default)]
pub struct Metadata {
    /// The version that it says it is.
    pub version: Option<Version>,
    said: BTreeMap<String, Value>,
}

/// Reads `metadata.json`; fields that are not known become facts, fields of another shape too.
pub fn metadata(text: &str) -> Result<Metadata, serde_json::Error> {
    let said: BTreeMap<String, Value> = serde_json::from_str(text)?;
    let version = said.get("version").map(word).map(|name| Version::new(name.trim_start_matches(['v', 'V'])));
    Ok(Metadata { version, said })
}

impl Metadata {
    /// Puts everything into a version.
    pub fn fill(self, into: &mut RegisteredVersion) {
        for (name, value) in self.said {
            match (name.as_str(), &value) {
                ("model_name" | "version", _) => {}
                ("created_date" | "created" | "created_at", value) => {
                    into.created = lenient::time(value.as_str());
                }
                ("metrics", Value::Object(metrics)) => {
                    let finite = |(name, value): (&String, &Value)| Some((clean_name(name), value.as_f64()?));
                    into.metrics.extend(metrics.iter().filter_map(finite));
                }
                ("approvals", Value::Object(approvals)) => {
                    let said = approvals.iter().filter(|(_, value)| !value.is_null());
                    into.approvals.extend(said.map(|(role, who)| (clean_name(role), clean(&word(who), 200))));
                }
                ("approved_by", value) => {
                    into.approvals.insert("approved".into(), clean(&word(value), 200));
                }
                ("status", value) => {
                    into.status = clean_name(&word(value));
                    into.stage = stage(&into.status).into();
                }
                ("description" | "notes" | "note", value) => into.description = clean(&word(value), 2_000),
                ("tags", Value::Object(tags)) => {
                    into.tags
                        .extend(tags.iter().map(|(key, value)| (clean_name(key), clean(&word(value), 200))));
                }
                (_, value) => facts(&name.replace('_', " "), value, &mut into.facts),
            }
        }
    }
}

/// The stage that a status in a file means.
fn stage(status: &str) -> &'static str {
    match status.to_lowercase().as_str() {
        "production" | "live" => "Production",
        "staging" | "canary" | "shadow" | "candidate" => "Staging",
        "archived" | "retired" | "deprecated" => "Archived",
        _ => "",
    }
}

/// A value as facts: objects field by field (`training data samples`), one level deep.
fn facts(name: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter().take(100) {
                let name = format!("{name} {}", key.replace('_', " "));
                into.insert(clean_name(&name), clean(&word(value), 400));
            }
        }
        Value::Null => {}
        other => {
            into.insert(clean_name(name), clean(&word(other), 400));
        }
    }
}

/// A value in words: texts bare, lists with commas.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(word).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Plain settings of a training config: `section key: value` by indentation. Lists, anchors and texts of
/// several lines are passed over; this is no YAML parser.
pub fn training(text: &str, into: &mut BTreeMap<String, String>) {
    let mut path: Vec<(usize, String)> = Vec::new();
    for line in text.lines().take(2_000) {
        let content = line.trim_start();
        let depth = line.len() - content.len();
        if content.is_empty() || content.starts_with(['#', '-', '&', '*', '%', '|', '>']) {
            continue;
        }
        let Some((key, value)) = content.split_once(':') else { continue };
        if !value.is_empty() && !value.starts_with([' ', '\t']) {
            continue;
        }
        path.retain(|(indent, _)| *indent < depth);
        let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        path.push((depth, key.trim().trim_matches(['"', '\'']).to_owned()));
        if value.is_empty() || value.starts_with(['|', '>', '&', '{', '[']) || into.len() >= 200 {
            continue;
        }
        let name: Vec<&str> = path.iter().map(|(_, key)| key.as_str()).collect();
        into.insert(clean_name(&format!("training {}", name.join("."))), clean(value, 200));
    }
}

/// How many features a schema lists: a list, or the lists and objects that people write around one.
pub fn features(text: &str) -> Option<usize> {
    fn count(value: &Value) -> Option<usize> {
        match value {
            Value::Array(items) => Some(items.len()),
            Value::Object(fields) => {
                let inner =
                    ["features", "properties", "columns", "inputs"].iter().find_map(|name| fields.get(*name));
                inner.map_or(Some(fields.len()), count)
            }
            _ => None,
        }
    }
    count(&serde_json::from_str(text).ok()?)
}

/// The first words of a model card that are no heading.
pub fn summary(card: &str) -> String {
    let is_text =
        |line: &&str| !line.is_empty() && !line.starts_with(['#', '-', '|', '`', '<', '=', '!', '[']);
    let first = card.lines().map(str::trim).find(is_text);
    clean(first.unwrap_or_default(), 400)
}
