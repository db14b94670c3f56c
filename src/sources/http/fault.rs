//! Tells apart what can go wrong below HTTP: name, connection, TLS, deadline, a broken answer.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use url::Url;

use super::place;
use crate::domain::{Fault, FaultKind};

/// Connected, but not done in time; `received` bytes of the body came.
pub fn hung(base: &Url, timeout: Duration, received: usize) -> Fault {
    let (place, limit) = (place(base), seconds(timeout));
    let detail = match received {
        0 => format!("{place}: no answer within {limit}"),
        n => format!("{place}: the answer was not complete after {limit}, {n} bytes came"),
    };
    Fault::new(FaultKind::Hung, detail).advise("is the process stopped or overloaded? else raise its timeout")
}

/// More bytes than allowed.
pub fn too_large(base: &Url, max_bytes: u64) -> Fault {
    let detail = format!("{}: the answer is larger than {}", place(base), size(max_bytes));
    Fault::new(FaultKind::TooLarge, detail).advise("narrow the question, or raise max_answer_mib")
}

/// A fault from sending or from waiting for the head of the answer.
pub fn of(error: &reqwest::Error, base: &Url) -> Fault {
    let place = place(base);
    let cause = innermost(error);
    if error.is_dns() || texts(error).any(|text| text.contains("dns error")) {
        let host = base.host_str().unwrap_or_default();
        return Fault::new(FaultKind::NoName, format!("{host} does not resolve"))
            .advise("check the url, the resolver and the VPN");
    }
    if error.is_timeout() {
        return Fault::new(FaultKind::Hung, format!("{place}: no connection within the deadline"))
            .advise("a firewall that drops, a host that is off, or a process that no longer accepts");
    }
    if let Some(tls) = tls_cause(error, base) {
        return Fault::new(FaultKind::Tls, format!("{place}: {tls}")).advise(tls_remedy(&tls));
    }
    if error.is_builder() {
        return Fault::new(FaultKind::Refused, format!("{place}: {cause}")).advise("check the url");
    }
    let io = io_kinds(error).next();
    match io {
        Some(ErrorKind::ConnectionRefused) => {
            Fault::new(FaultKind::Down, format!("{place}: connection refused"))
                .advise("is it running, and is the port right?")
        }
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => {
            Fault::new(FaultKind::Down, format!("{place}: connection reset"))
        }
        _ if error.is_connect() => Fault::new(FaultKind::Down, format!("{place}: cannot connect: {cause}")),
        _ if texts(error).any(|text| text.contains("closed before message completed")) => {
            Fault::new(FaultKind::Down, format!("{place}: closed the connection without an answer"))
        }
        _ if texts(error).any(|text| text.contains("invalid HTTP")) => {
            Fault::new(FaultKind::Unreadable, format!("{place}: the answer is not HTTP"))
                .advise("is this port https, gRPC or another protocol?")
        }
        _ => Fault::new(FaultKind::Down, format!("{place}: {cause}")),
    }
}

/// A fault from reading the body after `received` bytes.
pub fn of_body(error: &reqwest::Error, base: &Url, received: usize) -> Fault {
    let place = place(base);
    let broken = error.is_decode() && io_kinds(error).all(|kind| kind != ErrorKind::UnexpectedEof);
    if broken && texts(error).any(|text| text.contains("gzip") || text.contains("deflate")) {
        return Fault::new(FaultKind::Unreadable, format!("{place}: the compression is broken"));
    }
    Fault::new(FaultKind::CutShort, format!("{place}: the answer broke off after {received} bytes"))
        .advise("a proxy or the server closed the connection; look at its log")
}

/// Why TLS failed, in words; `None` when it did not.
fn tls_cause(error: &reqwest::Error, base: &Url) -> Option<String> {
    if let Some(tls) = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return Some(tls.to_string());
    }
    let eof = error.is_connect() && io_kinds(error).any(|kind| kind == ErrorKind::UnexpectedEof);
    (base.scheme() == "https" && eof).then(|| "closed the connection during the TLS handshake".into())
}

fn tls_remedy(cause: &str) -> &'static str {
    if cause.contains("UnknownIssuer") || cause.contains("CaUsedAsEndEntity") {
        "signed by a CA that this machine does not know: set access.ca_file"
    } else if cause.contains("NotValidForName") {
        "the certificate is for another name: use that name in the url"
    } else if cause.contains("xpired") {
        "renew the server's certificate"
    } else {
        "does this port speak https? a private CA goes into access.ca_file"
    }
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        // The source of an io::Error is its inner error's source: the inner one itself would be skipped.
        let inner = cause.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        next = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| cause.source());
    }
    causes.into_iter()
}

fn texts(error: &reqwest::Error) -> impl Iterator<Item = String> {
    chain(error).map(ToString::to_string)
}

fn io_kinds(error: &reqwest::Error) -> impl Iterator<Item = ErrorKind> {
    chain(error).filter_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind)
}

/// The deepest cause: the outer ones repeat the URL, which may hold credentials.
fn innermost(error: &reqwest::Error) -> String {
    texts(error).last().unwrap_or_else(|| "failed".into())
}

fn seconds(span: Duration) -> String {
    format!("{} s", (span.as_secs_f64() * 10.0).round() / 10.0)
}

fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{bytes} bytes"),
        mib => format!("{mib} MiB"),
    }
}
