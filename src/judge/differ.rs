//! Increments from running totals.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::portion::Counts;
use crate::domain::{Counter, Time, Total, Version};
use crate::stats::sequential::Arm;

/// Series that are remembered at most; more means exploding labels.
const MOST: usize = 5_000;
/// A series that was not seen for so long is forgotten, seconds.
const FORGET_S: f64 = 3_600.0;

type Key = (Arc<str>, Version, Option<Arc<str>>, Option<u64>);

/// Remembers what each series counted, and tells what it counted since.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Differ {
    last: HashMap<Key, (Time, Total)>,
}

impl Differ {
    /// What this series counted since it was last seen; `None` at first sight, after a restart, or when its
    /// buckets changed: such a block is left out rather than guessed.
    pub fn take(&mut self, metric: &Arc<str>, counter: &Counter, at: Time) -> Option<Counts> {
        if self.last.len() >= MOST {
            self.last.retain(|_, (seen, _)| (at - *seen).as_seconds_f64() <= FORGET_S);
            if self.last.len() >= MOST {
                self.last.clear();
            }
        }
        let key = (metric.clone(), counter.version.clone(), counter.instance.clone(), counter.age_s);
        let (_, before) = self.last.insert(key, (at, counter.total.clone()))?;
        increment(&before, &counter.total)
    }
}

fn increment(before: &Total, after: &Total) -> Option<Counts> {
    match (before, after) {
        (Total::Events { events: e0, trials: t0 }, Total::Events { events: e1, trials: t1 }) => {
            let (events, trials) = (whole(e1 - e0)?, whole(t1 - t0)?);
            // Two counters are not read at the same moment: an event may come before its trial.
            (trials > 0).then(|| Counts::Events(Arm::new(events.min(trials), trials)))
        }
        (Total::Buckets(before), Total::Buckets(after)) => {
            let same = before.len() == after.len() && before.iter().zip(after).all(|(a, b)| a.0 == b.0);
            if !same {
                return None;
            }
            let mut floor = 0.0;
            let grown = before.iter().zip(after).map(|(a, b)| {
                let count = whole(b.1 - a.1)? as f64;
                // Not quite consistent reads must not make cumulative counts fall.
                floor = count.max(floor);
                Some((b.0, floor))
            });
            let grown: Vec<(f64, f64)> = grown.collect::<Option<_>>()?;
            (grown.last()?.1 > 0.0).then(|| Counts::Buckets(grown.into()))
        }
        _ => None,
    }
}

/// A growth in whole numbers; `None` for a fall, which is a restart.
fn whole(growth: f64) -> Option<u64> {
    (growth >= 0.0 && growth.is_finite()).then(|| growth.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(total: Total) -> Counter {
        Counter { version: Version::new("1"), instance: None, age_s: None, total }
    }

    #[test]
    fn only_growth_between_two_sights_counts() {
        let (mut differ, metric) = (Differ::default(), Arc::from("errors"));
        let at = Time::from_timestamp(0, 0).unwrap();
        let mut take = |events, trials| differ.take(&metric, &counter(Total::Events { events, trials }), at);
        assert_eq!(take(5.0, 100.0), None, "first sight");
        assert_eq!(take(6.0, 110.0), Some(Counts::Events(Arm::new(1, 10))));
        assert_eq!(take(6.0, 110.0), None, "nothing happened");
        assert_eq!(take(0.0, 4.0), None, "a restart");
        assert_eq!(take(0.0, 9.0), Some(Counts::Events(Arm::new(0, 5))));
        assert_eq!(take(f64::NAN, 10.0), None);
    }

    #[test]
    fn buckets_that_change_are_left_out_once() {
        let (mut differ, metric) = (Differ::default(), Arc::from("latency"));
        let at = Time::from_timestamp(0, 0).unwrap();
        let inf = f64::INFINITY;
        let mut take =
            |buckets: &[(f64, f64)]| differ.take(&metric, &counter(Total::Buckets(buckets.to_vec())), at);
        assert_eq!(take(&[(0.1, 5.0), (inf, 9.0)]), None);
        assert_eq!(take(&[(0.1, 7.0), (inf, 12.0)]), Some(Counts::Buckets([(0.1, 2.0), (inf, 3.0)].into())));
        assert_eq!(take(&[(0.2, 7.0), (inf, 12.0)]), None);
        assert_eq!(take(&[(0.2, 6.0), (inf, 13.0)]), None, "one bucket fell: a restart");
    }
}
