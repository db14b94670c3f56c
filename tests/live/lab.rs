//! The servers' addresses, and configs made of them.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use wardroom::config;
use wardroom::domain::{Fault, Time};
use wardroom::sources::{http, poller, register};
use wardroom::store::Store;

/// How long a real server may take to say what it knows.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `endpoints.json` says. Without it the tests fail: a skipped test would look green.
pub struct Lab(Value);

impl Lab {
    /// The running lab.
    pub fn here() -> Self {
        let path = std::env::var("WARDROOM_LIVE").expect("WARDROOM_LIVE is not set: run tests/live/run");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self(serde_json::from_str(&text).unwrap())
    }

    /// The value of a key.
    pub fn at(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_else(|| panic!("endpoints.json has no `{key}`"))
    }

    /// Sends a signal to a server and its children.
    pub fn signal(&self, server: &str, name: &str) {
        let pid = self.0["pids"][server].as_u64().unwrap_or_else(|| panic!("no pid of {server}"));
        let status =
            std::process::Command::new("kill").args(["-s", name, "--", &format!("-{pid}")]).status().unwrap();
        assert!(status.success());
    }

    /// The config of a fleet that uses every kind of source.
    pub fn fleet(&self) -> String {
        format!(
            r#"
environment = "lab"
refresh = "2s"
timeout = "5s"
window = "1m"

[[prometheus]]
url = "{prometheus}"

[[alertmanager]]
url = "{alertmanager}"
watchdog = "Watchdog"

[[mlflow]]
url = "{mlflow}"

[[model]]
name = "breast-cancer"
[model.prometheus]
preset = ["evaluation", "mlserver"]

[[model.endpoint]]
name = "bc-stable"
protocol = "oip"
url = "{stable}"
metrics = "{stable_metrics}"
preset = "mlserver"
version = "1"

[[model.endpoint]]
name = "bc-canary"
protocol = "oip"
url = "{canary}"
metrics = "{canary_metrics}"
version = "2"

[[model.endpoint]]
name = "bc-kserve"
protocol = "oip"
url = "{kserve}"
metrics = "{kserve}/metrics"

[[model.endpoint]]
name = "bc-bento"
protocol = "bentoml"
url = "{bentoml}"
metrics = "{bentoml}/metrics"

[[model]]
name = "diabetes-progression"
kind = "regression"
[model.prometheus]
preset = ["evaluation"]

[[model.endpoint]]
protocol = "mlflow-scoring"
url = "{scoring}"
"#,
            prometheus = self.at("prometheus"),
            alertmanager = self.at("alertmanager"),
            mlflow = self.at("mlflow"),
            stable = self.at("mlserver_stable"),
            stable_metrics = self.at("mlserver_stable_metrics"),
            canary = self.at("mlserver_canary"),
            canary_metrics = self.at("mlserver_canary_metrics"),
            kserve = self.at("kserve"),
            bentoml = self.at("bentoml"),
            scoring = self.at("mlflow_scoring"),
        )
    }
}

/// The config in a file of its own.
pub fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wardroom.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn now() -> Time {
    chrono::Utc::now()
}

/// One round of every source of a config, in a store.
pub fn observe(text: &str) -> Store {
    observe_until(text, |_| true)
}

/// Rounds of every source until the store is as wanted. Real servers miss a scrape when the machine is
/// busy: what they then do not say is right, and comes back. In vain it fails by what the caller asserts.
pub fn observe_until(text: &str, wanted: impl Fn(&Store) -> bool) -> Store {
    observe_with(text, |_| {}, wanted)
}

/// The same, with something put into the store before each round.
pub fn observe_with(text: &str, prepare: impl Fn(&mut Store), wanted: impl Fn(&Store) -> bool) -> Store {
    http::install_tls();
    let loaded = config::parse("live.toml", text, &[]).unwrap();
    let mut sources = register::build(&loaded.config).unwrap();
    let mut store = Store::new(&loaded.config.environment, config::fleet::specs(&loaded.config));
    store.judge_by(loaded.config.judge.clone(), loaded.config.refresh.as_secs_f64());
    store.expect(sources.iter().map(|source| source.info().clone()).collect());
    let end = Instant::now() + PATIENCE;
    loop {
        prepare(&mut store);
        for report in runtime().block_on(poller::poll_round(&mut sources, 16, now)) {
            store.apply(&report);
        }
        store.tick(now());
        if wanted(&store) || Instant::now() > end {
            return store;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// One runtime for all tests: the sources share their connections, which live in the runtime that made them.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

/// Asks until the answer is as wanted; in vain the last answer is given.
pub fn ask_until<T>(ask: impl Fn() -> T, wanted: impl Fn(&T) -> bool) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = ask();
        if wanted(&answer) || Instant::now() > end {
            return answer;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// The fault of a source, if it has one.
pub fn fault_of<'a>(store: &'a Store, source: &str) -> Option<&'a Fault> {
    store
        .sources
        .iter()
        .find(|state| &*state.info.id.0 == source)
        .unwrap_or_else(|| panic!("no source {source}"))
        .fault
        .as_ref()
}
