//! Whole polls of a small server that answers as Evidently's service did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::routing::{get, post};

use super::batch;
use crate::config;
use crate::domain::{DriftScale, Fact, Fault, FaultKind, Harvest, Kpi, Time};
use crate::sources::Source;
use crate::sources::reports::sources;
use crate::sources::reports::told::Terms;

const PROJECTS: &str = include_str!("../../../../fixtures/evidently/ui-projects.json");
const REPORTS: &str = include_str!("../../../../fixtures/evidently/ui-reports.json");
const REPORT: &str = include_str!("../../../../fixtures/evidently/ui-snapshot-json.json");
const QUALITY: &str = include_str!("../../../../fixtures/evidently/classification.json");
const SERIES: &str = include_str!("../../../../fixtures/evidently/ui-series.json");
const ABSENT: &str = include_str!("../../../../fixtures/evidently/ui-project.404.json");
const ID: &str = "01a1fa9b-ffb1-771e-ba4e-da9d652ba96e";

/// What the server was asked, whether it knows series, and whether its newest report is of quality only.
#[derive(Default)]
struct Server {
    downloads: AtomicUsize,
    has_series: AtomicBool,
    quality_apart: AtomicBool,
}

async fn serve(server: Arc<Server>) -> String {
    let json = |body: &'static str| ([(header::CONTENT_TYPE, "application/json")], body);
    let downloads = server.clone();
    let router = axum::Router::new()
        .route("/e/api/projects/", get(move || async move { json(PROJECTS) }))
        .route(
            "/e/api/projects/{id}/reports",
            get(move |Path(id): Path<String>| async move {
                match id.as_str() {
                    ID => (StatusCode::OK, json(REPORTS)),
                    _ => (StatusCode::NOT_FOUND, json(ABSENT)),
                }
            }),
        )
        .route(
            "/e/api/projects/{id}/{snapshot}/download",
            get(move |Path((_, snapshot)): Path<(String, String)>| async move {
                downloads.downloads.fetch_add(1, Ordering::Relaxed);
                let apart = downloads.quality_apart.load(Ordering::Relaxed);
                json(match snapshot.get(..13) {
                    Some("01a1fa9c-0ad3") if apart => QUALITY,
                    Some("01a1fa9c-058a") if !apart => &REPORT[..200],
                    _ => REPORT,
                })
            }),
        )
        .route(
            "/e/api/v2/snapshots/{id}/data_series_batch",
            post(move || async move {
                match server.has_series.load(Ordering::Relaxed) {
                    true => (StatusCode::CREATED, json(SERIES)),
                    false => (StatusCode::NOT_FOUND, json(ABSENT)),
                }
            }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/e")
}

fn source(url: &str, project: &str, more: &str) -> Box<dyn Source> {
    let text = format!(
        "[[model]]\nname = \"als\"\n[[drift_reports]]\nmodel = \"als\"\nurl = \"{url}\"\nproject = \"{project}\"\n{more}\n"
    );
    let config = config::parse("w.toml", &text, &[]).unwrap().config;
    sources(&config, &Default::default()).unwrap().remove(0)
}

async fn poll(source: &mut dyn Source) -> Result<Harvest, Fault> {
    source.poll(Time::from_timestamp(1_795_204_800, 0).unwrap()).await
}

fn points(facts: &[Fact]) -> Option<usize> {
    facts.iter().find_map(|fact| match fact {
        Fact::DriftHistory { points, .. } => Some(points.len()),
        _ => None,
    })
}

#[tokio::test]
async fn the_newest_report_and_the_past_in_one_question() {
    let server = Arc::new(Server::default());
    server.has_series.store(true, Ordering::Relaxed);
    let url = serve(server.clone()).await;
    for project in ["breast-cancer", ID] {
        let mut source = source(&url, project, "utc_offset_minutes = 60");
        let facts = poll(&mut *source).await.unwrap().facts;
        let Some(Fact::Drift { features, .. }) = facts.iter().find(|fact| matches!(fact, Fact::Drift { .. }))
        else {
            panic!("no drift: {facts:?}")
        };
        assert_eq!((features[0].scale, features[0].is_drifted()), (DriftScale::PValue, true));
        assert_eq!(features[0].at.to_rfc3339(), "2026-11-20T19:00:00+00:00", "20:00 an hour ahead of UTC");
        assert_eq!(points(&facts), Some(3));
        let again = poll(&mut *source).await.unwrap().facts;
        assert!(again.iter().any(|fact| matches!(fact, Fact::Drift { .. })), "what holds is said again");
        assert_eq!(points(&again), None);
    }
    assert_eq!(server.downloads.load(Ordering::Relaxed), 2, "a report is read once");
}

#[tokio::test]
async fn a_service_without_series_is_read_report_by_report() {
    let server = Arc::new(Server::default());
    let url = serve(server.clone()).await;
    let mut source = source(&url, "breast-cancer", "");
    let facts = poll(&mut *source).await.unwrap().facts;
    assert_eq!(points(&facts), Some(2), "a broken report is a gap");
    assert_eq!(server.downloads.load(Ordering::Relaxed), 4);
    poll(&mut *source).await.unwrap();
    assert_eq!(server.downloads.load(Ordering::Relaxed), 4, "the past is read once");
}

#[tokio::test]
async fn a_newest_report_of_quality_does_not_hide_the_drift_before_it() {
    let server = Arc::new(Server::default());
    server.has_series.store(true, Ordering::Relaxed);
    server.quality_apart.store(true, Ordering::Relaxed);
    let facts = poll(&mut *source(&serve(server).await, ID, "")).await.unwrap().facts;
    let drift = facts.iter().find_map(|fact| match fact {
        Fact::Drift { features, .. } => Some(features[0].at.to_rfc3339()),
        _ => None,
    });
    assert_eq!(drift.as_deref(), Some("2026-11-20T19:00:00+00:00"), "with the time of its own report");
    let of_version = |fact: &&Fact| {
        matches!(fact, Fact::Reading { kpi: Kpi::Accuracy, version: Some(version), reading, .. }
            if version.as_str() == "2" && reading.at.to_rfc3339() == "2026-11-20T20:00:00+00:00")
    };
    assert_eq!(facts.iter().filter(of_version).count(), 1, "{facts:?}");
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let url = serve(Arc::default()).await;
    let fault = poll(&mut *source(&url, "nope", "")).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Absent);
    assert!(fault.detail.contains("no project `nope`; it has breast-cancer"), "{fault}");
    let fault = poll(&mut *source(&format!("{url}/nowhere"), "nope", "")).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Absent);
}

#[test]
fn series_with_gaps_and_odd_rows() {
    let text = r#"{"sources":[{"timestamp":"2026-11-20T18:00:00"},{"timestamp":null},{"timestamp":"2026-11-20T20:00:00"}],
        "series":[{"params":{"column":"a","method":"psi","threshold":"0.1"},"values":[NaN,0.2,0.3]},
        {"params":{"column":"b","method":"magic"},"values":[1,1,1]},{"params":{}},7]}"#;
    let config = "[[model]]\nname = \"als\"\n[[drift_reports]]\nmodel = \"als\"\npath = \"/\"\n";
    let config = config::parse("w.toml", config, &[]).unwrap().config;
    let terms = Terms::new(crate::domain::ModelId::new("l", "als"), &config.drift_reports[0]);
    let past = batch(text.as_bytes(), &terms).unwrap();
    assert_eq!(past[0].1.rows.len(), 1);
    assert_eq!((past[0].1.rows[0].raw, past[0].1.rows[0].threshold), (0.3, Some(0.1)));
    assert_eq!(batch(b"{}", &terms), None);
}
