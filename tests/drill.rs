//! Rollback drills by the real program on the embedded fleet: every scenario, and what a drill that is cut off leaves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/hands.rs"]
mod hands;
#[path = "common/pty.rs"]
mod pty;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// The clock marks, in their order.
const MARKS: [&str; 13] = [
    "injected",
    "detected",
    "acknowledged",
    "plan_shown",
    "confirmed",
    "sent",
    "accepted",
    "observed",
    "first_traffic_back",
    "all_traffic_back",
    "version_verified",
    "metrics_normal",
    "cleaned_up",
];

const SCENARIOS: [&str; 6] =
    ["latency-regression", "error-burst", "silent-quality-loss", "drift", "never-ready", "registry-mismatch"];

fn command(state: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
    command.arg("drill").args(words).env("XDG_STATE_HOME", state).stdin(Stdio::null());
    command
}

fn run(state: &Path, words: &[&str]) -> Output {
    command(state, words).output().unwrap()
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|why| panic!("{why}: {text}\n{}", String::from_utf8_lossy(&output.stderr)))
}

/// A report of a drill that went well: every mark in order, every check passed or not to be made here.
fn assert_verified(report: &Value, code: Option<i32>) {
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["verified"], true, "{report:#}");
    assert_eq!((&report["cleaned_up"], &report["in_time"]), (&Value::Bool(true), &Value::Bool(true)));
    let seconds: Vec<f64> = MARKS
        .iter()
        .map(|mark| report["marks"][mark].as_f64().unwrap_or_else(|| panic!("{mark}: {report:#}")))
        .collect();
    assert!(seconds.is_sorted(), "{seconds:?}");
    assert_eq!(report["marks"].as_object().unwrap().len(), MARKS.len());
    assert!(seconds[0] == 0.0 && seconds[12] > 0.0, "{seconds:?}");
    let checks = report["checks"].as_array().unwrap();
    let passed = |id: &str| checks.iter().any(|check| check["id"] == id && check["passed"] == true);
    for id in
        ["observed", "version", "share", "samples", "right_version", "function", "function_after_clean_up"]
    {
        assert!(passed(id), "{id}: {report:#}");
    }
    assert!(checks.iter().all(|check| check["passed"] != false), "{report:#}");
    assert!(!report["not_proved"].as_array().unwrap().is_empty());
}

#[test]
fn each_scenario_is_found_and_rolled_back_by_what_the_room_shows() {
    let state = tempfile::tempdir().unwrap();
    let one = |scenario: &str| {
        let begun = std::time::Instant::now();
        let output = run(state.path(), &["--auto", "--scenario", scenario, "--output", "json"]);
        println!("{scenario}: {:.1} s", begun.elapsed().as_secs_f64());
        (json(&output), output.status.code())
    };
    // Three at a time: each serves and loads a fleet of its own.
    let mut reports: Vec<(Value, Option<i32>)> = Vec::new();
    for some in SCENARIOS.chunks(3) {
        std::thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|scenario| scope.spawn(|| one(scenario))).collect();
            reports.extend(running.into_iter().map(|one| one.join().unwrap()));
        });
    }
    for ((report, code), scenario) in reports.iter().zip(SCENARIOS) {
        assert_eq!(report["scenario"], scenario);
        assert_verified(report, *code);
        println!("{scenario}: {} ({})", report["marks"], report["found"]["reason"]);
    }
    let reason = |n: usize| reports[n].0["found"]["reason"].as_str().unwrap().to_lowercase();
    assert!(reason(0).contains("p95") || reason(0).contains("latency"), "{}", reason(0));
    assert!(reason(1).contains("error"), "{}", reason(1));
    assert!(reason(4).contains("degraded"), "{}", reason(4));
    assert!(reason(5).contains("production"), "{}", reason(5));
    // A rollback where the version served all traffic, an abort where it was on trial.
    assert_eq!(reports[5].0["act"]["operation"]["act"], "roll_back");
    assert_eq!(reports[0].0["act"]["operation"]["act"], "abort");
    let lines = std::fs::read_to_string(state.path().join("wardroom/drills.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), SCENARIOS.len(), "a line each");
    assert!(unfinished(state.path()).is_empty());
    // The trail of an act stays with the drill, and is whole.
    let id = reports[0].0["drill"].as_str().unwrap();
    let trail = state.path().join("wardroom/drills").join(id);
    let verify = ["audit", "verify", "--folder", trail.to_str().unwrap()];
    let verified = Command::new(env!("CARGO_BIN_EXE_wardroom")).args(verify).output().unwrap();
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stderr));
    let audit = ["audit", "query", "--folder", trail.to_str().unwrap(), "--output", "json"];
    let entries = Command::new(env!("CARGO_BIN_EXE_wardroom")).args(audit).output().unwrap();
    let entries = String::from_utf8_lossy(&entries.stdout).into_owned();
    assert!(entries.contains(&format!("rollback drill {id}")), "{entries}");
}

/// Marks of drills that did not clean up.
fn unfinished(state: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(state.join("wardroom/drills")) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.to_string_lossy().ends_with(".unfinished.json")).collect()
}

/// A drill that runs, with what it has said so far.
fn started(state: &Path, until: &str) -> (Child, BufReader<std::process::ChildStdout>, String) {
    let mut child =
        command(state, &["--auto"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains(until) {
        assert!(lines.read_line(&mut said).unwrap() > 0, "it ended before `{until}`: {said}");
    }
    (child, lines, said)
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn ctrl_c_cleans_up_first() {
    let state = tempfile::tempdir().unwrap();
    let (mut child, mut lines, mut said) = started(state.path(), "injected\n");
    assert_eq!(unfinished(state.path()).len(), 1, "it is written down before anything is changed");
    signal(&child, "INT");
    lines.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{said}");
    assert!(said.contains("interrupted") && said.contains("nothing of the drill is left"), "{said}");
    assert!(unfinished(state.path()).is_empty());
}

#[test]
fn what_a_killed_drill_left_is_cleaned_up_by_the_next() {
    let state = tempfile::tempdir().unwrap();
    let (mut killed, ..) = started(state.path(), "deploys");
    let marks = unfinished(state.path());
    let written: Value = serde_json::from_str(&std::fs::read_to_string(&marks[0]).unwrap()).unwrap();
    let folder = PathBuf::from(written["folder"].as_str().unwrap());
    assert!(folder.exists());
    signal(&killed, "KILL");
    assert_eq!(killed.wait().unwrap().code(), None);
    let (mut next, mut lines, mut said) = started(state.path(), "learns");
    assert!(!folder.exists(), "its files are removed before anything else");
    assert_eq!(unfinished(state.path()).len(), 1, "only its own");
    signal(&next, "TERM");
    lines.read_to_string(&mut said).unwrap();
    let mut complaints = String::new();
    next.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
    assert_eq!(next.wait().unwrap().code(), Some(3), "{said}");
    assert!(complaints.contains("was cut off"), "{complaints}");
    assert!(unfinished(state.path()).is_empty());
}

#[test]
fn a_wrong_call_lists_what_there_is_and_ends_with_3() {
    let state = tempfile::tempdir().unwrap();
    let output = run(state.path(), &["--auto", "--scenario", "meteor"]);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{complaint}");
    assert!(SCENARIOS.iter().all(|scenario| complaint.contains(scenario)), "{complaint}");
    assert_eq!(run(state.path(), &["--no-such-flag"]).status.code(), Some(3));
}

#[test]
fn a_person_does_it_with_the_keys_of_the_room() {
    let state = tempfile::tempdir().unwrap();
    let home = [("XDG_STATE_HOME", state.path().to_str().unwrap())];
    let mut session = pty::Session::start(&["drill", "--scenario", "error-burst"], (140, 45), &home);
    session.wait_text("DRILL learns what is normal");
    session.wait_text("DRILL deploys");
    session.wait_text("since the fault");
    session.wait_text("canary: ABORT");
    session.keys(&format!(":model heart-disease{}", hands::ENTER));
    session.wait_for("the selection", |screen| {
        screen.lines().any(|line| line.contains('▶') && line.contains("heart-disease"))
    });
    hands::act(&mut session, |session| session.keys("A"), "Abort");
    session.wait_text("confirmed → verified");
    // The room closes by itself when everything is put back.
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
    let line = std::fs::read_to_string(state.path().join("wardroom/drills.jsonl")).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["auto"], &line["verified"]), (&Value::Bool(false), &Value::Bool(true)), "{line}");
    assert!(unfinished(state.path()).is_empty());
}
