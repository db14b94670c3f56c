//! Settings from the command line's options, checked so far that everything can start.

use super::args::Common;
use crate::app::KeyMap;
use crate::config::{self, ConfigError, Loaded, Override, Surroundings};

/// The settings that flags give.
pub fn flags(common: &Common) -> Vec<Override> {
    let mut flags: Vec<Override> = Vec::new();
    let mut set = |key: &str, value: &str| flags.push((key.into(), value.into(), format!("flag --{key}")));
    if let Some(theme) = &common.theme {
        set("theme", theme);
    }
    if common.ascii {
        set("ascii", "true");
    }
    if let Some(refresh) = &common.refresh {
        set("refresh", refresh);
    }
    flags
}

/// The settings of this process, with its keys checked.
///
/// # Errors
/// What is wrong, with its place and a remedy.
pub fn load(common: &Common) -> Result<Loaded, ConfigError> {
    load_with(common, Vec::new())
}

/// The same with settings of a subcommand on top.
///
/// # Errors
/// What is wrong, with its place and a remedy.
pub fn load_with(common: &Common, more: Vec<Override>) -> Result<Loaded, ConfigError> {
    let mut all = flags(common);
    all.extend(more);
    let loaded = config::load(common.config.as_deref(), &Surroundings::of_process(), &all)?;
    keymap(&loaded)?;
    Ok(loaded)
}

/// The keys of the settings.
///
/// # Errors
/// An unknown action, a key that cannot be read, or two actions on one key.
pub fn keymap(loaded: &Loaded) -> Result<KeyMap, ConfigError> {
    KeyMap::new(&loaded.config.keys).map_err(|error| {
        let what = error.to_string();
        let key = what.split(':').next().unwrap_or("keys").to_owned();
        ConfigError::new(loaded.places.place(&key), what, "the [keys] table is `action = \"key key\"`")
    })
}
