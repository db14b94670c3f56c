//! What keys do in the dialog of an incident.

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::dialog::{Ask, Asked, Declaration, DeclareField, IncidentDialog, IncidentStage, ROLES};
use super::{declare, entry, next_milestone, typed, write};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::state::{App, Dialog};
use crate::domain::incident::{Incident, IncidentId, Matter, Milestone, Severity};
use crate::domain::{Level, text};
use crate::store::Store;

/// The longest text of an entry, characters.
const TEXT: usize = 500;
/// Lines that a page key scrolls.
const PAGE: u16 = 8;

/// A key in the dialog of an incident; `None` when it is not open.
pub fn key(app: &mut App, store: &mut Store, key: KeyEvent, action: Option<Action>) -> Option<Vec<Effect>> {
    if !matches!(app.dialog, Dialog::Incident(_)) {
        return None;
    }
    if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
        return Some(vec![Effect::Quit]);
    }
    let Dialog::Incident(mut dialog) = std::mem::take(&mut app.dialog) else { return None };
    if dialog.text().is_none() {
        match action {
            Some(Action::Quit) => return Some(vec![Effect::Quit]),
            Some(Action::Redraw) => {
                app.dialog = Dialog::Incident(dialog);
                return Some(vec![Effect::Redraw]);
            }
            _ => {}
        }
    }
    let (next, effects) = match dialog.stage.clone() {
        IncidentStage::Declare(declaration) => declaring(app, store, *declaration, key),
        IncidentStage::Choose { cursor } => choosing(app, store, cursor, key, action),
        IncidentStage::Sheet { id, ask: Some(ask) } => asked(app, &id, ask, key, action),
        IncidentStage::Sheet { id, ask: None } => sheet(app, &mut dialog, id, key, action),
    };
    if let Some(stage) = next {
        let scroll = if matches!(stage, IncidentStage::Sheet { .. }) { dialog.scroll } else { 0 };
        app.dialog = Dialog::Incident(Box::new(IncidentDialog { stage, scroll }));
    }
    Some(effects)
}

/// Pasted text goes into what is being written.
pub fn paste(app: &mut App, pasted: &str) {
    let Dialog::Incident(dialog) = &mut app.dialog else { return };
    if let Some(input) = dialog.text() {
        for c in text::clean(pasted, TEXT).chars() {
            input.handle(tui_input::InputRequest::InsertChar(c));
        }
    }
}

impl IncidentDialog {
    /// The text that is being written, if any.
    fn text(&mut self) -> Option<&mut Input> {
        match &mut self.stage {
            IncidentStage::Declare(declaration) if declaration.field == DeclareField::Title => {
                Some(&mut declaration.title)
            }
            IncidentStage::Sheet { ask: Some(ask), .. } if ask.what.is_text() => Some(&mut ask.input),
            _ => None,
        }
    }
}

/// The stage after a key, none to close the dialog, and what is to be done.
type Next = (Option<IncidentStage>, Vec<Effect>);

fn declaring(app: &mut App, store: &Store, mut declaration: Declaration, key: KeyEvent) -> Next {
    use DeclareField::{Models, Severity as Bad, Title};
    let ring = [Title, Bad, Models];
    let here = ring.iter().position(|field| *field == declaration.field).unwrap_or(0);
    let back = key.code == KeyCode::BackTab || key.modifiers.contains(KeyModifiers::SHIFT);
    match (key.code, declaration.field) {
        (KeyCode::Esc, _) => return (None, Vec::new()),
        (KeyCode::Enter, _) if text::clean(declaration.title.value(), declare::TITLE).is_empty() => {
            app.say("write in a few words what it is about", Level::Warning);
            declaration.field = Title;
        }
        (KeyCode::Enter, _) => {
            let (id, effects) = declare::declare(app, store, &declaration);
            said(app);
            return (Some(IncidentStage::sheet(id)), effects);
        }
        (KeyCode::Up, _) => declaration.field = ring[(here + 2) % 3],
        (KeyCode::Tab | KeyCode::BackTab, _) if back => declaration.field = ring[(here + 2) % 3],
        (KeyCode::Tab | KeyCode::Down, _) => declaration.field = ring[(here + 1) % 3],
        (KeyCode::Left | KeyCode::Right, Bad) => {
            let place = Severity::ALL.iter().position(|s| *s == declaration.severity).unwrap_or(0);
            declaration.severity = Severity::ALL[turned(place, Severity::ALL.len(), key.code)];
        }
        (KeyCode::Left | KeyCode::Right, Models) => {
            declaration.scope = turned(declaration.scope, declaration.scopes.len(), key.code);
        }
        (code, Title) => insert(&mut declaration.title, key, code, declare::TITLE),
        _ => {}
    }
    (Some(IncidentStage::Declare(Box::new(declaration))), Vec::new())
}

/// One further in a ring, or one back.
fn turned(place: usize, of: usize, code: KeyCode) -> usize {
    let of = of.max(1);
    if code == KeyCode::Left { (place + of - 1) % of } else { (place + 1) % of }
}

fn insert(input: &mut Input, key: KeyEvent, code: KeyCode, longest: usize) {
    if !matches!(code, KeyCode::Char(_)) || input.value().chars().count() < longest {
        input.handle_event(&TerminalEvent::Key(key));
    }
}

/// One of the open incidents, or a new one.
fn choosing(app: &mut App, store: &Store, cursor: usize, key: KeyEvent, action: Option<Action>) -> Next {
    let last = app.incidents.open.len();
    let cursor = cursor.min(last);
    let stay = |cursor| (Some(IncidentStage::Choose { cursor }), Vec::new());
    match (key.code, action) {
        (KeyCode::Esc, _) => (None, Vec::new()),
        (KeyCode::Enter, _) => match app.incidents.open.get(cursor) {
            Some(incident) => {
                let id = incident.id.clone();
                let joined = incident.people.contains(&app.operator) || app.cannot_write().is_some();
                let effects = if joined {
                    Vec::new()
                } else {
                    let entry = entry(app, &id, None, Matter::Joined);
                    said(app);
                    write(app, vec![entry])
                };
                (Some(IncidentStage::sheet(id)), effects)
            }
            None => match app.cannot_write() {
                Some(why) => {
                    app.say(format!("nothing is declared: {why}"), Level::Warning);
                    stay(cursor)
                }
                None => (Some(IncidentStage::Declare(Box::new(Declaration::of(app, store)))), Vec::new()),
            },
        },
        (_, Some(Action::Up)) => stay(cursor.saturating_sub(1)),
        (_, Some(Action::Down)) => stay((cursor + 1).min(last)),
        (_, Some(Action::First)) => stay(0),
        (_, Some(Action::Last)) => stay(last),
        _ => stay(cursor),
    }
}

/// The sheet with nothing asked: keys ask, or scroll.
fn sheet(
    app: &mut App,
    dialog: &mut IncidentDialog,
    id: IncidentId,
    key: KeyEvent,
    action: Option<Action>,
) -> Next {
    let Some(incident) = app.incidents.get(&id) else { return (None, Vec::new()) };
    let longest = u16::try_from(3 * incident.entries.len() + 20).unwrap_or(u16::MAX);
    let what = match key.code {
        KeyCode::Esc => return (None, Vec::new()),
        KeyCode::PageUp => {
            dialog.scroll = dialog.scroll.saturating_sub(PAGE);
            None
        }
        KeyCode::PageDown => {
            dialog.scroll = dialog.scroll.saturating_add(PAGE).min(longest);
            None
        }
        KeyCode::Char(c) => asked_by(incident, &app.operator, c),
        _ => None,
    };
    if what.is_none() {
        match action {
            Some(Action::Up) => dialog.scroll = dialog.scroll.saturating_sub(1),
            Some(Action::Down) => dialog.scroll = dialog.scroll.saturating_add(1).min(longest),
            Some(Action::First) => dialog.scroll = 0,
            Some(Action::Last) => dialog.scroll = longest,
            Some(Action::Incident) => return (Some(IncidentStage::Choose { cursor: 0 }), Vec::new()),
            _ => {}
        }
        return (Some(IncidentStage::sheet(id)), Vec::new());
    }
    if let Some(why) = app.cannot_write() {
        app.say(format!("nothing is written: {why}"), Level::Warning);
        return (Some(IncidentStage::sheet(id)), Vec::new());
    }
    let ask = what.map(|what| Ask { what, input: Input::default() });
    (Some(IncidentStage::Sheet { id, ask }), Vec::new())
}

/// What a key of the sheet asks.
fn asked_by(incident: &Incident, person: &str, key: char) -> Option<Asked> {
    let place =
        |of: &[&str], wanted: &dyn Fn(&str) -> bool| of.iter().position(|role| wanted(role)).unwrap_or(0);
    Some(match key {
        'n' => Asked::Note,
        'u' => Asked::Update,
        'h' => Asked::Hypothesis,
        // The first role that nobody has.
        'r' => Asked::Role(place(&ROLES, &|role| {
            !incident.roles.contains_key(role) && incident.roles.get(role).is_none_or(|has| has != person)
        })),
        's' => Asked::Severity(Severity::ALL.iter().position(|s| *s == incident.severity).unwrap_or(0)),
        'd' => Asked::Decision,
        'm' => Asked::Milestone(milestone_place(next_milestone(incident))),
        'c' if !incident.entries.is_empty() => Asked::Choosing(0),
        'f' => Asked::FollowUp,
        _ => return None,
    })
}

fn milestone_place(milestone: Milestone) -> usize {
    Milestone::ALL.iter().position(|other| *other == milestone).unwrap_or(0)
}

/// Something is asked: keys choose or write, Enter takes it, Esc drops it.
fn asked(app: &mut App, id: &IncidentId, mut ask: Ask, key: KeyEvent, action: Option<Action>) -> Next {
    let rows = app.incidents.get(id).map_or(0, |incident| incident.entries.len());
    match (key.code, &mut ask.what) {
        (KeyCode::Esc, _) => return (Some(IncidentStage::sheet(id.clone())), Vec::new()),
        (KeyCode::Enter, Asked::Choosing(place)) => {
            let chosen = app.incidents.get(id).and_then(|incident| incident.entries.iter().rev().nth(*place));
            if let Some(entry) = chosen {
                ask.what = Asked::Correction(entry.id.clone());
            }
        }
        (KeyCode::Enter, _) => return enter(app, id, ask),
        (KeyCode::Left | KeyCode::Right, Asked::Role(place)) => {
            *place = turned(*place, ROLES.len(), key.code)
        }
        (KeyCode::Left | KeyCode::Right, Asked::Severity(place)) => {
            *place = turned(*place, Severity::ALL.len(), key.code);
        }
        (KeyCode::Up | KeyCode::Down, Asked::Milestone(place)) => {
            let way = if key.code == KeyCode::Up { KeyCode::Left } else { KeyCode::Right };
            *place = turned(*place, Milestone::ALL.len(), way);
        }
        (_, Asked::Choosing(place)) => {
            let last = rows.saturating_sub(1);
            *place = match action {
                Some(Action::Up) => place.saturating_sub(1),
                Some(Action::Down) => (*place + 1).min(last),
                Some(Action::PageUp) => place.saturating_sub(PAGE.into()),
                Some(Action::PageDown) => (*place + usize::from(PAGE)).min(last),
                Some(Action::First) => 0,
                Some(Action::Last) => last,
                _ => (*place).min(last),
            };
        }
        (code, what) if what.is_text() => insert(&mut ask.input, key, code, TEXT),
        _ => {}
    }
    (Some(IncidentStage::Sheet { id: id.clone(), ask: Some(ask) }), Vec::new())
}

/// What was asked is answered.
fn enter(app: &mut App, id: &IncidentId, ask: Ask) -> Next {
    let (now, words) = (app.present(), text::clean(ask.input.value(), TEXT));
    let person = app.operator.clone();
    let stay = |ask| (Some(IncidentStage::Sheet { id: id.clone(), ask: Some(ask) }), Vec::new());
    let optional = !ask.what.is_text() || matches!(ask.what, Asked::Milestone(_));
    if words.is_empty() && !optional {
        return (Some(IncidentStage::sheet(id.clone())), Vec::new());
    }
    let mut happened = None;
    let matter = match &ask.what {
        Asked::Note => Matter::Note { text: words },
        Asked::Update => Matter::Update { text: words },
        Asked::Hypothesis => Matter::Hypothesis { text: words },
        Asked::FollowUp => Matter::FollowUp { text: words, owner: String::new() },
        Asked::Role(place) => {
            let role = ROLES.get(*place).copied().unwrap_or_default().to_owned();
            Matter::Role { role, person }
        }
        Asked::Severity(place) => match Severity::ALL.get(*place) {
            Some(&severity) => Matter::Severity { severity },
            None => return stay(ask),
        },
        Asked::Decision => match typed::decision(&words, now) {
            Ok((due, text)) => Matter::NextDecision { due, text },
            Err(why) => {
                app.say(why, Level::Warning);
                return stay(ask);
            }
        },
        Asked::Milestone(place) => {
            let (at, words) = typed::clock(&words, now);
            happened = at;
            let milestone = Milestone::ALL.get(*place).copied().unwrap_or(Milestone::Resolved);
            let evidence = if words.is_empty() { format!("{person} says so") } else { words };
            Matter::Milestone { milestone, evidence }
        }
        Asked::Correction(of) => {
            let (happened, text) = typed::clock(&words, now);
            Matter::Correction { of: of.clone(), text, happened }
        }
        Asked::Choosing(_) => return stay(ask),
    };
    let entry = entry(app, id, happened, matter);
    said(app);
    let effects = write(app, vec![entry]);
    (Some(IncidentStage::sheet(id.clone())), effects)
}

/// Says it when what is written lives in this session only.
fn said(app: &mut App) {
    if let Some(why) = app.incidents.alone.clone() {
        app.say(format!("it lives only in this session: {why}"), Level::Warning);
    }
}
