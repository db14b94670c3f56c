//! Reads quality, label coverage and drift from an MLOps service (`GET /mlops/status`, see `interfaces.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;

use crate::config::{Config, MlopsConfig, Preset};
use crate::domain::text::{clean, clean_name};
use crate::domain::{
    DriftScale, Fact, Fault, FeatureDrift, Harvest, Kpi, ModelId, Reading, SourceGroup, SourceId, SourceInfo,
    Time, Version,
};
use crate::sources::http::{self, Http};
use crate::sources::lenient::{self, Lenient};
use crate::sources::remarks::Remarks;
use crate::sources::{Polled, Source, model_id};

/// One MLOps service.
pub struct Mlops {
    info: SourceInfo,
    server: Http,
    models: Vec<ModelId>,
    remarks: Remarks,
}

/// One source for each configured service.
pub fn sources(config: &Config, _: &BTreeMap<String, Preset>) -> Result<Vec<Box<dyn Source>>, Fault> {
    let made = config.mlops.iter().map(|mlops| Ok(Box::new(Mlops::new(config, mlops)?) as Box<dyn Source>));
    made.collect()
}

impl Mlops {
    fn new(config: &Config, mlops: &MlopsConfig) -> Result<Self, Fault> {
        let timeout = config.deadline(mlops.timeout);
        let max_bytes = config.max_bytes();
        Ok(Self {
            info: SourceInfo {
                id: SourceId::new(&mlops.name),
                group: SourceGroup::Mlops,
                kind: "mlops".into(),
                place: http::place(&mlops.url),
                interval_s: config.interval_s(mlops.interval),
                model: None,
                owes: Vec::new(),
            },
            server: Http::new(&mlops.url, &mlops.access, timeout, max_bytes)?,
            models: config.model.iter().map(|model| model_id(config, model)).collect(),
            remarks: Remarks::default(),
        })
    }

    async fn ask(&mut self, now: Time) -> Result<Harvest, Fault> {
        let answer = self.server.get("mlops/status", &[]).await?.ok()?;
        let skew_s = http::skew(answer.date, now);
        let facts = self.remarks.only_new(facts(answer.json()?, &self.models, now));
        Ok(Harvest { facts, skew_s })
    }
}

impl Source for Mlops {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        self.server.timeout() + Duration::from_secs(1)
    }

    fn poll(&mut self, now: Time) -> Polled<'_> {
        Box::pin(self.ask(now))
    }
}

#[derive(Deserialize)]
struct Body {
    time: Option<String>,
    #[serde(default)]
    models: Vec<Lenient<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    model: String,
    namespace: Option<String>,
    version: Option<String>,
    #[serde(default)]
    quality: BTreeMap<String, Lenient<Quality>>,
    labels: Option<Labels>,
    drift: Option<Drift>,
    retraining: Option<Retraining>,
}

type Points = Vec<(String, Option<f64>)>;

#[derive(Deserialize)]
struct Quality {
    value: Option<f64>,
    samples: Option<u64>,
    #[serde(default)]
    history: Points,
}

#[derive(Deserialize)]
struct Labels {
    coverage: Option<f64>,
    last: Option<String>,
}

#[derive(Deserialize)]
struct Drift {
    method: Option<String>,
    threshold: Option<f64>,
    rows: Option<u64>,
    time: Option<String>,
    #[serde(default)]
    features: Vec<Lenient<Feature>>,
    concept: Option<Finding>,
    prediction: Option<Finding>,
}

#[derive(Deserialize)]
struct Feature {
    feature: String,
    group: Option<String>,
    score: Option<f64>,
    method: Option<String>,
    threshold: Option<f64>,
    #[serde(default)]
    history: Points,
}

#[derive(Deserialize)]
struct Finding {
    finding: String,
    #[serde(default)]
    abnormal: bool,
}

#[derive(Deserialize)]
struct Retraining {
    last: Option<String>,
    status: Option<String>,
}

/// What the service says about the fleet's models; those of others are not ours.
fn facts(body: Body, models: &[ModelId], now: Time) -> Vec<Fact> {
    let at = lenient::time(body.time.as_deref()).unwrap_or(now);
    let mut facts = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in body.models {
        match entry.0 {
            Ok(entry) => {
                let found = lenient::find(models, &entry.model, entry.namespace.as_deref());
                if let Some(model) = found.cloned() {
                    let first = seen.insert(model.clone());
                    of_model(entry, &model, first, at, &mut facts);
                }
            }
            Err(why) => facts.push(remark(format!("an entry of /mlops/status is unreadable: {why}"))),
        }
    }
    facts
}

fn remark(text: String) -> Fact {
    Fact::Remark(clean(&text, 300))
}

fn of_model(entry: Entry, model: &ModelId, first: bool, at: Time, facts: &mut Vec<Fact>) {
    let version = entry.version.as_deref().map(Version::new);
    // The first entry of a model also speaks for all its traffic.
    let mut scopes: Vec<Option<Version>> = version.into_iter().map(Some).collect();
    if first || scopes.is_empty() {
        scopes.push(None);
    }
    let say = |kpi: Kpi, reading: &Reading, facts: &mut Vec<Fact>| {
        facts.extend(scopes.iter().map(|version| Fact::Reading {
            model: model.clone(),
            version: version.clone(),
            kpi,
            reading: reading.clone(),
        }));
    };
    for (id, quality) in entry.quality {
        let (Some(kpi), Ok(quality)) = (Kpi::from_id(&id), quality.0) else {
            facts.push(remark(format!("{model}: quality `{id}` is no known KPI or is unreadable")));
            continue;
        };
        let value = quality.value.unwrap_or(f64::NAN);
        say(kpi, &Reading::new(value, at).with_samples(quality.samples), facts);
        let points = points(quality.history);
        if !points.is_empty() {
            let (model, version) = (model.clone(), None);
            facts.push(Fact::History { model, version, kpi, points, step_s: 86_400 });
        }
    }
    if let Some(labels) = entry.labels {
        if let Some(coverage) = labels.coverage {
            say(Kpi::LabelCoverage, &Reading::new(coverage * 100.0, at), facts);
        }
        if let Some(last) = lenient::time(labels.last.as_deref()) {
            say(Kpi::LabelLag, &Reading::new((at - last).as_seconds_f64().max(0.0), at), facts);
        }
    }
    if let Some(drift) = entry.drift {
        of_drift(drift, model, at, facts);
    }
    let retraining = entry.retraining.filter(|r| r.status.as_deref().is_some_and(|word| word != "idle"));
    if let Some(Retraining { last, status }) = retraining {
        let last = last.map(|last| format!(", last {last}")).unwrap_or_default();
        facts.push(remark(format!("{model}: retraining {}{last}", status.unwrap_or_default())));
    }
}

fn of_drift(drift: Drift, model: &ModelId, at: Time, facts: &mut Vec<Fact>) {
    let at = lenient::time(drift.time.as_deref()).unwrap_or(at);
    let mut features = Vec::new();
    let mut histories = Vec::new();
    let mut refused = BTreeSet::new();
    for feature in drift.features.into_iter().filter_map(|feature| feature.0.ok()) {
        let method = feature.method.as_deref().or(drift.method.as_deref()).unwrap_or_default();
        let Some(scale) = DriftScale::from_method(method) else {
            refused.insert(method.to_owned());
            continue;
        };
        let Some(raw) = feature.score.filter(|score| score.is_finite()) else { continue };
        let said = FeatureDrift {
            threshold: feature.threshold.or(drift.threshold),
            samples: drift.rows,
            ..FeatureDrift::new(
                clean_name(&feature.feature),
                clean_name(feature.group.as_deref().unwrap_or_default()),
                raw,
                scale,
                at,
            )
        };
        let points = points(feature.history);
        if !points.is_empty() {
            let (model, feature) = (model.clone(), said.clone());
            histories.push(Fact::DriftHistory { model, feature, points });
        }
        features.push(said);
    }
    for method in refused.into_iter().take(3) {
        let why = "no known drift method, and which way a score points is not guessed";
        facts.push(remark(format!("{model}: `{method}` is {why}")));
    }
    if !features.is_empty() {
        facts.push(Fact::Drift { model: model.clone(), features });
    }
    facts.extend(histories);
    for (kind, finding) in [("concept", drift.concept), ("prediction", drift.prediction)] {
        if let Some(Finding { finding, abnormal }) = finding {
            let (model, finding) = (model.clone(), clean(&finding, 200));
            facts.push(Fact::DriftFinding { model, kind: kind.into(), finding, abnormal });
        }
    }
}

/// Points in order of time, without those that have no moment or no value.
fn points(raw: Points) -> Vec<(Time, f64)> {
    let mut points: Vec<(Time, f64)> = raw
        .into_iter()
        .filter_map(|(time, value)| Some((lenient::time(Some(&time))?, value.filter(|v| v.is_finite())?)))
        .collect();
    points.sort_by_key(|point| point.0);
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<Fact> {
        let models = ["alzheimer", "als"].map(|name| ModelId::new("test", name));
        facts(serde_json::from_str(body).unwrap(), &models, Time::default())
    }

    #[test]
    fn the_documented_answer() {
        let facts = read(include_str!("../../fixtures/mlops/status.json"));
        let value = |kpi: Kpi, of: Option<&str>| {
            facts.iter().find_map(|fact| match fact {
                Fact::Reading { kpi: found, version, reading, .. }
                    if *found == kpi && version.as_ref().map(Version::as_str) == of =>
                {
                    reading.value
                }
                _ => None,
            })
        };
        assert_eq!(value(Kpi::Accuracy, None), Some(0.871));
        assert_eq!(value(Kpi::Accuracy, Some("1.2.0")), Some(0.871));
        assert_eq!(value(Kpi::LabelCoverage, None), Some(31.0));
        assert_eq!(value(Kpi::LabelLag, None), Some(27.0));
        assert!(facts.iter().any(|fact| matches!(fact, Fact::History { step_s: 86_400, .. })));
        assert!(facts.iter().any(|fact| matches!(fact, Fact::Drift { features, .. }
            if features[0].scale == DriftScale::Share && features[0].samples == Some(3500))));
        assert!(
            facts.iter().any(|fact| matches!(fact, Fact::DriftHistory { points, .. } if points.len() == 1))
        );
        let findings = facts.iter().filter(|fact| matches!(fact, Fact::DriftFinding { .. })).count();
        assert_eq!(findings, 2);
    }

    #[test]
    fn absent_parts_and_unknown_methods_are_no_errors() {
        assert!(read("{}").is_empty());
        let facts = read(
            r#"{"models":[{"model":"als","quality":{"accuracy":{"value":null},"charm":{"value":1}},
            "drift":{"method":"magic","features":[{"feature":"a","score":0.1},{"feature":3}]}},
            {"model":"others"},7]}"#,
        );
        assert!(!facts.iter().any(|fact| matches!(fact, Fact::Drift { .. })));
        assert_eq!(facts.iter().filter(|fact| matches!(fact, Fact::Remark(_))).count(), 3, "{facts:?}");
    }
}
