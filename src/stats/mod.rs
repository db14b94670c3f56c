//! The mathematics: pure functions of their inputs, each with its source. No clock, no randomness of their own.

pub mod buckets;
pub mod concept;
pub mod counters;
pub mod drift;
pub mod fixed;
pub mod moving;
pub mod multiple;
pub mod native;
pub mod outcome;
pub mod quality;
pub mod sample;
pub mod sequential;
pub mod sketch;
pub mod special;

#[cfg(test)]
mod tests;

pub use outcome::Outcome;
pub use sample::Sorted;
