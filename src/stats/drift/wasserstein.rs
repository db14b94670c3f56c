//! Wasserstein's first distance.

use std::borrow::Cow;

use super::both;
use crate::stats::sample::numpy_sd;
use crate::stats::{Outcome, Sorted};

/// The smallest spread that a distance is divided by: a constant reference has none.
const LEAST_SD: f64 = 0.001;

/// W1 = ∫ |F_r − F_x|, in the feature's unit.
pub fn distance(reference: &Sorted, current: &Sorted) -> Outcome<f64> {
    both(reference, current).map(|(r, x)| {
        let (n, m) = (r.len() as f64, x.len() as f64);
        let (mut i, mut j, mut sum) = (0usize, 0usize, 0.0);
        let mut before = r[0].min(x[0]);
        while i < r.len() || j < x.len() {
            let next = match (r.get(i), x.get(j)) {
                (Some(&a), Some(&b)) => a.min(b),
                (Some(&a), None) => a,
                (None, Some(&b)) => b,
                (None, None) => break,
            };
            let apart = (i as f64 / n - j as f64 / m).abs();
            if apart > 0.0 {
                sum += apart * (next - before);
            }
            before = next;
            while i < r.len() && r[i] <= next {
                i += 1;
            }
            while j < x.len() && x[j] <= next {
                j += 1;
            }
        }
        sum
    })
}

/// W1 in standard deviations (divisor n) of the reference, at least 0.001 of the unit.
pub fn normed(reference: &Sorted, current: &Sorted) -> Outcome<f64> {
    let (r, x) = Sorted::tamed(reference, current);
    let is_tamed = matches!(r, Cow::Owned(_));
    let least = if is_tamed { f64::MIN_POSITIVE } else { LEAST_SD };
    let spread = numpy_sd(r.values()).max(least);
    distance(&r, &x).map(|distance| distance / spread)
}
