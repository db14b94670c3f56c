//! Where the history is, and whose incidents these are.

use std::path::{Path, PathBuf};

use super::super::{identity, memory, settings};
use super::Common;
use crate::config::{Config, Surroundings};
use crate::domain::incident::{Entry, Incident};
use crate::domain::text::clean;
use crate::history::{self, Settings};

/// The history of a call.
#[derive(Debug)]
pub struct Place {
    /// How it is kept.
    pub settings: Settings,
    /// The config, or the defaults when there is none.
    pub config: Config,
}

/// The folder that options and config name. Without any config it is the usual one.
pub fn place(common: &Common, folder: Option<&Path>) -> Result<Place, String> {
    let configured = common.config.is_some()
        || std::env::var_os("WARDROOM_CONFIG").is_some_and(|file| !file.is_empty())
        || Surroundings::of_process().candidates().iter().any(|file| file.exists());
    let config = match configured {
        true => settings::load(common).map_err(|error| error.to_string())?.config,
        false => Config::default(),
    };
    let mut settings = memory::settings(&config)?;
    if let Some(folder) = folder {
        settings.folder = folder.to_owned();
    }
    Ok(Place { settings, config })
}

impl Place {
    /// Every entry of every incident, in order of recording.
    pub fn entries(&self) -> Result<Vec<Entry>, String> {
        history::read_entries(&self.settings.folder)
    }

    /// Appends entries, durably.
    pub fn append(&self, entries: &[Entry]) -> Result<Vec<Entry>, String> {
        history::append(&self.settings.folder, &self.settings.environment, entries)
    }

    /// The folder as it may be shown.
    pub fn shown(&self) -> String {
        clean(&self.settings.folder.display().to_string(), 200)
    }

    /// The history of the environment that an incident is of.
    pub fn of(&self, incident: &Incident) -> Result<Settings, String> {
        let environment = history::environment_of(&self.settings.folder, &incident.id)?;
        let environment = environment.unwrap_or_else(|| self.settings.environment.clone());
        Ok(Settings { environment, ..self.settings.clone() })
    }

    /// The folder of the audit trail: that of the config, else the history's own.
    pub fn trail(&self) -> PathBuf {
        self.config.control.folder.clone().unwrap_or_else(|| self.settings.folder.clone())
    }
}

/// Who writes: `kim@bastion`.
pub fn writer() -> String {
    let who = identity::who("command line");
    if who.host.is_empty() { who.user } else { format!("{}@{}", who.user, who.host) }
}
