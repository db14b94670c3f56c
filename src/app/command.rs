//! The command line: `:` and a word of the action table, or a word with an argument.

use super::acting::percent;
use super::action::{ACTIONS, Action};
use super::state::Sort;
use crate::domain::Version;
use crate::domain::act::Operation;

/// What a written command means.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// An action of the table.
    Action(Action),
    /// `theme NAME`.
    Theme(String),
    /// `filter TEXT`.
    Filter(String),
    /// `sort ORDER`.
    Sort(Sort),
    /// `model NAME`: select it.
    Model(String),
    /// `note TEXT`.
    Note(String),
    /// `rollback VERSION`, `weight PERCENT`, `pause`, `resume`: plan it.
    Plan(Operation),
}

/// Commands that take an argument: the word, what follows it, what it does.
pub const WITH_ARGUMENT: &[(&str, &str, &str)] = &[
    ("theme", "NAME", "change the colours: default, light, colour-blind, high-contrast, mono, or a file"),
    ("filter", "TEXT", "filter the fleet"),
    ("sort", "ORDER", "worst, name, p95, errors, drift or requests"),
    ("model", "NAME", "select a model"),
    ("note", "TEXT", "write a note into the timeline"),
    ("rollback", "VERSION", "plan to bring a version back"),
    ("weight", "PERCENT", "plan another share of traffic for the canary"),
];

/// Reads a command.
///
/// # Errors
/// Says what is not understood and what could be written instead.
pub fn parse(text: &str) -> Result<Command, String> {
    let text = text.trim().trim_start_matches(':');
    let (word, argument) = text.split_once(char::is_whitespace).map_or((text, ""), |(a, b)| (a, b.trim()));
    if !argument.is_empty() {
        return match word {
            "theme" => Ok(Command::Theme(argument.into())),
            "filter" => Ok(Command::Filter(argument.into())),
            "model" => Ok(Command::Model(argument.into())),
            "note" => Ok(Command::Note(argument.into())),
            "rollback" => Ok(Command::Plan(Operation::RollBack { to: Version::new(argument) })),
            "weight" => percent(argument).map(|percent| Command::Plan(Operation::SetWeight { percent })),
            "sort" => Sort::ALL
                .into_iter()
                .find(|sort| sort.word().split_whitespace().any(|part| part == argument))
                .map(Command::Sort)
                .ok_or_else(|| {
                    format!(
                        "sort: `{argument}` is no order; write worst, name, p95, errors, drift or requests"
                    )
                }),
            _ => Err(format!("`{word}` takes no argument, or is no command; ? lists them")),
        };
    }
    if let Some(action) = Action::from_name(word).or_else(|| (word == "q").then_some(Action::Quit)) {
        return Ok(Command::Action(action));
    }
    match word {
        "pause" => return Ok(Command::Plan(Operation::Pause)),
        "resume" | "release" => return Ok(Command::Plan(Operation::Resume)),
        _ => {}
    }
    match WITH_ARGUMENT.iter().find(|(name, ..)| *name == word) {
        Some((name, what, _)) => Err(format!("write `{name} {what}`")),
        None => Err(format!("there is no command `{word}`; ? lists them")),
    }
}

/// The commands that begin with what is written: word and meaning.
pub fn completions(text: &str) -> Vec<(&'static str, &'static str)> {
    let text = text.trim_start().trim_start_matches(':');
    let rows = ACTIONS.iter().map(|row| (row.name, row.words));
    let more = WITH_ARGUMENT.iter().map(|&(name, _, words)| (name, words));
    let mut found: Vec<_> = more.chain(rows).filter(|(name, _)| name.starts_with(text)).collect();
    found.sort_unstable_by_key(|(name, _)| *name);
    found.dedup_by_key(|(name, _)| *name);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        assert_eq!(parse(":q"), Ok(Command::Action(Action::Quit)));
        assert_eq!(parse("sort drift"), Ok(Command::Sort(Sort::Drift)));
        assert_eq!(parse("theme  mono "), Ok(Command::Theme("mono".into())));
        let back = Operation::RollBack { to: Version::new("1.2.0") };
        assert_eq!(parse(":rollback 1.2.0"), Ok(Command::Plan(back)));
        assert_eq!(parse("rollback"), Ok(Command::Action(Action::RollBack)));
        assert_eq!(parse("weight 12.5 %"), Ok(Command::Plan(Operation::SetWeight { percent: 12.5 })));
        for wrong in ["weight 101", "weight -1", "weight x", "weight NaN", "weight inf"] {
            assert!(parse(wrong).unwrap_err().contains("from 0 to 100"), "{wrong}");
        }
        assert!(parse("theme").unwrap_err().contains("theme NAME"));
        assert!(parse("dance").unwrap_err().contains("dance"));
        assert!(completions("ref").iter().any(|(name, _)| *name == "refresh"));
    }
}
