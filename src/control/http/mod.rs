//! Acts through a home-made controller that speaks wardroom's small HTTP interface (`interfaces.md`).

mod expect;
mod facts;
mod send;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Ask, Boxed, Controller, Draft, Finding, Sender, Sent, Settled};
use crate::config::{CanaryConfig, Config};
use crate::domain::act::{Hand, May, Operation, Plan, Refusal, Request};
use crate::domain::{ControllerKind, Fault, FaultKind, SourceId, Target};
use crate::sources::canary::wire::{Entry, Told};
use crate::sources::http::{Answer, Http, Method, error_text, segment};

/// What stands for the act's own id until it has one.
const ITS_ID: &str = "<the act's id>";

/// One controller for each configured `[[canary]]`.
///
/// # Errors
/// A client that cannot be made: a CA file or a secret that cannot be read.
pub fn controllers(config: &Config) -> Result<Vec<Box<dyn Controller>>, Fault> {
    let made = config
        .canary
        .iter()
        .map(|canary| Ok(Box::new(HttpController::new(config, canary)?) as Box<dyn Controller>));
    made.collect()
}

/// A controller reached over HTTP.
pub struct HttpController {
    system: SourceId,
    server: Http,
}

/// `GET /api/v1/acts`
#[derive(Deserialize)]
struct Acts {
    #[serde(default)]
    acts: Vec<Value>,
}

impl HttpController {
    fn new(config: &Config, canary: &CanaryConfig) -> Result<Self, Fault> {
        let timeout = config.deadline(canary.timeout);
        let max_bytes = config.max_bytes();
        let server = Http::writing(&canary.url, &canary.access, timeout, max_bytes)?;
        Ok(Self { system: SourceId::new(&canary.name), server })
    }

    /// Reads one rollout as it is now.
    async fn read(&self, target: &Target) -> Result<Told, Fault> {
        let path = format!("api/v1/rollouts/{}", segment(&target.name));
        let query = namespace(target);
        let answer = self.server.get(&path, &query).await?.ok()?;
        let place = answer.place.clone();
        let unreadable = |why: String| Fault::new(FaultKind::Unreadable, format!("{place}: {why}"));
        let entry: Entry = answer.json()?;
        if entry.model != *target.name {
            return Err(unreadable(format!("it tells `{}` instead of `{}`", entry.model, target.name)));
        }
        entry.told(&self.system, &self.system.0).map_err(unreadable)
    }

    /// The accepted act of this id, when it is listed.
    async fn listed(&self, id: &str) -> Result<Option<Value>, Fault> {
        let acts: Acts = self.server.get("api/v1/acts", &[("id", id)]).await?.ok()?.json()?;
        Ok(acts.acts.into_iter().find(|act| act["id"] == id))
    }

    async fn post(&self, target: &Target, body: &Value, dry: bool, audit_id: &str) -> Result<Answer, Fault> {
        let mut query = namespace(target);
        if dry {
            query.push(("dry_run", "true"));
        }
        self.server.write(Method::POST, &acts_path(target), &query, body, audit_id).await
    }

    async fn planned(&self, ask: &Ask) -> Result<Draft, Refusal> {
        let told = self.read(&ask.target).await.map_err(|fault| match fault.kind {
            FaultKind::Absent => Refusal::new(
                format!("{} knows no rollout {}", self.system, ask.target),
                "check rollout.name in the config, or whether the controller answers GET /api/v1/rollouts/NAME",
            ),
            _ => Refusal::new(format!("{} cannot be read: {}", self.system, fault.detail), remedy(&fault)),
        })?;
        if let Some(why) = told.rollout.refuses(&ask.operation) {
            return Err(match why.split_once("; ") {
                Some((why, instead)) => Refusal::new(why, instead),
                None => Refusal::new(why, "choose another act, or wait until it can be done"),
            });
        }
        let goal = expect::goal(&ask.operation, &told.rollout)?;
        let body = body(ask, &told);
        let mut draft = Draft {
            before: facts::words(&told.rollout),
            after: goal.words.clone(),
            facts: facts::of(&told),
            share: goal.share,
            version: goal.version.clone(),
            beware: expect::beware(&ask.operation, &told),
            checks: expect::checks(&ask.operation, told.generation),
            expected_s: goal.expected_s,
            ..Draft::default()
        };
        let (may, dry_run) = match told.dry_run {
            true => self.dry_run(ask, &body).await?,
            false => (May::Unknown("this controller tells it only when it is tried".into()), None),
        };
        let path = match ask.target.namespace.is_empty() {
            true => format!("/{}", acts_path(&ask.target)),
            false => format!("/{}?namespace={}", acts_path(&ask.target), segment(&ask.target.namespace)),
        };
        draft.requests.push(Request {
            hand: Hand::Controller,
            words: expect::request_words(&ask.operation),
            verb: "POST".into(),
            path,
            content_type: "application/json".into(),
            body,
            may,
            dry_run,
            after: String::new(),
            wait_s: 0.0,
            optional: false,
            keep: goal.kept(),
        });
        Ok(draft)
    }

    /// What the controller says that the act would do, and whether this user may.
    async fn dry_run(
        &self,
        ask: &Ask,
        body: &Value,
    ) -> Result<(May, Option<Result<String, String>>), Refusal> {
        let answer = match self.post(&ask.target, body, true, "").await {
            Ok(answer) => answer,
            Err(fault) => return Ok((May::Unknown(fault.detail.clone()), Some(Err(fault.detail)))),
        };
        let said = error_text(&answer.body);
        Ok(match answer.status {
            200..=299 => {
                let would =
                    answer.json::<Value>().ok().and_then(|body| Some(body["would"].as_str()?.to_owned()));
                let would = would.map(|words| crate::domain::text::clean(&words, 300));
                (May::Yes, Some(Ok(would.unwrap_or_else(|| "it would be accepted".into()))))
            }
            401 | 403 => (May::No(said.clone()), Some(Err(said))),
            409 => (May::Yes, Some(Err("the rollout moves just now; plan again".into()))),
            422 => return Err(Refusal::new(said, "choose another act, or wait until it can be done")),
            status => {
                let why = format!("status {status}, {said}");
                (May::Unknown(why.clone()), Some(Err(why)))
            }
        })
    }
}

fn remedy(fault: &Fault) -> String {
    if fault.remedy.is_empty() { "try again when it answers".into() } else { fault.remedy.clone() }
}

fn acts_path(target: &Target) -> String {
    format!("api/v1/rollouts/{}/acts", segment(&target.name))
}

fn namespace(target: &Target) -> Vec<(&'static str, &str)> {
    if target.namespace.is_empty() { Vec::new() } else { vec![("namespace", &target.namespace)] }
}

/// The body of an act, with the generation that was read.
fn body(ask: &Ask, told: &Told) -> Value {
    let mut body = json!({
        "act": ask.operation.verb(), "id": ITS_ID, "reason": ask.reason, "who": ask.who,
    });
    match &ask.operation {
        Operation::RollBack { to } => body["to"] = to.as_str().into(),
        Operation::SetWeight { percent } => body["weight"] = (*percent).into(),
        _ => {}
    }
    // The safe direction waits for nobody: an abort is right at any generation.
    if let Some(generation) = told.generation.filter(|_| !ask.operation.is_safe_direction()) {
        body["if_generation"] = generation.into();
    }
    body
}

impl Sender for HttpController {
    fn send<'a>(&'a self, plan: &'a Plan, n: usize, audit_id: &'a str) -> Boxed<'a, Sent> {
        Box::pin(self.sent(plan, n, audit_id))
    }

    fn settled<'a>(&'a self, plan: &'a Plan, n: usize) -> Boxed<'a, Result<Settled, Fault>> {
        Box::pin(self.looked_up(plan, n))
    }

    fn observe<'a>(&'a self, plan: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>> {
        Box::pin(self.seen(plan))
    }
}

impl Controller for HttpController {
    fn knows(&self, target: &Target) -> bool {
        target.kind == ControllerKind::Http && target.system == self.system
    }

    fn plan<'a>(&'a self, ask: &'a Ask) -> Boxed<'a, Result<Draft, Refusal>> {
        Box::pin(self.planned(ask))
    }
}
