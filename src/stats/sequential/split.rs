//! The traffic split check: is the traffic parted as configured?

use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

/// Pseudo-requests of the Dirichlet prior around the configured weights.
const CONCENTRATION: f64 = 100.0;

/// Evidence that requests are not parted by the configured weights. Source: Lindon & Malek 2022,
/// Dirichlet-multinomial. When the weights change, a new part begins and the evidence multiplies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    weights: Vec<f64>,
    counts: Vec<f64>,
    /// ln E of the parts before the last change of weights.
    before: f64,
}

impl Split {
    /// A check of these weights, scaled to sum 1.
    pub fn new(weights: &[f64]) -> Self {
        let sum: f64 = weights.iter().sum();
        let weights: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
        Self { counts: vec![0.0; weights.len()], weights, before: 0.0 }
    }

    /// From now on other weights are configured.
    pub fn reweigh(&mut self, weights: &[f64]) {
        let before = self.log_e();
        *self = Self { before, ..Self::new(weights) };
    }

    /// Takes in requests by arm.
    pub fn update(&mut self, counts: &[u64]) {
        self.counts.iter_mut().zip(counts).for_each(|(sum, &count)| *sum += count as f64);
    }

    /// ln E now; −∞…; 0 before any request. A weight of 0 that gets a request is infinite evidence.
    pub fn log_e(&self) -> f64 {
        let all: f64 = self.counts.iter().sum();
        let mut log = ln_gamma(CONCENTRATION) - ln_gamma(CONCENTRATION + all);
        for (&weight, &count) in self.weights.iter().zip(&self.counts) {
            if weight <= 0.0 {
                if count > 0.0 {
                    return f64::INFINITY;
                }
                continue;
            }
            let prior = CONCENTRATION * weight;
            log += ln_gamma(prior + count) - ln_gamma(prior) - count * weight.ln();
        }
        self.before + log
    }

    /// Share of the first arm in this part, 0…1; NaN before any request.
    pub fn share(&self) -> f64 {
        self.counts.first().copied().unwrap_or(f64::NAN) / self.counts.iter().sum::<f64>()
    }

    /// The first arm's configured share, 0…1.
    pub fn configured(&self) -> f64 {
        self.weights.first().copied().unwrap_or(f64::NAN)
    }
}
