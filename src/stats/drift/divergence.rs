//! Distances between two discrete distributions.

use crate::stats::special::x_ln_y;

/// Shares below this count as this in the population stability index; they are not scaled up again.
const FLOOR: f64 = 1e-4;

/// Weights scaled to sum 1; NaN when they sum to nothing.
pub fn normalised(weights: &[f64]) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// Shares of counts.
pub fn shares(counts: &[u64]) -> Vec<f64> {
    let sum = counts.iter().sum::<u64>() as f64;
    counts.iter().map(|&count| count as f64 / sum).collect()
}

/// Total variation, half Σ |p − q|: the share of rows that moved, 0…1.
pub fn total_variation(p: &[f64], q: &[f64]) -> f64 {
    0.5 * p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>()
}

/// The largest change of one category's share, 0…1.
pub fn largest_change(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).map(|(p, q)| (p - q).abs()).fold(0.0, f64::max)
}

/// Kullback–Leibler divergence of `p` from `q`, nats; infinite where q lacks what p has.
pub fn kl(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).map(|(&p, &q)| if p == 0.0 { 0.0 } else { p * (p / q).ln() }).sum()
}

/// Jensen–Shannon divergence, nats, at least 0. Source: Lin 1991.
pub fn jensen_shannon(p: &[f64], q: &[f64]) -> f64 {
    let half = |a: f64, middle: f64| x_ln_y(a, a / middle);
    let sum: f64 = p
        .iter()
        .zip(q)
        .filter(|(p, q)| **p + **q > 0.0)
        .map(|(&p, &q)| half(p, 0.5 * (p + q)) + half(q, 0.5 * (p + q)))
        .sum();
    (0.5 * sum).max(0.0)
}

/// Jensen–Shannon distance in nats: the root of the divergence, at most √ln 2.
pub fn js_distance_nats(p: &[f64], q: &[f64]) -> f64 {
    jensen_shannon(p, q).sqrt()
}

/// Jensen–Shannon distance with logarithms to base 2, 0…1.
pub fn js_distance(p: &[f64], q: &[f64]) -> f64 {
    (jensen_shannon(p, q) / std::f64::consts::LN_2).sqrt()
}

/// Hellinger distance, 0…1.
pub fn hellinger(p: &[f64], q: &[f64]) -> f64 {
    let sum: f64 = p.iter().zip(q).map(|(p, q)| (p.sqrt() - q.sqrt()).powi(2)).sum();
    (0.5 * sum).sqrt()
}

/// Σ (q − p) ln(q/p) of two shares that are not zero.
pub fn stability(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).map(|(p, q)| (q - p) * (q / p).ln()).sum()
}

/// The population stability index of counts by bin, shares floored at 1e-4.
pub fn psi_of(reference: &[u64], current: &[u64]) -> f64 {
    let floored =
        |counts: &[u64]| -> Vec<f64> { shares(counts).into_iter().map(|share| share.max(FLOOR)).collect() };
    stability(&floored(reference), &floored(current))
}

/// Shares with the empty ones filled as Evidently does: a millionth of the least share when that is at
/// most 1e-4, else 1e-4.
pub fn filled(shares: &[f64]) -> Vec<f64> {
    let least = shares.iter().copied().filter(|&share| share > 0.0).fold(f64::INFINITY, f64::min);
    let fill = if least <= 1e-4 { least / 1e6 } else { 1e-4 };
    shares.iter().map(|&share| if share == 0.0 { fill } else { share }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn distances_are_symmetric_and_bounded(a in proptest::collection::vec(0u64..1000, 3), b in proptest::collection::vec(0u64..1000, 3)) {
            proptest::prop_assume!(a.iter().sum::<u64>() > 0 && b.iter().sum::<u64>() > 0);
            let (p, q) = (shares(&a), shares(&b));
            for distance in [total_variation, js_distance, hellinger, largest_change] {
                let (there, back) = (distance(&p, &q), distance(&q, &p));
                proptest::prop_assert!((there - back).abs() < 1e-12);
                proptest::prop_assert!((0.0..=1.0 + 1e-12).contains(&there));
                proptest::prop_assert_eq!(distance(&p, &p), 0.0);
            }
            proptest::prop_assert!((psi_of(&a, &b) - psi_of(&b, &a)).abs() < 1e-9);
        }
    }
}
