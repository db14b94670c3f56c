//! The demo as its clients meet it: over HTTP.

use std::time::Duration;

use serde_json::{Value, json};

use super::{DemoOptions, start};
use crate::config;

async fn get(client: &reqwest::Client, url: String) -> String {
    let answer = client.get(url).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fleet_answers_over_http_and_counts_real_requests() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let demo = start(DemoOptions { models: 7, ..DemoOptions::default() }).await.unwrap();
    let loaded = config::parse("demo", &demo.config_toml(), &[]).unwrap();
    assert_eq!(loaded.config.model.len(), 7);
    assert_eq!(loaded.config.model[1].endpoint.len(), 2, "als has two servers");
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let endpoint = &loaded.config.model[3].endpoint[0];
    let base = endpoint.url.as_str().trim_end_matches('/').to_owned();
    let count = |page: &str| -> f64 {
        page.lines()
            .filter(|line| line.starts_with("model_request_duration_seconds_count"))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    };
    let before = count(&get(&client, format!("{base}/metrics")).await);
    let body =
        r#"{"id":"x","inputs":[{"name":"f","shape":[2,4],"datatype":"FP64","data":[1,2,3,4,5,6,7,8]}]}"#;
    let answer =
        client.post(format!("{base}/v2/models/heart-disease/infer")).body(body).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["model_version"], "4.1.0");
    assert_eq!(answer["outputs"][0]["data"].as_array().map(Vec::len), Some(2));
    let after = count(&get(&client, format!("{base}/metrics")).await);
    assert!(after > before && after < before + 500.0, "{before} {after}");
    let bad = client.post(format!("{base}/v2/models/heart-disease/infer")).body("{").send().await.unwrap();
    assert_eq!(bad.status(), 422);
    let registry = &loaded.config.mlflow[0].url;
    let models =
        get(&client, format!("{registry}api/2.0/mlflow/registered-models/search?max_results=4")).await;
    let models: Value = serde_json::from_str(&models).unwrap();
    assert_eq!(models["next_page_token"], "4");
    let rollouts: Value =
        serde_json::from_str(&get(&client, format!("{}api/v1/rollouts", loaded.config.canary[0].url)).await)
            .unwrap();
    assert_eq!(rollouts["rollouts"][0]["canary"], "1.3.0");
    let status: Value =
        serde_json::from_str(&get(&client, format!("{}mlops/status", loaded.config.mlops[0].url)).await)
            .unwrap();
    assert_eq!(status["models"][0]["drift"]["features"][0]["history"].as_array().map(Vec::len), Some(48));
    let alerts = get(&client, format!("{}api/v2/alerts", loaded.config.alertmanager[0].url)).await;
    assert!(alerts.contains("Watchdog"));
    demo.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_models_share_one_listener() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let demo = start(DemoOptions { models: 1_000, ..DemoOptions::default() }).await.unwrap();
    let loaded = config::parse("demo", &demo.config_toml(), &[]).unwrap();
    let urls: Vec<_> =
        loaded.config.model.iter().flat_map(|model| &model.endpoint).map(|e| e.url.port()).collect();
    assert!(urls.windows(2).all(|pair| pair[0] == pair[1]));
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let page = get(&client, format!("{}/metrics", loaded.config.model[999].endpoint[0].url)).await;
    assert!(page.contains("model=\"model-0999\""), "{page}");
    demo.stop();
}

/// A demo, a client, and the parts of its config that the tests below ask.
struct Stage {
    demo: super::Demo,
    client: reqwest::Client,
    config: config::Config,
}

impl Stage {
    async fn new() -> Self {
        let demo = start(DemoOptions { models: 4, ..DemoOptions::default() }).await.unwrap();
        let config = config::parse("demo", &demo.config_toml(), &[]).unwrap().config;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
        Self { demo, client, config }
    }

    fn controller(&self, path: &str) -> String {
        format!("{}api/v1/{path}", self.config.canary[0].url)
    }

    async fn read(&self, url: String) -> Value {
        serde_json::from_str(&get(&self.client, url).await).unwrap()
    }

    async fn act(&self, body: Value) -> (u16, Value) {
        self.post(self.controller("rollouts/alzheimer/acts"), body).await
    }

    async fn post(&self, url: String, body: Value) -> (u16, Value) {
        let answer = self.client.post(url).json(&body).header("audit-id", "audit-1").send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Asks the model's own server which version answers, and for a prediction.
    async fn infer(&self, inputs: &Value) -> (String, Value) {
        let base = self.config.model[0].endpoint[0].url.as_str().trim_end_matches('/').to_owned();
        // The model raises an exception now and then, as its error rate says.
        for _ in 0..20 {
            let url = format!("{base}/v2/models/alzheimer/infer");
            let (status, answer) = self.post(url, json!({ "inputs": inputs })).await;
            if status == 200 {
                let version = answer["model_version"].as_str().unwrap().to_owned();
                return (version, answer["outputs"].clone());
            }
        }
        panic!("twenty failures in a row");
    }

    async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begun = std::time::Instant::now();
        loop {
            let told = self.read(self.controller("rollouts/alzheimer")).await;
            if holds(&told) {
                return told;
            }
            assert!(begun.elapsed() < Duration::from_secs(8), "{what}: {told}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_act_is_done_once_and_only_at_the_generation_that_was_seen() {
    let stage = Stage::new().await;
    let before = stage.read(stage.controller("rollouts/alzheimer")).await;
    let generation = before["generation"].as_u64().unwrap();
    let dry = stage.controller("rollouts/alzheimer/acts?dry_run=true");
    let (status, would) = stage.post(dry, json!({"act": "abort"})).await;
    assert_eq!(status, 200, "{would}");
    assert!(would["would"].as_str().unwrap().ends_with("1.2.0 at 100 %, aborted"), "{would}");
    assert_eq!(
        stage.read(stage.controller("rollouts/alzheimer")).await["generation"],
        generation,
        "nothing is stored"
    );
    let (status, said) =
        stage.act(json!({"act": "abort", "id": "a-1", "if_generation": generation + 7})).await;
    assert_eq!((status, &said["generation"]), (409, &json!(generation)));
    let abort =
        json!({"act": "abort", "id": "a-1", "if_generation": generation, "who": "kim", "reason": "p95"});
    let (status, said) = stage.act(abort.clone()).await;
    assert_eq!((status, &said["already"], &said["audit_id"]), (200, &json!(false), &json!("audit-1")));
    assert_eq!(said["rollout"]["phase"], "aborted");
    let (status, said) = stage.act(abort).await;
    assert_eq!((status, &said["already"]), (200, &json!(true)), "the same id is the same act");
    let (status, said) = stage.act(json!({"act": "abort", "id": "a-2"})).await;
    assert_eq!((status, &said["error"]), (422, &json!("it is aborted already")));
    let acts = stage.read(stage.controller("acts?since=2020-01-01T00:00:00Z")).await;
    let acts = acts["acts"].as_array().unwrap();
    assert_eq!((acts.len(), &acts[0]["who"]), (1, &json!("kim")), "{acts:?}");
    let none = stage.read(stage.controller("acts?since=2100-01-01T00:00:00Z")).await;
    assert_eq!(none["acts"], json!([]));
    for bad in [
        json!({"act": "dance", "id": "x"}),
        json!({"act": "weight", "id": "x", "weight": 101}),
        json!({"act": "abort"}),
    ] {
        assert_eq!(stage.act(bad.clone()).await.0, 400, "{bad}");
    }
    let counted = stage.read(stage.controller("mutations")).await;
    assert_eq!(counted["servers"]["controller"], 8, "{counted}");
    assert_eq!(
        (&counted["total"], &counted["servers"]["models"]),
        (&json!(8), &json!(0)),
        "predictions only read"
    );
    stage.demo.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_registry_quality_and_endpoint_follow_a_roll_back() {
    let stage = Stage::new().await;
    let recorded = stage.config.model[0].verify.as_ref().unwrap().samples.clone().unwrap();
    let recorded = std::fs::read_to_string(recorded).unwrap();
    let sample = |version: &str| -> Value {
        let lines = recorded.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.into_iter().find(|line| line["version"] == version).unwrap()
    };
    let (version, outputs) = stage.infer(&sample("1.2.0")["inputs"]).await;
    assert_eq!((version.as_str(), outputs), ("1.2.0", sample("1.2.0")["outputs"].clone()));
    let (status, said) = stage.act(json!({"act": "rollback", "id": "a-1", "to": "9.9.9"})).await;
    assert_eq!((status, &said["error"]), (422, &json!("no such version is kept")));
    let (status, said) = stage.act(json!({"act": "rollback", "id": "a-1", "to": "1.0.0"})).await;
    assert_eq!((status, &said["rollout"]["situation"]), (200, &json!("rolling-back")));
    assert_eq!(said["rollout"]["stable"], "1.2.0", "it serves until the pods are there");
    let told = stage.until("rolled back", |told| told["stable"] == "1.0.0").await;
    assert_eq!((&told["situation"], &told["canary"]), (&json!("complete"), &Value::Null));
    let bad = told["revisions"].as_array().unwrap().iter().find(|one| one["version"] == "1.3.0").unwrap();
    assert!(bad["known_bad"].as_str().unwrap().starts_with("rolled back from"), "{bad}");
    let (version, outputs) = stage.infer(&sample("1.0.0")["inputs"]).await;
    assert_eq!((version.as_str(), outputs), ("1.0.0", sample("1.0.0")["outputs"].clone()));
    let base = stage.config.model[0].endpoint[0].url.as_str().trim_end_matches('/').to_owned();
    let about = stage.read(format!("{base}/v2/models/alzheimer")).await;
    assert_eq!(about["versions"], json!(["1.0.0"]));
    let page = get(&stage.client, format!("{base}/metrics")).await;
    let quality: Vec<&str> = page.lines().filter(|line| line.starts_with("model_accuracy{")).collect();
    assert!(quality.len() == 1 && quality[0].contains("1.0.0"), "{quality:?}");
    let alias = "api/2.0/mlflow/registered-models/alias?name=alzheimer&alias=champion";
    let alias = stage.read(format!("{}{alias}", stage.config.mlflow[0].url)).await;
    assert_eq!(alias["model_version"]["version"], "1");
    stage.demo.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_go_where_a_weight_was_set() {
    let stage = Stage::new().await;
    let (status, _) = stage.act(json!({"act": "weight", "id": "a-1", "weight": 100})).await;
    assert_eq!(status, 200);
    let told = stage
        .until("all on the canary", |told| told["measured"].as_f64().is_some_and(|share| share > 95.0))
        .await;
    assert_eq!((&told["asked"], &told["situation"]), (&json!(100.0), &json!("paused-by-hand")));
    assert!(told["cannot"]["promote"].is_string());
    stage.act(json!({"act": "weight", "id": "a-2", "weight": 0})).await;
    stage.until("none on the canary", |told| told["measured"] == 0.0).await;
    stage.demo.stop();
}
