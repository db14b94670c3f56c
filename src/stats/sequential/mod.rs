//! Decisions that hold at every look. An e-process starts at 1, is never negative, and under its null its
//! expectation is at most 1 whenever one stops; so it ever reaches 1/alpha with probability at most alpha
//! (Ville 1939; Ramdas, Grünwald, Vovk, Shafer 2023). Everything here eats blocks, compares the two arms
//! within one block only, and keeps ln E.

use serde::{Deserialize, Serialize};

pub mod detector;
pub mod interval;
pub mod margin;
pub mod quantile;
pub mod rank;
pub mod rate_ratio;
pub mod reference;
pub mod split;
pub mod stages;
pub mod two_stream;

pub use detector::Detector;
pub use margin::Margin;
pub use rank::Ranks;
pub use rate_ratio::RateRatio;
pub use split::Split;
pub use stages::Staged;
pub use two_stream::TwoStream;

/// What one arm did within a block: events of trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Arm {
    /// Events: failures, slow answers, wrong predictions.
    pub events: u64,
    /// Trials: requests, labelled rows; for crashes an exposure such as pod-seconds.
    pub trials: u64,
}

impl Arm {
    /// Events of trials.
    pub fn new(events: u64, trials: u64) -> Self {
        Self { events, trials }
    }

    /// Both as numbers, the events at most the trials.
    fn counts(self) -> (f64, f64) {
        (self.events.min(self.trials) as f64, self.trials as f64)
    }

    /// Share of events, 0…1; NaN of no trial.
    pub fn rate(self) -> f64 {
        self.events as f64 / self.trials as f64
    }

    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.events += other.events;
        self.trials += other.trials;
    }
}

/// One block: what both arms did between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Block {
    /// The version under trial.
    pub canary: Arm,
    /// The concurrent baseline.
    pub baseline: Arm,
}

impl Block {
    /// Whether both arms have a trial; a block with an empty arm carries no evidence.
    pub fn is_paired(&self) -> bool {
        self.canary.trials > 0 && self.baseline.trials > 0
    }
}

/// Evidence against a null that may be looked at after every block.
pub trait EProcess {
    /// Takes in one block.
    fn update(&mut self, block: &Block);

    /// ln E now.
    fn log_e(&self) -> f64;

    /// The same test begun anew, knowing what is known of the baseline.
    fn fresh(&self) -> Self
    where
        Self: Sized;
}

/// What is known of the baseline's rate before a block: a running estimate from the past only.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// Events, at least one half when the history has none.
    pub events: f64,
    /// Weight in trials; 0 means no history, and the first block only feeds the estimate.
    pub trials: f64,
}

/// Weight of a history in trials, however long it is.
const HISTORY_WEIGHT: f64 = 1_000.0;

impl Prior {
    /// Nothing is known.
    pub const NONE: Self = Self { events: 0.0, trials: 0.0 };

    /// From the baseline's history before the canary: weighs as much as 1,000 trials.
    pub fn of_history(history: Arm) -> Self {
        if history.trials == 0 {
            return Self::NONE;
        }
        let (events, trials) = history.counts();
        Self { events: (HISTORY_WEIGHT * events / trials).max(0.5), trials: HISTORY_WEIGHT }
    }

    /// The estimated rate, kept off 0 and 1; `None` while nothing is known.
    fn rate(self) -> Option<f64> {
        (self.trials > 0.0).then(|| (self.events / self.trials).clamp(1e-6, 1.0 - 1e-6))
    }

    fn learn(&mut self, baseline: Arm) {
        let (events, trials) = baseline.counts();
        self.events += events;
        self.trials += trials;
    }
}

#[cfg(test)]
mod tests;
