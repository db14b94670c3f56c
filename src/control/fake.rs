//! A scripted controller for tests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{Ask, Boxed, Controller, Draft, Finding, Ready, Seen, Sender, Sent, Settled};
use crate::domain::act::{
    ActId, CheckPlan, Confirm, Hand, May, Operation, Plan, Refusal, Request, VersionMap, Who,
};
use crate::domain::{ControllerKind, Fault, FaultKind, ModelId, SourceId, Target, Time};

/// What the fake shall do, and what was done to it.
#[derive(Debug, Default)]
pub struct Script {
    /// Answers of `ready`, in order; yes when used up.
    pub ready: VecDeque<Ready>,
    /// Answers of `send`, in order; accepted when used up.
    pub sent: VecDeque<Sent>,
    /// Answers of `settled`, in order; cannot tell when used up.
    pub settled: VecDeque<Settled>,
    /// What `observe` sees of `weight`, in order; the last one stays.
    pub weight: VecDeque<Seen>,
    /// Requests of a plan.
    pub requests: usize,
    /// Places of requests that were sent, in order.
    pub log: Vec<usize>,
    /// Whether reading fails.
    pub blind: bool,
}

/// A controller that follows a script.
#[derive(Debug, Clone, Default)]
pub struct Fake(pub Arc<Mutex<Script>>);

impl Fake {
    /// With this many requests a plan.
    pub fn new(requests: usize) -> Self {
        let script = Script { requests, ..Script::default() };
        Self(Arc::new(Mutex::new(script)))
    }

    /// Looks at or changes the script.
    pub fn script<T>(&self, what: impl FnOnce(&mut Script) -> T) -> T {
        what(&mut self.0.lock().unwrap())
    }
}

/// Where the fake is.
pub fn target() -> Target {
    Target {
        system: SourceId::new("fake"),
        kind: ControllerKind::Http,
        context: "".into(),
        namespace: "".into(),
        name: "als".into(),
    }
}

pub fn request(n: usize) -> Request {
    Request {
        hand: Hand::Controller,
        words: format!("step {n}"),
        verb: "POST".into(),
        path: format!("/acts/{n}"),
        content_type: "application/json".into(),
        body: json!({ "n": n }),
        may: May::Yes,
        dry_run: None,
        after: String::new(),
        wait_s: 5.0,
        optional: false,
        keep: BTreeMap::new(),
    }
}

fn weight() -> CheckPlan {
    CheckPlan { id: "weight".into(), words: "weight 0 %".into(), needed: true, within_s: 20.0 }
}

/// A plan that needs nothing else.
pub fn sample_plan() -> Plan {
    Plan {
        id: ActId("a-00000001".into()),
        model: ModelId::new("test", "als"),
        target: target(),
        operation: Operation::Abort,
        reason: "p95".into(),
        evidence: String::new(),
        who: Who { user: "kim".into(), ..Who::default() },
        made_at: Time::from_timestamp(1_800_000_000, 0).unwrap(),
        before: "1.3.0 at 25 %".into(),
        after: "1.2.0 at 100 %".into(),
        facts: Vec::new(),
        affects: "25 % of traffic".into(),
        version: None,
        requests: vec![request(0)],
        beware: Vec::new(),
        checks: vec![weight()],
        expected_s: 2.0,
        confirm: Confirm::Enter,
        stepper: false,
    }
}

impl Sender for Fake {
    fn ready<'a>(&'a self, _: &'a Plan, _: usize, _: f64) -> Boxed<'a, Result<Ready, Fault>> {
        let ready = self.script(|script| script.ready.pop_front().unwrap_or(Ready::Yes));
        Box::pin(async { Ok(ready) })
    }

    fn send<'a>(&'a self, _: &'a Plan, n: usize, audit_id: &'a str) -> Boxed<'a, Sent> {
        let sent = self.script(|script| {
            script.log.push(n);
            script.sent.pop_front()
        });
        let accepted = || Sent::Accepted { audit_id: audit_id.into(), note: String::new() };
        let sent = sent.unwrap_or_else(accepted);
        Box::pin(async { sent })
    }

    fn settled<'a>(&'a self, _: &'a Plan, _: usize) -> Boxed<'a, Result<Settled, Fault>> {
        let settled = self.script(|script| script.settled.pop_front());
        Box::pin(async { Ok(settled.unwrap_or_else(|| Settled::CannotTell("nobody knows".into()))) })
    }

    fn observe<'a>(&'a self, _: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>> {
        let found = self.script(|script| {
            if script.blind {
                return Err(Fault::new(FaultKind::Down, "fake is down"));
            }
            let seen = match script.weight.len() {
                0 => Seen::Yes,
                1 => script.weight[0].clone(),
                _ => script.weight.pop_front().unwrap(),
            };
            let detail = format!("weight {seen:?}");
            Ok(vec![Finding { id: "weight".into(), seen, detail }])
        });
        Box::pin(async { found })
    }
}

impl Controller for Fake {
    fn knows(&self, target: &Target) -> bool {
        &*target.system.0 == "fake"
    }

    fn plan<'a>(&'a self, ask: &'a Ask) -> Boxed<'a, Result<Draft, Refusal>> {
        let requests = self.script(|script| script.requests);
        let version = matches!(ask.operation, Operation::RollBack { .. })
            .then(|| VersionMap { name: "1.1.0".into(), ..VersionMap::default() });
        let draft = Draft {
            before: "1.3.0 at 25 %".into(),
            after: "1.2.0 at 100 %".into(),
            share: Some(25.0),
            version,
            requests: (0..requests).map(request).collect(),
            checks: vec![weight()],
            ..Draft::default()
        };
        Box::pin(async { Ok(draft) })
    }
}
