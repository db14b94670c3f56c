//! How sure a score of categories is. Of numbers [`crate::domain::FeatureDrift`] tells it.

use super::method::Method;
use crate::domain::DriftLevel;
use crate::domain::drift::Certainty;
use crate::stats::drift::level::noise;

/// Chance that a score is called confirmed and is not.
const ALPHA: f64 = 0.05;

/// What two samples of categories show on average without any drift, on the common scale. With many
/// categories it is much: two lists of distinct names have nothing in common, wherever they come from.
///
/// Source: E Σ|p̂ − q̂|/2 ≤ ½ Σ √(p(1 − p)(1/n + 1/m)) by Jensen, with the pooled shares for p; for the
/// divergences the mean of χ² with K − 1 degrees of freedom, divided as each of them is near no drift.
pub(super) fn expected(method: Method, counts: &[(u64, u64)]) -> f64 {
    let (n, m) = counts.iter().fold((0, 0), |(n, m), (r, x)| (n + r, m + x));
    let all = (n + m) as f64;
    let parts = 1.0 / n as f64 + 1.0 / m as f64;
    let dof = counts.len().saturating_sub(1) as f64;
    let raw = match method {
        Method::Ks | Method::Chi2 | Method::Wasserstein => {
            let spread = |(r, x): &(u64, u64)| {
                let share = (r + x) as f64 / all;
                (share * (1.0 - share)).max(0.0).sqrt()
            };
            0.5 * parts.sqrt() * counts.iter().map(spread).sum::<f64>()
        }
        Method::Psi => dof * parts,
        Method::Kl => 0.5 * dof * parts,
        Method::Js => (dof * parts / 8.0 / std::f64::consts::LN_2).sqrt(),
    };
    method.scale().common(raw).unwrap_or(1.0).min(1.0)
}

/// How sure a score (common scale) of counted categories is, and the least that the true one can be.
/// Source: McDiarmid's bound around the mean, which is never wider than Massart's used here; with two
/// categories the distance is that of two distribution functions and the mean need not be taken off.
pub(super) fn certainty(method: Method, score: f64, counts: &[(u64, u64)]) -> (Certainty, f64) {
    let (n, m) = counts.iter().fold((0, 0), |(n, m), (r, x)| (n + r, m + x));
    if n == 0 || m == 0 {
        return (Certainty::Noise, 0.0);
    }
    let noise = noise(n, m, 2, ALPHA);
    let bias = if counts.len() > 2 { expected(method, counts) } else { 0.0 };
    let least = (noise.lower(score) - bias).max(0.0);
    let level = DriftLevel::of(score);
    let certainty = match level {
        _ if score < noise.ks_floor.max(bias) => Certainty::Noise,
        Some(DriftLevel::Minimal) => Certainty::Confirmed,
        level if DriftLevel::of(least) == level => Certainty::Confirmed,
        _ => Certainty::Tentative,
    };
    (certainty, least)
}
