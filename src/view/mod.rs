//! Draws the state: the same app, store and look always give the same frame.

pub mod colour;
pub mod frame;
pub mod glyphs;
pub mod look;
pub mod panes;
pub mod spark;
pub mod text;
pub mod theme;

pub use glyphs::Glyphs;
pub use look::{Depth, Look, Role};
pub use theme::ThemeError;
