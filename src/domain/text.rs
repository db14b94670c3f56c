//! Cleans text that other people wrote before it may reach a terminal.

/// The longest name that is kept, in characters; the rest is cut with an ellipsis.
pub const LONGEST_NAME: usize = 200;

/// Removes every control character (C0, DEL, C1) and the invisible characters that reorder or join
/// text, folds runs of white space into one blank, and keeps at most `longest` characters.
///
/// ```
/// assert_eq!(wardroom::domain::text::clean("a\u{1b}[31m\tb\u{202e}c", 100), "a[31m bc");
/// ```
pub fn clean(raw: &str, longest: usize) -> String {
    let mut out = String::with_capacity(raw.len().min(longest * 4));
    let mut kept = 0;
    let mut blank = false;
    for c in raw.chars() {
        if c.is_whitespace() {
            blank = kept > 0;
            continue;
        }
        if c.is_control() || reorders(c) {
            continue;
        }
        let needed = if blank { 2 } else { 1 };
        if kept + needed > longest {
            out.push('…');
            break;
        }
        if blank {
            out.push(' ');
            blank = false;
        }
        out.push(c);
        kept += needed;
    }
    out
}

/// A name as it may be shown and used as a key: [`clean`] with [`LONGEST_NAME`].
pub fn clean_name(raw: &str) -> String {
    clean(raw, LONGEST_NAME)
}

/// The first 200 characters of an answer's body, for error texts.
pub fn excerpt(raw: &str) -> String {
    clean(raw, 200)
}

/// Bidirectional overrides, zero-width spaces and joiners, tags, soft hyphen, byte-order mark.
fn reorders(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_reordering_characters_go() {
        assert_eq!(clean("\u{1b}]0;evil\u{7}name\u{9b}31m", 50), "]0;evilname31m");
        assert_eq!(clean("  a \n\n b ", 50), "a b");
        assert_eq!(clean("心电图\u{202e}x", 50), "心电图x");
    }

    #[test]
    fn long_text_is_cut_with_a_mark() {
        assert_eq!(clean("abcdef", 3), "abc…");
        assert_eq!(clean("abc", 3), "abc");
        assert_eq!(clean_name(&"x".repeat(500)).chars().count(), LONGEST_NAME + 1);
    }

    proptest::proptest! {
        #[test]
        fn nothing_dangerous_survives(raw in "\\PC{0,40}[\\x00-\\x1f\\x7f-\\u{9f}]{0,5}\\PC{0,40}") {
            let cleaned = clean(&raw, 60);
            proptest::prop_assert!(cleaned.chars().all(|c| !c.is_control()));
            proptest::prop_assert!(cleaned.chars().count() <= 61);
        }
    }
}
