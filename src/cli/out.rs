//! Writes to standard output and error. A closed pipe is no error worth words.

use std::io::Write;

/// Prints a text, with a line end.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // `wardroom config example | head` closes the pipe early; there is nobody left to tell.
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Prints an error.
pub fn complain(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "wardroom: {text}");
}
