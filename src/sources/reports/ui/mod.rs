//! Reads the newest report of a project from the service of Evidently, and the past of its features once.

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::text::{clean, clean_name};
use crate::domain::{Fact, Fault, FaultKind, Harvest, SourceInfo, Time};
use crate::sources::http::{self, Http};
use crate::sources::lenient::Lenient;
use crate::sources::remarks::Remarks;
use crate::sources::reports::told::{Row, Terms, Told};
use crate::sources::reports::value::{number, plain_json, text};
use crate::sources::reports::{MOST_SOUGHT, aged, method, shape};
use crate::sources::{Polled, Source};

/// Reports of a server without series that make the past, and how many are read in one poll.
const MOST_PAST: usize = 50;
const PAST_AT_ONCE: usize = 10;

/// One project of an Evidently service.
pub struct Ui {
    info: SourceInfo,
    server: Http,
    /// The project as the config names it.
    named: String,
    project: Option<String>,
    terms: Terms,
    /// The report that was read last, and what it says.
    known: Option<(Snapshot, Time, Vec<Fact>)>,
    past: Past,
    remarks: Remarks,
}

/// How much of the past is known.
enum Past {
    Unasked,
    /// Reports that are still to be read, and those that were.
    Reading(Vec<Snapshot>, Vec<(Time, Told)>),
    Told,
}

#[derive(Deserialize)]
struct Project {
    id: String,
    name: Option<String>,
}

#[derive(Deserialize, Clone, PartialEq)]
struct Snapshot {
    id: String,
    timestamp: Option<String>,
    #[serde(default)]
    metadata: Value,
}

impl Ui {
    /// The project that is called `named`, by id or name.
    pub fn new(info: SourceInfo, server: Http, named: String, terms: Terms) -> Self {
        let (named, remarks) = (named.trim().to_owned(), Remarks::default());
        Self { info, server, named, project: None, terms, known: None, past: Past::Unasked, remarks }
    }

    async fn ask(&mut self, now: Time) -> Result<Harvest, Fault> {
        let project = match &self.project {
            Some(project) => project.clone(),
            None => self.find().await?,
        };
        let path = format!("api/projects/{}/reports", http::segment(&project));
        let answer = self.server.get(&path, &[]).await?.ok().inspect_err(|fault| {
            // It may have been made anew under the same name.
            if fault.kind == FaultKind::Absent {
                self.project = None;
            }
        })?;
        let skew_s = http::skew(answer.date, now);
        let listed: Vec<Lenient<Snapshot>> = answer.json()?;
        let count = listed.len();
        let mut all: Vec<(Time, Snapshot)> = listed
            .into_iter()
            .filter_map(|snapshot| {
                let snapshot = snapshot.0.ok()?;
                Some((self.terms.time(snapshot.timestamp.as_deref())?, snapshot))
            })
            .collect();
        all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| b.1.id.cmp(&a.1.id)));
        let Some((at, newest)) = all.first().cloned() else {
            if count > 0 {
                let what = format!("{}: none of {count} reports has an id and a time", answer.place);
                return Err(Fault::new(FaultKind::Unreadable, what));
            }
            let what = format!("{}: the project `{}` has no report yet", answer.place, self.named);
            return Err(Fault::new(FaultKind::Absent, what).advise("add one with Workspace.add_run"));
        };
        if self.known.as_ref().is_none_or(|(old, _, _)| *old != newest) {
            let said = self.newest(&project, &all).await?;
            self.known = Some((newest, at, said));
            self.project = Some(project.clone());
        }
        let mut facts = match &self.known {
            Some((_, at, said)) => said.iter().cloned().chain(aged(*at, now)).collect(),
            None => Vec::new(),
        };
        let past = self.ask_past(&project, &all, &facts).await;
        facts.extend(past);
        Ok(Harvest { facts: self.remarks.only_new(facts), skew_s })
    }

    /// The id of the project.
    async fn find(&self) -> Result<String, Fault> {
        let answer = self.server.get("api/projects/", &[]).await?.ok()?;
        let all: Vec<Lenient<Project>> = answer.json()?;
        let all: Vec<Project> = all.into_iter().filter_map(|project| project.0.ok()).collect();
        if let Some(project) = all.iter().find(|project| project.id == self.named) {
            return Ok(project.id.clone());
        }
        let wrong = |kind, what: String| Fault::new(kind, format!("{}: {what}", answer.place));
        let mut named = all.iter().filter(|project| project.name.as_deref() == Some(&self.named));
        match (named.next(), named.next()) {
            (Some(project), None) => Ok(project.id.clone()),
            (Some(_), Some(_)) => {
                Err(wrong(FaultKind::Refused, format!("several projects are named `{}`", self.named))
                    .advise("write the project's id"))
            }
            (None, _) => {
                // The server tells them in a new order each time.
                let mut names: Vec<String> =
                    all.iter().filter_map(|project| project.name.as_deref().map(clean_name)).collect();
                names.sort_unstable();
                names.truncate(5);
                let has = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                Err(wrong(FaultKind::Absent, format!("no project `{}`; it has {has}", self.named))
                    .advise("correct `project` of [[drift_reports]]"))
            }
        }
    }

    /// What the newest report says; when it tells no drift, before it what an older one says.
    async fn newest(&self, project: &str, all: &[(Time, Snapshot)]) -> Result<Vec<Fact>, Fault> {
        let mut said = Vec::new();
        for (index, (at, snapshot)) in all.iter().take(MOST_SOUGHT).enumerate() {
            match self.download(project, snapshot).await {
                Ok(told) => {
                    said.splice(0..0, self.terms.now(&told, *at));
                    if !told.rows.is_empty() {
                        break;
                    }
                }
                Err(fault) if index == 0 => return Err(fault),
                Err(_) => break,
            }
        }
        Ok(said)
    }

    async fn download(&self, project: &str, snapshot: &Snapshot) -> Result<Told, Fault> {
        let (project, id) = (http::segment(project), http::segment(&snapshot.id));
        let path = format!("api/projects/{project}/{id}/download");
        let answer = self.server.get(&path, &[("report_format", "json")]).await?.ok()?;
        answer.refuse_page()?;
        let mut told = shape::json(&answer.body, &answer.place, &self.terms)?;
        // The report itself says neither when nor of which version.
        told.at = None;
        let version = ["model_version", "version"].iter().find_map(|key| text(snapshot.metadata.get(key)));
        told.version = version.map(|version| clean(&version, 100));
        Ok(told)
    }

    /// The past, in one question; a server that cannot answer it is read report by report.
    async fn ask_past(&mut self, project: &str, all: &[(Time, Snapshot)], now: &[Fact]) -> Vec<Fact> {
        if let Past::Unasked = self.past {
            self.past = Past::Told;
            if all.len() < 2 {
                return Vec::new();
            }
            if let Ok(past) = self.series(project).await {
                return self.terms.history(now, &past);
            }
            let reports = all.iter().take(MOST_PAST).map(|(_, snapshot)| snapshot.clone());
            self.past = Past::Reading(reports.collect(), Vec::new());
        }
        let Past::Reading(mut left, mut read) = std::mem::replace(&mut self.past, Past::Told) else {
            return Vec::new();
        };
        let begun = std::time::Instant::now();
        for _ in 0..PAST_AT_ONCE {
            if left.is_empty() || begun.elapsed() > self.server.timeout() / 2 {
                break;
            }
            let snapshot = left.remove(0);
            // A broken report is a gap.
            if let (Ok(told), Some(at)) =
                (self.download(project, &snapshot).await, self.terms.time(snapshot.timestamp.as_deref()))
            {
                read.push((at, told));
            }
        }
        let facts = self.terms.history(now, &read);
        if !left.is_empty() {
            self.past = Past::Reading(left, read);
        }
        facts
    }

    /// Scores of every column over the project's reports, in one answer.
    async fn series(&self, project: &str) -> Result<Vec<(Time, Told)>, Fault> {
        let drift = json!({
            "tags": [], "metadata": {}, "metric": "evidently:metric_v2:ValueDrift", "metric_labels": {},
        });
        let path = format!("api/v2/snapshots/{}/data_series_batch", http::segment(project));
        let answer = self.server.post_json(&path, &json!({ "series_filter": [drift] })).await?.ok()?;
        let unfit = || Fault::new(FaultKind::Unreadable, format!("{}: no series", answer.place));
        batch(&answer.body, &self.terms).ok_or_else(unfit)
    }
}

/// The scores of a batch of series; values align with the reports.
fn batch(body: &[u8], terms: &Terms) -> Option<Vec<(Time, Told)>> {
    let whole: Value = serde_json::from_slice(&plain_json(body)).ok()?;
    let times: Vec<Option<Time>> =
        whole.get("sources")?.as_array()?.iter().map(|one| terms.time(one["timestamp"].as_str())).collect();
    let mut told = Told::default();
    for series in whole.get("series")?.as_array()? {
        let params = &series["params"];
        let Some(scale) = text(params.get("method")).and_then(|method| method::evidently(&method)) else {
            continue;
        };
        let (Some(column), Some(values)) = (text(params.get("column")), series["values"].as_array()) else {
            continue;
        };
        for (at, value) in times.iter().zip(values) {
            let (Some(at), Some(raw)) = (at, number(Some(value))) else { continue };
            let (feature, threshold) = (column.clone().into_owned(), number(params.get("threshold")));
            told.rows.push(Row { feature, raw, scale, threshold, at: Some(*at) });
        }
    }
    Some(vec![(Time::default(), told)])
}

impl Source for Ui {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        // Projects, reports, the newest ones, and the past.
        self.server.timeout() * 5 + Duration::from_secs(1)
    }

    fn poll(&mut self, now: Time) -> Polled<'_> {
        Box::pin(self.ask(now))
    }
}
