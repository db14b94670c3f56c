//! The margin e-process: abort beyond a tolerance, promote within it.

use super::{Block, EProcess, Prior};
use crate::stats::special::log_mean_exp;
use serde::{Deserialize, Serialize};

/// Which side of the margin the evidence speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Null: canary − baseline ≤ delta. Evidence says that it is worse than tolerated.
    Abort,
    /// Null: canary − baseline ≥ delta. Evidence says that it stays within the tolerance.
    Promote,
}

/// Evidence that a rate's difference lies beyond `delta`. The null is reached at the point of its border
/// that is nearest to the alternative in Kullback–Leibler divergence, so the ratio of likelihoods has
/// expectation at most 1 (its logarithm is concave, its gradient there points out of the convex null).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Margin {
    side: Side,
    delta: f64,
    alternatives: Vec<f64>,
    logs: Vec<f64>,
    prior: Prior,
}

impl Margin {
    /// A test against `delta` that bets equally on these differences (canary − baseline).
    pub fn new(side: Side, delta: f64, alternatives: &[f64], prior: Prior) -> Self {
        Self { side, delta, alternatives: alternatives.to_vec(), logs: vec![0.0; alternatives.len()], prior }
    }

    /// Abort at an accuracy drop, or any rate, beyond `delta`: bets on 1.5, 2, 3, 5 and 10 times it.
    pub fn abort(delta: f64, prior: Prior) -> Self {
        Self::new(Side::Abort, delta, &[1.5, 2.0, 3.0, 5.0, 10.0].map(|times| times * delta), prior)
    }

    /// Promote an accuracy within `delta`: bets on no drop, a gain of half of it, a drop of 0.4 of it.
    pub fn promote(delta: f64, prior: Prior) -> Self {
        Self::new(Side::Promote, delta, &[0.0, -0.5 * delta, 0.4 * delta], prior)
    }

    /// Promote an error rate within `delta`: bets on no rise, a fall of 0.4 of it, a rise of 0.3 of it.
    pub fn promote_errors(delta: f64, prior: Prior) -> Self {
        Self::new(Side::Promote, delta, &[0.0, -0.4 * delta, 0.3 * delta], prior)
    }

    /// Promote a latency: "slower than the effective margin" against "slower than the baseline's own
    /// percentile", delta 0. Bets on falls of half, a quarter and three quarters of the baseline's share
    /// beyond the threshold.
    pub fn promote_below(share: f64, prior: Prior) -> Self {
        Self::new(Side::Promote, 0.0, &[-0.5, -0.25, -0.75].map(|part| part * share), prior)
    }
}

impl EProcess for Margin {
    fn update(&mut self, block: &Block) {
        if let Some(t_b) = self.prior.rate().filter(|_| block.is_paired()) {
            let (k_c, n_c) = block.canary.counts();
            let (k_b, n_b) = block.baseline.counts();
            for (log, a) in self.logs.iter_mut().zip(&self.alternatives) {
                let t_c = (t_b + a).clamp(1e-6, 1.0 - 1e-6);
                let is_alternative = match self.side {
                    Side::Abort => t_c - t_b > self.delta,
                    Side::Promote => t_c - t_b < self.delta,
                };
                // A rate near 0 or 1 may leave no room for the alternative: then this bet stands still.
                if !is_alternative {
                    continue;
                }
                let b_0 = projection((t_c, n_c), (t_b, n_b), self.delta);
                let c_0 = b_0 + self.delta;
                *log += k_c * (t_c / c_0).ln()
                    + (n_c - k_c) * ((1.0 - t_c) / (1.0 - c_0)).ln()
                    + k_b * (t_b / b_0).ln()
                    + (n_b - k_b) * ((1.0 - t_b) / (1.0 - b_0)).ln();
            }
        }
        self.prior.learn(block.baseline);
    }

    fn log_e(&self) -> f64 {
        log_mean_exp(&self.logs)
    }

    fn fresh(&self) -> Self {
        Self { logs: vec![0.0; self.logs.len()], ..self.clone() }
    }
}

/// The baseline rate b with c = b + delta that minimises n_c KL(t_c‖c) + n_b KL(t_b‖b): the root of a
/// rising function, by Newton's method kept inside its bracket.
fn projection((t_c, n_c): (f64, f64), (t_b, n_b): (f64, f64), delta: f64) -> f64 {
    let slope = |b: f64| {
        let c = b + delta;
        let (vc, vb) = (c * (1.0 - c), b * (1.0 - b));
        let value = n_c * (c - t_c) / vc + n_b * (b - t_b) / vb;
        let rise = n_c * (vc - (c - t_c) * (1.0 - 2.0 * c)) / (vc * vc)
            + n_b * (vb - (b - t_b) * (1.0 - 2.0 * b)) / (vb * vb);
        (value, rise)
    };
    let edge = (f64::max(0.0, -delta), f64::min(1.0, 1.0 - delta));
    let clip = |b: f64| b.clamp(edge.0 + 1e-15, edge.1 - 1e-15);
    // Each arm alone would put the root at t_b or at t_c − delta: it lies between them.
    let (mut low, mut high) = (clip(t_b.min(t_c - delta)), clip(t_b.max(t_c - delta)));
    let mut b = 0.5 * (low + high);
    for _ in 0..100 {
        let (value, rise) = slope(b);
        if value > 0.0 {
            high = b
        } else {
            low = b
        }
        let newton = b - value / rise;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - b).abs() <= 1e-14 * b.abs() || high - low <= 1e-15 {
            return next;
        }
        b = next;
    }
    b
}
