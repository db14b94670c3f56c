//! A whole drill by the real program on a real Rollout: deploy, find, abort, verify, put back; and what it refuses.

mod served;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::cluster::{Cluster, Namespace};
use crate::desk::config;
use crate::hands::act;
use crate::pty::Session;
use served::Load;

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

/// The Rollout `m`, healthy on v1; its controller gives up on pods that do not become ready after a while.
fn healthy(namespace: &Namespace) -> Value {
    healthy_on(namespace, "http://127.0.0.1:9")
}

/// The same, its pods answered for by this server.
fn healthy_on(namespace: &Namespace, server: &str) -> Value {
    namespace.create_from("rollout-basic.json", "m", server, |object| {
        if object["kind"] == "Rollout" {
            object["spec"]["progressDeadlineSeconds"] = json!(20);
        }
    });
    namespace.wait("rollouts", "m", |object| object["status"]["phase"] == "Healthy")
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

/// A Rollout that serves, its load, and a config that sees both as a user's would: an endpoint with a metrics page.
struct Served {
    cluster: Cluster,
    namespace: Namespace,
    before: Value,
    _load: Load,
    folder: tempfile::TempDir,
    config: PathBuf,
}

impl Served {
    fn new() -> Option<Self> {
        let cluster = Cluster::here()?;
        let Some(plane) = cluster.key("kube_plane") else {
            crate::cluster::skip("nobody is asked: no data plane beside the kubeconfig");
            return None;
        };
        let namespace = cluster.namespace("drill");
        let before = healthy_on(&namespace, &served::server());
        let load = Load::on(&plane, &namespace.name);
        let (folder, config) = config(&cluster, &namespace, "");
        let name = &namespace.name;
        let more = format!(
            "[[model.endpoint]]\nname = \"m\"\nprotocol = \"oip\"\nurl = \"{plane}/svc/{name}/m\"\n\
             metrics = \"{plane}/metrics/{name}/m\"\npreset = \"plane\"\n[model.verify]\nsamples = {:?}\n{}",
            served::samples(folder.path()),
            served::PRESET
        );
        let text = std::fs::read_to_string(&config).unwrap().replace("refresh", "window = \"10s\"\nrefresh");
        std::fs::write(&config, text + &more).unwrap();
        Some(Self { cluster, namespace, before, _load: load, folder, config })
    }

    fn on(&self) -> String {
        format!("lab/{}", self.namespace.name)
    }

    /// A whole automatic drill that went well, and left nothing.
    #[allow(clippy::print_stdout, reason = "the figures are to be read")]
    fn drilled(&self, scenario: &str, fault: &[&str]) -> Value {
        let words = [&["--scenario", scenario, "--output", "json"], fault].concat();
        let begun = std::time::Instant::now();
        let output = command(&self.config, &self.on(), &words).output().unwrap();
        let took_s = begun.elapsed().as_secs_f64();
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
        println!("{scenario}: {took_s:.1} s; marks {}; {}", report["marks"], report["found"]["reason"]);
        assert_eq!(output.status.code(), Some(0), "{report:#}");
        for key in ["verified", "cleaned_up", "in_time"] {
            assert_eq!(report[key], true, "{key}: {report:#}");
        }
        let mark =
            |mark: &&str| report["marks"][*mark].as_f64().unwrap_or_else(|| panic!("{mark}: {report:#}"));
        let seconds: Vec<f64> = MARKS.iter().map(mark).collect();
        assert!(seconds[0] == 0.0 && seconds.is_sorted(), "{report:#}");
        assert!(seconds[12] < 300.0, "the target of the whole drill: {report:#}");
        let checks = report["checks"].as_array().unwrap();
        for id in ["version", "share", "samples", "right_version", "function", "function_after_clean_up"] {
            let passed = |check: &Value| check["id"] == id && check["passed"] == true;
            assert!(checks.iter().any(passed), "{id}: {report:#}");
        }
        self.assert_clean();
        report
    }

    /// The Rollout is what it was before, and every pod that runs is one of its.
    fn assert_clean(&self) {
        let after = self.namespace.get("rollouts", "m").unwrap();
        assert_eq!(after["spec"], self.before["spec"]);
        assert_eq!(after["status"]["stableRS"], self.before["status"]["stableRS"]);
        assert_eq!(after["status"]["phase"], "Healthy");
        let wanted = json!(self.before["status"]["stableRS"]);
        self.namespace.wait("rollouts", "m", |_| {
            let pods = self.namespace.list("pods");
            let is_old = |pod: &Value| pod["metadata"]["labels"]["rollouts-pod-template-hash"] == wanted;
            pods.len() == 4 && pods.iter().all(is_old)
        });
    }
}

#[test]
fn a_slow_version_is_found_and_aborted_by_what_its_requests_show() {
    let Some(served) = Served::new() else { return };
    let report =
        served.drilled("latency-regression", &["--fault-annotation", "wardroom.test/fault=latency:0.4"]);
    let reason = report["found"]["reason"].as_str().unwrap().to_lowercase();
    assert!(reason.contains("latency") || reason.contains("p9"), "{reason}");
}

#[test]
fn a_failing_version_is_found_and_aborted_by_what_its_requests_show() {
    let Some(served) = Served::new() else { return };
    let report = served.drilled("error-burst", &["--fault-label", "wardroom.test/fault=errors"]);
    let reason = report["found"]["reason"].as_str().unwrap().to_lowercase();
    assert!(reason.contains("error"), "{reason}");
}

#[test]
fn a_version_that_predicts_wrongly_is_found_by_its_late_labels() {
    let Some(served) = Served::new() else { return };
    let report =
        served.drilled("silent-quality-loss", &["--fault-annotation", "wardroom.test/fault=wrong:0.6"]);
    let reason = report["found"]["reason"].as_str().unwrap().to_lowercase();
    assert!(reason.contains("accuracy"), "{reason}");
}

#[test]
fn a_version_that_reads_a_feature_wrongly_is_found_by_its_drift() {
    let Some(served) = Served::new() else { return };
    let report = served.drilled("drift", &["--fault-label", "wardroom.test/fault=drift"]);
    let reason = report["found"]["reason"].as_str().unwrap().to_lowercase();
    assert!(reason.contains("drift"), "{reason}");
}

const FAILING: [&str; 4] = ["--scenario", "error-burst", "--fault-label", "wardroom.test/fault=errors"];

impl Served {
    /// A drill that runs, its fault injected.
    fn injected(&self) -> Child {
        let mut command = command(&self.config, &self.on(), &FAILING);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let is_broken = |object: &Value| {
            object
                .pointer("/spec/template/metadata/labels/wardroom.test~1fault")
                .is_some_and(Value::is_string)
        };
        self.namespace.wait("rollouts", "m", is_broken);
        child
    }

    /// Marks of drills that did not clean up.
    fn unfinished(&self) -> usize {
        let entries = std::fs::read_dir(self.folder.path().join("journal/drills")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".unfinished.json")).count()
    }
}

fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_drill_that_is_interrupted_or_killed_in_the_middle_leaves_nothing() {
    let Some(served) = Served::new() else { return };
    let interrupted = served.injected();
    interrupt(&interrupted);
    let output = interrupted.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    for words in ["it cleans up first", "it was interrupted", "nothing of the drill is left"] {
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
    served.assert_clean();
    assert_eq!(served.unfinished(), 0);

    let mut killed = served.injected();
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(served.unfinished(), 1, "it had written down what it would change");
    // The next one cleans up before it begins, and goes through on the same Rollout.
    let report = served.drilled(FAILING[1], &FAILING[2..]);
    assert_eq!(served.unfinished(), 0);
    assert_eq!(
        report["earlier"].as_array().map(Vec::len),
        Some(1),
        "the one that was interrupted: {report:#}"
    );
}

#[test]
fn what_somebody_else_deployed_meanwhile_is_left_alone() {
    let Some(served) = Served::new() else { return };
    let running = served.injected();
    let mut theirs = served.before["spec"]["template"].clone();
    theirs["metadata"]["labels"]["version"] = json!("v2");
    let patch = json!([{"op": "replace", "path": "/spec/template", "value": theirs}]);
    let path = format!("{}/m", served.namespace.path("rollouts"));
    served.cluster.call("JSON", &path, Some(&patch)).unwrap();
    interrupt(&running);
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("somebody else changed the pod template"), "{}", said(&output));
    let after = served.namespace.get("rollouts", "m").unwrap();
    assert_eq!(after["spec"]["template"], theirs);
    assert_eq!(served.unfinished(), 0);
}

#[test]
fn a_person_finds_it_in_the_room_and_aborts_with_the_normal_keys() {
    let Some(served) = Served::new() else { return };
    let (config, state, on) =
        (served.config.to_str().unwrap(), served.folder.path().to_str().unwrap(), served.on());
    let words = [&["--config", config, "drill", "--on", &on], &FAILING[..]].concat();
    let mut session = Session::start(&words, (160, 45), &[("XDG_STATE_HOME", state)]);
    session.wait_text("since the fault");
    session.wait_text("canary: ABORT");
    act(&mut session, |session| session.keys("A"), "Abort");
    session.wait_text("confirmed → verified");
    // The room closes by itself when everything is put back.
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
    served.assert_clean();
    let line = std::fs::read_to_string(served.folder.path().join("journal/drills.jsonl")).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["auto"], &line["verified"]), (&json!(false), &json!(true)), "{line}");
}

#[test]
fn what_nobody_could_find_is_refused_before_anything_is_changed() {
    let Some(cluster) = Cluster::here() else { return };
    let namespace = cluster.namespace("drill");
    let before = healthy(&namespace);
    let on = format!("lab/{}", namespace.name);
    let (_folder, path) = config(&cluster, &namespace, "");
    for (words, wanted) in [
        (&FAILING[..], "nothing in the config tells"),
        (&["--scenario", "never-ready", "--model", "n"][..], "no [[model]] of n"),
        (&["--scenario", "registry-mismatch"], "--on demo"),
    ] {
        let output = command(&path, &on, words).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        assert!(said(&output).contains(wanted), "{wanted}: {}", said(&output));
    }
    let after = namespace.get("rollouts", "m").unwrap();
    assert_eq!(after["metadata"]["generation"], before["metadata"]["generation"]);
}
