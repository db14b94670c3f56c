//! Writes entries into Grafana as annotations: one an entry, and none twice.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::out;
use crate::cli::stage;
use crate::config::{Access, Auth, Secret};
use crate::domain::Fault;
use crate::domain::incident::{Entry, Incident};
use crate::domain::text::clean;
use crate::report::{event, evidence, kind};
use crate::sources::http::{Http, Method};

/// The deadline of one request.
const DEADLINE: Duration = Duration::from_secs(10);
/// The largest answer, bytes.
const LARGEST: u64 = 16 << 20;
/// How many annotations of one incident are looked at, so that none is written twice.
const MOST: usize = 10_000;
/// The longest text of an annotation, in characters.
const LONGEST: usize = 1_000;
/// Grafana's path of annotations.
const PATH: &str = "api/annotations";

/// An annotation that is there.
#[derive(Debug, Deserialize)]
struct There {
    #[serde(default)]
    tags: Vec<String>,
}

/// How Grafana is reached: the token is named, never held here.
pub fn access(file: Option<&Path>, variable: &str, ca_file: Option<&Path>) -> Access {
    let token = match file {
        Some(path) => Secret::File(path.to_owned()),
        None => Secret::Env(variable.to_owned()),
    };
    Access { auth: Some(Auth::Bearer(token)), ca_file: ca_file.map(Path::to_owned) }
}

/// Pushes every entry that is not there yet.
pub fn run(incident: &Incident, url: &Url, access: &Access) -> Result<u8, String> {
    let token = "give the token with --token-file or in the environment variable of --token-env";
    let http = Http::writing(url, access, DEADLINE, LARGEST).map_err(|fault| format!("{fault}; {token}"))?;
    let mut sent = 0;
    let done = stage::runtime()?.block_on(push(&http, incident, &mut sent));
    let all = incident.entries.len();
    match done {
        Ok(there) => {
            out::say(&format!(
                "{sent} of {all} entries written to {}, {there} were there already",
                http.place()
            ));
            Ok(0)
        }
        Err(fault) => Err(format!(
            "Grafana, after {sent} of {all} entries: {fault}; repair that and push again: what is there is not written \
             twice"
        )),
    }
}

async fn push(http: &Http, incident: &Incident, sent: &mut usize) -> Result<usize, Fault> {
    let there = there(http, incident).await?;
    let mut passed = 0;
    for entry in &incident.entries {
        if there.contains(&mark(entry)) {
            passed += 1;
            continue;
        }
        let answer = http.write(Method::POST, PATH, &[], &annotation(entry), "").await?.ok()?;
        // A login page with status 200 is no annotation.
        answer.refuse_page()?;
        *sent += 1;
    }
    Ok(passed)
}

/// The marks of the entries that are there.
async fn there(http: &Http, incident: &Incident) -> Result<BTreeSet<String>, Fault> {
    let limit = MOST.to_string();
    let query = [("tags", "wardroom"), ("tags", incident.id.0.as_str()), ("limit", limit.as_str())];
    let found: Vec<There> = http.get(PATH, &query).await?.ok()?.json()?;
    let tags = found.into_iter().flat_map(|one| one.tags);
    Ok(tags.filter(|tag| tag.starts_with(MARK)).collect())
}

/// What a tag with an entry's name begins with.
const MARK: &str = "entry:";

fn mark(entry: &Entry) -> String {
    format!("{MARK}{}", clean(&entry.id.0, 200))
}

fn annotation(entry: &Entry) -> serde_json::Value {
    let at = entry.happened.timestamp_millis();
    let words = [event(entry), evidence(entry)].join("\n");
    json!({
        "time": at,
        "timeEnd": at,
        "tags": ["wardroom", entry.incident, kind(&entry.matter), mark(entry)],
        "text": escaped(&words),
    })
}

/// Grafana draws the text of an annotation as HTML.
fn escaped(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| clean(line, LONGEST)).collect();
    lines.join("\n").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
