//! The header: how the fleet stands, how old each source is, what time it is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::frame::{put, put_right};
use super::look::{Look, Role};
use super::{past, text};
use crate::app::App;
use crate::domain::{AlertState, Level};
use crate::store::{GroupHealth, Store, Tally};

/// Seconds for which a firing alert is new.
const NEW_S: i64 = 300;

type Part = (String, Style);

/// Draws the two lines of the wide screen.
pub fn draw_wide(buf: &mut Buffer, area: Rect, app: &App, store: &Store, look: &Look) {
    let groups = store.groups(app.now);
    let end = clock(buf, area, app, store, &groups, look);
    let first = Rect { x: area.x + 1, width: end.saturating_sub(area.x + 2), height: 1, ..area };
    let mut x = put(buf, first, first.x, first.y, "wardroom", look.style(Role::Strong));
    x = put(buf, first, x + 2, first.y, &store.environment, look.style(Role::Environment));
    fill(buf, first, x + 3, 3, &standing(store, app, look, false));

    let second = Rect { y: area.y + 1, height: 1, ..area };
    let (mode, role) = mode(app);
    let who = format!("{mode}  {} ", app.operator);
    put_right(buf, second, second.y, &who, look.style(Role::Dim));
    if role != Role::Dim {
        let x = second.right().saturating_sub(u16::try_from(text::width(&who)).unwrap_or(0));
        put(buf, second, x, second.y, mode, look.style(role));
    }
    let room = usize::from(area.width).saturating_sub(text::width(&who) + 3);
    sources(buf, Rect { x: area.x + 1, width: u16::try_from(room).unwrap_or(0), ..second }, &groups, look);
}

/// What may be done from here.
fn mode(app: &App) -> (&'static str, Role) {
    if app.is_past() {
        return ("the past: read-only", Role::Strong);
    }
    match (app.read_only, &app.acting.trouble) {
        _ if app.spectator => ("spectator", Role::Strong),
        (true, _) => ("read-only", Role::Strong),
        (false, Some(_)) => ("acting refused", Role::Warning),
        (false, None) => ("read-write", Role::Dim),
    }
}

/// The sources in their order; when there is no room for all, those that are well go first.
fn sources(buf: &mut Buffer, room: Rect, groups: &[GroupHealth], look: &Look) {
    let mut parts: Vec<(bool, Vec<Part>)> =
        groups.iter().map(|group| (group.trouble.is_empty(), source(group, look))).collect();
    let width = |parts: &[(bool, Vec<Part>)]| -> usize {
        parts.iter().flat_map(|(_, words)| words).map(|(words, _)| text::width(words)).sum::<usize>()
            + 3 * parts.len()
    };
    let mut hidden = 0;
    // What is hidden is counted at the end, which takes its own place.
    while width(&parts) + if hidden > 0 { 8 } else { 0 } > usize::from(room.width) + 3 {
        let Some(well) = parts.iter().rposition(|(well, _)| *well) else { break };
        parts.remove(well);
        hidden += 1;
    }
    let mut x = room.x;
    for (_, words) in &parts {
        for (words, style) in words {
            x = put(buf, room, x, room.y, words, *style);
        }
        x = x.saturating_add(3);
    }
    if hidden > 0 {
        put(buf, room, x, room.y, &format!("+{hidden} live"), look.style(Role::Dim));
    }
}

/// Draws the one line of smaller screens.
pub fn draw_narrow(buf: &mut Buffer, area: Rect, app: &App, store: &Store, look: &Look) {
    let groups = store.groups(app.now);
    let mut room = Rect { height: 1, ..area };
    if area.width >= 34 || app.is_past() {
        let end = clock(buf, area, app, store, &groups, look);
        room = Rect { x: area.x + 1, width: end.saturating_sub(area.x + 2), ..room };
    }
    if area.width >= 60 {
        let x = put(buf, room, room.x, room.y, "wardroom", look.style(Role::Strong));
        let x = put(buf, room, x + 1, room.y, &store.environment, look.style(Role::Environment));
        room = Rect { x: x + 2, width: room.right().saturating_sub(x + 2), ..room };
    }
    let mut parts = standing(store, app, look, true);
    let trouble = groups.iter().flat_map(|group| &group.trouble).next();
    if let Some((name, word, _)) = trouble {
        parts.push(vec![(format!("{name} {word}"), look.style(Role::Unknown))]);
    }
    fill(buf, room, room.x, 2, &parts);
}

/// Writes groups of parts after each other, as many as fit whole.
fn fill(buf: &mut Buffer, room: Rect, start: u16, space: u16, groups: &[Vec<Part>]) {
    let mut x = start;
    for parts in groups {
        let needed: usize = parts.iter().map(|(words, _)| text::width(words)).sum();
        if x > start && usize::from(x) + needed > usize::from(room.right()) {
            continue;
        }
        for (words, style) in parts {
            x = put(buf, room, x, room.y, words, *style);
        }
        x = x.saturating_add(space);
    }
}

/// Time and `LIVE` at the right, in the past how long ago it is; returns the column where they begin.
fn clock(buf: &mut Buffer, area: Rect, app: &App, store: &Store, groups: &[GroupHealth], look: &Look) -> u16 {
    let moment = past::moment(app, area.width);
    let reading = past::reading(app, area.width);
    let (word, role) = if let Some(mark) = &app.mark {
        (mark.clone(), Role::Environment)
    } else if app.is_past() {
        (past::word(app), Role::Badge)
    } else if groups.iter().any(|group| group.live > 0) {
        ("LIVE ".to_owned(), Role::Strong)
    } else if store.sources.iter().all(|source| source.asked.is_none()) {
        ("waiting for the first answers ".to_owned(), Role::Dim)
    } else {
        ("NO SOURCE ANSWERS ".to_owned(), Role::Error)
    };
    // The badge has a blank of its own at each side.
    let mut left = Rect { width: area.width.saturating_sub(u16::from(app.is_past())), ..area };
    for (words, role) in [(word, role), (moment, Role::Text), (reading, Role::Dim)] {
        if !words.is_empty() {
            put_right(buf, left, area.y, &words, look.style(role));
            let used = u16::try_from(text::width(&words) + 1).unwrap_or(0);
            left.width = left.width.saturating_sub(used);
        }
    }
    (left.right() + 1).min(area.right())
}

/// How the fleet stands: what is abnormal in its colour, the rest dim.
fn standing(store: &Store, app: &App, look: &Look, short: bool) -> Vec<Vec<Part>> {
    let Tally { critical, warning, unknown, ok, not_measured, canaries, waiting, alerts } = store.tally();
    let dim = look.style(Role::Dim);
    if store.sources.iter().all(|source| source.asked.is_none()) {
        return vec![vec![(plural(store.models.len(), "model", "models"), dim)]];
    }
    let mut groups = Vec::new();
    if let Some(words) = super::act::words::in_flight(app, short) {
        groups.push(vec![(words, look.style(Role::Strong))]);
    }
    for (n, level) in [(critical, Level::Critical), (warning, Level::Warning), (unknown, Level::Unknown)] {
        if n > 0 {
            let (glyph, style) = look.level(level);
            let words = if short { format!("{glyph} {n}") } else { format!("{glyph} {n} {}", level.word()) };
            groups.push(vec![(words, style)]);
        }
    }
    groups.push(vec![(format!("{ok} ok"), dim)]);
    if not_measured > 0 {
        let word = if short { "?" } else { "not measured" };
        groups.push(vec![(format!("{not_measured} {word}"), dim)]);
    }
    let mut canary = Vec::new();
    if canaries > 0 && (!short || waiting == 0) {
        canary.push((plural(canaries, "canary", "canaries"), look.style(Role::Canary)));
    }
    if waiting > 0 {
        let dot = if canary.is_empty() { String::new() } else { format!(" {} ", look.glyphs().dot) };
        let waits = plural(waiting, "waits for you", "wait for you");
        canary.push((format!("{dot}{waits}"), look.style(Role::Text)));
    }
    groups.push(canary);
    if alerts > 0 {
        let since = app.now - chrono::TimeDelta::seconds(NEW_S);
        let firing = store.alerts.values().flatten().filter(|alert| alert.state == AlertState::Firing);
        let new = firing.filter(|alert| alert.since > since).count();
        let mut group = vec![(plural(alerts, "alert", "alerts"), look.style(Role::Text))];
        if new > 0 {
            group.push((format!(" {new} new"), look.style(Role::Warning)));
        }
        groups.push(group);
    }
    let left = app.acting.unfinished.len();
    if left > 0 {
        let key = app.keymap.key(crate::app::Action::Acts);
        groups.push(vec![(format!("{left} unfinished ({key})"), look.style(Role::Warning))]);
    }
    if short && mode(app).1 != Role::Dim && !app.is_past() {
        groups.insert(0, vec![(mode(app).0.to_owned(), look.style(mode(app).1))]);
    }
    groups.retain(|group| !group.is_empty());
    groups
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
