//! The rate-ratio split: rare errors, crashes, any counts with an exposure; and an interval of the ratio.

use super::two_stream::GRID;
use super::{Block, EProcess};
use crate::stats::special::{log_mean_exp, log_sum_exp, x_ln_y};
use serde::{Deserialize, Serialize};

/// Ratios of the confidence sequence: 2^(k/8) for k = −40…40.
const RATIOS: usize = 81;

/// Null: in every block the canary's rate is at most `limit` times the baseline's. Given how many events
/// there were, it looks at whose they were, so no estimate of the baseline is needed. Exact for Poisson
/// counts with any time course, conservative for Bernoulli trials. Source: Lindon & Malek 2022, by block
/// and one-sided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateRatio {
    limit: f64,
    logs: [f64; GRID.len()],
}

impl RateRatio {
    /// A test against this ratio of rates; 1 is "no worse".
    pub fn new(limit: f64) -> Self {
        Self { limit, logs: [0.0; GRID.len()] }
    }
}

impl EProcess for RateRatio {
    fn update(&mut self, block: &Block) {
        if !block.is_paired() {
            return;
        }
        let (k_c, k_b) = (block.canary.events as f64, block.baseline.events as f64);
        let (n_c, n_b) = (block.canary.trials as f64, block.baseline.trials as f64);
        let null = n_c * self.limit / (n_c * self.limit + n_b);
        for (log, g) in self.logs.iter_mut().zip(GRID) {
            let weight = n_c * self.limit * g;
            let p = weight / (weight + n_b);
            *log += k_c * (p / null).ln() + k_b * ((1.0 - p) / (1.0 - null)).ln();
        }
    }

    fn log_e(&self) -> f64 {
        log_mean_exp(&self.logs)
    }

    fn fresh(&self) -> Self {
        Self::new(self.limit)
    }
}

/// A confidence sequence of the ratio canary/baseline of two rates: it holds at every look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatioInterval {
    logs: Vec<f64>,
}

impl Default for RatioInterval {
    fn default() -> Self {
        Self { logs: vec![0.0; RATIOS] }
    }
}

impl RatioInterval {
    fn log2_ratio(place: usize) -> f64 {
        (place as f64 - 40.0) / 8.0
    }

    /// Takes in a block.
    pub fn update(&mut self, block: &Block) {
        let (k_c, k_b) = (block.canary.events as f64, block.baseline.events as f64);
        if !block.is_paired() || k_c + k_b == 0.0 {
            return;
        }
        let (n_c, n_b) = (block.canary.trials as f64, block.baseline.trials as f64);
        for (place, log) in self.logs.iter_mut().enumerate() {
            let weight = n_c * Self::log2_ratio(place).exp2();
            let p = weight / (weight + n_b);
            *log += x_ln_y(k_c, p) + x_ln_y(k_b, n_b / (weight + n_b));
        }
    }

    /// The interval at confidence 1 − alpha: 0 or infinity where it reaches the end of the grid. Ends are
    /// interpolated between grid points, linearly in log₂ of the ratio.
    pub fn interval(&self, alpha: f64) -> (f64, f64) {
        let top = log_sum_exp(self.logs.iter().copied()) - (RATIOS as f64).ln();
        let bound = (1.0 / alpha).ln();
        let over = |place: usize| top - self.logs[place] - bound;
        let inside = |place: &usize| over(*place) < 0.0;
        let (Some(first), Some(last)) = ((0..RATIOS).find(inside), (0..RATIOS).rev().find(inside)) else {
            return (0.0, f64::INFINITY);
        };
        let between = |out: usize, within: usize| {
            let part = over(out) / (over(out) - over(within));
            let (from, to) = (Self::log2_ratio(out), Self::log2_ratio(within));
            (from + part * (to - from)).exp2()
        };
        let low = if first == 0 { 0.0 } else { between(first - 1, first) };
        let high = if last == RATIOS - 1 { f64::INFINITY } else { between(last + 1, last) };
        (low, high)
    }
}
