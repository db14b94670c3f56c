//! What the engine sees of the world beside the controllers: a plain snapshot of the store, by model.

use std::collections::HashMap;

use crate::domain::{Kpi, Level, ModelId, Rollout, SourceId, Time, Version};
use crate::judge::Decision;
use crate::store::{Counted, ModelState, Store};

/// The KPIs that an act changes at once.
const KPIS: [Kpi; 3] = [Kpi::LatencyP95, Kpi::LatencyP99, Kpi::ErrorRate];

/// The snapshot of all models that have a rollout.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// By model.
    pub models: HashMap<ModelId, ModelSight>,
}

/// One judged KPI.
#[derive(Debug, Clone, PartialEq)]
pub struct KpiSight {
    /// Which.
    pub kpi: Kpi,
    /// How it is judged.
    pub level: Level,
    /// In words: `p95 612 ms > 500`.
    pub reason: String,
    /// The critical limit, in the KPI's unit.
    pub critical: Option<f64>,
    /// When it was true.
    pub at: Option<Time>,
    /// The window it speaks of, seconds.
    pub window_s: u32,
}

/// A value of one version with what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Valued {
    /// The value in the KPI's unit.
    pub value: f64,
    /// Requests it rests on, when counted.
    pub samples: Option<u64>,
    /// When it was true.
    pub at: Time,
}

/// What the judge says of the canary.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictSight {
    /// What to do.
    pub decision: Decision,
    /// The evidence in words.
    pub line: String,
    /// When it looked last.
    pub at: Time,
}

/// One model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSight {
    /// Its rollout.
    pub rollout: Rollout,
    /// When its controller told it last.
    pub rollout_at: Option<Time>,
    /// The canary's measured share of the requests, percent.
    pub share: Option<f64>,
    /// Requests a second, all versions.
    pub rate: Option<f64>,
    /// Latency and errors over all traffic, judged.
    pub kpis: Vec<KpiSight>,
    /// Failed requests of the canary (of the serving version without one), percent.
    pub errors: Option<Valued>,
    /// The p95 of the same, ms.
    pub p95: Option<Valued>,
    /// Requests by version so far.
    pub counted: Vec<Counted>,
    /// The judge's verdict on the canary.
    pub verdict: Option<VerdictSight>,
    /// What each registry calls production.
    pub registry: Vec<(SourceId, Version)>,
    /// The worst limit that is broken, in words; empty when all is well.
    pub why: String,
}

impl Sight {
    /// What the store knows now.
    pub fn of(store: &Store) -> Self {
        let seen = |model: &ModelState| Some((model.id.clone(), model_sight(store, model)?));
        Self { models: store.models.iter().filter_map(seen).collect() }
    }

    /// One model's part.
    pub fn model(&self, id: &ModelId) -> Option<&ModelSight> {
        self.models.get(id)
    }
}

fn model_sight(store: &Store, model: &ModelState) -> Option<ModelSight> {
    let rollout = model.rollout.clone()?;
    let of = model.canary().map(|(version, _)| version.clone()).unwrap_or_else(|| rollout.stable.clone());
    let valued = |kpi: Kpi| {
        let reading = model.reading_of(kpi, Some(&of))?;
        Some(Valued { value: reading.value?, samples: reading.samples, at: reading.at })
    };
    let system = rollout.target.as_ref().map(|target| &target.system);
    Some(ModelSight {
        rollout_at: system.and_then(|system| store.source(system)).and_then(|source| source.seen),
        share: model.measured_share(),
        rate: model.value(Kpi::Throughput),
        kpis: KPIS.iter().filter_map(|&kpi| kpi_sight(model, kpi)).collect(),
        errors: valued(Kpi::ErrorRate),
        p95: valued(Kpi::LatencyP95),
        counted: model.counted.rows().cloned().collect(),
        verdict: model.verdict().map(|verdict| VerdictSight {
            decision: verdict.verdict,
            line: verdict.line.clone(),
            at: verdict.t,
        }),
        registry: model
            .registry
            .iter()
            .filter_map(|(id, entry)| Some((id.clone(), entry.production.clone()?)))
            .collect(),
        why: model.why.clone(),
        rollout,
    })
}

fn kpi_sight(model: &ModelState, kpi: Kpi) -> Option<KpiSight> {
    let judged = model.judgement(kpi)?;
    Some(KpiSight {
        kpi,
        level: judged.level,
        reason: judged.reason.clone(),
        critical: model.limits.rule(kpi).and_then(|rule| rule.critical),
        at: judged.at,
        window_s: model.reading(kpi).map_or(0, |reading| reading.window_s),
    })
}
