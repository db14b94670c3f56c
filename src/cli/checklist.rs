//! `wardroom checklist`: looks at every check once, ticks what it verified, and lets a person tick the rest.

use clap::ValueEnum;
use serde::Serialize;

use super::args::{Common, Output};
use super::ticks::{self, Book};
use super::{logging, out, settings, stage};
use crate::checklist::{self, Known, Line, Mark, Period, Sight, Tick, hindrance};
use crate::domain::{Time, text};
use crate::store::Store;

/// Options of `checklist`.
#[derive(Debug, Clone, clap::Args)]
pub struct ChecklistArgs {
    /// Only this list [default: all of them]
    #[arg(long, value_enum)]
    pub period: Option<Which>,
    /// Tick a check by hand
    #[arg(long, value_name = "ID", requires = "note", conflicts_with = "untick")]
    pub tick: Option<String>,
    /// Withdraw a tick of this day, week or month
    #[arg(long, value_name = "ID", requires = "note")]
    pub untick: Option<String>,
    /// How it was checked, or why the tick is withdrawn
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// Due once a day (UTC).
    Daily,
    /// Due once an ISO week.
    Weekly,
    /// Due once a month.
    Monthly,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    environment: &'a str,
    time: String,
    exit_code: u8,
    checks: &'a [Line],
}

/// Runs it.
///
/// # Errors
/// A config that is wrong, a check that there is none of, a book that cannot be read or written: exit code 3.
pub fn run(common: &Common, options: &ChecklistArgs) -> Result<u8, String> {
    logging::headless(common.log_file.as_deref())?;
    let by_hand = by_hand(options)?;
    let loaded = settings::load(common).map_err(|error| error.to_string())?;
    let book = Book::of(&loaded.config)?;
    let mut known = book.exchange(&[])?;
    let (store, _) = stage::one_round(&loaded.config)?;
    let now = stage::now();
    let periods = match options.period {
        None => Period::ALL.to_vec(),
        Some(Which::Daily) => vec![Period::Daily],
        Some(Which::Weekly) => vec![Period::Weekly],
        Some(Which::Monthly) => vec![Period::Monthly],
    };
    let look = |known: &Known| -> Vec<Line> {
        checklist::board(&sight(&store, known, now), &known.ticks, &Period::ALL)
    };
    let mut lines = look(&known);
    let mut new = checklist::unwritten(&sight(&store, &known, now), &known.ticks, &lines);
    if let Some(Hand { item, note, undone }) = by_hand {
        let line = lines.iter().find(|line| line.item == item.id);
        if let Some(why) = line.and_then(|line| hindrance(line, undone, &note)) {
            return Err(format!("--{}: {why}", if undone { "untick" } else { "tick" }));
        }
        let span = item.period.span(now);
        new.push(Tick::by_hand(&store.environment, item, span, now, &ticks::name(), &note, undone));
    }
    if !new.is_empty() {
        known = book.exchange(&new)?;
        lines = look(&known);
    }
    lines.retain(|line| periods.contains(&line.period));
    let exit_code = exit_code(&lines);
    match options.output {
        Output::Json => {
            let time = now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            let answer = Answer { environment: &store.environment, time, exit_code, checks: &lines };
            out::say(&serde_json::to_string_pretty(&answer).map_err(|error| error.to_string())?);
        }
        Output::Table => out::say(&table(&lines, exit_code)),
    }
    Ok(exit_code)
}

fn sight<'a>(store: &'a Store, known: &'a Known, now: Time) -> Sight<'a> {
    Sight { store, beside: &known.beside, now }
}

/// What a person wants to tick or to withdraw.
struct Hand {
    item: &'static checklist::Item,
    note: String,
    undone: bool,
}

fn by_hand(options: &ChecklistArgs) -> Result<Option<Hand>, String> {
    let (flag, id) = match (&options.tick, &options.untick) {
        (Some(id), _) => ("tick", id),
        (None, Some(id)) => ("untick", id),
        (None, None) if options.note.is_some() => {
            return Err("--note: it belongs to --tick or --untick".into());
        }
        (None, None) => return Ok(None),
    };
    let Some(item) = checklist::item(id) else {
        let ids: Vec<&str> = checklist::items().map(|item| item.id).collect();
        return Err(format!("--{flag} {id}: there is no such check; there are {}", ids.join(", ")));
    };
    let note = text::clean(options.note.as_deref().unwrap_or_default(), checklist::NOTE);
    if note.is_empty() {
        return Err("--note: it is empty; write how it was checked, or why the tick is withdrawn".into());
    }
    Ok(Some(Hand { item, note, undone: flag == "untick" }))
}

/// What is not met counts first, then what a person has to do, then what cannot be told.
fn exit_code(lines: &[Line]) -> u8 {
    let has = |mark| lines.iter().any(|line| line.mark == mark);
    match () {
        () if has(Mark::NotMet) => 2,
        () if has(Mark::Open) => 1,
        () if has(Mark::CannotTell) => 3,
        () => 0,
    }
}

fn table(lines: &[Line], exit_code: u8) -> String {
    let mut rows = Vec::new();
    for period in Period::ALL {
        let mut list = lines.iter().filter(|line| line.period == period).peekable();
        let Some(first) = list.peek() else { continue };
        rows.push(format!("{} {}", period.word().to_uppercase(), first.due));
        for line in list {
            let marks: Vec<&str> = line.earlier.iter().map(|past| letter(past.mark)).collect();
            rows.push(format!(
                "{:<17} {:<12} {}  {}",
                line.mark.word(),
                line.item,
                marks.join(" "),
                line.words
            ));
            let signed = match line.at {
                Some(at) => format!("  ({}, {})", line.by, at.format("%Y-%m-%d %H:%M UTC")),
                None => String::new(),
            };
            if !line.evidence.is_empty() || !signed.is_empty() {
                rows.push(format!("{:30} {}{signed}", "", line.evidence));
            }
            let is_by_hand = line.mark == Mark::Person || line.evidence.starts_with("withdrawn");
            if is_by_hand && !line.now.words().is_empty() {
                rows.push(format!("{:30} now: {}", "", line.now.words()));
            }
        }
    }
    let ticked = lines.iter().filter(|line| line.mark.is_ticked()).count();
    rows.push(format!("{ticked} of {} ticked (exit {exit_code})   before: T tool  P person", lines.len()));
    rows.iter().map(|row| row.trim_end()).collect::<Vec<_>>().join("\n")
}

/// An earlier period in one letter.
fn letter(mark: Option<Mark>) -> &'static str {
    match mark {
        Some(Mark::Tool) => "T",
        Some(_) => "P",
        None => "-",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checklist::Found;

    fn line(mark: Mark) -> Line {
        Line {
            item: "access",
            period: Period::Monthly,
            due: "2026-11".into(),
            words: "",
            mark,
            evidence: String::new(),
            by: String::new(),
            at: None,
            now: Found::ByHand(String::new()),
            earlier: Vec::new(),
        }
    }

    #[test]
    fn the_worst_decides_the_exit_code() {
        let code = |marks: &[Mark]| exit_code(&marks.iter().map(|&mark| line(mark)).collect::<Vec<_>>());
        assert_eq!(code(&[Mark::Tool, Mark::Person]), 0);
        assert_eq!(code(&[Mark::Tool, Mark::CannotTell]), 3);
        assert_eq!(code(&[Mark::Open, Mark::CannotTell]), 1);
        assert_eq!(code(&[Mark::Open, Mark::CannotTell, Mark::NotMet]), 2);
    }
}
