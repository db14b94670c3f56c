//! Weights of a real HAProxy of the test's own, and the shares of real requests that they lead to.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use wardroom::config;
use wardroom::control::{Ask, Controller, Seen, Sent, Settled, haproxy};
use wardroom::domain::act::{Operation, Plan};
use wardroom::domain::{ControllerKind, Fact, ModelId, Rollout, SourceId, Target, Time, Version};
use wardroom::sources::{poller, register};

use super::driver::plan_of;
use super::traffic::{self, fits};

/// HAProxy with `v1` (weight 75) and `v2` (25) in the backend `bc`.
struct Lab {
    process: Child,
    _folder: tempfile::TempDir,
    front: String,
    config: String,
    runtime: Runtime,
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program; without it the test is skipped, loudly, and never in CI or in the lab.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = folders.map(|folder| folder.join("haproxy")).find(|file| file.is_file());
    if found.is_none() {
        crate::cluster::skip("haproxy is not installed");
    }
    found
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Lab {
    fn new(tcp: bool, level: &str) -> Option<Self> {
        let program = program()?;
        let folder = tempfile::tempdir().unwrap();
        let (front, old, new) = (free_port(), traffic::backend(), traffic::backend());
        let socket = if tcp {
            format!("127.0.0.1:{}", free_port())
        } else {
            folder.path().join("admin").display().to_string()
        };
        let server = |url: &str| url.trim_start_matches("http://").to_owned();
        let text = format!(
            "global\n    stats socket {}{socket} level {level}\n\
             defaults\n    mode http\n    timeout connect 2s\n    timeout client 5s\n    timeout server 5s\n\
             frontend f\n    bind 127.0.0.1:{front}\n    default_backend bc\n\
             backend bc\n    balance roundrobin\n    server v1 {} weight 75\n    server v2 {} weight 25\n",
            if tcp { "ipv4@" } else { "" },
            server(&old),
            server(&new)
        );
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, text).unwrap();
        let process = Command::new(program)
            .args(["-db", "-f"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let config = format!(
            "environment = \"lab\"\ntimeout = \"5s\"\n[[haproxy]]\nname = \"edge\"\nsocket = {socket:?}\nbackend = \"bc\"\n\
             stable = \"v1\"\ncanary = \"v2\"\n[[model]]\nname = \"bc\"\nrollout = {{ system = \"edge\", kind = \"haproxy\" }}\n"
        );
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut lab =
            Self { process, _folder: folder, front: format!("http://127.0.0.1:{front}"), config, runtime };
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", front)).is_err() {
            if Instant::now() > end {
                let _ = lab.process.kill();
                let mut words = String::new();
                lab.process.stderr.take().unwrap().read_to_string(&mut words).unwrap();
                panic!("haproxy does not listen: {words}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(lab)
    }

    fn config(&self) -> config::Config {
        config::parse("live.toml", &self.config, &[]).unwrap().config
    }

    fn controller(&self) -> Box<dyn Controller> {
        haproxy::controllers(&self.config()).unwrap().remove(0)
    }

    fn plan(&self, operation: Operation) -> Plan {
        let target = Target {
            system: SourceId::new("edge"),
            kind: ControllerKind::Haproxy,
            context: "".into(),
            namespace: "".into(),
            name: "bc".into(),
        };
        assert!(self.controller().knows(&target));
        let ask = Ask {
            model: ModelId::new("lab", "bc"),
            target,
            operation,
            reason: "a live test".into(),
            seen: None,
            who: "kim@bastion".into(),
            now: chrono::Utc::now(),
        };
        plan_of(self.runtime.block_on(self.controller().plan(&ask)).unwrap(), &ask)
    }

    fn act(&self, operation: Operation) -> Plan {
        let plan = self.plan(operation);
        let controller = self.controller();
        for n in 0..plan.requests.len() {
            let sent = self.runtime.block_on(controller.send(&plan, n, "id"));
            assert!(matches!(sent, Sent::Accepted { .. }), "{sent:?}");
        }
        let findings = self.runtime.block_on(controller.observe(&plan)).unwrap();
        assert!(findings.iter().all(|finding| finding.seen == Seen::Yes), "{findings:?}");
        plan
    }
}

/// Two polls with `n` requests between them; the rollout of the second.
fn polled(lab: &Lab, n: u64) -> Rollout {
    let config = lab.config();
    let mut sources = register::build(&config).unwrap();
    let now: fn() -> Time = chrono::Utc::now;
    let mut last = None;
    for turn in 0..2 {
        if turn == 1 {
            (0..n).for_each(|_| drop(traffic::get(&lab.front, "/")));
        }
        for report in lab.runtime.block_on(poller::poll_round(&mut sources, 4, now)) {
            for fact in &report.outcome.as_ref().unwrap().facts {
                if let Fact::Rollout { rollout, .. } = fact {
                    last = Some(Rollout::clone(rollout));
                }
            }
        }
    }
    last.unwrap()
}

fn goes_round(tcp: bool) {
    let Some(lab) = Lab::new(tcp, "admin") else { return };
    let rollout = polled(&lab, 100);
    assert_eq!(rollout.set, Some(25.0));
    assert!(fits(rollout.measured.unwrap().round() as u64, 100, 25.0), "{:?}", rollout.measured);
    assert!(
        rollout.conditions.iter().any(|one| one.text.contains("of 100 answers")),
        "{:?}",
        rollout.conditions
    );

    let plan = lab.act(Operation::Promote);
    assert_eq!(plan.after, "v2 at 50 %, v1 at 50 %");
    let half = polled(&lab, 100);
    assert_eq!((half.set, half.measured), (Some(50.0), Some(50.0)), "round robin is exact");

    let abort = lab.act(Operation::Abort);
    assert_eq!(abort.requests[0].body, "set server bc/v1 weight 100", "stable first");
    assert_eq!(polled(&lab, 50).measured, Some(0.0));
    lab.act(Operation::PromoteFull);
    let full = polled(&lab, 50);
    assert_eq!((full.measured, full.stable.as_str()), (Some(100.0), "v2"));
    lab.act(Operation::RollBack { to: Version::new("v1") });
    assert_eq!(polled(&lab, 50).measured, Some(0.0));
}

#[test]
fn haproxy_over_a_path_is_read_and_moved() {
    goes_round(false);
}

#[test]
fn haproxy_over_a_port_is_read_and_moved() {
    goes_round(true);
}

#[test]
fn haproxys_weights_moved_by_another_hold_the_act_and_a_dead_socket_leaves_it_unsent() {
    let Some(mut lab) = Lab::new(false, "admin") else { return };
    let plan = lab.plan(Operation::SetWeight { percent: 10.0 });
    lab.act(Operation::SetWeight { percent: 30.0 });
    let sent = lab.runtime.block_on(lab.controller().send(&plan, 0, "id"));
    assert!(matches!(&sent, Sent::Moved(words) if words.contains("70 and 30")), "{sent:?}");
    let plan = lab.plan(Operation::Abort);
    let controller = lab.controller();
    assert!(matches!(lab.runtime.block_on(controller.send(&plan, 0, "id")), Sent::Accepted { .. }));
    // Between the two requests the process dies: the second is not sent, and what came of the first cannot be read.
    lab.process.kill().unwrap();
    lab.process.wait().unwrap();
    assert!(matches!(lab.runtime.block_on(controller.send(&plan, 1, "id")), Sent::Refused(_)));
    assert!(lab.runtime.block_on(controller.settled(&plan, 0)).is_err());
}

#[test]
fn haproxys_socket_without_admin_may_not() {
    let Some(lab) = Lab::new(false, "operator") else { return };
    let plan = lab.plan(Operation::Abort);
    assert!(
        plan.forbidden().is_some_and(|(_, why)| why.contains("level admin")),
        "{:?}",
        plan.requests[0].may
    );
    let sent = lab.runtime.block_on(lab.controller().send(&plan, 0, "id"));
    assert!(matches!(sent, Sent::Refused(_)), "{sent:?}");
    let settled = lab.runtime.block_on(lab.controller().settled(&plan, 0)).unwrap();
    assert!(matches!(settled, Settled::NotDone(_)), "{settled:?}");
}
