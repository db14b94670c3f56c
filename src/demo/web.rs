//! Listeners on loopback, and which service answers what.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::fleet::Fleet;
use super::{alerts, controller, mlops, registry, server};

/// Who answers on a listener.
#[derive(Debug, Clone)]
pub enum Answerer {
    /// One server of one model.
    Model(Arc<Fleet>, usize, usize),
    /// All models by path: `/m/<model>/<instance>/…`.
    ManyModels(Arc<Fleet>),
    /// The registry.
    Registry(Arc<Fleet>),
    /// The canary controller.
    Controller(Arc<Fleet>),
    /// The alert manager.
    Alerts(Arc<Fleet>),
    /// The MLOps service.
    Mlops(Arc<Fleet>),
}

/// What was asked.
#[derive(Debug)]
pub struct Question {
    /// The method.
    pub method: Method,
    /// The path, without the listener's prefix.
    pub path: String,
    /// The query's pairs, decoded.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// The headers.
    pub headers: HeaderMap,
}

impl Question {
    /// A query parameter; empty when absent.
    pub fn parameter(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// Requests that may change something, by server: whoever only reads leaves them at 0.
#[derive(Debug, Default)]
pub struct Mutations([AtomicU64; 5]);

/// The servers that are counted, in order.
const SERVERS: [&str; 5] = ["models", "registry", "controller", "alerts", "mlops"];

impl Mutations {
    /// Counts a request; predictions, searches and the list of a repository only read.
    fn count(&self, answerer: &Answerer, question: &Question) {
        let reads = ["/infer", "/search", "/repository/index"];
        if matches!(question.method, Method::GET | Method::HEAD | Method::OPTIONS)
            || reads.iter().any(|path| question.path.ends_with(path))
        {
            return;
        }
        let server = match answerer {
            Answerer::Model(..) | Answerer::ManyModels(_) => 0,
            Answerer::Registry(_) => 1,
            Answerer::Controller(_) => 2,
            Answerer::Alerts(_) => 3,
            Answerer::Mlops(_) => 4,
        };
        self.0[server].fetch_add(1, Ordering::Relaxed);
    }

    /// All counts.
    pub fn told(&self) -> Value {
        let counts = self.0.each_ref().map(|count| count.load(Ordering::Relaxed));
        let servers: serde_json::Map<String, Value> =
            SERVERS.iter().zip(counts).map(|(name, count)| ((*name).to_owned(), count.into())).collect();
        serde_json::json!({"total": counts.iter().sum::<u64>(), "servers": servers})
    }
}

impl Answerer {
    fn fleet(&self) -> &Fleet {
        match self {
            Self::Model(fleet, ..)
            | Self::ManyModels(fleet)
            | Self::Registry(fleet)
            | Self::Controller(fleet)
            | Self::Alerts(fleet)
            | Self::Mlops(fleet) => fleet,
        }
    }
}

/// Listens on a free port of loopback.
pub async fn listen(answerer: Answerer) -> std::io::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let router = axum::Router::new().fallback(answer).with_state(answerer);
    let task = tokio::spawn(async move {
        // Ends only with the demo.
        let _ = axum::serve(listener, router).await;
    });
    Ok((address, task))
}

async fn answer(
    State(answerer): State<Answerer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut question = Question { method, path: uri.path().to_owned(), query, body, headers };
    answerer.fleet().mutations.count(&answerer, &question);
    match answerer {
        Answerer::Model(fleet, model, instance) => server::answer(&fleet, model, instance, &question).await,
        Answerer::ManyModels(fleet) => {
            let found = question.path.strip_prefix("/m/").and_then(|rest| {
                let mut parts = rest.splitn(3, '/');
                let (name, instance) = (parts.next()?, parts.next()?.parse().ok()?);
                Some((fleet.find(name)?, instance, format!("/{}", parts.next().unwrap_or_default())))
            });
            let Some((model, instance, path)) = found else { return absent("no such model") };
            question.path = path;
            server::answer(&fleet, model, instance, &question).await
        }
        Answerer::Registry(fleet) => registry::answer(&fleet, &question),
        Answerer::Controller(fleet) => controller::answer(&fleet, &question),
        Answerer::Alerts(fleet) => alerts::answer(&fleet, &question),
        Answerer::Mlops(fleet) => mlops::answer(&fleet, &question),
    }
}

/// A JSON answer.
pub fn json(status: u16, value: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// A plain text answer.
pub fn text(body: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], body).into_response()
}

/// 404 with a reason.
pub fn absent(what: &str) -> Response {
    json(404, &serde_json::json!({ "error": what }))
}
