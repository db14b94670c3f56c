//! The room as its operator meets it: the real program in a pseudo-terminal, watching the demo fleet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/fleet.rs"]
mod fleet;
#[path = "common/pty.rs"]
mod pty;

use fleet::Fleet;
use pty::Session;

fn demo(size: (u16, u16), words: &[&str], variables: &[(&str, &str)]) -> Session {
    let mut session = Session::start(&[&["demo"], words].concat(), size, variables);
    session.wait_text("alzheimer");
    session
}

#[test]
fn the_first_screen_names_the_fleet_and_fills_with_numbers() {
    let mut session = demo((160, 45), &[], &[]);
    for model in ["als", "parkinsons", "heart-disease", "omics-risk", "diagnosis"] {
        session.wait_text(model);
    }
    for word in ["Fleet", "Latency", "Drift", "Quality", "Canary", "Timeline", "LIVE", "1.3.0", "gait_speed"]
    {
        session.wait_text(word);
    }
    session.keys("q");
    assert_eq!(session.end().0, 0);
}

#[test]
fn keys_move_filter_zoom_and_explain() {
    let mut session = demo((120, 36), &[], &[]);
    session.keys("/hear");
    session.wait_for("the filtered fleet", |s| s.contains("heart-disease") && !s.contains("parkinsons"));
    session.keys("\r");
    session.wait_for("the closed prompt", |s| s.contains("describe") && !s.contains("parkinsons"));
    // A key right after an escape would be Alt and that key, as on any terminal: each waits for the answer.
    session.keys("\x1b");
    session.wait_for("the whole fleet", |s| s.contains("parkinsons"));
    session.keys("/!al\r");
    session.wait_for("the inverse", |s| s.contains("parkinsons") && !s.contains(" als "));
    session.wait_text("describe");
    session.keys("\x1b");
    session.wait_for("the whole fleet", |s| s.contains(" als "));
    session.keys("?");
    session.wait_for("the help", |s| s.contains("promote the canary by one step"));
    session.keys("\x1b");
    session.wait_for("the room", |s| !s.contains("promote the canary by one step"));
    session.keys("5");
    session.wait_for("the registry", |s| s.contains("champion"));
    session.keys("\r");
    session.wait_for("the zoomed registry", |s| s.contains("champion") && !s.contains("Timeline"));
    session.keys("\x1b");
    session.wait_for("the room", |s| s.contains("Timeline"));
    session.keys("d");
    session.wait_for("the description", |s| s.contains("guide"));
    session.keys("\x1b");
    session.wait_for("the room", |s| !s.contains("guide"));
    session.keys("A");
    session.wait_for("the refusal with its reason", |s| s.contains("abort:"));
    session.keys(":theme nowhere\r");
    session.wait_for("the theme's error", |s| s.contains("nowhere"));
    session.keys(":theme mono\r");
    session.keys("/al(\r");
    session.wait_for("the regex error", |s| s.contains("unclosed"));
    session.keys("\x03");
    assert_eq!(session.end().0, 0);
}

#[test]
fn the_mouse_is_given_on_request_and_text_is_copied() {
    let mut session = demo((120, 36), &[], &[]);
    let raw = |session: &Session| String::from_utf8_lossy(&session.raw).into_owned();
    assert!(!raw(&session).contains("\x1b[?1000h"), "the mouse is the terminal's");
    session.keys("m");
    session.wait_text("mouse on");
    assert!(raw(&session).contains("\x1b[?1000h"));
    // A click on the third model of the fleet selects it; the titles of the panes follow.
    session.keys("\x1b[<0;10;7M\x1b[<0;10;7m");
    session.wait_text("Latency parkinsons");
    session.keys("c");
    session.wait_text("to the clipboard");
    assert!(raw(&session).contains("\x1b]52;c;"));
    session.keys("m");
    session.wait_text("mouse off");
    session.keys("q");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
}

#[test]
fn the_log_says_what_wardroom_does_and_a_note_stands_in_the_timeline() {
    let mut session = demo((120, 36), &[], &[]);
    session.keys("n");
    session.keys("drill begins\r");
    // The whole timeline: what the first answers say pushes the note out of its two lines.
    session.keys("6\r");
    // Not before it is drawn: Escape and a key behind it in one breath are another key.
    session.wait_for("the zoomed timeline", |s| s.contains("drill begins") && !s.contains("Fleet"));
    session.keys("\x1b");
    session.wait_text("Fleet");
    session.keys("0\r");
    session.wait_for("the zoomed log", |s| s.contains("Log") && !s.contains("Fleet"));
    session.keys("q");
    assert_eq!(session.end().0, 0);
}

#[test]
fn every_size_down_to_one_by_one_is_survived() {
    let mut session = demo((200, 50), &[], &[]);
    for (cols, rows) in [(120, 36), (80, 24), (59, 14), (40, 10), (20, 5), (10, 2), (1, 1), (3, 40), (200, 1)]
    {
        session.resize(cols, rows);
    }
    session.resize(80, 24);
    session.wait_for("the narrow screen", |s| s.contains("alzheimer") && s.contains("Latency"));
    session.keys("q");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
}

#[test]
fn ascii_and_no_colour_keep_selection_and_severity() {
    let mut session = demo((120, 36), &["--ascii"], &[("NO_COLOR", "1")]);
    session.wait_for("the selection's mark", |s| {
        s.lines().any(|line| line.contains("> ") && line.contains("alz") || line.contains('>'))
    });
    session.keys("q");
    assert_eq!(session.end().0, 0);
    let text = String::from_utf8_lossy(&session.raw);
    let coloured = text.match_indices("\x1b[").any(|(at, _)| {
        let rest = &text[at + 2..];
        let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
        rest[end..].starts_with('m')
            && rest[..end].split(';').any(|code| matches!(code, "31" | "33" | "91" | "38"))
    });
    assert!(!coloured, "a colour was written in spite of NO_COLOR");
    assert!(session.screen().is_ascii(), "{}", session.screen());
}

#[test]
fn two_processes_show_the_same_room_as_one() {
    let words = ["--models", "8", "--scenario", "calm"];
    let fleet = Fleet::start(&words);
    let mut apart = Session::start(&["--config", &fleet.file()], (120, 36), &[]);
    let mut together = demo((120, 36), &words, &[]);
    // Names, versions and quality come from the servers; they are the same in both, numbers of load differ.
    let known = |screen: &str| {
        ["alzheimer", "1.2.0", "parkinsons", "2.0.1", "heart-disease", "4.1.0", "8 ok", "endpoints 9/9"]
            .iter()
            .all(|word| screen.contains(word))
    };
    apart.wait_for("the fleet of the other process", known);
    together.wait_for("the same fleet", known);
    apart.keys("q");
    together.keys("q");
    assert_eq!((apart.end().0, together.end().0), (0, 0));
}
