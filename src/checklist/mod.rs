//! The daily, weekly and monthly checks: what the tool can verify itself, and what a person must tick. Pure: the moment,
//! the store and what lies beside it come from outside, and so does the book of ticks.

mod beside;
mod board;
mod item;
mod period;
mod rules;
mod tick;

pub use beside::{Beside, Drill, Known, Trail};
pub use board::{EARLIER, LOOKS_BACK_DAYS, Line, Mark, Past, board, hindrance, unwritten};
pub use item::{Found, Item, Sight};
pub use period::{Period, Span};
pub use tick::{NOTE, TOOL, Tick};

/// Every check, in the order of the lists.
pub fn items() -> impl Iterator<Item = &'static Item> {
    rules::DAILY.iter().chain(rules::WEEKLY).chain(rules::MONTHLY)
}

/// The check of this id.
pub fn item(id: &str) -> Option<&'static Item> {
    items().find(|item| item.id == id)
}

#[cfg(test)]
mod tests;
