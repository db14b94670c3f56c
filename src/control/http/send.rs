//! Sends an act once, and finds out what came of it.

use serde_json::Value;

use super::{HttpController, ITS_ID, expect, facts};
use crate::control::reply::{lost, refused_or_unknown};
use crate::control::{Finding, Seen, Sent, Settled};
use crate::domain::act::{Plan, Request};
use crate::domain::text::clean;
use crate::domain::{Fault, FaultKind};
use crate::sources::http::{Answer, error_text};

/// So often an act is tried again after a conflict that proves that nothing was done.
const TRIES: usize = 3;

impl HttpController {
    pub(super) async fn sent(&self, plan: &Plan, n: usize, audit_id: &str) -> Sent {
        let Some(request) = plan.requests.get(n) else {
            return Sent::Refused(format!("the plan has no request {n}"));
        };
        let mut why = String::new();
        for _ in 0..=TRIES {
            let told = match self.read(&plan.target).await {
                Ok(told) => told,
                Err(fault) => return Sent::Refused(format!("nothing was sent: {fault}")),
            };
            if let Some(difference) = facts::moved(&plan.operation, &plan.facts, &told) {
                return Sent::Moved(difference);
            }
            let body = body(plan, n, request, told.generation);
            let answer = match self.post(&plan.target, &body, false, audit_id).await {
                Ok(answer) => answer,
                Err(fault) => return lost(&fault),
            };
            match judged(&answer, audit_id, told.generation) {
                Ok(sent) => return sent,
                Err(conflict) => why = conflict,
            }
        }
        Sent::Refused(format!("it changed under every one of {} tries: {why}", TRIES + 1))
    }

    pub(super) async fn looked_up(&self, plan: &Plan, n: usize) -> Result<Settled, Fault> {
        let id = id_of(plan, n);
        let now = self.read(&plan.target).await?;
        let is_there = facts::words(&now.rollout);
        match self.listed(&id).await {
            Ok(Some(act)) => Ok(Settled::Done(format!("the controller lists act {id}{}", told_when(&act)))),
            Ok(None) => Ok(match facts::moved(&plan.operation, &plan.facts, &now) {
                None => {
                    Settled::NotDone(format!("the controller lists no act {id}, and nothing has changed"))
                }
                Some(change) => Settled::NotDone(format!(
                    "the controller lists no act {id}; somebody or its clock has moved it: {change}"
                )),
            }),
            Err(fault) if fault.kind == FaultKind::Absent => Ok(Settled::CannotTell(format!(
                "this controller does not list its acts; the rollout is: {is_there}"
            ))),
            Err(fault) => Err(fault),
        }
    }

    pub(super) async fn seen(&self, plan: &Plan) -> Result<Vec<Finding>, Fault> {
        let now = self.read(&plan.target).await?;
        let Some((n, request)) = plan.requests.iter().enumerate().find(|(_, request)| is_ours(request))
        else {
            return Ok(Vec::new());
        };
        let mut findings = Vec::new();
        for check in &plan.checks {
            match check.id.as_str() {
                "observed" => {
                    let (seen, detail) = self.observed(plan, n, now.generation).await?;
                    findings.push(Finding { id: check.id.clone(), seen, detail });
                }
                "weight" | "state" | "revision" => {
                    findings.push(expect::look(&check.id, &plan.operation, &request.keep, &now.rollout));
                }
                // The others look elsewhere.
                _ => {}
            }
        }
        Ok(findings)
    }

    /// Whether the controller has accepted the act, by its list, else by its generation.
    async fn observed(
        &self,
        plan: &Plan,
        n: usize,
        generation: Option<u64>,
    ) -> Result<(Seen, String), Fault> {
        let id = id_of(plan, n);
        let before = plan.fact("generation").and_then(Value::as_u64);
        let moved = match (before, generation) {
            (Some(before), Some(now)) if now != before => Some(format!("generation {before} → {now}")),
            _ => None,
        };
        match self.listed(&id).await {
            Ok(Some(act)) => Ok((Seen::Yes, moved.unwrap_or_else(|| format!("listed{}", told_when(&act))))),
            Ok(None) => Ok((Seen::NotYet, format!("act {id} is not listed"))),
            Err(fault) if fault.kind == FaultKind::Absent => Ok(match moved {
                Some(moved) => (Seen::Yes, moved),
                None => (Seen::NotYet, "the generation has not moved".into()),
            }),
            Err(fault) => Err(fault),
        }
    }
}

fn is_ours(request: &Request) -> bool {
    request.hand == crate::domain::act::Hand::Controller
}

/// The id by which the controller knows a request: the same for a second try, so that it is one act.
fn id_of(plan: &Plan, n: usize) -> String {
    if n == 0 { plan.id.0.clone() } else { format!("{}-{n}", plan.id) }
}

/// The body as it is sent: with the act's id, its reason as it was confirmed, and the generation just read.
fn body(plan: &Plan, n: usize, request: &Request, generation: Option<u64>) -> Value {
    let mut body = request.body.clone();
    if body["id"] == ITS_ID {
        body["id"] = id_of(plan, n).into();
    }
    if !plan.reason.is_empty() {
        body["reason"] = plan.reason.as_str().into();
    }
    if let (Some(pinned), Some(generation)) = (body.get_mut("if_generation"), generation) {
        *pinned = generation.into();
    }
    body
}

/// What an answer means; a conflict that proves that nothing was done is the `Err`.
fn judged(answer: &Answer, audit_id: &str, before: Option<u64>) -> Result<Sent, String> {
    let said = error_text(&answer.body);
    match answer.status {
        200..=299 if answer.is_page() => {
            Ok(Sent::Unknown("a web page came where an answer should be".into()))
        }
        200..=299 => {
            let told: Value = answer.json().unwrap_or_default();
            let note = match (told["already"].as_bool(), before, told["generation"].as_u64()) {
                (Some(true), ..) => "already so".into(),
                (_, Some(before), Some(now)) => format!("generation {before} → {now}"),
                _ => format!("status {}", answer.status),
            };
            let audit_id = answer.audit_id.clone().unwrap_or_else(|| audit_id.to_owned());
            Ok(Sent::Accepted { audit_id, note })
        }
        409 => Err(said),
        _ => Ok(refused_or_unknown(answer)),
    }
}

fn told_when(act: &Value) -> String {
    act["at"].as_str().map(|at| format!(", accepted {}", clean(at, 40))).unwrap_or_default()
}
