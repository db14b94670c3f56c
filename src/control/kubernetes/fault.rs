//! What is wrong with an API server, in words, and whether a request can have reached it.

use std::error::Error;
use std::io::ErrorKind;

use super::answer::Answer;
use crate::domain::{Fault, FaultKind};

/// A failed request as a fault.
pub fn of(server: &str, error: &kube::Error) -> Fault {
    match error {
        kube::Error::Api(status) => {
            let body = serde_json::to_vec(status).unwrap_or_default();
            of_answer(server, &Answer::read(status.code, &body, None))
        }
        kube::Error::Auth(error) => {
            Fault::new(FaultKind::Denied, format!("{server}: no credentials: {}", innermost(error)))
                .advise("sign in again, or mend the kubeconfig's user")
        }
        error => below_http(server, error),
    }
}

fn of_answer(server: &str, answer: &Answer) -> Fault {
    let Answer { code, message, .. } = answer;
    let (kind, remedy) = match code {
        401 => (FaultKind::Denied, "the credentials have ended or are not known: sign in again"),
        403 => (FaultKind::Denied, "ask for a role that may do this"),
        404 => (FaultKind::Absent, ""),
        400 | 405 | 409 | 415 | 422 => (FaultKind::Refused, ""),
        _ => (FaultKind::Status, ""),
    };
    Fault::new(kind, format!("{server} answered {code}: {message}")).advise(remedy)
}

fn below_http(server: &str, error: &kube::Error) -> Fault {
    let words = innermost(error);
    let io =
        chain(error).filter_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    let kinds: Vec<ErrorKind> = io.collect();
    if chain(error).any(|cause| cause.is::<rustls::Error>()) {
        return Fault::new(FaultKind::Tls, format!("{server}: {words}"))
            .advise("check the kubeconfig's certificate-authority-data");
    }
    let texts = || chain(error).map(ToString::to_string);
    if texts().any(|text| text.contains("dns error")) {
        return Fault::new(FaultKind::NoName, format!("{server} does not resolve"))
            .advise("check the kubeconfig's server, the resolver and the VPN");
    }
    if kinds.contains(&ErrorKind::ConnectionRefused) {
        return Fault::new(FaultKind::Down, format!("{server}: connection refused"));
    }
    if kinds.contains(&ErrorKind::TimedOut) {
        return Fault::new(FaultKind::Hung, format!("{server}: no connection within the deadline"));
    }
    Fault::new(FaultKind::Down, format!("{server}: {words}"))
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

/// The deepest cause: the outer ones repeat addresses and say little.
fn innermost<'a>(error: &'a (dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}
