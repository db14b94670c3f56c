//! Turns measures into facts: readings of the moment with their age, histories with their gaps, and of
//! several server kinds the first that has a KPI.

use std::collections::BTreeMap;

use super::ask::Ask;
use super::group::Group;
use super::measure::{Haul, Key, Measured, Measures};
use crate::domain::text::clean_name;
use crate::domain::{Fact, Kpi, ModelId, Reading, Time};

/// A fact with the rank of the kind that it comes from.
pub type Ranked = (usize, Fact);

/// When the newest sample of each instance was taken, seconds since 1970, by key.
#[derive(Debug, Default)]
pub struct Ages {
    newest: BTreeMap<Key, BTreeMap<String, f64>>,
    /// What is older than this has fallen silent.
    silent_before: f64,
}

/// Ages of a group's samples at `now_ms` of the server. An instance is silent when its newest sample is
/// older than two and a half scrape intervals.
pub fn ages(group: &Group, haul: &Haul, now_ms: i64, scrape_s: f64) -> Ages {
    let mut ages = Ages { newest: BTreeMap::new(), silent_before: now_ms as f64 / 1_000.0 - scrape_s * 2.5 };
    for line in haul.get(&Ask::Newest).map(Vec::as_slice).unwrap_or_default() {
        let Some(&(_, newest)) = line.points.last() else { continue };
        let version = group.version(&line.labels);
        let instance = line.labels.get("instance").map(|name| clean_name(name)).unwrap_or_default();
        for owner in group.owners(&line.labels, false) {
            let keys = [Some((owner, None)), version.clone().map(|version| (owner, Some(version)))];
            for key in keys.into_iter().flatten() {
                let entry = ages.newest.entry(key).or_default().entry(instance.clone()).or_insert(newest);
                *entry = entry.max(newest);
            }
        }
    }
    ages
}

impl Ages {
    /// The moment that a rate speaks of: now, or when its last sample was taken when all have stopped.
    fn moment(&self, key: &Key, now_ms: i64) -> i64 {
        let newest = self.newest.get(key).and_then(|all| all.values().copied().reduce(f64::max));
        match newest {
            Some(newest) if newest < self.silent_before => (newest * 1_000.0) as i64,
            _ => now_ms,
        }
    }

    /// The instances that have fallen silent, and how many there are.
    fn silent(&self, key: &Key) -> (Vec<&str>, usize) {
        let Some(all) = self.newest.get(key) else { return (Vec::new(), 0) };
        let silent = all.iter().filter(|(_, newest)| **newest < self.silent_before);
        (silent.map(|(name, _)| name.as_str()).collect(), all.len())
    }

    fn note(&self, key: &Key) -> Option<String> {
        match self.silent(key) {
            (silent, _) if silent.is_empty() => None,
            (silent, all) if silent.len() >= all => Some("no scrape answers".into()),
            (silent, all) => Some(format!("{} of {all} instances silent", silent.len())),
        }
    }

    /// One sentence for each model with silent instances.
    pub fn remarks(&self, group: &Group) -> Vec<Fact> {
        let totals = self.newest.keys().filter(|(_, version)| version.is_none());
        let remark = |key: &Key| {
            let (mut silent, _) = self.silent(key);
            silent.truncate(3);
            let model = &group.members[key.0].model.name;
            let text = format!("{model}: Prometheus gets no more samples from {}", silent.join(", "));
            (!silent.is_empty()).then_some(Fact::Remark(text))
        };
        totals.filter_map(remark).collect()
    }
}

/// How readings of a group are made.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The server's clock.
    pub now_ms: i64,
    /// The window of rates.
    pub window_s: u32,
}

/// The readings of now.
pub fn readings(group: &Group, measures: &Measures, ages: &Ages, moment: Moment) -> Vec<Ranked> {
    let fact = |((key, kpi), moments): (&(Key, Kpi), &BTreeMap<i64, Measured>)| {
        let measured = moments.values().last()?;
        let member = &group.members[key.0];
        let is_rate = is_rate(*kpi);
        let at = if is_rate { ages.moment(key, moment.now_ms) } else { moment.now_ms };
        let silence = if is_rate { ages.note(key) } else { None };
        let notes: Vec<String> = measured.note.iter().cloned().chain(silence).collect();
        let reading = Reading {
            value: measured.value.filter(|value| value.is_finite()),
            samples: measured.samples,
            at: Time::from_timestamp_millis(at)?,
            window_s: if is_rate { moment.window_s } else { 0 },
            note: (!notes.is_empty()).then(|| notes.join(", ").into()),
            bucket: measured.bucket,
        };
        let (model, version) = (member.model.clone(), key.1.clone());
        Some((member.rank, Fact::Reading { model, version, kpi: *kpi, reading }))
    };
    measures.iter().filter_map(fact).collect()
}

/// Past values, gaps left out.
pub fn histories(
    group: &Group,
    measures: &Measures,
    step_s: u32,
    wanted: impl Fn(Kpi) -> bool,
) -> Vec<Ranked> {
    let fact = |((key, kpi), moments): (&(Key, Kpi), &BTreeMap<i64, Measured>)| {
        let point = |(&at, measured): (&i64, &Measured)| {
            let value = measured.value.filter(|value| value.is_finite())?;
            Some((Time::from_timestamp_millis(at)?, value))
        };
        let points: Vec<(Time, f64)> = moments.iter().filter_map(point).collect();
        let (member, is_some) = (&group.members[key.0], !points.is_empty());
        let (model, version) = (member.model.clone(), key.1.clone());
        let fact = Fact::History { model, version, kpi: *kpi, points, step_s };
        is_some.then_some((member.rank, fact))
    };
    measures.iter().filter(|((_, kpi), _)| wanted(*kpi)).filter_map(fact).collect()
}

/// Whether a KPI is taken over the window, not read from a gauge.
pub fn is_rate(kpi: Kpi) -> bool {
    kpi <= Kpi::Throughput
}

/// Of facts about the same thing those of the lowest rank; other facts stay.
pub fn first_ranked(facts: Vec<Ranked>) -> Vec<Fact> {
    let mut best: BTreeMap<(ModelId, Kpi, bool), usize> = BTreeMap::new();
    for (rank, fact) in &facts {
        if let Some(subject) = subject(fact) {
            let entry = best.entry(subject).or_insert(*rank);
            *entry = (*entry).min(*rank);
        }
    }
    let keep = |(rank, fact): &Ranked| subject(fact).is_none_or(|subject| best.get(&subject) == Some(rank));
    facts.into_iter().filter(keep).map(|(_, fact)| fact).collect()
}

fn subject(fact: &Fact) -> Option<(ModelId, Kpi, bool)> {
    match fact {
        Fact::Reading { model, kpi, .. } => Some((model.clone(), *kpi, false)),
        Fact::History { model, kpi, .. } => Some((model.clone(), *kpi, true)),
        _ => None,
    }
}
