//! Going on by one step: three bodies by the state, two requests under a hold, the nudge for a lost promotion.

use serde_json::{Value, json};

use super::Look;
use super::plan::{
    canary, draft, has_elapsed, known, not_aborted, observed, pause_patch, status_patch, wake,
};
use super::state::{FACTS, State};
use crate::control::kubernetes::owner::{know, warn};
use crate::control::kubernetes::request::Patch;
use crate::control::kubernetes::{Site, check, note};
use crate::control::{Ask, Draft};
use crate::domain::act::{Beware, Refusal};

/// Go on by one step: one of three bodies by the state, the nudge for a promotion that was lost.
pub async fn promote(site: &Site, look: &Look, ask: &Ask) -> Result<Draft, Refusal> {
    let state = look.state();
    canary(state)?;
    not_aborted(state)?;
    observed(state)?;
    if state.promoting() {
        return Err(Refusal::new("it is being promoted to all traffic already", "watch it, or abort it"));
    }
    let objects = &site.objects;
    if state.is_lost() {
        let names =
            ["metadata.uid", "status.currentPodHash", "status.pauseConditions", "status.currentStepIndex"];
        let mut draft = next(site, look);
        draft.facts = state.facts(&names);
        let request = note(&look.place, ask, "nudge").resting_on(draft.facts.clone());
        draft.requests = vec![Patch { optional: false, ..request }.request(objects, &look.live).await];
        draft.beware.push(know(
            "a promotion was accepted and then lost by the controller; any write to the object wakes it, \
             so an annotation is written",
        ));
        return Ok(draft);
    }
    if state.held() && !state.is_blue_green() {
        return promote_held(site, look, ask).await;
    }
    let mut draft = next(site, look);
    draft.facts = state.facts(&FACTS);
    let request = body(look)?.resting_on(draft.facts.clone());
    draft.beware.extend(what_it_skips(state));
    draft.requests = vec![
        request.request(objects, &look.live).await,
        wake(site, look, ask, "promote").request(objects, &look.live).await,
    ];
    Ok(draft)
}

/// `spec.paused` wins over a promotion, and the step's own pause is back after the release: two requests.
async fn promote_held(site: &Site, look: &Look, ask: &Ask) -> Result<Draft, Refusal> {
    let (state, objects) = (look.state(), &site.objects);
    let mut draft = next(site, look);
    draft.facts = state.facts(&FACTS);
    let release = pause_patch(look, false).resting_on(draft.facts.clone());
    draft.requests = vec![release.request(objects, &look.live).await];
    if has_elapsed(state, ask.now) {
        draft
            .beware
            .push(know("the step's timer elapsed while it was held: the release alone is the promotion"));
        return Ok(draft);
    }
    if state.step_kind() == Some("setWeight") {
        draft.beware.push(know("the weight step that was held goes on by itself after the release"));
        return Ok(draft);
    }
    let facts = vec![
        known("status.currentPodHash", state.wanted()),
        known("status.stableRS", state.stable()),
        known("status.currentStepIndex", state.index()),
        known("spec.paused", Value::Null),
        known("status.abort", Value::Null),
    ];
    let words = "the controller has seen the release and waits in its step again";
    // What clears a pause that is not there yet would skip a step, so the body is the one for a pause step.
    let second = match state.step_kind() {
        Some("pause") => release_step(look),
        _ => body(look)?,
    };
    let second = second.resting_on(facts).after(words, site.observed_s());
    draft.requests.push(second.request(objects, &look.live).await);
    draft.requests.push(wake(site, look, ask, "promote").request(objects, &look.live).await);
    draft.beware.push(know(
        "it is held by hand, which wins over a promotion: first the hold is released, then the step",
    ));
    Ok(draft)
}

fn release_step(look: &Look) -> Patch {
    status_patch(look, "release the step's pause", json!({"pauseConditions": null}))
}

/// The body that goes on by one step, by the state.
fn body(look: &Look) -> Result<Patch, Refusal> {
    let state = look.state();
    if state.is_blue_green() {
        return match state.pauses().is_empty() {
            false => Ok(status_patch(look, "release the blue-green pause", json!({"pauseConditions": null}))),
            true => Err(Refusal::new(
                "the preview is not ready to be promoted yet",
                "wait for its pause, or promote it in full",
            )),
        };
    }
    let index = state.index().filter(|index| *index < state.steps().len());
    let index = index.ok_or_else(|| Refusal::new("there is no step left", "watch it become stable"))?;
    let next = index + 1;
    if state.is_inconclusive() {
        let status = json!({"pauseConditions": null, "controllerPause": false, "currentStepIndex": next});
        return Ok(status_patch(look, &format!("past the inconclusive analysis, to step {next}"), status));
    }
    if !state.pauses().is_empty() {
        return Ok(release_step(look));
    }
    let kind = state.step_kind().unwrap_or("step");
    let status = json!({"pauseConditions": null, "currentStepIndex": next});
    Ok(status_patch(look, &format!("skip the running {kind}, to step {next}"), status))
}

fn what_it_skips(state: State<'_>) -> Vec<Beware> {
    let Some(index) = state.index().filter(|_| state.pauses().is_empty() || state.is_inconclusive()) else {
        return Vec::new();
    };
    let kind = |index: usize| state.steps().get(index).is_some_and(|step| step.get("analysis").is_some());
    let mut beware = Vec::new();
    if state.is_inconclusive() {
        beware.push(warn("its analysis could not tell; you go past it"));
    } else if kind(index) {
        beware.push(warn("its analysis is still running; you skip it"));
    } else if state.step_kind() == Some("setWeight") {
        beware.push(warn("the weight of this step is not reached yet; you skip it"));
    }
    if kind(index) && kind(index + 1) {
        beware.push(warn("two analyses follow each other: the controller may not start the second one"));
    }
    beware
}

/// A draft for the next step, with its checks.
fn next(site: &Site, look: &Look) -> Draft {
    let state = look.state();
    let weight = match state.index() {
        Some(index) if !state.is_blue_green() => state.weight_at(state.next_stop(index)),
        _ => 100.0,
    };
    let mut draft = draft(look, format!("{} at {weight:.0} %", look.name(state.wanted())));
    draft.checks = vec![
        check("observed", "the controller has gone on", true, site.observed_s()),
        check("weight", &format!("weight {weight:.0} % is set"), true, site.effective_s().min(60.0)),
    ];
    draft.expected_s = 10.0;
    draft
}
