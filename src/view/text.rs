//! Text by display width: cutting, padding, and how ages, counts and clocks are written.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::domain::Time;

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(grapheme_width).sum()
}

/// Control characters never reach the buffer, so they take no column.
fn grapheme_width(grapheme: &str) -> usize {
    if grapheme.chars().any(char::is_control) { 0 } else { grapheme.width() }
}

/// The text in at most `width` columns; what is cut ends in `…`. Wide and combining characters stay whole.
pub fn cut(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len().min(width * 4));
    let (mut used, mut fits) = (0, 0);
    for grapheme in text.graphemes(true).filter(|grapheme| !grapheme.chars().any(char::is_control)) {
        let columns = grapheme_width(grapheme);
        if used + columns > width {
            out.truncate(fits);
            if width > 0 {
                out.push('…');
            }
            return out;
        }
        used += columns;
        out.push_str(grapheme);
        if used < width {
            fits = out.len();
        }
    }
    out
}

/// The text cut and filled with blanks at its right to exactly `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    let mut out = cut(text, columns);
    let used = width(&out);
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    out
}

/// The text cut and filled with blanks at its left to exactly `columns`.
pub fn pad_left(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let mut out = " ".repeat(columns.saturating_sub(width(&text)));
    out.push_str(&text);
    out
}

/// How long: `0.4 s`, `6 s`, `41 s`, `3 min`, `2 h`, `9 d`.
pub fn age(seconds: f64) -> String {
    match seconds.max(0.0) {
        s if !s.is_finite() => "–".into(),
        s if s < 0.95 => format!("{s:.1} s"),
        s if s < 60.0 => format!("{s:.0} s"),
        s if s < 3_600.0 => format!("{:.0} min", (s / 60.0).floor()),
        s if s < 172_800.0 => format!("{:.0} h", (s / 3_600.0).floor()),
        s => format!("{:.0} d", (s / 86_400.0).floor()),
    }
}

/// A count in groups of three: `18 204`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// The time of day, UTC: `14:02:07`.
pub fn clock(at: Time) -> String {
    at.format("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_counts_columns() {
        assert_eq!(cut("alzheimer", 9), "alzheimer");
        assert_eq!(cut("alzheimer", 5), "alzh…");
        assert_eq!(cut("心电图", 6), "心电图");
        assert_eq!(cut("心电图", 5), "心电…");
        assert_eq!(cut("心电图", 4), "心…");
        assert_eq!(cut("心", 1), "…");
        assert_eq!(cut("e\u{301}\u{327}tat", 3), "e\u{301}\u{327}t…");
        assert_eq!(cut("x", 0), "");
        assert_eq!(cut("a\u{7}b", 5), "ab");
    }

    #[test]
    fn ages_and_counts_are_short() {
        let ages = [0.4, 6.2, 41.0, 59.9, 200.0, 7_300.0, 800_000.0].map(age);
        assert_eq!(ages, ["0.4 s", "6 s", "41 s", "60 s", "3 min", "2 h", "9 d"]);
        assert_eq!(
            [0, 999, 1_000, 18_204, 1_234_567].map(count),
            ["0", "999", "1 000", "18 204", "1 234 567"]
        );
        assert_eq!(age(f64::NAN), "0.0 s");
    }

    proptest::proptest! {
        #[test]
        fn padded_text_has_its_width(text in "\\PC{0,30}", columns in 0usize..20) {
            proptest::prop_assert_eq!(width(&pad(&text, columns)), columns);
            proptest::prop_assert_eq!(width(&pad_left(&text, columns)), columns);
        }
    }
}
