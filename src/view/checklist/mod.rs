//! Draws the checklists.
