//! Open Inference Protocol v2: MLServer, KServe, Triton.

use serde::Deserialize;

use super::{Probe, wrong_protocol};
use crate::domain::text::clean_name;
use crate::domain::{Fault, Readiness, Version};
use crate::sources::http::{Answer, Http, error_text, segment};

/// Asks whether the model is ready: a server may be ready with no model loaded, so the model is asked.
pub async fn probe(server: &Http, model: &str) -> Result<Probe, Fault> {
    let answer = server.get(&format!("v2/models/{}/ready", segment(model)), &[]).await?;
    readiness(answer)
}

/// Software and version, when the server tells.
pub async fn server(server: &Http) -> Option<String> {
    server.get("v2", &[]).await.ok().and_then(|answer| software(&answer))
}

/// The versions that the server holds of a model: none when it does not tell, `None` when it did not answer.
pub async fn versions(server: &Http, model: &str, ready: bool) -> Option<Vec<Version>> {
    if !ready {
        return Some(Vec::new());
    }
    let answer = server.get(&format!("v2/models/{}", segment(model)), &[]).await.ok()?;
    held(&answer)
}

#[derive(Deserialize)]
struct ReadyBody {
    ready: Option<bool>,
}

/// MLServer answers 200 with an empty body, kserve with `{name, ready}`; not ready is 400 (MLServer,
/// Triton) or 503 (kserve); an absent or unloaded model is 404 with `{error}`.
pub(super) fn readiness(answer: Answer) -> Result<Probe, Fault> {
    let took = answer.took_ms;
    let said = || error_text(&answer.body);
    match answer.status {
        200..=299 => {
            answer.refuse_page()?;
            let ready = answer.json::<ReadyBody>().ok().and_then(|body| body.ready);
            Ok(match ready {
                Some(false) => Probe::new(Readiness::NotReady, took).because("the model is not ready"),
                _ => Probe::new(Readiness::Ready, took),
            })
        }
        404 if tells_error(&answer) => Ok(Probe::new(Readiness::Absent, took).because(said())),
        404 => Err(wrong_protocol(&answer.place, "no Open Inference Protocol here (404)")),
        400 | 503 if !answer.is_page() => {
            let words = Some(said()).filter(|said| !said.is_empty());
            let words = words.unwrap_or_else(|| format!("not ready: status {}", answer.status));
            Ok(Probe::new(Readiness::NotReady, took).because(words))
        }
        _ => Err(answer.fault()),
    }
}

/// Whether a 404 speaks of a model (`{"error": …}`) and not of an unknown path (`{"detail": …}`, a page).
fn tells_error(answer: &Answer) -> bool {
    let body: Option<serde_json::Value> = answer.json().ok();
    body.is_some_and(|body| body.get("error").is_some())
}

#[derive(Deserialize)]
struct ServerBody {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
}

pub(super) fn software(answer: &Answer) -> Option<String> {
    let body: ServerBody = answer.clone().ok().ok()?.json().ok()?;
    let text = clean_name(format!("{} {}", body.name, body.version).trim());
    (!text.is_empty()).then_some(text)
}

#[derive(Deserialize)]
struct ModelBody {
    versions: Option<Vec<serde_json::Value>>,
}

pub(super) fn held(answer: &Answer) -> Option<Vec<Version>> {
    let body: ModelBody = answer.clone().ok().ok()?.json().ok()?;
    let mut versions: Vec<Version> = body
        .versions
        .unwrap_or_default()
        .iter()
        .take(100)
        .filter_map(|version| match version {
            serde_json::Value::String(text) => Some(Version::new(text)),
            serde_json::Value::Number(number) => Some(Version::new(&number.to_string())),
            _ => None,
        })
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    Some(versions)
}
