//! Latency, error rate and throughput from what was counted in the window, for all traffic and per version.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Part, Plan};
use super::ring::{Counts, Ring, Role};
use super::subject::Subject;
use crate::config::preset::{CounterPreset, HistogramPreset, HistogramType};
use crate::domain::{Fact, Kpi, Reading, Time, Version};
use crate::sources::exposition::Page;
use crate::stats::buckets;

/// What a page and the pages before it say about one model.
pub struct Scene<'a> {
    /// Whose samples.
    pub subject: &'a Subject,
    /// Which metrics.
    pub plan: &'a Plan<'a>,
    /// The newest page.
    pub page: &'a Page<'a>,
    /// The counters.
    pub ring: &'a Ring,
    /// When the page was read.
    pub now: Time,
}

const QUANTILES: [(Kpi, f64); 3] = [(Kpi::LatencyP50, 0.5), (Kpi::LatencyP95, 0.95), (Kpi::LatencyP99, 0.99)];

/// Counters of one scope, summed over its series.
#[derive(Default)]
struct Sums {
    histograms: Vec<Counts>,
    by_role: BTreeMap<Role, f64>,
}

impl Scene<'_> {
    /// Readings for all traffic and for each version. `crowded`: several models share this page.
    pub fn facts(&self, crowded: bool) -> Vec<Fact> {
        let rows: Vec<_> = self.ring.rows().collect();
        let versions = rows.iter().map(|(key, _)| key.version.clone()).chain(self.summary_versions());
        let scopes: BTreeSet<Option<Version>> = std::iter::once(None).chain(versions).collect();
        let mut facts = Vec::new();
        for scope in scopes {
            let mut sums = Sums::default();
            for (key, counts) in rows.iter().filter(|(key, _)| scope.is_none() || key.version == scope) {
                match key.role {
                    Role::Latency => sums.histograms.push(counts.clone()),
                    role => {
                        let count = counts.iter().map(|&(_, count)| count).sum::<f64>();
                        *sums.by_role.entry(role).or_default() += count;
                    }
                }
            }
            let mut readings = Vec::new();
            if let Some(part) = &self.plan.latency {
                match part.spec.kind {
                    HistogramType::Histogram => readings.extend(self.percentiles(part, &sums, crowded)),
                    HistogramType::Summary => readings.extend(self.summary(part, scope.as_ref())),
                    // The text format cannot carry native histograms: only Prometheus can be asked.
                    HistogramType::NativeHistogram => {}
                }
            }
            readings.extend(self.mean(&sums));
            readings.extend(self.counted(&sums));
            facts.extend(readings.into_iter().map(|(kpi, reading)| Fact::Reading {
                model: self.subject.model.clone(),
                version: scope.clone(),
                kpi,
                reading,
            }));
        }
        facts
    }

    /// The versions that a summary tells apart: its quantiles are read from the page, not from the ring.
    fn summary_versions(&self) -> impl Iterator<Item = Option<Version>> {
        let part = self.plan.latency.as_ref().filter(|part| part.spec.kind == HistogramType::Summary);
        part.into_iter().flat_map(move |part| {
            let preset = &part.kind.preset;
            let samples = self.page.samples.iter().filter(|sample| sample.name == part.metric);
            samples
                .filter(|sample| self.subject.owns(preset, sample))
                .map(|sample| self.subject.version_of(preset, sample))
        })
    }

    /// A reading over the window, with the notes that apply.
    fn reading(&self, value: Option<f64>, samples: Option<f64>, notes: &[&str]) -> Reading {
        let span = self.ring.span();
        let mut notes: Vec<&str> = notes.iter().copied().filter(|note| !note.is_empty()).collect();
        if span.is_none() {
            notes.push("since start");
        }
        let mut reading = Reading::new(value.unwrap_or(f64::NAN), self.now)
            .with_samples(samples.map(|n| n.round().max(0.0) as u64))
            .over(span.unwrap_or_default().round() as u32);
        reading.note = (!notes.is_empty()).then(|| notes.join(", ").into());
        reading
    }

    fn percentiles(
        &self,
        part: &Part<'_, HistogramPreset>,
        sums: &Sums,
        crowded: bool,
    ) -> Vec<(Kpi, Reading)> {
        let merged = merged(&sums.histograms);
        let buckets = merged.buckets;
        let Some(total) = buckets.last().map(|last| last.1) else { return Vec::new() };
        let factor = part.spec.unit.factor();
        let scope = if crowded && part.spec.scope == "server" { "whole server" } else { "" };
        let common = if merged.restricted { "common buckets" } else { "" };
        let read = |&(kpi, q): &(Kpi, f64)| match buckets::quantile(q, &buckets) {
            Some(found) if found.above_last => {
                (kpi, self.reading(Some(found.value * factor), Some(total), &["≥", scope, common]))
            }
            Some(found) => {
                let mut reading = self.reading(Some(found.value * factor), Some(total), &[scope, common]);
                reading.bucket = Some((found.low * factor, found.high * factor));
                (kpi, reading)
            }
            None => (kpi, self.reading(None, Some(total), &[scope])),
        };
        QUANTILES.iter().map(read).collect()
    }

    /// Ready-made quantiles cannot be added up: the worst series is shown, and said so.
    fn summary(&self, part: &Part<'_, HistogramPreset>, scope: Option<&Version>) -> Vec<(Kpi, Reading)> {
        let preset = &part.kind.preset;
        let mut readings = Vec::new();
        for (kpi, q) in QUANTILES {
            let values: Vec<f64> = self
                .page
                .samples
                .iter()
                .filter(|sample| sample.name == part.metric && sample.value.is_finite())
                .filter(|sample| sample.label("quantile").and_then(|text| text.parse().ok()) == Some(q))
                .filter(|sample| {
                    part.kind.holds(&part.spec.select, sample) && self.subject.owns(preset, sample)
                })
                .filter(|sample| scope.is_none() || self.subject.version_of(preset, sample).as_ref() == scope)
                .map(|sample| sample.value * part.spec.unit.factor())
                .collect();
            if let Some(worst) = values.iter().copied().reduce(f64::max) {
                let mut reading = Reading::new(worst, self.now);
                reading.note = Some(match values.len() {
                    1 => "the server's own window".into(),
                    n => format!("worst of {n}, the server's own window").into(),
                });
                readings.push((kpi, reading));
            }
        }
        readings
    }

    fn mean(&self, sums: &Sums) -> Option<(Kpi, Reading)> {
        let part = self.plan.mean.as_ref()?;
        let (sum, count) = (sums.by_role.get(&Role::MeanSum)?, sums.by_role.get(&Role::MeanCount)?);
        let value = (*count > 0.0).then(|| sum / count * part.spec.unit.factor());
        let note = if self.plan.latency.is_none() { "mean only" } else { "" };
        Some((Kpi::LatencyMean, self.reading(value, Some(*count), &[note])))
    }

    /// Error rate and throughput. Without a counter of requests the histogram's own count tells them.
    fn counted(&self, sums: &Sums) -> Vec<(Kpi, Reading)> {
        let observed = || merged(&sums.histograms).buckets.last().map(|last| last.1);
        let counter = sums.by_role.get(&Role::Requests).copied();
        let Some(requests) = counter.or_else(observed) else { return Vec::new() };
        let mut readings = Vec::new();
        if let Some(span) = self.ring.span() {
            readings.push((Kpi::Throughput, self.reading(Some(requests / span), Some(requests), &[])));
        }
        let errors = match sums.by_role.get(&Role::Errors) {
            Some(&errors) => Some(errors),
            // Failures that are a selection of the request counter are zero while none is listed.
            None => counter.and_then(|_| self.errors_share_the_counter().then_some(0.0)),
        };
        if let (Some(errors), Some(_)) = (errors, counter) {
            let value = (requests > 0.0).then(|| (errors / requests * 100.0).clamp(0.0, 100.0));
            readings.push((Kpi::ErrorRate, self.reading(value, Some(requests), &[])));
        }
        readings
    }

    fn errors_share_the_counter(&self) -> bool {
        let metric =
            |part: &Option<Part<'_, CounterPreset>>| part.as_ref().map(|part| part.metric.to_owned());
        metric(&self.plan.errors).is_some() && metric(&self.plan.errors) == metric(&self.plan.requests)
    }
}

/// Histograms of several series added up.
fn merged(histograms: &[Counts]) -> buckets::Merged {
    buckets::merge(histograms.iter().map(Vec::as_slice))
}
