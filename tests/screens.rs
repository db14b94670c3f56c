//! The screens as they are: text and styles at every usual size.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/act.rs"]
mod act;
#[path = "screens/any.rs"]
mod any;
#[path = "common/checklist.rs"]
mod checklist;
#[path = "common/screen.rs"]
mod screen;

use std::fmt::Write;

use ratatui::buffer::Buffer;
use screen::{app, empty, frame, rich};
use tui_input::Input;
use wardroom::app::{App, Dialog, Filter, Focus, Pane};
use wardroom::store::Store;
use wardroom::view::export::{to_ansi, to_text};
use wardroom::view::theme::Theme;
use wardroom::view::{Depth, Look};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 50)];

/// The styles of a frame: a line a row, a run of columns with what differs from plain text.
fn styles(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buf.area.height {
        let mut start = 0;
        while start < buf.area.width {
            let cell = &buf[(start, y)];
            let same = |x: &u16| {
                let other = &buf[(*x, y)];
                (other.fg, other.bg, other.modifier) == (cell.fg, cell.bg, cell.modifier)
            };
            let end = (start..buf.area.width).take_while(same).last().unwrap_or(start);
            let style = cell.style();
            let colour = |c: Option<ratatui::style::Color>| c.map_or_else(String::new, |c| format!(" {c}"));
            let words = format!("{}{} {:?}", colour(style.fg), colour(style.bg), cell.modifier);
            if words != " Reset Reset NONE" {
                let _ = writeln!(out, "{y}: {start}..{end}{words}");
            }
            start = end + 1;
        }
    }
    out
}

fn name(what: &str, (columns, rows): (u16, u16)) -> String {
    format!("{what}-{columns}x{rows}")
}

fn zoom(app: &mut App, pane: Pane) {
    (app.focus, app.tab, app.zoomed) = (Focus::Pane(pane), pane, true);
}

fn shoot(what: &str, app: &App, store: &Store, look: &Look) {
    insta::assert_snapshot!(name(what, app.size), to_text(&frame(app, store, look)));
}

#[test]
fn the_war_room() {
    let store = rich();
    for size in SIZES.into_iter().chain([(160, 45), (40, 10), (20, 5)]) {
        let app = app(size).unwrap();
        let buf = frame(&app, &store, &Look::default());
        insta::assert_snapshot!(name("room", size), to_text(&buf));
        insta::assert_snapshot!(name("room-styles", size), styles(&buf));
    }
}

#[test]
fn before_the_first_answer() {
    for size in SIZES {
        shoot("empty", &app(size).unwrap(), &empty(), &Look::default());
    }
    shoot("no-models", &app((80, 24)).unwrap(), &Store::new("prod-eu", Vec::new()), &Look::default());
}

#[test]
fn zoomed_panes() {
    let store = rich();
    for size in SIZES {
        for pane in Pane::ALL.into_iter().filter(|pane| *pane != Pane::Log) {
            let mut app = app(size).unwrap();
            zoom(&mut app, pane);
            shoot(&format!("zoom-{}", pane.title().to_lowercase()), &app, &store, &Look::default());
        }
    }
}

#[test]
fn focused_panes_of_the_narrow_screen() {
    let store = rich();
    for pane in [Pane::Quality, Pane::Canary, Pane::Timeline] {
        let mut app = app((80, 24)).unwrap();
        (app.focus, app.tab) = (Focus::Pane(pane), pane);
        shoot(&format!("tab-{}", pane.title().to_lowercase()), &app, &store, &Look::default());
    }
}

#[test]
fn dialogs() {
    let store = rich();
    for size in SIZES.into_iter().chain([(40, 10)]) {
        for (what, dialog) in [
            ("help", Dialog::Help(0)),
            ("describe", Dialog::Describe(0)),
            ("filter", Dialog::Filter(Input::new("!ok".into()))),
            ("filter-wrong", Dialog::Filter(Input::new("al(".into()))),
            ("command", Dialog::Command(Input::new("re".into()))),
            ("note", Dialog::Note(Input::new("looking".into()))),
        ] {
            let mut app = app(size).unwrap();
            if what == "filter" {
                app.filter = Filter::parse("!ok").unwrap();
            }
            app.dialog = dialog;
            shoot(what, &app, &store, &Look::default());
        }
    }
}

#[test]
fn checklists() {
    let store = rich();
    for size in SIZES.into_iter().chain([(40, 12)]) {
        for stage in checklist::STAGES {
            let mut app = app(size).unwrap();
            checklist::open(&mut app, &store, stage);
            shoot(&format!("checklist-{stage}"), &app, &store, &Look::default());
        }
    }
    for (columns, rows) in [(1, 1), (20, 5), (40, 3), (80, 12)] {
        let mut app = app((columns, rows)).unwrap();
        checklist::open(&mut app, &store, "writing");
        let text = to_text(&frame(&app, &store, &Look::default()));
        assert!(rows < 3 || text.contains("note"), "{columns}x{rows}\n{text}");
    }
    let mut app = app((80, 24)).unwrap();
    checklist::open(&mut app, &store, "daily");
    let look = Look::load("default", Depth::Mono, true).unwrap();
    let text = to_text(&frame(&app, &store, &look));
    assert!(text.is_ascii() && text.contains("! not met"), "{text}");
}

/// Writes a frame for the eye when `ACT_PICTURES` names a folder.
fn picture(name: &str, buf: &Buffer) {
    if let Some(folder) = std::env::var_os("ACT_PICTURES") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.ansi")), to_ansi(buf)).unwrap();
    }
}

/// The sizes of the dialogs of acts.
const ACT_SIZES: [(u16, u16); 3] = [(160, 45), (120, 36), (80, 24)];

#[test]
fn acts_at_every_stage() {
    for size in ACT_SIZES.into_iter().chain([(40, 12)]) {
        for stage in act::STAGES {
            let (mut app, mut store) = (app(size).unwrap(), rich());
            act::open(&mut app, &mut store, stage);
            let buf = frame(&app, &store, &Look::default());
            picture(&name(stage, size), &buf);
            insta::assert_snapshot!(name(&format!("act-{stage}"), size), to_text(&buf));
        }
    }
}

#[test]
fn acts_without_colour_and_in_ascii() {
    for (what, ascii) in [("mono", false), ("ascii-mono", true)] {
        let look = Look::load("default", Depth::Mono, ascii).unwrap();
        for stage in ["abort", "rollback", "typing", "failed", "progress", "versions"] {
            let (mut app, mut store) = (app((120, 36)).unwrap(), rich());
            act::open(&mut app, &mut store, stage);
            let buf = frame(&app, &store, &look);
            let text = to_text(&buf);
            assert!(buf.content.iter().all(|cell| cell.style().fg == Some(ratatui::style::Color::Reset)));
            assert!(!ascii || text.is_ascii(), "{text}");
            picture(&name(&format!("{what}-{stage}"), app.size), &buf);
            insta::assert_snapshot!(format!("act-{what}-{stage}"), format!("{text}{}", styles(&buf)));
        }
    }
    let look = Look::load("light", Depth::Rgb, false).unwrap();
    let (mut app, mut store) = (app((120, 36)).unwrap(), rich());
    act::open(&mut app, &mut store, "rollback");
    let buf = frame(&app, &store, &look);
    picture(&name("light-rollback", app.size), &buf);
    insta::assert_snapshot!("act-light-rollback", styles(&buf));
}

#[test]
fn canaries_as_controllers_tell_them() {
    type Change = fn(&mut Store);
    let variants: [(&str, Change); 3] =
        [("told", act::rich_rollout), ("degraded", act::bad_rollout), ("aborted", act::aborted)];
    for size in ACT_SIZES {
        for (what, change) in variants {
            let (mut app, mut store) = (app(size).unwrap(), rich());
            change(&mut store);
            app.armed.insert(store.models[1].id.clone(), "auto abort armed".into());
            app.focus = Focus::Pane(Pane::Canary);
            app.tab = Pane::Canary;
            shoot(&format!("canary-{what}"), &app, &store, &Look::default());
            zoom(&mut app, Pane::Canary);
            shoot(&format!("canary-{what}-zoomed"), &app, &store, &Look::default());
        }
    }
}

#[test]
fn an_act_in_flight_and_a_read_only_room_are_marked() {
    for size in ACT_SIZES {
        let (mut app, mut store) = (app(size).unwrap(), rich());
        act::open(&mut app, &mut store, "progress");
        app.dialog = Dialog::None;
        let text = to_text(&frame(&app, &store, &Look::default()));
        assert!(text.contains("3.2 s"), "{text}");
        assert!(
            size.0 < 100 || text.contains("1 act in flight: rollback alzheimer to 1.1.0 3.2 s (e)"),
            "{text}"
        );
        app.acting.acts.clear();
        app.read_only = true;
        let text = to_text(&frame(&app, &store, &Look::default()));
        assert!(text.contains("read-only"), "{text}");
    }
}

#[test]
fn a_filter_without_a_match_and_a_message_say_what_to_do() {
    let (store, mut app) = (rich(), app((80, 24)).unwrap());
    app.filter = Filter::parse("nothing").unwrap();
    app.say("sort: `x` is no order; write worst, name, p95", wardroom::domain::Level::Warning);
    let text = to_text(&frame(&app, &store, &Look::default()));
    assert!(text.contains("No model passes the filter nothing. Esc drops it."), "{text}");
    assert!(text.lines().last().unwrap().starts_with(" ▲ sort: `x` is no order"), "{text}");
}

#[test]
fn what_is_out_of_view_is_counted_by_its_level() {
    let (store, mut app) = (rich(), app((120, 36)).unwrap());
    (app.sort, app.fleet_offset) = (wardroom::app::Sort::Name, 1);
    let text = to_text(&frame(&app, &store, &Look::default()));
    assert!(text.contains("1 above, 5 more, 1 warning below"), "{text}");
}

#[test]
fn pages_scroll_to_their_end_and_no_further() {
    let store = rich();
    for (what, dialog) in [("help-end", Dialog::Help(u16::MAX)), ("describe-end", Dialog::Describe(u16::MAX))]
    {
        let mut app = app((80, 24)).unwrap();
        app.dialog = dialog;
        shoot(what, &app, &store, &Look::default());
    }
}

#[test]
fn themes_differ_in_style_and_not_in_text() {
    let store = rich();
    let app = app((120, 36)).unwrap();
    let plain = to_text(&frame(&app, &store, &Look::default()));
    for theme in Theme::NAMES.into_iter().skip(1) {
        let buf = frame(&app, &store, &Look::load(theme, Depth::Rgb, false).unwrap());
        assert_eq!(to_text(&buf), plain, "{theme}");
        insta::assert_snapshot!(format!("theme-{theme}"), styles(&buf));
    }
}

#[test]
fn without_colour_severity_and_selection_survive() {
    let store = rich();
    for size in SIZES {
        for (what, ascii) in [("mono", false), ("ascii-mono", true)] {
            let look = Look::load("default", Depth::Mono, ascii).unwrap();
            let buf = frame(&app(size).unwrap(), &store, &look);
            let text = to_text(&buf);
            assert!(buf.content.iter().all(|cell| cell.style().fg == Some(ratatui::style::Color::Reset)));
            assert!(text.contains("612!"), "{text}");
            assert!(text.contains("> 500, 3 min"), "{text}");
            let row = text.lines().find(|line| line.contains("alzheimer")).unwrap();
            let marks = if ascii { [">", "X"] } else { ["▶", "■"] };
            assert!(marks.iter().all(|mark| row.contains(mark)), "{row}");
            assert!(!ascii || text.is_ascii(), "{text}");
            insta::assert_snapshot!(name(what, size), text);
        }
    }
}

/// The room twelve minutes ago, as its operator came there.
fn in_the_past(size: (u16, u16), note: &str) -> (App, Store) {
    use wardroom::app::{Effect, Msg, keymap::Chord, update};
    use wardroom::store::Past;
    let (mut app, mut live) = (app(size).unwrap(), empty());
    app.now = screen::now() + chrono::TimeDelta::seconds(745);
    let key = Chord::parse("Left").unwrap().press();
    let effects = update(&mut app, &mut live, Msg::Key(key));
    let [Effect::Past(Some(asked))] = effects[..] else { panic!("{effects:?}") };
    let oldest = screen::now() - chrono::TimeDelta::days(3);
    let past = Past { asked, at: screen::now(), store: rich(), note: note.into(), oldest };
    update(&mut app, &mut live, Msg::Past(Ok(Box::new(past))));
    (app, live)
}

#[test]
fn the_past_is_marked_on_every_shape() {
    for size in SIZES.into_iter().chain([(40, 10), (20, 5)]) {
        let (app, live) = in_the_past(size, "");
        let text = to_text(&frame(&app, &live, &Look::default()));
        let header = text.lines().next().unwrap_or_default();
        assert!(header.contains("−12 min") && !header.contains(" LIVE"), "{text}");
        assert!(text.contains("612") || size.0 < 80, "the store of the past is drawn\n{text}");
        assert!(!app.is_typing() && text.contains("End live") || size.0 < 40, "{text}");
        shoot("past", &app, &live, &Look::default());
    }
    for size in SIZES {
        let (mut app, mut live) = in_the_past(size, "nothing was recorded from 14:02:07 to 14:14:20");
        let key = wardroom::app::keymap::Chord::parse("Shift-Left").unwrap().press();
        wardroom::app::update(&mut app, &mut live, wardroom::app::Msg::Key(key));
        shoot("past-gap", &app, &live, &Look::default());
    }
    let (app, live) = in_the_past((120, 36), "");
    let look = Look::load("default", Depth::Mono, true).unwrap();
    let text = to_text(&frame(&app, &live, &look));
    assert!(text.is_ascii() && text.contains("-12 min") && text.contains("< > step"), "{text}");
}
