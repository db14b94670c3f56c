//! What watching many rollouts costs.

use std::time::{Duration, Instant};

use serde_json::json;
use wardroom::config;
use wardroom::sources::register;

use crate::cluster::{Cluster, Namespace};
use crate::watching::{Watching, model};

/// CPU seconds of this process so far.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

/// Run by hand: `WARDROOM_LONG=1 … cargo test --test live -- --ignored five_hundred`.
#[test]
#[ignore = "makes 500 objects and takes three minutes"]
fn five_hundred_rollouts_over_twenty_namespaces_cost_little_when_quiet() {
    let Some(cluster) = Cluster::here() else { return };
    assert!(std::env::var_os("WARDROOM_LONG").is_some(), "set WARDROOM_LONG=1");
    let namespaces: Vec<Namespace> = (0..20).map(|_| cluster.namespace("kube-many")).collect();
    let mut text = format!("refresh = \"15s\"\ntimeout = \"10s\"\n{}", cluster.section(&[]));
    for (place, namespace) in namespaces.iter().enumerate() {
        for number in 0..25 {
            let name = format!("m{place}-{number}");
            let rollout = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
                "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}},
                    "template": {"metadata": {"labels": {"app": name, "version": "v1"}},
                        "spec": {"containers": [{"name": "model", "image": "registry.test/model:v1"}]}},
                    "strategy": {"canary": {"steps": [{"setWeight": 10}, {"pause": {}}]}}}});
            namespace.create(&rollout);
            text.push_str(&model(&name, "rollout", &namespace.name));
        }
    }
    let loaded = config::parse("live.toml", &text, &[]).unwrap();
    let mut store = wardroom::store::Store::new("lab", config::fleet::specs(&loaded.config));
    let mut room = Watching::of(&text);
    let info = register::build(&loaded.config).unwrap().iter().map(|source| source.info().clone()).collect();
    store.expect(info);
    let end = Instant::now() + Duration::from_secs(240);
    let all_there = |store: &wardroom::store::Store| {
        store
            .models
            .iter()
            .all(|model| model.rollout.as_ref().is_some_and(|rollout| !rollout.revisions.is_empty()))
    };
    while !all_there(&store) {
        assert!(Instant::now() < end, "not all 500 are there");
        if let Some(report) = room.next(Duration::from_secs(1)) {
            store.apply(&report);
        }
    }
    let settle = Instant::now() + Duration::from_secs(30);
    while Instant::now() < settle {
        if let Some(report) = room.next(Duration::from_secs(1)) {
            store.apply(&report);
        }
    }
    let (begun, before, mut reports) = (Instant::now(), cpu_s(), 0);
    while begun.elapsed() < Duration::from_secs(60) {
        if let Some(report) = room.next(Duration::from_secs(1)) {
            store.apply(&report);
            reports += 1;
        }
        store.tick(chrono::Utc::now());
    }
    let share = 100.0 * (cpu_s() - before) / begun.elapsed().as_secs_f64();
    println!(
        "500 rollouts over 20 namespaces: {share:.2} % of one core when quiet, {reports} reports a minute"
    );
    assert!(share <= 3.0, "{share} %");
}
