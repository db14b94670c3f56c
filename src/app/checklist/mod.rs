//! The checklist dialog: what keys do in it, and when the checks are looked at.

#[cfg(test)]
mod tests;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

use super::action::Action;
use super::effect::Effect;
use super::state::{App, Dialog};
use crate::checklist::{self, Beside, Known, Line, NOTE, Period, Sight, Tick, hindrance};
use crate::domain::{Level, Time, text};
use crate::store::Store;

/// How often the checks are looked at while nobody looks, seconds: a look goes over the whole fleet.
const LOOK_S: i64 = 60;
/// The same while the dialog is open, seconds.
const OPEN_S: i64 = 5;
/// How often the book is read while nobody looks, seconds.
const READ_S: i64 = 300;
/// The same while the dialog is open, seconds: another room may have ticked.
const READ_OPEN_S: i64 = 15;

/// The checks as they stand.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    /// Every check of every list, at the last look.
    pub lines: Vec<Line>,
    /// The ticks that are written down, in their order.
    pub ticks: Vec<Tick>,
    /// What checks rest on beside the store.
    pub beside: Beside,
    /// Whether the book has been read.
    pub is_read: bool,
    /// Why the book cannot be read or written.
    pub trouble: Option<String>,
    looked: Option<Time>,
    asked: Option<Time>,
    /// A question or a write is under way: its answer brings the next.
    waits: bool,
}

/// A note that is being written.
#[derive(Debug, Clone)]
pub struct Writing {
    /// The check's id.
    pub item: &'static str,
    /// Whether a tick is withdrawn, else one is made.
    pub undone: bool,
    /// The words.
    pub input: Input,
}

/// The dialog.
#[derive(Debug, Clone, Default)]
pub struct ChecklistDialog {
    /// The list that is shown.
    pub period: Period,
    /// The chosen line.
    pub cursor: usize,
    /// The note that is being written.
    pub writing: Option<Writing>,
}

impl Checks {
    /// The lines of one list.
    pub fn of(&self, period: Period) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.period == period)
    }
}

impl ChecklistDialog {
    /// The chosen line.
    pub fn chosen<'a>(&self, checks: &'a Checks) -> Option<&'a Line> {
        checks.of(self.period).nth(self.cursor)
    }
}

/// The present, also while the past is shown.
fn present(app: &App) -> Time {
    app.time.now.unwrap_or(app.now)
}

/// Shows the checklists.
pub fn open(app: &mut App, store: &Store) -> Vec<Effect> {
    look(app, store);
    app.dialog = Dialog::Checklist(Box::default());
    ask(app, Vec::new())
}

fn look(app: &mut App, store: &Store) {
    let now = present(app);
    let sight = Sight { store, beside: &app.checks.beside, now };
    app.checks.lines = checklist::board(&sight, &app.checks.ticks, &Period::ALL);
    app.checks.looked = Some(now);
}

fn ask(app: &mut App, ticks: Vec<Tick>) -> Vec<Effect> {
    app.checks.asked = Some(present(app));
    app.checks.waits = true;
    vec![Effect::Tick(ticks)]
}

/// Time passed: looks at the checks when it is time to, and has written down what was verified.
pub(super) fn tick(app: &mut App, store: &Store) -> Vec<Effect> {
    let is_open = matches!(app.dialog, Dialog::Checklist(_));
    let now = present(app);
    let is_due =
        |last: Option<Time>, seconds: i64| last.is_none_or(|last| (now - last).num_seconds() >= seconds);
    // Before every source has had its say, what is missing is not known to be missing.
    if store.sources.iter().any(|source| source.asked.is_none()) && !is_open {
        return Vec::new();
    }
    if is_due(app.checks.looked, if is_open { OPEN_S } else { LOOK_S }) {
        look(app, store);
    }
    if app.checks.waits {
        return Vec::new();
    }
    if !app.checks.is_read || is_due(app.checks.asked, if is_open { READ_OPEN_S } else { READ_S }) {
        // What cannot be read is not asked for every second.
        return if is_due(app.checks.asked, READ_OPEN_S) { ask(app, Vec::new()) } else { Vec::new() };
    }
    let new = unwritten(app, store);
    if new.is_empty() { Vec::new() } else { ask(app, new) }
}

/// What the tool verified and nobody has written down. A room that only looks writes nothing.
fn unwritten(app: &App, store: &Store) -> Vec<Tick> {
    let waits = store.sources.iter().any(|source| source.asked.is_none());
    if app.read_only || waits || app.checks.trouble.is_some() {
        return Vec::new();
    }
    let now = app.checks.looked.unwrap_or(app.now);
    let sight = Sight { store, beside: &app.checks.beside, now };
    checklist::unwritten(&sight, &app.checks.ticks, &app.checks.lines)
}

/// The book answered.
pub(super) fn known(app: &mut App, store: &Store, known: Result<Box<Known>, String>) -> Vec<Effect> {
    app.checks.waits = false;
    match known {
        Ok(known) => {
            (app.checks.ticks, app.checks.beside) = (known.ticks, known.beside);
            (app.checks.is_read, app.checks.trouble) = (true, None);
        }
        Err(why) => {
            if app.checks.trouble.as_ref() != Some(&why) {
                app.say(format!("checklists: {why}"), Level::Warning);
            }
            app.checks.trouble = Some(why);
        }
    }
    if app.checks.looked.is_some() {
        look(app, store);
    }
    Vec::new()
}

/// A key in the dialog.
pub(super) fn key(
    app: &mut App,
    store: &Store,
    mut dialog: ChecklistDialog,
    key: KeyEvent,
    action: Option<Action>,
) -> Vec<Effect> {
    if let Some(writing) = dialog.writing.take() {
        return write(app, store, dialog, writing, key);
    }
    let rows = app.checks.of(dialog.period).count();
    let last = rows.saturating_sub(1);
    let place = Period::ALL.iter().position(|&period| period == dialog.period).unwrap_or(0);
    let turn = |by: usize| ChecklistDialog {
        period: Period::ALL[(place + by) % Period::ALL.len()],
        ..ChecklistDialog::default()
    };
    match (key.code, action) {
        (KeyCode::Esc, _) | (_, Some(Action::Checklist)) => return Vec::new(),
        (KeyCode::Left | KeyCode::BackTab, _) => dialog = turn(Period::ALL.len() - 1),
        (KeyCode::Right | KeyCode::Tab, _) => dialog = turn(1),
        (KeyCode::Enter, _) => begin(app, &mut dialog, false),
        (KeyCode::Char('u'), _) if !key.modifiers.contains(KeyModifiers::CONTROL) => {
            begin(app, &mut dialog, true)
        }
        (_, Some(Action::Up)) => dialog.cursor = dialog.cursor.saturating_sub(1),
        (_, Some(Action::Down)) => dialog.cursor = (dialog.cursor + 1).min(last),
        (_, Some(Action::First | Action::PageUp)) => dialog.cursor = 0,
        (_, Some(Action::Last | Action::PageDown)) => dialog.cursor = last,
        _ => {}
    }
    app.dialog = Dialog::Checklist(Box::new(dialog));
    Vec::new()
}

/// Why nothing can be ticked here at all.
fn forbidden(app: &App) -> Option<String> {
    if app.read_only {
        return Some("read-only: nothing is ticked here".into());
    }
    if app.time.asked.is_some() || app.time.past.is_some() {
        return Some("nothing is ticked in the past; End goes back to now".into());
    }
    match &app.checks.trouble {
        Some(why) => Some(format!("nothing can be kept: {why}")),
        None => (!app.checks.is_read).then(|| "the earlier ticks are still being read".into()),
    }
}

/// Opens the line for a note, if the chosen check can be ticked, or withdrawn.
fn begin(app: &mut App, dialog: &mut ChecklistDialog, undone: bool) {
    let Some(line) = dialog.chosen(&app.checks) else { return };
    // The note is still to come: its want is no hindrance yet.
    let why = forbidden(app).or_else(|| hindrance(line, undone, "-"));
    match why {
        Some(why) => app.say(why, Level::Warning),
        None => dialog.writing = Some(Writing { item: line.item, undone, input: Input::default() }),
    }
}

/// A key while the note is written.
fn write(
    app: &mut App,
    store: &Store,
    mut dialog: ChecklistDialog,
    mut writing: Writing,
    key: KeyEvent,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    match key.code {
        KeyCode::Esc => {}
        KeyCode::Enter => {
            let note = text::clean(writing.input.value(), NOTE);
            // Its state may have changed since.
            let line = app.checks.lines.iter().find(|line| line.item == writing.item);
            let why = forbidden(app).or_else(|| line.and_then(|line| hindrance(line, writing.undone, &note)));
            match (why, checklist::item(writing.item)) {
                (Some(why), _) => {
                    app.say(why, Level::Warning);
                    dialog.writing = Some(writing);
                }
                (None, Some(item)) => {
                    let now = present(app);
                    let (environment, by) = (&*store.environment, app.operator.as_str());
                    let span = item.period.span(now);
                    let tick = Tick::by_hand(environment, item, span, now, by, &note, writing.undone);
                    effects = ask(app, vec![tick]);
                }
                (None, None) => {}
            }
        }
        code => {
            let room = writing.input.value().chars().count() < NOTE;
            if room || !matches!(code, KeyCode::Char(_)) {
                writing.input.handle_event(&TerminalEvent::Key(key));
            }
            dialog.writing = Some(writing);
        }
    }
    app.dialog = Dialog::Checklist(Box::new(dialog));
    effects
}

/// Pasted text goes into the note; a pasted line end ticks nothing.
pub(super) fn paste(app: &mut App, pasted: &str) {
    if let Dialog::Checklist(dialog) = &mut app.dialog
        && let Some(writing) = &mut dialog.writing
    {
        let room = NOTE.saturating_sub(writing.input.value().chars().count());
        for c in text::clean(pasted, room).chars() {
            writing.input.handle(InputRequest::InsertChar(c));
        }
    }
}
