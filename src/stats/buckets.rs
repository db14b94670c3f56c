//! Percentiles from the buckets of a classic histogram, exactly as Prometheus' `histogram_quantile` does.

use serde::{Deserialize, Serialize};

/// A percentile with the bucket that holds it: the value is no more exact than that bucket.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BucketQuantile {
    /// The value by linear interpolation inside the bucket.
    pub value: f64,
    /// The bucket's lower bound.
    pub low: f64,
    /// The bucket's upper bound, infinite above the last finite one.
    pub high: f64,
    /// The percentile lies above the last finite bound: `value` is that bound, a floor (`≥`).
    pub above_last: bool,
}

/// Differences of counts below this share are rounding, as in Prometheus.
const ROUNDING: f64 = 1e-12;

/// The `q` quantile of a histogram given as upper bounds with cumulative counts, in any order.
///
/// Equal bounds are added up, counts that fall are raised to the one before, the first bucket begins at 0
/// when its bound is above 0. `None` where Prometheus says NaN: no observations, fewer than two buckets,
/// no `+Inf` bucket. A `q` outside 0…1 gives an infinity.
///
/// ```
/// let buckets = [(0.1, 90.0), (0.5, 100.0), (f64::INFINITY, 100.0)];
/// let p95 = wardroom::stats::buckets::quantile(0.95, &buckets).unwrap();
/// assert!((p95.value - 0.3).abs() < 1e-12);
/// assert_eq!((p95.low, p95.high), (0.1, 0.5));
/// ```
pub fn quantile(q: f64, buckets: &[(f64, f64)]) -> Option<BucketQuantile> {
    if q.is_nan() {
        return None;
    }
    if !(0.0..=1.0).contains(&q) {
        let value = if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
        return Some(BucketQuantile { value, low: value, high: value, above_last: false });
    }
    let buckets = repaired(buckets);
    let (&(last, total), finite) = buckets.split_last()?;
    if last != f64::INFINITY || finite.is_empty() || total == 0.0 || !total.is_finite() {
        return None;
    }
    let rank = q * total;
    let Some(index) = finite.iter().position(|&(_, count)| count >= rank) else {
        let bound = finite.last()?.0;
        return Some(BucketQuantile { value: bound, low: bound, high: last, above_last: true });
    };
    let (high, count) = finite[index];
    if index == 0 && high <= 0.0 {
        return Some(BucketQuantile { value: high, low: f64::NEG_INFINITY, high, above_last: false });
    }
    let (low, before) = if index == 0 { (0.0, 0.0) } else { finite[index - 1] };
    let value = low + (high - low) * ((rank - before) / (count - before));
    (!value.is_nan()).then_some(BucketQuantile { value, low, high, above_last: false })
}

/// Buckets of several instances added up.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Merged {
    /// Upper bounds with cumulative counts, ascending.
    pub buckets: Vec<(f64, f64)>,
    /// Some instance lacked a bound that another has: only the common ones are kept.
    pub restricted: bool,
}

/// Adds up the buckets of several instances, each with cumulative counts by upper bound. This is the only
/// right way to a percentile of them all: a mean of their percentiles is none. Instances with other bounds
/// are brought to the common ones; those without a bucket are left out.
pub fn merge<'a>(instances: impl IntoIterator<Item = &'a [(f64, f64)]>) -> Merged {
    let instances: Vec<Vec<(f64, f64)>> =
        instances.into_iter().map(repaired).filter(|buckets| !buckets.is_empty()).collect();
    let Some((first, others)) = instances.split_first() else { return Merged::default() };
    let count = |buckets: &[(f64, f64)], bound: f64| {
        let place = buckets.binary_search_by(|other| other.0.total_cmp(&bound));
        place.ok().map(|place| buckets[place].1)
    };
    let common = first.iter().filter_map(|&(bound, seen)| {
        let rest = others.iter().map(|other| count(other, bound)).sum::<Option<f64>>()?;
        Some((bound, seen + rest))
    });
    let buckets: Vec<(f64, f64)> = common.collect();
    let restricted = instances.iter().any(|instance| instance.len() != buckets.len());
    Merged { buckets, restricted }
}

/// Sorted by bound, equal bounds added up, counts never falling.
fn repaired(buckets: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sorted: Vec<(f64, f64)> =
        buckets.iter().copied().filter(|(bound, count)| !bound.is_nan() && !count.is_nan()).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    sorted.dedup_by(|next, kept| {
        let equal = next.0 == kept.0;
        if equal {
            kept.1 += next.1;
        }
        equal
    });
    let mut before = sorted.first().map_or(0.0, |first| first.1);
    for (_, count) in sorted.iter_mut().skip(1) {
        if *count < before || is_rounding(before, *count) {
            *count = before;
        }
        before = *count;
    }
    sorted
}

fn is_rounding(a: f64, b: f64) -> bool {
    a != 0.0 && b != 0.0 && (a - b).abs() / (a.abs() + b.abs()).min(f64::MAX) < ROUNDING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_with_other_bounds_share_the_common_ones() {
        let inf = f64::INFINITY;
        let (a, b) = ([(0.1, 5.0), (0.5, 8.0), (inf, 10.0)], [(0.1, 1.0), (0.2, 2.0), (inf, 4.0)]);
        let both = merge([&a[..], &b[..], &[]]);
        assert_eq!((both.buckets, both.restricted), (vec![(0.1, 6.0), (inf, 14.0)], true));
        assert!(!merge([&a[..]]).restricted && merge([]).buckets.is_empty());
    }

    #[test]
    fn above_the_last_bucket_is_a_floor() {
        let buckets = [(0.5, 10.0), (1.0, 20.0), (f64::INFINITY, 100.0)];
        let p95 = quantile(0.95, &buckets).unwrap();
        assert_eq!((p95.value, p95.low, p95.high), (1.0, 1.0, f64::INFINITY));
        assert!(p95.above_last);
        assert!(!quantile(0.1, &buckets).unwrap().above_last);
    }

    proptest::proptest! {
        #[test]
        fn a_value_lies_in_its_bucket_and_grows_with_q(
            counts in proptest::collection::vec(0.0f64..1e6, 2..20), a in 0.0f64..1.0, b in 0.0f64..1.0,
        ) {
            let last = counts.len() - 1;
            let buckets: Vec<(f64, f64)> = counts.iter().enumerate()
                .map(|(i, &count)| (if i == last { f64::INFINITY } else { 0.1 + i as f64 }, count)).collect();
            let (low, high) = (quantile(a.min(b), &buckets), quantile(a.max(b), &buckets));
            for found in [low, high].into_iter().flatten() {
                proptest::prop_assert!(found.low - 1e-9 <= found.value && found.value <= found.high + 1e-9);
            }
            if let (Some(low), Some(high)) = (low, high) {
                proptest::prop_assert!(low.value <= high.value + 1e-9);
            }
        }

        #[test]
        fn nothing_makes_it_panic(buckets in proptest::collection::vec((proptest::num::f64::ANY, proptest::num::f64::ANY), 0..8), q in proptest::num::f64::ANY) {
            let _ = quantile(q, &buckets);
        }
    }
}
