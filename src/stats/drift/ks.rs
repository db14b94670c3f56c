//! The two-sample Kolmogorov–Smirnov distance and its p-values.

use super::both;
use crate::stats::special::kolmogorov_sf;
use crate::stats::{Outcome, Sorted};

/// n·m up to which the exact p-value is computed.
pub const EXACT_UP_TO: u64 = 40_000;

/// The distance sup |F_r − F_x| with what it takes for its p-values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distance {
    /// 0…1: the largest difference of the two distribution functions, the share of rows that moved.
    pub d: f64,
    /// The same times n·m, a whole number.
    pub lattice: u64,
    /// Size of the reference.
    pub n: u64,
    /// Size of the current sample.
    pub m: u64,
}

/// The distance. Ranks are whole numbers and divided once, ties advance in both samples together.
pub fn distance(reference: &Sorted, current: &Sorted) -> Outcome<Distance> {
    both(reference, current).map(|(r, x)| {
        let (n, m) = (r.len() as u64, x.len() as u64);
        let (mut i, mut j, mut lattice) = (0usize, 0usize, 0u64);
        while i < r.len() && j < x.len() {
            let (a, b) = (r[i], x[j]);
            if a <= b {
                while i < r.len() && r[i] == a {
                    i += 1;
                }
            }
            if b <= a {
                while j < x.len() && x[j] == b {
                    j += 1;
                }
            }
            lattice = lattice.max((i as u64 * m).abs_diff(j as u64 * n));
        }
        Distance { d: lattice as f64 / (n as f64 * m as f64), lattice, n, m }
    })
}

impl Distance {
    /// The asymptotic p-value Q(√(nm/(n+m))·D). Source: Kolmogorov 1933, Smirnov 1939.
    pub fn p_kolmogorov(self) -> f64 {
        let (n, m) = (self.n as f64, self.m as f64);
        kolmogorov_sf((n * m / (n + m)).sqrt() * self.d)
    }

    /// The exact p-value P(D ≥ d) without ties, for n·m up to [`EXACT_UP_TO`]: a random path on the
    /// lattice is followed, and the probability of each first step over the line is added up directly,
    /// so that 1e-50 survives. Source: Hodges 1958, in the form of probabilities.
    pub fn p_exact(self) -> Option<f64> {
        let (n, m) = (self.n, self.m);
        if n * m > EXACT_UP_TO {
            return None;
        }
        if self.lattice == 0 {
            return Some(1.0);
        }
        let mut beyond = 0.0;
        // The probability of standing at (i, j), for one i and all j, without having crossed before.
        let mut row = vec![0.0; m as usize + 1];
        for i in 0..=n {
            for j in 0..=m {
                let mut here = if i == 0 && j == 0 { 1.0 } else { 0.0 };
                if i > 0 {
                    let left = (n - i + 1) as f64;
                    here += row[j as usize] * left / (left + (m - j) as f64);
                }
                if j > 0 {
                    let left = (m - j + 1) as f64;
                    here += row[j as usize - 1] * left / (left + (n - i) as f64);
                }
                if (i * m).abs_diff(j * n) >= self.lattice {
                    beyond += here;
                    here = 0.0;
                }
                row[j as usize] = here;
            }
        }
        Some(beyond.min(1.0))
    }

    /// The best p-value at hand: exact for small samples, else asymptotic.
    pub fn p(self) -> f64 {
        self.p_exact().unwrap_or_else(|| self.p_kolmogorov())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_samples_are_at_no_distance() {
        let same = Sorted::new(vec![1.0; 400]);
        let found = distance(&same, &same).ok().unwrap();
        assert_eq!((found.d, found.p(), found.p_kolmogorov()), (0.0, 1.0, 1.0));
        assert_eq!(distance(&same, &Sorted::default()), Outcome::NoData);
    }

    proptest::proptest! {
        #[test]
        fn it_is_symmetric_and_a_share(a in proptest::collection::vec(-5i32..5, 1..40), b in proptest::collection::vec(-5i32..5, 1..40)) {
            let sample = |v: &[i32]| Sorted::new(v.iter().map(|&x| f64::from(x)).collect());
            let there = distance(&sample(&a), &sample(&b)).ok().unwrap();
            let back = distance(&sample(&b), &sample(&a)).ok().unwrap();
            proptest::prop_assert_eq!(there.lattice, back.lattice);
            proptest::prop_assert!((0.0..=1.0).contains(&there.d));
            let (p, q) = (there.p_exact().unwrap(), back.p_exact().unwrap());
            proptest::prop_assert!((p - q).abs() < 1e-10 && (0.0..=1.0).contains(&p));
        }
    }
}
