//! What outlives a GitOps controller (lab line 9). A small stand-in does the part of Argo CD's self-heal that is
//! documented: a spec field that Git sets is put back, the status is not looked at. The Rollout and its controller are real.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wardroom::control::Seen;
use wardroom::domain::act::Operation;
use wardroom::domain::{ControllerKind, Version};

use super::cluster::{Cluster, MERGE, client};
use super::driver::{Driver, warns};

const API: &str = "argoproj.io/v1alpha1";

/// Puts the template of Git back within a second, as `argocd-controller`, until it is dropped.
struct Healer {
    ends: Arc<AtomicBool>,
    healed: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
}

impl Healer {
    fn new(cluster: &Cluster, path: &str, version: &'static str) -> Self {
        let (ends, healed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (stop, count) = (ends.clone(), healed.clone());
        let (kubeconfig, path) = (cluster.kubeconfig.clone(), path.to_owned());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let admin = client(&kubeconfig).await;
                while !stop.load(Ordering::SeqCst) {
                    let asked = http::Request::get(&path).body(Vec::new()).unwrap();
                    let live: Value = admin.request(asked).await.unwrap();
                    if live["spec"]["template"]["metadata"]["labels"]["version"] != version {
                        let git =
                            json!({"spec": {"template": {"metadata": {"labels": {"version": version}}}}});
                        let put = http::Request::patch(format!("{path}?fieldManager=argocd-controller"))
                            .header("content-type", MERGE)
                            .body(git.to_string().into_bytes())
                            .unwrap();
                        if admin.request::<Value>(put).await.is_ok() {
                            count.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            });
        });
        Self { ends, healed, thread: Some(thread) }
    }

    fn healed(&self) -> u32 {
        self.healed.load(Ordering::SeqCst)
    }
}

impl Drop for Healer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[test]
fn standin_an_aborted_rollout_outlives_self_heal_and_a_rolled_back_template_does_not() {
    let Some(cluster) = Cluster::here("heal") else { return };
    cluster.create("rollout-basic.json", "m", |item| {
        item["metadata"]["annotations"] =
            json!({"argocd.argoproj.io/tracking-id": "ward:argoproj.io/Rollout:ml/m"});
    });
    let path = cluster.path(API, "rollouts/m");
    cluster.until("healthy", &path, |object| object["status"]["phase"] == "Healthy");
    cluster.merge(&path, &json!({"spec": {"template": {"metadata": {"labels": {"version": "v2"}}}}}));
    cluster.until("paused", &path, |object| object["status"]["phase"] == "Paused");
    let healer = Healer::new(&cluster, &path, "v2");
    let driver = Driver::new(&cluster, ControllerKind::Argo);
    driver.act(Operation::Abort);
    // The condition is the clock itself: 30 s of self-heal.
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end {
        assert_eq!(cluster.get(&path)["status"]["abort"], true, "the status is not of Git");
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(healer.healed(), 0, "an abort changes nothing that Git sets");

    let plan = driver.planned(Operation::RollBack { to: Version::new("v1") });
    assert!(warns(&plan, "Argo CD"), "{:?}", plan.beware);
    driver.execute(&plan);
    cluster.until("put back", &path, |object| {
        healer.healed() > 0 && object["spec"]["template"]["metadata"]["labels"]["version"] == "v2"
    });
    let findings = driver.observe(&plan);
    let needed = plan.checks.iter().filter(|check| check.needed);
    let missed: Vec<_> = needed
        .filter(|check| !findings.iter().any(|one| one.id == check.id && one.seen == Seen::Yes))
        .map(|check| check.id.as_str())
        .collect();
    assert!(!missed.is_empty(), "a template that was put back is not effective: {findings:?}");
}
