use super::*;
use crate::domain::act::Operation;

fn config() -> HaproxyConfig {
    HaproxyConfig {
        name: "edge".into(),
        socket: "/run/haproxy.sock".into(),
        backend: "bc".into(),
        stable: "v1".into(),
        canary: "v2".into(),
        ladder: vec![5.0, 10.0, 25.0, 50.0, 100.0],
        interval: None,
        timeout: None,
    }
}

fn servers(weights: &[(&str, u32)]) -> Vec<Server> {
    let server = |&(name, weight): &(&str, u32)| Server {
        name: name.into(),
        weight,
        is_up: true,
        status: "UP".into(),
        requests: 0,
    };
    weights.iter().map(server).collect()
}

#[test]
fn weights_are_proportions() {
    let rollout = read(&config(), &servers(&[("v1", 192), ("v2", 64)])).unwrap();
    assert_eq!((rollout.set, rollout.step, rollout.waits), (Some(25.0), 2, true));
    let done = read(&config(), &servers(&[("v1", 0), ("v2", 1)])).unwrap();
    assert_eq!((done.situation, done.stable.as_str(), done.canary), (Situation::Complete, "v2", None));
    let dead = read(&config(), &servers(&[("v1", 0), ("v2", 0)])).unwrap();
    assert_eq!(dead.situation, Situation::Degraded);
    let mut idle = read(&config(), &servers(&[("v1", 100), ("v2", 0)])).unwrap();
    idle.target = Some(target(&config()));
    assert_eq!((idle.situation, idle.refuses(&Operation::Promote)), (Situation::Idle, None));
    assert!(idle.refuses(&Operation::Pause).is_some());
}

#[test]
fn a_third_server_and_a_missing_one() {
    let three = read(&config(), &servers(&[("v1", 1), ("v2", 1), ("v3", 1)])).unwrap();
    assert!(three.cannot.iter().all(|(_, why)| why.contains("v3")));
    let dark = read(&config(), &servers(&[("v1", 1), ("v2", 1), ("v3", 0)])).unwrap();
    assert_eq!(dark.cannot.len(), 2, "a server without weight is no hindrance");
    let fault = read(&config(), &servers(&[("v1", 1)])).unwrap_err();
    assert!(fault.detail.contains("no server v2"), "{fault}");
}

#[test]
fn a_server_that_is_down_is_said() {
    let mut two = servers(&[("v1", 75), ("v2", 25)]);
    two[1].is_up = false;
    two[1].status = "DOWN".into();
    assert_eq!(read(&config(), &two).unwrap().conditions[0].level, Level::Critical);
}

#[test]
fn the_measured_share_comes_with_its_count_and_survives_a_restart() {
    let toml = r#"
environment = "test"
[[haproxy]]
name = "edge"
socket = "/run/haproxy.sock"
backend = "bc"
stable = "v1"
canary = "v2"
[[model]]
name = "als"
rollout = { system = "edge", kind = "haproxy" }
"#;
    let loaded = crate::config::parse("t.toml", toml, &[]).unwrap();
    let mut source = Haproxy::new(&loaded.config, &loaded.config.haproxy[0]);
    assert_eq!(source.models.len(), 1);
    let at = |s: i64| Time::from_timestamp(1_795_000_000 + s, 0).unwrap();
    let mut measure = |s: i64, old: u64, new: u64| {
        let mut two = servers(&[("v1", 75), ("v2", 25)]);
        (two[0].requests, two[1].requests) = (old, new);
        let mut rollout = read(&config(), &two).unwrap();
        source.measure(&mut rollout, &two, at(s));
        (rollout.measured, rollout.conditions.first().map(|c| c.text.clone()))
    };
    assert_eq!(measure(0, 1_000, 1_000), (None, None));
    let (share, words) = measure(10, 1_070, 1_030);
    assert_eq!(share, Some(30.0));
    assert_eq!(words.as_deref(), Some("30 of 100 answers in 10 s came from v2"));
    assert_eq!(measure(20, 4, 1).0, None, "a restart begins anew");
    assert_eq!(measure(30, 14, 11).0, Some(50.0));
    assert_eq!(measure(100, 24, 11).0, Some(0.0), "the window has moved on");
}
