//! Where rollouts are, how they may be acted upon, and what verification looks at.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::Span;
use super::error::ConfigError;
use super::model::Config;
use super::places::Places;

/// Kinds of rollout objects, as they are written in `rollout.kind`.
pub const KINDS: [&str; 8] =
    ["rollout", "deployment", "canary", "inferenceservice", "httproute", "virtualservice", "haproxy", "http"];

/// A Kubernetes cluster: one context of a kubeconfig.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterConfig {
    /// Its unique name, shown in the header.
    #[serde(default = "usual_name")]
    pub name: String,
    /// The kubeconfig; `$KUBECONFIG`, then `~/.kube/config` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<PathBuf>,
    /// The context; the kubeconfig's current one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The namespaces that are watched; all of them when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Whether it is production: promote-full and rollback are confirmed by typing the model's name.
    #[serde(default)]
    pub production: bool,
    /// Where a revision's model version stands in its pod template: `label:KEY`, `annotation:KEY`, `env:NAME` or
    /// `image-tag`; the labels `app.kubernetes.io/version` and `version` when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version_from: String,
    /// The deadline of a request; the general `timeout` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// The ladder of weights where wardroom itself is the stepper, percent.
    #[serde(default = "usual_ladder")]
    pub ladder: Vec<f64>,
    /// Whether a Flagger canary without a rollback gate may be aborted by raising `status.failedChecks`, a field
    /// that is meant for Flagger itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flagger_abort_by_failed_checks: bool,
}

fn usual_name() -> String {
    "cluster".into()
}

fn usual_ladder() -> Vec<f64> {
    vec![5.0, 10.0, 25.0, 50.0, 100.0]
}

/// An HAProxy whose backend weights split the traffic of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HaproxyConfig {
    /// Its unique name, shown in the header.
    #[serde(default = "usual_haproxy")]
    pub name: String,
    /// The admin socket: a path, or `HOST:PORT`.
    pub socket: String,
    /// The backend.
    pub backend: String,
    /// The server of the stable version.
    pub stable: String,
    /// The server of the version under trial.
    pub canary: String,
    /// The ladder of weights, percent.
    #[serde(default = "usual_ladder")]
    pub ladder: Vec<f64>,
    /// How often it is asked; the general `refresh` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// The deadline of a question; the general `timeout` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

fn usual_haproxy() -> String {
    "haproxy".into()
}

/// How wardroom may act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ControlConfig {
    /// Plan nothing and send nothing that changes state; a mark stands on the screen.
    pub read_only: bool,
    /// Whether this environment is production: promote-full and rollback are confirmed by typing the model's name.
    pub production: bool,
    /// The folder of the journal and the audit trail; `$XDG_STATE_HOME/wardroom` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// A file with an age identity (`AGE-SECRET-KEY-…`): audit entries are encrypted with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_identity: Option<PathBuf>,
    /// How long a version is watched after it became effective.
    pub watch: Span,
    /// Until when an accepted act should be seen by its controller.
    pub observed_within: Span,
    /// Until when it should be effective.
    pub effective_within: Span,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self {
            read_only: false,
            production: false,
            folder: None,
            age_identity: None,
            watch: Span::seconds(3_600),
            observed_within: Span::seconds(15),
            effective_within: Span::seconds(300),
        }
    }
}

/// Where a model's rollout is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RolloutConfig {
    /// The configured cluster, HAProxy or canary controller that knows it.
    pub system: String,
    /// `rollout`, `deployment`, `canary`, `inferenceservice`, `httproute`, `virtualservice`, `haproxy` or `http`.
    pub kind: String,
    /// The object's name; the model's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The object's namespace; the model's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// What wardroom may do by itself when a canary is judged bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AutoLevel {
    /// Say what it would do.
    #[default]
    Advise,
    /// Abort a running canary.
    Abort,
    /// Abort a running canary; after a promotion, roll back to the version before.
    Rollback,
}

/// Automatic acts on one model. Off unless configured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AutoConfig {
    /// What it may do.
    pub auto: AutoLevel,
    /// For how long the verdict must stand before anything is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<Span>,
    /// For how long nothing is done after an automatic act; an hour when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cool_down: Option<Span>,
    /// The share of bad requests beyond which it acts, percent; the judgement's own limits when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
    /// The p95 beyond which it acts, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_p95: Option<f64>,
}

/// What verification looks at beside the controller.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VerifyConfig {
    /// Requests with the answers that are expected, as JSON lines: {"inputs": […], "version": "1.2.0", "outputs": […]}.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<PathBuf>,
    /// How far an output may be from the recorded one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// How many requests ask the endpoint for its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes: Option<u32>,
}

/// Looks whether the names in `rollout` are names of something.
///
/// # Errors
/// The first that is not, with its place.
pub fn validate(config: &Config, places: &Places) -> Result<(), ConfigError> {
    let systems: Vec<&str> = (config.cluster.iter().map(|cluster| cluster.name.as_str()))
        .chain(config.haproxy.iter().map(|haproxy| haproxy.name.as_str()))
        .chain(config.canary.iter().map(|canary| canary.name.as_str()))
        .collect();
    for (index, model) in config.model.iter().enumerate() {
        let Some(rollout) = &model.rollout else { continue };
        let place = |key: &str| places.place(&format!("model[{index}].rollout.{key}"));
        if !KINDS.contains(&rollout.kind.as_str()) {
            let remedy = format!("write one of {}", KINDS.join(", "));
            return Err(ConfigError::new(
                place("kind"),
                format!("there is no kind `{}`", rollout.kind),
                remedy,
            ));
        }
        if !systems.contains(&rollout.system.as_str()) {
            return Err(ConfigError::new(
                place("system"),
                format!("nothing is called `{}`", rollout.system),
                "write the name of a [[cluster]], [[haproxy]] or [[canary]]",
            ));
        }
    }
    for (name, ladder) in
        (config.cluster.iter().enumerate().map(|(i, c)| (format!("cluster[{i}].ladder"), &c.ladder))).chain(
            config.haproxy.iter().enumerate().map(|(i, h)| (format!("haproxy[{i}].ladder"), &h.ladder)),
        )
    {
        let rises = ladder.windows(2).all(|pair| pair[0] < pair[1]);
        if ladder.is_empty() || !rises || ladder.iter().any(|w| !(0.0..=100.0).contains(w)) {
            return Err(ConfigError::new(
                places.place(&name),
                "is not a ladder of weights",
                "write percents that rise, such as [5, 10, 25, 50, 100]",
            ));
        }
    }
    Ok(())
}
