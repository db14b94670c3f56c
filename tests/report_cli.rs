//! `wardroom report` and the charts of an incident, from a history that a room has written.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/said.rs"]
mod said;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use chrono::TimeDelta;
use said::said;
use serde_json::Value;
use wardroom::domain::incident::{Entry, EntryId, IncidentId, Matter, Severity};
use wardroom::domain::{
    Fact, Harvest, Kpi, Limits, ModelId, ModelKind, Reading, Report, SourceGroup, SourceId, SourceInfo, Time,
};
use wardroom::history::{History, Keep, Kept, Settings, Tier};
use wardroom::store::{ModelSpec, Store};

/// How long the history may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the room sees: twenty minutes, seconds.
const LASTS: i64 = 1_200;

fn run(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wardroom"))
        .args(words)
        .arg("--folder")
        .arg(folder)
        .current_dir(folder)
        .env_remove("WARDROOM_CONFIG")
        .env("XDG_CONFIG_HOME", folder.join("xdg"))
        .env("HOME", folder)
        .output()
        .unwrap();
    said(&output)
}

fn note(number: i64, at: Time) -> Entry {
    let matter = match number {
        0 => Matter::Declared {
            title: "als slow".into(),
            severity: Severity::Sev2,
            models: vec!["als".into()],
        },
        number => Matter::Note { text: format!("note {number}") },
    };
    Entry {
        id: EntryId(format!("e-{number}")),
        incident: IncidentId("i-0101-test".into()),
        happened: at,
        recorded: at,
        by: "kim@bastion".into(),
        matter,
    }
}

/// Asks for an entry to be written and waits until it is: what was shown before is written then too.
fn settle(history: &History, told: &Receiver<Kept>, number: i64, at: Time) {
    let wanted = note(number, at);
    assert!(history.ask(Keep::Entries(vec![wanted.clone()])));
    loop {
        match told.recv_timeout(PATIENCE).unwrap() {
            Kept::Written(entries) if entries.iter().any(|entry| entry.id == wanted.id) => return,
            Kept::Trouble(why) => panic!("{why}"),
            _ => {}
        }
    }
}

/// A room that saw a model become slow for five minutes.
fn seen(folder: &Path) {
    let begin = chrono::Utc::now() - TimeDelta::seconds(LASTS + 60);
    let settings = Settings {
        folder: folder.to_owned(),
        max_bytes: 64 << 20,
        tiers: vec![Tier { step_s: 15, keep_s: 86_400 }, Tier { step_s: 60, keep_s: 14 * 86_400 }],
        frame_s: 60.0,
        environment: "test".into(),
    };
    let id = ModelId::new("test", "als");
    let kind = ModelKind::Classification;
    let spec = ModelSpec { id: id.clone(), kind, limits: Arc::new(Limits::guide(kind)) };
    let mut store = Store::new("test", vec![spec]);
    let source = SourceId::new("prometheus");
    store.expect(vec![SourceInfo {
        id: source.clone(),
        group: SourceGroup::Prometheus,
        kind: "test".into(),
        place: String::new(),
        interval_s: 15.0,
        model: None,
        owes: Vec::new(),
    }]);
    let (tell, told) = channel();
    let mut history = History::open(settings, move |kept| drop(tell.send(kept)));
    for second in (0..=LASTS).step_by(15) {
        let at = begin + TimeDelta::seconds(second);
        let slow = if (600..900).contains(&second) { 900.0 } else { 100.0 };
        let facts =
            [(Kpi::LatencyP95, slow), (Kpi::Throughput, 10.0), (Kpi::ErrorRate, 1.5)].map(|(kpi, value)| {
                let reading = Reading::new(value, at).with_samples(Some(500));
                Fact::Reading { model: id.clone(), version: None, kpi, reading }
            });
        let outcome = Ok(Arc::new(Harvest::of(facts.into_iter().collect())));
        store.apply(&Report { epoch: 0, source: source.clone(), at, took_ms: 1.0, outcome });
        store.tick(at);
        history.observe(&store, at);
        settle(&history, &told, second / 15, at);
    }
}

#[test]
fn what_a_room_saw_becomes_a_report_and_charts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    seen(folder);

    let (code, out, err) = run(folder, &["report", "--from", "1h", "--format", "json"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["environment"], "test", "the only environment of the file needs no config");
    let model = &report["models"][0];
    let predictions = model["predictions"].as_f64().unwrap();
    assert!((11_000.0..=12_200.0).contains(&predictions), "10 a second for 20 minutes: {predictions}");
    assert!((model["error_rate"].as_f64().unwrap() - 1.5).abs() < 0.01, "{model}");
    let p95 = model["kpis"].as_array().unwrap().iter().find(|kpi| kpi["kpi"] == "latency_p95").unwrap();
    assert_eq!(p95["worst"], 900.0);
    assert!((250.0..350.0).contains(&p95["mean"].as_f64().unwrap()), "{p95}");
    let violations = model["violations"].as_array().unwrap();
    assert!(
        violations.iter().any(|one| one["what"] == "p95 900 ms > 500" && one["level"] == "critical"),
        "{model}"
    );

    let (code, out, _) = run(folder, &["report", "--from", "1h"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("| latency p95 | ") && out.contains("critical: p95 900 ms > 500"), "{out}");

    let (code, out, err) = run(folder, &["incident", "export", "latest"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("als  latency p95  100 – 900 ms\n") && out.contains('█'), "{out}");
    assert!(out.contains(" | 1.50 % | the rates in the history"), "{out}");
}

#[test]
fn a_time_of_which_nothing_is_kept_is_2_and_a_wrong_call_3() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let day = ["report", "--from", "2020-01-01", "--to", "2020-01-01"];
    let (code, out, err) = run(folder, &day);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("nothing is kept"), "{err}");
    for wrong in [&["report", "--from", "yesterday"][..], &["report", "--from", "1h", "--to", "2h"]] {
        assert_eq!(run(folder, wrong).0, Some(3), "{wrong:?}");
    }
}
