//! Looks at what came of an act on a Canary: phase, route, target and primary together. Never the phase alone.

use serde_json::Value;

use super::{UNTIL, flag, text};
use crate::cluster::flagger::{self, CANARY, complete, weight_on};
use crate::cluster::httproute::{self, HTTP_ROUTE};
use crate::cluster::virtualservice::{self, VIRTUAL_SERVICE};
use crate::cluster::{Around, percent};
use crate::control::kubernetes::object::Place;
use crate::control::kubernetes::share::{around, finding};
use crate::control::kubernetes::{Site, request_of};
use crate::control::{Finding, Ready, Seen};
use crate::domain::act::{Operation, Plan};
use crate::domain::{Fault, FaultKind};

/// What belongs to a Canary: target and primary, their ReplicaSets, the route.
///
/// # Errors
/// What is wrong with the server.
pub(super) async fn around_of(site: &Site, canary: &Value) -> Result<Around, Fault> {
    let namespace = text(canary, "/metadata/namespace");
    let deployment = |name: &str| Place::new(flagger::DEPLOYMENTS, namespace, name);
    let places = [
        deployment(flagger::target(canary)),
        deployment(&flagger::primary(canary)),
        Place::new(VIRTUAL_SERVICE, namespace, flagger::service(canary)),
        Place::new(HTTP_ROUTE, namespace, flagger::service(canary)),
    ];
    let mut found = around(&site.objects, &places).await?;
    let selector = found.get("deployments", namespace, flagger::target(canary)).map(|deployment| {
        let labels = deployment.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
        let pairs = labels.into_iter().flatten();
        let pairs = pairs.filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
        pairs.collect::<Vec<_>>().join(",")
    });
    if let Some(selector) = selector {
        for set in site.objects.list(&flagger::REPLICA_SETS, namespace, &selector).await? {
            let name = text(&set, "/metadata/name").to_owned();
            found.put("replicasets", namespace, &name, set.into());
        }
    }
    Ok(found)
}

/// What is seen at one moment.
pub(super) struct View {
    canary: Value,
    target: Option<Value>,
    primary: Option<Value>,
    weight: Option<f64>,
}

impl View {
    /// Reads everything anew.
    pub(super) async fn of(site: &Site, plan: &Plan) -> Result<Self, Fault> {
        let place = Place::new(CANARY, &plan.target.namespace, &plan.target.name);
        let canary = site.objects.get(&place.path()).await?;
        let around = around_of(site, &canary).await?;
        Ok(Self::made(canary, &around))
    }

    pub(super) fn made(canary: Value, around: &Around) -> Self {
        let namespace = text(&canary, "/metadata/namespace");
        let deployment = |name: &str| around.get("deployments", namespace, name).cloned();
        let route = |plural: &str| around.get(plural, namespace, flagger::service(&canary));
        let weight = route(VIRTUAL_SERVICE.plural)
            .and_then(|route| weight_on(&canary, &virtualservice::rules(route)))
            .or_else(|| weight_on(&canary, &httproute::rules(route(HTTP_ROUTE.plural)?)));
        Self {
            target: deployment(flagger::target(&canary)),
            primary: deployment(&flagger::primary(&canary)),
            weight,
            canary,
        }
    }

    fn phase(&self) -> &str {
        text(&self.canary, "/status/phase")
    }

    fn was<'p>(plan: &'p Plan, name: &str) -> &'p str {
        plan.fact(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the run that the plan began or found has ended, well or not.
    fn ended(&self, plan: &Plan) -> bool {
        let promoted = text(&self.canary, "/status/lastPromotedSpec");
        match self.phase() {
            "Succeeded" => promoted != Self::was(plan, "status.lastPromotedSpec"),
            // A rollback from Failed begins in Failed: then the applied template must have changed too.
            "Failed" => {
                Self::was(plan, "status.phase") != "Failed"
                    || text(&self.canary, "/status/lastAppliedSpec")
                        != Self::was(plan, "status.lastAppliedSpec")
            }
            _ => false,
        }
    }

    /// The words that a request waits for.
    pub(super) fn until(&self, word: &str, plan: &Plan) -> Ready {
        let phase = self.phase();
        let holds = match word {
            "ended" => self.ended(plan),
            "failed" => phase == "Failed",
            "moved" => self.moved(plan),
            _ => return Ready::Moved(format!("the plan waits for `{word}`, which is not known here")),
        };
        if holds { Ready::Yes } else { Ready::NotYet(format!("phase {phase}, {}", self.words())) }
    }

    fn words(&self) -> String {
        self.weight.map_or_else(|| "no route".into(), |weight| format!("{} on the route", percent(weight)))
    }

    fn moved(&self, plan: &Plan) -> bool {
        let weight = self.weight.zip(plan_weight(plan)).is_some_and(|(now, then)| (now - then).abs() >= 0.5);
        self.phase() != Self::was(plan, "status.phase") || weight
    }

    /// Whether two Deployments run the same containers: labels and annotations differ on purpose.
    fn same_containers(&self) -> bool {
        let of = |deployment: &Option<Value>| {
            deployment.as_ref().and_then(|it| it.pointer("/spec/template/spec/containers").cloned())
        };
        let (target, primary) = (of(&self.target), of(&self.primary));
        target.is_some() && target == primary
    }

    /// What one check sees.
    pub(super) fn finding(&self, id: &str, plan: &Plan) -> Finding {
        let phase = self.phase();
        let wrong = |detail: String| Finding { id: id.into(), seen: Seen::No, detail };
        match id {
            "held" => {
                let stays =
                    self.weight.zip(plan_weight(plan)).is_none_or(|(now, then)| (now - then).abs() < 0.5);
                let detail = format!("suspend {}, {}", flag(&self.canary, "/spec/suspend"), self.words());
                // A step that was under way is allowed: then it holds at that weight.
                finding(
                    id,
                    flag(&self.canary, "/spec/suspend"),
                    if stays { detail } else { detail + ", one step later" },
                )
            }
            "released" => finding(id, !flag(&self.canary, "/spec/suspend"), format!("phase {phase}")),
            "moved" => finding(id, self.moved(plan), format!("phase {phase}, {}", self.words())),
            "failed" if phase == "Succeeded" => wrong("it has succeeded instead".into()),
            "failed" => finding(id, phase == "Failed", format!("phase {phase}")),
            "weight" => match self.weight {
                Some(weight) => finding(id, weight < 0.05, self.words()),
                None => Finding { id: id.into(), seen: Seen::Nothing, detail: "no route can be read".into() },
            },
            "copied" if phase == "Failed" && self.ended(plan) => {
                wrong("Flagger has rolled back instead".into())
            }
            "copied" => finding(id, phase == "Succeeded" && self.ended(plan), format!("phase {phase}")),
            "primary" => match &self.primary {
                Some(primary) => {
                    let (done, words) = complete(primary);
                    let same = self.same_containers();
                    let words = if same {
                        words
                    } else {
                        format!("{words}; it does not run the target's containers")
                    };
                    finding(id, done && same, words)
                }
                None => finding(id, false, "the primary is not there"),
            },
            "checked" => {
                let on = flag(&self.canary, "/spec/skipAnalysis");
                finding(id, !on, if on { "skipAnalysis is still on" } else { "skipAnalysis is off" })
            }
            "started" => finding(id, self.started(plan), format!("phase {phase}")),
            "target" => self.target_check(id, plan),
            other => Finding { id: other.into(), seen: Seen::Nothing, detail: "not known here".into() },
        }
    }

    fn started(&self, plan: &Plan) -> bool {
        let applied =
            text(&self.canary, "/status/lastAppliedSpec") != View::was(plan, "status.lastAppliedSpec");
        self.phase() == "Progressing" || (self.phase() != "Failed" && applied)
    }

    fn target_check(&self, id: &str, plan: &Plan) -> Finding {
        let Some(target) = &self.target else { return finding(id, false, "the target is not there") };
        if matches!(plan.operation, Operation::RollBack { .. }) {
            let (done, words) = complete(target);
            let asked = plan.requests.iter().find_map(|request| {
                let operations = request.body.as_array()?;
                operations.iter().find(|o| text(o, "/path") == "/spec/template")?.get("value")
            });
            let same = asked.is_none_or(|asked| target.pointer("/spec/template") == Some(asked));
            return finding(id, done && same, words);
        }
        let wanted = target.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
        let there = target.pointer("/status/replicas").and_then(Value::as_u64).unwrap_or(0);
        finding(id, wanted == 0 && there == 0, format!("{there} pods there, {wanted} wanted"))
    }
}

/// The weight on the route when the plan was made.
fn plan_weight(plan: &Plan) -> Option<f64> {
    plan.fact(super::WEIGHT).and_then(Value::as_f64)
}

/// Whether what request `n` waits for has happened.
pub(super) async fn ready(site: &Site, plan: &Plan, n: usize) -> Result<Ready, Fault> {
    let request = request_of(plan, n)?;
    let Some(word) = request.keep.get(UNTIL).and_then(Value::as_str) else { return Ok(Ready::Yes) };
    match View::of(site, plan).await {
        Ok(view) => Ok(view.until(word, plan)),
        Err(fault) if fault.kind == FaultKind::Absent => {
            Ok(Ready::Moved("the Canary is not there any more".into()))
        }
        Err(fault) => Err(fault),
    }
}

/// This side's checks.
pub(super) async fn observe(site: &Site, plan: &Plan) -> Result<Vec<Finding>, Fault> {
    let view = View::of(site, plan).await?;
    let mine = [
        "held", "released", "moved", "failed", "weight", "copied", "primary", "checked", "started", "target",
    ];
    let checks = plan.checks.iter().filter(|check| mine.contains(&check.id.as_str()));
    Ok(checks.map(|check| view.finding(&check.id, plan)).collect())
}
