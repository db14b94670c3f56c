//! The registry's step against a real MLflow: a model of its own, made here and removed again.

use std::future::Future;
use std::process::Command;

use serde_json::{Value, json};
use wardroom::config::{self, Config};
use wardroom::control::{Ask, Draft, Registry, RegistryDraft, Seen, Sent, Settled, registry::registry};
use wardroom::domain::act::{ActId, Confirm, Operation, Plan, Who};
use wardroom::domain::{ControllerKind, ModelId, Rollout, SourceId, Target, Time, Version};

use crate::lab::Lab;

const MODEL: &str = "wardroom-registry-test";

/// Asks with curl; the body as JSON.
fn call(base: &str, method: &str, path: &str, body: &Value) -> Value {
    let url = format!("{base}/api/2.0/mlflow/{path}");
    let body = body.to_string();
    let words = ["-sS", "-X", method, "-H", "Content-Type: application/json", "-d", &body, &url];
    let output = Command::new("curl").args(words).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn config(text: &str) -> Config {
    config::parse("live", text, &[]).unwrap().config
}

fn made(config: &Config) -> Box<dyn Registry> {
    registry(config).unwrap().expect("a registry")
}

fn ask(model: &str, to: &str) -> Ask {
    Ask {
        model: ModelId::new("local", model),
        target: Target {
            system: SourceId::new("canary"),
            kind: ControllerKind::Http,
            context: "".into(),
            namespace: "".into(),
            name: model.into(),
        },
        operation: Operation::RollBack { to: Version::new(to) },
        reason: "p95 doubled".into(),
        seen: Some(Rollout::of("demo", Version::new("1.1.0"))),
        who: "kim@bastion".into(),
        now: Time::from_timestamp(1_795_183_200, 0).unwrap(),
    }
}

fn planned(registry: &dyn Registry, ask: &Ask, to: &str) -> Plan {
    let draft = run(registry.plan(&ask.model, &Version::new(to), ask)).unwrap();
    let RegistryDraft { facts, requests, beware, checks, .. } = draft;
    let draft = Draft { facts, requests, beware, checks, ..Draft::default() };
    let who = Who { user: "kim".into(), ..Who::default() };
    draft.plan(ActId("a-3f9c21d4".into()), ask, who, String::new(), Confirm::Choose)
}

#[test]
fn a_real_mlflow_keeps_alias_tag_and_note() {
    let lab = Lab::here();
    let base = lab.at("mlflow");
    call(base, "DELETE", "registered-models/delete", &json!({"name": MODEL}));
    call(base, "POST", "registered-models/create", &json!({"name": MODEL}));
    for semver in ["1.0.0", "1.1.0"] {
        let body = json!({"name": MODEL, "source": "s3://wardroom/model", "description": format!("release {semver}"),
            "tags": [{"key": "semver", "value": semver}]});
        let answer = call(base, "POST", "model-versions/create", &body);
        assert_eq!(answer["model_version"]["name"], MODEL, "{answer}");
    }
    let alias = |version: &str| json!({"name": MODEL, "alias": "live", "version": version});
    call(base, "POST", "registered-models/alias", &alias("2"));
    let config = config(&format!(
        "[[mlflow]]\nurl = \"{base}\"\nproduction_alias = \"live\"\nversion_tag = \"semver\"\n[[model]]\nname = \"{MODEL}\"\n"
    ));
    let (registry, ask) = (made(&config), ask(MODEL, "1.0.0"));
    let plan = planned(&*registry, &ask, "1.0.0");
    assert_eq!(plan.requests[0].words, "live 2 → 1 (1.0.0)");
    assert!(plan.beware.is_empty(), "{:?}", plan.beware);
    for n in 0..3 {
        assert!(matches!(run(registry.settled(&plan, n)), Ok(Settled::NotDone(_))), "{n}");
        let sent = run(registry.send(&plan, n, "audit-1"));
        assert!(matches!(sent, Sent::Accepted { .. }), "{n}: {sent:?}");
        assert!(matches!(run(registry.settled(&plan, n)), Ok(Settled::Done(_))), "{n}");
    }
    assert_eq!(run(registry.observe(&plan)).unwrap()[0].seen, Seen::Yes);
    let read = call(base, "GET", &format!("model-versions/get?name={MODEL}&version=1"), &json!({}));
    let version = &read["model_version"];
    assert!(version["description"].as_str().unwrap().starts_with("release 1.0.0\n2026-11-20"), "{version}");
    assert!(version["tags"].to_string().contains("a-3f9c21d4"), "{version}");
    // Another writer between plan and send.
    let back = planned(&*registry, &ask, "1.1.0");
    call(base, "DELETE", "registered-models/alias", &json!({"name": MODEL, "alias": "live"}));
    let sent = run(registry.send(&back, 0, "x"));
    assert_eq!(sent, Sent::Moved("live was 1, is none".into()));
    call(base, "DELETE", "registered-models/delete", &json!({"name": MODEL}));
}

#[test]
fn an_account_that_may_only_read_is_refused_and_nothing_moves() {
    let lab = Lab::here();
    let config = config(&format!(
        "[[mlflow]]\nurl = \"{}\"\nversion_tag = \"\"\nproduction_alias = \"wardroom-test\"\naccess.ca_file = \"{}\"\n\
         access.auth.basic = {{ user = \"{}\", password = {{ command = \"echo {}\" }} }}\n[[model]]\nname = \"read-only\"\n",
        lab.at("mlflow_tls"),
        lab.at("ca_file"),
        lab.at("mlflow_user"),
        lab.at("mlflow_password"),
    ));
    let (registry, ask) = (made(&config), ask("read-only", "1"));
    let plan = planned(&*registry, &ask, "1");
    for n in 0..3 {
        let sent = run(registry.send(&plan, n, "x"));
        assert!(matches!(&sent, Sent::Refused(why) if why.contains("403")), "{n}: {sent:?}");
        assert!(!format!("{sent:?}").contains(lab.at("mlflow_password")));
        assert!(matches!(run(registry.settled(&plan, n)), Ok(Settled::NotDone(_))), "{n}");
    }
}
