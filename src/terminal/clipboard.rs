//! Puts text on the clipboard of the operator's own machine by OSC 52.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest text that is sent, bytes: terminals drop longer ones without a word.
pub const LONGEST: usize = 70_000;

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// Sent; whether the terminal took it cannot be known.
    Sent {
        /// Bytes of text.
        bytes: usize,
    },
    /// Sent, but the end was cut.
    Cut {
        /// Bytes of text that were sent.
        bytes: usize,
    },
    /// The output is busy.
    Busy,
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { bytes } => {
                write!(f, "sent {bytes} bytes to the clipboard (OSC 52; the terminal does not confirm it)")
            }
            Self::Cut { bytes } => {
                write!(f, "sent the first {bytes} bytes to the clipboard (OSC 52, unconfirmed)")
            }
            Self::Busy => f.write_str("the terminal is busy; try again"),
        }
    }
}

/// The sequence for a text, cut at a character when too long, and how many bytes of it are in.
pub fn sequence(text: &str) -> (Vec<u8>, usize) {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (format!("\x1b]52;c;{}\x07", STANDARD.encode(&text[..end])).into_bytes(), end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_encoded_and_cut_at_a_character() {
        assert_eq!(sequence("hi").0, b"\x1b]52;c;aGk=\x07");
        let long = "é".repeat(LONGEST);
        assert_eq!(sequence(&long).1, LONGEST);
        assert_eq!(sequence(&("a".to_owned() + &long)).1, LONGEST - 1);
    }
}
