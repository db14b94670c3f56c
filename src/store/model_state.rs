//! Everything that is known about one model.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::series::Series;
use crate::domain::drift::data_drift;
use crate::domain::{
    DriftLevel, DriftScale, EndpointStatus, FeatureDrift, Judgement, Kpi, Level, Limits, ModelId, ModelKind,
    Reading, RegisteredModel, Rollout, SourceId, Time, Version,
};

/// Which traffic a series or reading is of.
pub type Slice = (Kpi, Option<Version>);

/// A reading with the source that brought it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sourced {
    /// Index of the source in the store.
    pub source: usize,
    /// When the store got it.
    pub seen: Time,
    /// The reading.
    pub reading: Reading,
}

/// One instance of a model's server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Index of the source in the store.
    pub source: usize,
    /// The last good probe.
    pub status: Option<EndpointStatus>,
}

/// One feature's drift now and before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureState {
    /// The newest score.
    pub latest: FeatureDrift,
    /// Past raw scores.
    pub history: Series,
}

impl FeatureState {
    /// Since when the score has been at its present level or above, without a break; `None` without a level.
    pub fn level_since(&self) -> Option<Time> {
        let level = self.latest.level()?;
        let holds = |raw: f64| self.latest.scale.common(raw).and_then(DriftLevel::of) >= Some(level);
        let points: Vec<(i64, f64)> = self.history.points().collect();
        let since = points.into_iter().rev().take_while(|&(_, raw)| holds(raw)).last();
        Some(since.and_then(|(at, _)| Time::from_timestamp(at, 0)).unwrap_or(self.latest.at))
    }
}

/// A finding that is not of one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// In words.
    pub text: String,
    /// Whether it needs attention.
    pub abnormal: bool,
}

/// One model of the fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelState {
    /// Who it is.
    pub id: ModelId,
    /// What it predicts.
    pub kind: ModelKind,
    /// Its rules.
    pub limits: Arc<Limits>,
    /// Sources that owe it KPIs, by index, with what each owes.
    pub debtors: Vec<(usize, Kpi)>,
    /// Readings by KPI and version, one entry a source.
    pub readings: BTreeMap<Slice, Vec<Sourced>>,
    /// The last hour, by seconds.
    pub recent: BTreeMap<Slice, Series>,
    /// The last 90 days, by hours or days.
    pub long: BTreeMap<Slice, Series>,
    /// Its servers by name.
    pub instances: BTreeMap<Arc<str>, Instance>,
    /// Drift by feature and method.
    pub drift: BTreeMap<(Arc<str>, DriftScale), FeatureState>,
    /// Concept and prediction drift: kind to finding.
    pub findings: BTreeMap<String, Finding>,
    /// What each registry says.
    pub registry: BTreeMap<SourceId, RegisteredModel>,
    /// The rollout, when a controller tells of one.
    pub rollout: Option<Rollout>,
    /// Revisions that were aborted, by hash, with when.
    pub known_bad: BTreeMap<String, String>,
    /// How many requests each version answered so far.
    pub counted: super::Tallies,
    /// The judgement of the canary.
    pub judging: super::Judging,
    /// Every KPI judged.
    pub judgements: Vec<Judgement>,
    /// The worst of it all.
    pub level: Level,
    /// Since when the level is what it is.
    pub level_since: Option<Time>,
    /// The reason of the level, in words; empty when all is well.
    pub why: String,
}

impl ModelState {
    /// A model of which nothing is known yet.
    pub fn new(id: ModelId, kind: ModelKind, limits: Arc<Limits>) -> Self {
        Self {
            id,
            kind,
            limits,
            debtors: Vec::new(),
            readings: BTreeMap::new(),
            recent: BTreeMap::new(),
            long: BTreeMap::new(),
            instances: BTreeMap::new(),
            drift: BTreeMap::new(),
            findings: BTreeMap::new(),
            registry: BTreeMap::new(),
            rollout: None,
            known_bad: BTreeMap::new(),
            counted: super::Tallies::default(),
            judging: super::Judging::default(),
            judgements: Vec::new(),
            level: Level::NotMeasured,
            level_since: None,
            why: String::new(),
        }
    }

    /// The combined reading of a KPI over all traffic.
    pub fn reading(&self, kpi: Kpi) -> Option<Reading> {
        self.reading_of(kpi, None)
    }

    /// The combined reading of a KPI for one version, or for all traffic.
    pub fn reading_of(&self, kpi: Kpi, version: Option<&Version>) -> Option<Reading> {
        super::combine::combine(kpi, self.readings.get(&(kpi, version.cloned()))?)
    }

    /// The value of a KPI over all traffic.
    pub fn value(&self, kpi: Kpi) -> Option<f64> {
        self.reading(kpi).and_then(|reading| reading.value)
    }

    /// The judgement of a KPI.
    pub fn judgement(&self, kpi: Kpi) -> Option<&Judgement> {
        self.judgements.iter().find(|judged| judged.kpi == kpi)
    }

    /// The version that serves: the controller's word, else the version with the most traffic, else the
    /// registry's production version.
    pub fn live_version(&self) -> Option<&Version> {
        if let Some(rollout) = &self.rollout {
            return Some(&rollout.stable);
        }
        let busiest = self
            .readings
            .iter()
            .filter(|((kpi, version), _)| *kpi == Kpi::Throughput && version.is_some())
            .filter_map(|((_, version), entries)| Some((version.as_ref()?, entries.first()?.reading.value?)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(version, _)| version);
        let served = || self.readings.keys().filter_map(|(_, version)| version.as_ref()).max();
        busiest.or_else(served).or_else(|| self.registry.values().find_map(|entry| entry.production.as_ref()))
    }

    /// The canary that takes traffic now, with its rollout.
    pub fn canary(&self) -> Option<(&Version, &Rollout)> {
        let rollout = self.rollout.as_ref().filter(|rollout| rollout.is_live())?;
        Some((rollout.canary.as_ref()?, rollout))
    }

    /// The verdict on the canary that takes traffic now.
    pub fn verdict(&self) -> Option<&crate::judge::Verdict> {
        self.canary()?;
        self.judging.verdict.as_ref()
    }

    /// Share of requests that the canary got, percent, counted from throughput where both versions are
    /// measured, else the controller's own count.
    pub fn measured_share(&self) -> Option<f64> {
        let (canary, rollout) = self.canary()?;
        let rate = |version: &Version| self.reading_of(Kpi::Throughput, Some(version)).and_then(|r| r.value);
        match (rate(canary), rate(&rollout.stable)) {
            (Some(new), Some(old)) if new + old > 0.0 => Some(100.0 * new / (new + old)),
            _ => rollout.measured,
        }
    }

    /// The headline quality KPI: the worst judged of this kind, else the first measured.
    pub fn headline(&self) -> Option<(Kpi, f64)> {
        let measured = || {
            self.kind.quality().iter().filter_map(|&kpi| {
                let level = self.judgement(kpi).map_or(Level::NotMeasured, |judged| judged.level);
                Some((kpi, self.value(kpi)?, level))
            })
        };
        let worst =
            measured().filter(|(_, _, level)| *level >= Level::Warning).max_by_key(|&(_, _, level)| level);
        worst.or_else(|| measured().next()).map(|(kpi, value, _)| (kpi, value))
    }

    /// Data drift on the common scale.
    pub fn data_drift(&self) -> Option<f64> {
        data_drift(self.features(None).into_iter().map(|state| &state.latest))
    }

    /// The methods by which drift is measured here.
    pub fn drift_scales(&self) -> Vec<DriftScale> {
        let mut scales: Vec<DriftScale> = self.drift.keys().map(|(_, scale)| *scale).collect();
        scales.sort_unstable();
        scales.dedup();
        scales
    }

    /// The features, each once and the most drifted first: by this method where it is measured so, else by
    /// the one that says most: shares that moved before distances before p-values.
    pub fn features(&self, by: Option<DriftScale>) -> Vec<&FeatureState> {
        let mut chosen: BTreeMap<&Arc<str>, (bool, DriftScale, &FeatureState)> = BTreeMap::new();
        for ((name, scale), state) in &self.drift {
            let rank = (Some(*scale) != by, *scale);
            let better = |&(other, known, _): &(bool, DriftScale, &FeatureState)| rank < (other, known);
            if chosen.get(name).is_none_or(better) {
                chosen.insert(name, (rank.0, rank.1, state));
            }
        }
        let mut features: Vec<&FeatureState> = chosen.into_values().map(|(_, _, state)| state).collect();
        features.sort_by(|a, b| {
            b.latest
                .concern()
                .total_cmp(&a.latest.concern())
                .then_with(|| a.latest.feature.cmp(&b.latest.feature))
        });
        features
    }

    /// The registries' production versions, when they do not agree: registry to version.
    pub fn disagreement(&self) -> Option<Vec<(&SourceId, &Version)>> {
        let said: Vec<_> =
            self.registry.iter().filter_map(|(id, entry)| Some((id, entry.production.as_ref()?))).collect();
        said.windows(2).any(|pair| pair[0].1 != pair[1].1).then_some(said)
    }
}
