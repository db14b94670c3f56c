//! The README tells the truth: each of its commands is run, its config is read, its picture exists.

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

use std::path::Path;
use std::process::{Command, Output};

use fleet::Fleet;

const README: &str = include_str!("../README.md");

/// The blocks of one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    README.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

fn served(scenario: &str) -> Fleet {
    Fleet::start(&["--models", "6", "--scenario", scenario])
}

/// The address of the demo's registry.
fn registry(fleet: &Fleet) -> &str {
    let line = fleet.config.lines().skip_while(|line| *line != "[[mlflow]]").nth(1).unwrap();
    line.split('"').nth(1).unwrap()
}

/// Runs the program beside the fleet's config.
fn run(fleet: &Fleet, words: &[&str]) -> Output {
    // A state folder of its own: the journal of whoever runs this test is none of its business.
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
    command.args(words).current_dir(fleet.folder()).env("XDG_STATE_HOME", fleet.state("state"));
    command.output().unwrap()
}

#[test]
fn every_command_of_the_readme_runs() {
    let fleet = served("calm");
    // Acts need a canary; nothing of this test acts but this one hold, so that there is a trail to verify.
    let acted = served("incident");
    let output = run(&acted, &["pause", "alzheimer", "--yes", "--reason", "a first entry"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut ran = 0;
    for line in blocks("sh").iter().flat_map(|block| block.lines()).filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        ran += 1;
        match words.as_slice() {
            // What builds and runs this very test.
            ["cargo", "test"] => {}
            ["cargo", "run", "--release", "--", rest @ ..] => {
                let mut room = pty::Session::start(rest, (120, 36), &[]);
                room.wait_text("alzheimer");
                room.keys("q");
                assert_eq!(room.end().0, 0, "{line}");
            }
            ["wardroom"] => {
                let mut room = pty::Session::start(&["--config", &fleet.file()], (120, 36), &[]);
                room.wait_text("alzheimer");
                room.keys("q");
                assert_eq!(room.end().0, 0, "{line}");
            }
            ["wardroom", "discover", "--prometheus", _, "--mlflow", _, ">", "wardroom.toml"] => {
                // The demo has a registry and no Prometheus; the live tests discover both.
                let output = run(&fleet, &["discover", "--mlflow", registry(&fleet)]);
                assert_eq!(output.status.code(), Some(0), "{line}");
                assert!(String::from_utf8_lossy(&output.stdout).contains("name = \"alzheimer\""));
            }
            ["wardroom", task @ ("judge" | "drift" | "plan-sample"), ..] => {
                for name in ["blocks.jsonl", "reference.csv", "current.csv"] {
                    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/readme").join(name);
                    std::fs::copy(from, fleet.folder().join(name)).unwrap();
                }
                let output = run(&fleet, &words[1..]);
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                assert_eq!(output.status.code(), Some(0), "{line}: {text}");
                let expected = match *task {
                    "judge" => "PROMOTE   errors",
                    "drift" => "gait_speed",
                    _ => "it is known to be worse at all",
                };
                assert!(text.contains(expected), "{line}: {text}");
            }
            // tests/drill.rs runs it.
            ["wardroom", "drill", "--auto", "--output", "json"] => {}
            ["wardroom", "--record", file] => {
                let tape = fleet.folder().join(file);
                let words = ["--config", &fleet.file(), "--record", tape.to_str().unwrap()];
                let state = fleet.state("state");
                let state = [("XDG_STATE_HOME", state.to_str().unwrap())];
                let mut room = pty::Session::start(&words, (120, 36), &state);
                room.wait_text("alzheimer");
                room.keys("q");
                assert_eq!(room.end().0, 0, "{line}");
            }
            ["wardroom", "checklist", ..] => {
                let output = run(&fleet, &words[1..]);
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(matches!(output.status.code(), Some(0..=2)), "{line}: {text}");
                assert!(text.contains("every model server answers"), "{line}: {text}");
            }
            ["wardroom", rest @ ..] => {
                let acts = ["abort", "rollback", "acts", "audit"].contains(&rest[0]);
                let output = run(if acts { &acted } else { &fleet }, rest);
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                assert_eq!(
                    output.status.code(),
                    Some(0),
                    "{line}: {text} {}",
                    String::from_utf8_lossy(&output.stderr)
                );
                let expected = match rest {
                    ["audit", ..] => "intact",
                    ["history", ..] => "history.db",
                    ["incident", "declare", ..] => "i-",
                    ["incident", "note", ..] => "e-",
                    ["incident", ..] => "p95-doubled",
                    _ => "alzheimer",
                };
                assert!(text.contains(expected), "{line}: {text}");
            }
            _ => panic!("the README has a command that this test does not know: {line}"),
        }
    }
    assert!(ran >= 8, "only {ran} commands were found");
}

#[test]
fn every_inline_command_is_known() {
    for inline in README.split('`').skip(1).step_by(2).filter(|text| text.starts_with("wardroom ")) {
        let words: Vec<&str> = inline.split_whitespace().skip(1).collect();
        if words.contains(&"demo") {
            continue;
        }
        let help = [words.as_slice(), &["--help"]].concat();
        let output = Command::new(env!("CARGO_BIN_EXE_wardroom")).args(&help).output().unwrap();
        assert!(output.status.success(), "{inline}");
    }
}

#[test]
fn the_config_of_the_readme_is_a_config() {
    let toml = blocks("toml");
    assert_eq!(toml.len(), 2);
    for text in toml {
        wardroom::config::parse("README.md", text, &[]).unwrap();
    }
}

#[test]
fn its_links_and_its_picture_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let targets: Vec<&str> = README.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(targets.len() >= 3);
    for target in targets {
        assert!(root.join(target).exists(), "{target}");
    }
}

#[test]
fn its_keys_are_the_keys() {
    use wardroom::app::ACTIONS;
    for key in [
        "d", "n", "s", "c", "v", "r", "m", "/", ":", "?", "q", "i", "l", "A", "H", "P", "F", "R", "W", "Y",
        "w",
    ] {
        assert!(ACTIONS.iter().any(|row| row.keys.contains(&key)), "{key}");
        assert!(README.contains(&format!("`{key}`")), "{key}");
    }
}
