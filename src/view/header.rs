//! The header: how the fleet stands, how old each source is, what time it is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::frame::{put, put_right};
use super::look::{Look, Role};
use super::text;
use crate::app::App;
use crate::domain::{AlertState, Level};
use crate::store::{GroupHealth, Store, Tally};

/// Seconds for which a firing alert is new.
const NEW_S: i64 = 300;

type Part = (String, Style);

/// Draws the two lines of the wide screen.
pub fn draw_wide(buf: &mut Buffer, area: Rect, app: &App, store: &Store, look: &Look) {
    let groups = store.groups(app.now);
    let moment =
        app.now.format(if area.width < 140 { "%H:%M:%SZ" } else { "%Y-%m-%d %H:%M:%SZ" }).to_string();
    let end = clock(buf, area, &moment, store, &groups, look);
    let first = Rect { x: area.x + 1, width: end.saturating_sub(area.x + 2), height: 1, ..area };
    let mut x = put(buf, first, first.x, first.y, "wardroom", look.style(Role::Strong));
    x = put(buf, first, x + 2, first.y, &store.environment, look.style(Role::Environment));
    fill(buf, first, x + 3, 3, &standing(store, app, look, false));

    let y = area.y + 1;
    let who = format!("read-only  {} ", app.operator);
    put_right(buf, area, y, &who, look.style(Role::Dim));
    let room = usize::from(area.width).saturating_sub(text::width(&who) + 3);
    let second = Rect { x: area.x + 1, y, width: u16::try_from(room).unwrap_or(0), height: 1 };
    let mut x = second.x;
    for group in &groups {
        if x > second.x {
            x += 3;
        }
        for (words, style) in source(group, look) {
            x = put(buf, second, x, y, &words, style);
        }
    }
}

/// Draws the one line of smaller screens.
pub fn draw_narrow(buf: &mut Buffer, area: Rect, app: &App, store: &Store, look: &Look) {
    let groups = store.groups(app.now);
    let mut room = Rect { height: 1, ..area };
    if area.width >= 40 {
        let end = clock(buf, area, &app.now.format("%H:%M:%SZ").to_string(), store, &groups, look);
        room = Rect { x: area.x + 1, width: end.saturating_sub(area.x + 2), ..room };
        let x = put(buf, room, room.x, room.y, "wardroom", look.style(Role::Strong));
        let x = put(buf, room, x + 1, room.y, &store.environment, look.style(Role::Environment));
        room = Rect { x: x + 2, width: room.right().saturating_sub(x + 2), ..room };
    }
    let mut parts = standing(store, app, look, true);
    let trouble = groups.iter().flat_map(|group| &group.trouble).next();
    if let Some((name, word, _)) = trouble {
        parts.push((format!("{name} {word}"), look.style(Role::Unknown)));
    }
    fill(buf, room, room.x, 2, &parts);
}

/// Writes parts after each other, as many as fit whole.
fn fill(buf: &mut Buffer, room: Rect, start: u16, space: u16, parts: &[Part]) {
    let mut x = start;
    for (words, style) in parts {
        let needed = u16::try_from(text::width(words)).unwrap_or(u16::MAX);
        if x > start && x.saturating_add(needed) > room.right() {
            continue;
        }
        x = put(buf, room, x, room.y, words, *style).saturating_add(space);
    }
}

/// Time and `LIVE` at the right; returns the column where they begin.
fn clock(
    buf: &mut Buffer,
    area: Rect,
    moment: &str,
    store: &Store,
    groups: &[GroupHealth],
    look: &Look,
) -> u16 {
    let (word, role) = if groups.iter().any(|group| group.live > 0) {
        ("LIVE", Role::Strong)
    } else if store.sources.iter().all(|source| source.asked.is_none()) {
        ("waiting for the first answers", Role::Dim)
    } else {
        ("NO SOURCE ANSWERS", Role::Error)
    };
    let words = format!("{word} ");
    put_right(buf, area, area.y, &words, look.style(role));
    let used = u16::try_from(text::width(&words) + 1).unwrap_or(0);
    let left = Rect { width: area.width.saturating_sub(used), ..area };
    put_right(buf, left, area.y, moment, look.style(Role::Text));
    left.right().saturating_sub(u16::try_from(moment.len()).unwrap_or(0))
}

/// How the fleet stands: what is abnormal in its colour, the rest dim.
fn standing(store: &Store, app: &App, look: &Look, short: bool) -> Vec<Part> {
    let Tally { critical, warning, unknown, ok, canaries, waiting, alerts } = store.tally();
    let mut parts = Vec::new();
    for (n, level) in [(critical, Level::Critical), (warning, Level::Warning), (unknown, Level::Unknown)] {
        if n > 0 {
            let (glyph, style) = look.level(level);
            let words = if short { format!("{glyph} {n}") } else { format!("{glyph} {n} {}", level.word()) };
            parts.push((words, style));
        }
    }
    parts.push((format!("{ok} ok"), look.style(Role::Dim)));
    let waits = format!("{waiting} waits for you");
    match (canaries, waiting) {
        (0, _) => {}
        (_, 0) if short => parts.push((plural(canaries, "canary", "canaries"), look.style(Role::Canary))),
        (_, 0) => parts.push((plural(canaries, "canary", "canaries"), look.style(Role::Canary))),
        _ if short => parts.push((waits, look.style(Role::Text))),
        _ => {
            parts.push((plural(canaries, "canary", "canaries"), look.style(Role::Canary)));
            parts.push((waits, look.style(Role::Strong)));
        }
    }
    if alerts > 0 {
        let since = app.now - chrono::TimeDelta::seconds(NEW_S);
        let firing = store.alerts.values().flatten().filter(|alert| alert.state == AlertState::Firing);
        let new = firing.filter(|alert| alert.since > since).count();
        parts.push((plural(alerts, "alert", "alerts"), look.style(Role::Text)));
        if new > 0 {
            parts.push((format!("{new} new"), look.style(Role::Warning)));
        }
    }
    parts
}

fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A source with its age; one in trouble with its word.
fn source(group: &GroupHealth, look: &Look) -> Vec<Part> {
    let dim = look.style(Role::Dim);
    let mut parts = Vec::new();
    let together = group.name == "endpoints";
    if together {
        parts.push((format!("endpoints {}/{}", group.live, group.total), dim));
    } else if group.trouble.is_empty() {
        let age = group.age_s.map_or_else(|| look.glyphs().none.to_owned(), text::age);
        parts.push((format!("{} {age}", group.name), dim));
    }
    for (name, word, age) in group.trouble.iter().take(3) {
        let age = age.map(|age| format!(" {}", text::age(age))).unwrap_or_default();
        let space = if parts.is_empty() { "" } else { " " };
        let words = format!("{space}{} {name} {word}{age}", look.glyphs().stale);
        parts.push((words, look.style(Role::Unknown)));
    }
    if group.trouble.len() > 3 {
        parts.push((format!(" and {} more", group.trouble.len() - 3), look.style(Role::Unknown)));
    }
    parts
}
