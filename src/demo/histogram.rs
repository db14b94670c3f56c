//! Counts of requests by latency, as a server keeps them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use statrs::distribution::{ContinuousCDF, LogNormal};

/// Upper bounds of the buckets, seconds; the last bucket is open.
pub const BOUNDS: [f64; 18] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.5, 2.5, 5.0];

/// Requests of one version on one server.
#[derive(Debug, Default)]
pub struct Counts {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
    failed: AtomicU64,
    right: AtomicU64,
    wrong: AtomicU64,
    late: Mutex<VecDeque<(Instant, bool)>>,
}

impl Counts {
    /// Counts one request.
    pub fn add(&self, seconds: f64, failed: bool) {
        let bucket = BOUNDS.partition_point(|&bound| bound < seconds);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add((seconds * 1e6) as u64, Ordering::Relaxed);
        if failed {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The past of a server that ran before anybody watched: `count` requests of this distribution.
    pub fn fill(&self, count: f64, median_ms: f64, sigma: f64, errors: f64) {
        let Ok(latency) = LogNormal::new((median_ms / 1_000.0).ln(), sigma) else { return };
        let mut below = 0.0;
        for (bucket, bound) in self.buckets.iter().zip(BOUNDS.into_iter().chain([f64::INFINITY])) {
            let share = latency.cdf(bound);
            bucket.fetch_add(((share - below) * count) as u64, Ordering::Relaxed);
            below = share;
        }
        let mean = median_ms * 1_000.0 * (sigma * sigma / 2.0).exp();
        self.micros.fetch_add((mean * count) as u64, Ordering::Relaxed);
        self.failed.fetch_add((errors * count) as u64, Ordering::Relaxed);
    }

    /// Counts a prediction whose label has come.
    pub fn label(&self, correct: bool) {
        let side = if correct { &self.right } else { &self.wrong };
        side.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a prediction whose label comes at a later moment.
    pub fn label_late(&self, at: Instant, correct: bool) {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).push_back((at, correct));
    }

    /// Predictions whose label has come: right and wrong ones.
    pub fn labelled(&self) -> (u64, u64) {
        let now = Instant::now();
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(&(_, correct)) = late.front().filter(|(at, _)| *at <= now) {
            late.pop_front();
            self.label(correct);
        }
        (self.right.load(Ordering::Relaxed), self.wrong.load(Ordering::Relaxed))
    }

    /// Requests by bucket, not cumulated.
    pub fn buckets(&self) -> [u64; BOUNDS.len() + 1] {
        std::array::from_fn(|i| self.buckets[i].load(Ordering::Relaxed))
    }

    /// All requests.
    pub fn total(&self) -> u64 {
        self.buckets().iter().sum()
    }

    /// Failed requests.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Seconds of all requests together.
    pub fn seconds(&self) -> f64 {
        self.micros.load(Ordering::Relaxed) as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_where_they_belong() {
        let counts = Counts::default();
        counts.add(0.005, false);
        counts.add(0.0051, true);
        counts.add(9.0, false);
        let buckets = counts.buckets();
        assert_eq!((buckets[0], buckets[1], buckets[BOUNDS.len()]), (1, 1, 1));
        assert_eq!((counts.total(), counts.failed()), (3, 1));
        counts.fill(10_000.0, 40.0, 0.8, 0.01);
        assert!(counts.total() > 9_900 && counts.failed() == 101);
    }
}
