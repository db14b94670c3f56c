//! Every way in which a server fails has its own word, and none of them stops the other sources.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/faulty.rs"]
mod faulty;

use std::time::Duration;

use faulty::{Manner, refused, serve, serve_tls};
use tokio::sync::mpsc;
use wardroom::config::Config;
use wardroom::domain::{Fault, FaultKind, SourceId};
use wardroom::sources::poller::{PollSettings, Poller, poll_round};
use wardroom::sources::register::build;

const PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>";
const GATEWAY: &str = "<html><head><title>502 Bad Gateway</title></head></html>";

fn config(broken: &str, more: &str, well: &str) -> Config {
    toml::from_str(&format!(
        r#"
        refresh = "100ms"
        max_answer_mib = 1
        [[prometheus]]
        name = "broken"
        url = "{broken}"
        timeout = "400ms"
        {more}
        [[alertmanager]]
        name = "well"
        url = "{well}"
        timeout = "10s"
        "#
    ))
    .unwrap()
}

/// Polls a real source at `broken` beside a healthy one. Gives back the fault of the first, after the
/// second has been polled several times all the same.
async fn fault_at(broken: &str, more: &str) -> Fault {
    let well = serve(Manner::Well).await;
    let sources = build(&config(broken, more, &well)).unwrap();
    let settings = PollSettings { concurrency: 4, epoch: 1, seed: 1, clock: chrono::Utc::now };
    let (sender, mut reports) = mpsc::channel(16);
    let handle = Poller::spawn(sources, settings, sender);
    let (mut fault, mut others) = (None, 0);
    while fault.is_none() || others < 3 {
        let report = tokio::time::timeout(Duration::from_secs(20), reports.recv()).await.unwrap().unwrap();
        if report.source == SourceId::new("well") {
            report.outcome.unwrap();
            others += 1;
        } else {
            // The poll has four times the deadline of a request, and none of these takes more than one.
            assert!(report.took_ms < 2_500.0, "{} ms", report.took_ms);
            fault = report.outcome.err().or(fault);
        }
    }
    handle.stop();
    fault.unwrap()
}

async fn fault_of(manner: Manner) -> Fault {
    fault_at(&serve(manner).await, "").await
}

#[track_caller]
fn is(fault: &Fault, kind: FaultKind, words: &str) {
    assert_eq!(fault.kind, kind, "{fault}");
    assert!(fault.to_string().contains(words), "`{words}` is not in: {fault}");
}

#[tokio::test]
async fn accepts_and_never_answers() {
    is(&fault_of(Manner::Hung).await, FaultKind::Hung, "no answer within 0.4 s");
}

#[tokio::test]
async fn slow_headers() {
    is(&fault_of(Manner::SlowHeaders).await, FaultKind::Hung, "no answer within 0.4 s");
}

#[tokio::test]
async fn slow_body() {
    is(&fault_of(Manner::Drip).await, FaultKind::Hung, "not complete after 0.4 s");
}

#[tokio::test]
async fn body_cut_short() {
    is(&fault_of(Manner::CutShort).await, FaultKind::CutShort, "broke off");
}

#[tokio::test]
async fn endless_and_huge_bodies() {
    is(&fault_of(Manner::Endless).await, FaultKind::TooLarge, "1 MiB");
    is(&fault_of(Manner::Huge).await, FaultKind::TooLarge, "max_answer_mib");
}

#[tokio::test]
async fn closed_without_answer() {
    is(&fault_of(Manner::Closes).await, FaultKind::Down, "");
}

#[tokio::test]
async fn not_http() {
    is(&fault_of(Manner::Garbage).await, FaultKind::Unreadable, "not HTTP");
}

#[tokio::test]
async fn a_login_page_with_200() {
    is(&fault_of(Manner::Says("200 OK", "text/html", PAGE)).await, FaultKind::Lying, "Sign in");
    is(&fault_of(Manner::Says("200 OK", "application/json", PAGE)).await, FaultKind::Lying, "web page");
}

#[tokio::test]
async fn pages_of_proxies() {
    is(&fault_of(Manner::Says("502 Bad Gateway", "text/html", GATEWAY)).await, FaultKind::Status, "proxy");
    is(&fault_of(Manner::Says("404 Not Found", "text/html", GATEWAY)).await, FaultKind::Absent, "404");
}

#[tokio::test]
async fn errors_of_every_shape() {
    let json = "application/json";
    is(&fault_of(Manner::Says("404 Not Found", "", "")).await, FaultKind::Absent, "empty body");
    is(
        &fault_of(Manner::Says("400 Bad Request", json, "\"bad matcher\"")).await,
        FaultKind::Refused,
        "bad matcher",
    );
    let detail = r#"{"detail":[{"loc":["query"],"msg":"field required"}]}"#;
    is(
        &fault_of(Manner::Says("422 Unprocessable", json, detail)).await,
        FaultKind::Refused,
        "field required",
    );
    is(
        &fault_of(Manner::Says("503 Service Unavailable", "text/plain", "Service Unavailable")).await,
        FaultKind::Status,
        "starting",
    );
    is(&fault_of(Manner::Says("200 OK", json, "\u{1b}[31m{}")).await, FaultKind::Unreadable, "not the JSON");
    is(
        &fault_of(Manner::Says("200 OK", json, "{\"status\":\"succ")).await,
        FaultKind::CutShort,
        "ends in the middle",
    );
    is(&fault_of(Manner::Says("200 OK", json, "{}")).await, FaultKind::Unreadable, "");
}

#[tokio::test]
async fn denied() {
    is(&fault_of(Manner::Wants("none")).await, FaultKind::Denied, "access.auth");
    let rebinding = "Invalid Host header - possible DNS rebinding attack detected";
    is(
        &fault_of(Manner::Says("403 Forbidden", "text/plain", rebinding)).await,
        FaultKind::Denied,
        "--allowed-hosts",
    );
}

#[tokio::test]
async fn redirects_are_not_followed_to_other_hosts() {
    let login = Manner::Redirects("https://sso.example.invalid/login?state=hunter2");
    let fault = fault_of(login).await;
    is(&fault, FaultKind::Denied, "wants a login");
    assert!(!fault.to_string().contains("hunter2"), "{fault}");
    is(&fault_of(Manner::Redirects("http://other.example.invalid/")).await, FaultKind::Lying, "redirects to");
}

#[tokio::test]
async fn refused_connection() {
    is(&fault_at(&refused().await, "").await, FaultKind::Down, "refused");
}

#[tokio::test]
async fn unknown_host() {
    is(&fault_at("http://no-such-host.invalid", "").await, FaultKind::NoName, "no-such-host.invalid");
}

#[tokio::test]
async fn tls_against_a_plain_port() {
    let plain = serve(Manner::Garbage).await.replace("http:", "https:");
    is(&fault_at(&plain, "").await, FaultKind::Tls, "https");
}

#[tokio::test]
async fn a_private_ca_must_be_named() {
    let base = serve_tls();
    is(&fault_at(&base, "").await, FaultKind::Tls, "access.ca_file");
    let well = serve(Manner::Well).await;
    let named = "access = { ca_file = \"fixtures/tls/ca.pem\" }";
    let mut sources = build(&config(&base, named, &well)).unwrap();
    for report in poll_round(&mut sources, 2, chrono::Utc::now).await {
        report.outcome.unwrap();
    }
}

#[tokio::test]
async fn a_new_secret_is_read_after_a_401() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "old\n").unwrap();
    let (base, well) = (serve(Manner::Wants("new")).await, serve(Manner::Well).await);
    let access = format!("access = {{ auth = {{ bearer = {{ file = {token:?} }} }} }}");
    let mut sources = build(&config(&base, &access, &well)).unwrap();
    let first = poll_round(&mut sources, 2, chrono::Utc::now).await;
    assert_eq!(first[0].outcome.as_ref().unwrap_err().kind, FaultKind::Denied);
    std::fs::write(&token, "new\n").unwrap();
    let second = poll_round(&mut sources, 2, chrono::Utc::now).await;
    second.into_iter().for_each(|report| drop(report.outcome.unwrap()));
}

#[test]
fn a_missing_secret_or_ca_is_told_at_the_start() {
    let wrong =
        |more: &str| build(&config("http://127.0.0.1:1", more, "http://127.0.0.1:1")).map(drop).unwrap_err();
    let fault = wrong("access = { auth = { bearer = { env = \"WARDROOM_NO_SUCH_SECRET\" } } }");
    is(&fault, FaultKind::Denied, "WARDROOM_NO_SUCH_SECRET");
    is(&wrong("access = { ca_file = \"/no/such/ca.pem\" }"), FaultKind::File, "/no/such/ca.pem");
}
