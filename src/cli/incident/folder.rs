//! Where the history is, and whose incidents these are.

use std::path::PathBuf;

use super::super::{identity, settings};
use super::{Common, IncidentArgs};
use crate::config::{Config, Surroundings};
use crate::domain::incident::Entry;
use crate::domain::text::clean;
use crate::{history, records};

/// The history of a call.
#[derive(Debug)]
pub struct Place {
    /// Its folder.
    pub folder: PathBuf,
    /// The config, or the defaults when there is none.
    pub config: Config,
    /// Whether there is a config.
    pub configured: bool,
}

/// The folder that options and config name. Without any config it is the usual one.
pub fn place(common: &Common, options: &IncidentArgs) -> Result<Place, String> {
    let configured = common.config.is_some()
        || std::env::var_os("WARDROOM_CONFIG").is_some_and(|file| !file.is_empty())
        || Surroundings::of_process().candidates().iter().any(|file| file.exists());
    let config = match configured {
        true => settings::load(common).map_err(|error| error.to_string())?.config,
        false => Config::default(),
    };
    let named = options.folder.as_ref().or(config.history.folder.as_ref()).or(config.control.folder.as_ref());
    let folder = records::folder(named.map(PathBuf::as_path)).map_err(|error| error.to_string())?;
    Ok(Place { folder, config, configured })
}

impl Place {
    /// Every entry of every incident, in order of recording.
    pub fn entries(&self) -> Result<Vec<Entry>, String> {
        history::read_entries(&self.folder)
    }

    /// Appends entries; gives those that are new.
    pub fn append(&self, entries: &[Entry]) -> Result<Vec<Entry>, String> {
        history::append(&self.folder, entries)
    }

    /// The folder as it may be shown.
    pub fn shown(&self) -> String {
        clean(&self.folder.display().to_string(), 200)
    }

    /// The environment's name; empty without a config.
    pub fn environment(&self) -> &str {
        if self.configured { &self.config.environment } else { "" }
    }

    /// The folder of the audit trail: that of the config, else the history's own.
    pub fn trail(&self) -> PathBuf {
        self.config.control.folder.clone().unwrap_or_else(|| self.folder.clone())
    }
}

/// Who writes: `kim@bastion`.
pub fn writer() -> String {
    let who = identity::who("command line");
    if who.host.is_empty() { who.user } else { format!("{}@{}", who.user, who.host) }
}
