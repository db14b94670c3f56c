//! The test cluster: a namespace of one's own, objects to start from, waiting for conditions.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use kube::Client;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// How long a condition may take.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Content type of a merge patch.
pub const MERGE: &str = "application/merge-patch+json";
/// Content type of a JSON patch.
pub const JSON: &str = "application/json-patch+json";

/// A namespace on the test cluster, gone when this is dropped.
pub struct Cluster {
    /// The admin's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The namespace.
    pub namespace: String,
    /// The admin's client.
    pub admin: Client,
    runtime: Runtime,
}

static COUNT: AtomicU32 = AtomicU32::new(0);
static SKIPPED: AtomicU32 = AtomicU32::new(0);

impl Cluster {
    /// A new namespace `wardroom-PREFIX-…`, or nothing when there is no cluster: then the test is skipped, loudly. In
    /// CI and in the lab a skip is a failure.
    pub fn here(prefix: &str) -> Option<Self> {
        let Ok(path) = std::env::var("WARDROOM_TEST_KUBECONFIG") else {
            let must = ["CI", "WARDROOM_LIVE"].iter().any(|name| std::env::var_os(name).is_some());
            assert!(!must, "WARDROOM_TEST_KUBECONFIG is not set");
            let count = SKIPPED.fetch_add(1, Ordering::SeqCst) + 1;
            eprintln!("SKIPPED ({count}): {prefix}: WARDROOM_TEST_KUBECONFIG is not set");
            return None;
        };
        let kubeconfig = PathBuf::from(path);
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let admin = runtime.block_on(client(&kubeconfig));
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let namespace = format!("wardroom-{prefix}-{}-{number}", std::process::id());
        let here = Self { kubeconfig, namespace, admin, runtime };
        here.call(
            "POST",
            "/api/v1/namespaces",
            "application/json",
            &json!({"metadata": {"name": here.namespace}}),
        );
        Some(here)
    }

    /// The kubeconfig of another identity: `operator`, `pauser`, `viewer`.
    pub fn kubeconfig_of(&self, identity: &str) -> PathBuf {
        self.kubeconfig.with_file_name(format!("{identity}.kubeconfig"))
    }

    /// Runs a future on the cluster's runtime.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The path of objects in the namespace: `argoproj.io/v1alpha1`, `rollouts/m`.
    pub fn path(&self, api: &str, rest: &str) -> String {
        let root = if api.contains('/') { "apis" } else { "api" };
        format!("/{root}/{api}/namespaces/{}/{rest}", self.namespace)
    }

    /// Creates the objects of a file in `config/`, changed as wanted.
    pub fn create(&self, file: &str, name: &str, change: impl Fn(&mut Value)) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/config").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        let text = text.replace("@NAME", name).replace("@BACKEND", "http://127.0.0.1:1");
        let list: Value = serde_json::from_str(&text).unwrap();
        for item in list["items"].as_array().unwrap() {
            let mut item = item.clone();
            change(&mut item);
            let api = item["apiVersion"].as_str().unwrap().to_owned();
            let plural = match item["kind"].as_str().unwrap() {
                "Canary" => "canaries".to_owned(),
                kind => format!("{}s", kind.to_lowercase()),
            };
            self.call("POST", &self.path(&api, &plural), "application/json", &item);
        }
    }

    /// Asks as admin; fails the test unless it is done.
    pub fn call(&self, verb: &str, path: &str, kind: &str, body: &Value) -> Value {
        self.try_call(verb, path, kind, body).unwrap_or_else(|error| panic!("{verb} {path}: {error}"))
    }

    /// Asks as admin. Conflicts are tried again: the controllers write to the same objects.
    pub fn try_call(&self, verb: &str, path: &str, kind: &str, body: &Value) -> Result<Value, String> {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request =
            Request::builder().method(verb).uri(path).header("content-type", kind).body(bytes).unwrap();
        self.run(self.admin.request::<Value>(request)).map_err(|error| error.to_string())
    }

    /// An object, as admin.
    pub fn get(&self, path: &str) -> Value {
        self.call("GET", path, "application/json", &Value::Null)
    }

    /// A merge patch, as admin.
    pub fn merge(&self, path: &str, body: &Value) -> Value {
        self.call("PATCH", path, MERGE, body)
    }

    /// Waits until an object is as wanted.
    pub fn until(&self, what: &str, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let object = self.get(path);
            if wanted(&object) {
                return object;
            }
            if Instant::now() > end {
                let status = &object["status"];
                panic!("in vain: {what}\n{}\n{status:#}", object["spec"]["paused"]);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let path = format!("/api/v1/namespaces/{}", self.namespace);
        let request = Request::delete(path).body(Vec::new()).unwrap();
        let _ = self.runtime.block_on(self.admin.request::<Value>(request));
    }
}

/// A client of a kubeconfig that repeats nothing.
pub async fn client(kubeconfig: &Path) -> Client {
    wardroom::sources::http::install_tls();
    let file = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    let mut config = kube::Config::from_custom_kubeconfig(file, &options).await.unwrap();
    let host = config.cluster_url.host().unwrap_or_default().to_owned();
    let loopback = matches!(host.as_str(), "127.0.0.1" | "localhost" | "[::1]" | "::1");
    let told = std::env::var_os("WARDROOM_TEST_ANY_HOST").is_some();
    assert!(loopback || told, "{host} is not this machine; set WARDROOM_TEST_ANY_HOST to test there");
    config.default_retry = false;
    Client::try_from(config).unwrap()
}
