//! The line about the open incident under the header.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::words::{self, ago};
use crate::app::acting::in_flight;
use crate::app::{Action, App};
use crate::view::frame::put;
use crate::view::look::{Look, Role};
use crate::view::text;

/// Between two parts.
const GAP: usize = 3;
/// The widest title and the widest of other words, columns.
const TITLE: usize = 44;
const WORDS: usize = 36;

/// A part of the bar: its words, their role, and how soon it has to go when there is no room: 0 stays.
struct Part {
    words: String,
    role: Role,
    goes: u8,
}

/// Draws it. Nothing without an open incident.
pub fn draw(buf: &mut Buffer, line: Rect, app: &App, look: &Look) {
    let Some(mut parts) = parts(app) else { return };
    let room = usize::from(line.width.saturating_sub(2));
    let width = |parts: &[Part]| parts.iter().map(|part| text::width(&part.words) + GAP).sum::<usize>();
    while width(&parts) > room + GAP {
        // The least important goes first; at last the title is cut by the edge.
        let Some((place, _)) =
            parts.iter().enumerate().filter(|(_, part)| part.goes > 0).max_by_key(|(_, part)| part.goes)
        else {
            break;
        };
        parts.remove(place);
    }
    if width(&parts) > room + GAP
        && let Some(over) = width(&parts).checked_sub(room + GAP)
        && let Some(title) = parts.get_mut(1)
    {
        title.words = text::cut(&title.words, text::width(&title.words).saturating_sub(over).max(8));
    }
    let mut x = line.x + 1;
    for part in &parts {
        x = put(buf, line, x, line.y, &part.words, look.style(part.role)).saturating_add(GAP as u16);
    }
}

fn parts(app: &App) -> Option<Vec<Part>> {
    let incident = app.incidents.current(&app.operator)?;
    let now = app.now;
    let mut parts = Vec::new();
    let mut add = |words: String, role: Role, goes: u8| parts.push(Part { words, role, goes });
    add(incident.severity.word().into(), words::severity_role(incident.severity), 0);
    add(text::cut(&incident.title, TITLE), Role::Strong, 0);
    let since = incident.started().map_or_else(|| "–".into(), |at| ago(at, now));
    add(format!("{since} since start"), Role::Text, 0);
    if !incident.people.contains(&app.operator) && !app.spectator {
        add(format!("{} joins", app.keymap.key(Action::Incident)), Role::Key, 1);
    }
    if app.incidents.alone.is_some() {
        add("kept in this session only".into(), Role::Warning, 1);
    }
    let (update, late) = words::update(incident, now);
    add(update, if late { Role::Warning } else { dim_unless(incident.updated.is_some()) }, 3);
    match incident.roles.get("commander") {
        Some(person) => add(format!("IC {}", text::cut(person, 24)), Role::Text, 4),
        None => add("no commander".into(), Role::Dim, 4),
    }
    match &incident.hypothesis {
        Some(words) => add(format!("hypothesis: {}", text::cut(words, WORDS)), Role::Text, 6),
        None => add("no hypothesis".into(), Role::Dim, 7),
    }
    match words::decision(incident, now) {
        Some((words, true)) => add(format!("overdue: {}", text::cut(&words, WORDS)), Role::Warning, 2),
        Some((words, false)) => add(text::cut(&words, WORDS), Role::Text, 2),
        None => add("no decision due".into(), Role::Dim, 8),
    }
    let flying = in_flight(app).filter(|act| incident.is_about(&act.plan.model.name)).count();
    match flying {
        0 => {}
        1 => add("1 act in flight".into(), Role::Strong, 2),
        n => add(format!("{n} acts in flight"), Role::Strong, 2),
    }
    let others = app.incidents.open.len() - 1;
    if others > 0 {
        add(format!("{others} more open"), Role::Warning, 2);
    }
    Some(parts)
}

fn dim_unless(there: bool) -> Role {
    if there { Role::Text } else { Role::Dim }
}
