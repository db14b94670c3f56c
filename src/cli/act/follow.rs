//! Follows an act until its outcome is known.

use super::session::Session;
use super::{pretty, show};
use crate::cli::args::Output;
use crate::cli::out;
use crate::domain::act::{Act, ActId, CheckState, Outcome, RequestState, Stage, Told};

/// Nobody knows yet.
const UNKNOWN: u8 = 3;

/// Shows every step. `to_the_end`: also the watch.
///
/// # Errors
/// An answer that cannot be written as JSON.
pub async fn follow(
    mut session: Session,
    id: &ActId,
    output: Output,
    to_the_end: bool,
) -> Result<u8, String> {
    let mut last: Option<Act> = None;
    let mut troubles = Vec::new();
    let interrupted = loop {
        tokio::select! {
            told = session.told() => match told {
                Some(Told::Act(act)) if act.plan.id == *id => {
                    show_news(last.as_ref(), &act, output);
                    let is_done = is_done(&act, to_the_end);
                    last = Some(*act);
                    if is_done {
                        break false;
                    }
                }
                Some(Told::Trouble(words) | Told::Advice { words, .. }) => {
                    out::complain(&words);
                    troubles.push(words);
                    if last.is_none() {
                        break false;
                    }
                }
                Some(_) => {}
                None => break false,
            },
            _ = tokio::signal::ctrl_c() => break true,
        }
    };
    for told in session.end().await {
        if let Told::Act(act) = told
            && act.plan.id == *id
        {
            show_news(last.as_ref(), &act, output);
            last = Some(*act);
        }
    }
    let Some(act) = last else {
        return troubles.pop().map_or_else(|| Err("the engine has ended".into()), |_| Ok(super::NOTHING));
    };
    let code = code(&act);
    match output {
        Output::Json => out::say(&pretty(&show::document(&act, code))?),
        Output::Table => out::say(&format!("{} (exit {code})", show::verdict(&act))),
    }
    if act.is_open() {
        out::complain(&left(&act, interrupted));
    }
    Ok(code)
}

fn show_news(before: Option<&Act>, act: &Act, output: Output) {
    if output == Output::Table {
        for line in show::news(before, act) {
            out::say(&line);
        }
    }
}

fn is_done(act: &Act, to_the_end: bool) -> bool {
    match (&act.stage, &act.outcome) {
        (Stage::Over, _) => true,
        (_, Some(Outcome::Effective)) => !to_the_end,
        (_, Some(_)) => true,
        (_, None) => false,
    }
}

/// The exit code; what was begun and not verified is unknown.
fn code(act: &Act) -> u8 {
    act.outcome.as_ref().map_or(UNKNOWN, Outcome::exit_code)
}

/// What goes on without this process, and how to look again.
fn left(act: &Act, interrupted: bool) -> String {
    let id = &act.plan.id;
    let waits = act.checks.iter().filter(|check| check.state == CheckState::Waiting);
    let waits: Vec<&str> = waits.map(|check| check.words.as_str()).collect();
    let open =
        if waits.is_empty() { String::new() } else { format!(" (not seen yet: {})", waits.join("; ")) };
    let is_sent =
        |state: &&RequestState| !matches!(state, RequestState::NotSent { .. } | RequestState::Waiting { .. });
    match (act.effective_at.is_some(), interrupted) {
        (true, _) => {
            format!("{id} is not watched any more{open}; wardroom acts verify {id} --watch watches on")
        }
        (false, true) => format!(
            "interrupted: {} of {} requests were sent and are not undone; {id} goes on unverified; \
             wardroom acts verify {id} looks what came of it",
            act.requests.iter().filter(is_sent).count(),
            act.requests.len()
        ),
        (false, false) => format!("{id} is not verified; wardroom acts verify {id} looks again"),
    }
}
