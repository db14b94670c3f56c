//! Acts on the weights of an HAProxy backend through its admin socket: one server after the other, the one that gains
//! first, so that never both have weight 0.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Ask, Boxed, Controller, Draft, Finding, Seen, Sender, Sent, Settled};
use crate::cluster::{ladder, percent};
use crate::config::{Config, HaproxyConfig};
use crate::domain::act::{
    Beware, CheckPlan, Hand, Known, May, Operation, Plan, Refusal, Request, VersionMap,
};
use crate::domain::{Fault, FaultKind, Level, Rollout, Situation, Target};
use crate::sources::haproxy::socket::{Socket, Trouble};
use crate::sources::haproxy::{self as reading, stat};

/// Until when a weight should be there, seconds. HAProxy has it at once.
const WITHIN: f64 = 10.0;

/// A controller for each configured HAProxy.
///
/// # Errors
/// None today; a setting that cannot be used.
pub fn controllers(config: &Config) -> Result<Vec<Box<dyn Controller>>, Fault> {
    let all = config.haproxy.iter();
    Ok(all.map(|haproxy| Box::new(Haproxy::new(config, haproxy)) as Box<dyn Controller>).collect())
}

/// One configured HAProxy.
pub struct Haproxy {
    config: HaproxyConfig,
    socket: Socket,
}

/// The weights of stable and canary.
type Weights = (u32, u32);

impl Haproxy {
    /// An HAProxy by its settings.
    pub fn new(config: &Config, haproxy: &HaproxyConfig) -> Self {
        Self { config: haproxy.clone(), socket: reading::socket_of(config, haproxy) }
    }

    async fn servers(&self) -> Result<Vec<stat::Server>, Fault> {
        let answer = self.socket.ask("show stat").await.map_err(Trouble::fault)?;
        stat::servers(&answer, &self.config.backend)
    }

    async fn weights(&self) -> Result<Weights, Fault> {
        let servers = self.servers().await?;
        let (stable, canary) = reading::pair(&self.config, &servers)?;
        Ok((stable.weight, canary.weight))
    }

    /// Whether this socket may change weights.
    async fn may(&self) -> (May, String) {
        match self.socket.ask("show cli level").await.map_err(Trouble::fault) {
            Ok(level) => {
                let level = crate::domain::text::clean_name(&level);
                let identity = format!("HAProxy socket, level {level}");
                match level.as_str() {
                    "admin" => (May::Yes, identity),
                    "operator" | "user" => (
                        May::No(format!("this socket has level {level}; weights need level admin")),
                        identity,
                    ),
                    _ => {
                        (May::Unknown("HAProxy does not tell the level of this socket".into()), String::new())
                    }
                }
            }
            Err(fault) => (May::Unknown(fault.to_string()), String::new()),
        }
    }

    fn request(&self, server: &str, from: u32, to: u32, seen: Weights, may: &May) -> Request {
        Request {
            hand: Hand::Controller,
            words: format!("weight of {server}: {from} → {to}"),
            verb: "SET".into(),
            path: format!("{}/{server}", self.config.backend),
            content_type: "text/plain".into(),
            body: json!(format!("set server {}/{server} weight {to}", self.config.backend)),
            may: may.clone(),
            dry_run: None,
            after: String::new(),
            wait_s: 0.0,
            optional: false,
            keep: BTreeMap::from([
                ("server".to_owned(), json!(server)),
                ("weight".to_owned(), json!(to)),
                ("seen".to_owned(), json!([seen.0, seen.1])),
            ]),
        }
    }

    async fn make(&self, ask: &Ask) -> Result<Draft, Refusal> {
        let failed = |fault: Fault| Refusal::new(fault.to_string(), "try again when it answers");
        let servers = self.servers().await.map_err(failed)?;
        let mut rollout = reading::read(&self.config, &servers).map_err(failed)?;
        rollout.target = Some(ask.target.clone());
        if let Some(why) = rollout.refuses(&ask.operation) {
            let (why, instead) = why.split_once("; ").unwrap_or((why.as_str(), "nothing was sent"));
            return Err(Refusal::new(why, instead));
        }
        let (stable, canary) = reading::pair(&self.config, &servers).map_err(failed)?;
        let now = rollout.asked;
        let to = self.wanted(&ask.operation, &rollout)?;
        let seen = (stable.weight, canary.weight);
        let is_so = rollout.situation != Situation::Degraded && (now - to).abs() < 0.005;
        let weights = if is_so { seen } else { weights_of(to)? };
        let (may, identity) = self.may().await;
        let requests = in_order(seen, weights)
            .into_iter()
            .map(|step| match step {
                Step::Stable(seen) => self.request(&stable.name, stable.weight, weights.0, seen, &may),
                Step::Canary(seen) => self.request(&canary.name, canary.weight, weights.1, seen, &may),
            })
            .collect();
        let place = |share: f64| {
            let (canary, stable) = (&canary.name, &stable.name);
            format!("{canary} at {}, {stable} at {}", percent(share), percent(100.0 - share))
        };
        let whole = if to <= 0.0 { Some(stable) } else { Some(canary).filter(|_| to >= 100.0) };
        let mut beware = vec![
            warning(Level::Ok, "wardroom is the stepper: the weight stays where it is until it is told"),
            warning(Level::Unknown, "a reload of HAProxy brings back the weights of its configuration file"),
            warning(Level::Ok, "open connections and sticky sessions keep the old share"),
        ];
        for (server, share) in [(stable, 100.0 - to), (canary, to)] {
            if share > 0.0 && !server.is_up {
                beware.insert(0, warning(Level::Critical, format!("{} is {}", server.name, server.status)));
            }
        }
        Ok(Draft {
            before: place(now),
            after: place(to),
            facts: vec![
                fact(&stable.name, stable.weight),
                fact(&canary.name, canary.weight),
                Known { name: GOAL.into(), value: json!([weights.0, weights.1]) },
            ],
            share: Some((to - now).abs()),
            version: whole.map(|server| VersionMap {
                name: server.name.clone(),
                hash: server.name.clone(),
                ..VersionMap::default()
            }),
            requests,
            beware,
            checks: vec![
                check(
                    "weight",
                    format!(
                        "{} and {} have weights {} and {}",
                        stable.name, canary.name, weights.0, weights.1
                    ),
                ),
                check("up", "every server with a share is up".into()),
            ],
            expected_s: 1.0,
            identity,
        })
    }

    fn wanted(&self, operation: &Operation, rollout: &Rollout) -> Result<f64, Refusal> {
        match operation {
            Operation::Promote => ladder::next(&self.config.ladder, rollout.asked)
                .ok_or_else(|| Refusal::new("all traffic is on it already", "there is no further step")),
            Operation::PromoteFull => Ok(100.0),
            Operation::Abort => Ok(0.0),
            Operation::SetWeight { percent } => Ok(*percent),
            Operation::RollBack { to } if to.as_str() == self.config.stable => Ok(0.0),
            Operation::RollBack { to } if to.as_str() == self.config.canary => Ok(100.0),
            Operation::RollBack { to } => {
                let words = format!("known are {} and {}", self.config.stable, self.config.canary);
                Err(Refusal::new(format!("no server of this backend is {to}"), words))
            }
            other => Err(Refusal::new(
                format!("HAProxy has no {}", other.verb()),
                "set a weight, promote or abort",
            )),
        }
    }
}

/// A fact for the eye and for `observe`: the weights that the plan leads to.
const GOAL: &str = "weights looked for";

/// The weights that a plan leads to.
fn goal(plan: &Plan) -> Option<Weights> {
    pair_of(plan.fact(GOAL)?)
}

fn pair_of(value: &Value) -> Option<Weights> {
    Some((weight(value.get(0))?, weight(value.get(1))?))
}

fn weight(value: Option<&Value>) -> Option<u32> {
    u32::try_from(value?.as_u64()?).ok()
}

fn fact(server: &str, weight: u32) -> Known {
    Known { name: format!("weight of {server}"), value: json!(weight) }
}

fn warning(level: Level, text: impl Into<String>) -> Beware {
    Beware { level, text: text.into() }
}

fn check(id: &str, words: String) -> CheckPlan {
    CheckPlan { id: id.into(), words, needed: true, within_s: WITHIN }
}

/// Absolute weights for a share. Weights end at 256, and the percents that HAProxy takes are of each server's own
/// configured weight, not of the traffic: they are of no use here.
fn weights_of(percent: f64) -> Result<Weights, Refusal> {
    if !(0.0..=100.0).contains(&percent) {
        return Err(Refusal::new(format!("{percent} is no percent"), "name a weight from 0 to 100"));
    }
    let sum = [100_u32, 200].into_iter().find(|&sum| (percent / 100.0 * f64::from(sum)).fract().abs() < 1e-9);
    let Some(sum) = sum else {
        return Err(Refusal::new(
            format!("{percent} % is too fine"),
            "HAProxy's weights are set in half percents",
        ));
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 200")]
    let canary = (percent / 100.0 * f64::from(sum)).round() as u32;
    Ok((sum - canary, canary))
}

#[derive(Debug, PartialEq)]
enum Step {
    /// Set the stable server, while the weights are these.
    Stable(Weights),
    /// Set the canary's.
    Canary(Weights),
}

/// Which server is set first: the one whose weight grows from its place, so that never both have none and an abort
/// begins by giving stable its traffic back.
fn in_order(seen: Weights, to: Weights) -> Vec<Step> {
    let stable_first = to.1 == 0 || (to.0 != 0 && to.0 >= seen.0);
    let mut steps = if stable_first {
        vec![Step::Stable(seen), Step::Canary((to.0, seen.1))]
    } else {
        vec![Step::Canary(seen), Step::Stable((seen.0, to.1))]
    };
    steps.retain(|step| match step {
        Step::Stable(_) => seen.0 != to.0,
        Step::Canary(_) => seen.1 != to.1,
    });
    steps
}

impl Sender for Haproxy {
    fn send<'a>(&'a self, plan: &'a Plan, n: usize, audit_id: &'a str) -> Boxed<'a, Sent> {
        Box::pin(async move {
            let Some(request) = plan.requests.get(n) else {
                return Sent::Refused(format!("the plan has no request of number {n}"));
            };
            let seen = request.keep.get("seen").and_then(pair_of);
            let (Some(seen), Some(command)) = (seen, request.body.as_str()) else {
                return Sent::Refused("the plan does not name the weights; make it again".into());
            };
            match self.weights().await {
                Ok(now) if now == seen => {}
                Ok(now) => {
                    let words = |of: Weights| format!("{} and {}", of.0, of.1);
                    return Sent::Moved(format!("the weights were {}, are {}", words(seen), words(now)));
                }
                Err(fault) => return Sent::Refused(format!("nothing was sent: {fault}")),
            }
            match self.socket.ask(command).await {
                Err(Trouble::Before(fault)) => Sent::Refused(format!("nothing was sent: {fault}")),
                Err(Trouble::After(fault)) => Sent::Unknown(fault.to_string()),
                Ok(answer) if !answer.trim().is_empty() => {
                    Sent::Refused(crate::domain::text::excerpt(answer.trim()))
                }
                Ok(_) => match self.settle(request).await {
                    Ok(Settled::Done(note)) => Sent::Accepted { audit_id: audit_id.to_owned(), note },
                    Ok(Settled::NotDone(why) | Settled::CannotTell(why)) => {
                        Sent::Unknown(format!("HAProxy took it, and {why}"))
                    }
                    Err(fault) => Sent::Unknown(format!("HAProxy took it and cannot be read: {fault}")),
                },
            }
        })
    }

    fn settled<'a>(&'a self, plan: &'a Plan, n: usize) -> Boxed<'a, Result<Settled, Fault>> {
        Box::pin(async move {
            match plan.requests.get(n) {
                Some(request) => self.settle(request).await,
                None => Err(Fault::new(FaultKind::Absent, format!("the plan has no request of number {n}"))),
            }
        })
    }

    fn observe<'a>(&'a self, plan: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>> {
        Box::pin(async move {
            let servers = self.servers().await?;
            let (stable, canary) = reading::pair(&self.config, &servers)?;
            let now = (stable.weight, canary.weight);
            let wanted = goal(plan);
            let down: Vec<String> = [stable, canary]
                .into_iter()
                .filter(|server| server.weight > 0 && !server.is_up)
                .map(|server| format!("{} is {}", server.name, server.status))
                .collect();
            let seen = |holds: bool| if holds { Seen::Yes } else { Seen::NotYet };
            Ok(vec![
                Finding {
                    id: "weight".into(),
                    seen: seen(Some(now) == wanted),
                    detail: format!("{} {}, {} {}", stable.name, now.0, canary.name, now.1),
                },
                Finding {
                    id: "up".into(),
                    seen: seen(down.is_empty()),
                    detail: if down.is_empty() { "all up".into() } else { down.join(", ") },
                },
            ])
        })
    }
}

impl Haproxy {
    /// Whether the weight that a request sets is there.
    async fn settle(&self, request: &Request) -> Result<Settled, Fault> {
        let name = request.keep.get("server").and_then(Value::as_str).unwrap_or_default();
        let wanted = weight(request.keep.get("weight"));
        let servers = self.servers().await?;
        let Some(server) = servers.iter().find(|server| server.name == name) else {
            return Ok(Settled::CannotTell(format!("the backend has no server {name} any more")));
        };
        let words = format!("{name} has weight {}", server.weight);
        Ok(if Some(server.weight) == wanted { Settled::Done(words) } else { Settled::NotDone(words) })
    }
}

impl Controller for Haproxy {
    fn knows(&self, target: &Target) -> bool {
        *target == reading::target(&self.config)
    }

    fn plan<'a>(&'a self, ask: &'a Ask) -> Boxed<'a, Result<Draft, Refusal>> {
        Box::pin(self.make(ask))
    }
}
