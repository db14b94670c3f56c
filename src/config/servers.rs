//! The servers that tell about models: where each is and how it is asked.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::access::Access;
use super::duration::Span;

/// A Prometheus server (or one that speaks its API).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrometheusConfig {
    /// Its unique name, shown in the header.
    #[serde(default = "names::prometheus")]
    pub name: String,
    /// Its base URL; a path prefix is kept.
    pub url: Url,
    /// How often it is polled; the general `refresh` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// The deadline of a request; the general `timeout` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How it is reached.
    #[serde(default)]
    pub access: Access,
    /// The job's scrape interval, when it cannot be read from the targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_interval: Option<Span>,
}

/// An MLflow tracking server with its model registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MlflowConfig {
    /// Its unique name, shown in the header.
    #[serde(default = "names::mlflow")]
    pub name: String,
    /// Its base URL; a path prefix is kept.
    pub url: Url,
    /// How often it is polled; the general `refresh` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// The deadline of a request; the general `timeout` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How it is reached.
    #[serde(default)]
    pub access: Access,
    /// The alias that means production.
    #[serde(default = "names::champion")]
    pub production_alias: String,
    /// The tag of a model version that holds the version's name on screen, such as `semver`; when empty the
    /// name is MLflow's own number. When absent the registry is not moved along with a rollout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_tag: Option<String>,
}

/// An Alertmanager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertmanagerConfig {
    /// Its unique name, shown in the header.
    #[serde(default = "names::alertmanager")]
    pub name: String,
    /// Its base URL; a path prefix is kept.
    pub url: Url,
    /// How often it is polled; the general `refresh` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// The deadline of a request; the general `timeout` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How it is reached.
    #[serde(default)]
    pub access: Access,
    /// The always-firing alert that proves the path works; its absence is a warning. Empty: none expected.
    #[serde(default)]
    pub watchdog: String,
}

/// An MLOps service with `GET /mlops/status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MlopsConfig {
    /// Its unique name, shown in the header.
    #[serde(default = "names::mlops")]
    pub name: String,
    /// Its base URL; a path prefix is kept.
    pub url: Url,
    /// How often it is polled; the general `refresh` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// The deadline of a request; the general `timeout` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How it is reached.
    #[serde(default)]
    pub access: Access,
}

/// A canary controller that speaks the documented HTTP interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CanaryConfig {
    /// Its unique name, shown in the header.
    #[serde(default = "names::canary")]
    pub name: String,
    /// Its base URL; a path prefix is kept.
    pub url: Url,
    /// How often it is polled; the general `refresh` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// The deadline of a request; the general `timeout` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How it is reached.
    #[serde(default)]
    pub access: Access,
}

/// A registry in files: `<root>/<model>/v<X.Y.Z>/metadata.json` and its neighbours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileRegistryConfig {
    /// Its unique name, shown in the header.
    #[serde(default = "names::files")]
    pub name: String,
    /// The root folder.
    pub path: PathBuf,
    /// How often it is read; the general `refresh` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
}

/// The names that sources have unless the config gives others.
mod names {
    pub fn prometheus() -> String {
        "prometheus".into()
    }
    pub fn mlflow() -> String {
        "mlflow".into()
    }
    pub fn alertmanager() -> String {
        "alertmanager".into()
    }
    pub fn mlops() -> String {
        "mlops".into()
    }
    pub fn canary() -> String {
        "canary".into()
    }
    pub fn files() -> String {
        "files".into()
    }
    pub fn champion() -> String {
        "champion".into()
    }
}
