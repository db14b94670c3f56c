//! What a drift score is worth: its calibration between methods and the noise below which it says nothing.

use crate::stats::special::{kolmogorov_isf, normal_cdf};

/// The scores of a Gaussian that is shifted by some standard deviations: one row of the calibration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equivalent {
    /// Kolmogorov–Smirnov distance, 2Φ(d/2) − 1; total variation is the same.
    pub ks: f64,
    /// Population stability index, d².
    pub psi: f64,
    /// Kullback–Leibler divergence, nats, d²/2.
    pub kl: f64,
    /// Jensen–Shannon distance, base 2.
    pub js: f64,
    /// Jensen–Shannon distance, natural logarithm.
    pub js_nats: f64,
    /// Wasserstein distance in reference standard deviations, d.
    pub wasserstein: f64,
    /// Hellinger distance, √(1 − exp(−d²/8)).
    pub hellinger: f64,
}

/// The scores of a shift by `d` standard deviations. Closed forms, Jensen–Shannon by integration.
pub fn gaussian(d: f64) -> Equivalent {
    let d = d.abs();
    let js_nats = js_of_shift(d).max(0.0).sqrt();
    Equivalent {
        ks: 2.0 * normal_cdf(d / 2.0) - 1.0,
        psi: d * d,
        kl: d * d / 2.0,
        js: js_nats / std::f64::consts::LN_2.sqrt(),
        js_nats,
        wasserstein: d,
        hellinger: (-(-d * d / 8.0).exp_m1()).sqrt(),
    }
}

/// Jensen–Shannon divergence of two unit Gaussians d apart, by the trapezoid rule: of a smooth function
/// that vanishes at both ends it converges faster than any power of the step.
fn js_of_shift(d: f64) -> f64 {
    let half = |x: f64| {
        // p ln(2p/(p + q)) with q/p = exp(dx − d²/2).
        let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
        density * (std::f64::consts::LN_2 - (d * x - d * d / 2.0).exp().ln_1p())
    };
    let (from, to, steps) = (-12.0, 12.0 + d, 8_000u32);
    let width = (to - from) / f64::from(steps);
    // By symmetry both halves of the divergence are equal.
    (0..=steps).map(|step| half(from + f64::from(step) * width)).sum::<f64>() * width
}

/// The noise in a score from two samples of `n` and `m` rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// How far a KS distance may be above the true one, at confidence 1 − alpha.
    pub margin: f64,
    /// What the population stability index is on average without any drift.
    pub psi_expected: f64,
    /// The KS distance that 1 − alpha of all samples without drift stay below.
    pub ks_floor: f64,
}

/// Source: Massart 1990 for the margin √(ln(4/α)/2n) + √(ln(4/α)/2m); (B − 1)(1/n + 1/m) for the mean
/// index over B bins; Kolmogorov's quantile times √((n + m)/nm) for the floor.
pub fn noise(n: u64, m: u64, bins: u64, alpha: f64) -> Noise {
    let (n, m) = (n as f64, m as f64);
    let side = |rows: f64| ((4.0 / alpha).ln() / (2.0 * rows)).sqrt();
    Noise {
        margin: side(n) + side(m),
        psi_expected: bins.saturating_sub(1) as f64 * (1.0 / n + 1.0 / m),
        ks_floor: kolmogorov_isf(alpha) * ((n + m) / (n * m)).sqrt(),
    }
}

impl Noise {
    /// The least that the true distance can be, given the measured one: at least 0.
    pub fn lower(self, score: f64) -> f64 {
        (score - self.margin).max(0.0)
    }
}
