//! Makes registry facts from MLflow's answers. Pure.

use std::collections::BTreeMap;

use super::wire::{Metric, Model, ModelVersion, Run, map};
use crate::domain::text::{clean, clean_name};
use crate::domain::{Kpi, RegisteredModel, RegisteredVersion, Time, Version};
use crate::sources::lenient::millis;

/// What is kept of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFacts {
    /// The last value of each metric, NaN left out.
    pub metrics: BTreeMap<String, f64>,
    /// Hyperparameters and where it came from.
    pub facts: BTreeMap<String, String>,
    /// Whether it will not change any more.
    pub finished: bool,
}

impl RunFacts {
    /// From a run's answer.
    pub fn of(run: &Run) -> Self {
        let finite = |metric: &Metric| Some((clean_name(&metric.key), metric.value?));
        let mut facts = map(&run.data.params);
        let tag = |key: &str| {
            let pair = run.data.tags.iter().find(|pair| pair.key == key && !pair.value.is_empty())?;
            Some(clean(&pair.value, 200))
        };
        let data = run.inputs.dataset_inputs.first().map(|input| &input.dataset);
        let ended = millis(run.info.end_time).map(|time| time.format("%Y-%m-%d %H:%MZ").to_string());
        let user = tag("mlflow.user").or_else(|| run.info.user_id.as_deref().map(clean_name));
        for (name, value) in [
            ("code hash", tag("mlflow.source.git.commit")),
            ("code", tag("mlflow.source.name")),
            ("data", data.map(|data| clean_name(&data.name))),
            ("data hash", data.map(|data| clean_name(&data.digest))),
            ("trained by", user),
            ("trained", ended),
        ] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                facts.entry(name.to_owned()).or_insert(value);
            }
        }
        Self {
            metrics: run.data.metrics.iter().filter_map(finite).collect(),
            facts,
            finished: !matches!(run.info.status.as_deref(), Some("RUNNING" | "SCHEDULED")),
        }
    }
}

/// A registered model with its versions, the newest first, each once.
pub fn model(
    model: &Model,
    versions: Vec<ModelVersion>,
    production_alias: &str,
    version_tag: Option<&str>,
    runs: &BTreeMap<String, RunFacts>,
) -> RegisteredModel {
    let named =
        |version: &ModelVersion| Some((Version::new(&version.version), on_screen(version, version_tag)?));
    let names = versions.iter().filter_map(named).collect();
    let aliases: BTreeMap<String, Version> =
        model.aliases.iter().map(|alias| (clean_name(&alias.alias), Version::new(&alias.version))).collect();
    let mut versions: Vec<RegisteredVersion> =
        versions.into_iter().map(|version| registered(version, runs)).collect();
    versions.sort_by(|a, b| b.version.cmp(&a.version));
    versions.dedup_by(|a, b| a.version == b.version);
    let staged = versions.iter().find(|version| version.stage == "Production");
    let production =
        aliases.get(production_alias).cloned().or_else(|| staged.map(|staged| staged.version.clone()));
    RegisteredModel {
        name: clean_name(&model.name),
        description: clean(model.description.as_deref().unwrap_or_default(), 2_000),
        aliases,
        tags: map(&model.tags),
        production,
        versions,
        names,
    }
}

/// The name on screen of a version, by the tag of the config: empty is the registry's own number, absent is none.
pub fn on_screen(version: &ModelVersion, version_tag: Option<&str>) -> Option<Version> {
    match version_tag? {
        "" => Some(Version::new(&version.version)),
        tag => {
            let pair = version.tags.iter().find(|pair| pair.key == tag && !pair.value.is_empty())?;
            Some(Version::new(&pair.value))
        }
    }
}

fn registered(version: ModelVersion, runs: &BTreeMap<String, RunFacts>) -> RegisteredVersion {
    let tags = map(&version.tags);
    let run = version.run_id.as_deref().and_then(|run_id| runs.get(run_id)).cloned().unwrap_or_default();
    let mut facts = run.facts;
    for (name, value) in [("run", &version.run_id), ("source", &version.source)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            facts.insert(name.into(), clean(value, 200));
        }
    }
    let status = version.status.unwrap_or_default().to_lowercase().replace("_registration", "");
    let why = version.status_message.filter(|why| !why.is_empty()).map(|why| format!(": {why}"));
    RegisteredVersion {
        version: Version::new(&version.version),
        stage: version
            .current_stage
            .filter(|stage| stage != "None")
            .map(|s| clean_name(&s))
            .unwrap_or_default(),
        status: clean(&format!("{status}{}", why.unwrap_or_default()), 200),
        created: millis(version.creation_timestamp),
        description: clean(version.description.as_deref().unwrap_or_default(), 2_000),
        approvals: approvals(&tags),
        tags,
        metrics: run.metrics,
        facts,
    }
}

/// Tags that carry approvals: `approved_by`, `approval.clinical`, `technical_approval`, `approved_by_clinical`.
fn approvals(tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let role = |key: &str| {
        let key = key.to_lowercase();
        let marks = ["approvals", "approved_by", "approval", "approved"];
        let mark = marks.into_iter().find(|mark| key.starts_with(mark) || key.ends_with(mark))?;
        let rest = key.replacen(mark, "", 1);
        let rest = rest.trim_matches(['.', '_', '-', ' ', ':']);
        Some(if rest.is_empty() { "approved".to_owned() } else { rest.to_owned() })
    };
    tags.iter().filter_map(|(key, value)| Some((role(key)?, value.clone()))).collect()
}

/// The KPI that a metric of a run is, by the names that people log.
pub fn quality(metric: &str) -> Option<Kpi> {
    let name = metric.to_lowercase();
    let name =
        ["val_", "test_", "eval_", "validation_"].iter().find_map(|p| name.strip_prefix(p)).unwrap_or(&name);
    Some(match name {
        "accuracy" | "accuracy_score" | "acc" => Kpi::Accuracy,
        "sensitivity" | "recall" | "recall_score" | "tpr" => Kpi::Sensitivity,
        "specificity" | "tnr" => Kpi::Specificity,
        "auc_roc" | "auc" | "roc_auc" | "roc_auc_score" => Kpi::AucRoc,
        "precision" | "precision_score" => Kpi::Precision,
        "f1" | "f1_score" => Kpi::F1,
        "r2" | "r2_score" => Kpi::R2,
        "mae" | "mean_absolute_error" => Kpi::Mae,
        "mse" | "mean_squared_error" => Kpi::Mse,
        "rmse" | "root_mean_squared_error" => Kpi::Rmse,
        _ => return None,
    })
}

/// The points of a metric's history in order of time; NaN and infinities are gaps.
pub fn points(metrics: &[Metric]) -> Vec<(Time, f64)> {
    let point = |metric: &Metric| Some((millis(metric.timestamp)?, metric.value?));
    let mut points: Vec<(Time, f64)> = metrics.iter().filter_map(point).collect();
    points.sort_by_key(|point| point.0);
    points
}
