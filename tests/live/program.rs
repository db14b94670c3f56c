//! The program itself against the real servers.

use std::process::{Command, Output};

use serde_json::Value;

use crate::lab::{Lab, ask_until, file};
use crate::pty::Session;

/// Runs the program on a config.
fn run(text: &str, words: &[&str]) -> Output {
    let (_folder, path) = file(text);
    let config = path.to_str().unwrap();
    Command::new(env!("CARGO_BIN_EXE_wardroom")).args(words).args(["--config", config]).output().unwrap()
}

/// A room on a config, in a pseudo-terminal.
pub fn room(text: &str) -> Session {
    let (folder, path) = file(text);
    let session = Session::start(&["--config", path.to_str().unwrap()], (160, 45), &[]);
    // The config is read before the first frame; keep the folder until then.
    std::mem::forget(folder);
    session
}

/// Whether a model of an answer has a number for a KPI.
fn has_number(model: &Value, id: &str) -> bool {
    let kpis = model["kpis"].as_array().cloned().unwrap_or_default();
    kpis.iter().any(|kpi| kpi["id"] == id && kpi["value"].is_number())
}

#[test]
fn check_judges_the_fleet_in_one_document() {
    let lab = Lab::here();
    let check = || {
        let output = run(&lab.fleet(), &["check", "--output", "json"]);
        let answer: Value =
            serde_json::from_slice(&output.stdout).expect("one JSON document and nothing else");
        (output.status.code().unwrap(), answer)
    };
    let (code, answer): (i32, Value) =
        ask_until(check, |(code, answer)| *code == 2 && has_number(&answer["models"][0], "accuracy"));
    assert_eq!(answer["exit_code"], code, "{answer}");
    // The lab's critical alert fires on breast-cancer; its regressor is far below the guide.
    assert_eq!(code, 2, "{answer:#}");
    let model = answer["models"].as_array().unwrap().iter().find(|m| m["model"] == "breast-cancer").unwrap();
    let accuracy = model["kpis"].as_array().unwrap().iter().find(|kpi| kpi["id"] == "accuracy").unwrap();
    assert!(accuracy["value"].as_f64().unwrap() > 0.85, "{accuracy}");
    assert!(accuracy["samples"].as_u64().unwrap() > 20);
    assert_eq!(accuracy["rule"], "guide");
}

#[test]
fn check_of_one_model_over_a_day() {
    let lab = Lab::here();
    let check = || run(&lab.fleet(), &["check", "--model", "diabetes-progression", "--since", "24h"]);
    let output = ask_until(check, |output| output.status.code() == Some(2));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("R²") || text.contains("r2"), "{text}");
    assert!(!text.contains("breast-cancer  "), "{text}");
}

#[test]
fn doctor_says_what_works_and_what_does_not() {
    let lab = Lab::here();
    let text = format!("{}\n[[mlops]]\nurl = \"http://127.0.0.1:9/\"\n", lab.fleet());
    let works = |output: &Output| String::from_utf8_lossy(&output.stdout).contains("ok  prometheus");
    let output = ask_until(|| run(&text, &["doctor"]), works);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("ok  prometheus"), "{said}");
    assert!(said.contains("NO  mlops") && said.contains("down"), "{said}");
}

#[test]
fn discover_prints_a_config_that_check_can_use() {
    let lab = Lab::here();
    let output = Command::new(env!("CARGO_BIN_EXE_wardroom"))
        .args(["discover", "--prometheus", lab.at("prometheus"), "--mlflow", lab.at("mlflow")])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.matches("name = \"breast-cancer\"").count(), 1, "known to both, joined: {text}");
    assert!(text.contains("name = \"diabetes-progression\"\nkind = \"regression\""), "{text}");
    let check = || -> Value {
        let checked = run(&text, &["check", "--model", "breast-cancer", "--output", "json"]);
        serde_json::from_slice(&checked.stdout).unwrap()
    };
    let answer = ask_until(check, |answer| has_number(&answer["models"][0], "accuracy"));
    assert!(has_number(&answer["models"][0], "accuracy"), "{answer:#}");
}

#[test]
fn the_room_shows_the_real_fleet() {
    let lab = Lab::here();
    let mut room = room(&lab.fleet());
    for text in ["breast-cancer", "diabetes-progression", "endpoints 5/5", "mean_radius", "3 alerts"] {
        room.wait_text(text);
    }
    // All alerts stand on top of the zoomed timeline, whatever came last.
    room.keys("6\r");
    room.wait_text("newest first");
    room.wait_text("CanaryErrorRate");
    room.keys("\x1b");
    room.wait_for("the fleet", |screen| !screen.contains("newest first"));
    room.keys("5");
    room.wait_text("challenger");
    room.keys("q");
    assert_eq!(room.end().0, 0);
    room.assert_given_back();
}

#[test]
fn a_snapshot_of_the_real_fleet() {
    let lab = Lab::here();
    for format in ["text", "ansi", "svg"] {
        let output = run(&lab.fleet(), &["snapshot", "--size", "120x36", "--format", format]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0));
        assert!(text.contains("breast-cancer"), "{format}: {text}");
    }
}
