//! Confidence sequences of one arm: intervals that hold at every look.

use serde::{Deserialize, Serialize};
use statrs::function::beta::ln_beta;

use super::Arm;
use crate::stats::special::{bisect, x_ln_y};

/// The 1 − alpha confidence sequence of a rate, by the mixture of binomials over Beta(½, ½). It lies beyond
/// a fixed limit as a whole, or the limit is not breached. Source: Robbins 1970.
pub fn rate(arm: Arm, alpha: f64) -> (f64, f64) {
    let (k, n) = arm.counts();
    let bound = (1.0 / alpha).ln();
    let mixture = ln_beta(k + 0.5, n - k + 0.5) - ln_beta(0.5, 0.5);
    let excess = |p: f64| mixture - x_ln_y(k, p) - x_ln_y(n - k, 1.0 - p) - bound;
    let middle = if n > 0.0 { k / n } else { 0.5 };
    let low = if k == 0.0 || excess(0.0) < 0.0 { 0.0 } else { bisect(0.0, middle, |p| -excess(p)) };
    let high = if k == n || excess(1.0) < 0.0 { 1.0 } else { bisect(middle, 1.0, excess) };
    (low, high)
}

/// A confidence sequence of the mean of scores in 0…1, by predictable plug-in empirical Bernstein bounds.
/// Source: Waudby-Smith & Ramdas 2024, truncation ½, both sides at half of alpha.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanInterval {
    below: OneSided,
    above: OneSided,
}

/// A lower bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct OneSided {
    alpha: f64,
    n: f64,
    sum: f64,
    /// Σ (x − running mean)², the mean regularised by one observation of ½.
    squares: f64,
    bets: f64,
    won: f64,
    penalty: f64,
}

/// The largest bet.
const TRUNCATION: f64 = 0.5;

impl OneSided {
    fn new(alpha: f64) -> Self {
        Self { alpha, n: 0.0, sum: 0.0, squares: 0.0, bets: 0.0, won: 0.0, penalty: 0.0 }
    }

    fn update(&mut self, x: f64) {
        let t = self.n + 1.0;
        let variance = (0.25 + self.squares) / (self.n + 1.0);
        let log = (1.0 / self.alpha).ln();
        let bet = (2.0 * log / (t * (1.0 + t).ln() * variance)).sqrt().min(TRUNCATION);
        let mean_before = if self.n > 0.0 { self.sum / self.n } else { 0.0 };
        self.penalty += (x - mean_before).powi(2) * (-(-bet).ln_1p() - bet);
        self.bets += bet;
        self.won += bet * x;
        self.n = t;
        self.sum += x;
        self.squares += (x - (0.5 + self.sum) / (t + 1.0)).powi(2);
    }

    fn bound(&self) -> f64 {
        if self.n == 0.0 {
            return 0.0;
        }
        let log = (1.0 / self.alpha).ln();
        ((self.won - log - self.penalty) / self.bets).clamp(0.0, 1.0)
    }
}

impl MeanInterval {
    /// At confidence 1 − alpha.
    pub fn new(alpha: f64) -> Self {
        Self { below: OneSided::new(alpha / 2.0), above: OneSided::new(alpha / 2.0) }
    }

    /// Takes in a score; it is kept in 0…1.
    pub fn update(&mut self, x: f64) {
        let x = x.clamp(0.0, 1.0);
        self.below.update(x);
        self.above.update(1.0 - x);
    }

    /// The interval now.
    pub fn interval(&self) -> (f64, f64) {
        (self.below.bound(), 1.0 - self.above.bound())
    }
}
