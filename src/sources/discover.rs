//! Asks servers what they hold, so that a first config can be written from it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use serde::Deserialize;
use url::Url;

pub use super::discover_cluster::{FoundCluster, FoundRollout, Seen};
use super::http::Http;
use super::mlflow::client::Client;
use super::presets;
use crate::config::{Access, Preset};
use crate::domain::text::clean_name;
use crate::domain::{Fault, ModelKind};

/// Deadline of one question.
const DEADLINE: Duration = Duration::from_secs(10);
/// Largest answer that is read.
const LARGEST: u64 = 32 << 20;

/// A model that a server knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundModel {
    /// Its name: the registry's, else the metric label's.
    pub name: String,
    /// What it predicts, as far as its metrics tell.
    pub kind: ModelKind,
    /// Its name in the registry.
    pub registered: Option<String>,
    /// Server kinds whose metrics name it, with the name that each gives it.
    pub seen: Vec<(String, String)>,
}

impl FoundModel {
    /// The value of the model label that a config should ask for: the model's own name where any kind uses
    /// it, else the first that was seen.
    pub fn label_value(&self) -> Option<&str> {
        let own = self.seen.iter().find(|(_, value)| *value == self.name);
        own.or(self.seen.first()).map(|(_, value)| value.as_str())
    }

    /// The server kinds that give it that name, and those that spell it otherwise.
    pub fn presets(&self) -> (Vec<&str>, Vec<&(String, String)>) {
        let wanted = self.label_value();
        let (same, other): (Vec<_>, Vec<_>) =
            self.seen.iter().partition(|(_, value)| Some(value.as_str()) == wanted);
        (same.into_iter().map(|(preset, _)| preset.as_str()).collect(), other)
    }
}

/// What the servers said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The models; those known to both servers are one.
    pub models: Vec<FoundModel>,
    /// The clusters with their rollouts.
    pub clusters: Vec<FoundCluster>,
    /// What was seen and cannot be tied to a model, in words.
    pub unmatched: Vec<String>,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

/// Asks the servers, as far as they are given.
///
/// # Errors
/// The server that did not answer, by name, and how.
pub async fn ask(
    prometheus: Option<&Url>,
    mlflow: Option<&Url>,
    clusters: &[crate::config::ClusterConfig],
) -> Result<Found, (&'static str, Fault)> {
    let mut found = Found::default();
    for cluster in clusters {
        let rollouts =
            super::discover_cluster::ask(cluster, DEADLINE).await.map_err(|fault| ("kubeconfig", fault))?;
        found.clusters.push(rollouts);
    }
    if let Some(url) = mlflow {
        registry(url, &mut found).await.map_err(|fault| ("mlflow", fault))?;
    }
    if let Some(url) = prometheus {
        metrics(url, &mut found).await.map_err(|fault| ("prometheus", fault))?;
    }
    found.models.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

async fn registry(url: &Url, found: &mut Found) -> Result<(), Fault> {
    let access = super::mlflow::client::access(&Access::default(), |name| std::env::var(name).ok());
    let client = Client::new(Http::new(url, &access, DEADLINE, LARGEST)?);
    for model in client.models().await? {
        let mut kind = ModelKind::Classification;
        let versions = client.versions(&model.name).await?;
        for run_id in versions
            .iter()
            .map(|version| version.run_id.as_deref().unwrap_or_default())
            .filter(|id| !id.is_empty())
            .take(1)
        {
            let logged = client.run(run_id).await?.map(|run| run.data.metrics).unwrap_or_default();
            if logged.iter().any(|metric| is_regression(&metric.key)) {
                kind = ModelKind::Regression;
            }
        }
        let name = clean_name(&model.name);
        found.models.push(FoundModel { registered: Some(name.clone()), name, kind, ..FoundModel::default() });
    }
    Ok(())
}

fn is_regression(metric: &str) -> bool {
    matches!(metric.to_ascii_lowercase().as_str(), "r2" | "r2_score" | "mae" | "rmse" | "mse")
}

async fn metrics(url: &Url, found: &mut Found) -> Result<(), Fault> {
    let server = Http::new(url, &Access::default(), DEADLINE, LARGEST)?;
    let names: Envelope<HashSet<String>> =
        server.get("/api/v1/label/__name__/values", &[]).await?.ok()?.json()?;
    let catalogue = presets::catalogue(&BTreeMap::new());
    for (preset_name, preset) in &catalogue {
        if !is_there(preset, &names.data) {
            continue;
        }
        let mut seen = BTreeSet::new();
        for metric in telling(preset, &names.data) {
            for label in &preset.model_label {
                seen.extend(values(&server, &metric, label).await?);
            }
        }
        if seen.is_empty() {
            let word = format!(
                "Prometheus has metrics of the kind `{preset_name}`, but none of its labels names a model"
            );
            found.unmatched.push(format!("{word}: add a [[model]] with prometheus.select"));
        }
        for value in seen {
            join(found, &value, preset_name);
        }
    }
    for value in values(&server, "model_r2_score", "model_name").await? {
        if let Some(model) = found.models.iter_mut().find(|model| same(&model.name, &value)) {
            model.kind = ModelKind::Regression;
        }
    }
    Ok(())
}

/// Whether the server kind is there: by its own signs, or by any of its gauges.
fn is_there(preset: &Preset, names: &HashSet<String>) -> bool {
    !preset.detect.is_empty() && preset.detect.iter().all(|name| names.contains(name))
}

/// The metrics of a kind that may name models.
fn telling(preset: &Preset, names: &HashSet<String>) -> Vec<String> {
    let counters = preset.requests.iter().flat_map(|counter| counter.metric.clone());
    let gauges = preset.gauges.values().flat_map(|gauge| gauge.metric.clone());
    let drift = preset.drift.iter().flat_map(|drift| drift.metric.clone());
    let latency =
        preset.latency.iter().flat_map(|latency| latency.metric.iter().map(|name| format!("{name}_bucket")));
    counters.chain(latency).chain(gauges).chain(drift).filter(|name| names.contains(name)).collect()
}

/// The values of a label on a metric.
async fn values(server: &Http, metric: &str, label: &str) -> Result<Vec<String>, Fault> {
    let matcher = format!("{{__name__=\"{metric}\"}}");
    let path = format!("/api/v1/label/{label}/values");
    let answer: Envelope<Vec<String>> = server.get(&path, &[("match[]", &matcher)]).await?.ok()?.json()?;
    Ok(answer.data)
}

/// Adds what Prometheus knows to the model of the same name.
fn join(found: &mut Found, value: &str, preset: &str) {
    let place = found.models.iter().position(|model| same(&model.name, value)).unwrap_or_else(|| {
        found.models.push(FoundModel { name: clean_name(value), ..FoundModel::default() });
        found.models.len() - 1
    });
    let seen = (preset.to_owned(), value.to_owned());
    if !found.models[place].seen.contains(&seen) {
        found.models[place].seen.push(seen);
    }
}

/// Names that people write differently in two systems: `Heart_Disease`, `heart-disease`.
pub(crate) fn same(a: &str, b: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    plain(a) == plain(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_known_to_both_are_joined() {
        let mut found = Found::default();
        found.models.push(FoundModel { name: "heart-disease".into(), ..FoundModel::default() });
        join(&mut found, "Heart_Disease", "mlserver");
        join(&mut found, "als", "mlserver");
        join(&mut found, "heart-disease", "evaluation");
        assert_eq!(found.models.len(), 2);
        let model = &found.models[0];
        assert_eq!(model.label_value(), Some("heart-disease"), "its own name, where anybody uses it");
        assert_eq!(model.presets().0, ["evaluation"]);
        assert_eq!(model.presets().1, [&("mlserver".to_owned(), "Heart_Disease".to_owned())]);
    }
}
