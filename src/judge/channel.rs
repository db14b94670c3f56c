//! One test of a metric: what counts as an event, and the e-process that eats it.

use super::portion::{Counts, Portion, Role};
use crate::stats::sequential::{Arm, Block, EProcess, Margin, RateRatio, Staged, TwoStream};
use serde::{Deserialize, Serialize};

/// Any of the tests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Test {
    /// Any worsening of a proportion.
    Worse(TwoStream),
    /// Beyond, or within, a margin.
    Margin(Margin),
    /// A ratio of rates.
    Ratio(RateRatio),
}

impl EProcess for Test {
    fn update(&mut self, block: &Block) {
        match self {
            Self::Worse(test) => test.update(block),
            Self::Margin(test) => test.update(block),
            Self::Ratio(test) => test.update(block),
        }
    }

    fn log_e(&self) -> f64 {
        match self {
            Self::Worse(test) => test.log_e(),
            Self::Margin(test) => test.log_e(),
            Self::Ratio(test) => test.log_e(),
        }
    }

    fn fresh(&self) -> Self {
        match self {
            Self::Worse(test) => Self::Worse(test.fresh()),
            Self::Margin(test) => Self::Margin(test.fresh()),
            Self::Ratio(test) => Self::Ratio(test.fresh()),
        }
    }
}

/// What is an event.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// What the source counted.
    Told,
    /// An answer slower than a bound, which for the canary may be a multiple of the baseline's.
    Slower {
        /// The canary's bound, seconds.
        canary: f64,
        /// The baseline's bound, seconds.
        baseline: f64,
    },
}

impl Event {
    /// Events of trials of one portion, seen in a role; `None` when its buckets lack the bound.
    pub fn count(self, counts: &Counts, role: Role) -> Option<Arm> {
        match (self, counts) {
            (Self::Told, Counts::Events(arm)) => Some(*arm),
            (Self::Slower { canary, baseline }, Counts::Buckets(_)) => {
                counts.slower_than(if role == Role::Canary { canary } else { baseline })
            }
            _ => None,
        }
    }

    /// The block of these portions. `None` when an arm is there but cannot be counted.
    pub fn block<'a>(self, portions: impl IntoIterator<Item = &'a Portion>) -> Option<Block> {
        let mut block = Block::default();
        for portion in portions {
            let arm = self.count(&portion.counts, portion.role)?;
            match portion.role {
                Role::Canary => block.canary.add(arm),
                Role::Baseline => block.baseline.add(arm),
            }
        }
        Some(block)
    }
}

/// A test with what it counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// What is an event.
    pub event: Event,
    /// The test, over all start points of the planned stages.
    pub test: Staged<Test>,
}

impl Channel {
    /// A channel over `stages` planned stages after the first.
    pub fn new(event: Event, test: Test, stages: usize) -> Self {
        Self { event, test: Staged::new(test, stages) }
    }

    /// Takes in the portions of one block.
    pub fn update(&mut self, portions: &[&Portion]) {
        if let Some(block) = self.event.block(portions.iter().copied()) {
            self.test.update(&block);
        }
    }
}
