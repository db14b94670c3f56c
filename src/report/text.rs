//! Text of documents: times, spans, and other people's words made harmless.

use crate::domain::Time;
use crate::domain::text::clean;

/// The longest text of one entry in a document, in characters.
const LONGEST: usize = 2_000;

/// Other people's words within a line or a cell of Markdown: cleaned, and nothing in them is markup.
pub(super) fn inline(raw: &str) -> String {
    let words = clean(raw, LONGEST);
    let mut out = String::with_capacity(words.len() + 8);
    let mut before = ' ';
    let mut rest = words.chars().peekable();
    while let Some(c) = rest.next() {
        let within = before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '_' if within => out.push('_'),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
        before = c;
    }
    out
}

/// Other people's words within a block of preformatted text.
pub(super) fn preformatted(raw: &str, longest: usize) -> String {
    clean(raw, longest).replace('`', "'")
}

/// A moment to the second, as `2026-11-21 13:02:11`; the heading says that it is UTC.
pub(super) fn moment(at: Time) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A length of time in words: `42 s`, `4 min 12 s`, `2 h 05 min`.
pub fn span(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "−" } else { "" };
    let all = seconds.abs().round();
    if all < 60.0 {
        return format!("{sign}{all:.0} s");
    }
    let (minutes, rest) = ((all / 60.0).floor(), all % 60.0);
    if minutes < 60.0 {
        return format!("{sign}{minutes:.0} min {rest:02.0} s");
    }
    format!("{sign}{:.0} h {:02.0} min", (minutes / 60.0).floor(), minutes % 60.0)
}

/// A number with its thousands apart: `12 345`.
pub(super) fn count(value: f64) -> String {
    let digits = format!("{:.0}", value.max(0.0));
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_are_no_markup() {
        assert_eq!(inline("p95 612 > 500"), "p95 612 > 500");
        assert_eq!(
            inline("a|b\nc `d` <script> [x](y) \u{1b}[31m"),
            "a\\|b c \\`d\\` &lt;script> \\[x\\](y) \\[31m"
        );
        assert_eq!(inline("error_rate _x_ 1*2"), "error_rate \\_x\\_ 1\\*2");
        assert_eq!(inline("\\|"), "\\\\\\|");
    }

    #[test]
    fn spans_are_words() {
        let table = [
            (0.0, "0 s"),
            (59.4, "59 s"),
            (59.6, "1 min 00 s"),
            (252.0, "4 min 12 s"),
            (7_500.0, "2 h 05 min"),
        ];
        for (seconds, words) in table {
            assert_eq!(span(seconds), words);
        }
        assert_eq!(span(-90.0), "−1 min 30 s");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0.0, 999.0, 1_000.0, 1_234_567.0].map(count), ["0", "999", "1 000", "1 234 567"]);
    }
}
