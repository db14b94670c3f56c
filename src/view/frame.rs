//! Frames of panes, and writing into a buffer without ever leaving it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::look::{Look, Role};
use super::text;

/// Writes text at a place inside `area`, cut at its right edge with `…`; returns the column after it.
pub fn put(buf: &mut Buffer, area: Rect, x: u16, y: u16, words: &str, style: Style) -> u16 {
    let area = area.intersection(buf.area);
    if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
        return x;
    }
    let room = usize::from(area.right() - x);
    // A buffer adds styles up: without the reset a word on a line would take the line's colour.
    let style = Style::reset().patch(style);
    buf.set_stringn(x, y, text::cut(words, room), room, style).0
}

/// Writes several texts after each other; returns the column after the last.
pub fn put_all(buf: &mut Buffer, area: Rect, x: u16, y: u16, parts: &[(&str, Style)]) -> u16 {
    parts.iter().fold(x, |x, (words, style)| put(buf, area, x, y, words, *style))
}

/// Writes text so that it ends at the right edge of `area`.
pub fn put_right(buf: &mut Buffer, area: Rect, y: u16, words: &str, style: Style) {
    let columns = u16::try_from(text::width(words)).unwrap_or(u16::MAX).min(area.width);
    put(buf, area, area.right().saturating_sub(columns), y, words, style);
}

/// Draws `╭─ 1 Latency alzheimer · 15 min ───╮` around `area` and returns what is inside. An area too small
/// for a frame gets none and is returned whole.
pub fn titled(
    buf: &mut Buffer,
    area: Rect,
    look: &Look,
    key: Option<char>,
    title: &str,
    rest: &str,
    focused: bool,
) -> Rect {
    let area = area.intersection(buf.area);
    if area.width < 8 || area.height < 3 {
        return area;
    }
    let glyphs = look.glyphs();
    let style = look.style(if focused { Role::Focused } else { Role::Faint });
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    for x in area.left() + 1..right {
        buf.set_string(x, area.top(), glyphs.hline, style);
        buf.set_string(x, bottom, glyphs.hline, style);
    }
    for y in area.top() + 1..bottom {
        buf.set_string(area.left(), y, glyphs.vline, style);
        buf.set_string(right, y, glyphs.vline, style);
    }
    let corners = [(area.left(), area.top()), (right, area.top()), (area.left(), bottom), (right, bottom)];
    for ((x, y), corner) in corners.into_iter().zip(glyphs.corners) {
        buf.set_string(x, y, corner, style);
    }
    let words = Rect { x: area.x + 2, width: area.width - 4, height: 1, ..area };
    let key = key.map(|key| format!(" {key}")).unwrap_or_default();
    let x = put(buf, words, words.x, words.y, &key, look.style(Role::Dim));
    let x = put(buf, words, x, words.y, &format!(" {title} "), look.style(Role::Title));
    if !rest.is_empty() && x < words.right() {
        // The blank after the rest is part of it, so that the cut text does not touch the line.
        let room = usize::from(words.right() - x).saturating_sub(1);
        let rest = format!("{} ", text::cut(rest, room));
        put(buf, words, x, words.y, &rest, look.style(Role::Dim));
    }
    Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_fits_and_leaves_its_inside() {
        let area = Rect::new(0, 0, 24, 3);
        let mut buf = Buffer::empty(area);
        let inner =
            titled(&mut buf, area, &Look::default(), Some('1'), "Latency", "alzheimer · 15 min", true);
        assert_eq!(inner, Rect::new(1, 1, 22, 1));
        let top: String = (0..24).map(|x| buf[(x, 0)].symbol()).collect();
        assert_eq!(top, "╭─ 1 Latency alzheim… ─╮");
        assert_eq!(titled(&mut buf, Rect::new(0, 0, 5, 2), &Look::default(), None, "x", "", false).width, 5);
    }
}
