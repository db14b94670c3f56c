//! What is asked about a group, as PromQL: rates, buckets, quantiles, gauges, drift, ages.

use std::collections::HashSet;

use super::group::Group;
use super::query::{any_of, by, newest, rate, selector};
use crate::config::{CounterPreset, HistogramType};

/// The meaning of one query of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ask {
    /// Rates of cumulative buckets.
    Buckets,
    /// Ready quantiles of instances, the worst.
    Summary,
    /// How many instances a summary has.
    SummaryCount,
    /// A quantile of a native histogram, in percent: by version, or of all versions.
    Native(u8, bool),
    /// Observations a second of a native histogram, by version.
    NativeCount,
    /// Requests a second.
    Requests,
    /// Requests a second to add: those that failed, where the first counter has successes only.
    Plus,
    /// Failures a second.
    Errors,
    /// Failures of series that are younger than the window: a rate misses their first increment.
    YoungErrors,
    /// Seconds spent a second.
    MeanSum,
    /// Requests a second that the sum speaks of.
    MeanCount,
    /// Gauges of a selection, by number of the selection.
    Gauges(usize),
    /// Running totals by version and instance.
    Total(super::totals::Count),
    /// Drift per feature.
    Drift,
    /// When the newest sample was taken, by job and instance.
    Newest,
}

/// A query with what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What it means.
    pub ask: Ask,
    /// The PromQL.
    pub text: String,
    /// The config's key that changes it.
    pub key: &'static str,
}

/// The quantiles that are asked of native histograms and summaries, in percent.
pub const PERCENTS: [u8; 3] = [50, 95, 99];

/// Which metrics exist; unknown when the server does not tell.
pub type Names = Option<HashSet<String>>;

/// The first of these names that exists (with a suffix); without a list of names the first.
pub fn existing<'m>(metrics: &'m [String], suffix: &str, names: &Names) -> Option<&'m str> {
    let exists = |name: &&String| match names {
        Some(names) => names.contains(&format!("{name}{suffix}")),
        None => true,
    };
    metrics.iter().find(exists).map(String::as_str)
}

/// All metric names that a group may have, as they are stored.
pub fn candidates(group: &Group) -> Vec<String> {
    let preset = &group.preset;
    let mut all: Vec<String> = Vec::new();
    if let Some(latency) = &preset.latency {
        let suffix = if latency.kind == HistogramType::Histogram { "_bucket" } else { "" };
        all.extend(latency.metric.iter().map(|name| format!("{name}{suffix}")));
    }
    if let Some(mean) = &preset.mean {
        all.extend([mean.sum.clone(), mean.count.clone()]);
    }
    for counter in preset.requests.iter().chain(&preset.errors) {
        all.extend(counter.metric.iter().chain(&counter.plus).cloned());
    }
    all.extend(preset.gauges.values().flat_map(|gauge| gauge.metric.iter().cloned()));
    all.extend(preset.labels.iter().flat_map(|labels| labels.metric.iter().cloned()));
    all.extend(preset.drift.iter().flat_map(|drift| drift.metric.iter().cloned()));
    all.sort();
    all.dedup();
    all
}

/// The selections that the group's gauges use, in a fixed order.
pub fn gauge_selections(group: &Group) -> Vec<&str> {
    let mut all: Vec<&str> = group.preset.gauges.values().map(|gauge| gauge.select.as_str()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether the latency speaks of the whole server, not of a model.
pub fn is_of_server(group: &Group) -> bool {
    group.preset.latency.as_ref().is_some_and(|latency| latency.scope == "server")
}

/// Every query of a group whose metrics exist, over this window.
pub fn queries(group: &Group, names: &Names, window_s: u32, scrape_s: u32) -> Vec<Query> {
    let mut all = Vec::new();
    latency(group, names, window_s, &mut all);
    traffic(group, names, window_s, scrape_s, &mut all);
    gauges(group, names, &mut all);
    super::totals::queries(group, names, &mut all);
    all
}

fn latency(group: &Group, names: &Names, window_s: u32, all: &mut Vec<Query>) {
    let Some(latency) = &group.preset.latency else { return };
    let server = is_of_server(group);
    let filter = group.filter(server);
    let suffix = if latency.kind == HistogramType::Histogram { "_bucket" } else { "" };
    let Some(metric) = existing(&latency.metric, suffix, names) else { return };
    let series = selector(&format!("{metric}{suffix}"), &[&latency.select, &group.select, &filter]);
    let mut push = |ask, text| all.push(Query { ask, text, key: "latency" });
    match latency.kind {
        HistogramType::Histogram => {
            push(Ask::Buckets, by("sum", &group.by(&["le"], server), &rate(&series, window_s)));
        }
        HistogramType::Summary => {
            let labels = group.by(&["quantile"], server);
            push(Ask::Summary, by("max", &labels, &series));
            push(Ask::SummaryCount, by("count", &labels, &series));
        }
        HistogramType::NativeHistogram => {
            let versions = group.by(&[], server);
            let models: Vec<&str> = versions
                .iter()
                .copied()
                .filter(|&name| !group.version_labels.iter().any(|v| v == name))
                .collect();
            let rates = |labels: &[&str]| by("sum", labels, &rate(&series, window_s));
            for percent in PERCENTS {
                for (labels, by_version) in [(&versions, true), (&models, false)] {
                    let share = f64::from(percent) / 100.0;
                    let text = format!("histogram_quantile({share}, {})", rates(labels));
                    push(Ask::Native(percent, by_version), text);
                }
            }
            push(Ask::NativeCount, format!("histogram_count({})", rates(&versions)));
        }
    }
}

fn traffic(group: &Group, names: &Names, window_s: u32, scrape_s: u32, all: &mut Vec<Query>) {
    let filter = group.filter(false);
    let labels = group.by(&[], false);
    let of = |metric: &str, select: &str| selector(metric, &[select, &group.select, &filter]);
    let summed = |metric: &str, select: &str| by("sum", &labels, &rate(&of(metric, select), window_s));
    let mut push = |ask, text, key| all.push(Query { ask, text, key });
    let mut main = None;
    if let Some(mean) = &group.preset.mean
        && existing(std::slice::from_ref(&mean.sum), "", names).is_some()
    {
        push(Ask::MeanSum, summed(&mean.sum, &mean.select), "mean");
        push(Ask::MeanCount, summed(&mean.count, &mean.select), "mean");
        main = Some(of(&mean.count, &mean.select));
    }
    if let Some(requests) = &group.preset.requests
        && let Some(metric) = existing(&requests.metric, "", names)
    {
        push(Ask::Requests, summed(metric, &requests.select), "requests");
        if let Some(plus) = present_plus(requests, names) {
            push(Ask::Plus, summed(plus, &requests.select), "requests");
        }
        main = Some(of(metric, &requests.select));
        if let Some(errors) = &group.preset.errors
            && let Some(metric) = existing(&errors.metric, "", names)
        {
            push(Ask::Errors, summed(metric, &errors.select), "errors");
            let series = of(metric, &errors.select);
            let young = format!("{series} unless {series} offset {window_s}s");
            push(Ask::YoungErrors, by("sum", &labels, &young), "errors");
        }
    }
    if main.is_none()
        && let Some(latency) = &group.preset.latency
        && latency.kind == HistogramType::Histogram
        && let Some(metric) = existing(&latency.metric, "_bucket", names)
    {
        let filter = group.filter(is_of_server(group));
        let series = selector(&format!("{metric}_count"), &[&latency.select, &group.select, &filter]);
        main = Some(series);
    }
    if let Some(series) = main {
        let labels = group.by(&["job", "instance"], false);
        push(Ask::Newest, newest(&labels, &series, window_s, scrape_s), "select");
    }
}

pub(super) fn present_plus<'p>(counter: &'p CounterPreset, names: &Names) -> Option<&'p str> {
    let plus = counter.plus.as_ref()?;
    existing(std::slice::from_ref(plus), "", names)
}

fn gauges(group: &Group, names: &Names, all: &mut Vec<Query>) {
    let filter = group.filter(false);
    for (number, select) in gauge_selections(group).into_iter().enumerate() {
        let wanted = group.preset.gauges.values().filter(|gauge| gauge.select == select);
        let mut metrics: Vec<&str> = wanted
            .flat_map(|gauge| &gauge.metric)
            .filter(|name| names.as_ref().is_none_or(|names| names.contains(*name)))
            .map(String::as_str)
            .collect();
        metrics.sort_unstable();
        metrics.dedup();
        if !metrics.is_empty() {
            let text = any_of(&metrics, &[select, &group.select, &filter]);
            all.push(Query { ask: Ask::Gauges(number), text, key: "gauges" });
        }
    }
    if let Some(drift) = &group.preset.drift
        && let Some(metric) = existing(&drift.metric, "", names)
    {
        all.push(Query { ask: Ask::Drift, text: selector(metric, &[&group.select, &filter]), key: "drift" });
    }
}
