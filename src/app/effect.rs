//! What the loop shall do for the operator: effects are data, so that tests can look at them.

use crate::checklist::Tick;
use crate::domain::Time;
use crate::domain::act::Wish;
use crate::domain::incident::Entry;

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
    /// Ask the history for the room at a moment; `None`: back to now.
    Past(Option<Time>),
    /// Write entries of incidents down.
    Write(Vec<Entry>),
    /// Write ticks of the checklists down, then tell what the book says; without any, only tell.
    Tick(Vec<Tick>),
}
