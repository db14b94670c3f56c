//! Alertmanager: firing, silenced and inhibited alerts, and the silences.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::http::Http;
use super::lenient::{self, Lenient};
use super::presets::Catalogue;
use super::remarks::Remarks;
use super::{Polled, Source, model_id};
use crate::config::{AlertmanagerConfig, Config};
use crate::domain::text::{clean, clean_name};
use crate::domain::{
    Alert, AlertState, Fact, Fault, Harvest, Level, ModelId, Silence, SourceGroup, SourceId, SourceInfo, Time,
};

/// Labels that may name a model, in this order.
const MODEL_LABELS: [&str; 5] = ["model", "model_name", "deployment", "service", "inferenceservice"];

/// The fleet's models by the names that labels may call them.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    names: Vec<(String, ModelId)>,
}

impl Fleet {
    /// The models of a config: by name, by their value in metrics, and by their name in registries.
    pub fn of(config: &Config) -> Self {
        let names = config.model.iter().flat_map(|model| {
            let id = model_id(config, model);
            let value = model.prometheus.as_ref().and_then(|at| at.model_value.clone());
            let all = [Some(model.name.clone()), value, model.registry_name.clone()];
            all.into_iter().flatten().map(move |name| (name, id.clone()))
        });
        Self { names: names.collect() }
    }

    /// The model that labels speak of; of several with one name the one in the labels' namespace.
    pub fn named(&self, labels: &BTreeMap<String, String>) -> Option<ModelId> {
        let namespace = labels.get("namespace").map(String::as_str);
        MODEL_LABELS.iter().filter_map(|label| labels.get(*label)).find_map(|value| {
            let mut fitting =
                self.names.iter().filter(|(name, _)| name == value).map(|(_, id)| id).peekable();
            let first = fitting.peek().map(|id| (*id).clone());
            fitting.find(|id| Some(&*id.namespace) == namespace).cloned().or(first)
        })
    }
}

/// One Alertmanager.
#[derive(Debug)]
struct Alertmanager {
    info: SourceInfo,
    http: Http,
    fleet: Fleet,
    watchdog: String,
    remarks: Remarks,
}

/// The Alertmanagers of a config.
pub fn sources(config: &Config, _catalogue: &Catalogue) -> Result<Vec<Box<dyn Source>>, Fault> {
    config.alertmanager.iter().map(|one| build(config, one)).collect()
}

fn build(config: &Config, one: &AlertmanagerConfig) -> Result<Box<dyn Source>, Fault> {
    let timeout = config.deadline(one.timeout);
    let http = Http::new(&one.url, &one.access, timeout, config.max_bytes())?;
    let info = SourceInfo {
        id: SourceId::new(&one.name),
        group: SourceGroup::Alerts,
        kind: "alertmanager".into(),
        place: http.place(),
        interval_s: config.interval_s(one.interval),
        model: None,
        owes: Vec::new(),
    };
    let (fleet, watchdog) = (Fleet::of(config), one.watchdog.clone());
    Ok(Box::new(Alertmanager { info, http, fleet, watchdog, remarks: Remarks::default() }))
}

impl Source for Alertmanager {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        // Two requests, one after the other.
        self.http.timeout() * 2
    }

    fn poll(&mut self, now: Time) -> Polled<'_> {
        Box::pin(async move {
            let alerts = self.http.get("api/v2/alerts", &[]).await?;
            let skew_s = super::http::skew(alerts.date, now);
            let alerts: Vec<Lenient<RawAlert>> = alerts.ok()?.json()?;
            let silences: Vec<Lenient<RawSilence>> =
                self.http.get("api/v2/silences", &[]).await?.ok()?.json()?;
            let mut facts = self.alerts(alerts, now);
            facts.push(Fact::Silences(
                silences.into_iter().filter_map(|raw| raw.0.ok()).filter_map(silence).collect(),
            ));
            Ok(Harvest { facts: self.remarks.only_new(facts), skew_s })
        })
    }
}

impl Alertmanager {
    fn alerts(&self, raw: Vec<Lenient<RawAlert>>, now: Time) -> Vec<Fact> {
        let unread = raw.iter().filter(|raw| raw.0.is_err()).count();
        let raw: Vec<RawAlert> = raw.into_iter().filter_map(|raw| raw.0.ok()).collect();
        let barks = raw.iter().any(|raw| raw.labels.get("alertname") == Some(&self.watchdog));
        let mut alerts: Vec<Alert> =
            raw.into_iter().filter_map(|raw| alert(raw, &self.fleet, &self.watchdog, now)).collect();
        let mut facts = Vec::new();
        if !self.watchdog.is_empty() && !barks {
            alerts.push(missing(&self.watchdog, now));
            facts
                .push(Fact::Remark(format!("the alert {} is missing: alerts may not arrive", self.watchdog)));
        }
        if unread > 0 {
            facts.push(Fact::Remark(format!("{unread} alerts are not readable")));
        }
        facts.push(Fact::Alerts(alerts));
        facts
    }
}

/// An alert on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawAlert {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: Option<String>,
    fingerprint: String,
    status: RawStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawStatus {
    state: String,
    silenced_by: Vec<String>,
    inhibited_by: Vec<String>,
}

/// A silence on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSilence {
    id: String,
    matchers: Vec<RawMatcher>,
    created_by: String,
    comment: String,
    ends_at: Option<String>,
    status: RawStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawMatcher {
    name: String,
    value: String,
    is_regex: bool,
    /// Absent in old answers, then true.
    is_equal: Option<bool>,
}

fn alert(raw: RawAlert, fleet: &Fleet, watchdog: &str, now: Time) -> Option<Alert> {
    let labels = cleaned(&raw.labels);
    let name = labels.get("alertname").cloned().unwrap_or_default();
    if is_hidden(&labels) || !watchdog.is_empty() && name == watchdog {
        return None;
    }
    let RawStatus { state, silenced_by, inhibited_by } = raw.status;
    let state = match (silenced_by.is_empty(), inhibited_by.is_empty()) {
        (false, _) => AlertState::Silenced,
        (_, false) => AlertState::Inhibited,
        _ if state == "suppressed" => AlertState::Silenced,
        _ => AlertState::Firing,
    };
    Some(Alert {
        fingerprint: clean_name(&raw.fingerprint),
        summary: summary(&cleaned(&raw.annotations), &name),
        name,
        severity: severity(&labels),
        state,
        since: lenient::time(raw.starts_at.as_deref()).unwrap_or(now),
        model: fleet.named(&labels),
        labels,
        silenced_by: silenced_by.iter().map(|id| clean_name(id)).collect(),
    })
}

/// The alert that stands for an expected alert that does not fire.
fn missing(watchdog: &str, now: Time) -> Alert {
    Alert {
        fingerprint: format!("missing-{watchdog}"),
        name: format!("{watchdog} missing"),
        labels: BTreeMap::new(),
        summary: format!("{watchdog} should always fire; without it alerts may not arrive"),
        severity: Level::Warning,
        state: AlertState::Firing,
        since: now,
        model: None,
        silenced_by: Vec::new(),
    }
}

/// Expired silences stay listed for days and say nothing.
fn silence(raw: RawSilence) -> Option<Silence> {
    if !matches!(raw.status.state.as_str(), "active" | "pending") {
        return None;
    }
    let matcher = |matcher: &RawMatcher| {
        let sign = match (matcher.is_equal.unwrap_or(true), matcher.is_regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        format!("{}{sign}\"{}\"", matcher.name, matcher.value)
    };
    let matchers: Vec<String> = raw.matchers.iter().map(matcher).collect();
    Some(Silence {
        id: clean_name(&raw.id),
        matchers: clean(&matchers.join(", "), 400),
        by: clean_name(&raw.created_by),
        comment: clean(&raw.comment, 400),
        until: lenient::time(raw.ends_at.as_deref())?,
    })
}

/// Labels or annotations as they may be shown.
pub fn cleaned(raw: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    raw.iter().map(|(name, value)| (clean_name(name), clean(value, 400))).collect()
}

/// Whether an alert only proves that alerting works.
pub fn is_hidden(labels: &BTreeMap<String, String>) -> bool {
    let is =
        |label: &str, value: &str| labels.get(label).is_some_and(|told| told.eq_ignore_ascii_case(value));
    is("severity", "none") || is("alertname", "Watchdog")
}

/// The level of the `severity` label; an alert without one is at least a warning.
pub fn severity(labels: &BTreeMap<String, String>) -> Level {
    let told = labels.get("severity").map(|severity| severity.to_ascii_lowercase());
    match told.as_deref() {
        Some("critical" | "page" | "error" | "emergency" | "fatal") => Level::Critical,
        Some("info" | "informational" | "notice" | "debug" | "ok") => Level::Ok,
        _ => Level::Warning,
    }
}

/// The summary, else the description, else the name.
pub fn summary(annotations: &BTreeMap<String, String>, name: &str) -> String {
    let told = ["summary", "description", "message"].iter().find_map(|key| annotations.get(*key));
    told.filter(|text| !text.is_empty()).map_or_else(|| name.to_owned(), Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALERTS: &str = include_str!("../../fixtures/alertmanager/alerts.json");
    const SILENCED: &str = include_str!("../../fixtures/alertmanager/alerts-silenced.json");
    const SILENCES: &str = include_str!("../../fixtures/alertmanager/silences.json");

    fn manager(watchdog: &str) -> Alertmanager {
        let text = r#"
            [[alertmanager]]
            url = "http://a"
            [[model]]
            name = "bc"
            prometheus = { model_value = "breast-cancer" }
        "#;
        let config: Config = toml::from_str(text).unwrap();
        let http =
            Http::new(&config.alertmanager[0].url, &Default::default(), Duration::from_secs(1), 1).unwrap();
        let info = build(&config, &config.alertmanager[0]).unwrap().info().clone();
        let watchdog = watchdog.to_owned();
        Alertmanager { info, http, fleet: Fleet::of(&config), watchdog, remarks: Remarks::default() }
    }

    fn alerts(watchdog: &str, body: &str) -> (Vec<Alert>, usize) {
        let facts = manager(watchdog).alerts(serde_json::from_str(body).unwrap(), Time::UNIX_EPOCH);
        let remarks = facts.iter().filter(|fact| matches!(fact, Fact::Remark(_))).count();
        let Some(Fact::Alerts(alerts)) = facts.into_iter().next_back() else { panic!("alerts come last") };
        (alerts, remarks)
    }

    #[test]
    fn recorded_alerts_have_severity_model_and_no_watchdog() {
        let (all, remarks) = alerts("", ALERTS);
        let canary = all.iter().find(|alert| alert.name == "CanaryLatencyP95").unwrap();
        assert_eq!(canary.severity, Level::Warning);
        assert_eq!(canary.state, AlertState::Firing);
        assert_eq!(canary.model.as_ref().map(|id| &*id.name), Some("bc"), "by its value in metrics");
        assert!(canary.since < "2026-11-21T00:00:00Z".parse::<Time>().unwrap());
        assert!(all.iter().all(|alert| alert.name != "Watchdog"));
        assert_eq!(remarks, 0);
    }

    #[test]
    fn silenced_alerts_name_their_silence() {
        let (all, _) = alerts("", SILENCED);
        assert_eq!(all[0].state, AlertState::Silenced);
        assert_eq!(all[0].silenced_by.len(), 1);
        let raw: Vec<RawSilence> = serde_json::from_str(SILENCES).unwrap();
        let silences: Vec<Silence> = raw.into_iter().filter_map(silence).collect();
        assert_eq!(silences[0].matchers, "alertname=\"CanaryLatencyP95\"");
        assert_eq!(silences[0].by, "sre@example.org");
        let expired = include_str!("../../fixtures/alertmanager/silence-expired.json");
        assert!(silence(serde_json::from_str(expired).unwrap()).is_none());
    }

    #[test]
    fn a_missing_watchdog_is_an_alert() {
        let (all, remarks) = alerts("DeadMansSwitch", ALERTS);
        assert!(all.iter().any(|alert| alert.name == "DeadMansSwitch missing"));
        assert_eq!(remarks, 1);
        let (all, remarks) = alerts("CanaryLatencyP95", ALERTS);
        assert!(
            all.iter().all(|alert| !alert.name.starts_with("CanaryLatencyP95")),
            "it barks and is hidden"
        );
        assert_eq!(remarks, 0);
    }

    #[test]
    fn odd_entries_do_not_hide_the_others() {
        let body =
            r#"[{"labels": 3}, {"labels": {"alertname": "A\u001b[31m", "severity": "page"}, "new": 1}]"#;
        let (all, remarks) = alerts("", body);
        assert_eq!((all.len(), remarks), (1, 1));
        assert_eq!((all[0].name.as_str(), all[0].severity), ("A[31m", Level::Critical));
    }
}
