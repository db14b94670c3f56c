//! A real cluster: found by `WARDROOM_TEST_KUBECONFIG`, never by `KUBECONFIG`, which may be production's.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use wardroom::config::{self, ClusterConfig};

/// How long a controller may take to do what it should.
pub const PATIENCE: Duration = Duration::from_secs(60);
const DEADLINE: Duration = Duration::from_secs(15);

static SKIPPED: AtomicUsize = AtomicUsize::new(0);
static NAMESPACES: AtomicUsize = AtomicUsize::new(0);

/// A cluster as one identity.
#[derive(Clone)]
pub struct Cluster {
    kubeconfig: PathBuf,
    client: kube::Client,
}

/// What a server said: the answer, or its status code and message.
pub type Answered = Result<Value, (u16, String)>;

/// Runs a future from anywhere, also from within another runtime.
pub fn block<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime =
        RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    runtime.spawn(async move {
        let _ = sender.send(future.await);
    });
    receiver.recv().expect("the task of the test helper panicked")
}

/// Says loudly that a test is skipped, and counts it; where `CI` or `WARDROOM_NO_SKIP` is set the test fails.
pub fn skip(why: &str) {
    assert!(
        std::env::var_os("CI").is_none() && std::env::var_os("WARDROOM_NO_SKIP").is_none(),
        "{why}, and skipping is not allowed here"
    );
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let count = SKIPPED.fetch_add(1, Ordering::SeqCst) + 1;
    // Past the test harness, which swallows what a passing test prints.
    let _ = writeln!(std::io::stderr(), "SKIPPED ({count}): {name}: {why}");
}

/// A value that the lab wrote beside a kubeconfig: `kube_plane`, `kube_audit_log`.
pub fn lab_key(kubeconfig: &Path, key: &str) -> Option<String> {
    // Alone, the cluster has a file of its own; in the whole lab its keys stand among the others.
    ["cluster.json", "endpoints.json"].iter().find_map(|name| {
        let text = std::fs::read_to_string(kubeconfig.with_file_name(name)).ok()?;
        let all: Value = serde_json::from_str(&text).ok()?;
        all.get(key)?.as_str().map(str::to_owned)
    })
}

impl Cluster {
    /// The cluster of this run, as its administrator. Without one the test is skipped: loudly, counted, and not where
    /// `CI` or `WARDROOM_NO_SKIP` is set.
    pub fn here() -> Option<Self> {
        let Some(path) = std::env::var_os("WARDROOM_TEST_KUBECONFIG") else {
            skip("WARDROOM_TEST_KUBECONFIG is not set; see tests/live/README.md");
            return None;
        };
        Some(Self::of(PathBuf::from(path)))
    }

    fn of(kubeconfig: PathBuf) -> Self {
        let config = config_of(&kubeconfig);
        let place = wardroom::cluster::connect::place(&config);
        let host = url::Url::parse(&place)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default();
        let loopback = ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str());
        assert!(
            loopback || std::env::var("WARDROOM_TEST_KUBECONFIG_REMOTE").is_ok_and(|value| value == "1"),
            "{place} is not on this machine: set WARDROOM_TEST_KUBECONFIG_REMOTE=1 when it is a test cluster"
        );
        let client = block(async move { wardroom::cluster::connect(&config, DEADLINE).await }).unwrap();
        Self { kubeconfig, client }
    }

    /// The same cluster as another of its identities: `operator`, `pauser`, `viewer`. Only the lab has these.
    pub fn identity(&self, name: &str) -> Option<Self> {
        let path = self.kubeconfig.with_file_name(format!("{name}.kubeconfig"));
        path.exists().then(|| Self::of(path))
    }

    /// A value of the lab's `cluster.json`: `kube_plane`, `kube_audit_log`.
    pub fn key(&self, key: &str) -> Option<String> {
        lab_key(&self.kubeconfig, key)
    }

    /// The file.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The server's URL.
    pub fn server(&self) -> String {
        wardroom::cluster::connect::place(&config_of(&self.kubeconfig))
    }

    /// The client.
    pub fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// A `[[cluster]]` for it, named `lab`, for these namespaces.
    pub fn section(&self, namespaces: &[&str]) -> String {
        format!(
            "[[cluster]]\nname = \"lab\"\nkubeconfig = {:?}\nnamespaces = {namespaces:?}\n",
            self.kubeconfig.display().to_string()
        )
    }

    /// One request. Merge patches are `PATCH`, JSON patches `JSON`.
    pub fn call(&self, verb: &str, path: &str, body: Option<&Value>) -> Answered {
        let (verb, content) = match verb {
            "PATCH" => ("PATCH", "application/merge-patch+json"),
            "JSON" => ("PATCH", "application/json-patch+json"),
            other => (other, "application/json"),
        };
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = http::Request::builder()
            .method(verb)
            .uri(path)
            .header("Content-Type", content)
            .body(body)
            .unwrap();
        let client = self.client();
        let answer =
            block(async move { tokio::time::timeout(DEADLINE, client.request::<Value>(request)).await });
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(kube::Error::Api(status))) => Err((status.code, status.message)),
            Ok(Err(error)) => Err((0, error.to_string())),
            Err(_) => Err((0, "no answer in time".into())),
        }
    }

    /// A namespace of the test's own, gone when it is dropped.
    pub fn namespace(&self, what: &str) -> Namespace {
        let number = NAMESPACES.fetch_add(1, Ordering::SeqCst);
        let name = format!("wardroom-{what}-{}-{number}", std::process::id());
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.call("POST", "/api/v1/namespaces", Some(&body)).unwrap();
        let namespace = Namespace { cluster: self.clone(), name };
        // Pods need the namespace's own account.
        namespace.wait("serviceaccounts", "default", |_| true);
        namespace
    }
}

fn config_of(kubeconfig: &Path) -> ClusterConfig {
    let text = format!("[[cluster]]\nname = \"lab\"\nkubeconfig = {:?}\n", kubeconfig.display().to_string());
    config::parse("cluster", &text, &[]).unwrap().config.cluster.remove(0)
}

/// A namespace, deleted in the end.
pub struct Namespace {
    cluster: Cluster,
    /// Its name.
    pub name: String,
}

impl Namespace {
    /// The path of a kind of object here, by plural.
    pub fn path(&self, plural: &str) -> String {
        let group = match plural {
            "rollouts" | "analysisruns" | "analysistemplates" | "experiments" => "/apis/argoproj.io/v1alpha1",
            "deployments" | "replicasets" => "/apis/apps/v1",
            "canaries" => "/apis/flagger.app/v1beta1",
            "virtualservices" | "destinationrules" | "gateways" => "/apis/networking.istio.io/v1",
            "httproutes" => "/apis/gateway.networking.k8s.io/v1",
            "inferenceservices" => "/apis/serving.kserve.io/v1beta1",
            "horizontalpodautoscalers" => "/apis/autoscaling/v2",
            "services" | "pods" | "events" | "secrets" | "serviceaccounts" | "configmaps" => "/api/v1",
            "roles" | "rolebindings" => "/apis/rbac.authorization.k8s.io/v1",
            other => panic!("add the group of {other}"),
        };
        format!("{group}/namespaces/{}/{plural}", self.name)
    }

    /// An object.
    pub fn get(&self, plural: &str, name: &str) -> Answered {
        self.cluster.call("GET", &format!("{}/{name}", self.path(plural)), None)
    }

    /// All objects of a kind.
    pub fn list(&self, plural: &str) -> Vec<Value> {
        let answer = self.cluster.call("GET", &self.path(plural), None).unwrap();
        answer["items"].as_array().cloned().unwrap_or_default()
    }

    /// Makes an object; its kind gives the path.
    pub fn create(&self, object: &Value) -> Value {
        let kind = object["kind"].as_str().unwrap().to_lowercase();
        let plural = match kind.as_str() {
            "canary" => "canaries".to_owned(),
            _ => format!("{kind}s"),
        };
        let mut object = object.clone();
        object["metadata"]["namespace"] = json!(self.name);
        let made = self.cluster.call("POST", &self.path(&plural), Some(&object));
        made.unwrap_or_else(|(code, why)| panic!("{kind}: {code} {why}"))
    }

    /// Makes the objects of a file of `config/`, with `@NAME` and `@BACKEND` replaced, and each changed by `edit`.
    pub fn create_from(&self, file: &str, name: &str, backend: &str, edit: impl Fn(&mut Value)) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/config").join(file);
        let text = std::fs::read_to_string(path).unwrap().replace("@NAME", name).replace("@BACKEND", backend);
        let list: Value = serde_json::from_str(&text).unwrap();
        for item in list["items"].as_array().unwrap() {
            let mut item = item.clone();
            edit(&mut item);
            self.create(&item);
        }
    }

    /// A merge patch; `name` may end in `/status`.
    pub fn patch(&self, plural: &str, name: &str, body: &Value) -> Value {
        self.try_patch(plural, name, body).unwrap_or_else(|(code, why)| panic!("{name}: {code} {why}"))
    }

    /// A merge patch that may be refused.
    pub fn try_patch(&self, plural: &str, name: &str, body: &Value) -> Answered {
        self.cluster.call("PATCH", &format!("{}/{name}", self.path(plural)), Some(body))
    }

    /// Waits until a Rollout is as wanted, and writes a note to it each second until then: what is written just after a
    /// pause begins, Argo Rollouts 1.9 overlooks until the next write, for good.
    pub fn wake(&self, name: &str, wanted: impl Fn(&Value) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut next = Instant::now() + Duration::from_secs(1);
        while !self.get("rollouts", name).is_ok_and(|object| wanted(&object)) {
            assert!(Instant::now() < end, "{name} did not become as wanted, however often it was woken");
            if Instant::now() > next {
                next += Duration::from_secs(1);
                let left = (end - Instant::now()).as_secs().to_string();
                self.patch(
                    "rollouts",
                    name,
                    &json!({"metadata": {"annotations": {"wardroom.test/wake": left}}}),
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Deletes an object.
    pub fn delete(&self, plural: &str, name: &str) {
        self.cluster.call("DELETE", &format!("{}/{name}", self.path(plural)), None).unwrap();
    }

    /// Waits until an object is as wanted, and gives it.
    pub fn wait(&self, plural: &str, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let seen = self.get(plural, name);
            if let Ok(object) = &seen
                && wanted(object)
            {
                return object.clone();
            }
            assert!(Instant::now() < end, "{plural} {name} did not become as wanted: {seen:#?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let gone = self.cluster.call("DELETE", &format!("/api/v1/namespaces/{}", self.name), None);
        if let Err((code, why)) = gone {
            let _ = writeln!(std::io::stderr(), "{}: not deleted: {code} {why}", self.name);
        }
    }
}
