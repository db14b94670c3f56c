//! A page of text that fills the screen and scrolls: the help and the description.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::frame::{put, titled};
use super::look::Look;
use super::text;

/// Words in one style, after each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row(pub Vec<(String, Style)>);

impl Row {
    /// A row of one text.
    pub fn of(words: impl Into<String>, style: Style) -> Self {
        Self(vec![(words.into(), style)])
    }

    /// The row with more words.
    pub fn with(mut self, words: impl Into<String>, style: Style) -> Self {
        self.0.push((words.into(), style));
        self
    }

    /// Columns that it takes.
    pub fn width(&self) -> usize {
        self.0.iter().map(|(words, _)| text::width(words)).sum()
    }

    /// Draws it from the left edge of `area`, cut at its right.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, y: u16) {
        self.0.iter().fold(area.x, |x, (words, style)| put(buf, area, x, y, words, *style));
    }
}

/// Draws rows in a frame, scrolled by `offset` lines but never beyond their end. With two columns the
/// second list stands at the right; the longer one decides how far it scrolls.
pub fn draw(buf: &mut Buffer, area: Rect, look: &Look, title: &str, columns: &[Vec<Row>], offset: u16) {
    let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let framed = area.width >= 30 && area.height >= 6;
    let lines = usize::from(if framed { area.height - 2 } else { area.height });
    let offset = usize::from(offset).min(longest.saturating_sub(lines));
    let rest = if longest > lines {
        format!("lines {}–{} of {longest} · Esc closes", offset + 1, (offset + lines).min(longest))
    } else {
        "Esc closes".to_owned()
    };
    let inner = if framed {
        let inner = titled(buf, area, look, None, title, &rest, true);
        Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
    } else {
        area
    };
    let each = inner.width / u16::try_from(columns.len().max(1)).unwrap_or(1);
    for (place, rows) in columns.iter().enumerate() {
        let x = inner.x + each * u16::try_from(place).unwrap_or(0);
        let last = place + 1 == columns.len();
        let width = if last { inner.right().saturating_sub(x) } else { each.saturating_sub(2) };
        let column = Rect { x, width, ..inner };
        for (y, row) in (inner.top()..inner.bottom()).zip(rows.iter().skip(offset)) {
            row.draw(buf, column, y);
        }
    }
}
