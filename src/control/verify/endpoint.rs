//! Asks the model's servers themselves: which version answers, and whether it predicts what was recorded.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::super::Seen;
use super::samples::{self, Sample};
use crate::config::Config;
use crate::config::model::Protocol;
use crate::config::validate::instance_name;
use crate::domain::{ModelId, Version};
use crate::sources::http::{Http, segment};

/// One answer may take so long; a look must not wait for a hung server.
const LONGEST: Duration = Duration::from_secs(2);
/// An answer to a probe is small.
const MAX_BYTES: u64 = 4 << 20;
/// How many questions one look asks, when the config does not say.
const PROBES: u32 = 5;
/// How many samples one look asks for.
const SAMPLES: usize = 10;

/// One server.
struct Server {
    name: String,
    http: Http,
    on_server: String,
    speaks_oip: bool,
}

/// The servers of one model, and what is expected of them.
pub(super) struct Prober {
    version: Version,
    servers: Vec<Server>,
    /// Why servers are missing here, in words.
    trouble: Vec<String>,
    samples: Result<Vec<Sample>, String>,
    tolerance: f64,
    probes: u32,
}

/// What one server answered.
enum Said {
    Right,
    Other(String),
    Silent(String),
    Untold,
}

impl Prober {
    /// Reads files and secrets: not on a task that must not wait.
    pub(super) fn new(config: &Config, model: &ModelId, version: &Version) -> Self {
        let mut prober = Self {
            version: version.clone(),
            servers: Vec::new(),
            trouble: Vec::new(),
            samples: Err("set model.verify.samples to compare predictions".into()),
            tolerance: 1e-6,
            probes: PROBES,
        };
        let is_it = |name: &str, namespace: &str| *name == *model.name && *namespace == *model.namespace;
        let Some(found) = config.model.iter().find(|one| is_it(&one.name, &one.namespace)) else {
            return prober;
        };
        if let Some(verify) = &found.verify {
            prober.tolerance = verify.tolerance.unwrap_or(prober.tolerance);
            prober.probes = verify.probes.unwrap_or(PROBES).clamp(1, 100);
            if let Some(path) = &verify.samples {
                prober.samples = samples::read(path, version);
            }
        }
        for (index, endpoint) in found.endpoint.iter().enumerate() {
            // A server that always serves another version is out of this: traffic is moved before it.
            if endpoint.version.as_deref().is_some_and(|fixed| fixed != version.as_str()) {
                continue;
            }
            let name = endpoint.name.clone().unwrap_or_else(|| instance_name(&found.name, index));
            let timeout = config.deadline(endpoint.timeout).min(LONGEST);
            match Http::new(&endpoint.url, &endpoint.access, timeout, MAX_BYTES) {
                Ok(http) => prober.servers.push(Server {
                    name,
                    http,
                    on_server: endpoint.model.clone().unwrap_or_else(|| found.name.clone()),
                    speaks_oip: endpoint.protocol == Protocol::Oip,
                }),
                Err(fault) => prober.trouble.push(format!("{name}: {fault}")),
            }
        }
        prober
    }

    /// Whether every server answers with the version.
    pub(super) async fn version(&self) -> (Seen, String) {
        let asked: Vec<&Server> = self.servers.iter().filter(|server| server.speaks_oip).collect();
        if let Some(trouble) = self.trouble.first() {
            return (Seen::NotYet, trouble.clone());
        }
        if asked.is_empty() {
            let words = "no endpoint that tells its version: add [[model.endpoint]] with protocol = \"oip\"";
            return (Seen::Nothing, words.into());
        }
        let each = (self.probes as usize).div_ceil(asked.len()).clamp(1, 20);
        let probes = asked.iter().flat_map(|server| (0..each).map(|_| self.ask(server)));
        let said = join_all(probes).await;
        let all = said.len();
        let right = said.iter().filter(|(_, said)| matches!(said, Said::Right)).count();
        let first = said.iter().find_map(|(server, said)| match said {
            Said::Other(other) => Some(format!("{server} {other}")),
            Said::Silent(why) => Some(format!("{server}: {why}")),
            Said::Right | Said::Untold => None,
        });
        let words = format!("{right} of {all} probes of {} servers {}", asked.len(), self.version);
        match first {
            Some(first) => (Seen::NotYet, format!("{words}; {first}")),
            None if right == 0 => (Seen::Nothing, "the endpoints do not tell which version answers".into()),
            None => (Seen::Yes, words),
        }
    }

    async fn ask<'a>(&self, server: &'a Server) -> (&'a str, Said) {
        // A prediction tells which version really answers; a description only which ones are loaded.
        let sample = self.samples.as_ref().ok().and_then(|samples| samples.first());
        if let Some(sample) = sample {
            let said = match infer(server, sample).await {
                Ok(answer) => match answered_by(&answer) {
                    Some(version) if version == self.version => Said::Right,
                    Some(version) => Said::Other(format!("answers with {version}")),
                    None => self.describe(server).await,
                },
                Err(why) => Said::Silent(why),
            };
            return (&server.name, said);
        }
        (&server.name, self.describe(server).await)
    }

    async fn describe(&self, server: &Server) -> Said {
        let path = format!("v2/models/{}", segment(&server.on_server));
        let body: Value = match server.http.get(&path, &[]).await.and_then(|answer| answer.ok()?.json()) {
            Ok(body) => body,
            Err(fault) => return Said::Silent(fault.to_string()),
        };
        let loaded: Vec<Version> = body
            .get("versions")
            .and_then(Value::as_array)
            .map(|versions| versions.iter().take(100).filter_map(version).collect())
            .unwrap_or_default();
        match loaded.as_slice() {
            [] => Said::Untold,
            [one] if *one == self.version => Said::Right,
            many => {
                let names: Vec<&str> = many.iter().take(5).map(Version::as_str).collect();
                Said::Other(format!("holds {}", names.join(", ")))
            }
        }
    }

    /// Whether every server predicts what was recorded.
    pub(super) async fn samples(&self) -> (Seen, String) {
        let samples = match &self.samples {
            Ok(samples) if samples.is_empty() => {
                return (Seen::Nothing, format!("no sample is recorded of {}", self.version));
            }
            Ok(samples) => samples,
            Err(why) => return (Seen::Nothing, why.clone()),
        };
        let asked: Vec<&Server> = self.servers.iter().filter(|server| server.speaks_oip).collect();
        if asked.is_empty() {
            return (Seen::Nothing, "no endpoint with protocol = \"oip\" to ask".into());
        }
        let questions = asked
            .iter()
            .flat_map(|server| samples.iter().take(SAMPLES).map(|sample| self.compare(server, sample)));
        let said = join_all(questions).await;
        let all = said.len();
        let equal = said.iter().filter(|(said, _)| *said == Seen::Yes).count();
        let words = format!("{equal} of {all} predictions equal");
        let worst = said.into_iter().filter(|(said, _)| *said != Seen::Yes);
        match worst.max_by_key(|(said, _)| *said == Seen::No) {
            None => (Seen::Yes, words),
            Some((seen, why)) => (seen, format!("{words}; {why}")),
        }
    }

    async fn compare(&self, server: &Server, sample: &Sample) -> (Seen, String) {
        let answer = match infer(server, sample).await {
            Ok(answer) => answer,
            Err(why) => return (Seen::NotYet, format!("{}: {why}", server.name)),
        };
        let by = answered_by(&answer);
        if let Some(other) = by.as_ref().filter(|by| **by != self.version) {
            return (Seen::NotYet, format!("{} answers with {other}", server.name));
        }
        match samples::differs(&answer, sample, self.tolerance) {
            None => (Seen::Yes, String::new()),
            // By its own word it is the right version, and it predicts otherwise.
            Some(why) if by.is_some() => (Seen::No, format!("{}: {why}", server.name)),
            Some(why) => (Seen::NotYet, format!("{}: {why}", server.name)),
        }
    }
}

async fn infer(server: &Server, sample: &Sample) -> Result<Value, String> {
    let path = format!("v2/models/{}/infer", segment(&server.on_server));
    let question = json!({ "inputs": sample.inputs });
    let answer = server.http.post_json(&path, &question).await.and_then(|answer| answer.ok()?.json());
    answer.map_err(|fault| fault.to_string())
}

fn answered_by(answer: &Value) -> Option<Version> {
    answer.get("model_version").and_then(version)
}

fn version(value: &Value) -> Option<Version> {
    match value {
        Value::String(text) if !text.is_empty() => Some(Version::new(text)),
        Value::Number(number) => Some(Version::new(&number.to_string())),
        _ => None,
    }
}
