//! Prometheus: one source a server, which asks for all models together and makes KPIs, drift, past values
//! and pending alerts of the answers.
//!
//! `group` puts models together, `ask` and `query` write the PromQL, `api` and `wire` ask and read,
//! `measure` and `gauges` make KPIs, `facts` gives them age and rank. `survey` looks around once a minute,
//! `own` runs people's own queries, `history` asks for the past.

mod alerts;
mod api;
mod ask;
mod drift;
mod facts;
pub mod feature_histograms;
mod gauges;
mod group;
mod history;
mod measure;
mod own;
mod query;
mod survey;
#[cfg(test)]
mod tests;
mod totals;
mod wire;

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;

use super::alertmanager::Fleet;
use super::http::Http;
use super::presets::Catalogue;
use super::remarks::Remarks;
use super::{Polled, Source};
use crate::config::{Config, PrometheusConfig};
use crate::domain::text::clean;
use crate::domain::{Fact, Fault, Harvest, Kpi, ModelId, SourceGroup, SourceId, SourceInfo, Time};
use api::Api;
use facts::{Moment, Ranked};
use group::Watched;
use measure::Haul;
use own::{Own, is_of_query};
use survey::{AT_ONCE, Survey, Surveyed, Terms};

/// How long a look around is good for.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// A clock that is off by less than this may be the network's delay.
const SKEW_S: f64 = 1.0;

/// One Prometheus with the models that it knows about.
struct Prometheus {
    info: SourceInfo,
    api: Api,
    timeout: Duration,
    max_bytes: u64,
    terms: Terms,
    models: Vec<Watched>,
    own: Vec<Own>,
    catalogue: Catalogue,
    fleet: Fleet,
    with_firing: bool,
    survey: Option<(Instant, Survey)>,
    /// When the last poll succeeded; none after a fault, so that the gap is asked for.
    last: Option<Time>,
    backlog: VecDeque<history::Piece>,
    remarks: Remarks,
}

/// The Prometheus servers of a config.
pub fn sources(config: &Config, catalogue: &Catalogue) -> Result<Vec<Box<dyn Source>>, Fault> {
    let build = |(number, one)| -> Result<Box<dyn Source>, Fault> {
        Ok(Box::new(Prometheus::new(config, one, number == 0, catalogue)?))
    };
    config.prometheus.iter().enumerate().map(build).collect()
}

impl Prometheus {
    fn new(
        config: &Config,
        one: &PrometheusConfig,
        first: bool,
        catalogue: &Catalogue,
    ) -> Result<Self, Fault> {
        let timeout = config.deadline(one.timeout);
        let max_bytes = config.max_bytes();
        let http = Http::new(&one.url, &one.access, timeout, max_bytes)?;
        let models = group::watched(config, &one.name, first);
        let own = own::queries(&models);
        let info = SourceInfo {
            id: SourceId::new(&one.name),
            group: SourceGroup::Prometheus,
            kind: "prometheus".into(),
            place: http.place(),
            interval_s: config.interval_s(one.interval),
            model: None,
            owes: owes(&models, &own, catalogue),
        };
        let scrape_s = one.scrape_interval.map(|span| span.as_secs_f64());
        Ok(Self {
            info,
            api: Api::new(http),
            timeout,
            max_bytes,
            terms: Terms { window_s: config.window.as_secs_f64(), scrape_s },
            models,
            own,
            catalogue: catalogue.clone(),
            fleet: Fleet::of(config),
            with_firing: config.alertmanager.is_empty(),
            survey: None,
            last: None,
            backlog: VecDeque::new(),
            remarks: Remarks::default(),
        })
    }

    async fn ask(&mut self, now: Time) -> Result<Harvest, Fault> {
        let begun = Instant::now();
        let server_s = self.api.time().await?;
        // The server read its clock about half-way.
        let here = now + begun.elapsed() / 2;
        let skew = server_s - here.timestamp_micros() as f64 / 1e6;
        let survey = self.surveyed(server_s).await?;
        let (mut ranked, mut facts, series) = self.live(&survey, server_s).await?;
        for own in &self.own {
            // Own queries use the configured window only to say over what they speak.
            ranked.extend(own.now(&self.api, server_s, self.terms.window_s as u32).await?);
        }
        facts.extend(survey.remarks.iter().cloned());
        facts.extend(self.alerts(now).await?);
        let gap =
            self.last.is_none_or(|last| (now - last).as_seconds_f64() > 3.0 * self.info.interval_s + 5.0);
        if gap {
            self.plan_history(&survey, &series);
        }
        self.last = Some(now);
        ranked.extend(self.work_off_history(server_s, begun).await);
        facts.extend(facts::first_ranked(ranked));
        let skew_s = Some(if skew.abs() < SKEW_S { 0.0 } else { skew });
        Ok(Harvest { facts: self.remarks.only_new(facts), skew_s })
    }

    async fn surveyed(&mut self, server_s: f64) -> Result<Survey, Fault> {
        if let Some((at, survey)) = &self.survey
            && at.elapsed() < LOOK_EVERY
        {
            return Ok(survey.clone());
        }
        let survey = survey::survey(&self.api, &self.models, &self.catalogue, self.terms, server_s).await?;
        self.survey = Some((Instant::now(), survey.clone()));
        Ok(survey)
    }

    /// Asks all groups now: ranked readings, other facts, and how many series each group's largest answer has.
    async fn live(&self, survey: &Survey, at_s: f64) -> Result<(Vec<Ranked>, Vec<Fact>, Vec<usize>), Fault> {
        let mut asked = Vec::new();
        for (number, group) in survey.groups.iter().enumerate() {
            for query in group.queries.clone() {
                let api = self.api.clone();
                asked.push(async move {
                    let answer = api.instant(&query.text, at_s).await;
                    (number, query, answer)
                });
            }
        }
        let mut answers = stream::iter(asked).buffer_unordered(AT_ONCE);
        let mut hauls: Vec<Haul> = survey.groups.iter().map(|_| Haul::new()).collect();
        let (mut facts, mut failed, mut answered_once) = (BTreeSet::new(), None, false);
        while let Some((number, query, outcome)) = answers.next().await {
            match outcome {
                Ok(answered) => {
                    answered_once = true;
                    facts
                        .extend(answered.warnings.iter().map(|text| clean(&format!("warning: {text}"), 400)));
                    hauls[number].insert(query.ask, answered.lines);
                }
                // The judgement's totals are large in a large fleet; without them the rest is told all the same.
                Err(fault) if is_of_query(&fault) || matches!(query.ask, ask::Ask::Total(_)) => {
                    let kind = &survey.groups[number].group.kind;
                    facts.insert(format!("{fault} (preset.{kind}.{})", query.key));
                    failed = Some(fault).filter(is_of_query).or(failed);
                }
                Err(fault) => return Err(fault),
            }
        }
        if let (Some(fault), false, true) = (failed, answered_once, self.own.is_empty()) {
            return Err(fault);
        }
        let mut ranked = Vec::new();
        let mut facts: Vec<Fact> = facts.into_iter().map(Fact::Remark).collect();
        for (surveyed, haul) in survey.groups.iter().zip(&hauls) {
            let (readings, more) = read(surveyed, haul, (at_s * 1_000.0) as i64);
            ranked.extend(readings);
            facts.extend(more);
        }
        let series = hauls.iter().map(|haul| haul.values().map(Vec::len).max().unwrap_or(0)).collect();
        Ok((ranked, facts, series))
    }

    /// Thanos, Mimir and others have no alerts here; that is no fault.
    async fn alerts(&self, now: Time) -> Result<Option<Fact>, Fault> {
        match self.api.alerts().await {
            Ok(raw) => Ok(Some(Fact::Alerts(alerts::alerts(raw.alerts, &self.fleet, self.with_firing, now)))),
            Err(fault) if is_of_query(&fault) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn plan_history(&mut self, survey: &Survey, series: &[usize]) {
        let interval_s = self.info.interval_s;
        let of_group = |(group, &series)| history::of_group(group, series, interval_s, self.max_bytes);
        let groups = survey.groups.iter().zip(series).flat_map(of_group);
        let own = self.own.iter().map(|own| history::of_own(own, interval_s));
        self.backlog = groups.chain(own).collect();
    }

    /// Asks for as much of the past as there is time for in this poll.
    async fn work_off_history(&mut self, server_s: f64, begun: Instant) -> Vec<Ranked> {
        let mut found = Vec::new();
        // One deadline is left for the piece that is under way.
        while begun.elapsed() < self.timeout * 2
            && let Some(piece) = self.backlog.pop_front()
        {
            let fetch = tokio::time::timeout(self.timeout, piece.fetch(&self.api, server_s as i64));
            match fetch.await {
                Ok(Ok(facts)) => found.extend(facts),
                // The charts stay empty there; the present is told all the same.
                Ok(Err(fault)) => tracing::debug!("past values: {fault}"),
                Err(_) => tracing::debug!("past values: not complete within the deadline"),
            }
        }
        found
    }
}

/// Readings, drift and remarks of one group.
fn read(surveyed: &Surveyed, haul: &Haul, now_ms: i64) -> (Vec<Ranked>, Vec<Fact>) {
    let Surveyed { group, scrape_s, window_s, .. } = surveyed;
    let mut measures = measure::measures(group, haul, *window_s);
    gauges::gauges(group, haul, &mut measures);
    let ages = facts::ages(group, haul, now_ms, *scrape_s);
    let moment = Moment { now_ms, window_s: *window_s };
    let readings = facts::readings(group, &measures, &ages, moment);
    let mut more = drift::now(group, haul);
    more.extend(totals::facts(group, haul));
    more.extend(ages.remarks(group));
    (readings, more)
}

/// The KPIs that are expected: those that every server of a kind publishes. Gauges come and go.
fn owes(models: &[Watched], own: &[Own], catalogue: &Catalogue) -> Vec<(ModelId, Kpi)> {
    let mut all: BTreeSet<(ModelId, Kpi)> = own.iter().map(|own| (own.model.id.clone(), own.kpi)).collect();
    for model in models {
        for preset in model.at.preset.iter().filter_map(|kind| catalogue.get(kind)) {
            let mut owe = |kpi| all.insert((model.id.clone(), kpi));
            if preset.latency.is_some() {
                for percent in ask::PERCENTS {
                    owe(measure::percentile(percent));
                }
            } else if preset.mean.is_some() {
                owe(Kpi::LatencyMean);
            }
            if preset.requests.is_some() {
                owe(Kpi::Throughput);
            }
            if preset.requests.is_some() && preset.errors.is_some() {
                owe(Kpi::ErrorRate);
            }
        }
    }
    all.into_iter().collect()
}

impl Source for Prometheus {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        // The present within three requests' time, the past within what is left.
        self.timeout * 4
    }

    fn poll(&mut self, now: Time) -> Polled<'_> {
        Box::pin(async move {
            let outcome = self.ask(now).await;
            if outcome.is_err() {
                self.last = None;
                self.survey = None;
            }
            outcome
        })
    }
}
