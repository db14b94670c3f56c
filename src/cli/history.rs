//! `wardroom history`: what is kept, where, from when, and whether it is sound.

use std::path::PathBuf;

use serde_json::json;

use super::args::{Common, Output};
use super::{UNKNOWN, memory, out, settings};
use crate::domain::Time;
use crate::domain::incident::{Entry, EntryId, IncidentId, Matter};
use crate::domain::{Event, EventKind, Level};
use crate::history::{self, Found, History, Keep, Kept, LookError, Settings};

/// What is said of a file that is damaged.
const DAMAGED: u8 = 2;
/// Entries that a writer has under way at most.
const UNDER_WAY: u64 = 20;

/// Options of `history`.
#[derive(Debug, Clone, clap::Args)]
pub struct HistoryArgs {
    /// Look at every page of the file; takes some seconds for each GiB
    #[arg(long)]
    pub check: bool,
    /// The folder of the file [default: history.folder of the config, then control.folder]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Write entries under this name until killed, and print each when it is durable: for tests
    #[arg(long, value_name = "NAME", hide = true)]
    pub load: Option<String>,
}

/// Runs it: 0 all is well, 2 the file is damaged, 3 it cannot be read.
///
/// # Errors
/// A config that is wrong, a file that is not there or cannot be read.
pub fn run(common: &Common, options: &HistoryArgs) -> Result<u8, String> {
    let loaded = settings::load(common);
    let settings = match (&options.folder, loaded) {
        (Some(folder), Ok(loaded)) => {
            Settings { folder: folder.clone(), ..memory::settings(&loaded.config)? }
        }
        // A folder that is given needs no config.
        (Some(folder), Err(_)) => {
            let config = crate::config::Config::default();
            Settings { folder: folder.clone(), ..memory::settings(&config)? }
        }
        (None, loaded) => memory::settings(&loaded.map_err(|error| error.to_string())?.config)?,
    };
    if let Some(name) = &options.load {
        return load(settings, name);
    }
    match history::look(&settings, options.check) {
        Ok(found) => {
            let is_damaged = found.damage.as_ref().is_some_and(|damage| !damage.is_empty());
            match options.output {
                Output::Table => out::say(&table(&found, settings.max_bytes)),
                Output::Json => out::say(&format!("{:#}", json_of(&found, settings.max_bytes))),
            }
            Ok(if is_damaged { DAMAGED } else { 0 })
        }
        Err(LookError::Damaged(words)) => {
            out::complain(&words);
            Ok(DAMAGED)
        }
        Err(LookError::Unreadable(words)) => {
            out::complain(&words);
            Ok(UNKNOWN)
        }
    }
}

fn moment(at: Option<Time>) -> String {
    at.map_or_else(|| "–".into(), |at| at.format("%Y-%m-%d %H:%M:%S").to_string())
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn table(found: &Found, bound: u64) -> String {
    let mut lines = vec![
        format!("file          {}", found.path.display()),
        format!("size          {} of {}, {} in use", mib(found.bytes), mib(bound), mib(found.used)),
        format!("environments  {}", found.environments.join(", ")),
        String::new(),
        format!("{:>8}  {:>14}  {:<19}  {:<19}", "step", "points", "oldest (UTC)", "newest (UTC)"),
    ];
    for tier in &found.tiers {
        lines.push(format!(
            "{:>6} s  {:>14}  {:<19}  {:<19}",
            tier.step_s,
            tier.points,
            moment(tier.oldest),
            moment(tier.newest)
        ));
    }
    lines.push(String::new());
    lines.push(format!("frames        {}", found.frames));
    lines.push(format!("events        {}", found.events));
    lines.push(format!("entries       {}", found.entries));
    lines.push(match &found.damage {
        None => "integrity     not checked (--check)".into(),
        Some(damage) if damage.is_empty() => "integrity     ok".into(),
        Some(damage) => format!(
            "integrity     damaged: {}; move it aside with its -wal and -shm files, a new one is made",
            damage.first().map_or("", String::as_str)
        ),
    });
    lines.join("\n")
}

fn json_of(found: &Found, bound: u64) -> serde_json::Value {
    let tier = |tier: &history::FoundTier| json!({ "step_s": tier.step_s, "points": tier.points, "oldest": tier.oldest, "newest": tier.newest });
    json!({
        "path": found.path,
        "bytes": found.bytes,
        "used_bytes": found.used,
        "max_bytes": bound,
        "environments": found.environments,
        "tiers": found.tiers.iter().map(tier).collect::<Vec<_>>(),
        "frames": found.frames,
        "events": found.events,
        "entries": found.entries,
        "integrity": found.damage.as_ref().map(|damage| match damage.is_empty() {
            true => "ok".to_owned(),
            false => damage.join("; "),
        }),
    })
}

/// Writes entries and lines as fast as they become durable. Prints `entry NAME-N` for each that is.
fn load(settings: Settings, name: &str) -> Result<u8, String> {
    let (tell, told) = std::sync::mpsc::channel();
    let history = History::open(settings, move |kept| drop(tell.send(kept)));
    let mut number = 0;
    let mut durable = 0;
    loop {
        while number - durable < UNDER_WAY {
            number += 1;
            let at = chrono::Utc::now();
            history.ask(Keep::Entries(vec![Entry {
                id: EntryId(format!("{name}-{number}")),
                incident: IncidentId(format!("i-{name}")),
                happened: at,
                recorded: at,
                by: name.to_owned(),
                matter: Matter::Note { text: format!("note {number}") },
            }]));
            history.ask(Keep::Events(vec![Event {
                at,
                kind: EventKind::Note,
                model: None,
                level: Level::Ok,
                what: format!("{name}-{number}"),
                detail: String::new(),
            }]));
        }
        match told.recv().map_err(|_| "the history ended".to_owned())? {
            Kept::Written(entries) => {
                durable += entries.len() as u64;
                for entry in entries {
                    out::say(&format!("entry {}", entry.id));
                }
            }
            Kept::Entries(entries) => out::say(&format!("heard {}", entries.len())),
            Kept::Trouble(why) => return Err(why),
            Kept::Notice(_) | Kept::Past(_) | Kept::Filled(_) => {}
        }
    }
}
