//! A rollout as its controller tells it: steps, weights, state. Reading only.

mod situation;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use situation::{Phase, Situation};

use super::act::Operation;
use super::{Level, SourceId, Time, Version};

/// What kind of controller moves a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControllerKind {
    /// An Argo Rollouts `Rollout`.
    Argo,
    /// A plain `Deployment`.
    Deployment,
    /// A Flagger `Canary`.
    Flagger,
    /// A KServe `InferenceService`, Knative mode.
    KserveKnative,
    /// A KServe `InferenceService`, Standard mode.
    KserveStandard,
    /// A Gateway API `HTTPRoute`.
    HttpRoute,
    /// An Istio `VirtualService`.
    VirtualService,
    /// Weights of an HAProxy backend.
    Haproxy,
    /// wardroom's own small HTTP interface for home-made controllers.
    #[default]
    Http,
}

impl ControllerKind {
    /// The words on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Argo => "Argo Rollouts",
            Self::Deployment => "Deployment",
            Self::Flagger => "Flagger",
            Self::KserveKnative => "KServe (Knative)",
            Self::KserveStandard => "KServe (Standard)",
            Self::HttpRoute => "HTTPRoute",
            Self::VirtualService => "VirtualService",
            Self::Haproxy => "HAProxy",
            Self::Http => "HTTP controller",
        }
    }

    /// Whether nothing advances unless wardroom is told to step.
    pub fn is_stepped_by_us(self) -> bool {
        matches!(
            self,
            Self::KserveKnative
                | Self::KserveStandard
                | Self::HttpRoute
                | Self::VirtualService
                | Self::Haproxy
        )
    }
}

/// Where a rollout is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The configured cluster or controller that knows it.
    pub system: SourceId,
    /// What moves it.
    pub kind: ControllerKind,
    /// The kube context, empty outside clusters.
    pub context: Arc<str>,
    /// The namespace, empty outside clusters.
    pub namespace: Arc<str>,
    /// The object's name.
    pub name: Arc<str>,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.context.is_empty(), self.namespace.is_empty()) {
            (true, true) => write!(f, "{}", self.name),
            (true, false) => write!(f, "{}/{}", self.namespace, self.name),
            (false, _) => write!(f, "{}/{}/{}", self.context, self.namespace, self.name),
        }
    }
}

/// One step of a canary.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Weight of the canary at this step, percent.
    pub weight: f64,
    /// How long the step pauses, seconds; `None` waits for a person.
    #[serde(default)]
    pub pause_s: Option<f64>,
    /// What runs at this step beside the weight: `analysis auc`, empty when nothing.
    #[serde(default)]
    pub runs: String,
}

/// A revision that the controller could bring back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// The controller's number, when it numbers them. It moves: a revision that is rolled back to gets a new one.
    pub number: Option<u64>,
    /// Its hash or unique name.
    pub hash: String,
    /// The model version it serves, by the mapping of the config.
    pub version: Option<Version>,
    /// Its images or model address, shortest form.
    pub images: Vec<String>,
    /// Since when it exists.
    pub created: Option<Time>,
    /// Whether it is the stable one.
    pub is_stable: bool,
    /// Whether it is the one under trial, or wanted by the manifest.
    pub is_canary: bool,
    /// Ready and wanted pods.
    pub pods: (u32, u32),
    /// Why it is known to be bad: `aborted 12 May 14:02, p95`; empty when it is not.
    pub known_bad: String,
}

impl Revision {
    /// The name on screen: the version, else number and hash.
    pub fn name(&self) -> String {
        match (&self.version, self.number) {
            (Some(version), _) => version.to_string(),
            (None, Some(number)) => format!("rev {number} ({})", self.hash),
            (None, None) => self.hash.clone(),
        }
    }
}

/// One metric of a server-side analysis.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AnalysisMetric {
    /// Its name.
    pub name: String,
    /// Its phase in the controller's word.
    pub phase: String,
    /// The last value as the controller writes it.
    pub value: String,
    /// The limit in the controller's words: `result[0] >= 0.95`.
    pub limit: String,
    /// Measurements so far, failed, and how many may fail (`None`: any).
    pub counts: (u32, u32, Option<u32>),
}

/// A server-side analysis.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Its name.
    pub name: String,
    /// `step`, `background`, `before`, `after`.
    pub kind: String,
    /// Its phase in the controller's word.
    pub phase: String,
    /// What the controller says.
    pub message: String,
    /// Its metrics.
    pub metrics: Vec<AnalysisMetric>,
}

/// Something the controller reports, in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// How bad it is.
    pub level: Level,
    /// The words.
    pub text: String,
}

/// A rollout of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// Which controller told it, in words: `argo-rollouts`, `demo`.
    pub controller: String,
    /// Where it is reached; absent when nothing can be done there.
    pub target: Option<Target>,
    /// The version that serves.
    pub stable: Version,
    /// The version under trial, when there is one.
    pub canary: Option<Version>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The current step, from 0; equal to the number of steps when done.
    pub step: usize,
    /// Weight asked for the canary, percent.
    pub asked: f64,
    /// Weight that the router is set to, percent, when it tells.
    pub set: Option<f64>,
    /// Share measured by the controller or splitter itself, percent.
    pub measured: Option<f64>,
    /// Where it stands, roughly.
    pub phase: Phase,
    /// Where it stands.
    pub situation: Situation,
    /// Since when.
    pub since: Option<Time>,
    /// When the current pause ends by itself.
    pub until: Option<Time>,
    /// Whether it waits for a person.
    pub waits: bool,
    /// Who owns the manifest: `Argo CD, self-heal`, empty when nobody.
    pub owner: String,
    /// What scales it: `HPA 2–10, now 4`, empty when nothing does.
    pub autoscaler: String,
    /// What the controller says about it.
    pub message: String,
    /// Revisions that are there, the newest first.
    pub revisions: Vec<Revision>,
    /// Analyses, the newest first.
    pub analyses: Vec<Analysis>,
    /// Conditions in words, the worst first.
    pub conditions: Vec<Condition>,
    /// Acts that the controller has no way to do, or not now, each with what to do instead.
    pub cannot: Vec<(String, String)>,
}

impl Rollout {
    /// A rollout of which only the serving version is known.
    pub fn of(controller: impl Into<String>, stable: Version) -> Self {
        Self {
            controller: controller.into(),
            target: None,
            stable,
            canary: None,
            steps: Vec::new(),
            step: 0,
            asked: 0.0,
            set: None,
            measured: None,
            phase: Phase::Healthy,
            situation: Situation::Idle,
            since: None,
            until: None,
            waits: false,
            owner: String::new(),
            autoscaler: String::new(),
            message: String::new(),
            revisions: Vec::new(),
            analyses: Vec::new(),
            conditions: Vec::new(),
            cannot: Vec::new(),
        }
    }

    /// Whether a canary takes part of the traffic now.
    pub fn is_live(&self) -> bool {
        self.canary.is_some() && !matches!(self.phase, Phase::Healthy)
    }

    /// Whether a version waits at weight 0 where wardroom itself is the stepper: the ladder may begin.
    pub fn may_begin(&self) -> bool {
        self.canary.is_some() && self.target.as_ref().is_some_and(|target| target.kind.is_stepped_by_us())
    }

    /// Why an act cannot be done here now, with what to do instead; `None` when it can be planned.
    ///
    /// The controller's own word (`cannot`) comes first, then what holds for every controller.
    pub fn refuses(&self, operation: &Operation) -> Option<String> {
        let told = self.cannot.iter().find(|(verb, _)| verb == operation.verb());
        if let Some((_, why)) = told {
            return Some(why.clone());
        }
        if self.target.is_none() {
            return Some("this controller is only read; act with its own tool".into());
        }
        let live = self.is_live();
        let why = match operation {
            Operation::Pause if !live => "no canary is live",
            Operation::Pause if self.situation == Situation::PausedByHand => {
                "it is held already; H releases it"
            }
            Operation::Resume if self.situation == Situation::PausedByStep => {
                "this is a step's own pause; P releases it"
            }
            Operation::Resume
                if !matches!(self.situation, Situation::PausedByHand | Situation::Suspended) =>
            {
                "nobody holds it"
            }
            Operation::Promote | Operation::PromoteFull if self.situation == Situation::Aborted => {
                "it was aborted; Y tries it again, R goes to a version"
            }
            Operation::Promote | Operation::PromoteFull if !live && !self.may_begin() => "no canary is live",
            Operation::Abort if self.situation == Situation::Aborted => "it is aborted already",
            Operation::Abort if !live => "no canary is live; R rolls back to a version",
            Operation::Retry if self.situation != Situation::Aborted => "nothing was aborted",
            Operation::SetWeight { .. } if !live && !self.may_begin() => "no canary is live",
            _ => return None,
        };
        Some(why.into())
    }
}
