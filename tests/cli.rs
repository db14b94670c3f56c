//! The command line: exit codes, what goes to standard output, and what each mistake says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

use std::process::{Command, Output};

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

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
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
