//! Drift of a number that is known only by its counts in buckets.

use std::sync::Arc;

use super::method::Method;
use super::shape;
use crate::domain::drift::Shape;
use crate::stats::Outcome;
use crate::stats::drift::categories;

/// What buckets tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Binned {
    /// The largest difference of the two distribution functions at the buckets' bounds: the true distance
    /// is at least this, for within a bucket nothing is seen.
    pub ks: f64,
    /// Population stability index over the buckets.
    pub psi: f64,
    /// Jensen–Shannon distance over the buckets, base 2.
    pub js: f64,
    /// Kullback–Leibler divergence over the buckets, empty ones filled as Evidently does, nats.
    pub kl: f64,
    /// Rows of the reference.
    pub n: u64,
    /// Rows of the current sample.
    pub m: u64,
    /// Both distributions.
    pub shape: Option<Arc<Shape>>,
}

impl Binned {
    /// The score of a method on its own scale; `None` of those that need the values.
    pub fn score(&self, method: Method) -> Option<f64> {
        match method {
            Method::Ks => Some(self.ks),
            Method::Psi => Some(self.psi),
            Method::Js => Some(self.js),
            Method::Kl => Some(self.kl),
            Method::Wasserstein | Method::Chi2 => None,
        }
    }
}

/// Compares counts by bucket, the last one above the last of the `bounds` (ascending): each side has one
/// count more than there are bounds. Without a bound every value is in one bucket: degenerate.
pub fn compare(bounds: &[f64], reference: &[u64], current: &[u64]) -> Outcome<Binned> {
    let fits = |counts: &[u64]| counts.len() == bounds.len() + 1;
    if bounds.is_empty() || !fits(reference) || !fits(current) {
        return Outcome::Degenerate;
    }
    categories::compare(reference.iter().copied().zip(current.iter().copied())).map(|all| {
        let (mut below, mut ks) = ((0u64, 0u64), 0.0f64);
        for (r, x) in reference.iter().zip(current) {
            below = (below.0 + r, below.1 + x);
            ks = ks.max((below.0 as f64 / all.n as f64 - below.1 as f64 / all.m as f64).abs());
        }
        let shape = shape::numbers(bounds, reference, current);
        Binned { ks, psi: all.psi, js: all.js, kl: all.evidently.kl, n: all.n, m: all.m, shape }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_rows_move_one_bucket() {
        let Outcome::Ok(all) = compare(&[1.0, 2.0], &[50, 50, 0], &[0, 50, 50]) else { panic!() };
        assert!((all.ks - 0.5).abs() < 1e-12);
        assert_eq!((all.n, all.m), (100, 100));
        assert!(all.psi > 1.0 && all.js > 0.5 && all.kl > 1.0);
        let labels: Vec<String> = all.shape.unwrap().bins.iter().map(|bin| bin.label.to_string()).collect();
        assert_eq!(labels, ["≤ 1", "1–2", "> 2"]);
    }

    #[test]
    fn nothing_is_a_state_of_its_own() {
        assert_eq!(compare(&[1.0], &[0, 0], &[3, 1]).status(), "no_data");
        assert_eq!(compare(&[], &[3], &[3]).status(), "degenerate");
        assert_eq!(compare(&[1.0], &[3, 1], &[3, 1]).ok().map(|all| all.ks), Some(0.0));
    }
}
