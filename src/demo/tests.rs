//! The demo as its clients meet it: over HTTP.

use std::time::Duration;

use serde_json::Value;

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
