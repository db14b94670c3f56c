//! `wardroom audit`: reads, verifies and exports the audit trail.

use std::io::Write;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::args::{Common, Output};
use super::{out, settings};
use crate::config::Surroundings;
use crate::config::duration::Span;
use crate::domain::Time;
use crate::domain::text::clean;
use crate::records::export::{Csv, JsonLines};
use crate::records::{self, Entry, Filter, LedgerError, Noted, Trail, Verified};

/// What `verify` says of a trail that was changed.
const CHANGED: u8 = 2;

/// Options of `audit`.
#[derive(Debug, Clone, clap::Args)]
pub struct AuditArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: AuditCommand,
    /// The folder of the journal [default: control.folder of the config, then $XDG_STATE_HOME/wardroom]
    #[arg(long, global = true, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// The key of an encrypted trail [default: control.age_identity of the config]
    #[arg(long, global = true, value_name = "FILE")]
    pub age_identity: Option<PathBuf>,
}

/// What `audit` does.
#[derive(Debug, Clone, Subcommand)]
pub enum AuditCommand {
    /// Print entries
    Query {
        /// Which.
        #[command(flatten)]
        which: Which,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Look whether an entry was changed, lost, inserted or moved, also at the end
    Verify {
        /// A head that was printed earlier and kept elsewhere: the trail must still have it
        #[arg(long, value_name = "COUNT:HASH")]
        head: Option<Noted>,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Write entries for other programs
    Export {
        /// Which.
        #[command(flatten)]
        which: Which,
        /// JSON lines, or CSV for spreadsheets
        #[arg(long, value_enum, default_value_t = Form::Jsonl)]
        format: Form,
    },
}

/// Which entries.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Which {
    /// Only of this model: its name, or CONTEXT/NAMESPACE/NAME
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Only of this act, such as a-3f9c21d4
    #[arg(long, value_name = "ACT")]
    pub act: Option<String>,
    /// Only of this user or identity
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Only of this operation, such as rollback
    #[arg(long, value_name = "VERB")]
    pub verb: Option<String>,
    /// Not before this: 24h ago, or a moment such as 2026-05-04T12:00:00Z
    #[arg(long, value_name = "SPAN|TIME", value_parser = moment)]
    pub since: Option<Time>,
    /// Before this
    #[arg(long, value_name = "SPAN|TIME", value_parser = moment)]
    pub until: Option<Time>,
    /// Only with this text in it
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a line of names.
    Csv,
}

/// A moment, or a span that lies behind us.
pub(super) fn moment(text: &str) -> Result<Time, String> {
    moment_at(text, chrono::Utc::now())
}

fn moment_at(text: &str, now: Time) -> Result<Time, String> {
    let text = text.trim();
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    if let Some(midnight) = text.parse::<chrono::NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0)) {
        return Ok(midnight.and_utc());
    }
    let span = text.parse::<Span>().ok().and_then(|span| chrono::TimeDelta::from_std(span.0).ok());
    span.and_then(|span| now.checked_sub_signed(span))
        .ok_or_else(|| format!("`{text}` is no moment; write 24h, 2026-05-04 or 2026-05-04T12:00:00Z"))
}

impl Which {
    fn filter(&self) -> Filter {
        Filter {
            model: self.model.clone(),
            act: self.act.clone(),
            user: self.user.clone(),
            verb: self.verb.clone(),
            since: self.since,
            until: self.until,
            text: self.text.clone(),
        }
    }
}

/// Runs it.
///
/// # Errors
/// A config that is wrong, a trail that cannot be read: exit code 3.
pub fn run(common: &Common, options: &AuditArgs) -> Result<u8, String> {
    let trail = open(common, options)?;
    match &options.command {
        AuditCommand::Query { which, output } => {
            let entries = trail.query(&which.filter()).map_err(words)?;
            match output {
                Output::Table => out::say(&table(&entries)),
                Output::Json => out::say(&pretty(&json!({ "entries": entries }))?),
            }
            Ok(0)
        }
        AuditCommand::Verify { head, output } => {
            let verified = trail.verify(head.as_ref()).map_err(words)?;
            match output {
                Output::Table => out::say(&told(&verified)),
                Output::Json => out::say(&pretty(&json!({
                    "intact": verified.is_intact(),
                    "head": verified.head(),
                    "trail": verified,
                }))?),
            }
            Ok(if verified.is_intact() { 0 } else { CHANGED })
        }
        AuditCommand::Export { which, format } => export(&trail, &which.filter(), *format),
    }
}

fn words(error: LedgerError) -> String {
    error.to_string()
}

fn pretty(value: &serde_json::Value) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|why| why.to_string())
}

/// The trail that options and config name. Without any config the usual folder is read, without a key.
fn open(common: &Common, options: &AuditArgs) -> Result<Trail, String> {
    let has_config = common.config.is_some()
        || std::env::var_os("WARDROOM_CONFIG").is_some_and(|file| !file.is_empty())
        || Surroundings::of_process().candidates().iter().any(|file| file.exists());
    let control = if has_config {
        settings::load(common).map_err(|error| error.to_string())?.config.control
    } else {
        crate::config::control::ControlConfig::default()
    };
    let folder = options.folder.as_ref().or(control.folder.as_ref());
    let folder = records::folder(folder.map(PathBuf::as_path)).map_err(words)?;
    let key = options.age_identity.as_ref().or(control.age_identity.as_ref());
    Trail::open(&folder, key.map(PathBuf::as_path)).map_err(words)
}

fn export(trail: &Trail, filter: &Filter, format: Form) -> Result<u8, String> {
    let out = std::io::BufWriter::new(std::io::stdout().lock());
    // A closed pipe ends the export; there is nobody left to tell.
    let mut stopped = None;
    let mut keep = |result: std::io::Result<()>| match result {
        Ok(()) => Ok(()),
        Err(why) => {
            stopped = Some(why);
            Err(LedgerError::Trouble("the export could not be written".into()))
        }
    };
    let ran = match format {
        Form::Jsonl => {
            let mut lines = JsonLines::new(out);
            trail.each(filter, |entry| keep(lines.write(&entry))).and_then(|()| keep(lines.end()))
        }
        Form::Csv => match Csv::new(out) {
            Ok(mut csv) => trail.each(filter, |entry| keep(csv.write(&entry))).and_then(|()| keep(csv.end())),
            Err(why) => keep(Err(why)),
        },
    };
    match (ran, stopped) {
        (_, Some(why)) if why.kind() == std::io::ErrorKind::BrokenPipe => Ok(0),
        (_, Some(why)) => Err(format!("standard output: {why}")),
        (ran, None) => ran.map(|()| 0).map_err(words),
    }
}

/// Verification in words.
fn told(verified: &Verified) -> String {
    let entries = match verified.count {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    };
    let mut lines = Vec::new();
    for finding in &verified.findings {
        lines.push(match finding.entry {
            Some(entry) => format!("entry {entry} {}", finding.what),
            None => finding.what.clone(),
        });
    }
    if verified.more > 0 {
        lines.push(format!("and {} more findings", verified.more));
    }
    let word = if verified.is_intact() { "intact" } else { "CHANGED" };
    lines.push(format!("{word}: {entries}, head {}", verified.head()));
    match (verified.encrypted, verified.unread) {
        (0, _) => {}
        (encrypted, 0) => lines.push(format!("{encrypted} encrypted, all of them read")),
        (encrypted, unread) => lines.push(format!(
            "{encrypted} encrypted, {unread} of them not read: their chain was looked at, their words need the key"
        )),
    }
    lines.join("\n")
}

/// The longest cell of the table, in columns.
const WIDEST: usize = 60;

fn table(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "no entry".into();
    }
    let head = ["NUMBER", "TIME (UTC)", "ACT", "WHO", "WHAT", "LINE", "DETAIL", "WHY"].map(str::to_owned);
    let mut rows = vec![head];
    rows.extend(entries.iter().map(|entry| {
        let who = if entry.who.identity.is_empty() || entry.who.identity == entry.who.user {
            entry.who.user.clone()
        } else {
            format!("{} as {}", entry.who.user, entry.who.identity)
        };
        [
            entry.number.to_string(),
            entry.at.format("%Y-%m-%d %H:%M:%S").to_string(),
            entry.act.0.clone(),
            who,
            entry.what.clone(),
            entry.line.words().to_owned(),
            entry.detail.clone(),
            entry.why.clone(),
        ]
        .map(|cell| clean(&cell, WIDEST))
    }));
    let mut widths = [0; 8];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut text = Vec::new();
    for row in &rows {
        let mut line = Vec::new();
        for (cell, width) in row.iter().zip(widths) {
            // The format's own padding counts characters, not columns.
            let blanks = " ".repeat(width.saturating_sub(cell.width()));
            // Writing to a vector does not fail.
            let _ = write!(line, "{cell}{blanks}  ");
        }
        text.push(String::from_utf8_lossy(&line).trim_end().to_owned());
    }
    text.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spans_days_or_times() {
        let now = Time::from_timestamp(1_800_000_000, 0).unwrap();
        assert_eq!(moment_at("24h", now), Ok(now - chrono::TimeDelta::hours(24)));
        assert_eq!(moment_at("2027-01-15", now).unwrap().to_rfc3339(), "2027-01-15T00:00:00+00:00");
        assert_eq!(
            moment_at("2027-01-15T09:00:00+02:00", now).unwrap().to_rfc3339(),
            "2027-01-15T07:00:00+00:00"
        );
        for wrong in ["", "yesterday", "2027-13-01", "12"] {
            assert!(moment_at(wrong, now).unwrap_err().contains("is no moment"), "{wrong}");
        }
    }
}
