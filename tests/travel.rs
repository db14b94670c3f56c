//! Time travel as an operator meets it, on the demo fleet, and how long a step of a large fleet takes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail like tests, and figures are for whoever runs them"
)]

#[path = "common/pty.rs"]
mod pty;

use std::time::Instant;

use pty::{PATIENCE, Session};

const LEFT: &str = "\x1b[D";
const RIGHT: &str = "\x1b[C";
const END: &str = "\x1b[F";

fn header(screen: &str) -> String {
    screen.lines().next().unwrap_or_default().to_owned()
}

/// `12:00:05Z` of the header.
fn moment(screen: &str) -> String {
    let header = header(screen);
    header
        .split_whitespace()
        .rev()
        .find(|word| word.ends_with('Z') && word.contains(':'))
        .unwrap_or("")
        .into()
}

/// `−15 s` of the header: what comes after the moment.
fn age(screen: &str) -> String {
    header(screen).rsplit_once('Z').map(|(_, age)| age.trim().to_owned()).unwrap_or_default()
}

fn is_past(screen: &str) -> bool {
    age(screen).starts_with('−')
}

#[test]
fn the_room_goes_back_refuses_to_act_and_returns() {
    let mut session = Session::start(&["demo"], (120, 36), &[]);
    session.wait_for("the canary of a live room", |s| s.contains("1.3.0") && header(s).contains("LIVE"));
    // Until the history has taken something down there is nothing to go back to.
    let end = Instant::now() + PATIENCE;
    while !is_past(&session.screen()) {
        assert!(Instant::now() < end, "no past came; the screen is\n{}", session.screen());
        session.keys(LEFT);
        session.settle();
    }
    session.wait_for("the canary then", |s| is_past(s) && s.contains("1.3.0"));
    session.wait_for("the keys of the past", |s| s.contains("End live"));
    // The moment stands, its age grows: nothing moves the room but its keys.
    let (then, old) = (moment(&session.screen()), age(&session.screen()));
    session.wait_for("a greater age", |s| is_past(s) && age(s) != old);
    assert_eq!(moment(&session.screen()), then);
    for key in ["A", "P", "R"] {
        session.keys(key);
        session.wait_text(": the past: End returns to now");
        assert!(!session.screen().contains("Enter plans"), "{}", session.screen());
    }
    session.keys(END);
    session.wait_for("the present", |s| header(s).contains("LIVE"));
    assert!(moment(&session.screen()) > then, "{}", session.screen());
    session.keys("A");
    session.wait_for("another answer than in the past", |s| {
        !s.contains("the past: End returns to now") && header(s).contains("LIVE")
    });
    session.keys("\x1b");
    session.wait_text("describe");
    session.keys(LEFT);
    session.wait_for("the past again", is_past);
    session.keys(&RIGHT.repeat(4));
    session.wait_for("the present, stepped into", |s| header(s).contains("LIVE"));
    session.keys("\x03");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
}
