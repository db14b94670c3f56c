//! Turns measures into facts: readings of the moment with their age, histories with their gaps, and of
//! several server kinds the first that has a KPI.

use std::collections::{BTreeMap, BTreeSet};

use super::ask::Ask;
use super::group::Group;
use super::measure::{Haul, Key, Measured, Measures};
use crate::domain::text::clean_name;
use crate::domain::{Fact, Kpi, ModelId, Reading, Time};

/// A fact with the rank of the kind that it comes from.
pub type Ranked = (usize, Fact);

/// When the newest sample of a key was taken, and which instances fell silent.
#[derive(Debug, Default)]
pub struct Ages {
    newest: BTreeMap<Key, f64>,
    silent: BTreeMap<Key, BTreeSet<String>>,
    instances: BTreeMap<Key, usize>,
}

/// Ages of a group's samples at `now_ms` of the server. An instance is silent when its newest sample is
/// older than two and a half scrape intervals.
pub fn ages(group: &Group, haul: &Haul, now_ms: i64, scrape_s: f64) -> Ages {
    let mut ages = Ages::default();
    for line in haul.get(&Ask::Newest).map(Vec::as_slice).unwrap_or_default() {
        let Some(&(_, newest)) = line.points.last() else { continue };
        let version = group.version(&line.labels);
        let instance = line.labels.get("instance").map(|name| clean_name(name)).unwrap_or_default();
        for owner in group.owners(&line.labels, false) {
            let keys = [Some((owner, None)), version.clone().map(|version| (owner, Some(version)))];
            for key in keys.into_iter().flatten() {
                let entry = ages.newest.entry(key.clone()).or_insert(newest);
                *entry = entry.max(newest);
                *ages.instances.entry(key.clone()).or_default() += 1;
                if is_silent(newest, now_ms, scrape_s) {
                    ages.silent.entry(key).or_default().insert(instance.clone());
                }
            }
        }
    }
    ages
}

fn is_silent(newest_s: f64, now_ms: i64, scrape_s: f64) -> bool {
    now_ms as f64 / 1_000.0 - newest_s > scrape_s * 2.5
}

impl Ages {
    /// The moment that a rate speaks of: now, or when its last sample was taken when all have stopped.
    fn moment(&self, key: &Key, now_ms: i64, scrape_s: f64) -> i64 {
        match self.newest.get(key) {
            Some(&newest) if is_silent(newest, now_ms, scrape_s) => (newest * 1_000.0) as i64,
            _ => now_ms,
        }
    }

    fn note(&self, key: &Key) -> Option<String> {
        let silent = self.silent.get(key)?.len();
        let all = self.instances.get(key).copied().unwrap_or(silent);
        Some(if silent >= all {
            "no scrape answers".into()
        } else {
            format!("{silent} of {all} instances silent")
        })
    }

    /// One sentence for each model with silent instances.
    pub fn remarks(&self, group: &Group) -> Vec<Fact> {
        let totals = self.silent.iter().filter(|((_, version), _)| version.is_none());
        let remark = |((member, _), names): (&Key, &BTreeSet<String>)| {
            let names: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
            let model = &group.members[*member].model.name;
            Fact::Remark(format!("{model}: Prometheus gets no more samples from {}", names.join(", ")))
        };
        totals.map(remark).collect()
    }
}

/// How readings of a group are made.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The server's clock.
    pub now_ms: i64,
    /// The window of rates.
    pub window_s: u32,
    /// The scrape interval.
    pub scrape_s: f64,
}

/// The readings of now.
pub fn readings(group: &Group, measures: &Measures, ages: &Ages, moment: Moment) -> Vec<Ranked> {
    let fact = |((key, kpi), moments): (&(Key, Kpi), &BTreeMap<i64, Measured>)| {
        let measured = moments.values().last()?;
        let member = &group.members[key.0];
        let is_rate = is_rate(*kpi);
        let at = if is_rate { ages.moment(key, moment.now_ms, moment.scrape_s) } else { moment.now_ms };
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
