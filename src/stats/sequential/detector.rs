//! After a promotion: a detector that never grows old.

use super::{Block, EProcess};
use serde::{Deserialize, Serialize};

/// D = max(1, D before)·(E now/E before): what spoke for the model long ago does not weigh against an alarm
/// today. It has no overall chance of a false alarm; its mean time to one is at least 1/alpha blocks.
/// Source: Shin, Ramdas, Rinaldo 2023, E-detectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detector<P> {
    process: P,
    log: f64,
}

impl<P: EProcess> Detector<P> {
    /// Around a process that has seen nothing.
    pub fn new(process: P) -> Self {
        Self { process, log: 0.0 }
    }

    /// Takes in a block and gives ln D.
    pub fn update(&mut self, block: &Block) -> f64 {
        let before = self.process.log_e();
        self.process.update(block);
        self.log = self.log.max(0.0) + self.process.log_e() - before;
        self.log
    }

    /// ln D now.
    pub fn log_e(&self) -> f64 {
        self.log
    }
}
