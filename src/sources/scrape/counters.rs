//! Running totals by version, for the judgement of canaries: requests and failures, latency, labels.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::{Part, Plan};
use super::ring::{Counts, Key, Role};
use super::subject::Subject;
use crate::config::preset::HistogramType;
use crate::domain::{Counter, Fact, Total, Version};
use crate::sources::exposition::Page;
use crate::stats::buckets;

/// The totals of one page. A server that does not tell versions apart counts for the one that it is
/// configured to serve; without any version there is nothing to compare.
pub fn facts(
    subject: &Subject,
    plan: &Plan<'_>,
    page: &Page<'_>,
    series: &BTreeMap<Key, Counts>,
    instance: &Arc<str>,
    crowded: bool,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut tell = |metric: &str, totals: Vec<(Version, Option<u64>, Total)>| {
        if totals.is_empty() {
            return;
        }
        let counter =
            |(version, age_s, total)| Counter { version, instance: Some(instance.clone()), age_s, total };
        let counters = totals.into_iter().map(counter).collect();
        facts.push(Fact::Counters { model: subject.model.clone(), metric: metric.into(), counters });
    };
    tell("errors", requests(plan, series));
    // A histogram of the whole server says nothing of one of several models.
    let of_model = |part: &&Part<'_, _>| is_of_model(part, crowded);
    if let Some(part) = plan.latency.as_ref().filter(of_model) {
        tell("latency", latency(part.spec.unit.factor() / 1_000.0, series));
    }
    tell("accuracy", labels(subject, plan, page));
    facts
}

fn is_of_model(part: &Part<'_, crate::config::preset::HistogramPreset>, crowded: bool) -> bool {
    part.spec.kind == HistogramType::Histogram && !(crowded && part.spec.scope == "server")
}

/// Failures of requests. Only where failures are published at all.
fn requests(plan: &Plan<'_>, series: &BTreeMap<Key, Counts>) -> Vec<(Version, Option<u64>, Total)> {
    if plan.errors.is_none() {
        return Vec::new();
    }
    let mut sums: BTreeMap<Version, (f64, f64)> = BTreeMap::new();
    for (key, counts) in series {
        let Some(version) = &key.version else { continue };
        let count: f64 = counts.iter().map(|&(_, count)| count).sum();
        match key.role {
            Role::Requests => sums.entry(version.clone()).or_default().1 += count,
            Role::Errors => sums.entry(version.clone()).or_default().0 += count,
            _ => {}
        }
    }
    let total = |(version, (events, trials))| (version, None, Total::Events { events, trials });
    sums.into_iter().map(total).collect()
}

/// Answers by latency, bounds in seconds.
fn latency(to_seconds: f64, series: &BTreeMap<Key, Counts>) -> Vec<(Version, Option<u64>, Total)> {
    let mut by_version: BTreeMap<&Version, Vec<&Counts>> = BTreeMap::new();
    for (key, counts) in series.iter().filter(|(key, _)| key.role == Role::Latency) {
        if let Some(version) = &key.version {
            by_version.entry(version).or_default().push(counts);
        }
    }
    let total = |(version, parts): (&Version, Vec<&Counts>)| {
        let merged = buckets::merge(parts.into_iter().map(Vec::as_slice)).buckets;
        let scaled: Vec<(f64, f64)> =
            merged.into_iter().map(|(bound, count)| (bound * to_seconds, count)).collect();
        let whole = scaled.last().is_some_and(|last| last.0 == f64::INFINITY);
        whole.then(|| (version.clone(), None, Total::Buckets(scaled)))
    };
    by_version.into_iter().filter_map(total).collect()
}

/// Wrong predictions of labelled ones, by age of the label where it is told.
fn labels(subject: &Subject, plan: &Plan<'_>, page: &Page<'_>) -> Vec<(Version, Option<u64>, Total)> {
    let mut sums: BTreeMap<(Version, Option<u64>), (f64, f64)> = BTreeMap::new();
    for kind in &plan.kinds {
        let Some(spec) = &kind.preset.labels else { continue };
        let mine = page.samples.iter().filter(|sample| spec.metric.iter().any(|name| *name == sample.name));
        for sample in mine.filter(|s| s.value.is_finite() && subject.owns(&kind.preset, s)) {
            let Some(version) = subject.version_of(&kind.preset, sample) else { continue };
            let age = sample.label(&spec.age).and_then(|age| age.parse::<f64>().ok()).map(|age| age as u64);
            let (events, trials) = sums.entry((version, age)).or_default();
            *trials += sample.value;
            if kind.holds(&spec.wrong, sample) {
                *events += sample.value;
            }
        }
    }
    let total = |((version, age), (events, trials))| (version, age, Total::Events { events, trials });
    sums.into_iter().map(total).collect()
}
