//! Probes against recorded answers, and a whole poll against a small server on this machine.

use super::*;
use crate::sources::http::Answer;

fn answer(status: u16, body: &str) -> Answer {
    let json = body.starts_with('{');
    Answer {
        status,
        content_type: if json { "application/json" } else { "" }.into(),
        body: body.as_bytes().to_vec(),
        place: "http://h".into(),
        took_ms: 3.0,
        ..Answer::default()
    }
}

fn html(status: u16) -> Answer {
    let body = b"<html><title>Log in</title></html>".to_vec();
    Answer { status, content_type: "text/html".into(), body, place: "http://h".into(), ..Answer::default() }
}

const UNLOADED: &str = include_str!("../../../fixtures/mlserver/model-ready-unloaded.json");

#[test]
fn oip_readiness_of_mlserver_and_kserve() {
    let ready = include_str!("../../../fixtures/kserve/v2-model-ready.json");
    let gone = include_str!("../../../fixtures/kserve/v2-model-ready-unloaded.json");
    for (status, body, expected) in [
        (200, "", Readiness::Ready),
        (200, ready, Readiness::Ready),
        (200, r#"{"name":"m","ready":false}"#, Readiness::NotReady),
        (404, UNLOADED, Readiness::Absent),
        (404, gone, Readiness::Absent),
        (400, "", Readiness::NotReady),
        (503, r#"{"error":"Model is not ready"}"#, Readiness::NotReady),
    ] {
        assert_eq!(oip::readiness(answer(status, body)).unwrap().readiness, expected, "{status} {body}");
    }
    assert_eq!(
        oip::readiness(answer(404, UNLOADED)).unwrap().detail.as_deref(),
        Some("Model breast-cancer not found")
    );
}

#[test]
fn another_kind_of_server_is_a_fault_and_not_a_missing_model() {
    let path = include_str!("../../../fixtures/mlserver/unknown.404.json");
    assert_eq!(oip::readiness(answer(404, path)).unwrap_err().kind, FaultKind::Absent);
    assert_eq!(oip::readiness(html(200)).unwrap_err().kind, FaultKind::Lying);
    assert_eq!(oip::readiness(html(503)).unwrap_err().kind, FaultKind::Status);
    assert_eq!(oip::readiness(answer(401, "")).unwrap_err().kind, FaultKind::Denied);
    assert_eq!(bentoml::readiness(html(200), false).unwrap_err().kind, FaultKind::Lying);
    assert_eq!(mlflow_scoring::readiness(html(200)).unwrap_err().kind, FaultKind::Lying);
}

#[test]
fn oip_metadata() {
    let mlserver = answer(200, include_str!("../../../fixtures/mlserver/server-metadata.json"));
    assert_eq!(oip::software(&mlserver).as_deref(), Some("lab-stable 1.7.1"));
    let kserve = answer(200, include_str!("../../../fixtures/kserve/v2-server.json"));
    assert_eq!(oip::software(&kserve).as_deref(), Some("kserve 0.21.0"));
    let model = answer(200, include_str!("../../../fixtures/mlserver/model-metadata.json"));
    assert_eq!(oip::held(&model), Some(vec![Version::new("1")]));
    let none = answer(200, include_str!("../../../fixtures/kserve/v2-model.json"));
    assert_eq!(oip::held(&none), Some(Vec::new()), "kserve says null");
    let many = answer(200, r#"{"versions":["9","10",2]}"#);
    assert_eq!(oip::held(&many), Some(["10", "9", "2"].map(Version::new).to_vec()));
    assert_eq!(oip::held(&answer(500, "{}")), None);
}

#[test]
fn the_others() {
    assert_eq!(mlflow_scoring::readiness(answer(200, "\n")).unwrap().readiness, Readiness::Ready);
    assert_eq!(mlflow_scoring::readiness(answer(404, "\n")).unwrap().readiness, Readiness::NotReady);
    let version = Answer { content_type: "text/html".into(), ..answer(200, "3.17.2\n") };
    assert_eq!(mlflow_scoring::software(&version).as_deref(), Some("mlflow 3.17.2"));
    assert_eq!(mlflow_scoring::software(&html(200)), None);
    assert_eq!(bentoml::readiness(answer(200, "\n"), false).unwrap().readiness, Readiness::Ready);
    let starting = bentoml::readiness(answer(503, ""), true).unwrap();
    assert_eq!(
        (starting.readiness, starting.detail.as_deref()),
        (Readiness::NotReady, Some("alive, not ready"))
    );
    assert_eq!(health::readiness(html(200)).unwrap().readiness, Readiness::Ready, "any body is fine");
    assert_eq!(health::readiness(answer(204, "")).unwrap().readiness, Readiness::Ready);
    let ill = health::readiness(answer(503, "warming up")).unwrap();
    assert_eq!((ill.readiness, ill.detail.as_deref()), (Readiness::NotReady, Some("status 503: warming up")));
    assert_eq!(health::readiness(html(502)).unwrap_err().kind, FaultKind::Status);
}

#[test]
fn credentials_stay_with_their_host() {
    let auth = Some(crate::config::Auth::Bearer(crate::config::Secret::Env("X".into())));
    let access = Access { auth, ca_file: Some("ca.pem".into()) };
    let url = |text: &str| text.parse::<Url>().unwrap();
    let same = access_for(&access, &url("http://h:8080/x"), &url("http://h:8082/metrics"));
    assert_eq!(same, access);
    let other = access_for(&access, &url("http://h:8080/x"), &url("http://evil/metrics"));
    assert_eq!((other.auth, other.ca_file), (None, access.ca_file));
}

async fn serve(router: axum::Router) -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}").parse().unwrap()
}

fn endpoint(base: &Url, metrics: &str) -> Endpoint {
    let text = format!(
        "[[model]]\nname = \"breast-cancer\"\n[[model.endpoint]]\nprotocol = \"oip\"\nurl = \"{base}\"\n\
         version = \"2\"\nmetrics = \"{base}{metrics}\"\npreset = \"mlserver\"\n"
    );
    let config: Config = toml::from_str(&text).unwrap();
    let preset = toml::from_str(
        "model_label = [\"model\"]\nversion_label = [\"version\"]\n\
         requests = { metric = [\"model_infer_request_success_total\"] }\n",
    )
    .unwrap();
    let catalogue = BTreeMap::from([("mlserver".to_owned(), preset)]);
    let model = &config.model[0];
    Endpoint::new(&config, &catalogue, model, &model.endpoint[0], "breast-cancer-1").unwrap()
}

#[tokio::test]
async fn a_failed_metrics_page_leaves_the_probe_standing() {
    use axum::routing::get;
    let page = include_str!("../../../fixtures/mlserver/metrics-canary.txt");
    let router = axum::Router::new()
        .route("/v2/models/breast-cancer/ready", get(|| async { "" }))
        .route("/metrics", get(move || async move { page }));
    let base = serve(router).await;
    let now = Time::from_timestamp(1_800_000_000, 0).unwrap();
    let mut good = endpoint(&base, "metrics");
    assert_eq!(good.info().owes.len(), 3);
    let facts = good.poll(now).await.unwrap().facts;
    assert!(matches!(&facts[0], Fact::Endpoint { status, .. }
        if status.readiness == Readiness::Ready && status.versions == [Version::new("2")]));
    let mut next = good.poll(now + chrono::TimeDelta::seconds(15)).await.unwrap().facts.into_iter();
    assert!(next.any(|fact| matches!(fact, Fact::Reading { kpi: Kpi::Throughput, .. })));
    let facts = endpoint(&base, "nothing").poll(now).await.unwrap().facts;
    assert!(
        matches!(&facts[..], [Fact::Endpoint { .. }, Fact::Remark(text)] if text.contains("404")),
        "{facts:?}"
    );
    let mut down = endpoint(&"http://127.0.0.1:1/".parse().unwrap(), "metrics");
    assert_eq!(down.poll(now).await.unwrap_err().kind, FaultKind::Down);
}
