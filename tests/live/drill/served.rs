//! A model that is really asked: a server behind the pods of a Rollout, load through the cluster's data plane, and a config
//! that reads that plane's metrics page as anybody's.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::traffic::{get, head};

/// How many ask at once, and how long each rests after an answer: about 40 requests a second.
const ASKING: usize = 4;
const REST: Duration = Duration::from_millis(80);

/// What the metrics page of the data plane means, in the words of the config.
pub const PRESET: &str = r#"
[preset.plane]
model_label = ["model"]
version_label = ["version"]
latency = { metric = ["inference_request_duration_seconds"] }
requests = { metric = ["inference_requests_total"] }
errors = { metric = ["inference_requests_total"], select = 'code=~"5.."' }
labels = { metric = ["inference_labelled_total"], wrong = 'correct="false"' }
drift = { metric = ["inference_feature_drift"], feature = ["feature"] }
"#;

/// The model's server as all pods have it: it predicts, and answers with the version of the pod that was asked.
pub fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let asked = head(&mut stream);
            let named =
                |line: &str| line.strip_prefix("wardroom-version: ").map(|name| name.trim().to_owned());
            let version = asked.lines().find_map(named).unwrap_or_default();
            let answer = match asked.split(' ').nth(1).unwrap_or_default() {
                "/v2/models/m/ready" => json!({"name": "m", "ready": true}),
                "/v2/models/m/infer" => {
                    let outputs =
                        json!([{"name": "predict", "shape": [1], "datatype": "FP64", "data": [0.25]}]);
                    json!({"model_name": "m", "model_version": version, "outputs": outputs})
                }
                _ => json!({"name": "m", "versions": [version]}),
            };
            let body = answer.to_string();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    address
}

/// A file with the one request that the server is known to answer so.
pub fn samples(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("samples.jsonl");
    let inputs = json!([{"name": "x", "shape": [1], "datatype": "FP64", "data": [1.0]}]);
    let sample: Value = json!({"inputs": inputs, "outputs": [{"name": "predict", "data": [0.25]}]});
    std::fs::write(&path, format!("{sample}\n")).unwrap();
    path
}

/// Requests to a Service, until it is dropped.
pub struct Load {
    stop: Arc<AtomicBool>,
    asking: Vec<JoinHandle<()>>,
}

impl Load {
    pub fn on(plane: &str, namespace: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let ask = |_| {
            let (stop, plane) = (stop.clone(), plane.to_owned());
            let path = format!("/svc/{namespace}/m/predict");
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    get(&plane, &path);
                    std::thread::sleep(REST);
                }
            })
        };
        let asking = (0..ASKING).map(ask).collect();
        Self { stop, asking }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for one in self.asking.drain(..) {
            let _ = one.join();
        }
    }
}
