//! What is wrong with an API server, in words, and whether a request can have reached it.

use std::error::Error;

use super::answer::Answer;
use crate::cluster::trouble;
use crate::domain::{Fault, FaultKind};

/// A failed request as a fault.
pub fn of(server: &str, error: &kube::Error) -> Fault {
    let kube::Error::Api(status) = error else { return trouble::of(error, server) };
    let answer = Answer::read(status.code, &serde_json::to_vec(status).unwrap_or_default(), None);
    match answer.code {
        // What is refused here is a patch that was tried, and the server's words say why.
        400 | 409 | 415 | 422 => {
            Fault::new(FaultKind::Refused, format!("{server}: {}, {}", answer.code, answer.message))
        }
        403 => Fault::new(FaultKind::Denied, format!("{server}: 403, {}", answer.message))
            .advise("ask for a role that may do this"),
        code => trouble::of_status(code, &answer.message, server),
    }
}

/// Whether the request cannot have reached the server: there was no connection, or no credentials to send.
pub fn before_sending(error: &kube::Error) -> bool {
    match error {
        kube::Error::Auth(_) | kube::Error::BuildRequest(_) | kube::Error::TlsRequired => true,
        // The HTTP client names the phase; everything after the connection may have arrived.
        error => chain(error).any(|cause| cause.to_string().starts_with("client error (Connect)")),
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut causes = vec![error];
    let mut last = error;
    while let Some(cause) = source(last) {
        causes.push(cause);
        last = cause;
    }
    causes.into_iter()
}

/// The source of an io::Error is its inner error's source: the inner one itself would be skipped.
fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
}
