//! Drift of one feature: how far a current sample lies from a reference.

pub mod categories;
pub mod divergence;
pub mod equal_width;
pub mod ks;
pub mod level;
pub mod psi;
pub mod wasserstein;

use super::{Outcome, Sorted};

/// Both samples, or the reason why nothing can be said: a side without a finite value.
fn both<'a>(reference: &'a Sorted, current: &'a Sorted) -> Outcome<(&'a [f64], &'a [f64])> {
    if reference.is_empty() || current.is_empty() {
        Outcome::NoData
    } else {
        Outcome::Ok((reference.values(), current.values()))
    }
}
