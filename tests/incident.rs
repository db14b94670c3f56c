//! An incident as people live it: keys in pseudo-terminals, on the demo fleet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/fleet.rs"]
mod fleet;
#[path = "common/incident.rs"]
mod incident;
#[path = "common/pty.rs"]
mod pty;
#[allow(dead_code, reason = "the fleet before its first answer is of other tests")]
#[path = "common/screen.rs"]
mod screen;

use fleet::Fleet;
use proptest::prelude::*;
use pty::Session;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use screen::{app, frame, rich};
use wardroom::view::export::to_text;
use wardroom::view::{Depth, Look};

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
    session.wait_for("trouble", |screen| screen.contains("1 warning"));
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
        let is_closed = !screen.contains("milestones");
        is_closed
            && screen.lines().nth(2).is_some_and(|bar| bar.contains("SEV") && bar.contains("abort unless"))
    });
    session.keys("n");
    session.wait_text("note on i-");
    session.keys(&format!("typed in place{ENTER}"));
    session.wait_text("typed in place");
    session.keys("i");
    session.wait_text("milestones");
    writes(&mut session, "m", "what speaks for it", "p95 is back", "MITIGATED: p95 is back");
    writes(&mut session, "m", "what speaks for it", "nothing left to do", "RESOLVED: nothing left to do");
    session.keys(ESC);
    session.wait_for("a quiet room", |screen| {
        !screen.contains("milestones") && !screen.lines().nth(2).is_some_and(|bar| bar.contains("SEV"))
    });
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

#[test]
fn a_second_room_on_the_same_history_sees_it_joins_and_answers() {
    let fleet = Fleet::start(&["--models", "8", "--interval", "300ms"]);
    let (config, state) = (fleet.file(), fleet.folder().to_str().unwrap());
    let room = |user: &str, more: &[&str]| {
        let words = [&["--config", config.as_str()], more].concat();
        Session::start(&words, (160, 45), &[("XDG_STATE_HOME", state), ("USER", user)])
    };
    let (mut kim, mut sam) = (room("kim", &[]), room("sam", &[]));
    for session in [&mut kim, &mut sam] {
        session.wait_text("alzheimer");
        session.wait_for("trouble", |screen| screen.contains("1 warning"));
    }
    kim.keys("i");
    kim.wait_text("Declare an incident");
    kim.keys(&format!("\x15both see this{ENTER}"));
    kim.wait_text("ACKNOWLEDGED");
    sam.wait_for("the bar and the way in", |screen| {
        screen.contains("both see this") && screen.contains("i joins")
    });
    sam.keys("i");
    sam.wait_text("Enter joins it");
    sam.keys(ENTER);
    sam.wait_text("milestones");
    kim.wait_text("sam@");
    writes(&mut sam, "n", "what you see", "seen by sam", "seen by sam");
    kim.wait_text("seen by sam");
    writes(&mut kim, "h", "thought to be", "seen by kim", "hypothesis: seen by kim");
    sam.wait_text("hypothesis: seen by kim");
    // One that comes later, and only looks, is told everything that is open.
    let mut wall = room("wall", &["--spectate"]);
    wall.wait_for("the bar", |screen| screen.contains("both see this") && screen.contains("spectator"));
    wall.keys("i");
    wall.wait_text("seen by sam");
    wall.keys("n");
    wall.wait_text("a spectator, which only looks");
    for session in [&mut kim, &mut sam, &mut wall] {
        session.keys(ESC);
        session.wait_for("the closed box", |screen| !screen.contains("milestones"));
        session.keys("q");
        assert_eq!(session.end().0, 0);
    }
}

const SIZES: [(u16, u16); 3] = [(200, 50), (120, 36), (80, 24)];

#[test]
fn the_screens_of_an_incident() {
    for size in SIZES.into_iter().chain([(40, 12)]) {
        for stage in incident::STAGES {
            let (mut app, mut store) = (app(size).unwrap(), rich());
            incident::open(&mut app, &mut store, stage);
            let text = to_text(&frame(&app, &store, &Look::default()));
            insta::assert_snapshot!(format!("{stage}-{}x{}", size.0, size.1), text);
        }
    }
    let look = Look::load("default", Depth::Mono, true).unwrap();
    let (mut app, mut store) = (app((120, 36)).unwrap(), rich());
    incident::open(&mut app, &mut store, "sheet");
    let text = to_text(&frame(&app, &store, &look));
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("ascii-mono-sheet", text);
}

#[test]
fn an_overdue_decision_and_a_late_update_are_said() {
    let (mut app, mut store) = (app((200, 50)).unwrap(), rich());
    incident::open(&mut app, &mut store, "bar");
    app.now += chrono::TimeDelta::minutes(20);
    let buf = frame(&app, &store, &Look::default());
    let text = to_text(&buf);
    let bar = text.lines().nth(2).unwrap();
    assert!(bar.contains("overdue: next 14:15 roll back") && bar.contains("update 26 min ago"), "{bar}");
    let warning = Look::default().style(wardroom::view::Role::Warning).fg;
    let column = bar.chars().take_while(|c| *c != 'u').count();
    assert!(bar.chars().skip(column).collect::<String>().starts_with("update"), "{bar}");
    assert_eq!(buf[(u16::try_from(column).unwrap(), 2)].style().fg, warning);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn no_size_breaks_an_incident(columns in 0u16..200, rows in 0u16..60, stage in 0usize..9, scroll in 0u16..80, ascii: bool) {
        let (mut app, mut store) = (app((columns, rows)).unwrap(), rich());
        incident::open(&mut app, &mut store, incident::STAGES[stage]);
        if let wardroom::app::Dialog::Incident(dialog) = &mut app.dialog {
            dialog.scroll = scroll;
        }
        let mut buf = Buffer::empty(Rect::new(0, 0, columns, rows));
        let look = Look::load("default", Depth::Ansi16, ascii).unwrap();
        if let Some(cursor) = wardroom::view::draw(&mut buf, &app, &store, &look) {
            prop_assert!(cursor.x < columns.max(1) && cursor.y < rows.max(1), "{cursor:?}");
        }
    }
}
