//! Acts from the command line against the demo's controller: exit codes, questions, and what a crash leaves.

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
#[path = "common/said.rs"]
mod said;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use fleet::Fleet;
use said::said;
use serde_json::Value;

/// A demo fleet, and what its servers know.
struct Demo {
    fleet: Fleet,
    controller: String,
}

/// The address of the first server of a section.
fn address(config: &str, section: &str) -> String {
    let after = &config[config.find(section).unwrap()..];
    after.split("http://").nth(1).unwrap().split(['"', '/']).next().unwrap().to_owned()
}

fn get(address: &str, path: &str) -> Value {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}

impl Demo {
    fn start() -> Self {
        let fleet = Fleet::start(&["--interval", "200ms"]);
        Self { controller: address(&fleet.config, "[[canary]]"), fleet }
    }

    fn get(&self, path: &str) -> Value {
        get(&self.controller, path)
    }

    /// The notes of a model's versions in the registry.
    fn notes(&self, model: &str) -> String {
        let path =
            format!("/api/2.0/mlflow/model-versions/search?filter=name%3D%27{model}%27&max_results=100");
        let found = get(&address(&self.fleet.config, "[[mlflow]]"), &path);
        let versions = found["model_versions"].as_array().unwrap_or_else(|| panic!("{found}")).iter();
        versions.filter_map(|version| version["description"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The acts on a model that the controller accepted, by their ids.
    fn accepted(&self, model: &str) -> Vec<String> {
        let acts = self.get("/api/v1/acts");
        let of_model = acts["acts"].as_array().unwrap().iter().filter(|act| act["model"] == model);
        of_model.map(|act| act["id"].as_str().unwrap().to_owned()).collect()
    }

    fn rollout(&self, model: &str) -> Value {
        self.get(&format!("/api/v1/rollouts/{model}"))
    }

    /// A version that a model can be rolled back to now.
    fn other_version(&self, model: &str) -> String {
        let rollout = self.rollout(model);
        let revisions = rollout["revisions"].as_array().unwrap();
        let other = revisions.iter().find(|revision| {
            revision["version"] != rollout["stable"] && revision["version"] != rollout["canary"]
        });
        other.unwrap_or_else(|| panic!("{rollout}"))["version"].as_str().unwrap().to_owned()
    }
}

fn run(config: &PathBuf, words: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
    command.arg("--config").arg(config).args(words).stdin(Stdio::null());
    command.env_remove("WARDROOM_CONFIG").envs(variables.iter().copied());
    command.output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {:?}", said(output)))
}

#[test]
fn the_exact_forms_of_the_command_line() {
    let demo = Demo::start();
    let config = demo.fleet.config("forms", "");
    let production = demo.fleet.config("production", "production = true");
    let read_only = demo.fleet.config("read-only", "read_only = true");
    for (config, words, part) in [
        (&config, &["abort", "alzheimer"][..], "--yes"),
        (&config, &["abort", "nobody", "--yes"], "no model `nobody`"),
        (&config, &["abort", "here/there/alzheimer", "--yes"], "[[cluster]]"),
        (&config, &["abort"], "MODEL"),
        (&config, &["weight", "alzheimer", "120"], "0 to 100"),
        (&config, &["rollback", "alzheimer"], "--to"),
        (&config, &["resume", "alzheimer", "--yes"], ""),
        (&read_only, &["abort", "alzheimer", "--yes"], "read-only"),
        (&production, &["promote", "alzheimer", "--full", "--yes"], "--confirm alzheimer"),
        (
            &production,
            &["promote", "alzheimer", "--full", "--yes", "--confirm", "als"],
            "not the model's name",
        ),
        (&config, &["acts", "verify", "a-00000000"], "no act"),
    ] {
        let (code, out, err) = said(&run(config, words, &[]));
        assert_eq!(code, Some(1), "{words:?}: {out}{err}");
        assert!(err.contains(part), "{words:?}: {err}");
    }
    let output = run(&production, &["abort", "alzheimer", "--plan", "--output", "json"], &[]);
    let plan = json(&output);
    assert_eq!(output.status.code(), Some(0), "a plan needs no yes");
    let request = &plan["requests"][0];
    assert_eq!((request["verb"].as_str(), request["body"]["act"].as_str()), (Some("POST"), Some("abort")));
    assert!(request["path"].as_str().unwrap().contains("alzheimer"));
    assert!(demo.accepted("alzheimer").is_empty(), "nothing of all this was sent");

    let output = run(&config, &["abort", "alzheimer", "--yes", "--reason", "p95", "--output", "json"], &[]);
    let done = json(&output);
    assert_eq!(output.status.code(), Some(0), "{done}");
    assert_eq!(done["outcome"]["is"], "effective");
    for id in ["observed", "version", "share", "errors", "samples"] {
        let check = done["checks"].as_array().unwrap().iter().find(|check| check["id"] == id);
        assert_eq!(check.unwrap()["state"]["is"], "passed", "{id}: {done}");
    }
    assert_eq!(demo.accepted("alzheimer"), [done["act"].as_str().unwrap()]);
    println!(
        "confirmed to sent {} s, accepted {} s, effective {} s",
        done["requests"][0]["sent_s"], done["requests"][0]["accepted_s"], done["effective_s"]
    );
    let (code, _, err) = said(&run(&config, &["abort", "alzheimer", "--yes"], &[]));
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("aborted already"), "{err}");
    let (code, out, _) = said(&run(&config, &["acts"], &[]));
    assert_eq!(code, Some(0));
    assert!(out.contains("abort alzheimer"), "{out}");
}

#[test]
fn at_a_terminal_it_asks_and_keys_that_came_before_do_not_count() {
    let demo = Demo::start();
    let config = demo.fleet.config("asked", "production = true");
    let config = config.to_str().unwrap();
    let mut session = pty::Session::start(&["--config", config, "abort", "alzheimer"], (120, 40), &[]);
    session.keys("\r\r");
    session.wait_text("Enter to abort");
    std::thread::sleep(Duration::from_millis(300));
    assert!(demo.accepted("alzheimer").is_empty(), "typed before the plan was there");
    session.keys("no\r");
    assert_eq!(session.end().0, 1);
    assert!(demo.accepted("alzheimer").is_empty());
    let mut session = pty::Session::start(&["--config", config, "abort", "alzheimer"], (120, 40), &[]);
    session.wait_text("Enter to abort");
    session.keys("\r");
    assert_eq!(session.end().0, 0);
    assert_eq!(demo.accepted("alzheimer").len(), 1);
    let to = demo.other_version("alzheimer");
    let words = ["--config", config, "rollback", "alzheimer", "--to", &to];
    let mut session = pty::Session::start(&words, (120, 40), &[]);
    session.wait_text("type alzheimer");
    session.keys("yes\r");
    assert_eq!(session.end().0, 1, "yes is not the name");
    let mut session = pty::Session::start(&words, (120, 40), &[]);
    session.wait_text("type alzheimer");
    session.keys("alzheimer\r");
    assert_eq!(session.end().0, 0);
}

/// One crash and the restart after it. Gives false when this point is beyond the end of the act.
fn crash(demo: &Demo, model: &str, point: usize) -> bool {
    let config = demo.fleet.config(&format!("{model}-{point}"), "");
    let before = demo.accepted(model);
    let to = demo.other_version(model);
    let words = ["rollback", model, "--to", &to, "--yes", "--reason", "drill"];
    let output = run(&config, &words, &[("WARDROOM_CRASH_AT", &point.to_string())]);
    let new = |demo: &Demo| -> Vec<String> {
        demo.accepted(model).into_iter().filter(|id| !before.contains(id)).collect()
    };
    let accepted = new(demo);
    assert!(accepted.len() <= 1, "point {point}: a double act: {accepted:?}");
    if output.status.signal() != Some(9) {
        let (code, out, err) = said(&output);
        assert_eq!((code, accepted.len()), (Some(0), 1), "point {point}: {out}{err}");
        return false;
    }
    let listed = json(&run(&config, &["acts", "--output", "json"], &[]));
    let acts = listed["acts"].as_array().unwrap();
    let Some(act) = acts.first() else {
        assert_eq!(point, 1, "only before the first line is nothing known");
        assert!(accepted.is_empty(), "point {point}: sent without a line in the journal");
        return true;
    };
    assert_eq!((acts.len(), &act["unfinished"]), (1, &Value::Bool(true)), "point {point}: {listed}");
    let id = act["act"]["plan"]["id"].as_str().unwrap().to_owned();
    assert!(accepted.iter().all(|sent| *sent == id), "point {point}: {accepted:?} is not {id}");

    let verified = run(&config, &["acts", "verify", &id, "--output", "json"], &[]);
    let done = json(&verified);
    assert_eq!(new(demo), accepted, "point {point}: a restart sends nothing");
    let outcome = done["outcome"]["is"].as_str().unwrap_or_default();
    let ended = (verified.status.code(), outcome);
    let states: Vec<&str> = done["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|request| request["state"]["is"].as_str())
        .collect();
    let whole = states.iter().all(|state| *state == "accepted");
    let may_be: &[(Option<i32>, &str)] = match (accepted.len(), whole) {
        // Everything was done, or only notes that an act may do without are missing.
        (1, true) => &[(Some(0), "effective")],
        (1, false) if states[..2] == ["accepted", "accepted"] => &[(Some(0), "effective")],
        // The rest was never sent, and is not sent by a restart: it says so.
        (1, false) => &[(Some(2), "failed"), (Some(3), "unknown")],
        _ => &[(Some(1), "nothing"), (Some(3), "unknown")],
    };
    assert!(may_be.contains(&ended), "point {point}: {done}");
    let notes = demo.notes(model);
    assert!(notes.matches(&id).count() <= 1, "point {point}: a note was written twice: {notes}");
    assert!(!done["resumed"].as_str().unwrap().is_empty(), "point {point}: {done}");

    let trail = json(&run(&config, &["audit", "query", "--act", &id, "--output", "json"], &[]));
    let lines: Vec<&str> =
        trail["entries"].as_array().unwrap().iter().filter_map(|entry| entry["line"].as_str()).collect();
    assert!(lines.len() >= 2, "point {point}: confirmed, and what came of it: {trail}");
    let (code, out, err) = said(&run(&config, &["audit", "verify"], &[]));
    assert_eq!(code, Some(0), "point {point}: {out}{err}");
    true
}

#[test]
fn a_kill_at_any_step_of_a_rollback_loses_nothing_and_repeats_nothing() {
    let demo = Demo::start();
    let rollouts = demo.get("/api/v1/rollouts");
    let all = rollouts["rollouts"].as_array().unwrap();
    let models: Vec<&str> = all.iter().filter_map(|one| one["model"].as_str()).take(3).collect();
    assert!(!models.is_empty(), "{rollouts}");
    for model in &models {
        // The story's canaries are out of the way first.
        let config = demo.fleet.config(&format!("first-{model}"), "");
        let (code, out, err) = said(&run(&config, &["abort", model, "--yes"], &[]));
        assert_eq!(code, Some(0), "{out}{err}");
    }
    // Each model takes every third point, so that the acts do not wait for each other.
    let points: usize = std::thread::scope(|scope| {
        let (demo, of) = (&demo, models.len());
        let workers = models.iter().enumerate().map(|(first, model)| {
            scope.spawn(move || {
                let mine = (first + 1..100).step_by(of);
                mine.take_while(|&point| crash(demo, model, point)).count()
            })
        });
        let workers: Vec<_> = workers.collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    println!("killed at {points} points");
    assert!(points >= 20, "only {points} distinct points");
}
