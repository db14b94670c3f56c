//! Sketches of raw streams: HDR histograms and DDSketch.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

/// An HDR histogram that counts what lies outside its range.
#[derive(Debug, Clone)]
pub struct Hdr {
    histogram: Histogram<u64>,
    /// Values outside the range; they are in no percentile.
    pub rejected: u64,
}

impl Hdr {
    /// A histogram of whole numbers from `lowest` (at least 1) to `highest` (at least twice that), with
    /// `digits` significant digits (at most 5). `None` outside these limits.
    pub fn new(lowest: u64, highest: u64, digits: u8) -> Option<Self> {
        let histogram = Histogram::new_with_bounds(lowest, highest, digits).ok()?;
        Some(Self { histogram, rejected: 0 })
    }

    /// Counts a value.
    pub fn add(&mut self, value: u64) {
        if self.histogram.record(value).is_err() {
            self.rejected += 1;
        }
    }

    /// Values counted.
    pub fn total(&self) -> u64 {
        self.histogram.len()
    }

    /// The percentile, 0…100: the highest value equivalent to the one of rank ⌊p·n/100 + ½⌋, at least 1;
    /// 0 of nothing. The crate's own percentile takes the ceiling, one rank apart in tiny samples.
    pub fn percentile(&self, p: f64) -> u64 {
        let rank = ((p.clamp(0.0, 100.0) * self.total() as f64 / 100.0 + 0.5).floor() as u64).max(1);
        let mut seen = 0;
        for step in self.histogram.iter_recorded() {
            seen += step.count_at_value();
            if seen >= rank {
                return self.histogram.highest_equivalent(step.value_iterated_to());
            }
        }
        0
    }
}

/// A sketch whose quantiles are right within a relative accuracy. Source: Masson, Rim, Lee 2019.
#[derive(Debug, Clone, PartialEq)]
pub struct DdSketch {
    gamma: f64,
    positive: BTreeMap<i32, u64>,
    negative: BTreeMap<i32, u64>,
    zeros: u64,
    count: u64,
}

impl DdSketch {
    /// A sketch of relative accuracy `accuracy`, between 0 and 1: 0.01 is one percent.
    pub fn new(accuracy: f64) -> Self {
        let accuracy = accuracy.clamp(1e-6, 0.5);
        Self {
            gamma: (1.0 + accuracy) / (1.0 - accuracy),
            positive: BTreeMap::new(),
            negative: BTreeMap::new(),
            zeros: 0,
            count: 0,
        }
    }

    fn key(&self, value: f64) -> i32 {
        (value.ln() / self.gamma.ln()).ceil() as i32
    }

    fn value(&self, key: i32) -> f64 {
        2.0 * self.gamma.powi(key) / (1.0 + self.gamma)
    }

    /// Adds a value; what is not finite is left out.
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.count += 1;
        if value.abs() < f64::MIN_POSITIVE {
            self.zeros += 1;
        } else {
            let key = self.key(value.abs());
            let side = if value > 0.0 { &mut self.positive } else { &mut self.negative };
            *side.entry(key).or_insert(0) += 1;
        }
    }

    /// Values added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The quantile at rank q(n − 1), the lower neighbour; `None` of nothing.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if self.count == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = (q * (self.count - 1) as f64).floor() as u64;
        let mut seen = 0;
        let negative = self.negative.iter().rev().map(|(&key, &count)| (-self.value(key), count));
        let positive = self.positive.iter().map(|(&key, &count)| (self.value(key), count));
        let zero = std::iter::once((0.0, self.zeros));
        negative.chain(zero).chain(positive).find_map(|(value, count)| {
            seen += count;
            (seen > rank).then_some(value)
        })
    }

    /// Takes in another sketch of the same accuracy; `false` and unchanged when it is of another.
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.gamma != other.gamma {
            return false;
        }
        for (mine, theirs) in [(&mut self.positive, &other.positive), (&mut self.negative, &other.negative)] {
            theirs.iter().for_each(|(key, count)| *mine.entry(*key).or_insert(0) += count);
        }
        self.zeros += other.zeros;
        self.count += other.count;
        true
    }
}
