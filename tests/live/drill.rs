//! A whole drill by the real program on a real Rollout: deploy, find, abort, verify, put back; and what it refuses.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::cluster::{Cluster, Namespace};
use crate::lab::file;

/// The Rollout `m`, healthy on v1; its controller gives up on pods that do not become ready after a while.
fn healthy(namespace: &Namespace) -> Value {
    namespace.create_from("rollout-basic.json", "m", "http://127.0.0.1:9", |object| {
        if object["kind"] == "Rollout" {
            object["spec"]["progressDeadlineSeconds"] = json!(20);
        }
    });
    namespace.wait("rollouts", "m", |object| object["status"]["phase"] == "Healthy")
}

fn config(cluster: &Cluster, namespace: &Namespace, control: &str) -> (tempfile::TempDir, PathBuf) {
    let name = &namespace.name;
    let (folder, path) = file("");
    let text = format!(
        "environment = \"lab\"\nrefresh = \"1s\"\n{}\n[control]\nfolder = {:?}\n{control}\n\
         [[model]]\nname = \"m\"\nnamespace = \"{name}\"\n[model.rollout]\nsystem = \"lab\"\nkind = \"rollout\"\n",
        cluster.section(&[name]),
        folder.path().join("journal"),
    );
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn command(config: &Path, on: &str, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
    command
        .arg("--config")
        .arg(config)
        .args(["drill", "--on", on, "--auto"])
        .args(words)
        .stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const NEVER_READY: [&str; 4] =
    ["--scenario", "never-ready", "--fault-annotation", "wardroom.test/fault=never-ready"];

#[test]
fn a_whole_drill_on_a_rollout_ends_verified_with_the_template_from_before() {
    let Some(cluster) = Cluster::here() else { return };
    let namespace = cluster.namespace("drill");
    let before = healthy(&namespace);
    let (_folder, path) = config(&cluster, &namespace, "");
    let on = format!("lab/{}", namespace.name);
    let begun = std::time::Instant::now();
    let words = [&NEVER_READY[..], &["--output", "json"]].concat();
    let output = command(&path, &on, &words).output().unwrap();
    let took_s = begun.elapsed().as_secs_f64();
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    println!("the whole drill: {took_s:.1} s; marks {}", report["marks"]);
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!((&report["verified"], &report["cleaned_up"]), (&json!(true), &json!(true)), "{report:#}");
    assert!(report["found"]["reason"].as_str().unwrap().contains("degraded"), "{report:#}");
    let marks = report["marks"].as_object().unwrap();
    assert!(marks.values().all(|mark| mark.as_f64().is_some_and(|seconds| seconds >= 0.0)), "{report:#}");
    assert!(report["confirmed_to_verified_s"].as_f64().unwrap() < 300.0);
    assert!(report["marks"]["cleaned_up"].as_f64().unwrap() < 300.0, "the target of the whole drill");
    let after = namespace.get("rollouts", "m").unwrap();
    assert_eq!(after["spec"]["template"], before["spec"]["template"]);
    assert_eq!(after["status"]["stableRS"], before["status"]["stableRS"]);
    assert_eq!(after["status"]["phase"], "Healthy");
}

#[test]
fn what_is_marked_production_is_refused_and_left_alone() {
    let Some(cluster) = Cluster::here() else { return };
    let namespace = cluster.namespace("drill");
    let before = healthy(&namespace);
    let on = format!("lab/{}", namespace.name);
    let (_folder, path) = config(&cluster, &namespace, "production = true");
    let output = command(&path, &on, &NEVER_READY).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("production"), "{}", said(&output));
    let (_folder, path) = config(&cluster, &namespace, "");
    let label = json!({"metadata": {"labels": {"environment": "production"}}});
    cluster.call("PATCH", &format!("/api/v1/namespaces/{}", namespace.name), Some(&label)).unwrap();
    let output = command(&path, &on, &NEVER_READY).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("environment=production"), "{}", said(&output));
    let after = namespace.get("rollouts", "m").unwrap();
    assert_eq!(after["metadata"]["generation"], before["metadata"]["generation"]);
}

#[test]
fn a_drill_that_is_killed_is_put_back_by_the_next() {
    let Some(cluster) = Cluster::here() else { return };
    let namespace = cluster.namespace("drill");
    let before = healthy(&namespace);
    let (_folder, path) = config(&cluster, &namespace, "");
    let on = format!("lab/{}", namespace.name);
    let mut killed = command(&path, &on, &NEVER_READY).stdout(Stdio::null()).spawn().unwrap();
    let mark = "wardroom~1drill";
    let pointer = format!("/spec/template/metadata/annotations/{mark}");
    namespace.wait("rollouts", "m", |object| object.pointer(&pointer).is_some_and(Value::is_string));
    killed.kill().unwrap();
    killed.wait().unwrap();
    // The next one is refused for another reason, after it has cleaned up.
    let output = command(&path, &on, &["--scenario", "registry-mismatch"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("was cut off"), "{}", said(&output));
    let after = namespace.get("rollouts", "m").unwrap();
    assert_eq!(after["spec"]["template"], before["spec"]["template"]);
    assert_eq!(after["status"]["phase"], "Healthy");
}
