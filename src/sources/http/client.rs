//! Builds HTTP clients: one for all servers that are reached alike, so 20,000 targets share one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use reqwest::redirect::{Action, Attempt, Policy};
use url::{Host, Url};

use crate::domain::{Fault, FaultKind};

/// Chooses the TLS provider of the process. Must run before the first client; runs as often as one likes.
pub fn install_tls() {
    // An error means that a provider is there already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// What makes two clients different.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    /// Loading the system's roots costs milliseconds and memory, so plain HTTP does without.
    tls: bool,
    ca_file: Option<PathBuf>,
    loopback: bool,
    /// A redirected write would be sent twice, or come back as a read with status 200.
    follows: bool,
    connect: Duration,
}

static CLIENTS: LazyLock<Mutex<HashMap<Kind, reqwest::Client>>> = LazyLock::new(Mutex::default);

/// The client for a server, made once for each way of reaching servers.
pub fn shared(
    base: &Url,
    ca_file: Option<&Path>,
    timeout: Duration,
    follows: bool,
) -> Result<reqwest::Client, Fault> {
    let kind = Kind {
        tls: base.scheme() == "https",
        ca_file: ca_file.map(Path::to_owned),
        loopback: is_loopback(base),
        follows,
        connect: timeout.min(Duration::from_secs(5)),
    };
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = clients.get(&kind) {
        return Ok(client.clone());
    }
    let client = build(&kind)?;
    clients.insert(kind, client.clone());
    Ok(client)
}

fn build(kind: &Kind) -> Result<reqwest::Client, Fault> {
    install_tls();
    let redirects = if kind.follows { Policy::custom(same_origin) } else { Policy::none() };
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("wardroom/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(kind.connect)
        .pool_max_idle_per_host(2)
        .pool_idle_timeout(Duration::from_secs(60))
        .referer(false)
        .redirect(redirects);
    if kind.loopback {
        // A proxy is never between us and this machine.
        builder = builder.no_proxy();
    }
    builder = match &kind.ca_file {
        Some(path) => builder.tls_certs_merge(certificates(path)?),
        None if kind.tls => builder,
        None => builder.tls_certs_only([]),
    };
    builder.build().map_err(|error| {
        Fault::new(FaultKind::Tls, format!("cannot set up TLS: {error}"))
            .advise("install the system's CA certificates, or set access.ca_file")
    })
}

fn same_origin(attempt: Attempt<'_>) -> Action {
    let same = attempt.previous().last().is_some_and(|last| last.origin() == attempt.url().origin());
    if same && attempt.previous().len() <= 3 { attempt.follow() } else { attempt.stop() }
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, Fault> {
    let shown = path.display();
    let wrong = |what: String| {
        Fault::new(FaultKind::File, what).advise("access.ca_file must be a PEM file with CA certificates")
    };
    let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot read {shown}: {error}")))?;
    let certificates = reqwest::Certificate::from_pem_bundle(&pem)
        .map_err(|_| wrong(format!("{shown} does not hold PEM certificates")))?;
    match certificates.is_empty() {
        true => Err(wrong(format!("{shown} holds no certificate"))),
        false => Ok(certificates),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
