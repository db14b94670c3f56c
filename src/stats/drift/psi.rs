//! The population stability index over deciles of the reference.

use super::divergence::psi_of;
use crate::stats::{Outcome, Sorted};

/// A reference, cut into deciles once.
#[derive(Debug, Clone, PartialEq)]
pub struct Deciles {
    /// Distinct quantiles 0.1…0.9 of the reference: bins (−∞, e1], (e1, e2], …, (ek, ∞). A feature with
    /// many equal values has fewer.
    pub edges: Vec<f64>,
    /// Rows of the reference by bin.
    pub counts: Vec<u64>,
}

/// What the index rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Psi {
    /// Σ (q − p) ln(q/p), shares floored at 1e-4.
    pub value: f64,
    /// Rows of the current sample by bin.
    pub counts: Vec<u64>,
}

impl Deciles {
    /// Of a reference; no data without a row.
    pub fn of(reference: &Sorted) -> Outcome<Self> {
        let edges = (1..10).map(|tenth| reference.quantile(f64::from(tenth) / 10.0));
        let Some(mut edges) = edges.collect::<Option<Vec<f64>>>() else { return Outcome::NoData };
        edges.dedup();
        let counts = count(reference, &edges);
        Outcome::Ok(Self { edges, counts })
    }

    /// The index of a current sample.
    pub fn psi(&self, current: &Sorted) -> Outcome<Psi> {
        if current.is_empty() || self.counts.iter().all(|&count| count == 0) {
            return Outcome::NoData;
        }
        let counts = count(current, &self.edges);
        Outcome::Ok(Psi { value: psi_of(&self.counts, &counts), counts })
    }

    /// The index of values in any order, without sorting them; what is not finite is left out.
    pub fn psi_unsorted(&self, current: &[f64]) -> Outcome<Psi> {
        let mut counts = vec![0; self.edges.len() + 1];
        for value in current.iter().filter(|value| value.is_finite()) {
            // Nine edges at most: counting them is faster than searching.
            counts[self.edges.iter().map(|edge| usize::from(value > edge)).sum::<usize>()] += 1;
        }
        if counts.iter().all(|&count| count == 0) {
            return Outcome::NoData;
        }
        Outcome::Ok(Psi { value: psi_of(&self.counts, &counts), counts })
    }
}

/// Rows by bin (e(i−1), e(i)].
fn count(sample: &Sorted, edges: &[f64]) -> Vec<u64> {
    let ends = edges.iter().map(|&edge| sample.up_to(edge)).chain([sample.len()]);
    let mut begin = 0;
    ends.map(|end| (end - std::mem::replace(&mut begin, end)) as u64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn sorted_or_not_is_the_same(a in proptest::collection::vec(-9i32..9, 1..60), b in proptest::collection::vec(-9i32..9, 1..60)) {
            let values: Vec<f64> = b.iter().map(|&x| f64::from(x)).collect();
            let deciles = Deciles::of(&Sorted::new(a.iter().map(|&x| f64::from(x)).collect())).ok().unwrap();
            let (sorted, raw) = (deciles.psi(&Sorted::new(values.clone())), deciles.psi_unsorted(&values));
            proptest::prop_assert_eq!(&sorted, &raw);
            proptest::prop_assert!(sorted.ok().unwrap().value >= 0.0);
        }
    }
}
