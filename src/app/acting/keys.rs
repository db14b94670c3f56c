//! What keys do in the dialogs of acts.

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};

use tui_input::backend::crossterm::EventHandler;

use super::dialog::{ActDialog, ActStage, Field};
use super::{show, waiting, wanted};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::state::{App, Dialog};
use crate::domain::act::{Act, Operation, Wish};
use crate::domain::{Level, Version, text};
use crate::store::Store;

/// The longest reason, in characters.
const REASON: usize = 300;
/// Lines that a page key scrolls.
const PAGE: u16 = 8;

/// A key in a dialog of acts; `None` when none is open.
pub fn key(app: &mut App, store: &mut Store, key: KeyEvent, action: Option<Action>) -> Option<Vec<Effect>> {
    if !app.has_box() {
        return None;
    }
    if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
        return Some(vec![Effect::Quit]);
    }
    if app.is_past() && matches!(app.dialog, Dialog::Act(_) | Dialog::Unfinished(_)) {
        app.dialog = Dialog::None;
        app.say(format!("nothing is sent: {}", crate::app::time::refusal(app)), Level::Warning);
        return Some(Vec::new());
    }
    let is_text = match &mut app.dialog {
        Dialog::Act(dialog) => dialog.text().is_some(),
        Dialog::Checklist(dialog) => dialog.writing.is_some(),
        _ => false,
    };
    if !is_text {
        match action {
            Some(Action::Quit) => return Some(vec![Effect::Quit]),
            Some(Action::Redraw) => return Some(vec![Effect::Redraw]),
            _ => {}
        }
    }
    let effects = match std::mem::take(&mut app.dialog) {
        Dialog::Checklist(dialog) => crate::app::checklist::key(app, store, *dialog, key, action),
        // Leaving is always possible, and leaves everything as it is.
        _ if key.code == KeyCode::Esc => Vec::new(),
        Dialog::Act(dialog) => in_act(app, store, *dialog, key, action),
        Dialog::Waits(cursor) => in_waits(app, store, cursor, key, action),
        Dialog::Unfinished(cursor) => in_unfinished(app, cursor, key, action),
        other => {
            app.dialog = other;
            Vec::new()
        }
    };
    Some(effects)
}

/// Pasted text goes into the field that is being written; a pasted line end confirms nothing.
pub fn paste(app: &mut App, pasted: &str) {
    let guarded = is_guarded(app);
    let Dialog::Act(dialog) = &mut app.dialog else { return };
    if guarded {
        return;
    }
    if let Some(input) = dialog.text() {
        for c in text::clean(pasted, REASON).chars() {
            input.handle(tui_input::InputRequest::InsertChar(c));
        }
    }
}

/// Whether the open dialog asks something that has not been on the glass yet.
fn is_guarded(app: &App) -> bool {
    let asks = match &app.dialog {
        Dialog::Act(dialog) => matches!(dialog.stage, ActStage::Planned(_) | ActStage::Refused { .. }),
        Dialog::Unfinished(_) => true,
        _ => false,
    };
    asks && !app.acting.drawn
}

fn in_act(
    app: &mut App,
    store: &Store,
    mut dialog: ActDialog,
    key: KeyEvent,
    action: Option<Action>,
) -> Vec<Effect> {
    let asks = matches!(dialog.stage, ActStage::Planned(_) | ActStage::Refused { .. });
    if asks && !app.acting.drawn {
        app.dialog = Dialog::Act(Box::new(dialog));
        return Vec::new();
    }
    let longest = dialog.lines(&app.acting.acts);
    match key.code {
        KeyCode::PageUp => dialog.scroll = dialog.scroll.saturating_sub(PAGE),
        KeyCode::PageDown => dialog.scroll = dialog.scroll.saturating_add(PAGE).min(longest),
        _ => return at_stage(app, store, dialog, key, action, longest),
    }
    app.dialog = Dialog::Act(Box::new(dialog));
    Vec::new()
}

/// Everything but paging and leaving. The dialog stays open unless the stage closes it.
fn at_stage(
    app: &mut App,
    store: &Store,
    mut dialog: ActDialog,
    key: KeyEvent,
    action: Option<Action>,
    longest: u16,
) -> Vec<Effect> {
    match (&mut dialog.stage, key.code) {
        (ActStage::Versions { list, cursor }, KeyCode::Enter) => {
            let to = list.get(*cursor).filter(|revision| !revision.is_stable).map(|revision| revision.name());
            if let Some(to) = to {
                let operation = Operation::RollBack { to: Version::new(&to) };
                return wanted::ask_for(app, store, &dialog.model, operation);
            }
        }
        (ActStage::Versions { list, cursor }, _) => {
            let last = list.len().saturating_sub(1);
            let step = |from: usize, by: isize| from.checked_add_signed(by).filter(|&place| place <= last);
            let by = match action {
                Some(Action::Up) => -1,
                Some(Action::Down) => 1,
                _ => 0,
            };
            // The version that serves already is stepped over.
            let mut there = step(*cursor, by).filter(|_| by != 0);
            while let Some(place) = there.filter(|&place| list[place].is_stable) {
                there = step(place, by);
            }
            *cursor = there.unwrap_or(*cursor);
        }
        (ActStage::Weight(input), KeyCode::Enter) => match percent(input.value()) {
            Ok(percent) => {
                return wanted::ask_for(app, store, &dialog.model, Operation::SetWeight { percent });
            }
            Err(why) => app.say(why, Level::Warning),
        },
        (ActStage::Asking { .. }, _) => {}
        (ActStage::Refused { .. }, KeyCode::Enter) => return Vec::new(),
        (ActStage::Planned(_), _) => return planned(app, dialog, key, longest),
        (ActStage::Following(_), KeyCode::Enter) => return Vec::new(),
        (ActStage::Following(_), _) if action == Some(Action::Acts) => {
            app.dialog = Dialog::Act(Box::new(dialog));
            show(app);
            return Vec::new();
        }
        (ActStage::Following(_), KeyCode::Up) => dialog.scroll = dialog.scroll.saturating_sub(1),
        (ActStage::Following(_), KeyCode::Down) => {
            dialog.scroll = dialog.scroll.saturating_add(1).min(longest)
        }
        _ => {
            if let Some(input) = dialog.text() {
                input.handle_event(&TerminalEvent::Key(key));
            }
        }
    }
    app.dialog = Dialog::Act(Box::new(dialog));
    Vec::new()
}

/// A plan waits for its confirmation.
fn planned(app: &mut App, mut dialog: ActDialog, key: KeyEvent, longest: u16) -> Vec<Effect> {
    let ActStage::Planned(proposal) = &mut dialog.stage else { return Vec::new() };
    match (key.code, proposal.focus) {
        (KeyCode::Tab, _) if key.modifiers.contains(KeyModifiers::SHIFT) => proposal.turn(false),
        (KeyCode::Tab, _) => proposal.turn(true),
        (KeyCode::BackTab, _) => proposal.turn(false),
        (KeyCode::Left | KeyCode::Right, Field::Cancel) => proposal.focus = Field::Do,
        (KeyCode::Left | KeyCode::Right, Field::Do) => proposal.focus = Field::Cancel,
        (KeyCode::Up, _) => dialog.scroll = dialog.scroll.saturating_sub(1),
        (KeyCode::Down, _) => dialog.scroll = dialog.scroll.saturating_add(1).min(longest),
        (KeyCode::Enter, Field::Cancel) => return Vec::new(),
        (KeyCode::Enter, Field::Reason) => proposal.turn(true),
        (KeyCode::Enter, Field::Name | Field::Do) => {
            let trouble =
                app.acting.trouble.clone().or_else(|| app.read_only.then(|| "read-only".to_owned()));
            match trouble.or_else(|| proposal.hindrance()) {
                Some(why) => app.say(format!("nothing is sent: {why}"), Level::Warning),
                None => return execute(app, dialog),
            }
        }
        (_, Field::Reason | Field::Name) => {
            let room = proposal.focus == Field::Name || proposal.reason.value().chars().count() < REASON;
            let grows = matches!(key.code, KeyCode::Char(_));
            if let Some(input) = proposal.text().filter(|_| room || !grows) {
                input.handle_event(&TerminalEvent::Key(key));
            }
        }
        _ => {}
    }
    app.dialog = Dialog::Act(Box::new(dialog));
    Vec::new()
}

/// The plan is confirmed: from here on the box shows how far it got.
fn execute(app: &mut App, dialog: ActDialog) -> Vec<Effect> {
    let ActStage::Planned(proposal) = dialog.stage else { return Vec::new() };
    let mut plan = proposal.plan;
    plan.reason = text::clean(proposal.reason.value(), REASON);
    let act = Act::confirmed((*plan).clone(), app.now);
    app.dialog = Dialog::Act(Box::new(ActDialog::following(&act)));
    app.acting.keep(act);
    vec![Effect::Act(Box::new(Wish::Execute(plan)))]
}

/// Reads a weight: `25`, `25 %`, `12.5`.
pub(in crate::app) fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim_end().parse::<f64>();
    number
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| format!("weight: `{}` is no percentage; write a number from 0 to 100", text.trim()))
}

/// The list of what waits for a person.
fn in_waits(
    app: &mut App,
    store: &Store,
    cursor: usize,
    key: KeyEvent,
    action: Option<Action>,
) -> Vec<Effect> {
    let list = waiting(app, store);
    if key.code == KeyCode::Enter {
        if let Some(model) = list.get(cursor).and_then(|wait| wait.model.clone()) {
            if !app.filter.is_empty() {
                // The filter may hide it.
                app.filter = crate::app::Filter::default();
            }
            app.selected = Some(model);
            crate::app::update::show(app, crate::app::Pane::Canary);
        } else if cursor < list.len() {
            show(app);
        }
        return Vec::new();
    }
    match action {
        Some(Action::Waits | Action::Back) => {}
        _ => app.dialog = Dialog::Waits(moved(cursor, list.len(), action)),
    }
    Vec::new()
}

/// What an earlier process left: go on verifying, or close.
fn in_unfinished(app: &mut App, cursor: usize, key: KeyEvent, action: Option<Action>) -> Vec<Effect> {
    app.dialog = Dialog::Unfinished(cursor);
    if !app.acting.drawn {
        return Vec::new();
    }
    let cursor = cursor.min(app.acting.unfinished.len().saturating_sub(1));
    let verify = match key.code {
        KeyCode::Char('V' | 'v') => true,
        KeyCode::Char('C') => false,
        _ => {
            app.dialog = Dialog::Unfinished(moved(cursor, app.acting.unfinished.len(), action));
            return Vec::new();
        }
    };
    if let Some(why) = &app.acting.trouble {
        let why = format!("not now: {why}");
        app.say(why, Level::Warning);
        return Vec::new();
    }
    if app.acting.unfinished.is_empty() {
        app.dialog = Dialog::None;
        return Vec::new();
    }
    let act = app.acting.unfinished.remove(cursor);
    let id = act.plan.id.clone();
    if verify {
        app.dialog = Dialog::Act(Box::new(ActDialog::following(&act)));
        app.acting.keep(act);
        return vec![Effect::Act(Box::new(Wish::Verify(id)))];
    }
    app.say(format!("{} is closed as it is; its state was not looked at", act.headline()), Level::Ok);
    app.dialog = if app.acting.unfinished.is_empty() { Dialog::None } else { Dialog::Unfinished(0) };
    vec![Effect::Act(Box::new(Wish::Close(id)))]
}

fn moved(cursor: usize, rows: usize, action: Option<Action>) -> usize {
    let last = rows.saturating_sub(1);
    match action {
        Some(Action::Up) => cursor.saturating_sub(1),
        Some(Action::Down) => (cursor + 1).min(last),
        Some(Action::PageUp) => cursor.saturating_sub(usize::from(PAGE)),
        Some(Action::PageDown) => (cursor + usize::from(PAGE)).min(last),
        Some(Action::First) => 0,
        Some(Action::Last) => last,
        _ => cursor.min(last),
    }
}
