//! The alert manager: alerts, silences and status of its API v2.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::clock::text;
use super::fleet::Fleet;
use super::noise;
use super::story::{Firing, Mute};

/// Silences and the always-firing alert began this long before the story, seconds.
const BEFORE_S: f64 = 1_800.0;

/// Silences last this long, seconds.
const SILENCE_S: f64 = 4.0 * 3_600.0;

/// The always-firing alert, which proves that alerts arrive.
pub const WATCHDOG: &str = "Watchdog";

/// The routes.
pub fn router(fleet: Arc<Fleet>) -> Router {
    Router::new()
        .route("/api/v2/alerts", get(alerts))
        .route("/api/v2/silences", get(silences))
        .route("/api/v2/status", get(status))
        .route("/-/healthy", get(async || "OK"))
        .route("/-/ready", get(async || "OK"))
        .fallback(unknown)
        .with_state(fleet)
}

async fn unknown(uri: Uri) -> Response {
    let text = format!("path {} was not found", uri.path());
    (StatusCode::NOT_FOUND, Json(json!({"code": 404, "message": text}))).into_response()
}

async fn alerts(State(fleet): State<Arc<Fleet>>, Query(asked): Query<BTreeMap<String, String>>) -> Json<Value> {
    let wanted = |name: &str| asked.get(name).is_none_or(|value| value != "false");
    let firing = fleet.story.alerts(fleet.clock.story());
    let firing = firing.iter().filter(|alert| match alert.muted {
        Some(_) => wanted("silenced"),
        None => wanted("active"),
    });
    let watchdog = wanted("active").then(|| watchdog(&fleet));
    Json(watchdog.into_iter().chain(firing.map(|one| alert(&fleet, one))).collect())
}

fn watchdog(fleet: &Fleet) -> Value {
    let labels = BTreeMap::from([("alertname", WATCHDOG.to_owned()), ("severity", "none".to_owned())]);
    written(fleet, labels, "always firing: the path of alerts works", -BEFORE_S, None)
}

fn alert(fleet: &Fleet, firing: &Firing) -> Value {
    let mut labels = BTreeMap::from([
        ("alertname", firing.name.to_owned()),
        ("environment", "demo".to_owned()),
        ("model", firing.model.clone()),
        ("severity", firing.severity.to_owned()),
    ]);
    labels.extend(firing.label.clone());
    written(fleet, labels, &firing.summary, firing.since, firing.muted)
}

fn written(
    fleet: &Fleet,
    labels: BTreeMap<&str, String>,
    summary: &str,
    since: f64,
    muted: Option<Mute>,
) -> Value {
    let key: Vec<u64> = labels.values().flat_map(|text| text.bytes().map(u64::from)).collect();
    let now = fleet.clock.now();
    let silenced: Vec<&str> = muted.iter().map(|mute| mute.id).collect();
    let state = if silenced.is_empty() { "active" } else { "suppressed" };
    json!({
        "labels": labels,
        "annotations": {"summary": summary},
        "startsAt": text(fleet.clock.at(since)),
        "endsAt": text(now + chrono::TimeDelta::minutes(4)),
        "updatedAt": text(now),
        "fingerprint": format!("{:016x}", noise::hash(fleet.story.seed(), &key)),
        "generatorURL": "http://prometheus.example:9090/graph",
        "receivers": [{"name": "on-call"}],
        "status": {"state": state, "silencedBy": silenced, "inhibitedBy": []},
    })
}

async fn silences(State(fleet): State<Arc<Fleet>>) -> Json<Value> {
    let from = fleet.clock.at(-BEFORE_S);
    let until = from + chrono::TimeDelta::seconds(SILENCE_S as i64);
    let matcher =
        |name: &str, value: &str| json!({"name": name, "value": value, "isRegex": false, "isEqual": true});
    let silence = |mute: &Mute| {
        json!({
            "id": mute.id,
            "status": {"state": "active"},
            "updatedAt": text(from),
            "startsAt": text(from),
            "endsAt": text(until),
            "createdBy": mute.by,
            "comment": mute.comment,
            "matchers": [matcher("alertname", mute.name), matcher("model", mute.model)],
        })
    };
    Json(fleet.story.mutes().map(silence).collect())
}

async fn status(State(fleet): State<Arc<Fleet>>) -> Json<Value> {
    Json(json!({
        "cluster": {"status": "disabled", "peers": []},
        "config": {"original": "route:\n  receiver: on-call\nreceivers:\n- name: on-call\n"},
        "uptime": text(fleet.clock.at(-3_600.0)),
        "versionInfo": {
            "branch": "demo", "buildDate": "", "buildUser": "", "goVersion": "",
            "revision": "demo", "version": "0.25.0",
        },
    }))
}
