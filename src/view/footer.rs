//! The last line: what can be pressed here and now, a word to the operator, or text being written.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_input::Input;

use super::frame::{put, put_right};
use super::look::{Look, Role};
use super::{past, text};
use crate::app::command::completions;
use crate::app::{ACTIONS, Action, App, Availability, Dialog, Filter};
use crate::domain::Level;
use crate::store::Store;

/// These keep their place on the key bar when there is no room for all.
const KEPT: [Action; 4] = [Action::Filter, Action::Command, Action::Help, Action::Quit];

/// Draws the line; returns where the cursor stands when text is written.
pub fn draw(
    buf: &mut Buffer,
    area: Rect,
    app: &App,
    store: &Store,
    look: &Look,
    shown: usize,
) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    match &app.dialog {
        Dialog::Filter(input) => return filter(buf, area, input, app, store, look, shown),
        Dialog::Command(input) => return command(buf, area, input, look),
        Dialog::Note(input) => {
            let about = app.selected.as_ref().map(|id| format!("note on {}", text::cut(&id.name, 20)));
            let about = match app.incidents.current(&app.operator) {
                Some(incident) => format!("note on {}: ", incident.id),
                None => format!("{}: ", about.unwrap_or_else(|| "note".into())),
            };
            return Some(write(buf, area, &about, input, "Enter writes it, Esc drops it", look));
        }
        _ => {}
    }
    match &app.message {
        Some(message) => {
            let (glyph, style) = look.level(message.level);
            let words = if message.level >= Level::Unknown {
                format!(" {glyph} {}", message.text)
            } else {
                format!(" {}", message.text)
            };
            let style = if message.level >= Level::Unknown { style } else { look.style(Role::Text) };
            put(buf, area, area.x, area.y, &words, style);
        }
        None => match super::act::keys(app).or_else(|| super::incident::keys(app)) {
            Some(words) => {
                put(buf, area, area.x + 1, area.y, words, look.style(Role::Dim));
            }
            None if app.is_past() => past::bar(buf, area, app, look),
            None => bar(buf, area, app, store, look),
        },
    }
    None
}

/// The key bar, from the table of actions.
fn bar(buf: &mut Buffer, area: Rect, app: &App, store: &Store, look: &Look) {
    let mut items = Vec::new();
    for row in ACTIONS.iter().filter(|row| !row.bar.is_empty()) {
        let key = app.keymap.key(row.action);
        if !key.is_empty() {
            let word = row.action.bar_word(app, store);
            let needed = text::width(&key) + 1 + word.len() + 2;
            items.push((row, key, needed, word));
        }
    }
    let kept: usize = items.iter().filter(|(row, ..)| KEPT.contains(&row.action)).map(|item| item.2).sum();
    let mut room = usize::from(area.width.saturating_sub(1)).saturating_sub(kept);
    let mut x = area.x + 1;
    let mut reason = None;
    for (row, key, needed, word) in items {
        if !KEPT.contains(&row.action) {
            if needed > room {
                continue;
            }
            room -= needed;
        }
        let (strong, weak) = match row.action.availability(app, store) {
            Availability::Yes => (Role::Key, Role::Dim),
            Availability::No(why) => {
                reason.get_or_insert(why);
                (Role::Faint, Role::Faint)
            }
        };
        x = put(buf, area, x, area.y, &key, look.style(strong));
        x = put(buf, area, x + 1, area.y, word, look.style(weak)).saturating_add(2);
    }
    if let Some(why) = reason {
        let words = format!("acts: {why} ");
        if usize::from(area.right().saturating_sub(x)) > text::width(&words) + 2 {
            put_right(buf, area, area.y, &words, look.style(Role::Faint));
        }
    }
}

fn filter(
    buf: &mut Buffer,
    area: Rect,
    input: &Input,
    app: &App,
    store: &Store,
    look: &Look,
    shown: usize,
) -> Option<Position> {
    let prompt = format!("{} ", app.keymap.key(Action::Filter));
    if let Err(why) = Filter::parse(input.value()) {
        let cursor = write(buf, area, &prompt, input, "", look);
        let x =
            area.x + 1 + u16::try_from(text::width(&prompt) + text::width(input.value()) + 3).unwrap_or(0);
        put(buf, area, x, area.y, &why, look.style(Role::Warning));
        return Some(cursor);
    }
    let hint = format!(
        "{shown} of {}   regex, !inverse, -f fuzzy   Enter keeps it, Esc drops it",
        store.models.len()
    );
    Some(write(buf, area, &prompt, input, &hint, look))
}

fn command(buf: &mut Buffer, area: Rect, input: &Input, look: &Look) -> Option<Position> {
    let written = input.value().trim();
    let found = completions(written);
    let hint = match (written.is_empty(), found.as_slice()) {
        (true, _) => "a command; Tab completes, Esc closes".to_owned(),
        (_, []) => "no such command; ? lists them".to_owned(),
        (_, [(name, words)]) => format!("{name}: {words}"),
        (_, many) => many.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("  "),
    };
    let known = written.contains(char::is_whitespace);
    Some(write(buf, area, ":", input, if known { "" } else { &hint }, look))
}

/// A prompt, what is written, and a hint after it; returns the cursor's place.
pub(super) fn write(
    buf: &mut Buffer,
    area: Rect,
    prompt: &str,
    input: &Input,
    hint: &str,
    look: &Look,
) -> Position {
    let start = put(buf, area, area.x + u16::from(area.width > 20), area.y, prompt, look.style(Role::Key));
    let room = usize::from(area.right().saturating_sub(start)).max(2);
    let scroll = input.visual_scroll(room - 1);
    // What scrolled out at the left is skipped by columns, wide characters whole.
    let mut skipped = 0;
    let visible: String = input
        .value()
        .chars()
        .skip_while(|c| {
            let skip = skipped < scroll;
            skipped += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
            skip
        })
        .collect();
    let end = put(buf, area, start, area.y, &visible, look.style(Role::Input));
    put(buf, area, end.saturating_add(3), area.y, hint, look.style(Role::Dim));
    let cursor = u16::try_from(input.visual_cursor().saturating_sub(scroll)).unwrap_or(0);
    Position { x: (start + cursor).min(area.right().saturating_sub(1)), y: area.y }
}
