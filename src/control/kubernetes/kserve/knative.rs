//! Knative mode: one field, `canaryTrafficPercent`; what it leads to is looked at by the names of revisions.

use serde_json::{Value, json};

use super::{WITHIN, no_such, place, stepped};
use crate::cluster::inferenceservice::{InferenceService, KNATIVE_SERVICES, REVISIONS, mode};
use crate::cluster::kserve_knative::{Names, traffic, version};
use crate::cluster::percent;
use crate::control::kubernetes::object::Place;
use crate::control::kubernetes::share::{
    around, beware, check, draft, finding, is_named, live, naming, stand,
};
use crate::control::kubernetes::{Patch, Site, facts, refused};
use crate::control::{Ask, Draft, Finding, Seen};
use crate::domain::act::{Known, Operation, Plan, Refusal, VersionMap};
use crate::domain::{ControllerKind, Fault, Level, Rollout};

const PERCENT: &str = "spec.predictor.canaryTrafficPercent";
const FACTS: [&str; 6] = [
    PERCENT,
    "spec.predictor.model",
    "status.components.predictor.latestCreatedRevision",
    "status.components.predictor.latestReadyRevision",
    "status.components.predictor.latestRolledoutRevision",
    "status.components.predictor.previousRolledoutRevision",
];

/// The revision that verification looks for, with its percent: facts for the eye and for `observe`.
const REVISION: &str = "revision looked for";
const SHARE: &str = "percent looked for";

/// What an act writes, and the revision that it must be seen on.
#[derive(Debug, PartialEq)]
pub(super) struct Move {
    /// The new value; none takes the field away.
    pub(super) percent: Option<i64>,
    /// The revision to look for.
    pub(super) revision: String,
    /// And its percent there.
    pub(super) share: f64,
    /// Whether that revision has all traffic afterwards.
    pub(super) whole: bool,
}

pub(super) async fn plan(site: &Site, ask: &Ask) -> Result<Draft, Refusal> {
    let place = place(&ask.target);
    let object = live(site, &place).await?;
    if mode(&object) != Some(ControllerKind::KserveKnative) {
        return Err(Refusal::new("it is not in Knative mode any more", "look at the object"));
    }
    let names = Names::of(&object);
    let revisions = [&names.created, &names.ready, &names.rolled_out, &names.previous];
    let mut places: Vec<Place> = revisions
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(|name| Place::new(REVISIONS, &ask.target.namespace, name))
        .collect();
    places.dedup();
    let around = around(&site.objects, &places).await.map_err(refused)?;
    let rollout = stand(&InferenceService, &object, &around, site, ask)?;
    let wanted = movement(&ask.operation, &site.cluster.ladder, &rollout, &names)?;
    let naming = naming(site);
    let called = |revision: &str| version(&object, revision, &around, &naming).to_string();
    let now = names.percent.map_or_else(|| "no canaryTrafficPercent".into(), percent);
    let before =
        format!("{} at {}, {now}", called(&names.created), percent(traffic(&object, &names.created)));
    let after = format!("{} at {}", called(&wanted.revision), percent(wanted.share));
    let mut known = facts::gather(&object, &FACTS);
    known.push(Known { name: REVISION.into(), value: json!(wanted.revision) });
    known.push(Known { name: SHARE.into(), value: json!(wanted.share) });
    let mut draft = draft(site, ask, &object, before, after, known).await;
    draft.share = Some((wanted.share - traffic(&object, &wanted.revision)).abs());
    draft.expected_s = 15.0;
    if wanted.whole {
        draft.version = Some(VersionMap {
            name: called(&wanted.revision),
            hash: wanted.revision.clone(),
            ..VersionMap::default()
        });
    }
    let same = names.percent.is_some_and(|now| Some(now) == wanted.percent.map(whole_as_float))
        || (names.percent.is_none() && wanted.percent.is_none());
    if !same {
        let words = match wanted.percent {
            Some(percent) => format!("canaryTrafficPercent: {percent}"),
            None => "canaryTrafficPercent: taken away".into(),
        };
        let body = json!({"spec": {"predictor": {"canaryTrafficPercent": wanted.percent}}});
        let patch = Patch::new(&place, "", words, body)
            .resting_on(facts::gather(&object, &FACTS))
            .telling(&[(PERCENT, json!(wanted.percent))]);
        draft.requests.push(patch.request(&site.objects, &object).await);
    }
    pitfalls(&mut draft, &object, &wanted, ask);
    draft.checks.push(check("observed", "Knative has seen the new traffic", false, WITHIN));
    draft.checks.push(check(
        "weight",
        format!("{} at {} by its revision's name", wanted.revision, percent(wanted.share)),
        true,
        WITHIN,
    ));
    Ok(draft)
}

#[expect(clippy::cast_precision_loss, reason = "0 to 100")]
fn whole_as_float(percent: i64) -> f64 {
    percent as f64
}

/// What is to be written.
pub(super) fn movement(
    operation: &Operation,
    ladder: &[f64],
    rollout: &Rollout,
    names: &Names,
) -> Result<Move, Refusal> {
    let to_canary = |percent: Option<i64>| {
        let share = percent.map_or(100.0, whole_as_float);
        let revision = names.created.clone();
        Move { percent, revision, share, whole: share >= 100.0 }
    };
    let back_to =
        |revision: &str| Move { percent: Some(0), revision: revision.into(), share: 100.0, whole: true };
    let serving = || {
        if names.serves() {
            return Ok(());
        }
        let why = format!(
            "canary not serving: {} is not ready, its percent goes to {}",
            names.created, names.ready
        );
        Err(Refusal::new(why, "abort it, or wait until it is ready"))
    };
    match operation {
        Operation::Promote | Operation::Retry | Operation::SetWeight { .. } => {
            let to = stepped(operation, names.percent.unwrap_or(100.0), ladder)?;
            if to > 0 {
                serving()?;
            }
            let last = to == 100 && !matches!(operation, Operation::SetWeight { .. });
            Ok(if last { to_canary(None) } else { to_canary(Some(to)) })
        }
        Operation::PromoteFull => serving().map(|()| to_canary(None)),
        Operation::Abort => Ok(back_to(&names.rolled_out)),
        Operation::RollBack { to } => {
            let named = |name: &str| {
                let mut revisions = rollout.revisions.iter();
                revisions.any(|revision| revision.hash == name && is_named(revision, to))
            };
            if names.canary().is_some() && named(&names.rolled_out) {
                return Ok(back_to(&names.rolled_out));
            }
            match names.before() {
                Some(before) if names.canary().is_none() && named(before) => Ok(back_to(before)),
                _ => Err(Refusal::new(
                    format!("KServe brings back only the revision that was rolled out before, not {to}"),
                    "apply the saved spec of that version again: it becomes a new revision",
                )),
            }
        }
        other => Err(no_such(other)),
    }
}

fn pitfalls(draft: &mut Draft, object: &Value, wanted: &Move, ask: &Ask) {
    let mut say = |level, words: &str| draft.beware.push(beware(level, words));
    if wanted.percent.is_none() {
        say(
            Level::Warning,
            "without the field the next model gets all traffic as soon as it is ready; put a percent into its manifest",
        );
    }
    let floor = object.pointer("/spec/predictor/minReplicas").and_then(Value::as_i64);
    if wanted.percent == Some(0) && floor == Some(0) {
        say(Level::Warning, "minReplicas is 0: the old revision may be asleep and load its model first");
    }
    if matches!(ask.operation, Operation::RollBack { .. }) {
        say(Level::Unknown, "KServe needs one or two rounds: it first counts the old revision as rolled out");
        say(
            Level::Unknown,
            "the spec still names the newer model: the manifest must be changed before the next apply",
        );
    }
    say(Level::Ok, "wardroom is the stepper: the weight stays where it is until it is told");
}

pub(super) async fn observe(site: &Site, plan: &Plan) -> Result<Vec<Finding>, Fault> {
    let object = site.objects.get(&place(&plan.target).path()).await?;
    let mut findings = vec![weighed(&object, plan)];
    if plan.checks.iter().any(|check| check.id == "observed") {
        let name = format!("{}-predictor", plan.target.name);
        let service = Place::new(KNATIVE_SERVICES, &plan.target.namespace, &name);
        findings.push(match site.objects.get(&service.path()).await {
            Ok(service) => {
                let of = |pointer: &str| service.pointer(pointer).and_then(Value::as_i64);
                let (seen, wanted) = (of("/status/observedGeneration"), of("/metadata/generation"));
                let words = format!("Knative Service {name}: seen {} of {}", said(seen), said(wanted));
                finding("observed", seen.is_some() && seen >= wanted, words)
            }
            Err(fault) => Finding { id: "observed".into(), seen: Seen::Nothing, detail: fault.to_string() },
        });
    }
    Ok(findings)
}

fn said(number: Option<i64>) -> String {
    number.map_or_else(|| "nothing".into(), |number| number.to_string())
}

/// The share of the revision that is looked for, and whether the newest one serves.
pub(super) fn weighed(object: &Value, plan: &Plan) -> Finding {
    let revision = plan.fact(REVISION).and_then(Value::as_str).unwrap_or_default();
    let wanted = plan.fact(SHARE).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let names = Names::of(object);
    let share = traffic(object, revision);
    let mut detail = format!("{revision} at {}", percent(share));
    if names.created != names.ready {
        detail += &format!("; canary not serving: {} is not ready", names.created);
    }
    finding("weight", (share - wanted).abs() < 0.5, detail)
}
