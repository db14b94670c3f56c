//! Latency by thresholds: which bucket bounds to count at, and intervals of a percentile that hold always.

use serde::{Deserialize, Serialize};
use statrs::function::beta::ln_beta;

/// Pseudo-observations of the mixture.
const WEIGHT: f64 = 50.0;
/// Bounds this near to each other, relatively, are equal.
const SAME: f64 = 1e-12;

/// Ranks k_low and k_high such that [X(k_low), X(k_high + 1)] holds the p-quantile at every look, with
/// X(0) = −∞ and X(n + 1) = +∞. Mixture over Beta(50p, 50(1 − p)). Source: Howard & Ramdas 2022.
pub fn ranks(n: u64, p: f64, alpha: f64) -> (u64, u64) {
    let (a, b) = (WEIGHT * p, WEIGHT * (1.0 - p));
    let size = n as f64;
    let bound = (1.0 / alpha).ln();
    let inside = |k: u64| {
        let k = k as f64;
        let log = ln_beta(k + a, size - k + b) - ln_beta(a, b) - k * p.ln() - (size - k) * (1.0 - p).ln();
        log < bound
    };
    // The set of ranks inside is an interval around n·p.
    let middle = ((size * p).round() as u64).min(n);
    if !inside(middle) {
        return (0, n);
    }
    let (mut low, mut high) = (0, middle);
    while low < high {
        let try_at = low + (high - low) / 2;
        if inside(try_at) { high = try_at } else { low = try_at + 1 }
    }
    let k_low = high;
    let (mut low, mut high) = (middle, n);
    while low < high {
        let try_at = high - (high - low) / 2;
        if inside(try_at) { low = try_at } else { high = try_at - 1 }
    }
    (k_low, low)
}

/// The interval of a percentile from cumulative buckets, mapped to bounds outward: it holds at every look.
/// Infinite above the last finite bound.
pub fn interval(p: f64, buckets: &[(f64, f64)], alpha: f64) -> Option<(f64, f64)> {
    let total = buckets.last()?.1;
    if !(total >= 1.0 && total.is_finite()) {
        return None;
    }
    let (low, high) = ranks(total as u64, p, alpha);
    // X(k) lies in the first bucket whose count reaches k.
    let place = |rank: u64| buckets.iter().position(|&(_, count)| count >= rank as f64);
    let floor = match place(low) {
        Some(index) if low > 0 && index > 0 => buckets[index - 1].0,
        _ => 0.0,
    };
    let ceiling = place(high + 1).map_or(f64::INFINITY, |index| buckets[index].0);
    Some((floor, ceiling))
}

/// The bounds that a margin on a threshold really means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EffectiveMargin {
    /// Smallest bound at or above margin·tau: beyond it a canary's answer counts against it. Infinite:
    /// the buckets cannot tell.
    pub abort_bound: f64,
    /// abort_bound/tau.
    pub abort: f64,
    /// Largest bound at or below margin·tau: for "stays within".
    pub promote_bound: f64,
    /// promote_bound/tau.
    pub promote: f64,
}

/// What margin·tau means on these bucket bounds (ascending, `+Inf` left out). Bounds equal to it within
/// rounding count as equal.
pub fn effective_margin(bounds: &[f64], tau: f64, margin: f64) -> EffectiveMargin {
    let wanted = margin * tau;
    let slack = SAME * wanted.abs();
    let finite = || bounds.iter().copied().filter(|bound| bound.is_finite());
    let abort_bound = finite().find(|&bound| bound >= wanted - slack).unwrap_or(f64::INFINITY);
    let promote_bound = finite().rfind(|&bound| bound <= wanted + slack).unwrap_or(0.0);
    EffectiveMargin { abort_bound, abort: abort_bound / tau, promote_bound, promote: promote_bound / tau }
}

/// The finite bucket bound at or just above the p-quantile of cumulative buckets; `None` when it lies
/// above the last finite bound or nothing is counted.
pub fn bound_at(p: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let total = buckets.last()?.1;
    if !(total > 0.0 && total.is_finite()) {
        return None;
    }
    buckets.iter().find(|&&(bound, count)| bound.is_finite() && count >= p * total).map(|&(bound, _)| bound)
}
