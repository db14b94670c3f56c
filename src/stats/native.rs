//! Percentiles of Prometheus' native histograms: exponential buckets.

/// A native histogram with positive buckets: bucket i covers (base^(offset+i−1), base^(offset+i)] with
/// base = 2^(2^−schema).
#[derive(Debug, Clone, PartialEq)]
pub struct Native {
    /// Resolution: −4…8, larger is finer.
    pub schema: i32,
    /// Half the width of the bucket around zero.
    pub zero_threshold: f64,
    /// Observations in it.
    pub zero_count: f64,
    /// Index of the first positive bucket.
    pub offset: i32,
    /// Observations by positive bucket.
    pub counts: Vec<f64>,
}

impl Native {
    fn bound(&self, index: i32) -> f64 {
        (f64::from(index) * (-f64::from(self.schema)).exp2()).exp2()
    }

    /// All observations.
    pub fn total(&self) -> f64 {
        self.zero_count + self.counts.iter().sum::<f64>()
    }

    /// The `q` quantile: exponential interpolation in a bucket, linear in the one around zero; walked
    /// from below for q < 0.5 and from above otherwise. `None` without observations or for a NaN.
    /// Source: promql `HistogramQuantile`, Prometheus 3.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.total();
        if q.is_nan() || total <= 0.0 || !total.is_finite() {
            return None;
        }
        if !(0.0..=1.0).contains(&q) {
            return Some(if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        // Buckets with their counts, the one around zero first; with positive buckets only it begins at 0.
        let zero = (0.0, self.zero_threshold, self.zero_count, false);
        let positive = self.counts.iter().enumerate().map(|(place, &count)| {
            let index = self.offset.saturating_add(place as i32);
            (self.bound(index - 1), self.bound(index), count, true)
        });
        let buckets: Vec<(f64, f64, f64, bool)> =
            std::iter::once(zero).chain(positive).filter(|bucket| bucket.2 > 0.0).collect();
        let (bucket, rank) = if q < 0.5 {
            let mut rank = q * total;
            let mut found = buckets.last()?;
            for bucket in &buckets {
                found = bucket;
                if rank <= bucket.2 {
                    break;
                }
                rank -= bucket.2;
            }
            (found, rank)
        } else {
            let mut rank = (1.0 - q) * total;
            let mut found = buckets.first()?;
            for bucket in buckets.iter().rev() {
                found = bucket;
                if rank <= bucket.2 {
                    break;
                }
                rank -= bucket.2;
            }
            (found, found.2 - rank)
        };
        let &(low, high, count, exponential) = bucket;
        let part = rank / count;
        Some(if exponential { low * (high / low).powf(part) } else { low + (high - low) * part })
    }

    /// The same observations at half the resolution: two buckets become one.
    fn halved(&self) -> Self {
        let first = (self.offset + 1).div_euclid(2);
        let mut counts: Vec<f64> = Vec::new();
        for (place, &count) in self.counts.iter().enumerate() {
            let index = (self.offset + place as i32 + 1).div_euclid(2) - first;
            let index = usize::try_from(index).unwrap_or(0);
            counts.resize(counts.len().max(index + 1), 0.0);
            counts[index] += count;
        }
        Self { schema: self.schema - 1, offset: first, counts, ..*self }
    }

    /// Two instances together: the finer one is lowered to the coarser one's schema, then counts add up.
    /// The zero bucket is the wider of the two; buckets inside it keep their place.
    pub fn merged(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.clone(), other.clone());
        while a.schema > b.schema {
            a = a.halved();
        }
        while b.schema > a.schema {
            b = b.halved();
        }
        let offset = a.offset.min(b.offset);
        let mut counts: Vec<f64> = Vec::new();
        for side in [&a, &b] {
            let shift = usize::try_from(side.offset - offset).unwrap_or(0);
            counts.resize(counts.len().max(shift + side.counts.len()), 0.0);
            side.counts.iter().enumerate().for_each(|(place, count)| counts[shift + place] += count);
        }
        Self {
            schema: a.schema,
            zero_threshold: a.zero_threshold.max(b.zero_threshold),
            zero_count: a.zero_count + b.zero_count,
            offset,
            counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_lowers_the_finer_one() {
        let fine = Native {
            schema: 1,
            zero_threshold: 0.0,
            zero_count: 0.0,
            offset: 1,
            counts: vec![1.0, 2.0, 3.0, 4.0],
        };
        let coarse = Native { schema: 0, zero_threshold: 0.0, zero_count: 0.0, offset: 1, counts: vec![5.0] };
        let both = fine.merged(&coarse);
        assert_eq!((both.schema, both.offset, both.counts.clone()), (0, 1, vec![8.0, 7.0]));
        assert!((both.total() - 15.0).abs() < 1e-12);
    }

    proptest::proptest! {
        #[test]
        fn it_grows_with_q(counts in proptest::collection::vec(0.0f64..100.0, 1..20), zero in 0.0f64..10.0, a in 0.0f64..1.0, b in 0.0f64..1.0) {
            let histogram = Native { schema: 2, zero_threshold: 0.01, zero_count: zero, offset: -3, counts };
            if let (Some(low), Some(high)) = (histogram.quantile(a.min(b)), histogram.quantile(a.max(b))) {
                proptest::prop_assert!(low <= high * (1.0 + 1e-9) + 1e-12, "{} {}", low, high);
            }
        }
    }
}
