//! A proxy in front of an API server that tells watches that they are too old.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::cluster::{Cluster, block};

const GONE: &str = r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}}"#;

struct Inner {
    client: reqwest::Client,
    server: String,
    token: String,
    /// Whether the next watches get a 410.
    expire: AtomicBool,
    cut: Notify,
    lists: AtomicUsize,
    errors: AtomicUsize,
}

/// The proxy.
pub struct Proxy {
    inner: Arc<Inner>,
    /// A kubeconfig that leads to it.
    pub kubeconfig: PathBuf,
    _folder: tempfile::TempDir,
}

impl Proxy {
    /// Passes everything on with the cluster's own credentials.
    pub fn to(cluster: &Cluster) -> Self {
        wardroom::sources::http::install_tls();
        let text = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
        let mut kubeconfig: Value = serde_json::from_str(&text).expect("the lab's kubeconfig is JSON");
        let authority = kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"].as_str().unwrap();
        let authority = base64::engine::general_purpose::STANDARD.decode(authority).unwrap();
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([reqwest::Certificate::from_pem(&authority).unwrap()])
            .build()
            .unwrap();
        let inner = Arc::new(Inner {
            client,
            server: cluster.server(),
            token: kubeconfig["users"][0]["user"]["token"].as_str().unwrap().to_owned(),
            expire: AtomicBool::new(false),
            cut: Notify::new(),
            lists: AtomicUsize::new(0),
            errors: AtomicUsize::new(0),
        });
        let state = Arc::clone(&inner);
        let port = block(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let router = Router::new().fallback(pass).with_state(state);
            tokio::spawn(async move { axum::serve(listener, router).await });
            port
        });
        kubeconfig["clusters"][0]["cluster"] = json!({"server": format!("http://127.0.0.1:{port}")});
        kubeconfig["users"][0]["user"] = json!({});
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(&path, kubeconfig.to_string()).unwrap();
        Self { inner, kubeconfig: path, _folder: folder }
    }

    /// Cuts every watch, and answers the next ones with a 410 in the stream, until something is listed again.
    pub fn expire(&self) {
        self.inner.expire.store(true, Ordering::SeqCst);
        self.inner.cut.notify_waiters();
    }

    /// How many lists were asked for, and how many 410s were sent.
    pub fn counts(&self) -> (usize, usize) {
        (self.inner.lists.load(Ordering::SeqCst), self.inner.errors.load(Ordering::SeqCst))
    }
}

async fn pass(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let watches = path.contains("watch=");
    if watches && inner.expire.load(Ordering::SeqCst) {
        inner.errors.fetch_add(1, Ordering::SeqCst);
        return Response::new(Body::from(format!("{GONE}\n")));
    }
    if !watches && path.starts_with("/apis/") {
        inner.lists.fetch_add(1, Ordering::SeqCst);
        inner.expire.store(false, Ordering::SeqCst);
    }
    let url = format!("{}{path}", inner.server);
    let answer = inner.client.get(url).bearer_auth(&inner.token).send().await.unwrap();
    let status = answer.status().as_u16();
    let cut = Arc::clone(&inner);
    let stream = answer.bytes_stream().take_until(Box::pin(async move { cut.cut.notified().await }));
    Response::builder().status(status).body(Body::from_stream(stream)).unwrap()
}
