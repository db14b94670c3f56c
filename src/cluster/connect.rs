//! A client for one configured cluster: kubeconfig, context, deadlines, and faults in words.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use serde_json::{Value, json};

use super::trouble;
use crate::config::ClusterConfig;
use crate::domain::text::{clean, clean_name};
use crate::domain::{Fault, FaultKind};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// A client for requests and answers: connecting, writing and reading are bounded by `timeout`, and nothing is ever
/// sent again by itself. Not for watches: see [`connect_to_watch`].
///
/// # Errors
/// No such file or context, a credential plugin that fails, a certificate that cannot be read. That the server
/// answers is not tried here.
pub async fn connect(config: &ClusterConfig, timeout: Duration) -> Result<Client, Fault> {
    make(config, timeout, true).await
}

/// The same without a deadline for reading, so that a quiet watch lives on; the watch has its own.
///
/// # Errors
/// As [`connect`].
pub async fn connect_to_watch(config: &ClusterConfig, timeout: Duration) -> Result<Client, Fault> {
    make(config, timeout, false).await
}

/// The contexts of a kubeconfig and the current one; `path` as in [`ClusterConfig::kubeconfig`].
///
/// # Errors
/// A file that is not there, or is no kubeconfig.
pub fn contexts(path: Option<&Path>) -> Result<(Vec<String>, Option<String>), Fault> {
    let found = read(path)?;
    Ok((names(&found), found.current_context.filter(|name| !name.is_empty())))
}

/// Where the cluster is, without credentials, for the header: the server's URL, else the context's name.
pub fn place(config: &ClusterConfig) -> String {
    let server = read(config.kubeconfig.as_deref()).ok().and_then(|kubeconfig| {
        let context = config.context.clone().or(kubeconfig.current_context)?;
        let context = kubeconfig.contexts.into_iter().find(|named| named.name == context)?.context?;
        let cluster = kubeconfig.clusters.into_iter().find(|named| named.name == context.cluster)?;
        shown(&cluster.cluster?.server?)
    });
    server.or_else(|| config.context.clone()).unwrap_or_else(|| "kubeconfig".into())
}

/// Who the API server takes us for: the user's name of a SelfSubjectReview.
///
/// # Errors
/// Whatever keeps the server from answering.
pub async fn identity(client: &Client, timeout: Duration) -> Result<String, Fault> {
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let request = http::Request::post("/apis/authentication.k8s.io/v1/selfsubjectreviews")
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .map_err(|error| Fault::new(FaultKind::Refused, error.to_string()))?;
    let asked = tokio::time::timeout(timeout, client.request::<Value>(request)).await;
    let answer = asked
        .map_err(|_| trouble::hung("identity", timeout))?
        .map_err(|error| trouble::of(&error, "identity"))?;
    let name = answer.pointer("/status/userInfo/username").and_then(Value::as_str).unwrap_or_default();
    Ok(clean_name(name))
}

async fn make(config: &ClusterConfig, timeout: Duration, bounded: bool) -> Result<Client, Fault> {
    // Two providers in one process panic, so it is chosen here as everywhere; an error says that it is chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = read(config.kubeconfig.as_deref())?;
    let known = names(&kubeconfig);
    let options = KubeConfigOptions { context: config.context.clone(), ..KubeConfigOptions::default() };
    let mut settings = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| of_file(&error, config, &known))?;
    settings.connect_timeout = Some(timeout.min(CONNECT));
    settings.write_timeout = Some(timeout);
    settings.read_timeout = bounded.then_some(timeout);
    settings.reset_reader_on_write = true;
    // A patch that ended in a 503 may have been done: nobody repeats it unseen.
    settings.default_retry = false;
    if let Some(exec) = &mut settings.auth_info.exec {
        // A plugin that asks on the terminal would draw over the room.
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
    let place = shown(&settings.cluster_url.to_string()).unwrap_or_else(|| config.name.clone());
    // Plugins run while the client is made, and block.
    let runtime = tokio::runtime::Handle::current();
    let making = tokio::task::spawn_blocking(move || {
        let _guard = runtime.enter();
        Client::try_from(settings)
    });
    // Logging in takes a plugin longer than an answer takes a server.
    let patience = timeout.max(Duration::from_secs(20));
    match tokio::time::timeout(patience, making).await {
        Ok(Ok(made)) => made.map_err(|error| trouble::of(&error, &place)),
        Ok(Err(_)) => {
            Err(Fault::new(FaultKind::Unreadable, format!("{place}: the client could not be made"))
                .advise("this is a mistake in wardroom: please report it"))
        }
        Err(_) => Err(Fault::new(
            FaultKind::Hung,
            format!("{place}: the credential plugin was not done after {} s", patience.as_secs()),
        )
        .advise("log in with it once in a shell")),
    }
}

/// The kubeconfig: this file, else `$KUBECONFIG`, else `~/.kube/config`.
fn read(path: Option<&Path>) -> Result<Kubeconfig, Fault> {
    match path {
        Some(path) => {
            let path = at_home(path);
            Kubeconfig::read_from(&path).map_err(|error| unread(&error, &path.display().to_string()))
        }
        None => Kubeconfig::read().map_err(|error| unread(&error, "the default kubeconfig")),
    }
}

/// `~/` is the home folder here too: people write it so.
fn at_home(path: &Path) -> PathBuf {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

fn names(kubeconfig: &Kubeconfig) -> Vec<String> {
    kubeconfig.contexts.iter().map(|named| clean_name(&named.name)).collect()
}

/// A file that cannot be read. What stands in it is never repeated: it holds credentials.
fn unread(error: &KubeconfigError, path: &str) -> Fault {
    let fault = |text: String| Fault::new(FaultKind::File, text);
    match error {
        KubeconfigError::ReadConfig(cause, path) => {
            let path = path.display();
            fault(format!("cannot read {path}: {cause}"))
                .advise("set kubeconfig of the [[cluster]], or $KUBECONFIG")
        }
        KubeconfigError::FindPath => {
            fault("no kubeconfig".into()).advise("set kubeconfig of the [[cluster]], or $KUBECONFIG")
        }
        _ => fault(format!("{path} is not a kubeconfig")).advise("try `kubectl config view` with it"),
    }
}

/// A context that does not lead to a cluster.
fn of_file(error: &KubeconfigError, config: &ClusterConfig, known: &[String]) -> Fault {
    let name = clean_name(&config.name);
    let list = match known {
        [] => "the kubeconfig holds no context".to_owned(),
        some => format!("contexts are {}", clean(&some.join(", "), 300)),
    };
    let fault = |kind, text: String| Fault::new(kind, format!("cluster {name}: {text}"));
    match error {
        KubeconfigError::LoadContext(context) => {
            fault(FaultKind::Absent, format!("no context `{}`", clean_name(context))).advise(list)
        }
        KubeconfigError::CurrentContextNotSet => {
            fault(FaultKind::Absent, "the kubeconfig has no current context".into())
                .advise(format!("set context of the [[cluster]]; {list}"))
        }
        KubeconfigError::LoadClusterOfContext(cluster) => fault(
            FaultKind::Absent,
            format!(
                "its context names the cluster `{}`, which is not in the kubeconfig",
                clean_name(cluster)
            ),
        ),
        KubeconfigError::MissingClusterUrl | KubeconfigError::ParseClusterUrl(_) => {
            fault(FaultKind::Refused, "its entry in the kubeconfig has no valid server".into())
        }
        KubeconfigError::LoadCertificateAuthority(_) | KubeconfigError::ParseCertificates(_) => {
            fault(FaultKind::Tls, "its certificate authority cannot be read".into())
                .advise("look at certificate-authority in the kubeconfig")
        }
        KubeconfigError::LoadClientCertificate(_) | KubeconfigError::LoadClientKey(_) => {
            fault(FaultKind::Tls, "the client certificate or its key cannot be read".into())
                .advise("look at the user in the kubeconfig")
        }
        _ => fault(FaultKind::File, "the kubeconfig cannot be used".into())
            .advise("try `kubectl version` with the same context"),
    }
}

/// A server's URL without user, password and query.
fn shown(url: &str) -> Option<String> {
    let mut url: url::Url = url.parse().ok()?;
    // Fails only for URLs that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    Some(clean(url.as_str().trim_end_matches('/'), 200))
}

#[cfg(test)]
mod tests;
