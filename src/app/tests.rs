//! What keys do to the state: a table of presses, without a terminal.

use std::collections::BTreeMap;

use super::sample::{fleet, press};
use super::{App, Dialog, Effect, Focus, KeyMap, Msg, Pane, Sort, update};
use crate::domain::{Level, Time};
use crate::store::Store;

fn room() -> (App, Store) {
    let store = fleet(["alzheimer", "als", "parkinsons", "heart-disease"]);
    let now = Time::from_timestamp(1_800_000_000, 0).unwrap();
    (App::new(now, (120, 36), KeyMap::new(&BTreeMap::new()).unwrap()), store)
}

fn selected(app: &App) -> &str {
    app.selected.as_ref().map_or("", |id| &id.name)
}

#[test]
fn keys_move_the_selection_within_the_fleet() {
    let (mut app, mut store) = room();
    press(&mut app, &mut store, &["Esc"]);
    assert_eq!(selected(&app), "alzheimer", "something is always selected");
    press(&mut app, &mut store, &["j", "Down"]);
    assert_eq!(selected(&app), "parkinsons");
    press(&mut app, &mut store, &["G", "j", "j"]);
    assert_eq!(selected(&app), "heart-disease");
    press(&mut app, &mut store, &["g", "k"]);
    assert_eq!(selected(&app), "alzheimer");
}

#[test]
fn a_filter_holds_while_it_is_written_and_escape_drops_it() {
    let (mut app, mut store) = room();
    press(&mut app, &mut store, &["/", "h", "e", "a"]);
    assert_eq!((selected(&app), app.filter.text()), ("heart-disease", "hea"));
    press(&mut app, &mut store, &["("]);
    assert_eq!(app.filter.text(), "hea", "one that cannot be read leaves the last");
    press(&mut app, &mut store, &["Enter"]);
    assert!(app.message.as_ref().is_some_and(|message| message.text.contains("unclosed")));
    assert!(matches!(app.dialog, Dialog::Filter(_)), "it can be corrected");
    press(&mut app, &mut store, &["Esc"]);
    assert!(app.filter.is_empty() && matches!(app.dialog, Dialog::None));
}

#[test]
fn panes_focus_zoom_and_go_back() {
    let (mut app, mut store) = room();
    press(&mut app, &mut store, &["3", "Enter"]);
    assert_eq!((app.focus, app.zoomed), (Focus::Pane(Pane::Drift), true));
    press(&mut app, &mut store, &["Esc", "Esc"]);
    assert_eq!((app.focus, app.zoomed), (Focus::Fleet, false));
    press(&mut app, &mut store, &["Tab", "BackTab", "BackTab"]);
    assert_eq!(app.focus, Focus::Pane(Pane::Log), "fleet and panes are a ring");
    press(&mut app, &mut store, &["5"]);
    assert_eq!(app.lower_left, Pane::Registry);
}

#[test]
fn commands_do_what_keys_do() {
    let (mut app, mut store) = room();
    let line = |text: &str| {
        text.chars().map(|c| if c == ' ' { "Space".into() } else { c.to_string() }).collect::<Vec<_>>()
    };
    for (text, check) in [
        ("sort drift", (|app: &App| app.sort == Sort::Drift) as fn(&App) -> bool),
        ("model park", |app| selected(app) == "parkinsons"),
        ("filter !al", |app| app.filter.text() == "!al"),
        ("help", |app| matches!(app.dialog, Dialog::Help(_))),
    ] {
        app.dialog = Dialog::None;
        press(&mut app, &mut store, &[":"]);
        let keys = line(text);
        press(&mut app, &mut store, &keys.iter().map(String::as_str).collect::<Vec<_>>());
        press(&mut app, &mut store, &["Enter"]);
        assert!(check(&app), "{text}");
    }
}

#[test]
fn acting_keys_say_why_they_do_not_act_and_nothing_happens() {
    for key in ["A", "H", "P", "F", "R", "Y", "W"] {
        let (mut app, mut store) = room();
        assert!(press(&mut app, &mut store, &["Esc", key]).is_empty(), "{key}");
        let message = app.message.unwrap();
        assert_eq!(message.level, Level::Warning);
        assert!(message.text.contains(':'), "{key}: {}", message.text);
    }
}

#[test]
fn quitting_needs_one_key_wherever_it_is_not_text() {
    for before in [&[][..], &["?"], &["d"], &["3", "Enter"]] {
        let (mut app, mut store) = room();
        press(&mut app, &mut store, before);
        assert_eq!(press(&mut app, &mut store, &["q"]), [Effect::Quit], "{before:?}");
    }
    let (mut app, mut store) = room();
    assert!(press(&mut app, &mut store, &["/", "q"]).is_empty(), "in a prompt it is a letter");
    assert_eq!(press(&mut app, &mut store, &["Ctrl-c"]), [Effect::Quit]);
}

#[test]
fn a_page_does_not_scroll_beyond_its_end() {
    let (mut app, mut store) = room();
    press(&mut app, &mut store, &["?"]);
    for _ in 0..500 {
        press(&mut app, &mut store, &["j"]);
    }
    let Dialog::Help(offset) = app.dialog else { panic!("no help") };
    assert!(offset < 80, "{offset}");
}

#[test]
fn a_note_is_cleaned_and_stands_in_the_timeline() {
    let (mut app, mut store) = room();
    press(&mut app, &mut store, &["n"]);
    update(&mut app, &mut store, Msg::Paste("drill\u{1b}[31m begins\n".into()));
    press(&mut app, &mut store, &["Enter"]);
    assert_eq!(store.timeline.back().map(|event| event.what.as_str()), Some("drill[31m begins"));
}

#[test]
fn the_drift_method_and_the_chosen_feature_stay_within_what_there_is() {
    use crate::domain::{DriftScale, FeatureDrift};
    use crate::store::{FeatureState, Series};

    let (mut app, mut store) = room();
    press(&mut app, &mut store, &["Esc", "v"]);
    assert_eq!(app.drift_scale, None, "nothing is measured");
    for scale in [DriftScale::Share, DriftScale::Psi] {
        for name in ["a", "b", "c"] {
            let latest = FeatureDrift::new(name, "", 0.1, scale, app.now);
            let state = FeatureState { latest, history: Series::default() };
            store.models[0].drift.insert((name.into(), scale), state);
        }
    }
    press(&mut app, &mut store, &["v"]);
    assert_eq!(app.drift_scale, Some(DriftScale::Psi), "the first press leaves what is shown already");
    press(&mut app, &mut store, &["v"]);
    assert_eq!(app.drift_scale, Some(DriftScale::Share));
    press(&mut app, &mut store, &["3", "Enter", "j", "j", "j", "j", "j"]);
    assert_eq!(app.pane_offset, 2, "three features, though each is measured twice");
    press(&mut app, &mut store, &["k"]);
    assert_eq!(app.pane_offset, 1, "no key is lost on the way back");
}
