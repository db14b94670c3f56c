//! The terminal as a resource: entered, left and always given back; keys in, frames out.
//!
//! Three threads share the work, so that nothing waits for anything else: one reads bytes and makes keys
//! of them, one turns the newest frame into the fewest bytes and writes them at once, one takes signals.
//! They speak to the loop through one channel of [`Input`]s. This room knows no other.

pub mod capabilities;
pub mod clipboard;
pub mod encode;
mod input;
mod modes;
mod output;
pub mod parse;
mod screen;
mod sgr;
mod signals;

use crossterm::event::{KeyEvent, MouseEvent};

pub use capabilities::{Capabilities, Colours, Refusal, detect, detect_here};
pub use clipboard::Copied;
pub use modes::{install_panic_hook, restore};
pub use screen::{Options, Terminal, TerminalError};

/// What reaches the loop from the terminal and the system.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something; only when it was taken.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// The last frame is written; so many bytes.
    Drained {
        /// Bytes of the frame, 0 when nothing had changed.
        bytes: usize,
    },
    /// The operator wants the shell (Ctrl-Z or TSTP).
    Suspend,
    /// The process goes on after a stop.
    Resumed,
    /// The process shall end.
    Signal(Ending),
    /// The terminal is gone.
    Gone,
}

/// The signals that end the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// INT.
    Interrupt,
    /// TERM.
    Terminate,
    /// HUP.
    Hangup,
}
