//! What the operator is doing: focus, selection, dialogs, and how each message changes it.

pub mod acting;
pub mod action;
pub mod checklist;
pub mod command;
pub mod effect;
pub mod filter;
pub mod geometry;
pub mod incident;
pub mod keymap;
mod method;
mod prompt;
pub mod rows;
pub mod state;
pub mod time;
pub mod update;

pub use action::{ACTIONS, Action, Availability};
pub use effect::Effect;
pub use filter::Filter;
pub use geometry::{Geometry, Shape};
pub use keymap::{KeyMap, KeyMapError};
pub use rows::fleet_rows;
pub use state::{App, Dialog, Focus, Message, Pane, Sort};
pub use update::{Msg, settle, update};

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
