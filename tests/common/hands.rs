//! An operator's hands: an act from its key over the plan to effective.

use crate::pty::Session;

pub const ENTER: &str = "\r";
pub const ESC: &str = "\x1b";
/// To the button that acts: from the reason over Cancel.
pub const TAB: &str = "\t";

/// Waits for the plan, moves to the button that acts, and presses it.
pub fn confirm(session: &mut Session, button: &str) {
    session.wait_text("will do");
    let focused = format!("[ {button}");
    // The focus moves over the fields; not every stop is the button.
    for _ in 0..4 {
        session.settle();
        if session.screen().contains(&focused) {
            break;
        }
        session.keys(TAB);
    }
    session.wait_text(&focused);
    session.keys(ENTER);
}

/// Opens a plan, confirms it, waits until it is effective, and closes its box. A rollout that moved between plan and
/// confirmation gets nothing, as it should: an operator then plans anew.
pub fn act(session: &mut Session, open: impl Fn(&mut Session), button: &str) {
    const ENDS: [&str; 2] = ["EFFECTIVE", "NOTHING SENT"];
    for _ in 0..3 {
        open(session);
        confirm(session, button);
        session.wait_for("the act's end", |screen| ENDS.iter().any(|end| screen.contains(end)));
        let end = session.screen();
        session.keys(ESC);
        session.wait_for("the closed box", |screen| !ENDS.iter().any(|end| screen.contains(end)));
        if end.contains(ENDS[0]) {
            return;
        }
        assert!(end.contains("the world has moved"), "nothing was sent:\n{end}");
    }
    panic!("the rollout moved before each of three confirmations; the screen is\n{}", session.screen());
}
