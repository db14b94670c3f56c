//! A thin client for single objects of an API server. It sends raw requests, so that headers are seen, each with a
//! deadline and a limit of size, and it never repeats one.

use std::sync::Arc;
use std::time::Duration;

use futures_util::AsyncReadExt as _;
use http::{Method, Request as HttpRequest};
use kube::client::Body;
use serde_json::Value;
use tokio::time::timeout;

use super::access::Access;
use super::answer::{Answer, Meaning};
use super::fault;
use crate::cluster::Resource;
use crate::domain::{Fault, FaultKind};

/// Names us in `metadata.managedFields`.
pub const FIELD_MANAGER: &str = "wardroom";
/// Content type of a merge patch.
pub const MERGE: &str = "application/merge-patch+json";
/// Content type of a JSON patch.
pub const JSON: &str = "application/json-patch+json";

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its kind.
    pub resource: Resource,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Place {
    /// An object of a namespace.
    pub fn new(resource: Resource, namespace: &str, name: &str) -> Self {
        Self { resource, namespace: namespace.into(), name: name.into() }
    }

    /// The path of the object.
    pub fn path(&self) -> String {
        format!("{}/{}", collection(&self.resource, &self.namespace), segment(&self.name))
    }

    /// The path and query of a patch; `part` is empty, `status` or `scale`.
    pub fn patch_path(&self, part: &str) -> String {
        let part = if part.is_empty() { String::new() } else { format!("/{part}") };
        format!("{}{part}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict", self.path())
    }
}

/// The path of all objects of a kind in a namespace.
pub fn collection(resource: &Resource, namespace: &str) -> String {
    let Resource { group, version, plural, .. } = resource;
    let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    format!("{root}/namespaces/{}/{plural}", segment(namespace))
}

/// A name as a part of a path. Kubernetes allows no others, but a target may come from a command line.
fn segment(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// The server accepted it.
    Accepted {
        /// The `Audit-ID` that it echoed.
        audit_id: Option<String>,
        /// The object's `resourceVersion` afterwards, when the answer told it.
        version: Option<String>,
    },
    /// It did not, or nobody knows.
    Not(Meaning),
}

/// Objects of one API server.
#[derive(Clone)]
pub struct Objects {
    pub(super) client: kube::Client,
    pub(super) deadline: Duration,
    max_bytes: u64,
    server: Arc<str>,
    pub(super) access: Arc<Access>,
}

impl Objects {
    /// A client; `server` names it in messages.
    pub fn new(client: kube::Client, server: &str, deadline: Duration, max_bytes: u64) -> Self {
        Self { client, deadline, max_bytes, server: server.into(), access: Arc::default() }
    }

    /// The server's name in messages.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// An object.
    ///
    /// # Errors
    /// `Absent` when it is not there, else what is wrong with the server.
    pub async fn get(&self, path: &str) -> Result<Value, Fault> {
        self.read(Method::GET, path, Vec::new(), "").await
    }

    /// The objects of a kind in a namespace by a label selector, in pages.
    ///
    /// # Errors
    /// What is wrong with the server.
    pub async fn list(
        &self,
        resource: &Resource,
        namespace: &str,
        selector: &str,
    ) -> Result<Vec<Value>, Fault> {
        let mut all = Vec::new();
        let mut next = String::new();
        loop {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("limit", "500")
                .append_pair("labelSelector", selector)
                .append_pair("continue", &next)
                .finish();
            let page = self.get(&format!("{}?{query}", collection(resource, namespace))).await?;
            all.extend(page.get("items").and_then(Value::as_array).into_iter().flatten().cloned());
            next = page.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default().into();
            if next.is_empty() {
                return Ok(all);
            }
        }
    }

    /// Asks by a POST that stores nothing (access reviews).
    ///
    /// # Errors
    /// What is wrong with the server.
    pub async fn ask(&self, path: &str, body: &Value) -> Result<Value, Fault> {
        self.read(Method::POST, path, body.to_string().into_bytes(), "application/json").await
    }

    /// What a patch would make of the object. Nothing is stored.
    ///
    /// # Errors
    /// The server's refusal, or what is wrong with the server.
    pub async fn dry_run(&self, path: &str, content_type: &str, body: &Value) -> Result<Value, Fault> {
        let path = format!("{path}&dryRun=All");
        self.read(Method::PATCH, &path, body.to_string().into_bytes(), content_type).await
    }

    /// Sends a patch, once.
    pub async fn patch(&self, path: &str, content_type: &str, body: &Value, audit_id: &str) -> Written {
        let request = HttpRequest::builder()
            .method(Method::PATCH)
            .uri(path)
            .header("content-type", content_type)
            .header("accept", "application/json")
            .header("audit-id", audit_id)
            .body(Body::from(body.to_string().into_bytes()));
        self.once(request, content_type == JSON).await
    }

    /// Sends a POST, once: a question with an effect, such as opening a gate through the proxy of a Service.
    pub async fn post(&self, path: &str, body: &Value, audit_id: &str) -> Written {
        let request = HttpRequest::builder()
            .method(Method::POST)
            .uri(path)
            .header("content-type", "application/json")
            .header("audit-id", audit_id)
            .body(Body::from(body.to_string().into_bytes()));
        self.once(request, false).await
    }

    /// Sends a request that changes something: never twice, and never beyond the deadline.
    async fn once(&self, request: http::Result<HttpRequest<Body>>, json: bool) -> Written {
        let request = match request {
            Ok(request) => request,
            Err(error) => return Written::Not(Meaning::Refused(format!("not sent: {error}"))),
        };
        match timeout(self.deadline, self.exchange(request, json)).await {
            Ok(written) => written,
            Err(_) => Written::Not(Meaning::Unknown(format!(
                "{} did not answer within {} s",
                self.server,
                self.deadline.as_secs_f64()
            ))),
        }
    }

    async fn exchange(&self, request: HttpRequest<Body>, json: bool) -> Written {
        let response = match self.client.send(request).await {
            Ok(response) => response,
            Err(error) if fault::before_sending(&error) => {
                let fault = fault::of(&self.server, &error);
                return Written::Not(Meaning::Refused(format!("nothing was sent: {fault}")));
            }
            Err(error) => {
                let fault = fault::of(&self.server, &error);
                return Written::Not(Meaning::Unknown(format!("no answer came back: {fault}")));
            }
        };
        let (head, body) = response.into_parts();
        let status = head.status;
        let header = |name: &str| head.headers.get(name)?.to_str().ok().map(ToOwned::to_owned);
        let (audit_id, retry_after) = (header("audit-id"), header("retry-after"));
        let length = header("content-length").and_then(|length| length.parse::<u64>().ok());
        if status.is_success() {
            // An answer of unknown length is not needed: what came of it is read afresh, with a limit.
            let whole = length.is_some_and(|length| length <= self.max_bytes);
            let body = if whole { body.collect_bytes().await.ok() } else { None };
            let object = body.and_then(|body| serde_json::from_slice::<Value>(&body).ok());
            let version = object.as_ref().and_then(version_of).map(ToOwned::to_owned);
            return Written::Accepted { audit_id, version };
        }
        let fits = length.is_none_or(|length| length <= self.max_bytes);
        let body = if fits { body.collect_bytes().await.ok() } else { None };
        let answer = Answer::read(status.as_u16(), &body.unwrap_or_default(), retry_after.as_deref());
        if answer.code == 403 {
            self.access.forget();
        }
        Written::Not(answer.meaning(json))
    }

    async fn read(&self, verb: Method, path: &str, body: Vec<u8>, kind: &str) -> Result<Value, Fault> {
        let mut request = HttpRequest::builder().method(verb).uri(path).header("accept", "application/json");
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let request =
            request.body(body).map_err(|error| Fault::new(FaultKind::Refused, error.to_string()))?;
        let work = async {
            let stream = self.client.request_stream(request).await;
            let stream = stream.map_err(|error| fault::of(&self.server, &error))?;
            let mut stream = std::pin::pin!(stream.take(self.max_bytes + 1));
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.map_err(|error| {
                Fault::new(FaultKind::CutShort, format!("{}: the answer broke off: {error}", self.server))
            })?;
            if bytes.len() as u64 > self.max_bytes {
                let detail =
                    format!("{}: the answer is larger than {} MiB", self.server, self.max_bytes >> 20);
                return Err(Fault::new(FaultKind::TooLarge, detail).advise("raise max_answer_mib"));
            }
            serde_json::from_slice(&bytes).map_err(|error| {
                Fault::new(FaultKind::Unreadable, format!("{}: the answer is not JSON: {error}", self.server))
            })
        };
        let answer = timeout(self.deadline, work).await.unwrap_or_else(|_| {
            let limit = self.deadline.as_secs_f64();
            Err(Fault::new(FaultKind::Hung, format!("{}: no answer within {limit} s", self.server))
                .advise("is the API server overloaded? else raise the cluster's timeout"))
        });
        if answer.as_ref().is_err_and(|fault| fault.kind == FaultKind::Denied) {
            self.access.forget();
        }
        answer
    }
}

/// An object's `resourceVersion`.
pub fn version_of(object: &Value) -> Option<&str> {
    object.pointer("/metadata/resourceVersion")?.as_str()
}

/// An object's `uid`; empty when it has none.
pub fn uid_of(object: &Value) -> &str {
    object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLLOUTS: Resource =
        Resource { group: "argoproj.io", version: "v1alpha1", kind: "Rollout", plural: "rollouts" };

    #[test]
    fn paths_are_those_of_the_api() {
        let place = Place::new(ROLLOUTS, "ml", "sepsis");
        assert_eq!(place.path(), "/apis/argoproj.io/v1alpha1/namespaces/ml/rollouts/sepsis");
        assert_eq!(
            place.patch_path("status"),
            "/apis/argoproj.io/v1alpha1/namespaces/ml/rollouts/sepsis/status\
             ?fieldManager=wardroom&fieldValidation=Strict"
        );
        let core = Resource { group: "", version: "v1", kind: "Service", plural: "services" };
        assert_eq!(Place::new(core, "ml", "s").path(), "/api/v1/namespaces/ml/services/s");
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_path() {
        let place = Place::new(ROLLOUTS, "ml", "../../secrets/x?y#z");
        assert!(place.path().ends_with("/rollouts/..%2F..%2Fsecrets%2Fx%3Fy%23z"), "{}", place.path());
    }
}
