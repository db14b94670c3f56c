//! Any URL that answers 2xx when well; its body does not matter.

use super::Probe;
use crate::domain::{Fault, Readiness};
use crate::sources::http::{Answer, Http, error_text};

/// Asks the URL itself.
pub async fn probe(server: &Http) -> Result<Probe, Fault> {
    readiness(server.get("", &[]).await?)
}

/// 2xx is ready; a server's own 500 or 503 says that it lives and is not well.
pub(super) fn readiness(answer: Answer) -> Result<Probe, Fault> {
    let took = answer.took_ms;
    match answer.status {
        200..=299 => Ok(Probe::new(Readiness::Ready, took)),
        500 | 503 if !answer.is_page() => {
            let said = error_text(&answer.body);
            let words = format!("status {}: {said}", answer.status);
            Ok(Probe::new(Readiness::NotReady, took).because(words.trim_end_matches([':', ' '])))
        }
        _ => Err(answer.fault()),
    }
}
