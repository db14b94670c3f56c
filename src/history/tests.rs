//! The history as a room uses it.
