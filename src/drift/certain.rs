//! How sure a score is. Of numbers [`crate::domain::FeatureDrift`] tells it, of categories their number counts.

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
fn expected(method: Method, counts: &[(u64, u64)]) -> f64 {
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

/// How sure a score is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sure {
    /// In a word.
    pub certainty: Certainty,
    /// The least that the true score can be.
    pub least: f64,
    /// A score below this says nothing.
    pub floor: f64,
    /// What so many categories show on average without any drift; 0 of two.
    pub usual: f64,
}

/// How sure a score (common scale) of counted categories is, and the least that the true one can be.
/// Source: McDiarmid's bound around the mean, which is never wider than Massart's used here; with two
/// categories the distance is that of two distribution functions and the mean need not be taken off.
pub(super) fn sure(method: Method, score: f64, counts: &[(u64, u64)]) -> Sure {
    let (n, m) = counts.iter().fold((0, 0), |(n, m), (r, x)| (n + r, m + x));
    if n == 0 || m == 0 {
        return Sure { certainty: Certainty::Noise, least: 0.0, floor: 1.0, usual: 1.0 };
    }
    let noise = noise(n, m, 2, ALPHA);
    let usual = if counts.len() > 2 { expected(method, counts) } else { 0.0 };
    let least = (noise.lower(score) - usual).max(0.0);
    let floor = noise.ks_floor.max(usual);
    let certainty = match DriftLevel::of(score) {
        _ if score < floor => Certainty::Noise,
        Some(DriftLevel::Minimal) => Certainty::Confirmed,
        level if DriftLevel::of(least) == level => Certainty::Confirmed,
        _ => Certainty::Tentative,
    };
    Sure { certainty, least, floor, usual }
}

/// The same of numbers, whose certainty the domain tells.
pub(super) fn sure_of_numbers(method: Method, score: f64, certainty: Certainty, rows: (u64, u64)) -> Sure {
    let (noise, floor) = method.scale().noise(rows.0, rows.1);
    Sure { certainty, least: noise.lower(score), floor, usual: 0.0 }
}
