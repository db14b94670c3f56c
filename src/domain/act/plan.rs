//! A plan: everything that would be sent, from which state, with what around it. Making one sends nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ActId, Operation, Who};
use crate::domain::{Level, ModelId, Target, Time};

/// Why nothing is planned, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{why}; {instead}")]
pub struct Refusal {
    /// Why.
    pub why: String,
    /// What to do instead.
    pub instead: String,
}

impl Refusal {
    /// A refusal in words.
    pub fn new(why: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { why: why.into(), instead: instead.into() }
    }
}

/// A fact that the plan rests on. It is read again before every request; when it differs, nothing is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Its name, in the controller's words: `status.currentStepIndex`.
    pub name: String,
    /// The value as the operator saw it.
    pub value: Value,
}

/// Whether this user may send a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum May {
    /// The server says yes.
    Yes,
    /// The server says no, because.
    No(String),
    /// Nobody can tell before it is tried, because.
    Unknown(String),
}

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hand {
    /// The rollout's controller.
    Controller,
    /// The model registry.
    Registry,
}

/// One request of a plan, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who sends it.
    pub hand: Hand,
    /// What it does, in a few words: `abort: true`, `template ← 1.2.0`.
    pub words: String,
    /// `PATCH`, `POST`, …
    pub verb: String,
    /// Path and query, without the server.
    pub path: String,
    /// The content type of the body.
    pub content_type: String,
    /// The body. Values that are read just before sending (`resourceVersion`) stand as they are now.
    pub body: Value,
    /// Whether this user may.
    pub may: May,
    /// What the server's dry run said: what would change, or why it would be refused. Absent where there is none.
    pub dry_run: Option<Result<String, String>>,
    /// What must be seen before it is sent, in words: `the controller has seen the new template`. Empty: nothing.
    pub after: String,
    /// How long to wait for that, seconds.
    pub wait_s: f64,
    /// Whether the act goes on when this one fails (an annotation, a note in the registry).
    pub optional: bool,
    /// Names that the hand needs again to send it and to recognise its effect.
    pub keep: BTreeMap<String, Value>,
}

/// A warning of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beware {
    /// How bad.
    pub level: Level,
    /// The words.
    pub text: String,
}

/// Something that verification will look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckPlan {
    /// Its unique name in the plan: `observed`, `weight`, `version`, `share`, `samples`, `metrics`, `errors`.
    pub id: String,
    /// The words: `controller has seen it (generation 13)`.
    pub words: String,
    /// Whether the act is effective only with it.
    pub needed: bool,
    /// Until when it should be there, seconds after the last request; then it is unknown, not failed.
    pub within_s: f64,
}

/// How a plan is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// Enter, with the act focused: only for the safe direction.
    Enter,
    /// The act must be chosen first; Cancel is focused.
    Choose,
    /// This must be typed.
    Type(String),
}

/// A version by all its names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionMap {
    /// As on screen.
    pub name: String,
    /// The controller's revision number.
    pub revision: Option<u64>,
    /// The hash or the object's name.
    pub hash: String,
    /// The registry's own version; empty without a mapping.
    pub registry: String,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The act it becomes.
    pub id: ActId,
    /// Of which model.
    pub model: ModelId,
    /// Where.
    pub target: Target,
    /// What is wanted.
    pub operation: Operation,
    /// Why, in the operator's words.
    pub reason: String,
    /// What speaks for it, in wardroom's words: the verdict, the worst limit. Goes into the audit trail.
    pub evidence: String,
    /// Who.
    pub who: Who,
    /// When it was made.
    pub made_at: Time,
    /// The state that it starts from, in words: `1.3.0 at 25 %, paused by its step`.
    pub before: String,
    /// The state that it leads to: `1.2.0 at 100 %`.
    pub after: String,
    /// The facts that it rests on.
    pub facts: Vec<Known>,
    /// What it affects, in words: `25 % of traffic, 29.5 req/s, namespace prod-eu`.
    pub affects: String,
    /// The version that all traffic is on afterwards, by all its names, when the act leads to one.
    pub version: Option<VersionMap>,
    /// The requests, in order. Empty: it is so already.
    pub requests: Vec<Request>,
    /// Warnings: who will undo it, what it does not do.
    pub beware: Vec<Beware>,
    /// What verification looks at.
    pub checks: Vec<CheckPlan>,
    /// How long until it is effective, seconds, as far as can be told.
    pub expected_s: f64,
    /// How it is confirmed.
    pub confirm: Confirm,
    /// Whether wardroom itself moves the weights here, step by step, only while told to.
    pub stepper: bool,
}

impl Plan {
    /// A fact's value.
    pub fn fact(&self, name: &str) -> Option<&Value> {
        self.facts.iter().find(|known| known.name == name).map(|known| &known.value)
    }

    /// The first request that may not be sent, with the reason.
    pub fn forbidden(&self) -> Option<(&Request, &str)> {
        self.requests.iter().filter(|request| !request.optional).find_map(|request| match &request.may {
            May::No(why) => Some((request, why.as_str())),
            _ => None,
        })
    }
}
