//! A client from a kubeconfig.

use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};

use super::fault;
use crate::config::ClusterConfig;
use crate::domain::{Fault, FaultKind};

/// A client for requests and answers, which repeats nothing by itself.
///
/// # Errors
/// A kubeconfig that cannot be read or used.
pub async fn connect(config: &ClusterConfig, timeout: Duration) -> Result<kube::Client, Fault> {
    // An error means that a provider is chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let wrong = |_| {
        Fault::new(FaultKind::File, format!("cluster {}: the kubeconfig cannot be used", config.name))
            .advise("try `kubectl version` with the same context")
    };
    let kubeconfig = match &config.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let options = KubeConfigOptions { context: config.context.clone(), ..KubeConfigOptions::default() };
    let mut settings =
        kube::Config::from_custom_kubeconfig(kubeconfig.map_err(wrong)?, &options).await.map_err(wrong)?;
    settings.connect_timeout = Some(timeout.min(Duration::from_secs(5)));
    // A patch that ended in a 503 may have been done: nobody repeats it unseen.
    settings.default_retry = false;
    kube::Client::try_from(settings).map_err(|error| fault::of(&config.name, &error))
}
