//! Settings as text: the example, the schema, and what holds now with its origin.

use super::load::Loaded;
use super::model::Config;

/// The commented example, which a test parses.
pub const EXAMPLE: &str = include_str!("example.toml");

/// The JSON schema of the config.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Config).to_value()
}

/// Every setting that holds, a line each, with where it came from. Secrets are only names in a config, so
/// nothing has to be hidden here.
pub fn show(loaded: &Loaded) -> Result<String, toml::ser::Error> {
    let value = toml::Value::try_from(&loaded.config)?;
    let mut lines = Vec::new();
    flatten("", &value, &mut lines);
    let width =
        lines.iter().map(|(key, text)| key.len() + text.len() + 3).filter(|&n| n < 70).max().unwrap_or(0);
    let mut out = String::new();
    for (key, text) in lines {
        let origin = loaded.overrides.get(&key).cloned();
        let origin = origin.or_else(|| loaded.places.origin(&key)).unwrap_or_else(|| "default".into());
        out.push_str(&format!("{:width$}  # {origin}\n", format!("{key} = {text}")));
    }
    Ok(out)
}

fn flatten(prefix: &str, value: &toml::Value, lines: &mut Vec<(String, String)>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&path, value, lines);
            }
        }
        toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&format!("{prefix}[{index}]"), item, lines);
            }
        }
        toml::Value::Array(items) if items.is_empty() && !prefix.contains('.') => {}
        other => lines.push((prefix.to_owned(), other.to_string())),
    }
}
