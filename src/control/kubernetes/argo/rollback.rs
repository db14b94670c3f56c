//! Rollback of a Rollout to a named revision: the clean end of a canary, the fast way inside the rollback window, or
//! three steps.

use serde_json::{Value, json};

use super::state::State;
use super::{Look, plan};
use crate::cluster::Resource;
use crate::cluster::revisions::REPLICA_SETS;
use crate::control::kubernetes::facts::{self, TEMPLATE};
use crate::control::kubernetes::object::Place;
use crate::control::kubernetes::owner::{Owned, know, manager_of, warn};
use crate::control::kubernetes::request::Patch;
use crate::control::kubernetes::revision::{self, DEPLOYMENT, Found};
use crate::control::kubernetes::{Site, check, refused, template_patch};
use crate::control::{Ask, Draft};
use crate::domain::act::{Known, Refusal};
use crate::domain::{Fault, Version};

/// Where the pod template lives, and that object.
struct Home {
    place: Place,
    live: Value,
}

/// Plans a rollback to the version that is called so.
pub async fn plan(site: &Site, look: &Look, ask: &Ask, to: &Version) -> Result<Draft, Refusal> {
    let (state, objects) = (look.state(), &site.objects);
    home_kind(look)?;
    let target = revision::choose(&look.sets, to, ask.seen.as_ref())?;
    let name = target.name();
    let is_wanted = target.hash == state.wanted();
    let mut draft = Draft {
        before: before(look),
        after: format!("{name} at 100 %"),
        share: Some(if state.is_done() { 100.0 } else { look.weight() }),
        version: Some(target.names()),
        expected_s: 60.0,
        ..Draft::default()
    };
    draft.facts = state.facts(&["metadata.uid", "status.currentPodHash", "status.stableRS", "status.abort"]);
    draft.checks = checks(site, look, target);
    if is_wanted && state.is_done() {
        return Ok(draft);
    }
    if is_wanted && !state.aborted() {
        return Err(Refusal::new(
            format!("{name} is the version under trial"),
            "promote it, or abort to go back to the stable one",
        ));
    }
    if is_wanted {
        // Its template is there already.
        return Err(Refusal::new(format!("{name} was aborted"), "retry it to bring it back"));
    }
    let home = home(site, look).await?;
    let clean = target.hash == state.stable();
    let fast = !clean && is_inside_window(look, &target.hash);
    let canary = !state.is_done() && !state.aborted();
    if canary && clean {
        // Only status, so no GitOps controller undoes it, and traffic is back before the template is.
        draft.requests.push(abort(look, &draft.facts).request(objects, &look.live).await);
    }
    let template = template(look, ask, &home, target, canary && clean);
    draft.requests.push(template.request(objects, &home.live).await);
    if !clean && !fast {
        draft.requests.push(promote(site, look, target).request(objects, &look.live).await);
        if !state.held() {
            // Under a hold the release is the write that wakes the controller.
            let verb = format!("rollback to {name}");
            draft.requests.push(plan::wake(site, look, ask, &verb).request(objects, &look.live).await);
        }
    }
    if state.held() {
        draft.requests.push(release(site, look, target).request(objects, &look.live).await);
        draft
            .beware
            .push(know("it is held by hand: the hold is released at the end, else nothing would move"));
    }
    if let Some(owner) = owner(&home, look) {
        draft.beware.extend(owner.looked_up(objects).await.on_template(canary));
    }
    draft.beware.extend(warnings(look, ask, target, clean, fast));
    Ok(draft)
}

/// Whose manifest the template is in: the Deployment's when a workloadRef is used.
fn owner(home: &Home, look: &Look) -> Option<Owned> {
    Owned::by(&home.live).or_else(|| look.owner.clone())
}

fn before(look: &Look) -> String {
    let state = look.state();
    let stable = look.name(state.stable());
    if state.is_done() {
        return format!("{stable}, all traffic");
    }
    format!("{} at {:.0} %, {}; stable {stable}", look.name(state.wanted()), look.weight(), state.words())
}

fn checks(site: &Site, look: &Look, target: &Found) -> Vec<crate::domain::act::CheckPlan> {
    let name = target.name();
    let mut checks = plan::effective(site, &name);
    let within = site.effective_s();
    let routed = look.state().is_routed() || look.state().is_blue_green();
    checks.push(check("pods", "no pod of another version is ready", !routed, within.max(90.0)));
    if look.owner.as_ref().is_some_and(|owner| owner.may_revert()) {
        checks.push(check("kept", "nothing has put the template back", true, within));
    }
    checks
}

fn warnings(
    look: &Look,
    ask: &Ask,
    target: &Found,
    clean: bool,
    fast: bool,
) -> Vec<crate::domain::act::Beware> {
    let name = target.name();
    let mut beware = Vec::new();
    let seen = ask.seen.as_ref().and_then(|seen| seen.revisions.iter().find(|one| one.hash == target.hash));
    if let Some(bad) = seen.map(|seen| &seen.known_bad).filter(|bad| !bad.is_empty()) {
        beware.push(warn(format!("{name} is known to be bad: {bad}")));
    }
    if clean {
        beware.push(know(format!(
            "{name} is the stable version: steps and pauses are skipped, and an abort ends"
        )));
    } else if fast {
        beware.push(know("inside the rollback window: the controller goes straight to all traffic"));
        beware.push(warn("an abort of such a rollback is ignored by the controller"));
    } else {
        beware.push(warn(
            "outside the rollback window the controller would run a whole new canary; the last step promotes it in \
             full and skips pauses and analyses on purpose",
        ));
    }
    if !clean && target.pods.0 == 0 {
        let pods = look.state().replicas();
        beware.push(know(format!("{pods} pods of {name} have to start first")));
    }
    beware.push(know(
        "only the pod template comes back: not ConfigMaps, Secrets, the model behind a mutable address, features",
    ));
    beware
}

/// The kind that holds the template; `None` for the Rollout itself.
fn home_kind(look: &Look) -> Result<Option<(Resource, &str)>, Refusal> {
    let Some(reference) = look.live.pointer("/spec/workloadRef") else { return Ok(None) };
    let text = |key: &str| reference.get(key).and_then(Value::as_str).unwrap_or_default();
    match (text("apiVersion"), text("kind")) {
        ("apps/v1", "Deployment") => Ok(Some((DEPLOYMENT, text("name")))),
        ("apps/v1", "ReplicaSet") => Ok(Some((REPLICA_SETS, text("name")))),
        (_, kind) => Err(Refusal::new(
            format!("its template is in a {kind}, which cannot be rolled back"),
            "apply the old manifest again",
        )),
    }
}

async fn home(site: &Site, look: &Look) -> Result<Home, Refusal> {
    let Some((resource, name)) = home_kind(look)? else {
        return Ok(Home { place: look.place.clone(), live: look.live.clone() });
    };
    let place = Place::new(resource, &look.place.namespace, name);
    let live = site.objects.get(&place.path()).await.map_err(refused)?;
    Ok(Home { place, live })
}

fn known(name: &str, value: impl Into<Value>) -> Known {
    Known { name: name.into(), value: value.into() }
}

fn abort(look: &Look, facts: &[Known]) -> Patch {
    let status = match look.state().promoting() {
        true => json!({"abort": true, "promoteFull": false}),
        false => json!({"abort": true}),
    };
    let patch = Patch::new(&look.place, "status", "abort: true", json!({"status": status}))
        .resting_on(facts.to_vec())
        .telling(&[("status.abort", true.into())]);
    Patch { urgent: true, ..patch }
}

fn template(look: &Look, ask: &Ask, home: &Home, target: &Found, aborted_before: bool) -> Patch {
    let own = home.place == look.place;
    let mut facts = vec![known(TEMPLATE, facts::read(&home.live, TEMPLATE))];
    if own {
        facts.push(known("status.stableRS", look.state().stable()));
        // The abort that goes before it is a change of our own.
        if !aborted_before {
            facts.push(known("status.abort", look.state().aborted()));
        }
    }
    template_patch(&home.place, &home.live, ask, target, own).resting_on(facts)
}

fn promote(site: &Site, look: &Look, target: &Found) -> Patch {
    let facts = vec![known("status.currentPodHash", target.hash.clone()), known("status.abort", Value::Null)];
    let words = format!("the controller wants {} ({}) and it is not stable yet", target.name(), target.hash);
    Patch::new(&look.place, "status", "promoteFull: true", json!({"status": {"promoteFull": true}}))
        .resting_on(facts)
        .telling(&[("status.promoteFull", true.into())])
        .after(words, site.observed_s())
}

fn release(site: &Site, look: &Look, target: &Found) -> Patch {
    let body = json!({"spec": {"paused": false}});
    Patch::new(&look.place, "", "spec.paused: false", body)
        .resting_on(vec![known("status.currentPodHash", target.hash.clone())])
        .telling(&[("spec.paused", false.into())])
        .after(format!("the controller wants {} ({})", target.name(), target.hash), site.observed_s())
}

/// Whether the controller treats a way from stable to this revision as a fast rollback: the revision is older, and
/// fewer than `revisions` lie between them by time of creation.
pub fn is_inside_window(look: &Look, hash: &str) -> bool {
    inside(look.state(), &look.sets, hash)
}

fn inside(state: State<'_>, sets: &[Found], hash: &str) -> bool {
    let of = |hash: &str| sets.iter().find(|revision| revision.hash == hash);
    let (Some(target), Some(stable)) = (of(hash), of(state.stable())) else { return false };
    if target.created >= stable.created {
        return false;
    }
    let between =
        sets.iter().filter(|one| one.created > target.created && one.created < stable.created).count();
    u64::try_from(between).is_ok_and(|between| between < state.rollback_window())
}

/// Whether the template of the object was put back to what it was before the plan, and by whom.
pub fn put_back(site_fact: Option<&Value>, home: &Value) -> Option<String> {
    let before = site_fact?;
    if facts::read(home, TEMPLATE) != *before {
        return None;
    }
    let by = manager_of(home, "f:template");
    Some(format!("the template was put back by {}", by.unwrap_or_else(|| "somebody".into())))
}

/// The object with the template: the Rollout, or what its workloadRef names.
///
/// # Errors
/// It cannot be read.
pub async fn home_of(site: &Site, place: &Place, live: &Value) -> Result<Value, Fault> {
    let Some(reference) = live.pointer("/spec/workloadRef") else { return Ok(live.clone()) };
    let text = |key: &str| reference.get(key).and_then(Value::as_str).unwrap_or_default();
    let resource = if text("kind") == "ReplicaSet" { REPLICA_SETS } else { DEPLOYMENT };
    site.objects.get(&Place::new(resource, &place.namespace, text("name")).path()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(hash: &str, created: &str) -> Found {
        Found {
            number: None,
            hash: hash.into(),
            version: None,
            template: Value::Null,
            created: created.into(),
            pods: (0, 0, 0),
        }
    }

    #[test]
    fn the_window_counts_what_lies_between_by_creation() {
        let sets =
            [found("d", "2026-04"), found("c", "2026-03"), found("b", "2026-02"), found("a", "2026-01")];
        let of = |window: u64, hash: &str| {
            let object =
                json!({"spec": {"rollbackWindow": {"revisions": window}}, "status": {"stableRS": "d"}});
            inside(State(&object), &sets, hash)
        };
        assert!(of(1, "c"), "nothing lies between");
        assert!(!of(1, "b") && of(2, "b"));
        assert!(!of(0, "c"), "no window");
        assert!(!of(9, "d"), "not older");
        assert!(!of(9, "unknown"));
    }
}
