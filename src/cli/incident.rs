//! `wardroom incident`: lists, shows and exports incidents, and writes into one. Works on the history file, beside rooms
//! that are open.

mod export;
mod facts;
mod folder;
mod push;
mod show;
mod write;

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::args::{Common, Output};
use super::out;
use crate::domain::Time;
use crate::domain::incident::{Incident, Milestone, Severity};

pub(super) use export::keep;
pub(super) use folder::place;

/// What a command says of an incident that is not there.
const ABSENT: u8 = 2;

/// Options of `incident`.
#[derive(Debug, Clone, clap::Args)]
pub struct IncidentArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: IncidentCommand,
    /// The folder of the history [default: history.folder, then control.folder of the config, then
    /// $XDG_STATE_HOME/wardroom]
    #[arg(long, global = true, value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// What `incident` does. Wherever an ID is wanted, `latest` is the one that was declared last.
#[derive(Debug, Clone, Subcommand)]
pub enum IncidentCommand {
    /// List incidents, the newest first
    List {
        /// Only those that are not resolved
        #[arg(long)]
        open: bool,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Show how one stands, with its timeline
    Show {
        /// Which, or latest
        id: String,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Write a document of one
    Export {
        /// Which, or latest
        id: String,
        /// Which document, or csv and jsonl with every entry
        #[arg(long, value_enum, default_value_t = Form::Markdown)]
        format: Form,
        /// Write it to this file, which must not be there yet
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The key of an encrypted audit trail [default: control.age_identity of the config]
        #[arg(long, value_name = "FILE")]
        age_identity: Option<PathBuf>,
    },
    /// Declare one, and print its ID
    Declare {
        /// What it is about
        #[arg(long)]
        title: String,
        /// How bad: sev1 patients or all users, sev2 a part, sev3 with a way around, sev4 a nuisance
        #[arg(long, value_parser = severity)]
        severity: Severity,
        /// A model that it is about (may be repeated) [default: all]
        #[arg(long, value_name = "NAME")]
        model: Vec<String>,
    },
    /// Write a note into one
    Note {
        /// Which, or latest
        id: String,
        /// The words
        text: String,
        /// When it happened: 10m ago, or a moment such as 2026-05-04T12:00:00Z [default: now]
        #[arg(long, value_name = "SPAN|TIME", value_parser = super::audit::moment)]
        at: Option<Time>,
    },
    /// Say that a milestone was reached: started, detected, acknowledged, mitigated, resolved
    Milestone {
        /// Which, or latest
        id: String,
        /// The milestone
        #[arg(value_parser = milestone)]
        milestone: Milestone,
        /// What speaks for it
        #[arg(long)]
        evidence: String,
        /// When it was reached: 10m ago, or a moment such as 2026-05-04T12:00:00Z [default: now]
        #[arg(long, value_name = "SPAN|TIME", value_parser = super::audit::moment)]
        at: Option<Time>,
    },
    /// Write down what is to be done afterwards
    FollowUp {
        /// Which, or latest
        id: String,
        /// What
        text: String,
        /// Who
        #[arg(long, default_value = "")]
        owner: String,
    },
    /// Write down that others were told how it stands
    Update {
        /// Which, or latest
        id: String,
        /// What they were told
        text: String,
    },
    /// Correct an entry: both stand, side by side
    Correct {
        /// Which, or latest
        id: String,
        /// The entry's own ID, as `show` prints it
        entry: String,
        /// What is right
        text: String,
        /// When it really happened
        #[arg(long, value_name = "SPAN|TIME", value_parser = super::audit::moment)]
        at: Option<Time>,
    },
    /// Write every entry into Grafana as an annotation; what is there is not written twice
    Push {
        /// Which, or latest
        id: String,
        /// Grafana's address, with its path prefix
        #[arg(long, value_name = "URL")]
        grafana: url::Url,
        /// The file with the token of a service account that may read and write annotations
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
        /// Without a file: the environment variable with the token
        #[arg(long, value_name = "NAME", default_value = "GRAFANA_TOKEN")]
        token_env: String,
        /// A PEM file with the private CA of the server
        #[arg(long, value_name = "FILE")]
        ca_file: Option<PathBuf>,
    },
}

/// What `export` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// The whole incident, for people.
    Markdown,
    /// Every entry, for spreadsheets; lossless.
    Csv,
    /// Every entry, one JSON object a line; lossless.
    Jsonl,
    /// The message to the clinical team and others.
    Stakeholder,
    /// The report after a rollback, with its follow-ups.
    PostRollback,
    /// The template of a root-cause analysis, filled in with what is known.
    RootCause,
}

fn severity(text: &str) -> Result<Severity, String> {
    let found = Severity::ALL.into_iter().find(|severity| severity.word().eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("`{text}` is no severity; write sev1, sev2, sev3 or sev4"))
}

fn milestone(text: &str) -> Result<Milestone, String> {
    let found = Milestone::ALL.into_iter().find(|milestone| milestone.word().eq_ignore_ascii_case(text));
    found.ok_or_else(|| {
        let words = Milestone::ALL.map(Milestone::word).join(", ");
        format!("`{text}` is no milestone; write one of {words}")
    })
}

/// Runs it.
///
/// # Errors
/// A config that is wrong, a history that cannot be read or written: exit code 3.
pub fn run(common: &Common, options: &IncidentArgs) -> Result<u8, String> {
    super::logging::headless(common.log_file.as_deref())?;
    let place = folder::place(common, options.folder.as_deref())?;
    let entries = place.entries()?;
    let incidents = Incident::fold(&entries);
    let found = |id: &str| -> Option<&Incident> {
        let found = match id {
            "latest" => incidents.last(),
            id => incidents.iter().find(|incident| incident.id.0 == id),
        };
        if found.is_none() {
            out::complain(&none(id, &incidents, &place));
        }
        found
    };
    use IncidentCommand::{Correct, Declare, Export, FollowUp, List, Note, Push, Show, Update};
    match &options.command {
        List { open, output } => show::list(&incidents, *open, *output),
        Declare { title, severity, model } => write::declare(&place, &entries, title, *severity, model),
        Show { id, .. }
        | Export { id, .. }
        | Note { id, .. }
        | IncidentCommand::Milestone { id, .. }
        | FollowUp { id, .. }
        | Update { id, .. }
        | Correct { id, .. }
        | Push { id, .. } => {
            let Some(incident) = found(id) else { return Ok(ABSENT) };
            match &options.command {
                Show { output, .. } => show::one(incident, *output),
                Export { format, out, age_identity, .. } => {
                    export::run(&place, incident, &entries, *format, out.as_deref(), age_identity.as_deref())
                }
                Push { grafana, token_file, token_env, ca_file, .. } => {
                    let access = push::access(token_file.as_deref(), token_env, ca_file.as_deref());
                    push::run(incident, grafana, &access)
                }
                other => write::into(&place, incident, other),
            }
        }
    }
}

/// Says that there is no such incident, and which there are.
fn none(id: &str, incidents: &[Incident], place: &folder::Place) -> String {
    let known: Vec<&str> = incidents.iter().rev().take(10).map(|incident| incident.id.0.as_str()).collect();
    let id = crate::domain::text::clean_name(id);
    if known.is_empty() {
        format!("{}: there is no incident yet; declare one with `wardroom incident declare`", place.shown())
    } else {
        format!("{}: there is no incident {id}; it has {}", place.shown(), known.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_call_are_read() {
        assert_eq!(severity("SEV2"), Ok(Severity::Sev2));
        assert!(severity("2").unwrap_err().contains("sev1"));
        assert_eq!(milestone("Mitigated"), Ok(Milestone::Mitigated));
        assert!(milestone("ended").unwrap_err().contains("resolved"));
    }
}
