//! What the baseline did before the canary came: it sets thresholds and the first estimate of rates.

use super::portion::{Counts, Portion, Role, total};
use crate::stats::sequential::Arm;
use crate::stats::sequential::quantile::{EffectiveMargin, bound_at, effective_margin};
use serde::{Deserialize, Serialize};

/// Observations that thresholds need: fewer would put the 99th percentile anywhere.
const LEAST: u64 = 100;
/// The percentiles that latency is judged at.
pub const PERCENTILES: [f64; 4] = [0.50, 0.90, 0.95, 0.99];
/// The place of p95 among them: the headline.
pub const HEADLINE: usize = 2;

/// The baseline's past.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    counts: Option<Counts>,
}

/// A latency threshold: a bucket bound at or just above a past percentile of the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Which percentile, 0…1.
    pub percentile: f64,
    /// The bound, seconds.
    pub tau: f64,
    /// What the margin means on these buckets.
    pub margin: EffectiveMargin,
}

impl History {
    /// Adds the baseline's part of a block.
    pub fn learn(&mut self, portions: &[Portion]) {
        let Some(counts) = total(portions, Role::Baseline) else { return };
        match &mut self.counts {
            Some(sum) => sum.add(&counts),
            None => self.counts = Some(counts),
        }
    }

    /// Events of trials; nothing of nothing.
    pub fn arm(&self) -> Arm {
        match &self.counts {
            Some(Counts::Events(arm)) => *arm,
            _ => Arm::default(),
        }
    }

    /// Answers slower than a bound.
    pub fn slower_than(&self, bound: f64) -> Arm {
        self.counts.as_ref().and_then(|counts| counts.slower_than(bound)).unwrap_or_default()
    }

    /// Whether there is enough to choose thresholds from.
    pub fn is_enough(&self) -> bool {
        self.counts.as_ref().is_some_and(|counts| counts.trials() >= LEAST)
    }

    /// The thresholds; percentiles above the last finite bound have none, and equal ones are kept, as the
    /// evidence is a mean over percentiles.
    pub fn thresholds(&self, margin: f64) -> Vec<Threshold> {
        let Some(Counts::Buckets(buckets)) = &self.counts else { return Vec::new() };
        let bounds: Vec<f64> = buckets.iter().map(|bucket| bucket.0).collect();
        let margin = margin.max(1.0);
        let found = PERCENTILES.into_iter().filter_map(|percentile| {
            let tau = bound_at(percentile, buckets)?;
            Some(Threshold { percentile, tau, margin: effective_margin(&bounds, tau, margin) })
        });
        found.collect()
    }
}
