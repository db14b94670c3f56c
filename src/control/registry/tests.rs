//! The registry's step against the demo's registry: planned, sent, read back, refused with the reason.

use serde_json::{Value, json};

use crate::config::{self, Config};
use crate::control::{Ask, Draft, Registry, RegistryDraft, Seen, Sent, Settled};
use crate::demo::{Demo, DemoOptions, start};
use crate::domain::act::{ActId, Confirm, May, Operation, Plan, Who};
use crate::domain::{ControllerKind, ModelId, Rollout, SourceId, Target, Time, Version};

struct Stage {
    demo: Demo,
    config: Config,
    client: reqwest::Client,
}

impl Stage {
    async fn new() -> Self {
        let demo = start(DemoOptions { models: 4, ..DemoOptions::default() }).await.unwrap();
        let config = config::parse("demo", &demo.config_toml(), &[]).unwrap().config;
        Self { demo, config, client: reqwest::Client::new() }
    }

    fn registry(&self) -> Box<dyn Registry> {
        super::registry(&self.config).unwrap().unwrap()
    }

    async fn write(&self, call: &str, body: Value) -> u16 {
        let url = format!("{}api/2.0/mlflow/{call}", self.config.mlflow[0].url);
        self.client.post(url).json(&body).send().await.unwrap().status().as_u16()
    }

    async fn version(&self, number: &str) -> Value {
        let call = "api/2.0/mlflow/model-versions/get?name=alzheimer&version=";
        let url = format!("{}{call}{number}", self.config.mlflow[0].url);
        serde_json::from_str(&self.client.get(url).send().await.unwrap().text().await.unwrap()).unwrap()
    }
}

fn ask() -> Ask {
    Ask {
        model: ModelId::new("demo", "alzheimer"),
        target: Target {
            system: SourceId::new("canary"),
            kind: ControllerKind::Http,
            context: "".into(),
            namespace: "".into(),
            name: "alzheimer".into(),
        },
        operation: Operation::RollBack { to: Version::new("1.1.0") },
        reason: "p95 doubled".into(),
        seen: Some(Rollout::of("demo", Version::new("1.2.0"))),
        who: "kim@bastion".into(),
        now: Time::from_timestamp(1_795_183_200, 0).unwrap(),
    }
}

fn plan_of(draft: RegistryDraft) -> Plan {
    let RegistryDraft { facts, requests, beware, checks, .. } = draft;
    let draft = Draft { facts, requests, beware, checks, ..Draft::default() };
    let who = Who { user: "kim".into(), host: "bastion".into(), ..Who::default() };
    draft.plan(ActId("a-3f9c21d4".into()), &ask(), who, String::new(), Confirm::Choose)
}

async fn planned(registry: &dyn Registry, version: &str) -> Plan {
    let ask = ask();
    plan_of(registry.plan(&ask.model, &Version::new(version), &ask).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alias_tag_and_note_are_written_and_read_back() {
    let stage = Stage::new().await;
    let registry = stage.registry();
    let plan = planned(&*registry, "1.1.0").await;
    let words: Vec<&str> = plan.requests.iter().map(|request| request.words.as_str()).collect();
    assert_eq!(words, ["champion 3 → 2 (1.1.0)", "tag wardroom.act on 2", "note on 2"]);
    let paths: Vec<(&str, &str)> =
        plan.requests.iter().map(|request| (request.verb.as_str(), request.path.as_str())).collect();
    assert_eq!(paths[0], ("POST", "/api/2.0/mlflow/registered-models/alias"));
    assert_eq!(paths[2], ("PATCH", "/api/2.0/mlflow/model-versions/update"));
    assert!(!plan.requests[0].optional && plan.requests[1].optional && plan.requests[2].optional);
    assert!(matches!(plan.requests[0].may, May::Unknown(_)));
    assert_eq!(plan.fact("registry.alias.champion"), Some(&json!("3")));
    assert!(plan.beware.is_empty(), "{:?}", plan.beware);
    for n in 0..3 {
        let before = registry.settled(&plan, n).await.unwrap();
        assert!(matches!(before, Settled::NotDone(_)), "{n}: {before:?}");
        let sent = registry.send(&plan, n, "audit-1").await;
        assert!(matches!(sent, Sent::Accepted { .. }), "{n}: {sent:?}");
        let after = registry.settled(&plan, n).await.unwrap();
        assert!(matches!(after, Settled::Done(_)), "{n}: {after:?}");
    }
    let findings = registry.observe(&plan).await.unwrap();
    assert_eq!((findings[0].seen.clone(), findings[0].detail.as_str()), (Seen::Yes, "champion → 2"));
    let version = stage.version("2").await["model_version"].clone();
    let note = version["description"].as_str().unwrap();
    assert!(note.starts_with("release 1.1.0\n2026-11-20T"), "what stood there stays: {note}");
    assert!(note.contains("kim: rollback, p95 doubled (a-3f9c21d4)"), "{note}");
    let tags = version["tags"].as_array().unwrap();
    let tag = tags.iter().find(|tag| tag["key"] == "wardroom.act").unwrap();
    let tag: Value = serde_json::from_str(tag["value"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&tag["act"], &tag["who"], &tag["why"]),
        (&json!("a-3f9c21d4"), &json!("kim"), &json!("p95 doubled"))
    );
    stage.demo.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_that_moved_in_between_is_left_alone() {
    let stage = Stage::new().await;
    let registry = stage.registry();
    let plan = planned(&*registry, "1.1.0").await;
    let set = |version: &str| json!({"name": "alzheimer", "alias": "champion", "version": version});
    assert_eq!(stage.write("registered-models/alias", set("1")).await, 200);
    let sent = registry.send(&plan, 0, "x").await;
    assert_eq!(sent, Sent::Moved("champion was 3, is 1".into()));
    assert_eq!(registry.observe(&plan).await.unwrap()[0].seen, Seen::No, "somebody else's choice");
    let elsewhere = planned(&*registry, "1.1.0").await;
    assert_eq!(elsewhere.beware[0].text, "mlflow had 1 (1.0.0) as champion, while 1.2.0 served");
    assert_eq!(stage.write("registered-models/alias", set("2")).await, 200);
    let sent = registry.send(&plan, 0, "x").await;
    assert!(matches!(&sent, Sent::Accepted { note, .. } if note == "already so"), "{sent:?}");
    let already = planned(&*registry, "1.1.0").await;
    assert!(already.requests.is_empty(), "{:?}", already.requests);
    assert_eq!(registry.observe(&already).await.unwrap()[0].seen, Seen::Yes);
    assert_eq!(stage.write("registered-models/alias", set("77")).await, 404);
    stage.demo.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_mapping_it_is_refused_with_the_reason() {
    let mut stage = Stage::new().await;
    let (model, asked) = (ModelId::new("demo", "alzheimer"), ask());
    let mut refused = async |tag: Option<&str>, version: &str| {
        stage.config.mlflow[0].version_tag = tag.map(ToOwned::to_owned);
        let registry = stage.registry();
        registry.plan(&model, &Version::new(version), &asked).await.map(|draft| draft.version)
    };
    let none = refused(None, "1.1.0").await.unwrap_err();
    assert!(none.instead.contains("version_tag"), "{none}");
    assert!(refused(Some("semver"), "9.9.9").await.unwrap_err().why.contains("has the tag semver = 9.9.9"));
    let twice = refused(Some("framework"), "scikit-learn 1.7.2").await.unwrap_err();
    assert!(twice.why.starts_with("versions 4, 3, 2, 1"), "{twice}");
    assert!(refused(Some(""), "1.1.0").await.is_err());
    assert_eq!(refused(Some(""), "2").await, Ok("2".to_owned()), "the number itself is the name");
    stage.config.mlflow.clear();
    stage.config.files =
        vec![config::FileRegistryConfig { name: "files".into(), path: "/nowhere".into(), interval: None }];
    let files = stage.registry().plan(&model, &Version::new("1.1.0"), &asked).await.map(|_| ()).unwrap_err();
    assert!(files.why.contains("only read"), "{files}");
    stage.demo.stop();
}
