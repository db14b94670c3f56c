//! Draws the state: the same app, store and look always give the same frame.
//!
//! [`draw`] divides the screen ([`screen`]) and lets each file draw its part. Nothing here reads the clock,
//! and nothing here changes anything.

mod act;
pub mod cells;
mod checklist;
pub mod colour;
pub mod columns;
pub mod describe;
pub mod export;
pub mod fleet;
pub mod footer;
pub mod frame;
pub mod glyphs;
pub mod header;
pub mod help;
mod incident;
pub mod lines;
pub mod look;
pub mod page;
pub mod panes;
mod past;
pub mod screen;
pub mod spark;
pub mod text;
pub mod theme;
pub mod verdict;

pub use glyphs::Glyphs;
pub use look::{Depth, Look, Role};
pub use screen::draw;
pub use theme::ThemeError;
