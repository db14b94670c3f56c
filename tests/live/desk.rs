//! What the tests at a room's desk share: the room's config, every key that would act, and what the API server itself
//! wrote down.

use std::path::PathBuf;

use serde_json::Value;

use crate::cluster::{Cluster, Namespace};
use crate::hands::{ENTER, ESC};
use crate::lab::file;
use crate::pty::Session;

/// What a request may be that changes nothing.
pub const QUESTIONS: [&str; 3] = ["get", "list", "watch"];

/// A config of the Rollout `m` of a namespace, as one identity of the cluster; `control` continues its `[control]`.
/// Journal and config go with the folder.
pub fn config(cluster: &Cluster, namespace: &Namespace, control: &str) -> (tempfile::TempDir, PathBuf) {
    let name = &namespace.name;
    let (folder, path) = file("");
    let text = format!(
        "environment = \"lab\"\nrefresh = \"1s\"\n{}\n[control]\nfolder = {:?}\n{control}\n\
         [[model]]\nname = \"m\"\nnamespace = \"{name}\"\n[model.rollout]\nsystem = \"lab\"\nkind = \"rollout\"\n",
        cluster.section(&[name]),
        folder.path().join("journal"),
    );
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

/// Presses every key of an act, and the one that asks anew; says yes to whatever that opens, and closes it.
pub fn press_all(session: &mut Session) {
    for key in ["A", "P", "F", "R", "H", "Y", "W", "r"] {
        for key in [key, ENTER, ESC] {
            session.keys(key);
            session.settle();
        }
    }
}

/// The requests of a user in the API server's own log, of the lines that contain `part`. The last line may be half
/// written.
pub fn requests(log: &str, user: &str, part: &str) -> Vec<Value> {
    let lines = log.lines().filter(|line| line.contains(part));
    let requests = lines.filter_map(|line| serde_json::from_str(line).ok());
    requests.filter(|request: &Value| request["user"]["username"] == user).collect()
}
