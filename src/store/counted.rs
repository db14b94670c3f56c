//! How many requests each version answered so far, as its servers count: what a share or a rate of errors since a
//! moment is taken from.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{Counter, Time, Total, Version};

/// A better source that has been silent for so long gives way to another, seconds.
const GIVE_WAY_S: f64 = 60.0;
/// Series that are kept at most; more means exploding labels.
const MOST: usize = 256;

/// The running totals of one version on one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// Which version.
    pub version: Version,
    /// Which instance, when the source tells.
    pub instance: Option<Arc<str>>,
    /// Requests so far.
    pub requests: f64,
    /// Failed ones of them, where failures are counted.
    pub failed: Option<f64>,
    /// When the source told it.
    pub at: Time,
}

/// The running totals of one model, from the best source that speaks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tallies {
    from: Option<(u8, Time)>,
    rows: BTreeMap<(Version, Option<Arc<str>>), Counted>,
}

impl Tallies {
    /// Takes in running totals of a metric. `rank`: 0 for the best kind of source. Counts of failures are better
    /// than counts of a latency histogram, and both count the same requests.
    pub(super) fn take(&mut self, rank: u8, metric: &str, counters: &[Counter], at: Time) {
        let order = match metric {
            "errors" => 2 * rank,
            "latency" => 2 * rank + 1,
            _ => return,
        };
        let (best, seen) = self.from.unwrap_or((order, at));
        if order > best && (at - seen).as_seconds_f64() <= GIVE_WAY_S {
            return;
        }
        if order != best {
            self.rows.clear();
        }
        self.from = Some((order, at));
        for counter in counters {
            let (requests, failed) = match &counter.total {
                Total::Events { events, trials } => (*trials, Some(*events)),
                Total::Buckets(buckets) => (buckets.last().map_or(0.0, |last| last.1), None),
            };
            let key = (counter.version.clone(), counter.instance.clone());
            if self.rows.len() >= MOST && !self.rows.contains_key(&key) {
                continue;
            }
            let (version, instance) = key.clone();
            self.rows.insert(key, Counted { version, instance, requests, failed, at });
        }
    }

    /// Every total.
    pub fn rows(&self) -> impl Iterator<Item = &Counted> {
        self.rows.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(version: &str, trials: f64) -> Counter {
        let total = Total::Events { events: 1.0, trials };
        Counter { version: Version::new(version), instance: None, age_s: None, total }
    }

    #[test]
    fn a_worse_source_waits_until_the_better_is_silent() {
        let at = |s: i64| Time::from_timestamp(1_800_000_000 + s, 0).unwrap();
        let mut tallies = Tallies::default();
        tallies.take(0, "errors", &[counter("1.2.0", 100.0)], at(0));
        tallies.take(1, "errors", &[counter("1.2.0", 900.0)], at(1));
        tallies.take(0, "accuracy", &[counter("1.2.0", 7.0)], at(1));
        let requests = |tallies: &Tallies| tallies.rows().map(|row| row.requests).collect::<Vec<_>>();
        assert_eq!(requests(&tallies), [100.0]);
        tallies.take(1, "errors", &[counter("1.3.0", 900.0)], at(90));
        assert_eq!(requests(&tallies), [900.0], "what another source counted is not mixed in");
    }
}
