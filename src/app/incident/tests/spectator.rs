//! A room that only looks.

use super::super::{spectator, tick};
use super::{at, bad, declare, event, only, room};
use crate::app::sample::press;
use crate::app::{Dialog, Msg, update};
use crate::domain::{EventKind, Level, ModelId};

#[test]
fn a_spectator_looks_and_writes_nothing() {
    let (mut app, mut store) = room("a", "kim");
    let shared = declare(&mut app, &mut store);
    let (mut screen, mut theirs) = room("b", "wall");
    (screen.spectator, screen.read_only) = (true, true);
    assert!(press(&mut screen, &mut theirs, &["i"]).is_empty());
    assert!(screen.message.as_ref().is_some_and(|message| message.text.contains("spectator")));
    update(&mut screen, &mut theirs, Msg::Entries(shared));
    assert!(screen.has_incident_bar());
    theirs.record(event(20, EventKind::Rollout, Level::Ok, "weight 10 → 25 %"));
    assert!(tick(&mut screen, &theirs).is_empty());
    for key in ["n", "u", "h", "r", "s", "d", "m", "c", "f"] {
        screen.message = None;
        assert!(press(&mut screen, &mut theirs, &["Esc", "Esc", "i", key, "x", "Enter"]).is_empty(), "{key}");
        let said = screen.message.as_ref().map(|message| message.text.clone()).unwrap_or_default();
        assert!(said.contains("spectator"), "{key}: {said}");
    }
    press(&mut screen, &mut theirs, &["Esc", "Esc", "n"]);
    assert!(matches!(screen.dialog, Dialog::None));
    press(&mut screen, &mut theirs, &["A"]);
    assert!(screen.message.as_ref().is_some_and(|message| message.text.contains("spectator")));
    assert_eq!(only(&screen).entries.len(), only(&app).entries.len());
}

#[test]
fn a_spectator_follows_the_worst_when_nobody_presses_a_key() {
    let (mut screen, mut store) = room("b", "wall");
    screen.spectator = true;
    screen.selected = Some(ModelId::new("test", "als"));
    screen.touched = Some(at(-10));
    spectator::follow(&mut screen, &store);
    assert_eq!(screen.selected.as_ref().map(|id| &*id.name), Some("als"));
    screen.now = at(25);
    spectator::follow(&mut screen, &store);
    assert_eq!(screen.selected.as_ref().map(|id| &*id.name), Some("alzheimer"));
    bad(&mut store, Level::Ok, 30);
    screen.selected = Some(ModelId::new("test", "als"));
    spectator::follow(&mut screen, &store);
    assert_eq!(screen.selected.as_ref().map(|id| &*id.name), Some("als"), "nothing is wrong: it stays");
}
