//! What an API server or the way to it said, as a fault. Tokens and plugin output never get in.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use kube::client::AuthError;

use crate::domain::text::clean;
use crate::domain::{Fault, FaultKind};

/// No answer in time.
pub fn hung(place: &str, timeout: Duration) -> Fault {
    let limit = (timeout.as_secs_f64() * 10.0).round() / 10.0;
    Fault::new(FaultKind::Hung, format!("{place}: no answer within {limit} s"))
        .advise("is the API server overloaded, or the tunnel dead? else raise timeout of the [[cluster]]")
}

/// The HTTP status of an answer, when there was one.
pub fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// A failed request, in words. `what` says where or what was asked, without credentials.
pub fn of(error: &kube::Error, what: &str) -> Fault {
    match error {
        kube::Error::Api(status) => of_status(status.code, &status.message, what),
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
            Fault::new(FaultKind::Unreadable, format!("{what}: the answer is not what an API server sends"))
                .advise("is a proxy or a login page in between?")
        }
        kube::Error::RustlsTls(_) => {
            Fault::new(FaultKind::Tls, format!("{what}: the certificates of the kubeconfig cannot be used"))
                .advise("look at certificate-authority and the client certificate in the kubeconfig")
        }
        kube::Error::ProxyProtocolDisabled { .. } | kube::Error::ProxyProtocolUnsupported { .. } => {
            Fault::new(FaultKind::Refused, format!("{what}: proxies to an API server are not supported"))
                .advise("remove proxy-url from the kubeconfig, or HTTPS_PROXY for this host")
        }
        other => of_chain(other, what),
    }
}

/// A status that the API server answered with.
pub fn of_status(code: u16, message: &str, what: &str) -> Fault {
    let said = clean(message, 300);
    match code {
        401 => Fault::new(
            FaultKind::Denied,
            format!("{what}: 401, the credentials are not accepted or have expired"),
        )
        .advise("log in again; the kubeconfig is read anew at the next try"),
        403 => Fault::new(FaultKind::Denied, format!("{what}: 403, {said}"))
            .advise("ask for a role that may get, list and watch it"),
        404 => Fault::new(FaultKind::Absent, format!("{what}: 404, {said}")),
        429 => Fault::new(FaultKind::Status, format!("{what}: 429, the API server asks to wait")),
        _ => Fault::new(FaultKind::Status, format!("{what}: {code}, {said}")),
    }
}

fn of_chain(error: &(dyn Error + 'static), what: &str) -> Fault {
    let chain = causes(error);
    if let Some(auth) = chain.iter().find_map(|cause| cause.downcast_ref::<AuthError>()) {
        return of_auth(auth, what);
    }
    if let Some(tls) = chain.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return of_tls(&tls.to_string(), what);
    }
    let text = |needle: &str| chain.iter().any(|cause| cause.to_string().contains(needle));
    if text("dns error") || text("failed to lookup address") {
        return Fault::new(FaultKind::NoName, format!("{what}: the API server's name does not resolve"))
            .advise("check the kubeconfig, the resolver and the VPN");
    }
    let io =
        chain.iter().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    for kind in io {
        match kind {
            ErrorKind::ConnectionRefused => {
                return Fault::new(FaultKind::Down, format!("{what}: connection refused"))
                    .advise("is the API server running, and is the tunnel up?");
            }
            ErrorKind::TimedOut => {
                return Fault::new(
                    FaultKind::Hung,
                    format!("{what}: no connection or answer within the deadline"),
                )
                .advise("a firewall that drops, a host that is off, or a dead tunnel");
            }
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
                return Fault::new(FaultKind::Down, format!("{what}: connection reset"));
            }
            ErrorKind::UnexpectedEof => {
                return Fault::new(FaultKind::CutShort, format!("{what}: the answer broke off"));
            }
            _ => {}
        }
    }
    if text("deadline has elapsed") || text("timed out") {
        return Fault::new(FaultKind::Hung, format!("{what}: no connection or answer within the deadline"));
    }
    if text("invalid URI") || text("unsupported scheme") {
        return Fault::new(FaultKind::Refused, format!("{what}: the server's URL cannot be used"))
            .advise("look at server in the kubeconfig");
    }
    Fault::new(FaultKind::Down, format!("{what}: the connection failed"))
        .advise("`kubectl version` with the same context says more")
}

fn of_tls(cause: &str, what: &str) -> Fault {
    let remedy = if cause.contains("UnknownIssuer") || cause.contains("BadSignature") {
        "signed by another authority than the kubeconfig's: has the cluster been made anew?"
    } else if cause.contains("NotValidForName") {
        "the certificate is for another name: set tls-server-name in the kubeconfig"
    } else if cause.contains("xpired") {
        "a certificate has expired: renew it"
    } else {
        "does this port speak https?"
    };
    Fault::new(FaultKind::Tls, format!("{what}: {cause}")).advise(remedy)
}

fn of_auth(error: &AuthError, what: &str) -> Fault {
    let denied = |text: String| Fault::new(FaultKind::Denied, format!("{what}: {text}"));
    match error {
        AuthError::AuthExecStart(cause) => {
            denied(format!("the credential plugin cannot be started: {cause}"))
                .advise("install it, or look at exec.command in the kubeconfig")
        }
        AuthError::AuthExecRun { out, .. } => {
            // Its standard output is where the token goes; of its complaints the last line is enough.
            let complaint = String::from_utf8_lossy(&out.stderr);
            let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let last = without_secrets(last);
            let code = out.status.code().map_or_else(|| "a signal".into(), |code| code.to_string());
            denied(format!("the credential plugin ended with {code}: {}", clean(&last, 200)))
                .advise("log in with it once in a shell")
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => {
            denied("the credential plugin's answer holds no credential".into())
                .advise("run it once in a shell")
        }
        AuthError::MissingCommand | AuthError::ExecMissingClusterInfo => {
            denied("exec of the user is not complete in the kubeconfig".into())
        }
        AuthError::ReadTokenFile(cause, path) => {
            denied(format!("cannot read the token file {}: {}", path.display(), cause.kind()))
        }
        _ => denied("the credentials of the kubeconfig cannot be used".into())
            .advise("try `kubectl version` with the same context"),
    }
}

/// A line in which every word that could be a token is left out.
fn without_secrets(line: &str) -> String {
    let long = |word: &str| {
        word.chars().filter(|c| c.is_ascii_alphanumeric()).count() >= 24
            && !word.contains("://")
            && !word.contains('/')
    };
    line.split(' ').map(|word| if long(word) { "…" } else { word }).collect::<Vec<_>>().join(" ")
}

/// An error and everything beneath it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut chain = vec![error];
    let mut next = error.source();
    while let Some(cause) = next {
        chain.push(cause);
        // The source of an io::Error is its inner error's source: the inner one itself would be skipped.
        let inner = cause.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        next = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| cause.source());
        if chain.len() > 16 {
            break;
        }
    }
    chain
}
