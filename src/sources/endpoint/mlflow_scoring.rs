//! `mlflow models serve`: a ping and a version, no metrics.

use super::{Probe, wrong_protocol};
use crate::domain::text::clean;
use crate::domain::{Fault, Readiness};
use crate::sources::http::{Answer, Http};

/// Asks whether the model is loaded.
pub async fn probe(server: &Http) -> Result<Probe, Fault> {
    readiness(server.get("ping", &[]).await?)
}

/// MLflow's version: plain text, though it comes as `text/html`.
pub async fn server(server: &Http) -> Option<String> {
    server.get("version", &[]).await.ok().and_then(|answer| software(&answer))
}

/// 200 with a newline when the model is loaded; older servers answer 404 with no body when it is not.
pub(super) fn readiness(answer: Answer) -> Result<Probe, Fault> {
    let took = answer.took_ms;
    let is_blank = answer.body.iter().all(u8::is_ascii_whitespace);
    match answer.status {
        200..=299 if answer.body.trim_ascii_start().first() == Some(&b'<') => {
            answer.refuse_page()?;
            Ok(Probe::new(Readiness::Ready, took))
        }
        200..=299 => Ok(Probe::new(Readiness::Ready, took)),
        404 | 503 if is_blank => Ok(Probe::new(Readiness::NotReady, took).because("the model is not loaded")),
        404 => Err(wrong_protocol(&answer.place, "no MLflow scoring server here (404)")),
        _ => Err(answer.fault()),
    }
}

pub(super) fn software(answer: &Answer) -> Option<String> {
    let text = answer.text();
    let version = text.trim();
    let plain =
        answer.is_success() && version.len() <= 40 && version.starts_with(|c: char| c.is_ascii_digit());
    plain.then(|| clean(&format!("mlflow {version}"), 60))
}
