//! The two-stream binomial e-process: is the canary's rate above the baseline's, at all?

use super::{Block, EProcess, Prior};
use crate::stats::special::log_mean_exp;
use serde::{Deserialize, Serialize};

/// Odds ratios that the test bets on, equally.
pub const GRID: [f64; 12] = [1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0, 20.0];

/// Null: in every block the canary's rate is at most the baseline's. The common rate may drift, cycle or
/// spike, and the share of traffic may step, without a false alarm more.
/// Source: Turner, Ly, Grünwald 2024; t_0 is the projection of the alternative on the null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwoStream {
    logs: [f64; GRID.len()],
    prior: Prior,
}

impl TwoStream {
    /// A test that knows this of the baseline.
    pub fn new(prior: Prior) -> Self {
        Self { logs: [0.0; GRID.len()], prior }
    }
}

impl EProcess for TwoStream {
    fn update(&mut self, block: &Block) {
        let rate = self.prior.rate();
        if let Some(t_b) = rate.filter(|_| block.is_paired()) {
            let (k_c, n_c) = block.canary.counts();
            let (k_b, n_b) = block.baseline.counts();
            for (log, g) in self.logs.iter_mut().zip(GRID) {
                let t_c = g * t_b / (1.0 - t_b + g * t_b);
                let t_0 = (n_c * t_c + n_b * t_b) / (n_c + n_b);
                *log += k_c * (t_c / t_0).ln()
                    + (n_c - k_c) * ((1.0 - t_c) / (1.0 - t_0)).ln()
                    + k_b * (t_b / t_0).ln()
                    + (n_b - k_b) * ((1.0 - t_b) / (1.0 - t_0)).ln();
            }
        }
        self.prior.learn(block.baseline);
    }

    fn log_e(&self) -> f64 {
        log_mean_exp(&self.logs)
    }

    fn fresh(&self) -> Self {
        Self::new(self.prior)
    }
}
