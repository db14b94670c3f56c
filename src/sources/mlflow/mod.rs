//! Reads model registries from MLflow: models, versions, aliases, stages, and the runs that made them.

pub mod assemble;
pub mod client;
#[cfg(test)]
mod tests;
pub mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::config::{Config, MlflowConfig, Preset};
use crate::domain::text::clean;
use crate::domain::{Fact, Fault, Harvest, Kpi, ModelId, SourceGroup, SourceId, SourceInfo, Time};
use crate::sources::http::{self, Http};
use crate::sources::remarks::Remarks;
use crate::sources::{Polled, Source, model_id};
use assemble::RunFacts;
use client::Client;
use wire::{Model, ModelVersion};

/// Up to so many models are asked for one by one; more are read from the whole list.
const FEW: usize = 50;
/// How many requests to one registry are under way at once.
const AT_ONCE: usize = 6;
/// Runs of so many of the newest versions are read.
const NEWEST: usize = 5;
/// Histories beyond so many wait for the next poll, so that one poll ends within its deadline.
const HISTORIES: usize = 24;
/// Runs and histories that may change are read again after this, seconds.
const SELDOM_S: i64 = 600;

/// One MLflow server.
pub struct Mlflow {
    info: SourceInfo,
    deadline: Duration,
    client: Client,
    production_alias: String,
    version_tag: Option<String>,
    /// The name in the registry, and the fleet's models that go by it.
    models: BTreeMap<String, Vec<ModelId>>,
    runs: BTreeMap<String, (Time, RunFacts)>,
    histories: BTreeMap<String, Time>,
    remarks: Remarks,
}

/// One source for each configured MLflow.
pub fn sources(config: &Config, _: &BTreeMap<String, Preset>) -> Result<Vec<Box<dyn Source>>, Fault> {
    let made =
        config.mlflow.iter().map(|mlflow| Ok(Box::new(Mlflow::new(config, mlflow)?) as Box<dyn Source>));
    made.collect()
}

impl Mlflow {
    fn new(config: &Config, mlflow: &MlflowConfig) -> Result<Self, Fault> {
        let timeout = config.deadline(mlflow.timeout);
        let max_bytes = config.max_bytes();
        let access = client::access(&mlflow.access, |name| std::env::var(name).ok());
        let mut models: BTreeMap<String, Vec<ModelId>> = BTreeMap::new();
        for model in &config.model {
            let name = model.registry_name.clone().unwrap_or_else(|| model.name.clone());
            models.entry(name).or_default().push(model_id(config, model));
        }
        Ok(Self {
            info: SourceInfo {
                id: SourceId::new(&mlflow.name),
                group: SourceGroup::Registry,
                kind: "mlflow".into(),
                place: http::place(&mlflow.url),
                interval_s: config.interval_s(mlflow.interval),
                model: None,
                owes: Vec::new(),
            },
            // A poll is a handful of requests in a row: models, versions, runs, histories.
            deadline: timeout * 4,
            client: Client::new(Http::new(&mlflow.url, &access, timeout, max_bytes)?),
            production_alias: mlflow.production_alias.clone(),
            version_tag: mlflow.version_tag.clone(),
            models,
            runs: BTreeMap::new(),
            histories: BTreeMap::new(),
            remarks: Remarks::default(),
        })
    }

    async fn ask(&mut self, now: Time) -> Result<Harvest, Fault> {
        let models = self.registered().await?;
        let mut facts = Vec::new();
        if models.is_empty() && !self.models.is_empty() {
            facts.push(Fact::Remark("none of the fleet's models is registered here".into()));
        }
        let client = &self.client;
        let versions = |model: Model| async move {
            let versions = client.versions(&model.name).await?;
            Ok::<_, Fault>((model, versions))
        };
        let listed: Vec<(Model, Vec<ModelVersion>)> =
            stream::iter(models).map(versions).buffered(AT_ONCE).try_collect().await?;
        let wanted: BTreeSet<String> =
            listed.iter().flat_map(|(model, versions)| self.wanted_runs(model, versions)).collect();
        facts.extend(self.read_runs(&wanted, now).await);
        let runs = self.runs.iter().map(|(id, (_, run))| (id.clone(), run.clone())).collect();
        let mut jobs = Vec::new();
        for (model, versions) in listed {
            let run_ids: BTreeMap<String, String> =
                versions.iter().filter_map(|v| Some((v.version.clone(), v.run_id.clone()?))).collect();
            let (alias, tag) = (&self.production_alias, self.version_tag.as_deref());
            let entry = assemble::model(&model, versions, alias, tag, &runs);
            let ids = self.models.get(&model.name).cloned().unwrap_or_default();
            let production = entry.production.as_ref().and_then(|version| run_ids.get(version.as_str()));
            if let Some(run_id) = production.filter(|_| jobs.len() < HISTORIES) {
                jobs.extend(self.due_histories(&ids, run_id, now));
            }
            facts.extend(ids.into_iter().map(|id| Fact::Registered { model: id, entry: entry.clone() }));
        }
        facts.extend(self.read_histories(jobs, now).await);
        Ok(Harvest::of(self.remarks.only_new(facts)))
    }

    /// The fleet's models that this registry knows.
    async fn registered(&self) -> Result<Vec<Model>, Fault> {
        if self.models.len() > FEW {
            let mut models = self.client.models().await?;
            models.retain(|model| self.models.contains_key(&model.name));
            return Ok(models);
        }
        let client = &self.client;
        let names: Vec<String> = self.models.keys().cloned().collect();
        let found: Vec<Option<Model>> = stream::iter(names)
            .map(|name| async move { client.model(&name).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Runs of the newest versions, and of every version that an alias or a stage names.
    fn wanted_runs(&self, model: &Model, versions: &[ModelVersion]) -> Vec<String> {
        let mut sorted: Vec<&ModelVersion> = versions.iter().collect();
        sorted.sort_by_cached_key(|version| std::cmp::Reverse(crate::domain::Version::new(&version.version)));
        let is_named = |version: &ModelVersion| {
            version.current_stage.as_deref().is_some_and(|stage| stage == "Production" || stage == "Staging")
                || model.aliases.iter().any(|alias| alias.version == version.version)
        };
        sorted
            .iter()
            .enumerate()
            .filter(|(index, version)| *index < NEWEST || is_named(version))
            .filter_map(|(_, version)| version.run_id.clone().filter(|run_id| !run_id.is_empty()))
            .collect()
    }

    /// Reads the runs that are not known yet, or that may have changed; gives back what went wrong.
    async fn read_runs(&mut self, wanted: &BTreeSet<String>, now: Time) -> Option<Fact> {
        self.runs.retain(|run_id, _| wanted.contains(run_id));
        let is_old = |run_id: &&String| {
            self.runs
                .get(*run_id)
                .is_none_or(|(at, run)| !run.finished && (now - *at).num_seconds() >= SELDOM_S)
        };
        let missing: Vec<String> = wanted.iter().filter(is_old).cloned().collect();
        let client = &self.client;
        let read: Vec<(String, Result<RunFacts, Fault>)> = stream::iter(missing)
            .map(|run_id| async move {
                let run = client.run(&run_id).await;
                (run_id, run.map(|run| run.map(|run| RunFacts::of(&run)).unwrap_or_default()))
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut trouble = None;
        for (run_id, run) in read {
            match run {
                Ok(run) => drop(self.runs.insert(run_id, (now, run))),
                Err(fault) => trouble = Some(Fact::Remark(clean(&format!("a run: {fault}"), 300))),
            }
        }
        trouble
    }

    /// The histories of quality of a run that are due: at first, and seldom after.
    fn due_histories(&self, ids: &[ModelId], run_id: &str, now: Time) -> Vec<Job> {
        let Some((_, run)) = self.runs.get(run_id) else { return Vec::new() };
        if self.histories.get(run_id).is_some_and(|&at| (now - at).num_seconds() < SELDOM_S) {
            return Vec::new();
        }
        let mut keys: BTreeMap<Kpi, &str> = BTreeMap::new();
        for key in run.metrics.keys() {
            if let Some(kpi) = assemble::quality(key) {
                // The plain name comes before its kin: `accuracy` before `val_accuracy`.
                let held = keys.entry(kpi).or_insert(key);
                if key.len() < held.len() {
                    *held = key;
                }
            }
        }
        let job =
            |(kpi, key): (Kpi, &str)| Job { ids: ids.to_vec(), run_id: run_id.into(), kpi, key: key.into() };
        keys.into_iter().map(job).collect()
    }

    async fn read_histories(&mut self, jobs: Vec<Job>, now: Time) -> Vec<Fact> {
        let client = &self.client;
        let read: Vec<(Job, Result<Vec<wire::Metric>, Fault>)> = stream::iter(jobs)
            .map(|job| async move {
                let metrics = client.history(&job.run_id, &job.key).await;
                (job, metrics)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut facts = Vec::new();
        for (job, metrics) in read {
            match metrics.map(|metrics| assemble::points(&metrics)) {
                Ok(points) => {
                    self.histories.insert(job.run_id, now);
                    let (kpi, step_s) = (job.kpi, 86_400);
                    let of =
                        |model| Fact::History { model, version: None, kpi, points: points.clone(), step_s };
                    facts.extend(job.ids.into_iter().filter(|_| !points.is_empty()).map(of));
                }
                Err(fault) => {
                    facts.push(Fact::Remark(clean(&format!("history of {}: {fault}", job.key), 300)));
                }
            }
        }
        facts
    }
}

/// One history to read.
struct Job {
    ids: Vec<ModelId>,
    run_id: String,
    kpi: Kpi,
    key: String,
}

impl Source for Mlflow {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        self.deadline
    }

    fn poll(&mut self, now: Time) -> Polled<'_> {
        Box::pin(self.ask(now))
    }
}
