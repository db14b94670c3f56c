//! A read-only room sends nothing that changes state: counted in front of every real server of the lab.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::cluster::block;
use crate::desk::press_all;
use crate::lab::{Lab, file};
use crate::pty::Session;

/// More than any answer of the lab.
const MOST: usize = 64 << 20;

type Seen = Arc<Mutex<Vec<(String, String)>>>;

#[derive(Clone)]
struct Proxy {
    target: String,
    seen: Seen,
    client: reqwest::Client,
}

/// Passes a request on, and remembers its method and path.
async fn pass(State(proxy): State<Proxy>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    proxy.seen.lock().unwrap().push((parts.method.to_string(), parts.uri.path().to_owned()));
    let body: Bytes = axum::body::to_bytes(body, MOST).await.unwrap();
    let mut headers = parts.headers;
    for name in ["host", "connection", "content-length", "accept-encoding"] {
        headers.remove(name);
    }
    let url = format!("{}{}", proxy.target, parts.uri);
    let answer = proxy.client.request(parts.method, url).headers(headers).body(body).send().await;
    let Ok(answer) = answer else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, kind) = (answer.status(), answer.headers().get("content-type").cloned());
    let mut given = (status, answer.bytes().await.unwrap_or_default()).into_response();
    if let Some(kind) = kind {
        given.headers_mut().insert("content-type", kind);
    }
    given
}

/// A proxy in front of a server; its base URL.
fn in_front_of(target: &str, seen: &Seen) -> String {
    let proxy = Proxy {
        target: target.to_owned(),
        seen: seen.clone(),
        client: reqwest::Client::builder().build().unwrap(),
    };
    block(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = axum::Router::new().fallback(pass).with_state(proxy);
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    })
}

/// Questions that go by POST: Prometheus' queries, MLflow's searches, the repository index of the inference protocol.
fn is_question(method: &str, path: &str) -> bool {
    let asks = |path: &str| {
        ["/query", "/query_range", "/series", "/labels", "/search", "/v2/repository/index"]
            .iter()
            .any(|end| path.ends_with(end))
    };
    matches!(method, "GET" | "HEAD" | "OPTIONS") || (method == "POST" && asks(path))
}

#[test]
fn a_read_only_room_only_asks_every_server_of_the_lab() {
    wardroom::sources::http::install_tls();
    let lab = Lab::here();
    let mut text = lab.fleet();
    let seen: Seen = Arc::default();
    let mut fronts: BTreeMap<String, String> = BTreeMap::new();
    for part in lab.fleet().split("\"http://").skip(1) {
        let host = part.split(['"', '/']).next().unwrap();
        let base = format!("http://{host}");
        fronts.entry(base.clone()).or_insert_with(|| in_front_of(&base, &seen));
    }
    for (base, front) in &fronts {
        text = text.replace(base, front);
    }
    let (folder, path) = file(&format!("{text}\n[control]\nread_only = true\n"));
    let mut session = Session::start(&["--config", path.to_str().unwrap()], (160, 45), &[]);
    for text in ["read-only", "breast-cancer", "diabetes-progression", "mean_radius"] {
        session.wait_text(text);
    }
    press_all(&mut session);
    session.keys("q");
    assert_eq!(session.end().0, 0);
    drop(folder);
    let seen = seen.lock().unwrap();
    assert!(fronts.len() >= 6 && seen.len() > 50, "{} requests to {} servers", seen.len(), fronts.len());
    let changes: Vec<_> = seen.iter().filter(|(method, path)| !is_question(method, path)).collect();
    assert!(changes.is_empty(), "{changes:?}");
}
