//! Simulations behind the judgement's promises. `cargo test --release --test simulations -- --ignored --nocapture`

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may fail and show what they found")]

mod alarms;
mod draw;
mod expectation;
mod fleet;
mod late;
mod medians;
mod noise;
mod rollout;
