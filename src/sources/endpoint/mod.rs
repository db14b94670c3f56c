//! Polls a model's servers directly: one source an instance, a probe and the metrics page in one poll.

mod bentoml;
mod health;
mod mlflow_scoring;
mod oip;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join;
use url::Url;

use crate::config::model::{EndpointConfig, ModelConfig, Protocol};
use crate::config::preset::Preset;
use crate::config::validate::instance_name;
use crate::config::{Access, Config};
use crate::domain::{
    EndpointStatus, Fact, Fault, FaultKind, Harvest, Kpi, Readiness, SourceGroup, SourceId, SourceInfo, Time,
    Version,
};
use crate::sources::http::{self, Http};
use crate::sources::remarks::Remarks;
use crate::sources::scrape::{Scraper, Subject};
use crate::sources::{Polled, Source, model_id};

/// What does not change often (versions, software) is asked once in so many polls.
const SELDOM: u32 = 20;

/// One configured server of a model.
pub struct Endpoint {
    info: SourceInfo,
    deadline: Duration,
    protocol: Protocol,
    server: Http,
    name: String,
    version: Option<Version>,
    metrics: Option<Metrics>,
    known: Known,
    readiness: Option<Readiness>,
    polls: u32,
    remarks: Remarks,
}

struct Metrics {
    server: Http,
    scraper: Scraper,
}

/// What the server said about itself the last time it was asked.
#[derive(Debug, Clone, Default, PartialEq)]
struct Known {
    server: Option<String>,
    versions: Vec<Version>,
}

/// What a probe learned.
#[derive(Debug, Clone, PartialEq)]
struct Probe {
    readiness: Readiness,
    took_ms: f64,
    detail: Option<String>,
}

impl Probe {
    fn new(readiness: Readiness, took_ms: f64) -> Self {
        Self { readiness, took_ms, detail: None }
    }

    fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into()).filter(|detail| !detail.is_empty());
        self
    }
}

/// One source for each configured endpoint of each model.
pub fn sources(config: &Config, catalogue: &BTreeMap<String, Preset>) -> Result<Vec<Box<dyn Source>>, Fault> {
    let mut sources: Vec<Box<dyn Source>> = Vec::new();
    for model in &config.model {
        for (index, endpoint) in model.endpoint.iter().enumerate() {
            let name = endpoint.name.clone().unwrap_or_else(|| instance_name(&model.name, index));
            let made = Endpoint::new(config, catalogue, model, endpoint, &name)
                .map_err(|fault| Fault { detail: format!("endpoint {name}: {}", fault.detail), ..fault })?;
            sources.push(Box::new(made));
        }
    }
    Ok(sources)
}

impl Endpoint {
    fn new(
        config: &Config,
        catalogue: &BTreeMap<String, Preset>,
        model: &ModelConfig,
        endpoint: &EndpointConfig,
        name: &str,
    ) -> Result<Self, Fault> {
        let timeout = config.deadline(endpoint.timeout);
        let max_bytes = config.max_bytes();
        let id = model_id(config, model);
        let on_server = endpoint.model.clone().unwrap_or_else(|| model.name.clone());
        let version = endpoint.version.as_deref().map(Version::new);
        let metrics = match &endpoint.metrics {
            Some(url) => {
                let access = access_for(&endpoint.access, &endpoint.url, url);
                let subject =
                    Subject { model: id.clone(), name: on_server.clone(), version: version.clone() };
                let preset = endpoint.preset.as_deref();
                let scraper = Scraper::new(subject, name, preset, catalogue, config.window.0)?;
                Some(Metrics { server: Http::new(url, &access, timeout, max_bytes)?, scraper })
            }
            None => None,
        };
        let owed: &[Kpi] = match &metrics {
            Some(_) => &[Kpi::LatencyP95, Kpi::LatencyP99, Kpi::ErrorRate],
            None => &[],
        };
        let info = SourceInfo {
            id: SourceId::new(name),
            group: SourceGroup::Endpoints,
            kind: kind(endpoint.protocol).into(),
            place: http::place(&endpoint.url),
            interval_s: config.interval_s(endpoint.interval),
            model: Some(id.clone()),
            owes: owed.iter().map(|&kpi| (id.clone(), kpi)).collect(),
        };
        Ok(Self {
            info,
            // A probe may ask twice in a row: for readiness, then for what it seldom asks.
            deadline: timeout * 2 + Duration::from_secs(1),
            protocol: endpoint.protocol,
            server: Http::new(&endpoint.url, &endpoint.access, timeout, max_bytes)?,
            name: on_server,
            version,
            metrics,
            known: Known::default(),
            readiness: None,
            polls: 0,
            remarks: Remarks::default(),
        })
    }

    /// Asks whether the server would answer a prediction.
    async fn probe(&self) -> Result<Probe, Fault> {
        match self.protocol {
            Protocol::Oip => oip::probe(&self.server, &self.name).await,
            Protocol::MlflowScoring => mlflow_scoring::probe(&self.server).await,
            Protocol::Bentoml => bentoml::probe(&self.server).await,
            Protocol::Health => health::probe(&self.server).await,
        }
    }

    /// Asks what the server is and which versions it holds; what it does not say stays as known.
    async fn describe(&self, ready: bool) -> Known {
        let mut known = self.known.clone();
        match self.protocol {
            Protocol::Oip => {
                let name = &self.name;
                let versions = oip::versions(&self.server, name, ready);
                let (server, versions) = join(oip::server(&self.server), versions).await;
                known.server = server.or(known.server);
                known.versions = versions.unwrap_or(known.versions);
            }
            Protocol::MlflowScoring => {
                known.server = mlflow_scoring::server(&self.server).await.or(known.server);
            }
            Protocol::Bentoml => known.server = Some("bentoml".into()),
            Protocol::Health => {}
        }
        known
    }

    async fn ask(&mut self, now: Time) -> Result<Harvest, Fault> {
        let page = async {
            match &self.metrics {
                Some(metrics) => Some(page(&metrics.server).await),
                None => None,
            }
        };
        let (probe, page) = join(self.probe(), page).await;
        let probe = probe?;
        let changed = self.readiness.replace(probe.readiness) != Some(probe.readiness);
        if changed || self.polls.is_multiple_of(SELDOM) {
            self.known = self.describe(probe.readiness == Readiness::Ready).await;
        }
        self.polls = self.polls.wrapping_add(1);
        let mut facts = vec![self.status(probe)];
        let scraped = match (&mut self.metrics, page) {
            (Some(metrics), Some(page)) => page.and_then(|text| metrics.scraper.read(&text, now)),
            _ => Ok(Vec::new()),
        };
        facts.extend(match scraped {
            Ok(facts) => facts,
            // The server itself answers: its probe stands, the page's trouble is told beside it.
            Err(fault) => vec![Fact::Remark(format!("metrics page: {fault}"))],
        });
        Ok(Harvest::of(self.remarks.only_new(facts)))
    }

    fn status(&self, probe: Probe) -> Fact {
        let mut versions = self.known.versions.clone();
        if versions.is_empty() && probe.readiness == Readiness::Ready {
            versions.extend(self.version.clone());
        }
        let status = EndpointStatus {
            instance: self.info.id.0.clone(),
            readiness: probe.readiness,
            probe_ms: probe.took_ms,
            versions,
            server: self.known.server.clone(),
            detail: probe.detail,
        };
        match &self.info.model {
            Some(model) => Fact::Endpoint { model: model.clone(), status },
            None => Fact::Remark("an endpoint without a model".into()),
        }
    }
}

impl Source for Endpoint {
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

/// The text of a metrics page.
async fn page(server: &Http) -> Result<String, Fault> {
    let answer = server.get("", &[]).await?.ok()?;
    if answer.body.first() == Some(&b'<') {
        answer.refuse_page()?;
    }
    Ok(answer.text())
}

/// The access for the metrics page: credentials go only to the host that they were written for.
fn access_for(access: &Access, url: &Url, metrics: &Url) -> Access {
    let same = url.host() == metrics.host();
    Access { auth: access.auth.clone().filter(|_| same), ca_file: access.ca_file.clone() }
}

fn kind(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Oip => "oip",
        Protocol::MlflowScoring => "mlflow-scoring",
        Protocol::Bentoml => "bentoml",
        Protocol::Health => "health",
    }
}

/// A fault for a server that answers, but does not speak what the config says.
fn wrong_protocol(place: &str, what: &str) -> Fault {
    Fault::new(FaultKind::Absent, format!("{place}: {what}")).advise("check the endpoint's url and protocol")
}
