//! `wardroom incident`, the real binary on a real file: an incident from its declaration to its documents.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/said.rs"]
mod said;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use said::said;
use serde_json::{Value, json};
use wardroom::domain::incident::Entry;
use wardroom::report::{lines, sheet};

const TOKEN: &str = "glsa_hunter2";

fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
    command
        .arg("incident")
        .args(words)
        .arg("--folder")
        .arg(folder.join("state"))
        .current_dir(folder)
        .env_remove("WARDROOM_CONFIG")
        .env_remove("GRAFANA_TOKEN")
        .env("XDG_CONFIG_HOME", folder.join("xdg"))
        .env("HOME", folder);
    command
}

fn run(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    said(&command(folder, words).output().unwrap())
}

/// What it prints when all is well.
fn fine(folder: &Path, words: &[&str]) -> String {
    let (code, out, err) = run(folder, words);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{words:?}");
    out
}

fn declared(folder: &Path) -> String {
    let words = ["declare", "--title", "alzheimer slow", "--severity", "sev2", "--model", "alzheimer"];
    fine(folder, &words).trim().to_owned()
}

#[test]
fn an_incident_from_declaration_to_documents() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let id = declared(folder);
    assert!(id.starts_with("i-") && id.len() == 11, "{id}");
    let note = fine(folder, &["note", "latest", "ward 3: results | are `late`\nsince lunch", "--at", "10m"]);
    fine(folder, &["milestone", &id, "started", "--evidence", "first slow answer", "--at", "30m"]);
    fine(folder, &["milestone", &id, "mitigated", "--evidence", "act a-3f9c21d4 effective"]);
    fine(folder, &["follow-up", &id, "load test", "--owner", "model team"]);
    fine(folder, &["correct", &id, note.trim(), "it was ward 4"]);

    let list: Value = serde_json::from_str(&fine(folder, &["list", "--output", "json"])).unwrap();
    assert_eq!(list["incidents"].as_array().unwrap().len(), 1);
    assert_eq!(list["incidents"][0]["id"], id.as_str());
    assert_eq!(list["incidents"][0]["severity"], "sev2");
    assert_eq!(list["incidents"][0]["state"], "mitigated, not resolved");
    let took = list["incidents"][0]["durations"]["time_to_mitigate_s"].as_f64().unwrap();
    assert!((1_790.0..3_600.0).contains(&took), "{took}");

    let shown: Value = serde_json::from_str(&fine(folder, &["show", &id, "--output", "json"])).unwrap();
    let entries: Vec<Entry> = serde_json::from_value(shown["entries"].clone()).unwrap();
    assert_eq!(entries.len(), 6);
    assert!(entries.windows(2).all(|pair| pair[0].recorded < pair[1].recorded), "recorded grows");
    let csv = fine(folder, &["export", "latest", "--format", "csv"]);
    assert_eq!(sheet::read(&csv).unwrap(), entries);
    let jsonl = fine(folder, &["export", "latest", "--format", "jsonl"]);
    assert_eq!(lines::read(&jsonl).unwrap(), entries);

    let markdown = fine(folder, &["export", &id]);
    for part in [
        "| Time (UTC) | Event | Evidence |",
        "ward 3: results \\| are \\`late\\` since lunch<br>corrected: it was ward 4",
        "(recorded ",
        "| time to mitigate | started – mitigated | 30 min",
        "- [ ] load test (owner: model team)",
    ] {
        assert!(markdown.contains(part), "{part}\n{markdown}");
    }
    for (format, part) in [
        ("stakeholder", "Subject: [SEV2] alzheimer slow"),
        ("post-rollback", "wardroom knows of no rollback"),
        ("root-cause", "### 3. Clinical practice"),
    ] {
        let text = fine(folder, &["export", &id, "--format", format]);
        assert!(text.contains(part) && text.contains("to be filled in by"), "{format}\n{text}");
    }
}

#[test]
fn mistakes_have_their_codes_and_words() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (code, out, err) = run(folder, &["show", "latest"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("incident declare"), "{err}");
    assert_eq!(fine(folder, &["list"]), "no incident\n");
    let id = declared(folder);
    let (code, _, err) = run(folder, &["note", "i-0101-none", "x"]);
    assert_eq!(code, Some(2));
    assert!(err.contains(&id), "the ones that are there are named: {err}");
    for wrong in [
        &["milestone", "latest", "ended", "--evidence", "x"][..],
        &["declare", "--title", "x", "--severity", "bad"],
        &["note", "latest", " \n "],
        &["correct", "latest", "e-none", "x"],
        &["frobnicate"],
    ] {
        let (code, out, err) = run(folder, wrong);
        assert_eq!((code, out.as_str()), (Some(3), ""), "{wrong:?}");
        assert!(!err.is_empty());
    }
    let (code, _, err) = run(folder, &["export", "latest", "--out", "report.md"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let before = std::fs::read_to_string(folder.join("report.md")).unwrap();
    assert!(before.starts_with("# Incident "), "{before}");
    let (code, _, err) = run(folder, &["export", "latest", "--format", "csv", "--out", "report.md"]);
    assert_eq!(code, Some(3));
    assert!(err.contains("not written over"), "{err}");
    assert_eq!(std::fs::read_to_string(folder.join("report.md")).unwrap(), before);
}

#[test]
fn a_damaged_history_is_a_clear_message() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("state")).unwrap();
    std::fs::write(folder.path().join("state/history.db"), "no database at all, only words ".repeat(100))
        .unwrap();
    for words in [&["list"][..], &["declare", "--title", "x", "--severity", "sev1"]] {
        let (code, out, err) = run(folder.path(), words);
        assert_eq!((code, out.as_str()), (Some(3), ""), "{words:?}");
        assert!(err.contains("history.db"), "{err}");
    }
}

#[test]
fn many_writers_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let id = declared(folder);
    let texts: Vec<String> = (0..12).map(|number| format!("note {number}")).collect();
    let writers: Vec<_> =
        texts.iter().map(|text| command(folder, &["note", &id, text]).spawn().unwrap()).collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    let entries = lines::read(&fine(folder, &["export", &id, "--format", "jsonl"])).unwrap();
    assert_eq!(entries.len(), 13);
    let found: BTreeSet<&str> = entries.iter().map(|entry| entry.id.0.as_str()).collect();
    assert_eq!(found.len(), 13);
    assert!(entries.windows(2).all(|pair| pair[0].recorded < pair[1].recorded), "recorded grows");
}

/// The part of Grafana that annotations are pushed to.
#[derive(Default)]
struct Grafana {
    annotations: Vec<Value>,
    /// The writes that are still taken before one fails; absent: all.
    left: Option<usize>,
}

type Shared = Arc<Mutex<Grafana>>;

fn allowed(headers: &HeaderMap) -> bool {
    headers.get("authorization").is_some_and(|value| value == format!("Bearer {TOKEN}").as_str())
}

async fn find(
    State(grafana): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> (StatusCode, Json<Value>) {
    if !allowed(&headers) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "message": "Invalid API key" })));
    }
    let query = query.unwrap_or_default();
    let wanted: Vec<&str> = query.split('&').filter_map(|part| part.strip_prefix("tags=")).collect();
    let has = |one: &&Value| wanted.iter().all(|tag| one["tags"].as_array().unwrap().contains(&json!(tag)));
    let found: Vec<Value> = grafana.lock().unwrap().annotations.iter().filter(has).cloned().collect();
    (StatusCode::OK, Json(json!(found)))
}

async fn add(
    State(grafana): State<Shared>,
    headers: HeaderMap,
    Json(one): Json<Value>,
) -> (StatusCode, Json<Value>) {
    if !allowed(&headers) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "message": "Invalid API key" })));
    }
    let mut grafana = grafana.lock().unwrap();
    if grafana.left == Some(0) {
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "message": "database is locked" })));
    }
    grafana.left = grafana.left.map(|left| left - 1);
    grafana.annotations.push(one);
    (StatusCode::OK, Json(json!({ "message": "Annotation added", "id": grafana.annotations.len() })))
}

fn grafana(runtime: &tokio::runtime::Runtime) -> (Shared, String) {
    let shared = Shared::default();
    let router =
        Router::new().route("/grafana/api/annotations", get(find).post(add)).with_state(shared.clone());
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/grafana", listener.local_addr().unwrap());
    runtime.spawn(async move { axum::serve(listener, router).await });
    (shared, url)
}

#[test]
fn entries_become_annotations_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let id = declared(folder);
    fine(folder, &["note", &id, "ward 3 <b>calls</b>", "--at", "2026-05-04T12:00:00.250Z"]);
    fine(folder, &["milestone", &id, "mitigated", "--evidence", "act a-1 effective"]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (shared, url) = grafana(&runtime);
    std::fs::write(folder.join("token"), format!("{TOKEN}\n")).unwrap();
    let push = |file: &str| run(folder, &["push", &id, "--grafana", &url, "--token-file", file]);

    // The server fails after the first one; what was written then is not written again.
    shared.lock().unwrap().left = Some(1);
    let (code, out, err) = push("token");
    assert_eq!((code, out.as_str()), (Some(3), ""));
    assert!(err.contains("after 1 of 3 entries") && err.contains("database is locked"), "{err}");
    shared.lock().unwrap().left = None;
    let (code, out, err) = push("token");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.starts_with("2 of 3 entries written to http://127.0.0.1"), "{out}");
    let (_, out, _) = push("token");
    assert!(out.starts_with("0 of 3 entries written") && out.contains("3 were there already"), "{out}");

    let annotations = shared.lock().unwrap().annotations.clone();
    assert_eq!(annotations.len(), 3);
    let note = &annotations[1];
    assert_eq!(
        (note["time"].as_i64(), note["timeEnd"].as_i64()),
        (Some(1_777_896_000_250), Some(1_777_896_000_250))
    );
    assert_eq!(note["tags"][0], "wardroom");
    assert_eq!(note["tags"][1], id.as_str());
    assert_eq!(note["tags"][2], "note");
    assert!(
        note["text"].as_str().unwrap().starts_with("note: ward 3 &lt;b&gt;calls&lt;/b&gt;\nby "),
        "{note}"
    );

    // A wrong token, and none: said, and never shown.
    std::fs::write(folder.join("wrong"), "glsa_letmein").unwrap();
    for (code, out, err) in [push("wrong"), push("nowhere"), run(folder, &["push", &id, "--grafana", &url])] {
        assert_eq!(code, Some(3), "{err}");
        assert!(!format!("{out}{err}").contains("glsa_"), "{err}");
    }
    let (_, _, err) = run(folder, &["push", &id, "--grafana", &url]);
    assert!(err.contains("GRAFANA_TOKEN"), "{err}");
    assert_eq!(shared.lock().unwrap().annotations.len(), 3);
}
