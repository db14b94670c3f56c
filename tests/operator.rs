//! Each act as its operator does it: keys in a pseudo-terminal, from the first key to effective, on the demo fleet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/hands.rs"]
mod hands;
#[path = "common/pty.rs"]
mod pty;

use hands::{ENTER, ESC, act, confirm};
use pty::Session;

/// A room on the demo with `model` selected.
fn room(model: &str) -> Session {
    let mut session = Session::start(&["demo", "--interval", "300ms"], (140, 45), &[]);
    session.wait_text("alzheimer");
    session.wait_text("1.3.0");
    select(&mut session, model);
    session
}

fn select(session: &mut Session, model: &str) {
    session.keys(&format!(":model {model}{ENTER}"));
    session.wait_for("the selection", |screen| {
        screen.lines().any(|line| line.contains('▶') && line.contains(model))
    });
}

fn leave(mut session: Session) {
    session.keys("q");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
}

#[test]
fn abort_is_its_key_and_enter_then_retry() {
    let mut session = room("alzheimer");
    act(&mut session, |session| session.keys("A"), "Abort");
    session.wait_text("aborted");
    session.keys("Y");
    confirm(&mut session, "Retry");
    // At 5 % it takes a minute of requests until the share is certain: that it began again is enough here.
    session.wait_text("● accepted");
    session.keys(ESC);
    session.wait_for("the closed box", |screen| !screen.contains("● accepted"));
    leave(session);
}

#[test]
fn hold_and_release() {
    let mut session = room("heart-disease");
    act(&mut session, |session| session.keys("H"), "Hold");
    session.wait_text("held by hand");
    act(&mut session, |session| session.keys("H"), "Release");
    leave(session);
}

#[test]
fn promote_by_a_step_then_to_all_traffic() {
    let mut session = room("heart-disease");
    act(&mut session, |session| session.keys("P"), "Promote");
    act(&mut session, |session| session.keys("F"), "Promote to all traffic");
    leave(session);
}

#[test]
fn a_weight_is_written_and_set() {
    let mut session = room("heart-disease");
    let open = |session: &mut Session| {
        session.keys("W");
        session.wait_text("percent");
        session.keys(&format!("30{ENTER}"));
    };
    act(&mut session, open, "Set to 30 %");
    session.wait_text("30 %");
    leave(session);
}

#[test]
fn a_rollback_chooses_a_version_out_of_the_list() {
    let mut session = room("alzheimer");
    let open = |session: &mut Session| {
        session.keys("R");
        session.wait_text("1.1.0");
        session.keys(ENTER);
    };
    act(&mut session, open, "Roll back to 1.1.0");
    leave(session);
}

/// Whether no box is open: the last line, which is drawn last, is that of the room.
fn is_room(screen: &str) -> bool {
    !screen.contains("will do") && screen.lines().last().is_some_and(|line| line.contains("q quit"))
}

#[test]
fn escape_sends_nothing_and_the_other_keys_do_not_act_at_once() {
    let mut session = room("alzheimer");
    for key in ["A", "F", "H"] {
        session.keys(key);
        session.wait_for("the plan", |screen| screen.contains("will do") && screen.contains("Tab moves"));
        session.keys(ESC);
        session.wait_for("the room", is_room);
    }
    // Cancel is focused in every box but that of an abort.
    session.keys("F");
    session.wait_for("the plan", |screen| screen.contains("[ Cancel ]") && !is_room(screen));
    session.keys(ENTER);
    session.wait_for("the room", is_room);
    session.keys("e");
    session.wait_text("nothing has been done in this session");
    leave(session);
}
