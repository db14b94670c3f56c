//! Makes KPIs of gauges: quality, labels, resources. Gauges of instances and versions cannot be added up.

use std::collections::BTreeMap;

use super::ask::{Ask, gauge_selections};
use super::group::Group;
use super::measure::{Grid, Haul, Key, Measured, Measures, gather};
use super::wire::Line;
use crate::config::{GaugePreset, Unit};
use crate::domain::kpi::Direction;
use crate::domain::{Kpi, Version};

/// Values of instances at one moment: their combination and their number.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    worst: Option<f64>,
    sum: f64,
    differ: bool,
    n: usize,
}

/// The gauges of a group as KPIs, laid into `all`.
pub fn gauges(group: &Group, haul: &Haul, all: &mut Measures) {
    let selections = gauge_selections(group);
    let mut found: BTreeMap<Kpi, Grid<Spread>> = BTreeMap::new();
    for (&kpi, gauge) in &group.preset.gauges {
        let number = selections.iter().position(|select| *select == gauge.select);
        let lines = number.and_then(|number| haul.get(&Ask::Gauges(number)));
        if let Some(lines) = lines {
            found.insert(kpi, one(group, kpi, gauge, lines));
        }
    }
    let leads = leads(group, &found, all);
    let labelled = found.remove(&Kpi::LabelledSamples).unwrap_or_default();
    for (kpi, grid) in &found {
        lay(group, *kpi, grid, &leads, &labelled, all);
    }
    lay(group, Kpi::LabelledSamples, &labelled, &leads, &Grid::new(), all);
}

/// One gauge by key and moment; for each model the first of the metric's names that it has.
fn one(group: &Group, kpi: Kpi, gauge: &GaugePreset, lines: &[Line]) -> Grid<Spread> {
    let factor = factor(kpi, gauge.unit);
    let mut all = Grid::new();
    for name in &gauge.metric {
        let of_name: Vec<Line> =
            lines.iter().filter(|line| line.labels.get("__name__") == Some(name)).cloned().collect();
        let grid: Grid<Spread> = gather(group, &of_name, false, |spread: &mut Spread, _, value| {
            if value.is_finite() {
                spread.take(kpi, value * factor);
            }
        });
        let known: Vec<usize> = all.keys().map(|key: &Key| key.0).collect();
        all.extend(grid.into_iter().filter(|(key, _)| !known.contains(&key.0)));
    }
    all
}

impl Spread {
    fn take(&mut self, kpi: Kpi, value: f64) {
        self.differ |= self.worst.is_some_and(|worst| worst != value);
        self.worst = Some(match (self.worst, kpi.direction()) {
            (None, _) => value,
            (Some(worst), Direction::Higher) => worst.min(value),
            (Some(worst), Direction::Lower) => worst.max(value),
        });
        self.sum += value;
        self.n += 1;
    }

    /// Queues and labels of instances add up; of everything else the worst instance is shown.
    fn value(&self, kpi: Kpi) -> Option<f64> {
        match kpi {
            Kpi::QueueDepth | Kpi::LabelledSamples => (self.n > 0).then_some(self.sum),
            _ => self.worst,
        }
    }

    fn note(&self, kpi: Kpi) -> Option<String> {
        let worst = self.differ && !matches!(kpi, Kpi::QueueDepth | Kpi::LabelledSamples);
        worst.then(|| format!("worst of {}", self.n))
    }
}

/// The version that speaks for a model as a whole where versions cannot be added up: the one with most
/// labels, else with most traffic, else the newest.
fn leads(group: &Group, found: &BTreeMap<Kpi, Grid<Spread>>, traffic: &Measures) -> BTreeMap<usize, Version> {
    let weight = |member: usize, version: &Version| -> f64 {
        let key = (member, Some(version.clone()));
        let labels = found.get(&Kpi::LabelledSamples).and_then(|grid| grid.get(&key)?.values().last());
        let rate = traffic.get(&(key, Kpi::Throughput)).and_then(|moments| moments.values().last()?.value);
        labels.map(|labels| labels.sum).or(rate).unwrap_or(0.0)
    };
    let versions = found.values().flat_map(|grid| grid.keys());
    let mut leads: BTreeMap<usize, Version> = BTreeMap::new();
    for (member, version) in versions.filter_map(|(member, version)| Some((*member, version.clone()?))) {
        let ahead = leads.get(&member).is_none_or(|lead| {
            let (mine, theirs) = (weight(member, &version), weight(member, lead));
            mine > theirs || mine == theirs && version > *lead
        });
        if ahead && member < group.members.len() {
            leads.insert(member, version);
        }
    }
    leads
}

fn lay(
    group: &Group,
    kpi: Kpi,
    grid: &Grid<Spread>,
    leads: &BTreeMap<usize, Version>,
    labelled: &Grid<Spread>,
    all: &mut Measures,
) {
    for (key, moments) in grid {
        let member = key.0;
        // A classifier has no R², and a regression no accuracy, whatever an exporter publishes.
        let foreign = kpi.is_quality() && !group.members[member].kind.quality().contains(&kpi);
        if foreign {
            continue;
        }
        let lead = (key.1.is_none() && kpi.is_quality()).then(|| leads.get(&member)).flatten();
        let lead_key = lead.map(|version| (member, Some(version.clone())));
        let versions = grid.keys().filter(|(other, version)| *other == member && version.is_some()).count();
        for (&moment, spread) in moments {
            let of_lead = lead_key.as_ref().and_then(|key| grid.get(key)?.get(&moment));
            let (spread, note) = match (versions, of_lead, lead) {
                (2.., Some(spread), Some(lead)) => (spread, Some(format!("of {lead}"))),
                _ => (spread, spread.note(kpi)),
            };
            let labels = |key: &Key| labelled.get(key).and_then(|moments| moments.get(&moment));
            let samples = lead_key.as_ref().and_then(labels).or_else(|| labels(key));
            let samples = samples.or_else(|| labels(&(member, None))).filter(|_| kpi.is_quality());
            let samples = samples.map(|labels| labels.sum.max(0.0) as u64);
            let measured = Measured { value: spread.value(kpi), samples, bucket: None, note };
            all.entry((key.clone(), kpi)).or_default().insert(moment, measured);
        }
    }
}

/// The factor that brings a gauge to its KPI's unit.
fn factor(kpi: Kpi, unit: Unit) -> f64 {
    match (kpi.unit(), unit) {
        ("s", Unit::Seconds) => 1.0,
        ("s", Unit::Milliseconds) => 0.001,
        ("s", Unit::Microseconds) => 1e-6,
        _ => unit.factor(),
    }
}
