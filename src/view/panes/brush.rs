//! Writes into a pane by its own columns and rows: cut at the edge, never outside.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::view::look::{Look, Role};
use crate::view::text;

/// A pane's surface: 0, 0 is its top left.
pub struct Brush<'a> {
    buf: &'a mut Buffer,
    area: Rect,
    look: &'a Look,
}

impl<'a> Brush<'a> {
    /// A brush for what of `area` lies in the buffer.
    pub fn new(buf: &'a mut Buffer, area: Rect, look: &'a Look) -> Self {
        let area = area.intersection(buf.area);
        Self { buf, area, look }
    }

    /// Columns.
    pub fn columns(&self) -> usize {
        self.area.width.into()
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.area.height.into()
    }

    /// The same brush for a part of the surface.
    pub fn part(&mut self, x: usize, y: usize, columns: usize, rows: usize) -> Brush<'_> {
        let (left, top) = (x.min(self.columns()), y.min(self.rows()));
        let area = Rect {
            x: self.area.x + clip(left),
            y: self.area.y + clip(top),
            width: clip(columns.min(self.columns() - left)),
            height: clip(rows.min(self.rows() - top)),
        };
        Brush { buf: self.buf, area, look: self.look }
    }

    /// Writes one character of a picture.
    pub fn glyph(&mut self, x: usize, y: usize, c: char, style: Style) {
        if x < self.columns()
            && y < self.rows()
            && let Some(cell) = self.buf.cell_mut((self.area.x + clip(x), self.area.y + clip(y)))
        {
            cell.set_char(c).set_style(style);
        }
    }

    /// Writes text and returns the column after it; what does not fit before `end` is cut with a mark.
    pub fn put_until(&mut self, x: usize, y: usize, end: usize, words: &str, style: Style) -> usize {
        let end = end.min(self.columns());
        if y >= self.rows() || x >= end {
            return x;
        }
        let words = text::cut(words, end - x);
        let (column, row) = (self.area.x + clip(x), self.area.y + clip(y));
        let (after, _) = self.buf.set_stringn(column, row, words, end - x, style);
        usize::from(after.saturating_sub(self.area.x))
    }

    /// Writes text up to the right edge and returns the column after it.
    pub fn put(&mut self, x: usize, y: usize, words: &str, role: Role) -> usize {
        self.put_until(x, y, usize::MAX, words, self.look.style(role))
    }

    /// Writes text in at most `columns` columns.
    pub fn cell(&mut self, x: usize, y: usize, columns: usize, words: &str, role: Role) -> usize {
        self.put_until(x, y, x.saturating_add(columns), words, self.look.style(role))
    }

    /// Writes text that ends before column `end` and does not begin before `x`.
    pub fn right(&mut self, x: usize, y: usize, end: usize, words: &str, role: Role) {
        let start = end.saturating_sub(text::width(words)).max(x);
        self.put_until(start, y, end, words, self.look.style(role));
    }

    /// Writes several texts after each other and returns the column after the last.
    pub fn run(&mut self, x: usize, y: usize, parts: &[(&str, Role)]) -> usize {
        parts.iter().fold(x, |x, (words, role)| self.put(x, y, words, *role))
    }

    /// Writes one row; each text is cut a column before the next one begins.
    pub fn row(&mut self, y: usize, row: &Row) {
        for (place, bit) in row.iter().enumerate() {
            let gap = usize::from(!bit.tight);
            let end = row.get(place + 1).map_or(usize::MAX, |next| next.x.saturating_sub(gap));
            self.put_until(bit.x, y, end, &bit.words, bit.style);
        }
    }

    /// Writes rows from row `y` on, scrolled by `offset` but never past the last one; when not all fit,
    /// the last line says how many more there are.
    pub fn list(&mut self, y: usize, rows: &[Row], offset: usize) {
        self.list_of(y, rows.len(), offset, |place| rows.get(place).cloned().unwrap_or_default());
    }

    /// The same for `count` rows of which only those in view are made.
    pub fn list_of(&mut self, y: usize, count: usize, offset: usize, make: impl Fn(usize) -> Row) {
        let room = self.rows().saturating_sub(y);
        // One line is for the word on what is not shown, unless there is only one.
        let shown = if count <= room { count } else { (room - usize::from(room > 0)).max(room.min(1)) };
        let first = offset.min(count - shown);
        for line in 0..shown {
            self.row(y + line, &make(first + line));
        }
        let words = match (first, count - first - shown) {
            (0, below) => format!("… {below} more"),
            (above, 0) => format!("… {above} above"),
            (above, below) => format!("… {above} above, {below} more"),
        };
        if shown < count && room > 1 {
            self.put(0, y + shown, &words, Role::Dim);
        }
    }

    /// Writes text over several rows, broken between words, in at most `rows` rows; returns the rows used.
    pub fn paragraph(&mut self, y: usize, rows: usize, words: &str, role: Role) -> usize {
        let lines = wrap(words, self.columns());
        let used = lines.len().min(rows);
        for (line, words) in lines.iter().take(used).enumerate() {
            let cut = line + 1 == used && lines.len() > used;
            let words = if cut { format!("{words} …") } else { words.clone() };
            self.put(0, y + line, &words, role);
        }
        used
    }
}

/// A text of a row: where it begins, what it says, how it looks. It ends where the next one begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Bit {
    /// The column in which it begins.
    pub x: usize,
    /// What it says.
    pub words: String,
    /// How it looks.
    pub style: Style,
    /// Whether the next text may touch it, as cells of a heatmap do.
    pub tight: bool,
}

/// A row of texts, from left to right.
pub type Row = Vec<Bit>;

/// A row made bit by bit.
#[derive(Debug, Clone, Default)]
pub struct RowBuilder {
    bits: Row,
}

impl RowBuilder {
    /// A text that begins in a column.
    pub fn at(mut self, x: usize, words: impl Into<String>, style: Style) -> Self {
        self.bits.push(Bit { x, words: words.into(), style, tight: false });
        self
    }

    /// A text that begins in a column, and may touch what follows.
    pub fn close(mut self, x: usize, words: impl Into<String>, style: Style) -> Self {
        self.bits.push(Bit { x, words: words.into(), style, tight: true });
        self
    }

    /// Cells beside each other from a column on; neighbours of one style become one text.
    pub fn cells(mut self, x: usize, cells: impl Iterator<Item = (&'static str, Style)>) -> Self {
        for (place, (glyph, style)) in cells.enumerate() {
            match self.bits.last_mut() {
                Some(last) if place > 0 && last.tight && last.style == style => last.words.push_str(glyph),
                _ => self.bits.push(Bit { x: x + place, words: glyph.into(), style, tight: true }),
            }
        }
        self
    }

    /// A text that ends in the column before `end`, and takes at most `columns`.
    pub fn before(self, end: usize, columns: usize, words: &str, style: Style) -> Self {
        self.at(end.saturating_sub(columns), text::pad_left(words, columns), style)
    }

    /// The row.
    pub fn row(self) -> Row {
        self.bits
    }
}

/// An empty row to be filled.
pub fn row() -> RowBuilder {
    RowBuilder::default()
}

/// Screens are smaller than this type's largest number.
fn clip(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// Breaks text between words into lines of at most `columns` columns; a longer word has a line of its own.
pub fn wrap(words: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text::width(line) + 1 + text::width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_and_stay_inside() {
        assert_eq!(wrap("find the cause of it", 9), ["find the", "cause of", "it"]);
        let mut buf = Buffer::empty(Rect::new(0, 0, 6, 2));
        let look = Look::default();
        let mut brush = Brush::new(&mut buf, Rect::new(1, 1, 50, 50), &look);
        assert_eq!((brush.columns(), brush.rows()), (5, 1));
        assert_eq!(brush.put(1, 0, "too long", Role::Dim), 5);
        brush.put(3, 7, "outside", Role::Dim);
        brush.right(0, 0, 2, "wide", Role::Dim);
        let row: String = (0..6).map(|x| buf[(x, 1)].symbol()).collect();
        assert_eq!(row, " w…oo…");
    }
}
