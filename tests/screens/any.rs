//! What holds at any size and with any text: nothing breaks a frame, and what matters stays in view.

use std::sync::Arc;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use tui_input::Input;
use wardroom::app::{Dialog, Pane};
use wardroom::domain::{DriftScale, Fact, FeatureDrift, Harvest, Report, text};
use wardroom::view::export::{to_ansi, to_svg, to_text};
use wardroom::view::{Depth, Look};

use crate::screen::{app, empty, frame, now, rich};
use crate::{SIZES, act, zoom};

#[test]
fn what_confirms_is_seen_at_every_usable_size() {
    for (columns, rows) in [(160, 45), (80, 24), (80, 12), (60, 8), (40, 8), (40, 5), (40, 3)] {
        for (stage, word) in [("abort", "[ Abort ]"), ("rollback", "[ Cancel ]"), ("versions", "Enter plans")]
        {
            let (mut app, mut store) = (app((columns, rows)).unwrap(), rich());
            act::open(&mut app, &mut store, stage);
            let text = to_text(&frame(&app, &store, &Look::default()));
            assert!(text.contains(word), "{stage} {columns}x{rows}\n{text}");
        }
    }
}

#[test]
fn the_same_state_gives_the_same_frame() {
    let (app, store) = (app((160, 45)).unwrap(), rich());
    let frames = [0, 1].map(|_| to_ansi(&frame(&app, &store, &Look::default())));
    assert_eq!(frames[0], frames[1]);
}

#[test]
fn foreign_text_does_no_harm() {
    let store = rich();
    for size in SIZES {
        let buf = frame(&app(size).unwrap(), &store, &Look::default());
        assert!(buf.content.iter().all(|cell| !cell.symbol().chars().any(char::is_control)));
        let svg = to_svg(&buf, false);
        assert!(svg.starts_with("<svg") && !svg.contains('\u{1b}'));
    }
}

#[test]
fn one_cell_shows_the_worst() {
    let store = rich();
    assert_eq!(to_text(&frame(&app((1, 1)).unwrap(), &store, &Look::default())), "■\n");
    assert_eq!(to_text(&frame(&app((0, 0)).unwrap(), &store, &Look::default())), "");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn no_size_breaks_a_dialog_of_an_act(columns in 1u16..200, rows in 1u16..60, stage in 0usize..15, scroll in 0u16..80, ascii: bool) {
        let (mut app, mut store) = (app((columns, rows)).unwrap(), rich());
        act::open(&mut app, &mut store, act::STAGES[stage]);
        if let Dialog::Act(dialog) = &mut app.dialog {
            dialog.scroll = scroll;
        }
        let mut buf = Buffer::empty(ratatui::layout::Rect::new(0, 0, columns, rows));
        let look = Look::load("default", Depth::Ansi16, ascii).unwrap();
        if let Some(cursor) = wardroom::view::draw(&mut buf, &app, &store, &look) {
            prop_assert!(cursor.x < columns && cursor.y < rows, "{cursor:?}");
        }
    }

    #[test]
    fn no_size_breaks_it(columns in 0u16..220, rows in 0u16..60, pane in 0usize..8, zoomed: bool, dialog in 0u8..6, ascii: bool, full: bool) {
        let store = if full { rich() } else { empty() };
        let mut app = app((columns, rows)).unwrap();
        if let Some(&pane) = Pane::ALL.get(pane) {
            zoom(&mut app, pane);
            app.zoomed = zoomed;
        }
        app.pane_offset = rows;
        app.dialog = match dialog {
            1 => Dialog::Help(rows),
            2 => Dialog::Describe(columns),
            3 => Dialog::Filter(Input::new("心电图 al(".repeat(dialog.into()))),
            4 => Dialog::Command(Input::new("theme 心".into())),
            5 => Dialog::Note(Input::new("心".repeat(rows.into()))),
            _ => Dialog::None,
        };
        let mut buf = Buffer::empty(ratatui::layout::Rect::new(0, 0, columns, rows));
        let look = Look::load("default", Depth::Ansi16, ascii).unwrap();
        let cursor = wardroom::view::draw(&mut buf, &app, &store, &look);
        if let Some(cursor) = cursor {
            prop_assert!(cursor.x < columns.max(1) && cursor.y < rows.max(1), "{cursor:?}");
        }
    }
}

/// Section 10 of the sources contract: 500 features with names of 200 letters, wide and combining ones.
#[test]
fn five_hundred_features_with_hostile_names_fit_every_size() {
    let mut store = rich();
    let model = store.models[0].id.clone();
    let long = "x".repeat(200);
    let features = (0..500)
        .map(|i| {
            FeatureDrift::new(
                text::clean_name(&format!("\u{1b}[31m心电图e\u{301}{i:03} {long}\u{202e}")),
                "",
                f64::from(i) / 600.0,
                DriftScale::Share,
                now(),
            )
        })
        .collect();
    let source = store.sources[0].info.id.clone();
    let outcome = Ok(Arc::new(Harvest::of(vec![Fact::Drift { model: model.clone(), features }])));
    store.apply(&Report { epoch: store.epoch, source, at: now(), took_ms: 1.0, outcome });
    for size in SIZES.into_iter().chain([(40, 10), (20, 5), (1, 1)]) {
        let mut app = app(size).unwrap();
        app.selected = Some(model.clone());
        zoom(&mut app, Pane::Drift);
        let drawn = to_text(&frame(&app, &store, &Look::default()));
        assert!(drawn.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= usize::from(size.0)));
        assert!(!drawn.chars().any(|c| c.is_control() && c != '\n'), "{size:?}");
        if size.0 >= 80 {
            assert!(drawn.contains("心电图") && drawn.contains('…') && drawn.contains("crit"), "{drawn}");
        }
    }
}
