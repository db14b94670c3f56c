//! The checklists from the command line against the demo's fleet: exit codes, who ticked, what a second process sees.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/fleet.rs"]
mod fleet;
#[path = "common/pty.rs"]
mod pty;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use fleet::Fleet;
use serde_json::Value;

fn calm() -> Fleet {
    Fleet::start(&["--scenario", "calm", "--interval", "200ms"])
}

fn command(config: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
    command.arg("--config").arg(config).arg("checklist").args(words).stdin(Stdio::null());
    command.env_remove("WARDROOM_CONFIG");
    command
}

fn run(config: &Path, words: &[&str]) -> Output {
    command(config, words).output().unwrap()
}

/// The exit code and the answer.
fn ask(config: &Path, words: &[&str]) -> (Option<i32>, Value) {
    let output = run(config, &[words, &["--output", "json"]].concat());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {text}"));
    assert_eq!(answer["exit_code"].as_i64(), output.status.code().map(i64::from));
    (output.status.code(), answer)
}

fn check<'a>(answer: &'a Value, id: &str) -> &'a Value {
    answer["checks"].as_array().unwrap().iter().find(|check| check["item"] == id).unwrap()
}

fn refused(config: &Path, words: &[&str], part: &str) {
    let output = run(config, words);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{words:?}: {err}");
    assert!(err.contains(part), "{words:?}: {err}");
}

#[test]
fn the_tool_ticks_what_it_verified_and_a_person_the_rest() {
    let demo = calm();
    let config = demo.config("own", "");
    let (code, first) = ask(&config, &[]);
    assert_eq!((code, first["checks"].as_array().unwrap().len()), (Some(2), 26), "{first}");
    let service = check(&first, "service");
    let said = (service["mark"].as_str(), service["by"].as_str(), service["evidence"].as_str());
    assert_eq!(said, (Some("tool"), Some("wardroom"), Some("12 of 12 models")), "{service}");
    let drill = check(&first, "rollback");
    assert_eq!(drill["mark"], "not_met", "{drill}");
    assert_eq!(check(&first, "access")["mark"], "open");

    // A drill that is recorded later is found; what was ticked before keeps its moment.
    let line = format!(
        "{{\"at\": \"{}\", \"verified\": true, \"scenario\": \"error-burst\"}}\n",
        chrono::Utc::now().to_rfc3339()
    );
    std::fs::write(demo.state("own").join("drills.jsonl"), line).unwrap();
    let (_, second) = ask(&config, &[]);
    assert_eq!(check(&second, "service")["at"], service["at"], "written once");
    let drill = check(&second, "rollback");
    assert_eq!(drill["mark"], "tool", "{drill}");
    assert!(drill["evidence"].as_str().unwrap().starts_with("error-burst on "), "{drill}");

    // A person ticks; the next process sees it; withdrawn, it is open again.
    let (_, ticked) = ask(&config, &["--tick", "access", "--note", "list of roles compared"]);
    assert_eq!(check(&ticked, "access")["mark"], "person");
    let (code, seen) = ask(&config, &["--period", "monthly"]);
    let access = check(&seen, "access");
    assert_eq!(
        (access["mark"].as_str(), access["evidence"].as_str()),
        (Some("person"), Some("list of roles compared"))
    );
    assert!(!access["by"].as_str().unwrap().is_empty() && access["at"].is_string(), "{access}");
    assert_eq!(
        (code, seen["checks"].as_array().unwrap().len()),
        (Some(1), 9),
        "bias and others are open: {seen}"
    );
    refused(&config, &["--tick", "access", "--note", "again"], "ticked already");
    let (_, undone) = ask(&config, &["--untick", "access", "--note", "wrong environment"]);
    let access = check(&undone, "access");
    assert_eq!(access["mark"], "open");
    assert!(access["evidence"].as_str().unwrap().ends_with("wrong environment"), "{access}");
    refused(&config, &["--untick", "access", "--note", "again"], "not ticked");

    // With a person's word for all of it the month is done, even for what cannot be told.
    for id in ["cards", "agreement", "bias", "cleanup", "retraining", "evaluation", "access", "procedures"] {
        if check(&ask(&config, &["--period", "monthly"]).1, id)["mark"] != "tool" {
            ask(&config, &["--tick", id, "--note", "looked at by hand"]);
        }
    }
    let (code, all) = ask(&config, &["--period", "monthly"]);
    assert_eq!(code, Some(0), "{all}");
    let text = String::from_utf8(run(&config, &["--period", "monthly"]).stdout).unwrap();
    assert!(text.contains("ticked by person  access") && text.contains("9 of 9 ticked (exit 0)"), "{text}");
}

#[test]
fn several_at_once_write_each_tick_once() {
    let demo = calm();
    let config = demo.config("shared", "");
    let spawn = || command(&config, &[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    for child in [(); 4].map(|()| spawn()) {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let since = chrono::DateTime::from_timestamp(0, 0).unwrap();
    let ticks = wardroom::history::ticks::read(&demo.state("shared"), "demo", since).unwrap();
    let items: BTreeSet<&str> = ticks.iter().map(|tick| tick.item.as_str()).collect();
    assert!(items.contains("service"), "{items:?}");
    assert_eq!(items.len(), ticks.len(), "{ticks:?}");
}

#[test]
fn what_cannot_be_read_or_is_wrong_is_3() {
    let demo = calm();
    let config = demo.config("wrong", "");
    refused(&config, &["--tick", "nonsense", "--note", "x"], "there are service, limits");
    refused(&config, &["--tick", "access"], "--note");
    refused(&config, &["--note", "x"], "--tick");
    refused(&config, &["--tick", "access", "--note", " \u{1b}"], "--note");
    refused(&config, &["--period", "yearly"], "daily");
    refused(Path::new("nowhere.toml"), &[], "nowhere.toml");
    std::fs::create_dir_all(demo.state("wrong")).unwrap();
    std::fs::write(demo.state("wrong").join("checklists.db"), "a letter ".repeat(999)).unwrap();
    refused(&config, &[], "is damaged");
    let off = demo.config("off", "[history]\noff = true");
    refused(&off, &["--tick", "access", "--note", "x"], "history.off");
    assert_eq!(check(&ask(&off, &[]).1, "service")["mark"], "tool", "shown, and not kept");
    assert!(!demo.state("off").join("checklists.db").exists());
}

#[test]
fn a_fleet_that_does_not_answer_is_not_met() {
    let mut demo = calm();
    let config = demo.config("gone", "");
    demo.stop();
    let (code, answer) = ask(&config, &["--period", "weekly"]);
    assert_eq!(code, Some(2), "{answer}");
    let sources = check(&answer, "sources");
    assert_eq!(sources["mark"], "not_met", "{sources}");
    assert!(sources["evidence"].as_str().unwrap().contains("mlflow down"), "{sources}");
}

#[test]
fn what_is_ticked_in_the_room_is_seen_by_the_next_process() {
    let demo = calm();
    let config = demo.config("room", "");
    let mut session = pty::Session::start(&["--config", config.to_str().unwrap()], (120, 36), &[]);
    session.wait_text("Fleet");
    session.keys("l");
    session.wait_text("Checklists");
    session.wait_text("at the right");
    session.keys("\x1b[DG");
    session.wait_text("procedures and documents");
    session.keys("\r");
    session.wait_text("Enter ticks procedures");
    session.keys("read with the team\r");
    session.wait_text("ticked by");
    session.keys("q");
    assert_eq!(session.end().0, 0);
    let (_, seen) = ask(&config, &["--period", "monthly"]);
    let procedures = check(&seen, "procedures");
    assert_eq!(
        (procedures["mark"].as_str(), procedures["evidence"].as_str()),
        (Some("person"), Some("read with the team"))
    );
}
