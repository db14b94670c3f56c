//! Where the book of ticks lies, and what lies beside it: the audit trail, the file of drills. Everything here blocks.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{identity, memory, stage};
use crate::checklist::{Beside, Drill, Known, LOOKS_BACK_DAYS, Tick, Trail};
use crate::config::Config;
use crate::history::ticks;
use crate::records;

/// The file of drills, one JSON object a line, in the folder of the journal.
const DRILLS: &str = "drills.jsonl";

/// The book of an environment.
#[derive(Debug, Clone)]
pub struct Book {
    /// Its folder; nothing when the config keeps no history.
    folder: Option<PathBuf>,
    journal: PathBuf,
    age_identity: Option<PathBuf>,
    environment: String,
}

impl Book {
    /// The book that a config names.
    ///
    /// # Errors
    /// No folder to be had.
    pub fn of(config: &Config) -> Result<Self, String> {
        let folder = if config.history.off { None } else { Some(memory::settings(config)?.folder) };
        Ok(Self {
            folder,
            journal: records::folder(config.control.folder.as_deref()).map_err(|error| error.to_string())?,
            age_identity: config.control.age_identity.clone(),
            environment: config.environment.clone(),
        })
    }

    /// Writes ticks down, then reads the book and what lies beside it.
    ///
    /// # Errors
    /// A book that cannot be written or read; a person's tick where the config keeps nothing.
    pub fn exchange(&self, new: &[Tick]) -> Result<Known, String> {
        let since = stage::now() - chrono::TimeDelta::days(LOOKS_BACK_DAYS);
        let ticks = match &self.folder {
            Some(folder) => {
                ticks::append(folder, new).map_err(|error| error.to_string())?;
                ticks::read(folder, &self.environment, since).map_err(|error| error.to_string())?
            }
            None if new.iter().any(|tick| !tick.automatic) => {
                return Err("no history is kept here (history.off), so nothing can be ticked".into());
            }
            // What the tool verifies is shown, and lost with the room.
            None => Vec::new(),
        };
        let drills = Some(drills(&self.journal.join(DRILLS)));
        Ok(Known { ticks, beside: Beside { trail: self.trail(), drills } })
    }

    fn trail(&self) -> Trail {
        if !self.journal.join("journal.db").exists() {
            return Trail::Absent;
        }
        let opened = records::Trail::open(&self.journal, self.age_identity.as_deref());
        match opened.and_then(|trail| trail.verify(None)) {
            Ok(verified) => match verified.findings.first() {
                None => Trail::Intact(verified.count),
                Some(finding) => Trail::Changed(match finding.entry {
                    Some(entry) => format!("entry {entry} {}", finding.what),
                    None => finding.what.clone(),
                }),
            },
            Err(error) => Trail::Unreadable(error.to_string()),
        }
    }
}

/// `user@host` of who ticks: the account of this process, not what a variable says.
pub fn name() -> String {
    let who = identity::who("checklist");
    if who.host.is_empty() { who.user } else { format!("{}@{}", who.user, who.host) }
}

/// Puts that name to the ticks of a person.
pub fn sign(ticks: &mut [Tick]) {
    for tick in ticks.iter_mut().filter(|tick| !tick.automatic) {
        tick.by = name();
    }
}

fn drills(path: &Path) -> Result<Vec<Drill>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Drill::parse(&text)),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(why) => Err(format!("{}: {why}; check its permissions", path.display())),
    }
}
