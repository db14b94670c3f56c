//! How many observations a fixed-size test needs.

use crate::stats::special::{bisect, normal_isf, normal_sf};

/// What is to be found, and how surely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Chance of a false alarm.
    pub alpha: f64,
    /// Chance to find the effect.
    pub power: f64,
    /// Baseline observations for each of the canary.
    pub baseline_per_canary: f64,
    /// 1 or 2.
    pub sides: u8,
}

impl Wanted {
    fn quantiles(self) -> (f64, f64) {
        (normal_isf(self.alpha / f64::from(self.sides.max(1))), normal_isf(1.0 - self.power))
    }
}

/// Canary observations that tell two proportions apart. Source: Fleiss, Levin, Paik 2003, without
/// continuity correction. Infinite for equal proportions.
pub fn proportions(p_canary: f64, p_baseline: f64, wanted: Wanted) -> f64 {
    let (za, zb) = wanted.quantiles();
    let k = wanted.baseline_per_canary;
    let (p1, p2) = (p_canary, p_baseline);
    let mean = (p1 + k * p2) / (1.0 + k);
    let under = za * ((1.0 + 1.0 / k) * mean * (1.0 - mean)).sqrt();
    let beyond = zb * (p1 * (1.0 - p1) + p2 * (1.0 - p2) / k).sqrt();
    (under + beyond).powi(2) / (p1 - p2).powi(2)
}

/// The same by Cohen's h, the far tail of a two-sided test counted too.
pub fn proportions_arcsine(p_canary: f64, p_baseline: f64, wanted: Wanted) -> f64 {
    let (za, zb) = wanted.quantiles();
    let h = (2.0 * p_canary.sqrt().asin() - 2.0 * p_baseline.sqrt().asin()).abs();
    let scale = 1.0 + 1.0 / wanted.baseline_per_canary;
    let near = ((za + zb) / h).powi(2) * scale;
    if wanted.sides < 2 || !near.is_finite() {
        return near;
    }
    let power = |n: f64| {
        let shift = h * (n / scale).sqrt();
        normal_sf(za - shift) + normal_sf(za + shift)
    };
    bisect(0.0, 2.0 * near, |n| power(n) - wanted.power)
}

/// Observations in the first arm that tell two means d standard deviations apart, by the normal
/// approximation; `baseline_per_canary` is the second arm's size per one of the first.
pub fn means(cohen_d: f64, wanted: Wanted) -> f64 {
    let (za, zb) = wanted.quantiles();
    ((za + zb) / cohen_d).powi(2) * (1.0 + 1.0 / wanted.baseline_per_canary)
}
