//! Samples: cleaned and sorted, with their moments and percentiles.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Above this, cubes and sums of squares may overflow.
const HUGE: f64 = 1e90;
/// 2⁻⁹⁶⁰, a power of two: brings the largest number there is to about 2⁶⁴ and rounds nothing above 2⁻⁶².
const SHRINK: f64 = 1.0 / (POWER * POWER * POWER * POWER * POWER * POWER * POWER * POWER);
const POWER: f64 = (1u128 << 120) as f64;

/// A sample without its non-finite values, ascending; −0 counts as 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sorted {
    values: Vec<f64>,
    /// How many values were left out because they are not finite.
    pub dropped: u64,
}

impl Sorted {
    /// Cleans and sorts.
    pub fn new(mut values: Vec<f64>) -> Self {
        let before = values.len();
        values.retain(|value| value.is_finite());
        // Adding 0 turns −0 into 0, so that the order of bits is the order of numbers.
        values.iter_mut().for_each(|value| *value += 0.0);
        values.sort_unstable_by(f64::total_cmp);
        Self { dropped: (before - values.len()) as u64, values }
    }

    /// The values, ascending.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The largest magnitude; 0 of nothing.
    fn magnitude(&self) -> f64 {
        let ends = self.values.first().into_iter().chain(self.values.last());
        ends.fold(0.0, |most, value| most.max(value.abs()))
    }

    /// Two samples, scaled down together where their squares or differences would overflow: for scores that
    /// do not depend on the scale.
    pub fn tamed<'a>(a: &'a Self, b: &'a Self) -> (Cow<'a, Self>, Cow<'a, Self>) {
        if a.magnitude().max(b.magnitude()) < HUGE {
            return (Cow::Borrowed(a), Cow::Borrowed(b));
        }
        let shrunk = |sample: &Self| {
            let values = sample.values.iter().map(|value| value * SHRINK + 0.0).collect();
            Cow::Owned(Self { values, dropped: sample.dropped })
        };
        (shrunk(a), shrunk(b))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many different values there are.
    pub fn distinct(&self) -> usize {
        if self.values.is_empty() {
            0
        } else {
            1 + self.values.windows(2).filter(|pair| pair[0] != pair[1]).count()
        }
    }

    /// How many values are at most `bound`.
    pub fn up_to(&self, bound: f64) -> usize {
        self.values.partition_point(|&value| value <= bound)
    }

    /// How many values lie below `bound`.
    pub fn below(&self, bound: f64) -> usize {
        self.values.partition_point(|&value| value < bound)
    }

    /// Share of values that were left out, 0…1; `None` of nothing.
    pub fn dropped_share(&self) -> Option<f64> {
        let all = self.len() as u64 + self.dropped;
        (all > 0).then(|| self.dropped as f64 / all as f64)
    }

    /// The quantile by linear interpolation at rank q(n − 1), R's type 7 and NumPy's default.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = q * (self.values.len().checked_sub(1)? as f64);
        if !(0.0..=1.0).contains(&q) {
            return None;
        }
        let low = self.values[rank.floor() as usize];
        let high = self.values[(rank.floor() as usize + 1).min(self.values.len() - 1)];
        let part = rank - rank.floor();
        let distance = high - low;
        if !distance.is_finite() {
            return Some(low * (1.0 - part) + high * part);
        }
        // From the nearer end, as NumPy does, so that equal neighbours give exactly their value.
        Some(if part >= 0.5 { high - distance * (1.0 - part) } else { low + distance * part })
    }

    /// The smallest value with at least a share `q` of the sample at or below it: what an objective
    /// in words means by a percentile.
    pub fn nearest_rank(&self, q: f64) -> Option<f64> {
        if self.values.is_empty() || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = (q * self.values.len() as f64).ceil() as usize;
        self.values.get(rank.saturating_sub(1).min(self.values.len() - 1)).copied()
    }

    /// Count, mean and spread.
    pub fn moments(&self) -> Moments {
        Moments::of(&self.values)
    }
}

/// Count, mean and sum of squared deviations, two passes: no cancellation at a large offset.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// How many values.
    pub n: f64,
    /// Their mean.
    pub mean: f64,
    /// Σ (x − mean)².
    pub squares: f64,
}

impl Moments {
    /// Of these values; NaN of none.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        // From the first value on, so that a large common offset does not eat the digits.
        let first = values.first().copied().unwrap_or(f64::NAN);
        let mean = first + values.iter().map(|value| value - first).sum::<f64>() / n;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self { n, mean, squares }
    }

    /// Variance with divisor n − 1.
    pub fn variance(self) -> f64 {
        self.squares / (self.n - 1.0)
    }

    /// Standard deviation with divisor n.
    pub fn population_sd(self) -> f64 {
        (self.squares / self.n).sqrt()
    }
}

/// Standard deviation with divisor n exactly as NumPy rounds it: the mean from a plain pairwise sum, which
/// at a large common offset differs from ours in its last digits. For scores that must equal theirs.
pub fn numpy_sd(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = pairwise_sum(values) / n;
    let squares: Vec<f64> = values.iter().map(|value| (value - mean) * (value - mean)).collect();
    (pairwise_sum(&squares) / n).sqrt()
}

/// NumPy's summation: eight running sums up to 128 values, halves above.
fn pairwise_sum(values: &[f64]) -> f64 {
    if values.len() < 8 {
        return values.iter().sum();
    }
    if values.len() > 128 {
        let half = values.len() / 2 / 8 * 8;
        return pairwise_sum(&values[..half]) + pairwise_sum(&values[half..]);
    }
    let mut sums = [0.0; 8];
    let eights = values.chunks_exact(8);
    let rest = eights.remainder();
    for eight in eights {
        sums.iter_mut().zip(eight).for_each(|(sum, value)| *sum += value);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_counts_what_it_drops() {
        let sample = Sorted::new(vec![2.0, f64::NAN, -0.0, 0.0, f64::INFINITY]);
        assert_eq!((sample.values(), sample.dropped, sample.distinct()), (&[0.0, 0.0, 2.0][..], 2, 2));
        assert_eq!(sample.dropped_share(), Some(0.4));
        assert_eq!(Sorted::default().quantile(0.5), None);
    }

    proptest::proptest! {
        #[test]
        fn quantiles_grow_and_stay_inside(values in proptest::collection::vec(-1e9f64..1e9, 1..60), a in 0.0f64..1.0, b in 0.0f64..1.0) {
            let sample = Sorted::new(values);
            for quantile in [Sorted::quantile, Sorted::nearest_rank] {
                let (low, high) = (quantile(&sample, a.min(b)).unwrap(), quantile(&sample, a.max(b)).unwrap());
                proptest::prop_assert!(low <= high + 1e-6);
                proptest::prop_assert!(low >= sample.values()[0] - 1e-6);
            }
        }
    }
}
