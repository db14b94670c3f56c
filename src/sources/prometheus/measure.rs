//! Makes KPIs of query results: one code for the value now and for past values, as each moment stands for
//! itself. Rates and buckets are added up over instances here, so totals and versions agree.

use std::collections::{BTreeMap, HashMap};

use super::ask::{Ask, PERCENTS, is_of_server};
use super::group::Group;
use super::wire::Line;
use crate::config::HistogramType;
use crate::domain::{Kpi, Version};
use crate::stats::buckets::quantile;

/// Results of a group's queries.
pub type Haul = HashMap<Ask, Vec<Line>>;

/// A member of the group by number, and a version or all of them.
pub type Key = (usize, Option<Version>);

/// Something at each moment for each key.
pub type Grid<T> = BTreeMap<Key, BTreeMap<i64, T>>;

/// A KPI at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// In the KPI's unit; `None` without traffic.
    pub value: Option<f64>,
    /// The requests or labels it rests on.
    pub samples: Option<u64>,
    /// The bucket that holds a percentile, in the KPI's unit.
    pub bucket: Option<(f64, f64)>,
    /// What to know about it.
    pub note: Option<String>,
}

/// KPIs by key and moment.
pub type Measures = BTreeMap<(Key, Kpi), BTreeMap<i64, Measured>>;

/// The KPI of a percentile.
pub fn percentile(percent: u8) -> Kpi {
    match percent {
        50 => Kpi::LatencyP50,
        95 => Kpi::LatencyP95,
        _ => Kpi::LatencyP99,
    }
}

/// Latency and traffic of a group.
pub fn measures(group: &Group, haul: &Haul, window_s: u32) -> Measures {
    let mut all = Measures::new();
    buckets(group, haul, window_s, &mut all);
    summary(group, haul, &mut all);
    native(group, haul, window_s, &mut all);
    traffic(group, haul, window_s, &mut all);
    all
}

/// Puts lines into a grid: each into its version and into the total of its model.
pub fn gather<T: Default>(
    group: &Group,
    lines: &[Line],
    of_server: bool,
    mut put: impl FnMut(&mut T, &Line, f64),
) -> Grid<T> {
    let mut grid: Grid<T> = BTreeMap::new();
    for line in lines {
        let version = group.version(&line.labels);
        let keys = group.owners(&line.labels, of_server).into_iter().flat_map(|owner| {
            let one = version.clone().map(|version| (owner, Some(version)));
            [Some((owner, None)), one].into_iter().flatten()
        });
        for key in keys {
            let moments = grid.entry(key).or_default();
            for &(at, value) in &line.points {
                put(moments.entry(at).or_default(), line, value);
            }
        }
    }
    grid
}

fn sums(group: &Group, haul: &Haul, ask: Ask) -> Grid<f64> {
    let lines = haul.get(&ask).map(Vec::as_slice).unwrap_or_default();
    let grid: Grid<Option<f64>> = gather(group, lines, false, |sum: &mut Option<f64>, _, value| {
        if value.is_finite() {
            *sum = Some(sum.unwrap_or(0.0) + value);
        }
    });
    // A moment that has only NaN has no sum, which is not a sum of zero.
    let known = |moments: BTreeMap<i64, Option<f64>>| {
        moments.into_iter().filter_map(|(moment, sum)| Some((moment, sum?))).collect()
    };
    grid.into_iter().map(|(key, moments)| (key, known(moments))).collect()
}

fn at(grid: &Grid<f64>, key: &Key, moment: i64) -> Option<f64> {
    grid.get(key)?.get(&moment).copied()
}

/// How many events a rate over the window is.
fn count(rate: f64, window_s: u32) -> u64 {
    // A cast saturates, and rates are not negative.
    (rate * f64::from(window_s)).round() as u64
}

fn buckets(group: &Group, haul: &Haul, window_s: u32, all: &mut Measures) {
    let (Some(lines), Some(latency)) = (haul.get(&Ask::Buckets), &group.preset.latency) else { return };
    let server = is_of_server(group);
    let grid: Grid<Vec<(f64, f64)>> = gather(group, lines, server, |buckets: &mut Vec<_>, line, value| {
        // The text of `le` differs between versions of Prometheus: only its number counts.
        if let Some(bound) = line.labels.get("le").and_then(|le| le.parse().ok()) {
            buckets.push((bound, value));
        }
    });
    let factor = latency.unit.factor();
    let server_note = server.then_some("whole server");
    for (key, moments) in grid {
        for (moment, buckets) in moments {
            let total: f64 =
                buckets.iter().filter(|(bound, _)| bound.is_infinite()).map(|(_, rate)| rate).sum();
            let samples = total.is_finite().then(|| count(total, window_s));
            for percent in PERCENTS {
                let found = quantile(f64::from(percent) / 100.0, &buckets);
                let above = found.is_some_and(|found| found.above_last).then_some("≥");
                let note: Vec<&str> = [above, server_note].into_iter().flatten().collect();
                let measured = Measured {
                    value: found.map(|found| found.value * factor),
                    samples,
                    bucket: found.map(|found| (found.low * factor, found.high * factor)),
                    note: (!note.is_empty()).then(|| note.join(", ")),
                };
                all.entry((key.clone(), percentile(percent))).or_default().insert(moment, measured);
            }
        }
    }
}

fn summary(group: &Group, haul: &Haul, all: &mut Measures) {
    let (Some(lines), Some(latency)) = (haul.get(&Ask::Summary), &group.preset.latency) else { return };
    let percent_of = |line: &Line| {
        let quantile: f64 = line.labels.get("quantile")?.parse().ok()?;
        PERCENTS.into_iter().find(|&percent| (quantile - f64::from(percent) / 100.0).abs() < 1e-9)
    };
    let counts = haul.get(&Ask::SummaryCount).map(Vec::as_slice).unwrap_or_default();
    for percent in PERCENTS {
        let only = |lines: &[Line]| -> Vec<Line> {
            lines.iter().filter(|line| percent_of(line) == Some(percent)).cloned().collect()
        };
        let server = is_of_server(group);
        let worst: Grid<f64> =
            gather(group, &only(lines), server, |worst: &mut f64, _, value| *worst = worst.max(value));
        let instances: Grid<f64> =
            gather(group, &only(counts), server, |sum: &mut f64, _, value| *sum += value);
        for (key, moments) in worst {
            for (moment, value) in moments {
                let value = (value > 0.0).then_some(value * latency.unit.factor());
                let note = match at(&instances, &key, moment) {
                    Some(n) if n > 1.0 => Some(format!("worst of {n}")),
                    _ => None,
                };
                let measured = Measured { value, note, ..Measured::default() };
                all.entry((key.clone(), percentile(percent))).or_default().insert(moment, measured);
            }
        }
    }
}

fn native(group: &Group, haul: &Haul, window_s: u32, all: &mut Measures) {
    let Some(latency) = group.preset.latency.as_ref().filter(|l| l.kind == HistogramType::NativeHistogram)
    else {
        return;
    };
    let counts = sums(group, haul, Ask::NativeCount);
    let server = is_of_server(group);
    for percent in PERCENTS {
        for by_version in [true, false] {
            let Some(lines) = haul.get(&Ask::Native(percent, by_version)) else { continue };
            let grid: Grid<f64> = gather(group, lines, server, |one: &mut f64, _, value| *one = value);
            // The query by version knows no total, the other no version.
            for (key, moments) in grid.into_iter().filter(|(key, _)| key.1.is_some() == by_version) {
                for (moment, value) in moments {
                    let value = value.is_finite().then_some(value * latency.unit.factor());
                    let samples = at(&counts, &key, moment).map(|rate| count(rate, window_s));
                    let measured = Measured { value, samples, ..Measured::default() };
                    all.entry((key.clone(), percentile(percent))).or_default().insert(moment, measured);
                }
            }
        }
    }
}

fn traffic(group: &Group, haul: &Haul, window_s: u32, all: &mut Measures) {
    let requests = {
        let mut requests = sums(group, haul, Ask::Requests);
        for (key, moments) in sums(group, haul, Ask::Plus) {
            let into = requests.entry(key).or_default();
            moments.into_iter().for_each(|(moment, rate)| *into.entry(moment).or_default() += rate);
        }
        requests
    };
    let errors = sums(group, haul, Ask::Errors);
    let young = sums(group, haul, Ask::YoungErrors);
    for (key, moments) in &requests {
        for (&moment, &rate) in moments {
            let samples = Some(count(rate, window_s));
            let throughput = Measured { value: Some(rate), samples, ..Measured::default() };
            all.entry((key.clone(), Kpi::Throughput)).or_default().insert(moment, throughput);
            if group.preset.errors.is_none() {
                continue;
            }
            // A failure counter often appears with the first failure only: absent means none so far.
            let failed = at(&errors, key, moment);
            let missed = at(&young, key, moment).filter(|&n| n > 0.0 && failed.unwrap_or(0.0) == 0.0);
            let note = match (missed, failed) {
                (Some(n), _) => Some(format!("{n:.0} failures before the first scrape not counted")),
                (None, None) => Some("no failure counted yet".into()),
                _ => None,
            };
            let value = (rate > 0.0).then(|| (100.0 * failed.unwrap_or(0.0) / rate).min(100.0));
            let measured = Measured { value, samples, bucket: None, note };
            all.entry((key.clone(), Kpi::ErrorRate)).or_default().insert(moment, measured);
        }
    }
    let (sum, counted) = (sums(group, haul, Ask::MeanSum), sums(group, haul, Ask::MeanCount));
    let Some(mean) = &group.preset.mean else { return };
    for (key, moments) in sum {
        for (moment, spent) in moments {
            let Some(rate) = at(&counted, &key, moment) else { continue };
            let value = (rate > 0.0).then_some(spent / rate * mean.unit.factor());
            let note = group.preset.latency.is_none().then(|| "mean only".to_owned());
            let measured = Measured { value, samples: Some(count(rate, window_s)), bucket: None, note };
            all.entry((key.clone(), Kpi::LatencyMean)).or_default().insert(moment, measured);
        }
    }
}
