//! The watch against a real cluster: steps of a real Rollout, faults on the way, discovery, and that it only reads.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wardroom::config;
use wardroom::domain::{Fact, FaultKind, Situation};

use crate::cluster::{Cluster, Namespace, PATIENCE};
use crate::desk::{QUESTIONS, requests};
use crate::relay::Relay;
use crate::watching::{Watching, model};

fn config_of(cluster: &Cluster, interval: &str, namespace: &Namespace, models: &[(&str, &str)]) -> String {
    let mut text =
        format!("refresh = \"{interval}\"\ntimeout = \"3s\"\n{}", cluster.section(&[&namespace.name]));
    for (name, kind) in models {
        text.push_str(&model(name, kind, &namespace.name));
    }
    text
}

fn version(number: u32) -> Value {
    json!({"spec": {"template": {"metadata": {"labels": {"version": format!("v{number}")}}}}})
}

fn is_healthy(object: &Value) -> bool {
    object["status"]["phase"] == "Healthy"
}

fn is_observed(object: &Value) -> bool {
    let generation = object["metadata"]["generation"].as_i64().unwrap_or_default().to_string();
    object["status"]["observedGeneration"] == generation
}

#[test]
fn a_real_rollout_goes_through_its_steps_in_the_watch() {
    let Some(cluster) = Cluster::here() else { return };
    let namespace = cluster.namespace("kube-steps");
    namespace.create_from("rollout-istio.json", "sepsis", "http://127.0.0.1:9", |_| {});
    namespace.wait("rollouts", "sepsis", is_healthy);
    // So long an interval that only the watch can have told.
    let mut room = Watching::of(&config_of(&cluster, "1h", &namespace, &[("sepsis", "rollout")]));
    let (idle, _) = room.rollout(|rollout| rollout.situation == Situation::Idle);
    assert_eq!((idle.stable.as_str(), idle.canary), ("v1", None));
    namespace.patch("rollouts", "sepsis", &version(2));
    let (paused, _) = room.rollout(|rollout| rollout.situation == Situation::PausedByStep);
    assert_eq!((paused.asked, paused.set, paused.waits), (10.0, Some(10.0), true));
    assert_eq!(paused.canary.as_ref().unwrap().as_str(), "v2");
    let target = paused.target.as_ref().unwrap();
    assert_eq!((&*target.namespace, &*target.name), (namespace.name.as_str(), "sepsis"));

    namespace.patch("rollouts", "sepsis/status", &json!({"status": {"pauseConditions": null}}));
    namespace.wake("sepsis", |object| object["status"]["currentStepIndex"].as_i64() > Some(1));
    let (timed, _) =
        room.rollout(|rollout| rollout.situation == Situation::PausedByStep && rollout.asked > 10.0);
    assert_eq!((timed.asked, timed.waits), (25.0, false), "a pause of 3 s ends by itself");
    assert!(timed.until.unwrap() > timed.since.unwrap());
    room.rollout(|rollout| rollout.situation == Situation::PausedByStep && rollout.asked == 50.0);

    namespace.patch("rollouts", "sepsis", &json!({"spec": {"paused": true}}));
    namespace.wake("sepsis", is_observed);
    room.rollout(|rollout| rollout.situation == Situation::PausedByHand);
    namespace.patch("rollouts", "sepsis/status", &json!({"status": {"abort": true}}));
    namespace.wake("sepsis", |object| !object["status"]["abortedAt"].is_null());
    let (aborting, _) = room.rollout(|rollout| rollout.situation == Situation::Aborting);
    assert!(aborting.message.contains("held by hand"), "{}", aborting.message);
    namespace.patch("rollouts", "sepsis", &json!({"spec": {"paused": false}}));
    let (aborted, _) = room.rollout(|rollout| rollout.situation == Situation::Aborted);
    assert_eq!((aborted.asked, aborted.set, aborted.stable.as_str()), (0.0, Some(0.0), "v1"));
    assert!(aborted.revisions.iter().any(|revision| !revision.known_bad.is_empty()));

    namespace.delete("rollouts", "sepsis");
    let end = Instant::now() + PATIENCE;
    loop {
        let report = room.next(Duration::from_secs(1));
        let facts = report.and_then(|report| report.outcome.ok()).map(|harvest| harvest.facts.clone());
        if facts.iter().flatten().any(|fact| matches!(fact, Fact::RolloutGone { .. })) {
            break;
        }
        assert!(Instant::now() < end, "its end was not told");
    }
}

#[test]
fn a_change_is_told_within_half_a_second() {
    let Some(cluster) = Cluster::here() else { return };
    let namespace = cluster.namespace("kube-speed");
    namespace.create_from("deployment.json", "als", "http://127.0.0.1:9", |_| {});
    namespace.wait("deployments", "als", |object| object["status"]["availableReplicas"] == 2);
    let mut room = Watching::of(&config_of(&cluster, "1h", &namespace, &[("als", "deployment")]));
    room.rollout(|rollout| rollout.situation == Situation::Idle);
    let mut worst = Duration::ZERO;
    for turn in 0..10 {
        let held = turn % 2 == 0;
        namespace.patch("deployments", "als", &json!({"spec": {"paused": held}}));
        // The API server has answered: the event is on its way now.
        let changed = Instant::now();
        let (_, told) = room.rollout(|rollout| (rollout.situation == Situation::PausedByHand) == held);
        worst = worst.max(told.saturating_duration_since(changed));
    }
    println!("a change is told within {} ms of the API server's answer, the worst of ten", worst.as_millis());
    assert!(worst <= Duration::from_millis(500), "{worst:?}");
}

/// A kubeconfig that goes through a relay.
fn through(cluster: &Cluster, server: &str) -> (tempfile::TempDir, String) {
    let text = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, text.replace(&cluster.server(), server)).unwrap();
    let section = format!("[[cluster]]\nname = \"lab\"\nkubeconfig = {:?}\n", path.display().to_string());
    (folder, section)
}

#[test]
fn a_half_open_connection_is_noticed_and_a_cut_one_recovers() {
    let Some(cluster) = Cluster::here() else { return };
    let namespace = cluster.namespace("kube-halfopen");
    namespace.create_from("deployment.json", "als", "http://127.0.0.1:9", |_| {});
    namespace.wait("deployments", "als", |object| object["status"]["availableReplicas"] == 2);
    let relay = Relay::to(&cluster.server());
    let (_folder, section) = through(&cluster, &format!("https://127.0.0.1:{}", relay.port));
    let text = format!(
        "refresh = \"1s\"\ntimeout = \"1s\"\n{section}{}",
        model("als", "deployment", &namespace.name)
    );
    let mut room = Watching::of(&text);
    room.rollout(|rollout| rollout.situation == Situation::Idle);

    relay.dumb.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    let (fault, told) = room.fault();
    assert_eq!(fault.kind, FaultKind::Hung, "{fault}");
    assert!(told - begun < Duration::from_secs(6), "{:?}", told - begun);
    namespace.patch("deployments", "als", &json!({"spec": {"paused": true}}));
    relay.dumb.store(false, Ordering::SeqCst);
    room.rollout(|rollout| rollout.situation == Situation::PausedByHand);

    relay.cut();
    namespace.patch("deployments", "als", &json!({"spec": {"paused": false}}));
    let (back, _) = room.rollout(|rollout| rollout.situation == Situation::Idle);
    assert_eq!(back.stable.as_str(), "v1");
}

#[test]
fn an_expired_token_and_a_missing_right_are_said() {
    let Some(cluster) = Cluster::here() else { return };
    let namespace = cluster.namespace("kube-denied");
    let text = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    let mut kubeconfig: Value = serde_json::from_str(&text).unwrap();
    kubeconfig["users"][0]["user"] = json!({"token": "hunter2"});
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, kubeconfig.to_string()).unwrap();
    let section = format!("[[cluster]]\nname = \"lab\"\nkubeconfig = {:?}\n", path.display().to_string());
    let rest = model("als", "rollout", &namespace.name);
    let mut room = Watching::of(&format!("refresh = \"1s\"\ntimeout = \"3s\"\n{section}{rest}"));
    let (fault, _) = room.fault();
    assert_eq!(fault.kind, FaultKind::Denied, "{fault}");
    assert!(fault.detail.contains("401") && !fault.to_string().contains("hunter2"), "{fault}");
    // Logging in again is enough.
    namespace.create_from("rollout-basic.json", "als", "http://127.0.0.1:9", |_| {});
    std::fs::write(&path, text).unwrap();
    room.rollout(|rollout| rollout.controller == "argo-rollouts");

    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "blind"}});
    namespace.create(&account);
    let asked = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let token = format!("{}/blind/token", namespace.path("serviceaccounts"));
    let token = cluster.call("POST", &token, Some(&asked)).unwrap()["status"]["token"].clone();
    kubeconfig["users"][0]["user"] = json!({"token": token});
    std::fs::write(&path, kubeconfig.to_string()).unwrap();
    let mut room = Watching::of(&format!("refresh = \"1s\"\ntimeout = \"3s\"\n{section}{rest}"));
    let (fault, _) = room.fault();
    assert_eq!(fault.kind, FaultKind::Denied, "{fault}");
    assert!(fault.detail.contains("rollouts") && fault.detail.contains("403"), "{fault}");
}

#[test]
fn the_watch_only_reads() {
    let Some(cluster) = Cluster::here() else { return };
    let (Some(viewer), Some(log)) = (cluster.identity("viewer"), cluster.key("kube_audit_log")) else {
        eprintln!("this cluster has no audit log to look at");
        return;
    };
    let namespace = cluster.namespace("kube-reads");
    namespace.create_from("rollout-istio.json", "als", "http://127.0.0.1:9", |_| {});
    namespace.wait("rollouts", "als", is_healthy);
    let before = std::fs::metadata(&log).unwrap().len();
    let mut room = Watching::of(&config_of(&viewer, "1s", &namespace, &[("als", "rollout")]));
    room.rollout(|rollout| rollout.situation == Situation::Idle);
    namespace.patch("rollouts", "als", &version(2));
    room.rollout(|rollout| rollout.situation == Situation::PausedByStep);
    drop(room);
    let text = std::fs::read(&log).unwrap();
    let text = String::from_utf8_lossy(&text[usize::try_from(before).unwrap()..]).into_owned();
    let mut ours = requests(&text, "viewer", "");
    ours.retain(|request| {
        request["objectRef"]["namespace"] == namespace.name.as_str() || request["objectRef"].is_null()
    });
    let verbs: std::collections::BTreeSet<&str> =
        ours.iter().filter_map(|request| request["verb"].as_str()).collect();
    assert!(verbs.contains("list") && verbs.contains("watch"), "the log shows nothing of it: {verbs:?}");
    assert!(verbs.iter().all(|verb| QUESTIONS.contains(verb)), "{verbs:?}");
}

#[test]
fn discover_prints_a_config_that_watches_the_cluster() {
    let Some(cluster) = Cluster::here() else { return };
    let (one, two) = (cluster.namespace("kube-found"), cluster.namespace("kube-found"));
    one.create_from("rollout-basic.json", "als", "http://127.0.0.1:9", |_| {});
    two.create_from("rollout-basic.json", "als", "http://127.0.0.1:9", |_| {});
    // A namespace of an earlier run may still be going: a name of this run's own.
    let once = format!("once-{}", std::process::id());
    one.create_from("deployment.json", &once, "http://127.0.0.1:9", |_| {});
    let printed = |kubeconfig: &std::path::Path| {
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_wardroom"))
            .args(["discover", "--kubeconfig"])
            .arg(kubeconfig)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.success(), "{said}");
        String::from_utf8(run.stdout).unwrap()
    };
    let text = printed(cluster.kubeconfig());
    let found = config::parse("discovered", &text, &[]).unwrap().config;
    let of = |name: &str| {
        found.model.iter().find(|model| model.name == name).unwrap_or_else(|| panic!("{name}: {text}"))
    };
    let als = of(&format!("{}/als", one.name)).rollout.clone().unwrap();
    assert_eq!((als.kind.as_str(), als.name.as_deref()), ("rollout", Some("als")));
    assert_eq!(of(&once).rollout.as_ref().unwrap().kind, "deployment");
    let mut room =
        Watching::of(&text.replace("environment", "refresh = \"1s\"\ntimeout = \"5s\"\nenvironment"));
    room.rollout(|rollout| {
        rollout.target.as_ref().is_some_and(|target| *target.namespace == *one.name && *target.name == *"als")
    });
}

#[test]
fn a_410_in_the_stream_relists_without_a_blink() {
    let Some(cluster) = Cluster::here() else { return };
    let namespace = cluster.namespace("kube-expired");
    namespace.create_from("deployment.json", "als", "http://127.0.0.1:9", |_| {});
    namespace.wait("deployments", "als", |object| object["status"]["availableReplicas"] == 2);
    let proxy = crate::expired::Proxy::to(&cluster);
    let section =
        format!("[[cluster]]\nname = \"lab\"\nkubeconfig = {:?}\n", proxy.kubeconfig.display().to_string());
    let text = format!(
        "refresh = \"1s\"\ntimeout = \"3s\"\n{section}{}",
        model("als", "deployment", &namespace.name)
    );
    let mut room = Watching::of(&text);
    room.rollout(|rollout| rollout.situation == Situation::Idle);
    let (lists, errors) = proxy.counts();
    proxy.expire();
    namespace.patch("deployments", "als", &json!({"spec": {"paused": true}}));
    let end = Instant::now() + PATIENCE;
    let mut seen = false;
    while Instant::now() < end && !(seen && proxy.counts().0 > lists) {
        let Some(report) = room.next(Duration::from_secs(1)) else { continue };
        let harvest = report.outcome.unwrap_or_else(|fault| panic!("{fault}"));
        for fact in &harvest.facts {
            assert!(!matches!(fact, Fact::RolloutGone { .. }), "it blinked");
            seen |=
                matches!(fact, Fact::Rollout { rollout, .. } if rollout.situation == Situation::PausedByHand);
        }
    }
    let (after, expired) = proxy.counts();
    assert!(expired > errors, "no 410 was sent");
    assert!(after > lists, "it did not list again");
    assert!(seen, "the change behind the 410 was not seen");
}
