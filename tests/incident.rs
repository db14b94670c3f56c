//! An incident as people live it: keys in pseudo-terminals, on the demo fleet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/pty.rs"]
mod pty;

use pty::Session;

const ENTER: &str = "\r";
const ESC: &str = "\x1b";

/// A key of the sheet, its words, and what has to stand on screen then.
fn writes(session: &mut Session, key: &str, asks: &str, words: &str, shows: &str) {
    session.keys(key);
    session.wait_text(asks);
    session.keys(&format!("{words}{ENTER}"));
    session.wait_text(shows);
}

#[test]
fn it_is_declared_written_into_and_resolved() {
    let mut session = Session::start(&["demo", "--interval", "300ms"], (160, 45), &[]);
    session.wait_text("alzheimer");
    session.wait_for("trouble", |screen| screen.contains("critical"));
    session.keys("i");
    session.wait_text("Declare an incident");
    session.keys(&format!("\x15canary is slow{ENTER}"));
    session.wait_text("ACKNOWLEDGED");
    for word in ["DETECTED", "STARTED", "since start", "no commander"] {
        session.wait_text(word);
    }
    writes(&mut session, "n", "what you see", "first look", "first look");
    writes(&mut session, "h", "thought to be", "a cold cache", "hypothesis: a cold cache");
    session.keys("r");
    session.wait_text("[commander]");
    session.keys(ENTER);
    session.wait_text("commander: ");
    writes(&mut session, "d", "15 roll back", "15 abort unless p95 falls", "to be decided at");
    session.keys(ESC);
    session.wait_for("the bar", |screen| {
        screen.lines().nth(2).is_some_and(|bar| bar.contains("SEV") && bar.contains("abort unless"))
    });
    session.keys("n");
    session.wait_text("note on i-");
    session.keys(&format!("typed in place{ENTER}"));
    session.wait_text("typed in place");
    session.keys("i");
    session.wait_text("milestones");
    writes(&mut session, "m", "evidence", "p95 is back", "MITIGATED: p95 is back");
    writes(&mut session, "m", "evidence", "nothing left to do", "RESOLVED: nothing left to do");
    session.keys(ESC);
    session.wait_for("a quiet room", |screen| !screen.lines().nth(2).is_some_and(|bar| bar.contains("SEV")));
    session.keys("q");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
}

#[test]
fn a_spectator_says_so_and_refuses() {
    let mut session = Session::start(&["demo", "--spectate"], (160, 45), &[]);
    session.wait_text("alzheimer");
    session.wait_text("spectator");
    session.wait_text("1.3.0");
    for (key, name) in [("i", "incident:"), ("n", "note:"), ("A", "abort:")] {
        session.keys(key);
        session.wait_for("the refusal", |screen| {
            screen.lines().last().is_some_and(|line| line.contains(name) && line.contains("spectator"))
        });
    }
    session.keys("q");
    assert_eq!(session.end().0, 0);
}
