//! The alert manager, API version 2: what fires follows from the story.

use axum::response::Response;
use serde_json::{Value, json};

use super::Scenario;
use super::fleet::Fleet;
use super::web::{Question, absent, json as answer_json, text};

/// Answers one request.
pub fn answer(fleet: &Fleet, question: &Question) -> Response {
    match question.path.as_str() {
        "/-/healthy" | "/-/ready" => text("OK".into()),
        "/api/v2/status" => answer_json(
            200,
            &json!({"cluster": {"status": "disabled", "peers": []}, "versionInfo": {"version": "demo"}}),
        ),
        "/api/v2/alerts" => answer_json(200, &Value::Array(alerts(fleet))),
        "/api/v2/silences" => answer_json(200, &silences(fleet)),
        _ => absent("path was not found"),
    }
}

fn alerts(fleet: &Fleet) -> Vec<Value> {
    let t = fleet.t();
    // Name, model, severity, from, to (story seconds), silenced, summary.
    let script: [(&str, &str, &str, f64, f64, bool, &str); 5] = [
        ("Watchdog", "", "none", -3_600.0, f64::MAX, false, "always firing: proves that alerting works"),
        (
            "CanaryLatencyHigh",
            "alzheimer",
            "critical",
            165.0,
            1_500.0,
            false,
            "p95 of the canary above 500 ms",
        ),
        (
            "FeatureDriftHigh",
            "omics-risk",
            "warning",
            240.0,
            f64::MAX,
            false,
            "IL6 has drifted by more than 20 %",
        ),
        ("InstanceDown", "als", "warning", 120.0, f64::MAX, false, "als-2 does not answer its probe"),
        ("BackupLate", "", "warning", -900.0, f64::MAX, true, "last registry backup is older than a day"),
    ];
    let time = |t: f64| fleet.clock(t).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    script
        .into_iter()
        .filter(|&(name, _, _, from, to, ..)| {
            let told = name == "Watchdog" || fleet.story.scenario == Scenario::Incident;
            // The instance alert follows the server itself, every time that it hangs.
            told && t >= from && t < to && (name != "InstanceDown" || fleet.story.is_hung(1, 1, t - 20.0))
        })
        .map(|(name, model, severity, from, _, silenced, summary)| {
            let mut labels = json!({"alertname": name, "severity": severity});
            if !model.is_empty() {
                labels["model"] = model.into();
            }
            let silenced_by = if silenced { json!(["demo-1"]) } else { json!([]) };
            json!({
                "labels": labels,
                "annotations": {"summary": summary},
                "startsAt": time(from),
                "endsAt": time(t + 240.0),
                "updatedAt": time(t),
                "fingerprint": format!("{:016x}", super::story::mix(name.len() as u64 * 31 + model.len() as u64)),
                "generatorURL": "",
                "receivers": [{"name": "default"}],
                "status": {"state": if silenced { "suppressed" } else { "active" }, "silencedBy": silenced_by, "inhibitedBy": []},
            })
        })
        .collect()
}

fn silences(fleet: &Fleet) -> Value {
    if fleet.story.scenario != Scenario::Incident {
        return json!([]);
    }
    let time = |t: f64| fleet.clock(t).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    json!([{
        "id": "demo-1",
        "status": {"state": "active"},
        "matchers": [{"name": "alertname", "value": "BackupLate", "isRegex": false, "isEqual": true}],
        "startsAt": time(-800.0), "updatedAt": time(-800.0), "endsAt": time(7_200.0),
        "createdBy": "sre", "comment": "storage is being moved",
    }])
}
