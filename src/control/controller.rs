//! What a controller must be able to do, so that the engine can act through it.

use std::future::Future;
use std::pin::Pin;

use crate::domain::act::{
    ActId, Beware, CheckPlan, Confirm, Known, Operation, Plan, Refusal, Request, VersionMap, Who,
};
use crate::domain::{Fault, ModelId, Rollout, Target, Time, Version};

/// A future behind a pointer, so that controllers can be kept in a list.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is asked of a planner.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Of which model.
    pub model: ModelId,
    /// Where it is.
    pub target: Target,
    /// What is wanted.
    pub operation: Operation,
    /// Why, in the operator's words; may be empty.
    pub reason: String,
    /// The rollout as the operator saw it; a controller reads the object itself again before it plans.
    pub seen: Option<Rollout>,
    /// Who asks, for annotations: `kim@bastion`.
    pub who: String,
    /// Now.
    pub now: Time,
}

/// A controller's part of a plan. The engine adds identity, the registry's requests, the general checks and how
/// it is confirmed.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The state that it starts from, in words.
    pub before: String,
    /// The state that it leads to, in words.
    pub after: String,
    /// The facts that it rests on.
    pub facts: Vec<Known>,
    /// The part of the traffic that it concerns, percent, when that can be told.
    pub share: Option<f64>,
    /// The version that all traffic is on afterwards, when the act leads to one.
    pub version: Option<VersionMap>,
    /// The requests, in order. Empty: it is so already.
    pub requests: Vec<Request>,
    /// Warnings.
    pub beware: Vec<Beware>,
    /// What this controller will look at: `observed`, `weight`, `revision`, `pods`, …
    pub checks: Vec<CheckPlan>,
    /// How long until it is effective, seconds.
    pub expected_s: f64,
    /// The identity towards the server, as it tells it; empty when it does not.
    pub identity: String,
}

impl Draft {
    /// The plan of this draft, as it stands: what it affects in words is not known here.
    pub fn plan(self, id: ActId, ask: &Ask, who: Who, evidence: String, confirm: Confirm) -> Plan {
        Plan {
            id,
            model: ask.model.clone(),
            target: ask.target.clone(),
            operation: ask.operation.clone(),
            reason: ask.reason.clone(),
            evidence,
            who,
            made_at: ask.now,
            before: self.before,
            after: self.after,
            facts: self.facts,
            affects: String::new(),
            version: self.version,
            requests: self.requests,
            beware: self.beware,
            checks: self.checks,
            expected_s: self.expected_s,
            confirm,
            stepper: ask.target.kind.is_stepped_by_us(),
        }
    }
}

/// Whether a request may be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// It may.
    Yes,
    /// Not yet, because.
    NotYet(String),
    /// It never will: the world has moved. The difference, in words.
    Moved(String),
}

/// What came of sending a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The server accepted it.
    Accepted {
        /// The `Audit-ID` that it told; ours when it told none.
        audit_id: String,
        /// A word: `already so`, `resourceVersion 88123 → 88140`.
        note: String,
    },
    /// It was refused and changed nothing: permission, validation, a conflict that lasted.
    Refused(String),
    /// The facts had changed; nothing was sent. The difference, in words.
    Moved(String),
    /// It was sent, and nobody knows what came of it: a time-out, a 5xx, a lost connection.
    Unknown(String),
}

/// What re-reading says about a request whose outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Its effect is there, as seen by.
    Done(String),
    /// Its effect is not there.
    NotDone(String),
    /// It cannot be told, because.
    CannotTell(String),
}

/// What a check sees now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It holds.
    Yes,
    /// Not yet.
    NotYet,
    /// The opposite holds and will not change by itself.
    No,
    /// There is nothing to look at here.
    Nothing,
}

/// One check's finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's name in the plan.
    pub id: String,
    /// What it sees.
    pub seen: Seen,
    /// In words: `weight 0 % on the route, 3 of 3 pods of 59c8 ready`.
    pub detail: String,
}

/// Sends what was planned, and looks at what came of it. `n` is the request's place in the plan.
pub trait Sender: Send + Sync {
    /// Whether request `n` may be sent now: what it waits for (`after`) has happened. Reads only. `waited_s` seconds
    /// have passed since the request before it was answered.
    fn ready<'a>(&'a self, plan: &'a Plan, n: usize, waited_s: f64) -> Boxed<'a, Result<Ready, Fault>> {
        let _ = (plan, n, waited_s);
        // Most requests wait for nothing of their own.
        Box::pin(async { Ok(Ready::Yes) })
    }

    /// Reads the facts again, and sends request `n` when they are unchanged. Never sends twice by itself,
    /// except after a 409 that proves that nothing was done.
    fn send<'a>(&'a self, plan: &'a Plan, n: usize, audit_id: &'a str) -> Boxed<'a, Sent>;

    /// Looks whether the effect of request `n` is there. Reads only.
    fn settled<'a>(&'a self, plan: &'a Plan, n: usize) -> Boxed<'a, Result<Settled, Fault>>;

    /// Looks at this side's checks of the plan. Reads only; every call reads the world again.
    fn observe<'a>(&'a self, plan: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>>;
}

/// Plans for the rollouts of one configured system (a cluster, an HTTP controller, an HAProxy).
pub trait Controller: Sender {
    /// Whether it can plan for this target.
    fn knows(&self, target: &Target) -> bool;

    /// Plans. Reads, asks for permissions and for dry runs (never in read-only mode); changes nothing.
    fn plan<'a>(&'a self, ask: &'a Ask) -> Boxed<'a, Result<Draft, Refusal>>;
}

/// Moves a model registry together with a rollout: alias, tag, note.
pub trait Registry: Sender {
    /// The requests that make `version` the production version of `model` and note who, why and when. A
    /// refusal becomes a warning of the plan: the cluster is moved all the same.
    fn plan<'a>(
        &'a self,
        model: &'a ModelId,
        version: &'a Version,
        ask: &'a Ask,
    ) -> Boxed<'a, Result<RegistryDraft, Refusal>>;
}

/// A registry's part of a plan.
#[derive(Debug, Clone, Default)]
pub struct RegistryDraft {
    /// The registry's own version.
    pub version: String,
    /// The requests, in order; all with [`crate::domain::act::Hand::Registry`].
    pub requests: Vec<Request>,
    /// What will be read back.
    pub checks: Vec<CheckPlan>,
    /// Facts that it rests on: the alias before.
    pub facts: Vec<Known>,
    /// Warnings: the alias pointed elsewhere than the cluster.
    pub beware: Vec<Beware>,
}
