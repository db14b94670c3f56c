//! A mixture over start points: a canary that turns bad late is found as fast as one bad from the start.

use super::{Block, EProcess};
use crate::stats::special::log_sum_exp;
use serde::{Deserialize, Serialize};

/// E = ½ E(0) + Σ E(s)/2S over planned stages s = 1…S; E(s) is 1 until its stage begins. Nothing is reset
/// when the share of traffic steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Staged<P> {
    first: P,
    later: Vec<P>,
    planned: usize,
}

impl<P: EProcess> Staged<P> {
    /// A mixture over this process and `planned` stages after the first.
    pub fn new(first: P, planned: usize) -> Self {
        Self { first, later: Vec::new(), planned }
    }

    /// The next planned stage begins; one more than planned changes nothing.
    pub fn begin_stage(&mut self) {
        if self.later.len() < self.planned {
            self.later.push(self.first.fresh());
        }
    }

    /// The process that has run from the start.
    pub fn from_start(&self) -> &P {
        &self.first
    }
}

impl<P: EProcess> EProcess for Staged<P> {
    fn update(&mut self, block: &Block) {
        self.first.update(block);
        self.later.iter_mut().for_each(|stage| stage.update(block));
    }

    fn log_e(&self) -> f64 {
        if self.planned == 0 {
            return self.first.log_e();
        }
        let half = 0.5f64.ln();
        let share = half - (self.planned as f64).ln();
        let waiting = self.planned - self.later.len();
        let mut logs = vec![half + self.first.log_e()];
        logs.extend(self.later.iter().map(|stage| share + stage.log_e()));
        if waiting > 0 {
            logs.push(share + (waiting as f64).ln());
        }
        log_sum_exp(logs)
    }

    fn fresh(&self) -> Self {
        Self { first: self.first.fresh(), later: Vec::new(), planned: self.planned }
    }
}
