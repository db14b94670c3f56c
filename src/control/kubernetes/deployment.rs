//! Acts on plain Deployments. A Deployment has no steps: it can be held, released, and rolled back to a named
//! revision; an abort of a rolling update is a rollback to the revision that it comes from.

use serde_json::{Value, json};

use super::facts::{self, TEMPLATE};
use super::object::Place;
use super::owner::{self, Owned, danger, know, warn};
use super::request::Patch;
use super::revision::{self, DEPLOYMENT, Found};
use super::{KindPlanner, Site, check, finding, kept_long_enough, refused, template_patch};
use crate::cluster::revisions::DEPLOYMENT as MARKS;
use crate::control::{Ask, Boxed, Draft, Finding, Seen};
use crate::domain::act::{Known, Operation, Plan, Refusal};
use crate::domain::{ControllerKind, Fault, Target, Version};

/// The planner for Deployments.
pub const DEPLOYMENTS: &dyn KindPlanner = &Deployments;

struct Deployments;

/// A Deployment with what is around it.
struct Look {
    place: Place,
    live: Value,
    sets: Vec<Found>,
}

impl Look {
    async fn at(site: &Site, target: &Target) -> Result<Self, Fault> {
        let place = Place::new(DEPLOYMENT, &target.namespace, &target.name);
        let live = site.objects.get(&place.path()).await?;
        let selector = live.pointer("/spec/selector").map(revision::selector).unwrap_or_default();
        let sets = revision::sets_of(&site.objects, &place.namespace, &selector, &live).await?;
        let naming = site.naming();
        let read = |stable: &str, canary: &str| revision::read(&sets, MARKS, &naming, stable, canary);
        let mut look = Self { sets: read("", ""), place, live };
        // Which one is stable decides which one has a version's name.
        let hash = |one: Option<&Found>| one.map(|one| one.hash.clone()).unwrap_or_default();
        let wanted = hash(look.wanted());
        let from = look.from().filter(|_| Progress::of(&look.live) != Progress::Complete);
        let stable = from.map_or_else(|| wanted.clone(), |from| from.hash.clone());
        look.sets = read(&stable, &wanted);
        Ok(look)
    }

    fn is_held(&self) -> bool {
        self.live.pointer("/spec/paused").and_then(Value::as_bool) == Some(true)
    }

    /// The revision that the manifest wants: the one with its template. Its number can lag behind.
    fn wanted(&self) -> Option<&Found> {
        let template = facts::read(&self.live, TEMPLATE);
        let same = |one: &&Found| template == facts::digest(&one.template);
        let number = self.live.pointer("/metadata/annotations/deployment.kubernetes.io~1revision");
        let number = number.and_then(Value::as_str).and_then(|number| number.parse::<u64>().ok());
        self.sets
            .iter()
            .find(same)
            .or_else(|| self.sets.iter().find(|one| number.is_some() && one.number == number))
    }

    /// The revision that a rolling update comes from: the newest other one that still has pods.
    fn from(&self) -> Option<&Found> {
        let wanted = self.wanted().map(|one| one.hash.as_str());
        self.sets.iter().find(|one| Some(one.hash.as_str()) != wanted && one.pods.0 > 0)
    }

    /// The share of available pods that are of the wanted revision, percent.
    #[expect(clippy::cast_precision_loss, reason = "counts of pods are small")]
    fn share(&self) -> f64 {
        let all: u64 = self.sets.iter().map(|one| one.pods.2).sum();
        let ours = self.wanted().map_or(0, |one| one.pods.2);
        if all == 0 { 0.0 } else { ours as f64 * 100.0 / all as f64 }
    }

    fn words(&self) -> String {
        let name = self.wanted().map_or_else(|| "an unknown revision".into(), Found::name);
        let state = match (Progress::of(&self.live), self.is_held()) {
            (Progress::Complete, _) => return format!("{name}, all traffic"),
            (_, true) => "held by hand",
            (Progress::Failed(_), _) => "its deadline has passed",
            _ => "rolling out",
        };
        let from = self.from().map(|from| format!(", from {}", from.name())).unwrap_or_default();
        format!("{name} on {:.0} % of pods, {state}{from}", self.share())
    }

    fn facts(&self, names: &[&str]) -> Vec<Known> {
        facts::gather(&self.live, names)
    }
}

/// How far a rolling update is, in the order that counts. The controller's own `Progressing` condition is true from
/// the update before, just after a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Progress {
    /// The controller has not seen the manifest.
    Unseen,
    /// It gave up, because.
    Failed(String),
    /// Not yet, because.
    Under(String),
    /// Every pod is of the manifest's revision and available.
    Complete,
}

impl Progress {
    fn of(live: &Value) -> Self {
        let number = |pointer: &str| live.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        if number("/status/observedGeneration") < number("/metadata/generation") {
            return Self::Unseen;
        }
        let conditions = live.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
        for condition in conditions {
            let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
            if text("type") == "Progressing" && text("reason") == "ProgressDeadlineExceeded" {
                return Self::Failed(text("message").into());
            }
        }
        let wanted = live.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
        let (updated, all) = (number("/status/updatedReplicas"), number("/status/replicas"));
        let available = number("/status/availableReplicas");
        if updated < wanted {
            return Self::Under(format!("{updated} of {wanted} pods are new"));
        }
        if all > updated {
            return Self::Under(format!("{} old pods are still there", all - updated));
        }
        if available < updated {
            return Self::Under(format!("{available} of {updated} new pods are available"));
        }
        Self::Complete
    }
}

impl KindPlanner for Deployments {
    fn kinds(&self) -> &'static [ControllerKind] {
        &[ControllerKind::Deployment]
    }

    fn plan<'a>(&'a self, site: &'a Site, ask: &'a Ask) -> Boxed<'a, Result<Draft, Refusal>> {
        Box::pin(async move {
            let (look, identity) = tokio::join!(Look::at(site, &ask.target), site.objects.identity());
            let look = look.map_err(refused)?;
            let mut draft = match &ask.operation {
                Operation::Pause => pause(site, &look).await,
                Operation::Resume | Operation::PromoteFull => resume(site, &look).await,
                Operation::Abort => abort(site, &look, ask).await,
                Operation::RollBack { to } => rollback(site, &look, ask, to).await,
                Operation::Promote => Err(Refusal::new(
                    "a Deployment has no steps",
                    "hold and release it, or roll it back to a version",
                )),
                Operation::Retry => Err(Refusal::new(
                    "a Deployment cannot be tried again",
                    "roll it back or forward to a version",
                )),
                Operation::SetWeight { .. } => Err(Refusal::new(
                    "a Deployment has no weight, its pods share the traffic",
                    "scale two Deployments behind one Service, or use a route",
                )),
            }?;
            draft.identity = identity;
            Ok(draft)
        })
    }

    fn observe<'a>(&'a self, site: &'a Site, plan: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>> {
        Box::pin(async move {
            let look = Look::at(site, &plan.target).await?;
            Ok(plan.checks.iter().filter_map(|check| see(&look, plan, &check.id)).collect())
        })
    }
}

fn hold(look: &Look, held: bool) -> Patch {
    Patch::new(&look.place, "", format!("spec.paused: {held}"), json!({"spec": {"paused": held}}))
        .telling(&[("spec.paused", held.into())])
}

fn draft(look: &Look, after: String) -> Draft {
    Draft { before: look.words(), after, share: Some(look.share()), ..Draft::default() }
}

fn observed(site: &Site) -> crate::domain::act::CheckPlan {
    check("observed", "the controller has seen it", true, site.observed_s())
}

async fn pause(site: &Site, look: &Look) -> Result<Draft, Refusal> {
    if look.is_held() {
        return Err(Refusal::new("it is held already", "resume releases it"));
    }
    if Progress::of(&look.live) == Progress::Complete {
        return Err(Refusal::new("no rolling update is under way", "nothing to hold"));
    }
    let mut draft = draft(look, format!("held with {:.0} % new pods", look.share()));
    draft.facts = look.facts(&["metadata.uid", TEMPLATE, "spec.paused"]);
    let request = hold(look, true).resting_on(draft.facts.clone());
    draft.requests = vec![request.request(&site.objects, &look.live).await];
    draft
        .beware
        .push(know("edits of the template while it is held wait, and roll out together at the release"));
    if let Some(scaler) = owner::autoscaler(&site.objects, &look.place).await {
        draft.beware.push(know(format!("{scaler} still scales both sides in proportion")));
    }
    draft.beware.extend(Owned::by(&look.live).and_then(|owner| owner.on_field(&look.live, "paused")));
    draft.checks = vec![observed(site), check("held", "it is held", true, site.observed_s())];
    draft.expected_s = 2.0;
    Ok(draft)
}

async fn resume(site: &Site, look: &Look) -> Result<Draft, Refusal> {
    if !look.is_held() {
        return Err(Refusal::new("nobody holds it", "a rolling update goes on by itself"));
    }
    let name = look.wanted().map(Found::name);
    let mut draft =
        draft(look, format!("{} rolls out", name.as_deref().unwrap_or("the manifest's revision")));
    draft.facts = look.facts(&["metadata.uid", TEMPLATE, "spec.paused"]);
    let request = hold(look, false).resting_on(draft.facts.clone());
    draft.requests = vec![request.request(&site.objects, &look.live).await];
    let template = facts::read(&look.live, TEMPLATE);
    if !look.sets.iter().any(|one| template == facts::digest(&one.template)) {
        draft.beware.push(warn("the template was edited while it was held: the edit rolls out now"));
    }
    draft.beware.extend(Owned::by(&look.live).and_then(|owner| owner.on_field(&look.live, "paused")));
    draft.checks = vec![
        observed(site),
        check("released", "it is no longer held", true, site.observed_s()),
        check("complete", "every pod is new and available", false, site.effective_s()),
    ];
    draft.expected_s = 30.0;
    Ok(draft)
}

/// A rollback to the revision that a rolling update comes from, named in the plan.
async fn abort(site: &Site, look: &Look, ask: &Ask) -> Result<Draft, Refusal> {
    if Progress::of(&look.live) == Progress::Complete {
        return Err(Refusal::new("no rolling update is under way", "roll back to a version instead"));
    }
    let from = look.from().ok_or_else(|| {
        Refusal::new("no older revision has pods any more", "roll back to a version by name")
    })?;
    let mut draft = undo(site, look, ask, from).await;
    if look.is_held() {
        // In this order: releasing first would go on with the bad version.
        let digest = facts::digest(&from.template);
        let facts = vec![
            Known { name: TEMPLATE.into(), value: digest.into() },
            Known { name: "spec.paused".into(), value: true.into() },
        ];
        let mut release = hold(look, false).resting_on(facts);
        release.stands_alone = false;
        draft.requests.push(release.request(&site.objects, &look.live).await);
        draft.beware.push(know("it is held by hand: first the old template is put in, then it is released"));
    }
    Ok(draft)
}

async fn rollback(site: &Site, look: &Look, ask: &Ask, to: &Version) -> Result<Draft, Refusal> {
    let target = revision::choose(&look.sets, to, ask.seen.as_ref())?;
    if look.is_held() {
        return Err(Refusal::new(
            "it is held by hand, and the controller would not act on a rollback",
            "release it first, or abort the rolling update",
        ));
    }
    let same = facts::read(&look.live, TEMPLATE) == facts::digest(&target.template);
    if same && Progress::of(&look.live) == Progress::Complete {
        return Ok(Draft { requests: Vec::new(), beware: Vec::new(), ..undo(site, look, ask, target).await });
    }
    if same {
        return Err(Refusal::new(
            format!("{} is the version that is rolling out", target.name()),
            "wait for it, or abort to go back",
        ));
    }
    Ok(undo(site, look, ask, target).await)
}

async fn undo(site: &Site, look: &Look, ask: &Ask, target: &Found) -> Draft {
    let name = target.name();
    let mut draft = draft(look, format!("{name} on 100 % of pods"));
    draft.version = Some(target.names());
    draft.facts = look.facts(&["metadata.uid", TEMPLATE, "spec.paused"]);
    let patch = template_patch(&look.place, &look.live, ask, target, false);
    draft.requests = vec![patch.resting_on(draft.facts.clone()).request(&site.objects, &look.live).await];
    let under_way = Progress::of(&look.live) != Progress::Complete;
    if let Some(owner) = Owned::by(&look.live) {
        let owner = owner.looked_up(&site.objects).await;
        // There is nothing else to abort: the abort of a Deployment is this.
        draft.beware.extend(owner.on_template(false));
        if owner.may_revert() {
            draft.checks.push(check("kept", "nothing has put the template back", true, site.effective_s()));
        }
    }
    let seen = ask.seen.as_ref().and_then(|seen| seen.revisions.iter().find(|one| one.hash == target.hash));
    if let Some(bad) = seen.map(|seen| &seen.known_bad).filter(|bad| !bad.is_empty()) {
        draft.beware.push(danger(format!("{name} is known to be bad: {bad}")));
    }
    if under_way {
        draft
            .beware
            .push(know("a rolling update is under way: its pods end as those of the old version start"));
    }
    draft.beware.push(know("it does not change the number of pods, and the revision gets a new number"));
    draft.beware.push(know(
        "only the pod template comes back: not ConfigMaps, Secrets, the model behind a mutable address, features",
    ));
    draft.checks.insert(0, observed(site));
    draft.checks.insert(
        1,
        check("revision", &format!("every pod is of {name} and available"), true, site.effective_s()),
    );
    draft.expected_s = 30.0;
    draft
}

fn see(look: &Look, plan: &Plan, id: &str) -> Option<Finding> {
    let progress = Progress::of(&look.live);
    let target = plan.version.as_ref().map_or("", |version| version.hash.as_str());
    Some(match id {
        "observed" => finding(id, progress != Progress::Unseen, "observedGeneration"),
        "held" => finding(id, look.is_held(), &look.words()),
        "released" => finding(id, !look.is_held(), &look.words()),
        "complete" => complete(id, &progress),
        "revision" => {
            let others = look.sets.iter().filter(|one| one.hash != target);
            let others: u64 = others.map(|one| one.pods.1).sum();
            let wanted = look.wanted().map_or("", |one| one.hash.as_str());
            match (&progress, wanted == target) {
                (Progress::Complete, true) if others == 0 => {
                    finding(id, true, &format!("every pod is of {target}"))
                }
                (Progress::Complete, true) => {
                    finding(id, false, &format!("{others} pods of others are ready"))
                }
                (_, true) => complete(id, &progress),
                (_, false) => finding(id, false, &format!("the newest revision is {wanted}, not {target}")),
            }
        }
        "kept" => kept(look, plan),
        _ => return None,
    })
}

fn complete(id: &str, progress: &Progress) -> Finding {
    match progress {
        Progress::Complete => finding(id, true, "complete"),
        Progress::Failed(why) => Finding { seen: Seen::No, ..finding(id, false, why) },
        Progress::Under(why) => finding(id, false, why),
        Progress::Unseen => finding(id, false, "the controller has not seen it yet"),
    }
}

fn kept(look: &Look, plan: &Plan) -> Finding {
    if plan.fact(TEMPLATE) == Some(&facts::read(&look.live, TEMPLATE)) {
        let by = owner::manager_of(&look.live, "f:template").unwrap_or_else(|| "somebody".into());
        return Finding {
            seen: Seen::No,
            ..finding("kept", false, &format!("the template was put back by {by}"))
        };
    }
    kept_long_enough(plan, &look.live)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_is_judged_by_numbers_and_in_order() {
        let of = |generation: u64, seen: u64, updated: u64, all: u64, available: u64, reason: &str| {
            Progress::of(&json!({"metadata": {"generation": generation}, "spec": {"replicas": 2}, "status": {
                "observedGeneration": seen, "updatedReplicas": updated, "replicas": all,
                "availableReplicas": available,
                "conditions": [{"type": "Progressing", "reason": reason, "message": "late"}]}}))
        };
        let done = "NewReplicaSetAvailable";
        // The condition is that of the update before, the generation tells it.
        assert_eq!(of(3, 2, 2, 2, 2, done), Progress::Unseen);
        assert_eq!(of(3, 3, 2, 2, 2, "ProgressDeadlineExceeded"), Progress::Failed("late".into()));
        assert_eq!(of(3, 3, 1, 3, 3, done), Progress::Under("1 of 2 pods are new".into()));
        assert_eq!(of(3, 3, 2, 3, 3, done), Progress::Under("1 old pods are still there".into()));
        assert_eq!(of(3, 3, 2, 2, 1, done), Progress::Under("1 of 2 new pods are available".into()));
        assert_eq!(of(3, 3, 2, 2, 2, done), Progress::Complete);
    }
}
