//! The operator's keys on a real Rollout: the program in a pseudo-terminal, the real controller behind it.

use serde_json::{Value, json};

use crate::cluster::{Cluster, Namespace};
use crate::desk::{QUESTIONS, config, press_all, requests};
use crate::hands::{ENTER, ESC, TAB, act};
use crate::pty::Session;

/// A room on the Rollout `m` of a namespace, as one identity of the cluster. Journal and config go with the folder.
fn room(cluster: &Cluster, namespace: &Namespace, control: &str) -> (Session, tempfile::TempDir) {
    let (folder, path) = config(cluster, namespace, control);
    let session = Session::start(&["--config", path.to_str().unwrap()], (160, 50), &[]);
    (session, folder)
}

/// The Rollout `m`, all on v1, its v2 held at the first step.
fn paused(namespace: &Namespace) {
    // A hold stops a timer; a pause without one is released by P alone.
    let timed = json!({"pause": {"duration": "10m"}});
    namespace.create_from("rollout-basic.json", "m", "http://127.0.0.1:9", |object| {
        if let Some(step) = object.pointer_mut("/spec/strategy/canary/steps/1") {
            *step = timed.clone();
        }
    });
    namespace.wait("rollouts", "m", |object| object["status"]["phase"] == "Healthy");
    release(namespace, "v2");
}

/// Begins a canary of a version, and waits for its first pause.
fn release(namespace: &Namespace, version: &str) {
    let template = json!({"spec": {"template": {"metadata": {"labels": {"version": version}}}}});
    namespace.patch("rollouts", "m", &template);
    namespace.wait("rollouts", "m", |object| {
        let status = &object["status"];
        let generation = object["metadata"]["generation"].as_i64().unwrap().to_string();
        status["observedGeneration"] == generation
            && status["phase"] == "Paused"
            && status["pauseConditions"].as_array().is_some_and(|all| !all.is_empty())
    });
}

fn press(session: &mut Session, key: &str, button: &str) {
    act(session, |session| session.keys(key), button);
}

fn status(namespace: &Namespace) -> Value {
    namespace.get("rollouts", "m").unwrap()
}

#[test]
fn every_act_from_its_key_to_effective_on_a_real_rollout() {
    let Some(cluster) = Cluster::here() else { return };
    let operator = cluster.identity("operator").unwrap_or_else(|| cluster.clone());
    let namespace = cluster.namespace("operator");
    paused(&namespace);
    let (mut session, folder) = room(&operator, &namespace, "");
    session.wait_text("paused by its step");
    press(&mut session, "H", "Hold");
    assert_eq!(status(&namespace)["spec"]["paused"], true);
    session.wait_text("held by hand");
    press(&mut session, "H", "Release");
    assert_eq!(status(&namespace)["spec"]["paused"], false);
    session.wait_text("paused by its step");
    press(&mut session, "P", "Promote");
    session.wait_text("75 %");
    press(&mut session, "A", "Abort");
    assert_eq!(status(&namespace)["status"]["abort"], true);
    session.wait_text("aborted");
    press(&mut session, "Y", "Retry");
    session.wait_text("paused by its step");
    press(&mut session, "F", "Promote to all traffic");
    let now = status(&namespace);
    assert_eq!(now["status"]["stableRS"], now["status"]["currentPodHash"]);
    let open = |session: &mut Session| {
        session.keys("R");
        session.wait_text("v1");
        session.keys(ENTER);
    };
    act(&mut session, open, "Roll back to v1");
    let now = status(&namespace);
    assert_eq!(now["spec"]["template"]["metadata"]["labels"]["version"], "v1");
    assert_eq!(now["status"]["stableRS"], now["status"]["currentPodHash"]);
    session.keys("q");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
    // Who, what and the server's own Audit-ID stand in a trail that is whole.
    let audit = |words: &[&str]| {
        let config = folder.path().join("wardroom.toml");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wardroom"));
        let output = command.args(words).arg("--config").arg(config).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(audit(&["audit", "verify"]).contains("intact"));
    let trail = audit(&["audit", "export", "--format", "jsonl"]);
    for verb in ["promote", "pause", "resume", "abort", "retry", "promote-full", "rollback"] {
        assert!(trail.contains(verb), "{verb} is not in the trail");
    }
    let Some(log) = cluster.key("kube_audit_log") else { return };
    let log = std::fs::read_to_string(log).unwrap();
    let mine = requests(&log, "operator", &namespace.name);
    let patches = mine.iter().filter(|request| request["verb"] == "patch");
    let ids: Vec<&str> = patches.map(|request| request["auditID"].as_str().unwrap()).collect();
    assert!(ids.len() >= 9, "{ids:?}");
    let known = ids.iter().filter(|id| trail.contains(**id)).count();
    // Dry runs are in the server's log and not in the trail: they change nothing.
    assert!(known >= 9, "{known} of {} requests of the server's log are in the trail", ids.len());
}

#[test]
fn who_may_pause_and_not_promote_sees_that_in_the_plan() {
    let Some(cluster) = Cluster::here() else { return };
    let Some(pauser) = cluster.identity("pauser") else {
        return crate::cluster::skip("this cluster has no identity `pauser`");
    };
    let namespace = cluster.namespace("operator");
    paused(&namespace);
    let (mut session, _folder) = room(&pauser, &namespace, "");
    session.wait_text("paused by its step");
    session.keys("P");
    session.wait_text("may: no");
    session.keys(&format!("{TAB}{TAB}{ENTER}{ESC}"));
    session.wait_for("the room", |screen| !screen.contains("will do"));
    assert_eq!(status(&namespace)["status"]["phase"], "Paused");
    session.keys("q");
    assert_eq!(session.end().0, 0);
}

#[test]
fn a_read_only_room_changes_nothing_in_a_cluster_whatever_is_pressed() {
    let Some(cluster) = Cluster::here() else { return };
    let Some(log) = cluster.key("kube_audit_log") else {
        return crate::cluster::skip("this cluster has no audit log to count in");
    };
    let operator = cluster.identity("operator").unwrap_or_else(|| cluster.clone());
    let namespace = cluster.namespace("untouched");
    paused(&namespace);
    let (mut session, _folder) = room(&operator, &namespace, "read_only = true");
    session.wait_text("read-only");
    session.wait_text("paused by its step");
    press_all(&mut session);
    session.keys("q");
    assert_eq!(session.end().0, 0);
    let log = std::fs::read_to_string(log).unwrap();
    let here = requests(&log, "operator", &namespace.name);
    let verbs: Vec<&str> = here.iter().map(|request| request["verb"].as_str().unwrap()).collect();
    assert!(verbs.contains(&"watch"), "it did look: {verbs:?}");
    let changes: Vec<&&str> = verbs.iter().filter(|verb| !QUESTIONS.contains(verb)).collect();
    assert!(changes.is_empty(), "not even a dry run: {changes:?}");
}
