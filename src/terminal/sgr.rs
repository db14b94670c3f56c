//! The pen: colours and attributes, and the shortest sequence from one to another.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// What a character is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    /// The terminal's own colours, no attributes.
    pub const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    /// The pen of a cell. On a blank only what shows counts.
    pub fn of(cell: &Cell) -> Self {
        let mut pen = Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
        // Terminals that know one intensity only would show whichever came last.
        if pen.modifier.contains(Modifier::BOLD) {
            pen.modifier -= Modifier::DIM;
        }
        let drawn = Modifier::REVERSED | Modifier::UNDERLINED | Modifier::CROSSED_OUT;
        if cell.symbol() == " " {
            pen.modifier &= drawn;
            if pen.modifier.is_empty() {
                pen.fg = Color::Reset;
            }
        }
        pen
    }

    /// Writes what turns `self` into `next`, by changes or by a fresh start, whichever is shorter.
    pub fn turn_into(self, next: Self, out: &mut Vec<u8>) {
        if self == next {
            return;
        }
        let changes = self.changes(next);
        let mut fresh = String::from("0");
        let more = Self::PLAIN.changes(next);
        if more.is_empty() {
            fresh.clear();
        } else {
            fresh.push(';');
            fresh.push_str(&more);
        }
        let shortest = if changes.len() <= fresh.len() { changes } else { fresh };
        out.extend_from_slice(b"\x1b[");
        out.extend_from_slice(shortest.as_bytes());
        out.push(b'm');
    }

    fn changes(self, next: Self) -> String {
        let mut codes: Vec<String> = Vec::new();
        let (gone, mut new) = (self.modifier - next.modifier, next.modifier - self.modifier);
        if gone.intersects(Modifier::BOLD | Modifier::DIM) {
            codes.push("22".into());
            // 22 ends both; what stays has to be set again.
            new |= next.modifier & (Modifier::BOLD | Modifier::DIM);
        }
        for (flag, _, off) in ATTRIBUTES.iter().filter(|(flag, ..)| gone.contains(*flag)) {
            if !(Modifier::BOLD | Modifier::DIM).contains(*flag) {
                codes.push((*off).into());
            }
        }
        codes.extend(
            ATTRIBUTES.iter().filter(|(flag, ..)| new.contains(*flag)).map(|(_, on, _)| (*on).into()),
        );
        if self.fg != next.fg {
            codes.push(colour(next.fg, false));
        }
        if self.bg != next.bg {
            codes.push(colour(next.bg, true));
        }
        codes.join(";")
    }
}

const ATTRIBUTES: [(Modifier, &str, &str); 9] = [
    (Modifier::BOLD, "1", "22"),
    (Modifier::DIM, "2", "22"),
    (Modifier::ITALIC, "3", "23"),
    (Modifier::UNDERLINED, "4", "24"),
    (Modifier::SLOW_BLINK, "5", "25"),
    (Modifier::RAPID_BLINK, "6", "25"),
    (Modifier::REVERSED, "7", "27"),
    (Modifier::HIDDEN, "8", "28"),
    (Modifier::CROSSED_OUT, "9", "29"),
];

fn colour(colour: Color, background: bool) -> String {
    let named = |n: u8| {
        let base = if n < 8 { 30 + n } else { 82 + n };
        (base + if background { 10 } else { 0 }).to_string()
    };
    let wide = if background { 48 } else { 38 };
    match colour {
        Color::Reset => (wide + 1).to_string(),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => named(8),
        Color::LightRed => named(9),
        Color::LightGreen => named(10),
        Color::LightYellow => named(11),
        Color::LightBlue => named(12),
        Color::LightMagenta => named(13),
        Color::LightCyan => named(14),
        Color::White => named(15),
        Color::Indexed(n) => format!("{wide};5;{n}"),
        Color::Rgb(r, g, b) => format!("{wide};2;{r};{g};{b}"),
    }
}
