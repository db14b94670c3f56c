//! Colours as themes write them, and the nearest ones that a terminal can show.

use ratatui::style::Color;

use super::look::Depth;

/// The names that themes may write, in the order of the terminal's palette.
const NAMES: [(&str, Color); 17] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("gray", Color::Gray),
    ("dark-gray", Color::DarkGray),
    ("light-red", Color::LightRed),
    ("light-green", Color::LightGreen),
    ("light-yellow", Color::LightYellow),
    ("light-blue", Color::LightBlue),
    ("light-magenta", Color::LightMagenta),
    ("light-cyan", Color::LightCyan),
    ("white", Color::White),
    ("default", Color::Reset),
];

/// The sixteen colours as xterm paints them.
const PALETTE: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

/// Steps of the colour cube of 256-colour terminals.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// What a theme may write for a colour, for error texts.
pub fn allowed() -> String {
    let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    format!("#rrggbb, a number from 0 to 255, or one of {}", names.join(", "))
}

/// A colour as a theme writes it: a name, `#rrggbb`, or `0`…`255`.
pub fn parse(text: &str) -> Option<Color> {
    if let Some((_, colour)) = NAMES.iter().find(|(name, _)| *name == text) {
        return Some(*colour);
    }
    if let Some(hex) = text.strip_prefix('#').filter(|hex| hex.len() == 6) {
        let bits = u32::from_str_radix(hex, 16).ok()?;
        let [_, r, g, b] = bits.to_be_bytes();
        return Some(Color::Rgb(r, g, b));
    }
    text.parse().ok().map(Color::Indexed)
}

/// The nearest colour that this depth has.
pub fn reduce(colour: Color, depth: Depth) -> Color {
    match (depth, colour) {
        (Depth::Mono, _) => Color::Reset,
        (Depth::Indexed256, Color::Rgb(r, g, b)) => Color::Indexed(nearest_256((r, g, b))),
        (Depth::Ansi16, Color::Rgb(r, g, b)) => nearest_16((r, g, b)),
        (Depth::Ansi16, Color::Indexed(index)) => match NAMES.get(usize::from(index)) {
            Some((_, named)) if index < 16 => *named,
            _ => nearest_16(of_256(index)),
        },
        (_, other) => other,
    }
}

/// Red, green and blue of a colour as xterm paints it; `None` for the terminal's own.
pub fn rgb(colour: Color) -> Option<(u8, u8, u8)> {
    match colour {
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(index) => Some(of_256(index)),
        named => NAMES.iter().position(|(_, other)| *other == named).and_then(|at| PALETTE.get(at).copied()),
    }
}

fn of_256(index: u8) -> (u8, u8, u8) {
    match index {
        0..=15 => PALETTE[usize::from(index)],
        16..=231 => {
            let n = usize::from(index - 16);
            (CUBE[n / 36], CUBE[n / 6 % 6], CUBE[n % 6])
        }
        _ => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    // The eye sees green best and blue least.
    3 * square(a.0, b.0) + 6 * square(a.1, b.1) + square(a.2, b.2)
}

fn nearest_256(rgb: (u8, u8, u8)) -> u8 {
    (16..=255).min_by_key(|&index| distance(of_256(index), rgb)).unwrap_or(7)
}

/// The nearest of sixteen: coloured ones by hue (a muted orange is yellow, not grey), greys by brightness.
fn nearest_16(rgb: (u8, u8, u8)) -> Color {
    let (r, g, b) = rgb;
    let (high, low) = (r.max(g).max(b), r.min(g).min(b));
    if high - low < 40 {
        let place = match high {
            0..=50 => 0,
            51..=160 => 8,
            161..=235 => 7,
            _ => 15,
        };
        return NAMES[place].1;
    }
    let strong = |part: u8| u16::from(part - low) * 2 > u16::from(high - low);
    let hue = usize::from(strong(r)) | usize::from(strong(g)) << 1 | usize::from(strong(b)) << 2;
    NAMES[if high > 200 { hue + 8 } else { hue }].1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read() {
        assert_eq!(parse("light-red"), Some(Color::LightRed));
        assert_eq!(parse("#ff8000"), Some(Color::Rgb(255, 128, 0)));
        assert_eq!(parse("208"), Some(Color::Indexed(208)));
        for wrong in ["", "256", "#ff80", "#gg0000", "ruby", "-1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn fewer_colours_keep_the_hue() {
        assert_eq!(reduce(Color::Rgb(255, 0, 0), Depth::Indexed256), Color::Indexed(196));
        assert_eq!(reduce(Color::Rgb(230, 80, 70), Depth::Ansi16), Color::LightRed);
        assert_eq!(reduce(Color::Rgb(224, 175, 80), Depth::Ansi16), Color::LightYellow);
        assert_eq!(reduce(Color::Rgb(40, 90, 180), Depth::Ansi16), Color::Blue);
        assert_eq!(reduce(Color::Rgb(100, 104, 110), Depth::Ansi16), Color::DarkGray);
        assert_eq!(reduce(Color::Indexed(9), Depth::Ansi16), Color::LightRed);
        assert_eq!(reduce(Color::Rgb(1, 2, 3), Depth::Rgb), Color::Rgb(1, 2, 3));
    }
}
