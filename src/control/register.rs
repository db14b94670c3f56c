//! The one place where a way of acting is made known: one line each.

use super::{Controller, Registry, haproxy, http, kubernetes, registry as registries};
use crate::config::Config;
use crate::domain::Fault;

/// Makes the controllers of one kind from a config.
type Kind = fn(&Config) -> Result<Vec<Box<dyn Controller>>, Fault>;
/// Makes the registry of one kind from a config.
type RegistryKind = fn(&Config) -> Result<Option<Box<dyn Registry>>, Fault>;

/// Every kind of controller; the first that knows a target plans for it.
const KINDS: &[Kind] = &[http::controllers, kubernetes::controllers, haproxy::controllers];

/// Every kind of registry; the first that is configured is moved along.
const REGISTRIES: &[RegistryKind] = &[registries::registry];

/// The controllers of a config.
///
/// # Errors
/// A secret that is missing, a kubeconfig that cannot be read.
pub fn controllers(config: &Config) -> Result<Vec<Box<dyn Controller>>, Fault> {
    let mut all = Vec::new();
    for kind in KINDS {
        all.extend(kind(config)?);
    }
    Ok(all)
}

/// The registry of a config.
///
/// # Errors
/// A secret that is missing.
pub fn registry(config: &Config) -> Result<Option<Box<dyn Registry>>, Fault> {
    for kind in REGISTRIES {
        if let Some(registry) = kind(config)? {
            return Ok(Some(registry));
        }
    }
    Ok(None)
}
