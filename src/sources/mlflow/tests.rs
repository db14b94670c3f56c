//! The adapter against recorded answers, and whole polls against a small server that replays them.

use super::*;
use crate::config::{Access, Auth};
use crate::domain::{FaultKind, Version};
use crate::sources::http::Answer;

const MODEL: &str = include_str!("../../../fixtures/mlflow/registered-model-get.json");
const STAGED: &str = include_str!("../../../fixtures/mlflow/registered-model-get-staged.json");
const PAGE_1: &str = include_str!("../../../fixtures/mlflow/model-versions-search-page1.json");
const PAGE_2: &str = include_str!("../../../fixtures/mlflow/model-versions-search-page2.json");
const MODELS_1: &str = include_str!("../../../fixtures/mlflow/registered-models-search-page1.json");
const MODELS_2: &str = include_str!("../../../fixtures/mlflow/registered-models-search-page2.json");
const RUN: &str = include_str!("../../../fixtures/mlflow/run-get.json");

fn answer(status: u16, content_type: &str, body: &str) -> Answer {
    Answer {
        status,
        content_type: content_type.into(),
        body: body.as_bytes().to_vec(),
        place: "http://h".into(),
        ..Answer::default()
    }
}

fn model(body: &str) -> Model {
    serde_json::from_str::<wire::ModelAnswer>(body).unwrap().registered_model
}

fn versions(body: &str) -> Vec<ModelVersion> {
    serde_json::from_str::<wire::ModelVersions>(body).unwrap().model_versions
}

fn run(body: &str) -> RunFacts {
    RunFacts::of(&serde_json::from_str::<wire::RunAnswer>(body).unwrap().run)
}

#[test]
fn a_model_its_aliases_and_its_versions() {
    // The second page repeats an entry: an offset token shifts when versions come between two pages.
    let all = [versions(PAGE_2), versions(PAGE_1), versions(PAGE_2)].concat();
    let runs = BTreeMap::from([("912a7ba8b47440a18b991e52c2f6b4ff".to_owned(), run(RUN))]);
    let entry = assemble::model(&model(MODEL), all, "champion", Some("semver"), &runs);
    let names: Vec<&str> = entry.versions.iter().map(|version| version.version.as_str()).collect();
    assert_eq!(names, ["3", "2", "1"]);
    assert_eq!(entry.aliases["challenger"], Version::new("2"));
    assert_eq!(entry.production, Some(Version::new("1")));
    let first = &entry.versions[2];
    assert_eq!(first.metrics["auc_roc"], 0.9968904817118162);
    assert_eq!((first.facts["C"].as_str(), first.facts["trained by"].as_str()), ("0.05", "svc-train"));
    assert_eq!(first.tags["semver"], "1.0.0");
    assert_eq!(first.approvals["approved"], "clinical-review");
    assert_eq!((first.status.as_str(), first.stage.as_str()), ("ready", ""));
    assert!(first.created.is_some());
}

#[test]
fn production_is_the_alias_else_the_newest_in_the_stage() {
    let staged = versions(PAGE_1)
        .into_iter()
        .chain(versions(PAGE_2))
        .map(|version| ModelVersion { current_stage: Some("Production".into()), ..version });
    let entry = assemble::model(&model(STAGED), staged.collect(), "live", None, &BTreeMap::new());
    assert_eq!(entry.production, Some(Version::new("3")), "two may be in Production at once");
    let none = assemble::model(&model(MODEL), Vec::new(), "live", None, &BTreeMap::new());
    assert_eq!(none.production, None);
}

#[test]
fn version_10_is_newer_than_9() {
    let version = |name: &str| ModelVersion { version: name.into(), ..ModelVersion::default() };
    let all = ["9", "10", "1", "2"].map(version).to_vec();
    let entry = assemble::model(&Model::default(), all, "champion", Some("semver"), &BTreeMap::new());
    let names: Vec<&str> = entry.versions.iter().map(|version| version.version.as_str()).collect();
    assert_eq!(names, ["10", "9", "2", "1"]);
}

#[test]
fn absent_lists_and_odd_numbers() {
    let none: wire::Models =
        serde_json::from_str(include_str!("../../../fixtures/mlflow/registered-models-search-empty.json"))
            .unwrap();
    assert!(none.registered_models.is_empty() && none.next_page_token.is_none());
    let bare = model(include_str!("../../../fixtures/mlflow/registered-model-get-space.json"));
    assert!(bare.tags.len() <= 1 && bare.aliases.is_empty(), "{bare:?}");
    for odd in [
        include_str!("../../../fixtures/mlflow/metric-history-nan.json"),
        include_str!("../../../fixtures/mlflow/metric-history-inf.json"),
        include_str!("../../../fixtures/mlflow/metric-history-absent.json"),
    ] {
        let history: wire::History = serde_json::from_str(odd).unwrap();
        assert!(assemble::points(&history.metrics).is_empty(), "{odd}");
    }
    let page: wire::History =
        serde_json::from_str(include_str!("../../../fixtures/mlflow/metric-history-page1.json")).unwrap();
    assert_eq!(assemble::points(&page.metrics).len(), 10);
    assert!(page.next_page_token.is_some());
}

#[test]
fn names_are_quoted_for_filters() {
    assert_eq!(client::filter("parkinsons updrs"), "name='parkinsons updrs'");
    assert_eq!(client::filter("o'brien"), "name=\"o'brien\"");
    assert_eq!(client::filter("a\"b'c"), "name LIKE 'a\"b_c'", "found by pattern, chosen by name");
}

#[test]
fn errors_have_their_kind_and_their_remedy() {
    let read = |answer| client::read::<wire::ModelAnswer>(answer);
    let gone = include_str!("../../../fixtures/mlflow/registered-model-get.404.json");
    assert!(read(answer(404, "application/json", gone)).unwrap().is_none());
    let page = "<!doctype html>\n<title>404 Not Found</title>";
    let fault = read(answer(404, "text/html; charset=utf-8", page)).unwrap_err();
    assert!(fault.kind == FaultKind::Absent && fault.remedy.contains("prefix"), "{fault}");
    let host = include_str!("../../../fixtures/mlflow/bad-host.403.txt");
    let fault = read(answer(403, "text/plain", host)).unwrap_err();
    assert!(fault.kind == FaultKind::Denied && fault.remedy.contains("--allowed-hosts"), "{fault}");
    let nobody = include_str!("../../../fixtures/mlflow/auth-none.401.txt");
    let fault = read(answer(401, "text/html; charset=utf-8", nobody)).unwrap_err();
    assert!(fault.kind == FaultKind::Denied && fault.remedy.contains("MLFLOW_TRACKING_USERNAME"), "{fault}");
    let may_not = include_str!("../../../fixtures/mlflow/auth-forbidden.403.txt");
    let fault = read(answer(403, "text/html; charset=utf-8", may_not)).unwrap_err();
    assert!(fault.kind == FaultKind::Denied && fault.remedy.contains("READ"), "{fault}");
    let wrong = include_str!("../../../fixtures/mlflow/registered-model-get-noparam.400.json");
    assert_eq!(read(answer(400, "application/json", wrong)).unwrap_err().kind, FaultKind::Refused);
    let login = "<html><title>Sign in</title></html>";
    assert_eq!(read(answer(200, "text/html", login)).unwrap_err().kind, FaultKind::Lying);
}

#[test]
fn mlflows_own_variables_are_honoured_and_name_the_secret_only() {
    let set = |pairs: &'static [(&'static str, &'static str)]| {
        move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    };
    let basic = set(&[("MLFLOW_TRACKING_USERNAME", "sre"), ("MLFLOW_TRACKING_PASSWORD", "hunter2")]);
    let access = client::access(&Access::default(), basic);
    assert!(matches!(&access.auth, Some(Auth::Basic { user, .. }) if user == "sre"));
    assert!(!format!("{access:?}").contains("hunter2"));
    let token = set(&[("MLFLOW_TRACKING_TOKEN", "hunter2"), ("MLFLOW_TRACKING_USERNAME", "")]);
    assert!(matches!(client::access(&Access::default(), token).auth, Some(Auth::Bearer(_))));
    assert_eq!(client::access(&Access::default(), set(&[])).auth, None);
    let configured = Access { auth: access.auth.clone(), ca_file: None };
    assert_eq!(client::access(&configured, token), configured);
}

#[test]
fn metric_names_that_people_log() {
    assert_eq!(assemble::quality("recall"), Some(Kpi::Sensitivity));
    assert_eq!(assemble::quality("val_AUC"), Some(Kpi::AucRoc));
    assert_eq!(assemble::quality("f1_score"), Some(Kpi::F1));
    assert_eq!(assemble::quality("epoch_accuracy"), None, "a training curve is no quality");
}

/// A server that answers as recorded; what it does not know is MLflow's HTML 404.
async fn replay() -> url::Url {
    use axum::extract::Query;
    use axum::http::{StatusCode, header};
    use axum::routing::get;
    type Asked = Query<BTreeMap<String, String>>;
    let json = |body: &'static str| ([(header::CONTENT_TYPE, "application/json")], body);
    let gone = include_str!("../../../fixtures/mlflow/registered-model-get.404.json");
    let history = include_str!("../../../fixtures/mlflow/metric-history-page1.json");
    let rest = include_str!("../../../fixtures/mlflow/metric-history-page2.json");
    let api = axum::Router::new()
        .route(
            "/registered-models/get",
            get(move |Query(asked): Asked| async move {
                match asked["name"].as_str() {
                    "breast-cancer" => (StatusCode::OK, json(MODEL)),
                    _ => (StatusCode::NOT_FOUND, json(gone)),
                }
            }),
        )
        .route(
            "/model-versions/search",
            get(move |Query(asked): Asked| async move {
                assert_eq!(asked["filter"], "name='breast-cancer'");
                json(if asked.contains_key("page_token") { PAGE_2 } else { PAGE_1 })
            }),
        )
        .route("/runs/get", get(move || async move { json(RUN) }))
        .route(
            "/metrics/get-history",
            get(move |Query(asked): Asked| async move {
                match asked.get("page_token").map(String::as_str) {
                    None => json(history),
                    Some("eyJvZmZzZXQiOiAxMH0=") => json(rest),
                    Some(_) => json("{}"),
                }
            }),
        );
    let api = api.route(
        "/registered-models/search",
        get(move |Query(asked): Asked| async move {
            match asked.get("page_token").map(String::as_str) {
                None => json(MODELS_1),
                Some("eyJvZmZzZXQiOiAyfQ==") => json(MODELS_2),
                // The page is told again for ever, as a broken server might.
                Some(_) => json(MODELS_2),
            }
        }),
    );
    let router = axum::Router::new().nest("/prefix/api/2.0/mlflow", api);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/prefix").parse().unwrap()
}

#[tokio::test]
async fn a_whole_poll_below_a_path_prefix() {
    let base = replay().await;
    let text = format!(
        "[[mlflow]]\nurl = \"{base}\"\n[[model]]\nname = \"bc\"\nregistry_name = \"breast-cancer\"\n\
         [[model]]\nname = \"absent\"\n"
    );
    let config: Config = toml::from_str(&text).unwrap();
    let mut mlflow = sources(&config, &BTreeMap::new()).unwrap().remove(0);
    let now = Time::from_timestamp(1_800_000_000, 0).unwrap();
    let facts = mlflow.poll(now).await.unwrap().facts;
    let registered: Vec<_> = facts.iter().filter(|fact| matches!(fact, Fact::Registered { .. })).collect();
    let [Fact::Registered { model, entry }] = &registered[..] else { panic!("{registered:?}") };
    assert_eq!((model.name.as_ref(), entry.versions.len()), ("bc", 3));
    let histories: Vec<usize> = facts
        .iter()
        .filter_map(|fact| if let Fact::History { points, .. } = fact { Some(points.len()) } else { None })
        .collect();
    assert_eq!(histories, [20; 6], "both pages of each of the six quality metrics");
    let again = mlflow.poll(now + chrono::TimeDelta::seconds(15)).await.unwrap().facts;
    assert!(!again.iter().any(|fact| matches!(fact, Fact::History { .. })), "seldom");
    let later = mlflow.poll(now + chrono::TimeDelta::seconds(700)).await.unwrap().facts;
    assert!(later.iter().any(|fact| matches!(fact, Fact::History { .. })));
}

#[tokio::test]
async fn the_whole_list_is_paged_and_each_model_comes_once() {
    let base = replay().await;
    let http = Http::new(&base, &Access::default(), Duration::from_secs(5), 1 << 20).unwrap();
    let models = Client::new(http).models().await.unwrap();
    let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names, ["UPPER.case_1", "als-risk", "breast-cancer", "diabetes-progression"]);
    assert_eq!(models[2].aliases.len(), 2);
    for odd in [
        include_str!("../../../fixtures/mlflow/registered-models-search-quote.json"),
        include_str!("../../../fixtures/mlflow/registered-models-search-unicode.json"),
    ] {
        assert_eq!(serde_json::from_str::<wire::Models>(odd).unwrap().registered_models.len(), 1);
    }
}
