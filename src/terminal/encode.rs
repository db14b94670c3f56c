//! Turns the difference of two frames into the fewest bytes.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use unicode_width::UnicodeWidthStr;

use super::sgr::Pen;

/// Blanks at the end of a row that are worth a sequence that clears to its end.
const WORTH_CLEARING: usize = 4;
/// Unchanged cells that are rather written again than jumped over.
const WORTH_REWRITING: usize = 3;

/// One column of a row as the terminal holds it.
#[derive(Clone, Copy, PartialEq)]
struct Slot<'a> {
    /// The character; empty for the second half of a wide one.
    symbol: &'a str,
    pen: Pen,
}

const BLANK: Slot<'static> = Slot { symbol: " ", pen: Pen::PLAIN };

/// The state of the terminal while bytes are made: where its cursor is, and its pen.
struct Writer {
    out: Vec<u8>,
    at: Option<(usize, usize)>,
    pen: Pen,
    columns: usize,
}

/// The bytes that turn `shown` into `target`; nothing when they are equal. Without `shown` the screen is
/// cleared first. The cursor stands hidden unless `cursor` places it; `was_cursor` is where it stood.
pub fn encode(
    shown: Option<&Buffer>,
    target: &Buffer,
    was_cursor: Option<Position>,
    cursor: Option<Position>,
) -> Vec<u8> {
    let columns = usize::from(target.area.width);
    let mut writer = Writer { out: Vec::new(), at: None, pen: Pen::PLAIN, columns };
    let shown = shown.filter(|buffer| buffer.area == target.area);
    if shown.is_none() {
        writer.out.extend_from_slice(b"\x1b[m\x1b[2J\x1b[H");
        writer.at = Some((0, 0));
    }
    for y in 0..usize::from(target.area.height) {
        let before = shown.map(|buffer| row(buffer, y));
        writer.row(y, before.as_deref(), &row(target, y));
    }
    if writer.pen != Pen::PLAIN {
        writer.set_pen(Pen::PLAIN);
    }
    let moved = !writer.out.is_empty();
    match cursor {
        Some(position) if moved || was_cursor != cursor => {
            writer.go(position.x.into(), position.y.into());
            if was_cursor.is_none() {
                writer.out.extend_from_slice(b"\x1b[?25h");
            }
        }
        None if was_cursor.is_some() => writer.out.extend_from_slice(b"\x1b[?25l"),
        _ => {}
    }
    writer.out
}

/// A row as slots. A wide character takes two; what ratatui keeps in the second cell does not show.
fn row(buffer: &Buffer, y: usize) -> Vec<Slot<'_>> {
    let columns = usize::from(buffer.area.width);
    let mut slots: Vec<Slot<'_>> = Vec::with_capacity(columns);
    let cells = buffer.content.get(y * columns..(y + 1) * columns).unwrap_or_default();
    let mut x = 0;
    while x < columns {
        let Some(cell) = cells.get(x) else { break };
        let symbol = if cell.symbol().is_empty() { " " } else { cell.symbol() };
        let pen = Pen::of(cell);
        let width = symbol.width().max(1);
        // A wide character that would stick out of the row is not written.
        if x + width > columns {
            slots.push(Slot { symbol: " ", pen });
            x += 1;
            continue;
        }
        slots.push(Slot { symbol, pen });
        slots.extend((1..width).map(|_| Slot { symbol: "", pen }));
        x += width;
    }
    slots
}

impl Writer {
    fn row(&mut self, y: usize, before: Option<&[Slot<'_>]>, target: &[Slot<'_>]) {
        let same = |x: usize| before.map_or(BLANK, |row| row.get(x).copied().unwrap_or(BLANK)) == target[x];
        let tail = target.iter().rposition(|slot| *slot != BLANK).map_or(0, |last| last + 1);
        let mut x = 0;
        while x < target.len() {
            if same(x) {
                x += 1;
                continue;
            }
            if x >= tail && (x..target.len()).filter(|&x| !same(x)).count() >= WORTH_CLEARING {
                self.go(x, y);
                self.set_pen(Pen::PLAIN);
                self.out.extend_from_slice(b"\x1b[K");
                return;
            }
            // The second half of a wide character is drawn by its first.
            let mut start = x;
            while start > 0 && target[start].symbol.is_empty() {
                start -= 1;
            }
            let gap_from = self.cheap_gap(start, y, target);
            for slot in &target[gap_from..start] {
                self.put(slot);
            }
            self.go(start, y);
            self.put(&target[start]);
            x = start + 1;
            while x < target.len() && target[x].symbol.is_empty() {
                x += 1;
            }
        }
    }

    /// Where to begin so that a few unchanged cells are written instead of a jump; `to` when a jump is better.
    fn cheap_gap(&self, to: usize, y: usize, target: &[Slot<'_>]) -> usize {
        let Some((x, row)) = self.at else { return to };
        if row != y || x >= to || to - x > WORTH_REWRITING {
            return to;
        }
        let cheap = |slot: &Slot<'_>| slot.pen == self.pen && slot.symbol.len() == 1;
        if target[x..to].iter().all(cheap) { x } else { to }
    }

    fn set_pen(&mut self, pen: Pen) {
        self.pen.turn_into(pen, &mut self.out);
        self.pen = pen;
    }

    fn put(&mut self, slot: &Slot<'_>) {
        self.set_pen(slot.pen);
        self.out.extend_from_slice(slot.symbol.as_bytes());
        let width = slot.symbol.width().max(1);
        // After the last column terminals differ in where the cursor is. A character that is more than
        // one code point is drawn in different widths by different terminals.
        let certain = slot.symbol.chars().count() == 1;
        self.at = self.at.map(|(x, y)| (x + width, y)).filter(|&(x, _)| certain && x < self.columns);
    }

    /// Moves the cursor the shortest way.
    fn go(&mut self, x: usize, y: usize) {
        if self.at == Some((x, y)) {
            return;
        }
        let mut best = if x == 0 { format!("\x1b[{}H", y + 1) } else { format!("\x1b[{};{}H", y + 1, x + 1) };
        if (x, y) == (0, 0) {
            best = "\x1b[H".into();
        }
        let mut consider = |candidate: String| {
            if candidate.len() < best.len() {
                best = candidate;
            }
        };
        let by = |n: usize, letter: char| match n {
            0 => String::new(),
            1 => format!("\x1b[{letter}"),
            n => format!("\x1b[{n}{letter}"),
        };
        if let Some((from, row)) = self.at {
            if row == y && x > from {
                consider(by(x - from, 'C'));
            }
            if row == y && x < from {
                consider(by(from - x, 'D'));
                consider(format!("\r{}", by(x, 'C')));
            }
            if y > row && y - row <= 2 {
                consider(format!("\r{}{}", "\n".repeat(y - row), by(x, 'C')));
            }
        }
        self.out.extend_from_slice(best.as_bytes());
        self.at = Some((x, y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::{Color, Modifier, Style};

    const COLUMNS: u16 = 24;
    const ROWS: u16 = 5;

    fn buffer(writes: &[(u16, u16, &str, Style)]) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS));
        for &(x, y, text, style) in writes {
            buffer.set_string(x % COLUMNS, y % ROWS, text, style);
        }
        buffer
    }

    /// What a terminal shows after these bytes, cell by cell.
    fn screen(parser: &vt100::Parser) -> Vec<(String, vt100::Color, vt100::Color, bool, bool)> {
        let cell = |y, x| {
            let cell = parser.screen().cell(y, x).unwrap();
            let blank = cell.contents().trim().is_empty() && !cell.is_wide_continuation();
            let text = if blank { " ".to_owned() } else { cell.contents().to_owned() };
            let fg = if blank && !cell.inverse() { vt100::Color::Default } else { cell.fgcolor() };
            (text, fg, cell.bgcolor(), cell.bold() && !blank, cell.inverse())
        };
        (0..ROWS).flat_map(|y| (0..COLUMNS).map(move |x| cell(y, x))).collect()
    }

    fn emulate(bytes: &[&[u8]]) -> Vec<(String, vt100::Color, vt100::Color, bool, bool)> {
        let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
        bytes.iter().for_each(|bytes| parser.process(bytes));
        screen(&parser)
    }

    #[test]
    fn an_unchanged_frame_writes_nothing() {
        let frame = buffer(&[(3, 1, "p95 612", Style::new().fg(Color::Red))]);
        assert!(encode(Some(&frame), &frame, None, None).is_empty());
    }

    #[test]
    fn small_changes_cost_little() {
        let old = buffer(&[(3, 1, "p95 612 ms", Style::new())]);
        let new = buffer(&[(3, 1, "p95 613 ms", Style::new())]);
        assert!(encode(Some(&old), &new, None, None).len() <= 8);
        let mark = |y| buffer(&[(0, y, ">", Style::new()), (2, 1, "als", Style::new())]);
        assert!(encode(Some(&mark(1)), &mark(2), None, None).len() <= 12);
    }

    #[test]
    fn the_cursor_is_shown_moved_and_hidden() {
        let frame = buffer(&[]);
        let at = Some(Position::new(4, 2));
        assert_eq!(encode(Some(&frame), &frame, None, at), b"\x1b[3;5H\x1b[?25h");
        assert!(encode(Some(&frame), &frame, at, at).is_empty());
        assert_eq!(encode(Some(&frame), &frame, at, None), b"\x1b[?25l");
    }

    #[test]
    fn bold_and_dim_are_one_intensity_whatever_was_shown_before() {
        let both = Style::new().add_modifier(Modifier::BOLD | Modifier::DIM);
        let new = buffer(&[(3, 0, "ab", Style::new().add_modifier(Modifier::DIM)), (5, 0, "c", both)]);
        let old = buffer(&[(3, 0, "━━━", Style::new())]);
        let first = encode(None, &old, None, None);
        let second = encode(Some(&old), &new, None, None);
        let shown = emulate(&[&first, &second]);
        assert_eq!(shown, emulate(&[&encode(None, &new, None, None)]));
        assert!(shown[5].3, "what is both is bold");
    }

    fn style() -> impl Strategy<Value = Style> {
        let colour = prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::LightBlue),
            Just(Color::Indexed(200)),
            Just(Color::Rgb(1, 2, 3))
        ];
        let modifier = prop_oneof![
            Just(Modifier::empty()),
            Just(Modifier::BOLD),
            Just(Modifier::DIM),
            Just(Modifier::REVERSED),
            Just(Modifier::BOLD | Modifier::UNDERLINED)
        ];
        (colour.clone(), colour, modifier).prop_map(|(fg, bg, m)| Style::new().fg(fg).bg(bg).add_modifier(m))
    }

    fn writes() -> impl Strategy<Value = Vec<(u16, u16, String, Style)>> {
        let text = prop_oneof!["[a-z ]{1,12}", "[心电图a ]{1,6}", "[■▲━ ]{1,8}", " {1,24}"];
        prop::collection::vec((0..COLUMNS, 0..ROWS, text, style()), 0..8)
    }

    proptest! {
        #[test]
        fn the_terminal_shows_the_target(old in writes(), new in writes()) {
            let borrow = |w: &[(u16, u16, String, Style)]| {
                let writes: Vec<_> = w.iter().map(|(x, y, t, s)| (*x, *y, t.as_str(), *s)).collect();
                buffer(&writes)
            };
            let (old, new) = (borrow(&old), borrow(&new));
            let first = encode(None, &old, None, None);
            let second = encode(Some(&old), &new, None, None);
            let whole = encode(None, &new, None, None);
            prop_assert_eq!(emulate(&[&first, &second]), emulate(&[&whole]));
        }
    }
}
