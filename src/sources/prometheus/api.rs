//! Prometheus' HTTP API: instant and range queries, names, targets, alerts, and what its errors mean.

use std::collections::HashSet;

use serde::de::DeserializeOwned;

use super::wire::{Answered, Data, Envelope, RawAlerts, Targets};
use crate::domain::{Fault, FaultKind};
use crate::sources::http::{Answer, Http};

/// Queries above this size are sent as a form.
const LONG_QUERY: usize = 2_048;

/// The most points of a series that Prometheus answers with.
const MOST_POINTS: u32 = 11_000;

/// One Prometheus.
#[derive(Debug, Clone)]
pub struct Api {
    http: Http,
}

/// A range of time for a query: whole steps, seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first moment.
    pub start: i64,
    /// The last moment.
    pub end: i64,
    /// The distance of two moments.
    pub step: u32,
}

impl Range {
    /// The last `span_s` seconds in steps of at least `step_s`. Both ends are whole steps, or a line would
    /// wobble from poll to poll; the step grows where there would be too many points.
    pub fn last(span_s: u32, step_s: u32, now_s: i64) -> Self {
        let step = step_s.max(span_s.div_ceil(MOST_POINTS - 2)).max(1);
        let floor = |at: i64| at - at.rem_euclid(i64::from(step));
        Self { start: floor(now_s - i64::from(span_s)), end: floor(now_s), step }
    }
}

impl Api {
    /// The API of this server.
    pub fn new(http: Http) -> Self {
        Self { http }
    }

    /// The server's clock, seconds since 1970, and the proof that it answers queries.
    pub async fn time(&self) -> Result<f64, Fault> {
        let answered = self.query("query", "time()", &[]).await?;
        let value = answered.lines.first().and_then(|line| line.points.first()).map(|point| point.1);
        value.ok_or_else(|| Fault::new(FaultKind::Unreadable, "`time()` has no value: is this Prometheus?"))
    }

    /// An instant query at a moment of the server.
    pub async fn instant(&self, query: &str, at_s: f64) -> Result<Answered, Fault> {
        self.query("query", query, &[("time", &format!("{at_s:.3}"))]).await
    }

    /// A range query.
    pub async fn range(&self, query: &str, range: Range) -> Result<Answered, Fault> {
        let [start, end] = [range.start, range.end].map(|at| at.to_string());
        let step = range.step.to_string();
        self.query("query_range", query, &[("start", &start), ("end", &end), ("step", &step)]).await
    }

    async fn query(&self, call: &str, query: &str, more: &[(&str, &str)]) -> Result<Answered, Fault> {
        // The server shall give up before we do: then it says so, and only this query is lost.
        let limit = format!("{}ms", self.http.timeout().mul_f64(0.9).as_millis().max(1));
        let mut fields = vec![("query", query), ("timeout", limit.as_str())];
        fields.extend_from_slice(more);
        let path = format!("api/v1/{call}");
        let answer = match query.len() > LONG_QUERY {
            true => self.http.post_form(&path, &fields).await?,
            false => self.http.get(&path, &fields).await?,
        };
        let envelope: Envelope<Data> = read(&answer).map_err(|fault| about(fault, &answer, query))?;
        Answered::of(envelope)
    }

    /// The values that a label (`__name__`: the metrics' names) has in series that match, within the last
    /// hour: also of targets that have just gone, which no instant query finds.
    pub async fn values(&self, label: &str, matcher: &str, now_s: f64) -> Result<HashSet<String>, Fault> {
        let start = format!("{:.0}", now_s - 3_600.0);
        let mut query = vec![("start", start.as_str())];
        if !matcher.is_empty() {
            query.push(("match[]", matcher));
        }
        let answer = self.http.get(&format!("api/v1/label/{label}/values"), &query).await?;
        read::<Envelope<HashSet<String>>>(&answer).map_err(|fault| about(fault, &answer, matcher))?.data()
    }

    /// What is scraped.
    pub async fn targets(&self) -> Result<Targets, Fault> {
        let answer = self.http.get("api/v1/targets", &[("state", "active")]).await?;
        read::<Envelope<Targets>>(&answer)?.data()
    }

    /// Pending and firing alerts.
    pub async fn alerts(&self) -> Result<RawAlerts, Fault> {
        let answer = self.http.get("api/v1/alerts", &[]).await?;
        read::<Envelope<RawAlerts>>(&answer)?.data()
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Fault> {
    if answer.is_success() { answer.json() } else { Err(answer.fault()) }
}

/// A refused query names itself, and a slow one says what would help.
fn about(fault: Fault, answer: &Answer, query: &str) -> Fault {
    let said = crate::sources::http::error_text(&answer.body);
    match (answer.status, fault.kind) {
        (400 | 422, FaultKind::Refused) => Fault::new(fault.kind, format!("{said}, in: {query}")),
        (503, _) if said.starts_with("timeout") || said.starts_with("canceled") => {
            Fault::new(FaultKind::Status, format!("{said}, in: {query}"))
                .advise("the query is too slow for the server: shorten the window or use a recording rule")
        }
        _ => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(status: u16, body: &str) -> Fault {
        let answer = Answer {
            status,
            content_type: "application/json".into(),
            body: body.as_bytes().to_vec(),
            ..Answer::default()
        };
        let fault = read::<Envelope<Data>>(&answer).unwrap_err();
        about(fault, &answer, "rate(up[")
    }

    #[test]
    fn recorded_errors_have_their_kind() {
        let parse = recorded(400, include_str!("../../../fixtures/prometheus/error-parse.400.json"));
        assert_eq!(parse.kind, FaultKind::Refused);
        assert!(parse.detail.contains("in: rate(up["), "{parse}");
        let exec = recorded(422, include_str!("../../../fixtures/prometheus/error-exec.422.json"));
        assert_eq!(exec.kind, FaultKind::Refused);
        let slow = recorded(503, include_str!("../../../fixtures/prometheus/error-timeout.503.json"));
        assert_eq!(slow.kind, FaultKind::Status);
        assert!(slow.remedy.contains("recording rule"), "{slow}");
        let lost = recorded(404, include_str!("../../../fixtures/prometheus/unknown.404.txt"));
        assert_eq!(lost.kind, FaultKind::Absent);
    }

    #[test]
    fn ranges_are_whole_steps_and_not_too_many() {
        let range = Range::last(1_800, 15, 1_795_205_372);
        assert_eq!((range.start % 15, range.end % 15), (0, 0));
        assert!(range.end <= 1_795_205_372 && range.end - range.start <= 1_815);
        let long = Range::last(30 * 86_400, 15, 1_795_205_372);
        assert!((long.end - long.start) / i64::from(long.step) < 11_000);
    }
}
