//! Drift of every feature of two tables: a score, how sure it is, and a named state where there is none.
//!
//! [`Reference`] is prepared once and compared with many windows ([`compare`]); [`assess`] does one feature
//! by one method. [`binned`] does the same for counts in buckets.

mod assess;
mod assessed;
pub mod binned;
mod certain;
mod column;
mod compare;
mod groups;
mod method;
mod score;
mod shape;
#[cfg(test)]
mod tests;

pub use assess::assess;
pub use assessed::{Assessed, Dropped, Status};
pub use column::{Kind, Prepared, Reference};
pub use compare::{Report, compare};
pub use groups::Groups;
pub use method::Method;
