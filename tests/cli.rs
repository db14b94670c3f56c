//! The command line: exit codes, what goes to standard output, and what each mistake says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/said.rs"]
mod said;

use std::process::{Command, Output};

use said::said;
use serde_json::Value;

fn run_in(folder: &std::path::Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wardroom"))
        .args(words)
        .current_dir(folder)
        .env_remove("WARDROOM_CONFIG")
        .env("XDG_CONFIG_HOME", folder.join("xdg"))
        .output()
        .unwrap()
}

fn with_config(config: &str, words: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wardroom.toml"), config).unwrap();
    run_in(folder.path(), words)
}

#[test]
fn without_a_config_it_says_where_it_looked_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = said(&run_in(folder.path(), &[]));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    for part in ["wardroom.toml", "wardroom demo", "wardroom discover", "config example"] {
        assert!(err.contains(part), "{part}: {err}");
    }
}

#[test]
fn a_broken_config_is_2_and_for_check_3() {
    let config = "[[model]]\nname = \"a\"\ncolour = 1\n";
    for (words, expected) in [(&["config", "show"][..], 2), (&["doctor"], 2), (&["check"], 3), (&[], 2)] {
        let (code, out, err) = said(&with_config(config, words));
        assert_eq!((code, out.as_str()), (Some(expected), ""), "{words:?}");
        assert!(err.contains("wardroom.toml:3") && err.contains("colour"), "{err}");
    }
    let (code, _, err) = said(&with_config("", &["check", "--config", "nowhere.toml"]));
    assert_eq!(code, Some(3));
    assert!(err.contains("nowhere.toml"), "{err}");
}

#[test]
fn a_conflict_of_keys_names_the_line() {
    let (code, _, err) = said(&with_config("[keys]\nsort = \"q\"\n", &["doctor"]));
    assert_eq!(code, Some(2));
    assert!(err.contains("wardroom.toml:2") && err.contains("quit"), "{err}");
}

#[test]
fn check_of_a_silent_source_is_unknown_and_stdout_is_one_document() {
    let config = "timeout = \"1s\"\n[[model]]\nname = \"a\"\n[[model.endpoint]]\nprotocol = \"oip\"\nurl = \"http://127.0.0.1:9/\"\n";
    let (code, out, _) = said(&with_config(config, &["check", "--output", "json"]));
    assert_eq!(code, Some(3));
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["level"], "unknown");
    assert_eq!(answer["models"][0]["why"], "a-1 down");
    assert_eq!(answer["sources"][0]["answered"], false);
    let (code, out, _) = said(&with_config(config, &["check", "--model", "zeta"]));
    assert_eq!((code, out.as_str()), (Some(3), ""), "an unknown model is no verdict");
}

#[test]
fn the_example_of_the_config_is_ready_to_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let (code, example, _) = said(&run_in(folder.path(), &["config", "example"]));
    assert_eq!(code, Some(0));
    let (code, shown, err) = said(&with_config(&example, &["--refresh", "3s", "config", "show"]));
    assert_eq!(code, Some(0), "{err}");
    assert!(
        shown.lines().any(|line| line.starts_with("refresh = \"3s\"") && line.ends_with("# flag --refresh")),
        "{shown}"
    );
    assert!(shown.contains("# wardroom.toml:"), "{shown}");
    let (_, schema, _) = said(&run_in(folder.path(), &["config", "schema"]));
    serde_json::from_str::<Value>(&schema).unwrap();
}

#[test]
fn a_secret_is_never_shown_and_a_missing_one_is_named() {
    let config =
        "[[mlflow]]\nurl = \"http://127.0.0.1:9/\"\naccess.auth.bearer = { env = \"WARDROOM_TEST_TOKEN\" }\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wardroom.toml"), config).unwrap();
    for words in [&["config", "show"][..], &["doctor"], &["check", "--output", "json"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_wardroom"))
            .args(words)
            .current_dir(folder.path())
            .env("WARDROOM_TEST_TOKEN", "hunter2-hunter2")
            .output()
            .unwrap();
        let (_, out, err) = said(&output);
        assert!(!out.contains("hunter2") && !err.contains("hunter2"), "{words:?}");
    }
    let (code, _, err) = said(&run_in(folder.path(), &["doctor"]));
    assert!(code != Some(0) && err.contains("WARDROOM_TEST_TOKEN"), "{code:?} {err}");
}

#[test]
fn a_theme_with_a_mistake_names_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.toml"), "[roles]\ncritical = { fg = \"octarine\" }\n").unwrap();
    std::fs::write(folder.path().join("wardroom.toml"), "theme = \"mine.toml\"\n[[model]]\nname = \"a\"\n")
        .unwrap();
    let (code, out, err) = said(&run_in(folder.path(), &["snapshot", "--format", "ansi"]));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    for part in ["mine.toml, line 2", "roles.critical.fg", "octarine"] {
        assert!(err.contains(part), "{part}: {err}");
    }
}

#[test]
fn wrong_words_are_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    for (words, part) in [
        (&["discover"][..], "--prometheus"),
        (&["demo", "--scenario", "opera"], "calm"),
        (&["demo", "--models", "0"], "1..=10000"),
        (&["demo", "--speed=-1"], "--speed"),
        (&["snapshot", "--size", "huge"], "120x36"),
    ] {
        let (code, _, err) = said(&run_in(folder.path(), words));
        assert_eq!(code, Some(2), "{words:?}");
        assert!(err.contains(part), "{words:?}: {err}");
    }
}

/// A ledger with one confirmed act, as an acting wardroom leaves it.
fn with_an_act(folder: &std::path::Path) {
    let plan: wardroom::domain::act::Plan = serde_json::from_value(serde_json::json!({
        "id": "a-1",
        "model": { "environment": "prod", "cluster": "eu", "namespace": "prod", "name": "als" },
        "target": { "system": "eu", "kind": "argo", "context": "eu", "namespace": "prod", "name": "als" },
        "operation": { "act": "abort" },
        "reason": "errors \u{1b}[31mrise",
        "evidence": "3.2 % against 0.4 %",
        "who": { "user": "ada", "origin": "10.0.0.7", "host": "bastion", "identity": "ops", "by": "command line" },
        "made_at": "2026-05-04T12:00:00Z",
        "before": "1.3.0 at 25 %",
        "after": "1.2.0 at 100 %",
        "facts": [],
        "affects": "25 % of traffic",
        "version": null,
        "requests": [],
        "beware": [],
        "checks": [],
        "expected_s": 3.0,
        "confirm": "enter",
        "stepper": false,
    }))
    .unwrap();
    let at = plan.made_at;
    let ledger = wardroom::records::Ledger::open(folder, None).unwrap();
    ledger.write(at, "confirmed", &wardroom::domain::act::Act::confirmed(plan, at), true).unwrap();
}

#[test]
fn the_audit_trail_is_read_verified_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    with_an_act(&state);
    let run = |words: &[&str]| said(&run_in(folder.path(), &[&["audit"], words].concat()));
    // Without a config and with --folder; then with the config's folder.
    let (code, out, err) = run(&["query", "--folder", "state"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    for part in
        ["NUMBER", "2026-05-04 12:00:00", "a-1", "ada as ops", "abort als", "confirmed", "errors [31mrise"]
    {
        assert!(out.contains(part), "{part}: {out}");
    }
    std::fs::write(folder.path().join("wardroom.toml"), "[control]\nfolder = \"state\"\n").unwrap();
    let (code, out, _) = run(&["query", "--model", "als", "--since", "2026-05-04", "--output", "json"]);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["entries"][0]["who"]["origin"]), (Some(0), &Value::from("10.0.0.7")));
    let (code, out, _) = run(&["query", "--since", "24h"]);
    assert_eq!((code, out.trim()), (Some(0), "no entry"));
    let (code, out, _) = run(&["export", "--format", "csv"]);
    assert_eq!((code, out.lines().count()), (Some(0), 2));
    let (code, out, _) = run(&["export", "--act", "a-1"]);
    let line: Value = serde_json::from_str(out.trim_end()).unwrap();
    assert_eq!((code, &line["line"]), (Some(0), &Value::from("confirmed")));

    let (code, out, _) = run(&["verify"]);
    assert_eq!(code, Some(0));
    let head = out.trim().strip_prefix("intact: 1 entry, head ").unwrap().to_owned();
    assert_eq!(run(&["verify", "--head", &head]).0, Some(0));
    let other = head.replace(|c: char| c.is_ascii_hexdigit() && c != '1', "0");
    assert_eq!(run(&["verify", "--head", &other]).0, Some(2));

    let raw = rusqlite::Connection::open(state.join("journal.db")).unwrap();
    raw.execute_batch(
        "DROP TRIGGER trail_keeps; UPDATE trail SET bytes = CAST(replace(CAST(bytes AS TEXT), 'ada', 'eve') AS BLOB)",
    )
    .unwrap();
    let (code, out, _) = run(&["verify"]);
    assert_eq!(code, Some(2));
    assert!(out.contains("entry 1 was changed") && out.contains("CHANGED: 1 entry"), "{out}");
    let (code, out, _) = run(&["verify", "--output", "json"]);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["intact"]), (Some(2), &Value::Bool(false)));
}

#[test]
fn options_of_a_room_are_refused_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    for (words, code) in
        [(&["--record", "x.tape", "snapshot", "--demo"][..], 2), (&["--spectate", "check"], 3)]
    {
        let (found, out, err) = said(&run_in(folder.path(), words));
        assert_eq!((found, out.as_str()), (Some(code), ""), "{words:?}");
        assert!(err.contains("--record and --spectate belong to a room"), "{err}");
    }
    assert!(!folder.path().join("x.tape").exists());
}

#[test]
fn an_audit_trail_that_cannot_be_read_is_3() {
    let folder = tempfile::tempdir().unwrap();
    for words in [
        &["audit", "verify", "--folder", "."][..],
        &["audit", "verify", "--head", "nonsense"],
        &["audit", "query", "--since", "yesterday"],
        &["audit", "verify", "--folder", ".", "--age-identity", "nowhere"],
    ] {
        let (code, out, err) = said(&run_in(folder.path(), words));
        assert_eq!((code, out.as_str()), (Some(3), ""), "{words:?}: {err}");
        assert!(!err.is_empty());
    }
    std::fs::write(folder.path().join("journal.db"), "a letter ".repeat(999)).unwrap();
    let (code, _, err) = said(&run_in(folder.path(), &["audit", "verify", "--folder", "."]));
    assert_eq!(code, Some(3));
    assert!(err.contains("is damaged"), "{err}");
}
