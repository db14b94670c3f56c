//! The characters that the screen is drawn with: a Unicode set, and one for ASCII-only terminals.

/// A set of glyphs. Every one is one column wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// Critical.
    pub critical: &'static str,
    /// Warning.
    pub warning: &'static str,
    /// Well.
    pub ok: &'static str,
    /// Stale, or a source does not answer.
    pub stale: &'static str,
    /// Not known.
    pub unknown: &'static str,
    /// The selected row's mark.
    pub selected: &'static str,
    /// wardroom acts by itself here.
    pub armed: &'static str,
    /// Levels of a sparkline, the lowest first. Drawing uses the lower ones, so that rows do not touch.
    pub spark: [&'static str; 8],
    /// Levels of a heat cell, minimal first.
    pub heat: [&'static str; 5],
    /// The part of a bar that is done.
    pub bar_full: &'static str,
    /// The part of a bar that is to come.
    pub bar_empty: &'static str,
    /// Where a bar stands.
    pub bar_head: &'static str,
    /// Between words, and empty cells.
    pub dot: &'static str,
    /// Something is cut.
    pub ellipsis: &'static str,
    /// From one to another.
    pub arrow: &'static str,
    /// A value that is not there.
    pub none: &'static str,
    /// A limit in a chart.
    pub limit_line: &'static str,
    /// A moment in a chart.
    pub moment_line: &'static str,
    /// At most.
    pub at_most: &'static str,
    /// At least.
    pub at_least: &'static str,
    /// Plus or minus.
    pub plus_minus: &'static str,
    /// Times.
    pub times: &'static str,
    /// A frame's horizontal.
    pub hline: &'static str,
    /// A frame's vertical.
    pub vline: &'static str,
    /// A frame's corners: top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
    /// Whether charts may use braille.
    pub braille: bool,
    /// Whether this is the ASCII set.
    pub ascii: bool,
}

/// For terminals that show UTF-8.
pub const UNICODE: Glyphs = Glyphs {
    critical: "■",
    warning: "▲",
    ok: "●",
    stale: "◌",
    unknown: "?",
    selected: "▶",
    armed: "↯",
    spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    heat: ["·", "░", "▒", "▓", "█"],
    bar_full: "━",
    bar_empty: "┄",
    bar_head: "◉",
    dot: "·",
    ellipsis: "…",
    arrow: "→",
    none: "–",
    limit_line: "┄",
    moment_line: "╎",
    at_most: "≤",
    at_least: "≥",
    plus_minus: "±",
    times: "×",
    hline: "─",
    vline: "│",
    corners: ["╭", "╮", "╰", "╯"],
    braille: true,
    ascii: false,
};

/// For terminals and locales without UTF-8.
pub const ASCII: Glyphs = Glyphs {
    critical: "X",
    warning: "!",
    ok: ".",
    stale: "o",
    unknown: "?",
    selected: ">",
    armed: "^",
    spark: ["_", ".", "-", "~", "=", "+", "*", "#"],
    heat: [".", ":", "+", "%", "#"],
    bar_full: "=",
    bar_empty: "-",
    bar_head: "O",
    dot: "-",
    ellipsis: "~",
    arrow: ">",
    none: "-",
    limit_line: "-",
    moment_line: ":",
    at_most: "<",
    at_least: ">",
    plus_minus: "~",
    times: "x",
    hline: "-",
    vline: "|",
    corners: ["+", "+", "+", "+"],
    braille: false,
    ascii: true,
};

impl Glyphs {
    /// Words for an ASCII terminal: the glyphs that wardroom's own texts use get their stand-ins, other
    /// characters above ASCII become `?`. Nothing changes for Unicode.
    pub fn spell(&self, text: &str) -> String {
        if !self.ascii || text.is_ascii() {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                c if c.is_ascii() => out.push(c),
                '–' | '—' | '−' | '·' | '─' | '┄' | '━' => out.push('-'),
                '→' => out.push_str("->"),
                '←' => out.push_str("<-"),
                '≥' => out.push_str(">="),
                '≤' => out.push_str("<="),
                '×' => out.push('x'),
                '±' => out.push_str("+-"),
                '²' => out.push('2'),
                '…' => out.push('~'),
                '“' | '”' => out.push('"'),
                '’' | '‘' => out.push('\''),
                '│' | '╎' => out.push('|'),
                _ => out.push('?'),
            }
        }
        out
    }
}

/// What an ASCII terminal shows in the cell of a character, in its one column.
pub fn stand_in(symbol: &str) -> char {
    match symbol {
        "→" | "≥" | "▶" => '>',
        "↯" => '^',
        "●" => '.',
        "◉" => 'O',
        "■" => 'X',
        "▲" => '!',
        "◌" => 'o',
        "←" | "≤" => '<',
        "±" => '~',
        other => ASCII.spell(other).chars().next().unwrap_or(' '),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn every_glyph_is_one_column() {
        for g in [UNICODE, ASCII] {
            let single = [
                g.critical,
                g.warning,
                g.ok,
                g.stale,
                g.unknown,
                g.selected,
                g.armed,
                g.bar_full,
                g.bar_empty,
                g.bar_head,
                g.dot,
                g.ellipsis,
                g.arrow,
                g.none,
                g.limit_line,
                g.moment_line,
                g.at_most,
                g.at_least,
                g.plus_minus,
                g.times,
                g.hline,
                g.vline,
            ];
            for glyph in single.iter().chain(&g.spark).chain(&g.heat).chain(&g.corners) {
                assert_eq!(glyph.width(), 1, "{glyph}");
                assert!(!g.ascii || glyph.is_ascii(), "{glyph}");
            }
        }
    }

    #[test]
    fn levels_differ_in_shape() {
        for g in [UNICODE, ASCII] {
            let mut shapes = [g.critical, g.warning, g.ok, g.stale, g.unknown].to_vec();
            shapes.sort_unstable();
            shapes.dedup();
            assert_eq!(shapes.len(), 5);
        }
    }
}
