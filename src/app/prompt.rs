//! The lines that are written: filter, command, note.

use crossterm::event::{Event as TerminalEvent, KeyEvent};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::action::Action;
use super::command::{self, Command};
use super::effect::Effect;
use super::filter::Filter;
use super::state::{App, Dialog};
use super::{acting, incident, update};
use crate::domain::{Event, EventKind, Level, text};
use crate::store::Store;

/// A key while text is written: only leaving, closing and accepting are actions.
pub(super) fn type_key(
    app: &mut App,
    store: &mut Store,
    key: KeyEvent,
    action: Option<Action>,
) -> Vec<Effect> {
    use crossterm::event::{KeyCode, KeyModifiers};
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return vec![Effect::Quit],
        KeyCode::Esc => {
            if matches!(app.dialog, Dialog::Filter(_)) {
                app.filter = Filter::default();
            }
            app.dialog = Dialog::None;
        }
        KeyCode::Enter => return accept(app, store),
        KeyCode::Tab => complete(app),
        _ if action == Some(Action::Redraw) => return vec![Effect::Redraw],
        _ => {
            let (Dialog::Filter(input) | Dialog::Command(input) | Dialog::Note(input)) = &mut app.dialog
            else {
                return Vec::new();
            };
            input.handle_event(&TerminalEvent::Key(key));
            live_filter(app);
        }
    }
    update::settle(app, store);
    Vec::new()
}

/// Pasted text goes into what is being written.
pub(super) fn paste(app: &mut App, pasted: &str) {
    if let Dialog::Filter(input) | Dialog::Command(input) | Dialog::Note(input) = &mut app.dialog {
        for c in text::clean(pasted, 500).chars() {
            input.handle(tui_input::InputRequest::InsertChar(c));
        }
        live_filter(app);
    }
}

/// Filters while the filter is being written; one that cannot be read yet leaves the last one.
fn live_filter(app: &mut App) {
    if let Dialog::Filter(input) = &app.dialog
        && let Ok(filter) = Filter::parse(input.value())
    {
        app.filter = filter;
    }
}

fn complete(app: &mut App) {
    if let Dialog::Command(input) = &mut app.dialog
        && let [(only, _)] | [(only, _), ..] = command::completions(input.value()).as_slice()
    {
        *input = Input::new((*only).to_owned());
    }
}

fn accept(app: &mut App, store: &mut Store) -> Vec<Effect> {
    let effects = match std::mem::take(&mut app.dialog) {
        Dialog::Filter(input) => {
            match Filter::parse(input.value()) {
                Ok(filter) => app.filter = filter,
                Err(why) => {
                    app.say(why, Level::Warning);
                    app.dialog = Dialog::Filter(input);
                }
            }
            Vec::new()
        }
        Dialog::Command(input) if input.value().trim().is_empty() => Vec::new(),
        Dialog::Command(input) => match command::parse(input.value()) {
            Ok(command) => obey(app, store, command),
            Err(why) => {
                app.say(why, Level::Warning);
                Vec::new()
            }
        },
        Dialog::Note(input) => write_note(app, store, input.value()),
        other => {
            app.dialog = other;
            Vec::new()
        }
    };
    update::settle(app, store);
    effects
}

fn obey(app: &mut App, store: &mut Store, command: Command) -> Vec<Effect> {
    match command {
        Command::Action(action) => return update::act(app, store, action),
        Command::Theme(name) => return vec![Effect::Theme(name)],
        Command::Filter(text) => match Filter::parse(&text) {
            Ok(filter) => app.filter = filter,
            Err(why) => app.say(why, Level::Warning),
        },
        Command::Sort(sort) => app.sort = sort,
        Command::Note(text) => return write_note(app, store, &text),
        Command::Plan(operation) => {
            let model = app.selected.clone();
            return match model {
                Some(model) => acting::ask_for(app, store, &model, operation),
                None => {
                    app.say("no model is selected", Level::Warning);
                    Vec::new()
                }
            };
        }
        Command::Model(name) => {
            let found = store.models.iter().find(|model| *model.id.name == *name);
            let found = found.or_else(|| store.models.iter().find(|model| model.id.name.starts_with(&name)));
            match found {
                Some(model) => app.selected = Some(model.id.clone()),
                None => app.say(format!("there is no model `{name}`"), Level::Warning),
            }
        }
    }
    Vec::new()
}

/// Into the timeline, and into the incident that is open.
fn write_note(app: &mut App, store: &mut Store, note: &str) -> Vec<Effect> {
    let what = text::clean(note, 300);
    if what.is_empty() {
        return Vec::new();
    }
    if let Some(why) = super::time::forbids(app, Action::Note) {
        app.say(format!("note: {why}"), Level::Warning);
        return Vec::new();
    }
    if app.spectator {
        app.say("note: this is a spectator, which only looks", Level::Warning);
        return Vec::new();
    }
    let effects = incident::note(app, what.clone());
    store.record(Event {
        at: app.now,
        kind: EventKind::Note,
        model: app.selected.clone(),
        level: Level::Ok,
        what,
        detail: app.operator.clone(),
    });
    effects
}
