//! Chooses, for one page, which catalogue entries speak of it and which metric of each part exists there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::select::Select;
use crate::config::preset::{CounterPreset, HistogramPreset, MeanPreset, Preset};
use crate::domain::{Fault, FaultKind};
use crate::sources::exposition::Sample;

/// One entry of the catalogue with its matchers compiled.
#[derive(Debug, Clone)]
pub struct Kind {
    /// Its name in the catalogue.
    pub name: String,
    /// The entry.
    pub preset: Preset,
    selects: HashMap<String, Select>,
}

impl Kind {
    /// Compiles an entry; a matcher that does not parse is refused.
    pub fn new(name: &str, preset: &Preset) -> Result<Self, Fault> {
        let mut selects = HashMap::new();
        let latency = preset.latency.iter().map(|part| &part.select);
        let mean = preset.mean.iter().map(|part| &part.select);
        let counters = preset.requests.iter().chain(&preset.errors).map(|part| &part.select);
        let gauges = preset.gauges.values().map(|part| &part.select);
        let labels = preset.labels.iter().map(|part| &part.wrong);
        for text in latency.chain(mean).chain(counters).chain(gauges).chain(labels) {
            selects.insert(text.clone(), Select::parse(text)?);
        }
        Ok(Self { name: name.into(), preset: preset.clone(), selects })
    }

    /// Whether a sample satisfies the matchers of one of this entry's parts.
    pub fn holds(&self, select: &str, sample: &Sample<'_>) -> bool {
        self.selects.get(select).is_none_or(|select| select.holds(sample))
    }

    /// Whether everything that betrays this kind is on the page.
    fn is_on(&self, names: &BTreeSet<&str>) -> bool {
        !self.preset.detect.is_empty() && self.preset.detect.iter().all(|name| exists(names, name))
    }
}

/// Whether a metric is on the page, by its own name or by that of one of its series.
fn exists(names: &BTreeSet<&str>, metric: &str) -> bool {
    names.contains(metric)
        || ["_bucket", "_count", "_total"]
            .iter()
            .any(|suffix| names.contains(format!("{metric}{suffix}").as_str()))
}

/// A part of an entry, with the metric's name that the page has.
pub struct Part<'k, T> {
    /// The entry it comes from: its labels tell model and version.
    pub kind: &'k Kind,
    /// The part.
    pub spec: &'k T,
    /// The name that exists.
    pub metric: &'k str,
}

/// What is read from one page.
pub struct Plan<'k> {
    /// The entries that speak of this page, the most specific first.
    pub kinds: Vec<&'k Kind>,
    /// The latency distribution.
    pub latency: Option<Part<'k, HistogramPreset>>,
    /// The mean latency.
    pub mean: Option<Part<'k, MeanPreset>>,
    /// Requests.
    pub requests: Option<Part<'k, CounterPreset>>,
    /// Failures.
    pub errors: Option<Part<'k, CounterPreset>>,
}

impl<'k> Plan<'k> {
    /// The plan for a page with these names: the configured entry, else all that are recognised.
    pub fn of(kinds: &'k [Kind], configured: bool, names: &BTreeSet<&str>) -> Self {
        let mut kinds: Vec<&Kind> = kinds.iter().filter(|kind| configured || kind.is_on(names)).collect();
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.preset.detect.len()));
        let latency = kinds.iter().find_map(|kind| {
            let spec = kind.preset.latency.as_ref()?;
            let metric = spec.metric.iter().find(|metric| exists(names, metric))?;
            Some(Part { kind, spec, metric })
        });
        let mean = kinds.iter().find_map(|kind| {
            let spec = kind.preset.mean.as_ref()?;
            let metric = names.contains(spec.sum.as_str()).then_some(&spec.sum)?;
            Some(Part { kind, spec, metric })
        });
        let counter = |choose: fn(&Preset) -> Option<&CounterPreset>| {
            kinds.iter().find_map(|kind| {
                let spec = choose(&kind.preset)?;
                let metric = spec.metric.iter().find(|metric| names.contains(metric.as_str()))?;
                Some(Part { kind, spec, metric })
            })
        };
        let requests = counter(|preset| preset.requests.as_ref());
        let errors = counter(|preset| preset.errors.as_ref());
        Self { latency, mean, requests, errors, kinds }
    }
}

/// The entries to use for an endpoint: the configured one, else the whole catalogue, to be recognised.
pub fn kinds(configured: Option<&str>, catalogue: &BTreeMap<String, Preset>) -> Result<Vec<Kind>, Fault> {
    match configured {
        Some(name) => {
            let preset = catalogue.get(name).ok_or_else(|| {
                let known: Vec<&str> = catalogue.keys().map(String::as_str).collect();
                Fault::new(FaultKind::Refused, format!("no preset is called `{name}`"))
                    .advise(format!("known are {}", known.join(", ")))
            })?;
            Ok(vec![Kind::new(name, preset)?])
        }
        None => catalogue
            .iter()
            .filter(|(_, preset)| !preset.detect.is_empty())
            .map(|(name, preset)| Kind::new(name, preset))
            .collect(),
    }
}
