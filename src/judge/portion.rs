//! What one arm, or one instance of it, did within one block.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::stats::buckets;
use crate::stats::sequential::Arm;

/// Which arm of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// The version under trial.
    Canary,
    /// The version that it is compared with, at the same time.
    Baseline,
}

/// Counts of a block: increments, not running totals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Counts {
    /// Events of trials.
    Events(Arm),
    /// Answers by latency: upper bounds in seconds with counts, cumulative over the bounds, ascending,
    /// the last bound infinite.
    Buckets(Arc<[(f64, f64)]>),
}

impl Counts {
    /// Trials: requests, or labelled rows.
    pub fn trials(&self) -> u64 {
        match self {
            Self::Events(arm) => arm.trials,
            Self::Buckets(buckets) => buckets.last().map_or(0, |last| last.1.max(0.0) as u64),
        }
    }

    /// Answers slower than a bound; `None` when the buckets have no such bound.
    pub fn slower_than(&self, bound: f64) -> Option<Arm> {
        let Self::Buckets(buckets) = self else { return None };
        let total = buckets.last()?.1.max(0.0) as u64;
        let near = |other: f64| (other - bound).abs() <= 1e-12 * bound.abs();
        let below = buckets.iter().find(|(other, _)| near(*other))?.1.max(0.0) as u64;
        Some(Arm::new(total.saturating_sub(below), total))
    }

    /// Adds another count of the same kind. Buckets keep the bounds that both have.
    pub fn add(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Events(mine), Self::Events(theirs)) => mine.add(*theirs),
            (Self::Buckets(mine), Self::Buckets(theirs)) => {
                *mine = buckets::merge([&mine[..], &theirs[..]]).buckets.into();
            }
            _ => {}
        }
    }
}

/// What one instance of one arm did within one block, or all of the arm when instances are not told apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Portion {
    /// Which arm.
    pub role: Role,
    /// Which instance, when the source tells.
    pub instance: Option<Arc<str>>,
    /// How old the labels are, seconds: only predictions whose labels are equally old are compared.
    pub age_s: Option<u64>,
    /// Predictions among which these labels were looked for, when known: for the labels' coverage.
    pub predictions: Option<u64>,
    /// What was counted.
    pub counts: Counts,
}

impl Portion {
    /// Events of trials of one arm.
    pub fn events(role: Role, events: u64, trials: u64) -> Self {
        let counts = Counts::Events(Arm::new(events, trials));
        Self { role, instance: None, age_s: None, predictions: None, counts }
    }

    /// Latency buckets of one arm.
    pub fn buckets(role: Role, buckets: Vec<(f64, f64)>) -> Self {
        Self { role, instance: None, age_s: None, predictions: None, counts: Counts::Buckets(buckets.into()) }
    }

    /// The same of one instance.
    pub fn of_instance(mut self, instance: &str) -> Self {
        self.instance = Some(instance.into());
        self
    }
}

/// All portions of one role added up; `None` when there is none.
pub fn total<'a>(portions: impl IntoIterator<Item = &'a Portion>, role: Role) -> Option<Counts> {
    let mut mine = portions.into_iter().filter(|portion| portion.role == role);
    let mut sum = mine.next()?.counts.clone();
    mine.for_each(|portion| sum.add(&portion.counts));
    Some(sum)
}
