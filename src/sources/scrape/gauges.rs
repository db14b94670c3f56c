//! Gauges of a page that are KPIs: quality with its labelled samples, resources, queues.

use std::collections::BTreeMap;

use super::plan::Plan;
use super::subject::Subject;
use crate::config::preset::Unit;
use crate::domain::kpi::Direction;
use crate::domain::{Fact, Kpi, Reading, Time, Version};
use crate::sources::exposition::Page;

/// The gauges of one model, for all traffic and per version; of each KPI the first entry that has it.
pub fn facts(subject: &Subject, plan: &Plan<'_>, page: &Page<'_>, now: Time) -> Vec<Fact> {
    let mut found: BTreeMap<Kpi, BTreeMap<Option<Version>, Vec<f64>>> = BTreeMap::new();
    for kind in &plan.kinds {
        for (&kpi, gauge) in &kind.preset.gauges {
            if found.contains_key(&kpi) {
                continue;
            }
            let Some(metric) =
                gauge.metric.iter().find(|metric| page.samples.iter().any(|sample| sample.name == **metric))
            else {
                continue;
            };
            for sample in page.samples.iter().filter(|sample| sample.name == *metric) {
                if sample.value.is_finite()
                    && kind.holds(&gauge.select, sample)
                    && subject.owns(&kind.preset, sample)
                {
                    let version = subject.version_of(&kind.preset, sample);
                    let value = sample.value * factor(kpi, gauge.unit);
                    found.entry(kpi).or_default().entry(version).or_default().push(value);
                }
            }
        }
    }
    let labelled = |version: Option<&Version>| -> Option<u64> {
        let by_version = found.get(&Kpi::LabelledSamples)?;
        let values = by_version.iter().filter(|(owner, _)| version.is_none() || owner.as_ref() == version);
        let total: f64 = values.flat_map(|(_, values)| values).sum();
        Some(total.max(0.0) as u64)
    };
    let mut facts = Vec::new();
    for (&kpi, by_version) in &found {
        let all: Vec<f64> = by_version.values().flatten().copied().collect();
        let versions = by_version.iter().filter_map(|(version, values)| Some((version.as_ref()?, values)));
        let scopes = versions.map(|(version, values)| (Some(version), values.as_slice()));
        for (version, values) in std::iter::once((None, all.as_slice())).chain(scopes) {
            let Some((value, note)) = joined(kpi, values) else { continue };
            let mut reading = Reading::new(value, now);
            reading.note = note.map(Into::into);
            if kpi.is_quality() {
                reading.samples = labelled(version);
            }
            facts.push(Fact::Reading {
                model: subject.model.clone(),
                version: version.cloned(),
                kpi,
                reading,
            });
        }
    }
    facts
}

/// Brings a gauge to its KPI's unit: seconds stay seconds where the KPI is one of seconds.
fn factor(kpi: Kpi, unit: Unit) -> f64 {
    match (kpi.unit(), unit) {
        ("s", Unit::Seconds | Unit::Milliseconds | Unit::Microseconds) => unit.factor() / 1_000.0,
        _ => unit.factor(),
    }
}

/// Several series of one KPI: amounts are added, of everything else the worst is shown.
fn joined(kpi: Kpi, values: &[f64]) -> Option<(f64, Option<String>)> {
    if values.len() < 2 || matches!(kpi, Kpi::LabelledSamples | Kpi::QueueDepth | Kpi::Throughput) {
        return (!values.is_empty()).then(|| (values.iter().sum(), None));
    }
    let worse = match kpi.direction() {
        Direction::Higher => f64::min,
        Direction::Lower => f64::max,
    };
    let worst = values.iter().copied().reduce(worse)?;
    Some((worst, Some(format!("worst of {}", values.len()))))
}
