//! Turns scraped metrics pages into readings: rates and percentiles over a window, gauges, drift.

mod counters;
mod drift;
mod gauges;
mod plan;
mod rates;
mod ring;
mod select;
mod subject;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub use select::Select;
pub use subject::Subject;

use crate::config::preset::{HistogramType, Preset};
use crate::domain::{Fact, Fault, Time, text};
use crate::sources::exposition::{self, Page, Sample};
use plan::{Kind, Part, Plan};
use ring::{Counts, Key, Ring, Role};

/// Reads the metrics page of one endpoint, poll after poll.
#[derive(Debug)]
pub struct Scraper {
    subject: Subject,
    kinds: Vec<Kind>,
    configured: bool,
    ring: Ring,
    instance: Arc<str>,
}

impl Scraper {
    /// A scraper for this subject, on this instance of its server. `preset` names the server kind; without it, kinds are recognised by
    /// the catalogue's `detect` names.
    pub fn new(
        subject: Subject,
        instance: &str,
        preset: Option<&str>,
        catalogue: &BTreeMap<String, Preset>,
        window: Duration,
    ) -> Result<Self, Fault> {
        let kinds = plan::kinds(preset, catalogue)?;
        Ok(Self {
            subject,
            kinds,
            configured: preset.is_some(),
            ring: Ring::new(window),
            instance: instance.into(),
        })
    }

    /// Takes one page in and says what is known now.
    pub fn read(&mut self, text: &str, now: Time) -> Result<Vec<Fact>, Fault> {
        let page = exposition::parse(text)?;
        let names = page.names();
        let plan = Plan::of(&self.kinds, self.configured, &names);
        let mut facts = Vec::new();
        if page.skipped > 0 {
            facts.push(Fact::Remark(format!("metrics page: {} lines do not parse", page.skipped)));
        }
        if plan.kinds.is_empty() {
            let remark = "metrics page: no server kind recognised; name one with `preset`";
            facts.push(Fact::Remark(remark.into()));
            return Ok(facts);
        }
        if !self.configured {
            let kinds: Vec<&str> = plan.kinds.iter().map(|kind| kind.name.as_str()).collect();
            facts.push(Fact::Remark(format!("metrics page recognised as {}", kinds.join(", "))));
        }
        let models = models(&plan, &page);
        if !models.is_empty() && !models.iter().any(|name| self.subject.is_called(name)) {
            let others: Vec<&str> = models.iter().take(5).copied().collect();
            let remark =
                format!("metrics page: nothing of `{}` yet, but of {}", self.subject.name, others.join(", "));
            facts.push(Fact::Remark(text::clean(&remark, 400)));
        }
        let started = page.samples.iter().find(|sample| sample.name == "process_start_time_seconds");
        let series = self.series(&plan, &page);
        let crowded = models.len() > 1;
        facts.extend(counters::facts(&self.subject, &plan, &page, &series, &self.instance, crowded));
        self.ring.observe(now, series, started.map(|sample| sample.value));
        let scene = rates::Scene { subject: &self.subject, plan: &plan, page: &page, ring: &self.ring, now };
        facts.extend(scene.facts(crowded));
        facts.extend(gauges::facts(&self.subject, &plan, &page, now));
        facts.extend(drift::facts(&self.subject, &plan, &page, now));
        Ok(facts)
    }

    /// The counters and buckets that the plan asks for, of this model.
    fn series(&self, plan: &Plan<'_>, page: &Page<'_>) -> BTreeMap<Key, Counts> {
        let mut series: BTreeMap<Key, Counts> = BTreeMap::new();
        let mut add = |role, kind: &Kind, sample: &Sample<'_>, bound: f64| {
            if sample.value.is_finite() && self.subject.owns(&kind.preset, sample) {
                let version = self.subject.version_of(&kind.preset, sample);
                series
                    .entry(Key { role, version, identity: identity(sample) })
                    .or_default()
                    .push((bound, sample.value));
            }
        };
        let buckets = plan.latency.as_ref().filter(|part| part.spec.kind == HistogramType::Histogram);
        for sample in &page.samples {
            let name = sample.name.as_ref();
            if let Some(part) = buckets
                && name.strip_suffix("_bucket") == Some(part.metric)
                && part.kind.holds(&part.spec.select, sample)
                && let Some(bound) = sample.label("le").and_then(|le| le.parse().ok())
            {
                add(Role::Latency, part.kind, sample, bound);
            }
            if let Some(Part { kind, spec, .. }) = &plan.mean
                && kind.holds(&spec.select, sample)
            {
                for (metric, role) in [(&spec.sum, Role::MeanSum), (&spec.count, Role::MeanCount)] {
                    if name == metric {
                        add(role, kind, sample, 0.0);
                    }
                }
            }
            for (part, role) in [(&plan.requests, Role::Requests), (&plan.errors, Role::Errors)] {
                if let Some(Part { kind, spec, metric }) = part
                    && (name == *metric || Some(name) == spec.plus.as_deref())
                    && kind.holds(&spec.select, sample)
                {
                    add(role, kind, sample, 0.0);
                }
            }
        }
        for counts in series.values_mut() {
            counts.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        series
    }
}

/// The models that have requests on this page.
fn models<'p>(plan: &Plan<'_>, page: &'p Page<'_>) -> BTreeSet<&'p str> {
    let Some(Part { kind, metric, .. }) = &plan.requests else { return BTreeSet::new() };
    page.samples
        .iter()
        .filter(|sample| sample.name == *metric && sample.value > 0.0)
        .filter_map(|sample| Subject::model_of(&kind.preset, sample))
        .collect()
}

/// A series' name and labels without `le`, in one order however the server writes them.
fn identity(sample: &Sample<'_>) -> String {
    let mut labels: Vec<(&str, &str)> = sample
        .labels
        .iter()
        .map(|(key, value)| (key.as_ref(), value.as_ref()))
        .filter(|(key, _)| *key != "le")
        .collect();
    labels.sort_unstable();
    let mut text = sample.name.to_string();
    for (key, value) in labels {
        text.push('\u{1}');
        text.push_str(key);
        text.push('\u{2}');
        text.push_str(value);
    }
    text
}
