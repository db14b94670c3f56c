//! What the loop shall do for the operator: effects are data, so that tests can look at them.

use crate::domain::act::Wish;

/// One thing to do outside the state.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Leave the program.
    Quit,
    /// Put text on the clipboard.
    Copy(String),
    /// Ask every source now.
    Refresh,
    /// Forget what is on the glass and draw everything.
    Redraw,
    /// Take the mouse, or give it back.
    Mouse(bool),
    /// Change the theme to this name or file.
    Theme(String),
    /// Ask the engine that acts.
    Act(Box<Wish>),
}
