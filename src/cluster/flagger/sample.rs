//! Canaries as the real Flagger 1.44 left them.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::cluster::{Around, look};

/// A Canary of the fixtures, and the objects around it.
pub fn real(name: &str) -> (Value, Around) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kubernetes/flagger");
    let list = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let mut around = Around::default();
    let mut canary = Value::Null;
    for item in list["items"].as_array().unwrap() {
        let plural = match item["kind"].as_str().unwrap() {
            "Deployment" => "deployments",
            "VirtualService" => "virtualservices",
            "HTTPRoute" => "httproutes",
            "Canary" => {
                canary = item.clone();
                continue;
            }
            other => panic!("{other}"),
        };
        around.put(plural, "ml", look::name(item), Arc::new(item.clone()));
    }
    (canary, around)
}
