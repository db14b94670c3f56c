use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::domain::act::{ActId, Confirm, Who};
use crate::domain::{ModelId, Time, Version};

#[test]
fn the_one_that_gains_is_set_first() {
    assert_eq!(in_order((75, 25), (100, 0)), [Step::Stable((75, 25)), Step::Canary((100, 25))], "abort");
    assert_eq!(in_order((75, 25), (0, 100)), [Step::Canary((75, 25)), Step::Stable((75, 100))], "promote");
    assert_eq!(in_order((100, 0), (95, 5)), [Step::Canary((100, 0)), Step::Stable((100, 5))]);
    assert_eq!(in_order((100, 5), (100, 0)), [Step::Canary((100, 5))], "what is so is not sent");
    assert_eq!(in_order((0, 0), (100, 0)), [Step::Stable((0, 0))]);
    for seen in [(75, 25), (0, 1), (1, 0), (100, 0), (0, 100)] {
        for to in [(100, 0), (0, 100), (50, 50)] {
            let mut now = seen;
            for step in in_order(seen, to) {
                match step {
                    Step::Stable(at) => {
                        assert_eq!(at, now);
                        now.0 = to.0;
                    }
                    Step::Canary(at) => {
                        assert_eq!(at, now);
                        now.1 = to.1;
                    }
                }
                assert_ne!(now, (0, 0), "{seen:?} → {to:?}");
            }
            assert_eq!(now, to);
        }
    }
}

#[test]
fn shares_become_absolute_weights() {
    assert_eq!(weights_of(25.0).unwrap(), (75, 25));
    assert_eq!(weights_of(0.5).unwrap(), (199, 1));
    assert!(weights_of(0.3).unwrap_err().instead.contains("half percents"));
    assert!(weights_of(f64::NAN).is_err() && weights_of(101.0).is_err());
}

/// An admin socket with two servers; `mood` says how it takes a write.
async fn lab(mood: &'static str) -> (Haproxy, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    tokio::spawn(async move {
        let mut weights = [75, 25];
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut line = String::new();
            BufReader::new(&mut stream).read_line(&mut line).await.unwrap();
            let line = line.trim();
            let answer = if line == "show stat" {
                let row = |n: usize| format!("bc,v{},UP,{},10\n", n + 1, weights[n]);
                format!("# pxname,svname,status,uweight,stot\n{}{}\n", row(0), row(1))
            } else if line == "show cli level" {
                "admin\n\n".into()
            } else {
                log.lock().unwrap().push(line.to_owned());
                let (_, to) = line.rsplit_once(' ').unwrap();
                if mood == "refuses" {
                    "Permission denied.\n\n".into()
                } else {
                    weights[usize::from(line.contains("/v2"))] = to.parse().unwrap();
                    if mood == "dies" { String::new() } else { "\n".into() }
                }
            };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let config = HaproxyConfig {
        name: "edge".into(),
        socket: place.clone(),
        backend: "bc".into(),
        stable: "v1".into(),
        canary: "v2".into(),
        ladder: vec![5.0, 25.0, 50.0, 100.0],
        interval: None,
        timeout: None,
    };
    (Haproxy { config, socket: Socket::new(&place, Duration::from_secs(5), 1 << 20) }, asked)
}

async fn planned(haproxy: &Haproxy, operation: Operation) -> Plan {
    let now = Time::from_timestamp(1_795_000_000, 0).unwrap();
    let target = reading::target(&haproxy.config);
    assert!(haproxy.knows(&target));
    let ask = Ask {
        model: ModelId::new("test", "als"),
        target: target.clone(),
        operation: operation.clone(),
        reason: String::new(),
        seen: None,
        who: "kim@bastion".into(),
        now,
    };
    let draft = haproxy.plan(&ask).await.unwrap();
    draft.plan(ActId("a-1".into()), &ask, Who::default(), String::new(), Confirm::Enter)
}

#[tokio::test]
async fn an_abort_gives_stable_its_traffic_back_first() {
    let (haproxy, asked) = lab("well").await;
    let plan = planned(&haproxy, Operation::Abort).await;
    assert_eq!(plan.version.as_ref().unwrap().name, "v1");
    assert_eq!(plan.requests[0].may, May::Yes);
    for n in 0..2 {
        assert!(matches!(haproxy.send(&plan, n, "id").await, Sent::Accepted { .. }));
    }
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked, ["set server bc/v1 weight 100", "set server bc/v2 weight 0"]);
    let findings = haproxy.observe(&plan).await.unwrap();
    assert!(findings.iter().all(|finding| finding.seen == Seen::Yes), "{findings:?}");
    assert!(matches!(haproxy.send(&plan, 0, "id").await, Sent::Moved(_)), "the weights are others now");
}

#[tokio::test]
async fn a_socket_that_dies_after_the_command_leaves_it_unknown_and_it_is_read_again() {
    let (haproxy, _) = lab("dies").await;
    let plan = planned(&haproxy, Operation::Promote).await;
    assert_eq!(plan.after, "v2 at 50 %, v1 at 50 %");
    assert!(matches!(haproxy.send(&plan, 0, "id").await, Sent::Unknown(_)));
    assert_eq!(haproxy.settled(&plan, 0).await.unwrap(), Settled::Done("v2 has weight 50".into()));
    assert_eq!(haproxy.settled(&plan, 1).await.unwrap(), Settled::NotDone("v1 has weight 75".into()));
}

#[tokio::test]
async fn a_refusal_is_told_in_haproxys_words() {
    let (haproxy, _) = lab("refuses").await;
    let plan = planned(&haproxy, Operation::SetWeight { percent: 10.0 }).await;
    assert_eq!(haproxy.send(&plan, 0, "id").await, Sent::Refused("Permission denied.".into()));
    assert!(
        planned(&haproxy, Operation::SetWeight { percent: 25.0 }).await.requests.is_empty(),
        "it is so already"
    );
}

#[tokio::test]
async fn a_rollback_names_a_server() {
    let (haproxy, _) = lab("well").await;
    let plan = planned(&haproxy, Operation::RollBack { to: Version::new("v1") }).await;
    assert_eq!(plan.after, "v2 at 0 %, v1 at 100 %");
    let mut ask = Operation::RollBack { to: Version::new("v9") };
    let refused = haproxy.wanted(&ask, &Rollout::of("HAProxy", Version::new("v1")));
    assert!(refused.unwrap_err().instead.contains("v1 and v2"));
    ask = Operation::Retry;
    assert!(haproxy.wanted(&ask, &Rollout::of("HAProxy", Version::new("v1"))).is_err());
}
