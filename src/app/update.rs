//! The only place that changes the state: one message in, effects out.

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use tui_input::Input;

use super::acting;
use super::action::{ACTIONS, Action};
use super::checklist;
use super::command;
use super::effect::Effect;
use super::filter::Filter;
use super::geometry::Geometry;
use super::prompt;
use super::rows::{fleet_rows, scroll};
use super::state::{App, Dialog, Focus, Pane};
use super::{incident, time};
use crate::checklist::Known;
use crate::domain::act::Told;
use crate::domain::incident::Entry;
use crate::domain::{Level, Report, Time};
use crate::store::{Past, Store};

/// What can happen.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// The terminal has another size.
    Resize(u16, u16),
    /// A source was polled.
    Report(Box<Report>),
    /// Time passed.
    Tick(Time),
    /// The engine that acts told something.
    Told(Box<Told>),
    /// The history found a past moment, or says why there is none.
    Past(Result<Box<Past>, String>),
    /// The history knows entries of incidents: own ones that are durable now, and those of other rooms.
    Entries(Vec<Entry>),
    /// The history has the past of a room that has just begun.
    Filled(Box<Store>),
    /// The book of ticks was written or read, or cannot be.
    Ticks(Result<Box<Known>, String>),
}

/// Takes a message in. What the operator does goes to what is shown, which may be the past; what comes from
/// outside goes to the live store.
pub fn update(app: &mut App, store: &mut Store, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(_) | Msg::Paste(_) | Msg::Mouse(_) | Msg::Resize(..) => {
            time::on_shown(app, store, |app, store| take_in(app, store, msg))
        }
        Msg::Past(past) => {
            time::arrived(app, past);
            settle(app, store);
            Vec::new()
        }
        _ => time::on_live(app, |app| take_in(app, store, msg)),
    }
}

fn take_in(app: &mut App, store: &mut Store, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    match msg {
        Msg::Key(key) => return press(app, store, key),
        Msg::Paste(text) => {
            acting::paste(app, &text);
            incident::paste(app, &text);
            checklist::paste(app, &text);
            prompt::paste(app, &text);
        }
        Msg::Mouse(event) => return mouse(app, store, event),
        Msg::Resize(columns, rows) => app.size = (columns, rows),
        // Many come between two frames: the loop settles the selection before it draws.
        Msg::Report(report) => {
            store.apply(&report);
            return Vec::new();
        }
        Msg::Told(told) => acting::told(app, store, *told),
        Msg::Past(past) => time::arrived(app, past),
        Msg::Entries(entries) => incident::take(app, store, entries),
        Msg::Filled(past) => time::fill(store, &past),
        Msg::Ticks(known) => return checklist::known(app, store, known),
        Msg::Tick(now) => {
            app.now = now;
            store.tick(now);
            if app.message.as_ref().is_some_and(|message| message.until <= now) {
                app.message = None;
            }
            incident::spectator::follow(app, store);
            effects = incident::tick(app, store);
            effects.extend(checklist::tick(app, store));
        }
    }
    settle(app, store);
    effects
}

/// Selects the first row when nothing is selected, and keeps the selected row in view. Every message but a
/// report does so by itself; before a frame is drawn it has to be done once more. In the past, on the past.
pub fn settle(app: &mut App, store: &Store) {
    let past = app.time.past.take();
    settle_on(app, past.as_ref().map_or(store, |past| &past.store));
    app.time.past = past;
}

fn settle_on(app: &mut App, store: &Store) {
    let rows = fleet_rows(app, store);
    let place = |app: &App| rows.iter().position(|&row| Some(&store.models[row].id) == app.selected.as_ref());
    if place(app).is_none() {
        app.selected = rows.first().map(|&row| store.models[row].id.clone());
    }
    app.fleet_offset = scroll(app.fleet_offset, place(app), rows.len(), fleet_height(app));
}

fn fleet_height(app: &App) -> usize {
    Geometry::of(app.size.0, app.size.1).with_bar(app.has_incident_bar()).fleet_rows
}

fn press(app: &mut App, store: &mut Store, key: KeyEvent) -> Vec<Effect> {
    let action = app.keymap.action(&key);
    app.touched = Some(app.now);
    if let Some(effects) = incident::key(app, store, key, action) {
        settle(app, store);
        return effects;
    }
    if let Some(effects) = acting::key(app, store, key, action) {
        settle(app, store);
        return effects;
    }
    if app.is_typing() {
        return prompt::type_key(app, store, key, action);
    }
    let Some(action) = action else { return Vec::new() };
    let effects = act(app, store, action);
    settle(app, store);
    effects
}

pub(super) fn act(app: &mut App, store: &mut Store, action: Action) -> Vec<Effect> {
    let longest = page_lines(app, store);
    if let Dialog::Help(offset) | Dialog::Describe(offset) = &mut app.dialog {
        match action {
            Action::Up => *offset = offset.saturating_sub(1),
            Action::Down => *offset = offset.saturating_add(1).min(longest),
            Action::PageUp => *offset = offset.saturating_sub(app.size.1 / 2),
            Action::PageDown => *offset = offset.saturating_add(app.size.1 / 2).min(longest),
            Action::First => *offset = 0,
            Action::Back | Action::Help | Action::Describe | Action::Open => app.dialog = Dialog::None,
            Action::Quit => return vec![Effect::Quit],
            Action::Redraw => return vec![Effect::Redraw],
            _ => {}
        }
        return Vec::new();
    }
    if let Some(why) = time::forbids(app, action) {
        app.say(format!("{}: {why}", action.row().name), Level::Warning);
        return Vec::new();
    }
    match action {
        Action::Quit => return vec![Effect::Quit],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Refresh => {
            app.say("asking every source", Level::Ok);
            return vec![Effect::Refresh];
        }
        Action::Mouse => {
            app.mouse = !app.mouse;
            let word = if app.mouse {
                "mouse on: the wheel scrolls, a click selects"
            } else {
                "mouse off: the terminal selects"
            };
            app.say(word, Level::Ok);
            return vec![Effect::Mouse(app.mouse)];
        }
        Action::DriftMethod => super::method::next(app, store),
        Action::Copy => return copy(app, store),
        Action::Help => app.dialog = Dialog::Help(0),
        Action::Describe => app.dialog = Dialog::Describe(0),
        Action::Filter => app.dialog = Dialog::Filter(Input::new(app.filter.text().to_owned())),
        Action::Command => app.dialog = Dialog::Command(Input::default()),
        Action::Note if app.spectator => {
            app.say("note: this is a spectator, which only looks", Level::Warning);
        }
        Action::Note => app.dialog = Dialog::Note(Input::default()),
        Action::Sort => {
            app.sort = app.sort.next();
            app.say(format!("sorted {}", app.sort.word()), Level::Ok);
        }
        Action::Open => {
            if app.focus == Focus::Fleet {
                app.focus = Focus::Pane(app.tab);
            }
            app.zoomed = true;
        }
        Action::Back => back(app),
        Action::Show(pane) => show(app, pane),
        Action::NextPane => turn(app, 1),
        Action::PreviousPane => turn(app, Pane::ALL.len()),
        Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::First | Action::Last => {
            travel(app, store, action);
        }
        Action::Waits => app.dialog = Dialog::Waits(0),
        Action::Acts => acting::show(app),
        Action::Earlier | Action::Later | Action::MuchEarlier | Action::MuchLater | Action::Live => {
            return time::travel(app, action);
        }
        Action::Incident => return incident::open(app, store),
        Action::Checklist => return checklist::open(app, store),
        Action::Hold
        | Action::Promote
        | Action::PromoteFull
        | Action::Abort
        | Action::RollBack
        | Action::Retry
        | Action::Weight => return acting::open(app, store, action),
    }
    Vec::new()
}

/// No page is longer than this, lines: scrolling on at its end must not have to be scrolled back.
fn page_lines(app: &App, store: &Store) -> u16 {
    let lines = match (&app.dialog, app.selected.as_ref().and_then(|id| store.model(id))) {
        // Heads, marks, and the reasons why keys do not act now.
        (Dialog::Help(_), _) => ACTIONS.len() + command::WITH_ARGUMENT.len() + 36,
        (_, Some(model)) => {
            2 * model.judgements.len() + model.instances.len() + store.sources.len().min(40) + 10
        }
        (_, None) => 0,
    };
    u16::try_from(lines).unwrap_or(u16::MAX).saturating_sub(app.size.1 / 2)
}

/// Focuses a pane.
pub(super) fn show(app: &mut App, pane: Pane) {
    app.focus = Focus::Pane(pane);
    app.pane_offset = 0;
    app.tab = pane;
    if matches!(pane, Pane::Quality | Pane::Registry) {
        app.lower_left = pane;
    }
}

fn back(app: &mut App) {
    if app.zoomed {
        app.zoomed = false;
    } else if app.focus != Focus::Fleet {
        app.focus = Focus::Fleet;
    } else if !app.filter.is_empty() {
        app.filter = Filter::default();
    }
    app.pane_offset = 0;
}

/// Fleet and panes in a ring.
fn turn(app: &mut App, by: usize) {
    let ring = Pane::ALL.len() + 1;
    let here = match app.focus {
        Focus::Fleet => 0,
        Focus::Pane(pane) => Pane::ALL.iter().position(|&other| other == pane).unwrap_or(0) + 1,
    };
    match (here + by) % ring {
        0 => (app.focus, app.zoomed) = (Focus::Fleet, false),
        place => show(app, Pane::ALL[place - 1]),
    }
}

/// Moves the selection, or scrolls a zoomed pane.
fn travel(app: &mut App, store: &Store, action: Action) {
    let page = fleet_height(app).max(1);
    if app.zoomed && app.focus != Focus::Fleet {
        let page = u16::try_from(page).unwrap_or(u16::MAX);
        // Drift has a chosen feature, which must not run past the last one; other panes scroll, and the
        // longest of them is the timeline.
        let model = app.selected.as_ref().and_then(|id| store.model(id));
        let last = match app.focus {
            Focus::Pane(Pane::Drift) => model.map_or(0, |model| model.features(None).len().saturating_sub(1)),
            _ => store.timeline.len().max(40),
        };
        let longest = u16::try_from(last).unwrap_or(u16::MAX);
        app.pane_offset = match action {
            Action::Up => app.pane_offset.saturating_sub(1),
            Action::Down => app.pane_offset.saturating_add(1).min(longest),
            Action::PageUp => app.pane_offset.saturating_sub(page),
            Action::PageDown => app.pane_offset.saturating_add(page).min(longest),
            _ => 0,
        };
        return;
    }
    let rows = fleet_rows(app, store);
    let here = rows.iter().position(|&row| Some(&store.models[row].id) == app.selected.as_ref()).unwrap_or(0);
    let last = rows.len().saturating_sub(1);
    let there = match action {
        Action::Up => here.saturating_sub(1),
        Action::Down => (here + 1).min(last),
        Action::PageUp => here.saturating_sub(page),
        Action::PageDown => (here + page).min(last),
        Action::First => 0,
        _ => last,
    };
    app.selected = rows.get(there).map(|&row| store.models[row].id.clone());
    app.pane_offset = 0;
}

fn copy(app: &mut App, store: &Store) -> Vec<Effect> {
    let Some(model) = app.selected.as_ref().and_then(|id| store.model(id)) else {
        app.say("no model is selected", Level::Warning);
        return Vec::new();
    };
    let mut text = format!("{} {} {}\n", model.id, model.level.word(), model.why);
    for judged in model.judgements.iter().filter(|judged| judged.level != Level::NotMeasured) {
        text.push_str(&format!("  {:<16} {:<12} {}\n", judged.kpi.id(), judged.level.word(), judged.reason));
    }
    vec![Effect::Copy(text)]
}

fn mouse(app: &mut App, store: &Store, event: MouseEvent) -> Vec<Effect> {
    if app.has_box() {
        return Vec::new();
    }
    match event.kind {
        MouseEventKind::ScrollUp => travel(app, store, Action::Up),
        MouseEventKind::ScrollDown => travel(app, store, Action::Down),
        MouseEventKind::Down(_) => {
            let first = Geometry::of(app.size.0, app.size.1).with_bar(app.has_incident_bar()).first_row;
            if let Some(line) =
                event.row.checked_sub(first).map(usize::from).filter(|&line| line < fleet_height(app))
            {
                let rows = fleet_rows(app, store);
                if let Some(&row) = rows.get(app.fleet_offset + line) {
                    app.selected = Some(store.models[row].id.clone());
                }
            }
        }
        _ => {}
    }
    settle(app, store);
    Vec::new()
}
