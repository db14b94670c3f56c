//! The instance-rank e-process: for baselines whose instances differ by themselves.

use crate::stats::special::log_mean_exp;
use serde::{Deserialize, Serialize};

/// Powers that the test bets with, equally.
pub const KAPPA: [f64; 5] = [0.15, 0.3, 0.5, 0.7, 0.85];

/// One block of at least five minutes: where the canary stands among the baseline's instances.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RankBlock {
    /// Baseline instances that were strictly worse than the canary.
    pub worse: u64,
    /// Baseline instances that were exactly as good.
    pub ties: u64,
    /// A number drawn uniformly from 0…1, to break ties.
    pub drawn: f64,
}

/// Null: the canary is one of the instances, exchangeable with those of the baseline, however much they
/// vary. Each block gives u = (worse + drawn·(ties + 1))/(K + 1), uniform under the null; small when the
/// canary is among the worst.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranks {
    logs: [f64; KAPPA.len()],
}

impl Default for Ranks {
    fn default() -> Self {
        Self { logs: [0.0; KAPPA.len()] }
    }
}

impl Ranks {
    /// Takes in a block with `instances` baseline instances; at least three are needed to say anything.
    pub fn update(&mut self, instances: u64, block: RankBlock) {
        if instances < 3 {
            return;
        }
        let u = (block.worse as f64 + block.drawn * (block.ties + 1) as f64) / (instances as f64 + 1.0);
        let u = u.clamp(1e-12, 1.0);
        for (log, kappa) in self.logs.iter_mut().zip(KAPPA) {
            *log += kappa.ln() + (kappa - 1.0) * u.ln();
        }
    }

    /// ln E now.
    pub fn log_e(&self) -> f64 {
        log_mean_exp(&self.logs)
    }
}
