//! A namespace for acts: objects to start from, waiting for conditions, what other writers do. By paths, because acts
//! write to subresources.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use wardroom::config;

use crate::cluster::{Cluster, Namespace};

/// How long a condition may take.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Content type of a merge patch.
pub const MERGE: &str = "application/merge-patch+json";
/// Content type of a JSON patch.
pub const JSON: &str = "application/json-patch+json";

/// A namespace on the test cluster, gone when this is dropped.
pub struct Stage {
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The namespace's name.
    pub namespace: String,
    cluster: Cluster,
    space: Namespace,
    runtime: Runtime,
}

impl Stage {
    /// A new namespace `wardroom-PREFIX-…`; nothing when there is no cluster, and the test is skipped.
    pub fn here(prefix: &str) -> Option<Self> {
        let cluster = Cluster::here()?;
        let space = cluster.namespace(prefix);
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let kubeconfig = cluster.kubeconfig().to_owned();
        Some(Self { kubeconfig, namespace: space.name.clone(), cluster, space, runtime })
    }

    /// The kubeconfig of another identity; only the lab has these.
    pub fn kubeconfig_of(&self, identity: &str) -> Option<PathBuf> {
        self.cluster.identity(identity).map(|cluster| cluster.kubeconfig().to_owned())
    }

    /// The administrator's client.
    pub fn admin(&self) -> kube::Client {
        self.cluster.client()
    }

    /// Runs a future.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The path of objects in the namespace: `rollouts`, `rollouts/m`.
    pub fn path(&self, rest: &str) -> String {
        let plural = rest.split(['/', '?']).next().unwrap_or_default();
        format!("{}{}", self.space.path(plural), &rest[plural.len()..])
    }

    /// Creates the objects of a file in `config/`, changed as wanted.
    pub fn create(&self, file: &str, name: &str, change: impl Fn(&mut Value)) {
        self.space.create_from(file, name, "http://127.0.0.1:1", change);
    }

    /// Asks as administrator; fails the test unless it is done.
    pub fn call(&self, verb: &str, path: &str, body: &Value) -> Value {
        self.try_call(verb, path, body).unwrap_or_else(|error| panic!("{verb} {path}: {error}"))
    }

    /// Asks as administrator. `PATCH` merges, `JSON` patches.
    pub fn try_call(&self, verb: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = Some(body).filter(|body| !body.is_null());
        self.cluster.call(verb, path, body).map_err(|(code, why)| format!("{code} {why}"))
    }

    /// An object.
    pub fn get(&self, path: &str) -> Value {
        self.call("GET", path, &Value::Null)
    }

    /// A merge patch.
    pub fn merge(&self, path: &str, body: &Value) -> Value {
        self.call("PATCH", path, body)
    }

    /// Waits until an object is as wanted.
    pub fn until(&self, what: &str, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let object = self.get(path);
            if wanted(&object) {
                return object;
            }
            let (paused, status) = (&object["spec"]["paused"], &object["status"]);
            assert!(Instant::now() < end, "in vain: {what}\npaused: {paused}\n{status:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A service account with the operator's role, in a kubeconfig of its own; its token ends with the Secret whose path
    /// is given.
    pub fn short_lived(&self) -> (String, (tempfile::TempDir, PathBuf)) {
        self.call("POST", &self.path("serviceaccounts"), &json!({"metadata": {"name": "short"}}));
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "wardroom-test-operator"});
        let binding = json!({"metadata": {"name": "short"}, "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", "name": "short", "namespace": self.namespace}]});
        self.call("POST", &self.path("rolebindings"), &binding);
        let secret = self.call("POST", &self.path("secrets"), &json!({"metadata": {"name": "short"}}));
        let uid = &secret["metadata"]["uid"];
        let bound = json!({"apiVersion": "v1", "kind": "Secret", "name": "short", "uid": uid});
        let asked = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"audiences": null, "expirationSeconds": 600, "boundObjectRef": bound}});
        let token = self.call("POST", &self.path("serviceaccounts/short/token"), &asked);
        let mut config = self.config();
        config["users"][0]["user"] = json!({"token": token["status"]["token"]});
        (self.path("secrets/short"), written(&config))
    }

    /// The administrator's kubeconfig as a value.
    pub fn config(&self) -> Value {
        let text = std::fs::read_to_string(&self.kubeconfig).unwrap();
        serde_json::from_str(&text).expect("the lab's kubeconfigs are JSON")
    }
}

/// A kubeconfig in a file of its own.
pub fn written(config: &Value) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, config.to_string()).unwrap();
    (folder, path)
}

/// A client of a kubeconfig, as the program makes it.
pub async fn client(kubeconfig: &Path) -> kube::Client {
    let text = format!("[[cluster]]\nkubeconfig = {:?}\n", kubeconfig.display().to_string());
    let cluster = config::parse("client", &text, &[]).unwrap().config.cluster.remove(0);
    wardroom::cluster::connect(&cluster, Duration::from_secs(5)).await.unwrap()
}
