//! Asks an MLflow server: paths, pages, filters, and what its errors mean.

use serde::de::DeserializeOwned;

use super::wire::{
    History, Metric, Model, ModelAnswer, ModelVersion, ModelVersions, Models, Run, RunAnswer, VersionAnswer,
};
use crate::config::{Access, Auth, Secret};
use crate::domain::{Fault, FaultKind};
use crate::sources::http::{Answer, Http};

/// Pages that are followed at most: a server whose tokens never end must not hold a poll.
const PAGES: usize = 20;

/// Questions to one MLflow server.
#[derive(Clone)]
pub struct Client {
    server: Http,
}

impl Client {
    /// A client of this server.
    pub fn new(server: Http) -> Self {
        Self { server }
    }

    /// One registered model with its aliases; `None` when this registry does not know it.
    pub async fn model(&self, name: &str) -> Result<Option<Model>, Fault> {
        let answer: Option<ModelAnswer> = self.get("registered-models/get", &[("name", name)]).await?;
        Ok(answer.map(|answer| answer.registered_model))
    }

    /// All registered models, page after page, each once.
    pub async fn models(&self) -> Result<Vec<Model>, Fault> {
        let mut models: Vec<Model> = Vec::new();
        let mut token = String::new();
        for _ in 0..PAGES {
            let query = paged(&[("max_results", "200")], &token);
            let Some(page) = self.get::<Models>("registered-models/search", &query).await? else { break };
            let next = page.next_page_token;
            models.extend(page.registered_models);
            match next.filter(|next| !next.is_empty() && *next != token) {
                Some(next) => token = next,
                None => break,
            }
        }
        // An offset token shifts when a model comes or goes between two pages.
        models.sort_by(|a, b| a.name.cmp(&b.name));
        models.dedup_by(|a, b| a.name == b.name);
        Ok(models)
    }

    /// All versions of a model, the newest first.
    pub async fn versions(&self, name: &str) -> Result<Vec<ModelVersion>, Fault> {
        let filter = filter(name);
        let mut versions: Vec<ModelVersion> = Vec::new();
        let mut token = String::new();
        for _ in 0..PAGES {
            let query = paged(
                &[("filter", filter.as_str()), ("order_by", "version_number DESC"), ("max_results", "500")],
                &token,
            );
            let Some(page) = self.get::<ModelVersions>("model-versions/search", &query).await? else { break };
            let next = page.next_page_token;
            versions.extend(page.model_versions);
            match next.filter(|next| !next.is_empty() && *next != token) {
                Some(next) => token = next,
                None => break,
            }
        }
        versions.retain(|version| version.name == name);
        Ok(versions)
    }

    /// One version by the registry's own number; `None` when it is not there.
    pub async fn version(&self, name: &str, version: &str) -> Result<Option<ModelVersion>, Fault> {
        let query = [("name", name), ("version", version)];
        let answer: Option<VersionAnswer> = self.get("model-versions/get", &query).await?;
        Ok(answer.map(|answer| answer.model_version))
    }

    /// A run; `None` when it is gone.
    pub async fn run(&self, run_id: &str) -> Result<Option<Run>, Fault> {
        let answer: Option<RunAnswer> = self.get("runs/get", &[("run_id", run_id)]).await?;
        Ok(answer.map(|answer| answer.run))
    }

    /// Every value of a metric, in the server's order.
    pub async fn history(&self, run_id: &str, key: &str) -> Result<Vec<Metric>, Fault> {
        let mut metrics = Vec::new();
        let mut token = String::new();
        for _ in 0..PAGES {
            // Without max_results the server does not page, and answers everything at once.
            let query = paged(&[("run_id", run_id), ("metric_key", key), ("max_results", "1000")], &token);
            let Some(page) = self.get::<History>("metrics/get-history", &query).await? else { break };
            let next = page.next_page_token;
            metrics.extend(page.metrics);
            match next.filter(|next| !next.is_empty() && *next != token) {
                Some(next) => token = next,
                None => break,
            }
        }
        Ok(metrics)
    }

    async fn get<T: DeserializeOwned>(&self, call: &str, query: &[(&str, &str)]) -> Result<Option<T>, Fault> {
        read(self.server.get(&format!("api/2.0/mlflow/{call}"), query).await?)
    }
}

/// What an answer holds; `None` when the thing asked for is not there.
pub(super) fn read<T: DeserializeOwned>(answer: Answer) -> Result<Option<T>, Fault> {
    if answer.is_success() {
        return answer.json().map(Some);
    }
    let code = answer.json::<serde_json::Value>().ok();
    let code = code.as_ref().and_then(|body| body.get("error_code")?.as_str()).unwrap_or_default();
    let fault = answer.fault();
    match answer.status {
        404 if code == "RESOURCE_DOES_NOT_EXIST" => Ok(None),
        404 => Err(Fault { kind: FaultKind::Absent, ..fault }
            .advise("no MLflow API here: check the url and its prefix (mlflow --static-prefix)")),
        401 => Err(fault.advise(
            "set access.auth, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (MLFLOW_TRACKING_TOKEN for hosted ones)",
        )),
        403 if answer.text().contains("Permission denied") => {
            Err(fault.advise("the account needs the READ permission on this model"))
        }
        _ => Err(fault),
    }
}

/// A query with the token of the next page, when there is one.
fn paged<'q>(query: &[(&'q str, &'q str)], token: &'q str) -> Vec<(&'q str, &'q str)> {
    let mut query = query.to_vec();
    if !token.is_empty() {
        query.push(("page_token", token));
    }
    query
}

/// The filter for one name: in single quotes, in double ones when it has an apostrophe (doubling it finds
/// nothing). A name with both cannot be written: a pattern with any character in place of the apostrophe
/// finds it, perhaps with others.
pub(super) fn filter(name: &str) -> String {
    match (name.contains('\''), name.contains('"')) {
        (false, _) => format!("name='{name}'"),
        (true, false) => format!("name=\"{name}\""),
        (true, true) => format!("name LIKE '{}'", name.replace('\'', "_")),
    }
}

/// The configured access, else what MLflow's own variables say.
pub fn access(configured: &Access, variable: impl Fn(&str) -> Option<String>) -> Access {
    let said = |name: &str| variable(name).filter(|value| !value.is_empty());
    let mut access = configured.clone();
    if access.auth.is_none() {
        let token = said("MLFLOW_TRACKING_TOKEN");
        let user = said("MLFLOW_TRACKING_USERNAME");
        let password = said("MLFLOW_TRACKING_PASSWORD");
        access.auth = match (user, password, token) {
            (Some(user), Some(_), _) => {
                Some(Auth::Basic { user, password: Secret::Env("MLFLOW_TRACKING_PASSWORD".into()) })
            }
            (_, _, Some(_)) => Some(Auth::Bearer(Secret::Env("MLFLOW_TRACKING_TOKEN".into()))),
            _ => None,
        };
    }
    access
}
