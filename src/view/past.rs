//! What says that the past is shown: how long ago it is, what is being read, how to step and to return.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame::{put, put_right};
use super::look::{Look, Role};
use super::text;
use crate::app::{Action, App};
use crate::domain::Time;

/// Columns from which the whole date stands in the header.
const DATED: u16 = 140;
/// Columns below which the header of the past has no room for its time of day.
const TIMED: u16 = 34;

/// How long ago: `−45 s`, `−12 min`, `−1 h 05 min`, `−3 d 04 h`.
pub fn ago(then: Time, now: Time) -> String {
    match (now - then).num_seconds().max(0) {
        s if s < 120 => format!("−{s} s"),
        s if s < 3_600 => format!("−{} min", s / 60),
        s if s < 172_800 => format!("−{} h {:02} min", s / 3_600, s / 60 % 60),
        s => format!("−{} d {:02} h", s / 86_400, s / 3_600 % 24),
    }
}

/// The badge that stands where `LIVE` stands.
pub fn word(app: &App) -> String {
    format!(" {} ", ago(app.now, app.clock()))
}

/// The moment that is shown. One of another day has its date on every screen.
pub fn moment(app: &App, columns: u16) -> String {
    let other_day = app.now.date_naive() != app.clock().date_naive();
    let form = match (columns >= DATED, other_day) {
        (true, _) => "%Y-%m-%d %H:%M:%SZ",
        (false, true) if columns >= TIMED => "%d %b %H:%M:%SZ",
        (false, _) if columns >= TIMED => "%H:%M:%SZ",
        _ => return String::new(),
    };
    app.now.format(form).to_string()
}

/// Which moment is being read; empty when none is.
pub fn reading(app: &App, columns: u16) -> String {
    match app.time.reading() {
        Some(asked) if columns >= 60 => format!("reading {}", ago(asked, app.clock())),
        _ => String::new(),
    }
}

/// An arrow for an arrow key, so that the bar is short.
fn short(key: &str) -> String {
    key.replace("Left", "←").replace("Right", "→")
}

/// The key bar of the past, and what there is to know about the moment.
pub fn bar(buf: &mut Buffer, area: Rect, app: &App, look: &Look) {
    let key = |action| short(&app.keymap.key(action));
    let items = [
        (format!("{} {}", key(Action::Earlier), key(Action::Later)), "step"),
        (key(Action::Live), "live"),
        (format!("{} {}", key(Action::MuchEarlier), key(Action::MuchLater)), "5 min"),
        (key(Action::Help), "help"),
        (key(Action::Quit), "quit"),
    ];
    let note = app.time.past.as_ref().map_or("", |past| past.note.as_str());
    let wanted = if note.is_empty() { 0 } else { text::width(note).min(usize::from(area.width) / 2) + 2 };
    let edge = usize::from(area.right()).saturating_sub(wanted);
    let mut x = area.x + u16::from(area.width > 20);
    for (place, (key, word)) in items.iter().enumerate() {
        let needed = text::width(key) + 1 + text::width(word);
        // How to step and how to return come before everything else.
        if place > 1 && usize::from(x) + needed > edge {
            continue;
        }
        x = put(buf, area, x, area.y, key, look.style(Role::Key));
        x = put(buf, area, x + 1, area.y, word, look.style(Role::Dim)).saturating_add(2);
    }
    if !note.is_empty() && x < area.right() {
        let room = Rect { x, width: area.right() - x, ..area };
        put_right(
            buf,
            room,
            area.y,
            &format!("{} ", text::cut(note, usize::from(room.width) - 1)),
            look.style(Role::Warning),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_the_unit_that_fits() {
        let now = Time::from_timestamp(1_800_000_000, 0).unwrap();
        let words = |s: i64| ago(now - chrono::TimeDelta::seconds(s), now);
        let all = [-5, 15, 119, 120, 725, 3_900, 93_600, 273_600].map(words);
        let wanted =
            ["−0 s", "−15 s", "−119 s", "−2 min", "−12 min", "−1 h 05 min", "−26 h 00 min", "−3 d 04 h"];
        assert_eq!(all, wanted);
    }
}
