//! Plans for pause, resume, promote-full, abort and retry of a Rollout.

use serde_json::{Value, json};

use super::Look;
use super::state::{FACTS, State};
use crate::control::kubernetes::owner::{danger, know, warn};
use crate::control::kubernetes::request::Patch;
use crate::control::kubernetes::revision::Found;
use crate::control::kubernetes::{Site, check, note};
use crate::control::{Ask, Draft};
use crate::domain::Time;
use crate::domain::act::{Beware, Known, Refusal};

/// Facts that say which canary is meant.
const CANARY: [&str; 3] = ["metadata.uid", "status.currentPodHash", "status.stableRS"];

pub(super) fn draft(look: &Look, after: String) -> Draft {
    let state = look.state();
    let before = if state.is_done() {
        format!("{}, {}", look.name(state.stable()), state.words())
    } else {
        format!("{} at {:.0} %, {}", look.name(state.wanted()), look.weight(), state.words())
    };
    Draft { before, after, share: (!state.is_done()).then(|| look.weight()), ..Draft::default() }
}

pub(super) fn known(name: &str, value: impl Into<Value>) -> Known {
    Known { name: name.into(), value: value.into() }
}

/// The note with who and why, last: it waits until the controller has taken the act, and wakes it when it has not.
pub(super) fn wake(site: &Site, look: &Look, ask: &Ask, verb: &str) -> Patch {
    let words = "the controller has taken it, or has lost it: then this write wakes it";
    note(&look.place, ask, verb).after(words, site.observed_s())
}

/// The status must be about the spec as it is: a step index of an older spec moves the rollout backwards.
pub(super) fn observed(state: State<'_>) -> Result<(), Refusal> {
    match state.is_observed() {
        true => Ok(()),
        false => Err(Refusal::new(
            "the controller has not seen the last change of the manifest yet",
            "try again in a moment; is the controller running?",
        )),
    }
}

pub(super) fn canary(state: State<'_>) -> Result<(), Refusal> {
    match state.is_done() {
        true => Err(Refusal::new("no canary is live", "roll back to a version instead")),
        false => Ok(()),
    }
}

pub(super) fn not_aborted(state: State<'_>) -> Result<(), Refusal> {
    match state.aborted() {
        true => Err(Refusal::new("it was aborted", "retry it, or roll back to the stable version")),
        false => Ok(()),
    }
}

pub(super) fn pause_patch(look: &Look, held: bool) -> Patch {
    Patch::new(&look.place, "", format!("spec.paused: {held}"), json!({"spec": {"paused": held}}))
        .telling(&[("spec.paused", held.into())])
}

pub(super) fn status_patch(look: &Look, words: &str, status: Value) -> Patch {
    Patch::new(&look.place, "status", words, json!({"status": status}))
}

/// Hold by hand.
pub async fn pause(site: &Site, look: &Look, ask: &Ask) -> Result<Draft, Refusal> {
    let state = look.state();
    canary(state)?;
    not_aborted(state)?;
    if state.held() {
        return Err(Refusal::new("it is held already", "resume releases it"));
    }
    let mut draft = draft(look, format!("{} held at {:.0} %", look.name(state.wanted()), look.weight()));
    let names = ["metadata.uid", "status.currentPodHash", "status.stableRS", "spec.paused", "status.abort"];
    draft.facts = state.facts(&names);
    let request = pause_patch(look, true).resting_on(draft.facts.clone());
    draft.requests = vec![request.request(&site.objects, &look.live).await];
    draft.requests.push(wake(site, look, ask, "hold").request(&site.objects, &look.live).await);
    if let Some(analysis) = state.analysis() {
        draft.beware.push(warn(format!("analysis {analysis} goes on measuring and may still abort it")));
    }
    draft.beware.push(match &look.scaled_by {
        Some(scaler) => warn(format!("while it is held nothing is scaled: {scaler} has no effect")),
        None => know("while it is held no pods are started or stopped by the controller"),
    });
    if state.pause_s().is_some() {
        draft
            .beware
            .push(know("the step's own timer runs on; when it has elapsed, a release goes on at once"));
    }
    draft.beware.extend(look.owner.as_ref().and_then(|owner| owner.on_field(&look.live, "paused")));
    draft.checks = vec![
        check("observed", "the controller has seen it", true, site.observed_s()),
        check("held", "it is held", true, site.observed_s()),
    ];
    draft.expected_s = 2.0;
    Ok(draft)
}

/// Release what is held by hand, and nothing else: the step index stays.
pub async fn resume(site: &Site, look: &Look, ask: &Ask) -> Result<Draft, Refusal> {
    let state = look.state();
    if !state.held() {
        let instead =
            if state.pauses().is_empty() { "nothing to do" } else { "promote releases the step's own pause" };
        return Err(Refusal::new("nobody holds it", instead));
    }
    let mut draft = draft(look, format!("{} goes on at {:.0} %", look.name(state.wanted()), look.weight()));
    draft.facts =
        state.facts(&["metadata.uid", "status.currentPodHash", "status.currentStepIndex", "spec.paused"]);
    let request = pause_patch(look, false).resting_on(draft.facts.clone());
    draft.requests = vec![request.request(&site.objects, &look.live).await];
    draft.requests.push(wake(site, look, ask, "release").request(&site.objects, &look.live).await);
    draft.beware.extend(after_release(state, ask.now));
    if state.aborted() {
        draft.beware.push(know("it was aborted while it was held: releasing it lets the pods go back too"));
    }
    draft.beware.extend(look.owner.as_ref().and_then(|owner| owner.on_field(&look.live, "paused")));
    draft.checks = vec![
        check("observed", "the controller has seen it", true, site.observed_s()),
        check("released", "it is no longer held", true, site.observed_s()),
    ];
    draft.expected_s = 2.0;
    Ok(draft)
}

/// When the step's own pause has elapsed under the hold, releasing the hold is a promotion.
pub(super) fn has_elapsed(state: State<'_>, now: Time) -> bool {
    let started = state.0.pointer("/status/pauseConditions/0/startTime").and_then(Value::as_str);
    let started = started.and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    match (started, state.pause_s()) {
        (Some(started), Some(pause)) => (now - started.to_utc()).as_seconds_f64() >= pause,
        _ => false,
    }
}

fn after_release(state: State<'_>, now: Time) -> Option<Beware> {
    if state.aborted() || state.is_done() {
        return None;
    }
    if has_elapsed(state, now) {
        return Some(warn("the step's timer elapsed while it was held: it goes to the next step at once"));
    }
    if state.step_kind() == Some("pause") {
        return Some(know("it then waits in its step's own pause; promote releases that"));
    }
    None
}

/// All traffic to the canary.
pub async fn promote_full(site: &Site, look: &Look, ask: &Ask) -> Result<Draft, Refusal> {
    let (state, objects) = (look.state(), &site.objects);
    canary(state)?;
    not_aborted(state)?;
    observed(state)?;
    let target = look.revision(state.wanted());
    let mut draft = draft(look, format!("{} at 100 %", look.name(state.wanted())));
    draft.version = target.map(Found::names);
    draft.facts = state.facts(&FACTS);
    // Full promotion does not depend on the step it is confirmed at.
    draft
        .facts
        .retain(|known| !["status.currentStepIndex", "status.pauseConditions"].contains(&&*known.name));
    if !state.promoting() {
        let request = status_patch(look, "promoteFull: true", json!({"promoteFull": true}))
            .resting_on(draft.facts.clone())
            .telling(&[("status.promoteFull", true.into())]);
        draft.requests.push(request.request(objects, &look.live).await);
    }
    if state.held() {
        let facts = vec![known("spec.paused", true), known("status.currentPodHash", state.wanted())];
        let request = pause_patch(look, false).resting_on(facts);
        draft.requests.push(request.request(objects, &look.live).await);
        draft.beware.push(know("it is held by hand: it is promoted first and then released"));
    }
    draft.requests.push(wake(site, look, ask, "promote in full").request(objects, &look.live).await);
    let (available, wanted) = (target.map_or(0, |target| target.pods.2), state.replicas());
    if available < wanted {
        draft.beware.push(warn(format!(
            "it waits until {wanted} pods of {} are available, now {available}; if they never are, it hangs, and \
             only an abort that takes the promotion back ends it",
            look.name(state.wanted())
        )));
    }
    draft.beware.push(warn("it skips every pause and analysis that is left"));
    draft.checks = effective(site, &look.name(state.wanted()));
    draft.expected_s = 30.0;
    Ok(draft)
}

/// Checks of an act after which one version has all traffic.
pub(super) fn effective(site: &Site, name: &str) -> Vec<crate::domain::act::CheckPlan> {
    vec![
        check("observed", "the controller has seen it", true, site.observed_s()),
        check("weight", &format!("all traffic on {name}"), true, site.effective_s()),
        check("revision", &format!("{name} is stable, all its pods are available"), true, site.effective_s()),
    ]
}

/// All traffic back to stable.
pub async fn abort(site: &Site, look: &Look, ask: &Ask) -> Result<Draft, Refusal> {
    let (state, objects) = (look.state(), &site.objects);
    canary(state)?;
    if state.aborted() && !state.held() && !state.is_ignored() {
        return Err(Refusal::new("it is aborted already", "roll back to make the manifest agree, or retry"));
    }
    let (stable, bad) = (look.name(state.stable()), look.name(state.wanted()));
    let mut draft = draft(look, format!("{stable} at 100 %"));
    draft.version = look.revision(state.stable()).map(Found::names);
    let mut names = CANARY.to_vec();
    names.extend(["status.abort", "status.promoteFull", "spec.paused"]);
    draft.facts = state.facts(&names);
    if !state.aborted() {
        let (words, status) = match state.promoting() {
            true => ("abort: true, promoteFull: false", json!({"abort": true, "promoteFull": false})),
            false => ("abort: true", json!({"abort": true})),
        };
        let request = status_patch(look, words, status)
            .resting_on(draft.facts.clone())
            .telling(&[("status.abort", true.into())]);
        draft.requests.push(Patch { urgent: true, ..request }.request(objects, &look.live).await);
    }
    if state.held() {
        // In this order: releasing first could go on by a step.
        let facts = vec![known("status.currentPodHash", state.wanted()), known("status.abort", true)];
        let request = pause_patch(look, false).resting_on(facts);
        draft.requests.push(Patch { urgent: true, ..request }.request(objects, &look.live).await);
        draft.beware.push(match state.is_routed() {
            true => know("it is held by hand: after the abort it is released, so that the canary's pods end"),
            false => know("it is held by hand: without the release an abort of it does nothing"),
        });
    }
    draft.requests.push(wake(site, look, ask, "abort").request(objects, &look.live).await);
    draft.beware.extend(abort_warnings(look, &bad));
    let delay = state.abort_delay_s();
    draft.checks = vec![
        check("observed", "the controller has aborted it", true, site.observed_s()),
        check("weight", &format!("no traffic on {bad}"), true, site.effective_s().min(60.0)),
        check("revision", &format!("every wanted pod of {stable} is available"), true, site.effective_s()),
    ];
    if delay != 0.0 {
        let within = site.effective_s().max(delay.max(0.0) + 30.0);
        draft.checks.push(check("pods", &format!("no pod of {bad} is ready"), false, within));
    }
    draft.expected_s = if state.is_stable_scaled() { 60.0 } else { 5.0 };
    Ok(draft)
}

fn abort_warnings(look: &Look, bad: &str) -> Vec<Beware> {
    let state = look.state();
    let mut beware = Vec::new();
    if state.promoting() {
        beware.push(warn(
            "it is being promoted to all traffic: the promotion is taken back in the same request, else the \
             controller drops the abort",
        ));
    }
    if super::rollback::is_inside_window(look, state.wanted()) {
        beware.push(danger(format!(
            "this is a rollback inside the rollback window, and the controller ignores an abort of it; \
             to leave {bad}, roll back to {} by name",
            look.name(state.stable())
        )));
    }
    if state.is_stable_scaled() {
        let ready = look.revision(state.stable()).map_or(0, |stable| stable.pods.1);
        let missing = state.replicas().saturating_sub(ready);
        beware.push(warn(format!(
            "the stable pods were scaled down: {missing} have to start before all traffic is back"
        )));
    }
    if state.abort_delay_s() == 0.0 {
        beware.push(warn("abortScaleDownDelaySeconds is 0: the canary's pods are kept for ever"));
    }
    beware.push(know(format!(
        "the manifest still wants {bad}: any edit or a retry starts it again; roll back to {} to make it agree",
        look.name(state.stable())
    )));
    beware
}

/// Try an aborted canary again.
pub async fn retry(site: &Site, look: &Look) -> Result<Draft, Refusal> {
    let state = look.state();
    if !state.aborted() || state.is_done() {
        return Err(Refusal::new("nothing was aborted", "nothing to do"));
    }
    observed(state)?;
    let name = look.name(state.wanted());
    let mut draft = draft(look, format!("{name} from its first step"));
    draft.facts = state.facts(&[
        "metadata.uid",
        "status.currentPodHash",
        "status.stableRS",
        "status.abort",
        "spec.paused",
    ]);
    let request = status_patch(look, "abort: false", json!({"abort": false}))
        .resting_on(draft.facts.clone())
        .telling(&[("status.abort", Value::Null)]);
    draft.requests = vec![request.request(&site.objects, &look.live).await];
    draft.beware.push(warn(format!("{name} was aborted; it starts again at its first step")));
    if state.held() {
        draft.beware.push(warn("it is held by hand: nothing moves until it is released"));
    }
    draft.checks = vec![check("observed", "the controller has started it again", true, site.observed_s())];
    draft.expected_s = 5.0;
    Ok(draft)
}
