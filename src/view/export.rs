//! A frame as text, as text with colours, and as a picture.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::colour::rgb;

/// Width of a cell of the picture, in its units.
const CELL: (f64, f64) = (8.4, 18.0);

/// The cells of a row that show something: the place and the cell; those behind a wide character are left out.
fn cells(buf: &Buffer, y: u16) -> impl Iterator<Item = (u16, &Cell)> {
    let mut free = buf.area.left();
    (buf.area.left()..buf.area.right()).filter_map(move |x| {
        let cell = &buf[(x, y)];
        if x < free {
            return None;
        }
        free = x + u16::try_from(cell.symbol().width().max(1)).unwrap_or(1);
        Some((x, cell))
    })
}

/// The characters of the frame, a line a row, without blanks at the ends.
pub fn to_text(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in buf.area.top()..buf.area.bottom() {
        let line: String = cells(buf, y).map(|(_, cell)| cell.symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The frame with SGR sequences, a line a row.
pub fn to_ansi(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in buf.area.top()..buf.area.bottom() {
        let mut last = String::new();
        for (_, cell) in cells(buf, y) {
            let codes = sgr(cell);
            if codes != last {
                let _ = write!(out, "\x1b[0{codes}m");
                last = codes;
            }
            out.push_str(cell.symbol());
        }
        if !last.is_empty() {
            out.push_str("\x1b[0m");
        }
        out.push('\n');
    }
    out
}

fn sgr(cell: &Cell) -> String {
    let mut codes = String::new();
    for (modifier, code) in [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::ITALIC, 3),
        (Modifier::UNDERLINED, 4),
        (Modifier::REVERSED, 7),
    ] {
        if cell.modifier.contains(modifier) {
            let _ = write!(codes, ";{code}");
        }
    }
    for (colour, base) in [(cell.fg, 30), (cell.bg, 40)] {
        match colour {
            Color::Reset => {}
            Color::Rgb(r, g, b) => {
                let _ = write!(codes, ";{};2;{r};{g};{b}", base + 8);
            }
            Color::Indexed(index) => {
                let _ = write!(codes, ";{};5;{index}", base + 8);
            }
            named => {
                let place = ANSI.iter().position(|&other| other == named).unwrap_or(7);
                let _ = write!(codes, ";{}", if place < 8 { base + place } else { base + 52 + place });
            }
        }
    }
    codes
}

const ANSI: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

/// The sixteen colours as the picture paints them on dark and on light ground.
const DARK: [&str; 16] = [
    "#14161a", "#c4454d", "#5fa860", "#e0ac54", "#4f7fd0", "#b678c8", "#52bcc4", "#b8bcc4", "#6b717c",
    "#e8616a", "#86c987", "#f2cc7e", "#6f9df0", "#d39ae4", "#7fd8de", "#f2f4f8",
];
const LIGHT: [&str; 16] = [
    "#1c1f24", "#b3001b", "#2e7d32", "#8f5a00", "#1f4fbf", "#7a1fa2", "#00687a", "#8a8f98", "#6a6f78",
    "#c62835", "#3b8f3f", "#a86a00", "#2f62d9", "#9036b8", "#0a7f92", "#ffffff",
];

fn paint(colour: Color, light: bool, fallback: &str) -> String {
    match (ANSI.iter().position(|&other| other == colour), rgb(colour)) {
        (Some(place), _) if light => LIGHT[place].to_owned(),
        (Some(place), _) => DARK[place].to_owned(),
        (None, Some((r, g, b))) => format!("#{r:02x}{g:02x}{b:02x}"),
        (None, None) => fallback.to_owned(),
    }
}

/// The frame as an SVG picture on dark or light ground.
pub fn to_svg(buf: &Buffer, light: bool) -> String {
    let (text, ground) = if light { ("#1c1f24", "#ffffff") } else { ("#d6d9e0", "#101216") };
    let (width, height) =
        (f64::from(buf.area.width) * CELL.0 + 16.0, f64::from(buf.area.height) * CELL.1 + 16.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         font-family=\"'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{ground}\"/>\n"
    );
    for y in buf.area.top()..buf.area.bottom() {
        for run in runs(buf, y) {
            run.draw(&mut out, light, text, ground);
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Neighbouring cells of one style.
struct Run<'a> {
    x: u16,
    y: u16,
    columns: u16,
    words: String,
    cell: &'a Cell,
}

fn runs(buf: &Buffer, y: u16) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for (x, cell) in cells(buf, y) {
        let columns = u16::try_from(cell.symbol().width().max(1)).unwrap_or(1);
        // A run is as wide as its characters say, so characters that fonts draw wider stand alone.
        let exact = |symbol: &str| symbol.is_ascii();
        match runs.last_mut() {
            Some(run)
                if (run.cell.fg, run.cell.bg, run.cell.modifier) == (cell.fg, cell.bg, cell.modifier)
                    && exact(&run.words) == exact(cell.symbol())
                    && columns == 1 =>
            {
                run.words.push_str(cell.symbol());
                run.columns += 1;
            }
            _ => runs.push(Run { x, y, columns, words: cell.symbol().to_owned(), cell }),
        }
    }
    runs
}

impl Run<'_> {
    fn draw(&self, out: &mut String, light: bool, text: &str, ground: &str) {
        let modifier = self.cell.modifier;
        let (mut fg, mut bg) = (paint(self.cell.fg, light, text), paint(self.cell.bg, light, ground));
        if modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut fg, &mut bg);
        }
        let (x, y) = (8.0 + f64::from(self.x) * CELL.0, 8.0 + f64::from(self.y) * CELL.1);
        let width = f64::from(self.columns) * CELL.0;
        if bg != ground {
            let _ = writeln!(
                out,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{}\" fill=\"{bg}\"/>",
                CELL.1
            );
        }
        if self.words.trim().is_empty() {
            return;
        }
        let mut attributes = String::new();
        for (wanted, attribute) in [
            (Modifier::BOLD, " font-weight=\"bold\""),
            (Modifier::ITALIC, " font-style=\"italic\""),
            (Modifier::UNDERLINED, " text-decoration=\"underline\""),
            (Modifier::DIM, " opacity=\"0.6\""),
        ] {
            if modifier.contains(wanted) {
                attributes.push_str(attribute);
            }
        }
        let words = self.words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let baseline = y + 14.0;
        let _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{baseline:.1}\" textLength=\"{width:.1}\" xml:space=\"preserve\" \
             fill=\"{fg}\"{attributes}>{words}</text>"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    fn frame() -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 2));
        buf.set_string(0, 0, "心 a<b&c", Style::new().fg(Color::LightRed).add_modifier(Modifier::BOLD));
        buf.set_string(0, 1, "x", Style::new().bg(Color::Rgb(1, 2, 3)));
        buf
    }

    #[test]
    fn wide_characters_take_no_second_place() {
        assert_eq!(to_text(&frame()), "心 a<b&c\nx\n");
    }

    #[test]
    fn colours_become_sequences() {
        assert_eq!(
            to_ansi(&frame()),
            "\x1b[0;1;91m心 a<b&c\x1b[0m    \n\x1b[0;48;2;1;2;3mx\x1b[0m           \n"
        );
    }

    #[test]
    fn a_picture_is_well_formed() {
        let svg = to_svg(&frame(), true);
        assert!(
            svg.contains("a&lt;b&amp;c") && svg.contains("#c62835") && svg.ends_with("</svg>\n"),
            "{svg}"
        );
    }
}
