//! BentoML: readiness and, when that fails, liveness.

use super::{Probe, wrong_protocol};
use crate::domain::{Fault, Readiness};
use crate::sources::http::{Answer, Http, error_text};

/// Asks whether the service is ready, and whether it lives when it is not.
pub async fn probe(server: &Http) -> Result<Probe, Fault> {
    let ready = server.get("readyz", &[]).await?;
    if ready.status != 503 {
        return readiness(ready, false);
    }
    let lives = server.get("livez", &[]).await.is_ok_and(|answer| answer.is_success());
    readiness(ready, lives)
}

/// 200 when ready; 503 while starting or when a part of it failed.
pub(super) fn readiness(answer: Answer, lives: bool) -> Result<Probe, Fault> {
    let took = answer.took_ms;
    match answer.status {
        200..=299 => {
            answer.refuse_page()?;
            Ok(Probe::new(Readiness::Ready, took))
        }
        503 if lives || !answer.is_page() => {
            let said = error_text(&answer.body);
            let state = if lives { "alive, not ready" } else { "not ready" };
            let words = if said.is_empty() { state.to_owned() } else { format!("{state}: {said}") };
            Ok(Probe::new(Readiness::NotReady, took).because(words))
        }
        404 => Err(wrong_protocol(&answer.place, "no BentoML service here (404)")),
        _ => Err(answer.fault()),
    }
}
