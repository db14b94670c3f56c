//! Running totals by version and instance, for the judgement of canaries: plain counters, not rates, so that
//! every increment counts exactly once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ask::{Ask, Query, existing, is_of_server};
use super::group::Group;
use super::measure::Haul;
use super::query::{by, selector};
use super::wire::Line;
use crate::config::HistogramType;
use crate::domain::text::clean_name;
use crate::domain::{Counter, Fact, Total, Version};
use crate::stats::buckets;

/// A counter of a group that is summed by version and instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Count {
    /// Cumulative latency buckets.
    Buckets,
    /// Requests.
    Requests,
    /// Requests to add: those that failed, where the first counter has successes only.
    Plus,
    /// Failures.
    Errors,
    /// Predictions with a label.
    Labelled,
    /// Those of them that were wrong.
    Wrong,
}

/// Models of a group up to which buckets are asked by instance: of more, one answer would be many MiB at every
/// poll.
const MOST: usize = 300;

/// Queries of the totals. A group without a version label has none: nothing could be compared.
pub fn queries(group: &Group, names: &super::ask::Names, all: &mut Vec<Query>) {
    if group.version_labels.is_empty() {
        return;
    }
    let filter = group.filter(false);
    let mut push = |count, metric: &str, select: &str, more: &[&str], key| {
        let labels: Vec<&str> = more.iter().copied().chain(["instance"]).collect();
        let series = selector(metric, &[select, &group.select, &filter]);
        all.push(Query { ask: Ask::Total(count), text: by("sum", &group.by(&labels, false), &series), key });
    };
    let preset = &group.preset;
    if let Some(latency) = &preset.latency
        && latency.kind == HistogramType::Histogram
        && !is_of_server(group)
        && group.members.len() <= MOST
        && let Some(metric) = existing(&latency.metric, "_bucket", names)
    {
        push(Count::Buckets, &format!("{metric}_bucket"), &latency.select, &["le"], "latency");
    }
    if let (Some(requests), Some(errors)) = (&preset.requests, &preset.errors)
        && let Some(metric) = existing(&requests.metric, "", names)
    {
        push(Count::Requests, metric, &requests.select, &[], "requests");
        if let Some(plus) = super::ask::present_plus(requests, names) {
            push(Count::Plus, plus, &requests.select, &[], "requests");
        }
        if let Some(metric) = existing(&errors.metric, "", names) {
            push(Count::Errors, metric, &errors.select, &[], "errors");
        }
    }
    if let Some(labels) = &preset.labels
        && let Some(metric) = existing(&labels.metric, "", names)
    {
        push(Count::Labelled, metric, "", &[&labels.age], "labels");
        push(Count::Wrong, metric, &labels.wrong, &[&labels.age], "labels");
    }
}

/// Whose total: model by number, version, instance, age of labels.
type Key = (usize, Version, Option<Arc<str>>, Option<u64>);

fn keys(group: &Group, line: &Line) -> Vec<Key> {
    let Some(version) = group.version(&line.labels) else { return Vec::new() };
    let instance: Option<Arc<str>> = line.labels.get("instance").map(|name| clean_name(name).into());
    let age = group.preset.labels.as_ref().and_then(|labels| line.labels.get(&labels.age));
    let age = age.and_then(|age| age.parse::<f64>().ok()).map(|age| age as u64);
    let owners = group.owners(&line.labels, false);
    owners.into_iter().map(|owner| (owner, version.clone(), instance.clone(), age)).collect()
}

fn newest(line: &Line) -> Option<f64> {
    line.points.last().map(|point| point.1).filter(|value| value.is_finite())
}

/// The totals of a group.
pub fn facts(group: &Group, haul: &Haul) -> Vec<Fact> {
    let lines = |count| haul.get(&Ask::Total(count)).map(Vec::as_slice).unwrap_or_default();
    let mut found: BTreeMap<(usize, &'static str), Vec<Counter>> = BTreeMap::new();
    let mut tell = |(owner, version, instance, age_s): Key, metric, total| {
        found.entry((owner, metric)).or_default().push(Counter { version, instance, age_s, total });
    };
    let mut histograms: BTreeMap<Key, Vec<(f64, f64)>> = BTreeMap::new();
    let to_seconds = group.preset.latency.as_ref().map_or(1.0, |latency| latency.unit.factor() / 1_000.0);
    for line in lines(Count::Buckets) {
        let bound = line.labels.get("le").and_then(|le| le.parse::<f64>().ok());
        let Some((bound, count)) = bound.zip(newest(line)) else { continue };
        for key in keys(group, line) {
            histograms.entry(key).or_default().push((bound * to_seconds, count));
        }
    }
    for (key, parts) in histograms {
        let buckets = buckets::merge([&parts[..]]).buckets;
        if buckets.last().is_some_and(|last| last.0 == f64::INFINITY) {
            tell(key, "latency", Total::Buckets(buckets));
        }
    }
    for (metric, trials, events) in [
        ("errors", &[Count::Requests, Count::Plus][..], Count::Errors),
        ("accuracy", &[Count::Labelled][..], Count::Wrong),
    ] {
        let mut sums: BTreeMap<Key, (f64, f64)> = BTreeMap::new();
        for line in trials.iter().flat_map(|&count| lines(count)) {
            let Some(value) = newest(line) else { continue };
            keys(group, line).into_iter().for_each(|key| sums.entry(key).or_default().1 += value);
        }
        for line in lines(events) {
            let Some(value) = newest(line) else { continue };
            for key in keys(group, line) {
                if let Some(sum) = sums.get_mut(&key) {
                    sum.0 += value;
                }
            }
        }
        for (key, (events, trials)) in sums {
            tell(key, metric, Total::Events { events, trials });
        }
    }
    let fact = |((owner, metric), counters): ((usize, &str), Vec<Counter>)| {
        let model = group.members.get(owner)?.model.clone();
        Some(Fact::Counters { model, metric: metric.into(), counters })
    };
    found.into_iter().filter_map(fact).collect()
}
