//! Finds, reads and layers the settings: defaults, file, environment, flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::model::Config;
use super::places::{Places, line_of};
use super::validate::validate;

/// Settings with the place of each.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The file, when one was read.
    pub file: Option<PathBuf>,
    /// Where the file's keys stand.
    pub places: Places,
    /// Where settings came from that neither the file nor the defaults gave: key to origin.
    pub overrides: BTreeMap<String, String>,
}

/// Settings from the environment and from flags, as text: key, value, origin in words.
pub type Override = (String, String, String);

/// What the process was started with, so that tests need no global state.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The working folder.
    pub folder: PathBuf,
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        // A variable that is not UTF-8 cannot be one of ours.
        let variables = std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        Self { folder, variables }
    }

    /// The files that are looked for, in order.
    pub fn candidates(&self) -> Vec<PathBuf> {
        let xdg = self.variables.get("XDG_CONFIG_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let home = self.variables.get("HOME").map(|home| Path::new(home).join(".config"));
        let mut files = vec![self.folder.join("wardroom.toml")];
        files.extend(xdg.or(home).map(|dir| dir.join("wardroom/wardroom.toml")));
        files
    }
}

/// Settings that the environment may give, as `WARDROOM_` and the name in capitals.
pub const SCALARS: &[&str] = &[
    "environment",
    "refresh",
    "timeout",
    "window",
    "max_answer_mib",
    "concurrency",
    "theme",
    "ascii",
    "mouse",
    "max_fps",
];

/// Reads the settings of a process.
///
/// # Errors
/// No config anywhere, a file that cannot be read, or anything in it that is wrong: each with its place
/// and a remedy.
pub fn load(
    explicit: Option<&Path>,
    surroundings: &Surroundings,
    flags: &[Override],
) -> Result<Loaded, ConfigError> {
    let explicit = explicit.map(Path::to_path_buf);
    let from_variable =
        surroundings.variables.get("WARDROOM_CONFIG").filter(|v| !v.is_empty()).map(PathBuf::from);
    let file = match explicit.or(from_variable) {
        Some(file) => file,
        None => {
            let candidates = surroundings.candidates();
            match candidates.iter().find(|file| file.exists()) {
                Some(file) => file.clone(),
                None => return Err(no_config(&candidates)),
            }
        }
    };
    let shown = file.strip_prefix(&surroundings.folder).unwrap_or(&file).display().to_string();
    let text = std::fs::read_to_string(&file).map_err(|error| {
        ConfigError::new(
            &shown,
            format!("cannot be read: {error}"),
            "check the path and its permissions, or leave out --config",
        )
    })?;
    let mut loaded = parse(&shown, &text, &overrides(surroundings, flags))?;
    loaded.file = Some(file);
    Ok(loaded)
}

/// Reads settings from a text, as the demo and tests have them.
///
/// # Errors
/// Anything in it that is wrong, with its place and a remedy.
pub fn parse(name: &str, text: &str, overrides: &[Override]) -> Result<Loaded, ConfigError> {
    let places = Places::of(name, text);
    let config: Config = toml::from_str(text).map_err(|error| explain(name, text, &places, &error))?;
    let (config, overridden) = apply(config, overrides)?;
    validate(&config, &places)?;
    Ok(Loaded { config, file: None, places, overrides: overridden })
}

fn overrides(surroundings: &Surroundings, flags: &[Override]) -> Vec<Override> {
    let from_environment = SCALARS.iter().filter_map(|&key| {
        let name = format!("WARDROOM_{}", key.to_ascii_uppercase());
        let value = surroundings.variables.get(&name).filter(|value| !value.is_empty())?;
        Some((key.to_owned(), value.clone(), format!("environment variable {name}")))
    });
    from_environment.chain(flags.iter().cloned()).collect()
}

/// Lays each override over the settings, one by one, so that an error names the one that is wrong.
fn apply(
    mut config: Config,
    overrides: &[Override],
) -> Result<(Config, BTreeMap<String, String>), ConfigError> {
    let mut origins = BTreeMap::new();
    for (key, text, origin) in overrides {
        let wrong = |what: String| {
            ConfigError::new(origin, what, format!("see `{key}` in `wardroom config example`"))
        };
        let mut table = toml::Table::try_from(&config).map_err(|error| wrong(error.to_string()))?;
        let value = match (table.get(key), text.as_str()) {
            (Some(toml::Value::Boolean(_)), "1" | "true" | "yes" | "on") => toml::Value::Boolean(true),
            (Some(toml::Value::Boolean(_)), "0" | "false" | "no" | "off") => toml::Value::Boolean(false),
            (Some(toml::Value::Integer(_)), text) => {
                let number = text.parse().map_err(|_| wrong(format!("`{text}` is not a whole number")))?;
                toml::Value::Integer(number)
            }
            (_, text) => toml::Value::String(text.to_owned()),
        };
        table.insert(key.clone(), value);
        config = table.try_into().map_err(|error: toml::de::Error| wrong(error.message().to_owned()))?;
        origins.insert(key.clone(), origin.clone());
    }
    Ok((config, origins))
}

fn no_config(candidates: &[PathBuf]) -> ConfigError {
    let looked: Vec<String> = candidates.iter().map(|file| file.display().to_string()).collect();
    ConfigError::new(
        "no config",
        format!("looked for {}", looked.join(" and ")),
        "try `wardroom demo` to see it work; `wardroom discover --prometheus URL --mlflow URL` prints a first config; \
         `wardroom config example` prints a commented one; --config FILE names one",
    )
}

/// Turns the parser's error into ours: file, line, key, and what to do.
fn explain(name: &str, text: &str, places: &Places, error: &toml::de::Error) -> ConfigError {
    let message = error.message().trim().replace('\n', " ");
    let span = error.span();
    let key = span.as_ref().and_then(|span| places.key_at(span.start));
    let line = span.as_ref().map(|span| line_of(text, span.start));
    let place = match (line, key) {
        (Some(line), Some(key)) => format!("{name}:{line}, {key}"),
        (Some(line), None) => format!("{name}:{line}"),
        _ => name.to_owned(),
    };
    let remedy = if message.contains("unknown field") {
        "remove the key or correct its spelling; `wardroom config schema` lists every key"
    } else if message.contains("missing field") {
        "add the key; `wardroom config example` shows it in place"
    } else {
        "`wardroom config example` shows every key with a value that fits"
    };
    ConfigError::new(place, message, remedy)
}
