//! One self-contained compressed file of what a room took in: recorder, player, and a copy with masked names.
//!
//! A tape is a short preface (magic words, version of the form) and blocks. Each block is a head of fixed size
//! (length, kind, moment, hash) and MessagePack within zstd, compressed by itself, so that each decodes alone. The
//! first block holds the whole state; those after it hold what came, in order, a block at least every second; every
//! minute or so another whole state follows, from which a player can start.
//!
//! Kept: everything in the store, the moment, acts, entries of incidents, and where the operator was looking:
//! selection, focus, zoom, panes, filter, order, help, prompts, dialogs of acts. Not kept: the log pane, the boxes of
//! incidents and checklists, time travel (a room that looks into the past records the present), key bindings, the
//! mouse.

pub mod block;
pub mod glance;
pub mod item;
pub mod mask;
mod pack;
pub mod play;
pub mod read;
pub mod write;

pub use glance::{Desk, Glance};
pub use item::{Head, Item, Scene, Whole};
pub use mask::{Masked, mask};
pub use play::Player;
pub use read::{Tape, TapeError};
pub use write::{Draft, Note, Recorder};

#[cfg(test)]
mod tests;
