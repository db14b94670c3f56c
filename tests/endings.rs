//! The terminal is always given back: every ending, and a terminal that vanishes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/pty.rs"]
mod pty;

use std::time::Duration;

use pty::Session;

/// A room on the demo fleet that has drawn its first real numbers.
fn room(words: &[&str]) -> Session {
    let mut session = Session::start(&[&["demo"], words].concat(), (120, 36), &[]);
    session.wait_text("alzheimer");
    assert!(session.is_alternate());
    session
}

#[test]
fn q_and_ctrl_c_leave_at_once() {
    for key in ["q", "\x03"] {
        let mut session = room(&[]);
        session.keys(key);
        assert_eq!(session.end().0, 0);
        session.assert_given_back();
    }
}

#[test]
fn ctrl_c_leaves_from_a_prompt_too() {
    let mut session = room(&[]);
    session.keys("/al");
    session.wait_for("the filter", |screen| screen.contains("/ al") || screen.contains("/al"));
    session.keys("\x03");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
}

#[test]
fn signals_give_the_terminal_back() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let mut session = room(&[]);
        session.signal(signal);
        let (ended, took) = session.end();
        assert_eq!(ended, code, "{signal}");
        assert!(took < Duration::from_secs(5), "{signal} took {took:?}");
        session.assert_given_back();
    }
}

#[test]
fn a_panic_in_a_worker_gives_the_terminal_back_and_ends_the_process() {
    let mut session = Session::start(&["demo", "--panic-after", "700ms"], (120, 36), &[]);
    session.wait_text("alzheimer");
    assert_eq!(session.end().0, 101);
    session.assert_given_back();
    let text = String::from_utf8_lossy(&session.raw).into_owned();
    let left = text.rfind("\x1b[?1049l").unwrap();
    assert!(
        text[left..].contains("asked to panic"),
        "the message stands after the restored screen: {}",
        &text[left..]
    );
}

#[test]
fn a_vanished_terminal_ends_the_process() {
    let mut session = room(&[]);
    session.vanish();
    let (_, took) = session.end();
    assert!(took < Duration::from_millis(1_500), "took {took:?}");
}

#[test]
fn a_vanished_terminal_ends_the_process_under_nohup_too() {
    let program = env!("CARGO_BIN_EXE_wardroom");
    let line = format!("trap '' HUP; exec {program} demo");
    let mut session = Session::start_by(&["/bin/sh", "-c", &line], (120, 36), &[]);
    session.wait_text("alzheimer");
    session.vanish();
    let (_, took) = session.end();
    assert!(took < Duration::from_millis(1_500), "took {took:?}");
}

#[test]
fn a_stop_gives_the_terminal_back_and_continuing_takes_it_again() {
    let mut session = room(&[]);
    session.keys("\x1a");
    session.wait_for("the shell's screen", |_| true);
    let pid = session.child.process_id().unwrap();
    let stopped = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
    };
    let begun = std::time::Instant::now();
    while !stopped() {
        assert!(begun.elapsed() < pty::PATIENCE, "it does not stop");
        std::thread::sleep(Duration::from_millis(10));
    }
    session.signal("CONT");
    session.wait_for("the room again", |screen| screen.contains("alzheimer"));
    session.keys("q");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
}

#[test]
fn without_a_terminal_it_is_refused_with_advice() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_wardroom")).arg("demo").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("wardroom check") && text.contains("wardroom snapshot"), "{text}");
    let mut dumb = Session::start(&["demo"], (80, 24), &[("TERM", "dumb")]);
    assert_eq!(dumb.end().0, 2);
    assert!(dumb.screen().contains("dumb"), "{}", dumb.screen());
}
