//! Asks whether it shall be done.

use std::io::{BufRead, IsTerminal, Write};

use crate::domain::act::{Confirm, Plan, Refusal};

/// Whether the operator wants it, by flags or by an answer. `given`: the model as it was named.
///
/// # Errors
/// A terminal that cannot be read.
pub(super) fn confirmed(
    plan: &Plan,
    yes: bool,
    confirm: Option<&str>,
    given: &str,
) -> Result<Result<(), Refusal>, String> {
    let at_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    match by_flags(plan, yes, confirm, given, at_terminal) {
        ByFlags::Yes => return Ok(Ok(())),
        ByFlags::No(refusal) => return Ok(Err(refusal)),
        ByFlags::Ask => {}
    }
    // What was typed before the plan was there was not meant for it.
    let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
    let question = match &plan.confirm {
        Confirm::Type(name) => format!("type {name} to confirm, or Enter to leave it: "),
        Confirm::Enter => "Enter to abort, or type no: ".to_owned(),
        Confirm::Choose => "do it? type yes, or Enter to leave it: ".to_owned(),
    };
    {
        let mut err = std::io::stderr().lock();
        // Without a terminal to write to nobody is asked.
        let _ = write!(err, "{question}");
        let _ = err.flush();
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|why| format!("the answer cannot be read: {why}"))?;
    // The end of input is no Enter.
    let is_meant = line.ends_with('\n') && says_yes(&plan.confirm, line.trim());
    Ok(if is_meant { Ok(()) } else { Err(Refusal::new("not confirmed", "nothing was sent")) })
}

#[derive(Debug, PartialEq)]
enum ByFlags {
    Yes,
    No(Refusal),
    Ask,
}

fn by_flags(plan: &Plan, yes: bool, confirm: Option<&str>, given: &str, at_terminal: bool) -> ByFlags {
    if let Confirm::Type(name) = &plan.confirm {
        let names_it = |said: &str| said == name || (given.contains('/') && said == given);
        match confirm {
            Some(said) if names_it(said) => {}
            Some(said) => {
                let why = format!("--confirm {said} is not the model's name");
                return ByFlags::No(Refusal::new(why, format!("write --confirm {name}; nothing was sent")));
            }
            None if at_terminal && !yes => return ByFlags::Ask,
            None => {
                let instead = format!("--yes does not replace it: write --confirm {name}");
                return ByFlags::No(Refusal::new("this is production", instead));
            }
        }
        // The name alone is no yes without a terminal.
        return match (yes, at_terminal) {
            (true, _) | (_, true) => ByFlags::Yes,
            (false, false) => ByFlags::No(no_terminal()),
        };
    }
    match (yes, at_terminal) {
        (true, _) => ByFlags::Yes,
        (false, true) => ByFlags::Ask,
        (false, false) => ByFlags::No(no_terminal()),
    }
}

fn no_terminal() -> Refusal {
    Refusal::new(
        "there is no terminal to ask on",
        "write --yes to do it, or --plan to see what would be sent",
    )
}

fn says_yes(confirm: &Confirm, line: &str) -> bool {
    match confirm {
        Confirm::Type(name) => line == name,
        Confirm::Enter => matches!(line, "" | "y" | "yes"),
        Confirm::Choose => matches!(line, "y" | "yes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::sample_plan;

    fn flags(confirm: Confirm, yes: bool, said: Option<&str>, at_terminal: bool) -> ByFlags {
        let plan = Plan { confirm, ..sample_plan() };
        by_flags(&plan, yes, said, "als", at_terminal)
    }

    #[test]
    fn without_a_terminal_yes_is_needed() {
        assert_eq!(flags(Confirm::Enter, false, None, false), ByFlags::No(no_terminal()));
        assert_eq!(flags(Confirm::Enter, true, None, false), ByFlags::Yes);
        assert_eq!(flags(Confirm::Choose, false, None, true), ByFlags::Ask);
    }

    #[test]
    fn yes_does_not_replace_the_name() {
        let typed = || Confirm::Type("als".into());
        assert!(matches!(flags(typed(), true, None, false), ByFlags::No(_)));
        assert!(matches!(flags(typed(), true, None, true), ByFlags::No(_)));
        assert!(matches!(flags(typed(), true, Some("other"), false), ByFlags::No(_)));
        assert_eq!(flags(typed(), true, Some("als"), false), ByFlags::Yes);
        assert!(matches!(flags(typed(), false, Some("als"), false), ByFlags::No(_)), "nor the name the yes");
        assert_eq!(flags(typed(), false, None, true), ByFlags::Ask);
    }

    #[test]
    fn an_empty_line_is_yes_only_for_the_safe_direction() {
        assert!(says_yes(&Confirm::Enter, ""));
        assert!(!says_yes(&Confirm::Enter, "no"));
        assert!(!says_yes(&Confirm::Choose, ""));
        assert!(!says_yes(&Confirm::Type("als".into()), "yes"));
        assert!(says_yes(&Confirm::Type("als".into()), "als"));
    }
}
