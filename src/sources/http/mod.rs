//! Asks one HTTP server: base URL, authentication, deadlines, a limit of size, and faults told apart.

mod answer;
mod client;
mod fault;
mod secret;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

pub use reqwest::Method;
use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use url::Url;

pub use answer::{Answer, error_text};
pub use client::install_tls;

use crate::config::Access;
use crate::domain::text::{clean, clean_name};
use crate::domain::{Fault, Time};

/// The header by which a server's log and ours know the same request.
const AUDIT_ID: &str = "audit-id";

/// One configured server. Cheap to clone; clones share connections and credentials.
#[derive(Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

struct Inner {
    client: reqwest::Client,
    base: Url,
    access: Access,
    credentials: RwLock<Option<(HeaderName, HeaderValue)>>,
    timeout: Duration,
    max_bytes: u64,
}

/// What is sent beside the path.
enum Body<'a> {
    None,
    Form(&'a [(&'a str, &'a str)]),
    Json(&'a serde_json::Value),
    /// A body, and the `Audit-ID` that goes with it when it is not empty.
    Write(&'a serde_json::Value, &'a str),
}

impl Http {
    /// A server at `base`, whose path is kept as a prefix. `timeout` is the total deadline of a request,
    /// from connecting to the last byte; answers above `max_bytes` (after decompression) are a fault.
    pub fn new(base: &Url, access: &Access, timeout: Duration, max_bytes: u64) -> Result<Self, Fault> {
        Self::made(base, access, timeout, max_bytes, true)
    }

    /// As [`Http::new`], for a server that is written to: it follows no redirect, so that a request is sent
    /// once and its answer is its own.
    pub fn writing(base: &Url, access: &Access, timeout: Duration, max_bytes: u64) -> Result<Self, Fault> {
        Self::made(base, access, timeout, max_bytes, false)
    }

    fn made(
        base: &Url,
        access: &Access,
        timeout: Duration,
        max_bytes: u64,
        follows: bool,
    ) -> Result<Self, Fault> {
        let client = client::shared(base, access.ca_file.as_deref(), timeout, follows)?;
        let credentials = RwLock::new(secret::header(access)?);
        let (base, access) = (base.clone(), access.clone());
        let inner = Inner { client, base, access, credentials, timeout, max_bytes };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The base URL without user, password and query: what may be shown.
    pub fn place(&self) -> String {
        place(&self.inner.base)
    }

    /// The total deadline of one request.
    pub fn timeout(&self) -> Duration {
        self.inner.timeout
    }

    /// `GET` of a path below the base; the empty path is the base itself. Segments of the path must be
    /// percent-encoded by the caller (see [`segment`]), the query need not.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Fault> {
        self.ask(Method::GET, path, query, Body::None).await
    }

    /// `POST` of a form, for queries too long for an URL.
    pub async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Result<Answer, Fault> {
        self.ask(Method::POST, path, &[], Body::Form(form)).await
    }

    /// `POST` of a JSON body, for questions that some servers only take this way.
    pub async fn post_json(&self, path: &str, body: &serde_json::Value) -> Result<Answer, Fault> {
        self.ask(Method::POST, path, &[], Body::Json(body)).await
    }

    /// Sends a JSON body that changes something, once, with an `Audit-ID` by which the server's log knows it.
    pub async fn write(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: &serde_json::Value,
        audit_id: &str,
    ) -> Result<Answer, Fault> {
        self.ask(method, path, query, Body::Write(body, audit_id)).await
    }

    /// Asks; after a 401 reads the secret again and, when it has changed, asks once more.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body<'_>,
    ) -> Result<Answer, Fault> {
        let url = self.url(path, query);
        let answer = self.once(self.request(&method, &url, &body)).await?;
        if answer.status == 401 && self.renew_credentials().await {
            return self.once(self.request(&method, &url, &body)).await;
        }
        Ok(answer)
    }

    fn request(&self, method: &Method, url: &Url, body: &Body<'_>) -> RequestBuilder {
        let mut request = self.inner.client.request(method.clone(), url.clone());
        let credentials = self.inner.credentials.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((name, value)) = credentials {
            request = request.header(name, value);
        }
        match body {
            Body::None => request,
            Body::Form(form) => request.form(form),
            Body::Json(json) | Body::Write(json, "") => request.json(json),
            Body::Write(json, audit_id) => request.json(json).header(AUDIT_ID, *audit_id),
        }
    }

    async fn once(&self, request: RequestBuilder) -> Result<Answer, Fault> {
        let Inner { base, timeout, max_bytes, .. } = &*self.inner;
        let begun = Instant::now();
        let deadline = tokio::time::Instant::now() + *timeout;
        let response = match tokio::time::timeout_at(deadline, request.send()).await {
            Ok(sent) => sent.map_err(|error| fault::of(&error, base))?,
            Err(_) => return Err(fault::hung(base, *timeout, 0)),
        };
        let mut answer = head(&response);
        if response.content_length().is_some_and(|length| length > *max_bytes) {
            return Err(fault::too_large(base, *max_bytes));
        }
        let read = read_body(response, &mut answer.body, *max_bytes, base);
        match tokio::time::timeout_at(deadline, read).await {
            Ok(done) => done?,
            Err(_) => return Err(fault::hung(base, *timeout, answer.body.len())),
        }
        answer.took_ms = begun.elapsed().as_secs_f64() * 1_000.0;
        Ok(answer)
    }

    /// Reads the secret again; true when it differs from the one in use.
    async fn renew_credentials(&self) -> bool {
        let access = self.inner.access.clone();
        if access.auth.is_none() {
            return false;
        }
        // A command or a file on a dead mount may block: not on the threads that poll.
        let Ok(Ok(fresh)) = tokio::task::spawn_blocking(move || secret::header(&access)).await else {
            return false;
        };
        let mut held = self.inner.credentials.write().unwrap_or_else(PoisonError::into_inner);
        let changed = *held != fresh;
        *held = fresh;
        changed
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.inner.base.clone();
        if !path.is_empty() {
            let joined = format!("{}/{}", url.path().trim_end_matches('/'), path.trim_start_matches('/'));
            url.set_path(&joined);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("place", &self.place()).finish_non_exhaustive()
    }
}

/// An URL without user, password, query and fragment: what may be shown.
pub fn place(url: &Url) -> String {
    let mut url = url.clone();
    // Fails only for URLs that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    clean(url.as_str().trim_end_matches('/'), 200)
}

/// A name as one segment of a path, percent-encoded.
pub fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn head(response: &reqwest::Response) -> Answer {
    let text = |headers: &HeaderMap, name| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let headers = response.headers();
    let date = chrono::DateTime::parse_from_rfc2822(&text(headers, DATE)).ok();
    Answer {
        status: response.status().as_u16(),
        content_type: text(headers, CONTENT_TYPE),
        body: Vec::new(),
        took_ms: 0.0,
        date: date.map(|date| date.with_timezone(&chrono::Utc)),
        location: Some(clean(&text(headers, LOCATION), 200)).filter(|location| !location.is_empty()),
        asked: clean(response.url().path(), 120),
        place: place(response.url()),
        audit_id: response.headers().get(AUDIT_ID).and_then(|id| id.to_str().ok()).map(clean_name),
    }
}

async fn read_body(
    mut response: reqwest::Response,
    body: &mut Vec<u8>,
    max_bytes: u64,
    base: &Url,
) -> Result<(), Fault> {
    while let Some(chunk) =
        response.chunk().await.map_err(|error| fault::of_body(&error, base, body.len()))?
    {
        if (body.len() + chunk.len()) as u64 > max_bytes {
            return Err(fault::too_large(base, max_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(())
}

/// The server's clock minus ours, seconds, from a `Date` header: no finer than a second, so a difference
/// below two seconds says nothing and is left out.
pub fn skew(date: Option<Time>, now: Time) -> Option<f64> {
    date.map(|date| (date - now).as_seconds_f64()).filter(|skew| skew.abs() >= 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(base: &str) -> Http {
        Http::new(&base.parse().unwrap(), &Access::default(), Duration::from_secs(1), 1 << 20).unwrap()
    }

    #[test]
    fn paths_are_joined_never_replaced() {
        let url = |base: &str, path: &str, query: &[(&str, &str)]| http(base).url(path, query).to_string();
        assert_eq!(
            url("http://h/p", "api/v1/query", &[("query", "a b")]),
            "http://h/p/api/v1/query?query=a+b"
        );
        assert_eq!(url("http://h/p/", "/x", &[]), "http://h/p/x");
        assert_eq!(url("http://h/p/q?t=1", "", &[]), "http://h/p/q?t=1");
        assert_eq!(url("http://h", "reports/", &[]), "http://h/reports/", "a final slash is kept");
        assert_eq!(url("http://h", &format!("m/{}", segment("a b/ü")), &[]), "http://h/m/a%20b%2F%C3%BC");
    }

    #[test]
    fn credentials_are_never_shown() {
        let shown = format!("{:?}", http("http://user:hunter2@h/p?token=hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("http://h/p"), "{shown}");
    }
}
