//! The line about the open incident under the header.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::words::{self, ago};
use crate::app::{Action, App};
use crate::view::frame::put;
use crate::view::look::{Look, Role};
use crate::view::text;

/// Between two parts.
const GAP: usize = 3;
/// The widest title and the widest of other words, columns.
const TITLE: usize = 44;
const WORDS: usize = 36;

/// The fewest columns in which words that can be cut still say something.
const LEAST: usize = 20;

/// A part of the bar: its words, their role, how soon it finds room, 0 first, and whether it may be cut.
struct Part {
    words: String,
    role: Role,
    turn: u8,
    cut: bool,
}

/// Draws it. Nothing without an open incident.
pub fn draw(buf: &mut Buffer, line: Rect, app: &App, look: &Look) {
    let Some(mut parts) = parts(app, usize::from(line.width)) else { return };
    let mut room = usize::from(line.width.saturating_sub(2)) + GAP;
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&place| parts[place].turn);
    // The most important finds room first; what has none is left out.
    for place in order {
        let part = &mut parts[place];
        let needed = text::width(&part.words) + GAP;
        if needed > room {
            let left = if part.cut && room >= LEAST + GAP { room - GAP } else { 0 };
            part.words = text::cut(&part.words, left);
        }
        if !part.words.is_empty() {
            room = room.saturating_sub(text::width(&part.words) + GAP);
        }
    }
    let mut x = line.x + 1;
    for part in parts.iter().filter(|part| !part.words.is_empty()) {
        x = put(buf, line, x, line.y, &part.words, look.style(part.role)).saturating_add(GAP as u16);
    }
}

fn parts(app: &App, columns: usize) -> Option<Vec<Part>> {
    let incident = app.incidents.current(&app.operator)?;
    let now = app.present();
    let mut parts = Vec::new();
    let mut add = |words: String, role: Role, turn: u8| {
        let cut = matches!(turn, 1 | 6 | 7);
        parts.push(Part { words, role, turn, cut });
    };
    add(incident.severity.word().into(), words::severity_role(incident.severity), 0);
    // On narrow screens the title leaves room for the clocks.
    add(text::cut(&incident.title, (columns / 3).min(TITLE)), Role::Strong, 1);
    let since = incident.started().map_or_else(|| "–".into(), |at| ago(at, now));
    add(format!("{since} since start"), Role::Text, 0);
    if !incident.people.contains(&app.operator) && !app.spectator {
        add(format!("{} joins", app.keymap.key(Action::Incident)), Role::Key, 2);
    }
    if app.incidents.alone.is_some() {
        add("kept in this session only".into(), Role::Warning, 2);
    }
    let (update, late) = words::update(incident, now);
    add(update, if late { Role::Warning } else { dim_unless(incident.updated.is_some()) }, 4);
    match incident.roles.get("commander") {
        Some(person) => add(format!("IC {}", text::cut(person, 24)), Role::Text, 5),
        None => add("no commander".into(), Role::Dim, 5),
    }
    match &incident.hypothesis {
        Some(words) => add(format!("hypothesis: {}", text::cut(words, WORDS)), Role::Text, 7),
        None => add("no hypothesis".into(), Role::Dim, 8),
    }
    match words::decision(incident, now) {
        Some((words, true)) => add(format!("overdue: {}", text::cut(&words, WORDS)), Role::Warning, 3),
        Some((words, false)) => add(text::cut(&words, WORDS), Role::Text, 6),
        None => add("no decision due".into(), Role::Dim, 9),
    }
    match words::flying(app, incident).len() {
        0 => {}
        1 => add("1 act in flight".into(), Role::Strong, 3),
        n => add(format!("{n} acts in flight"), Role::Strong, 3),
    }
    let others = app.incidents.open.len() - 1;
    if others > 0 {
        add(format!("{others} more open"), Role::Warning, 3);
    }
    Some(parts)
}

fn dim_unless(there: bool) -> Role {
    if there { Role::Text } else { Role::Dim }
}
