//! Stopping a run: hold it, let it go on, abort it.

use serde_json::json;

use super::{FACTS, Scene, gate};
use crate::cluster::flagger::spec::{self, Gate};
use crate::cluster::percent;
use crate::control::kubernetes::{Patch, facts};
use crate::domain::Level;
use crate::domain::act::Refusal;

/// Holds it.
pub(super) async fn pause(scene: &mut Scene<'_>) {
    let weight = percent(scene.rollout.asked);
    let patch = scene.patch("suspend: true", json!({"spec": {"suspend": true}}));
    scene.push(patch.telling(&[("spec.suspend", json!(true))]), "").await;
    scene.draft.after = format!("held at {weight} from the next tick on");
    scene.draft.expected_s = spec::interval_s(&scene.canary);
    scene.warn(
        Level::Critical,
        format!("the whole controller stands still: metric checks and automatic rollback stop too, at {weight} of traffic"),
    );
    scene.warn(Level::Unknown, "it holds from the next tick on: a step that is under way is finished");
    if spec::hook(&scene.canary, "confirm-traffic-increase").is_some() {
        scene.warn(
            Level::Ok,
            "softer: close the confirm-traffic-increase gate; checks and rollback then go on",
        );
    }
    scene.look_at("held", "suspended, and the weight on the route stays", 15.0);
}

/// Lets it go on.
pub(super) async fn resume(scene: &mut Scene<'_>) {
    let patch = scene.patch("suspend: false", json!({"spec": {"suspend": false}}));
    scene.push(patch.telling(&[("spec.suspend", json!(false))]), "").await;
    scene.draft.after = "Flagger goes on at its next tick".into();
    scene.draft.expected_s = spec::interval_s(&scene.canary);
    scene.look_at("released", "not suspended", 15.0);
}

/// Takes the canary back, by its rollback gate or, where that is allowed, by its failed checks.
pub(super) async fn abort(scene: &mut Scene<'_>, suspended: bool) -> Result<(), Refusal> {
    if !["Progressing", "WaitingPromotion"].contains(&scene.phase()) {
        return Err(Refusal::new(
            format!("Flagger does not roll back while {}", scene.rollout.situation.word()),
            "R puts a version back",
        ));
    }
    let door = spec::hook(&scene.canary, "rollback").and_then(|hook| Gate::behind(&hook.url));
    let tick = scene.tick_s();
    match door {
        Some(door) => {
            gate::open(scene, &door, "rollback gate: open").await;
            release(scene, suspended).await;
            gate::close(scene, &door, "failed", "the canary has failed", tick).await;
            scene.warn(
                Level::Unknown,
                "a gate that stays open would abort the next release at once: it is closed again",
            );
        }
        None if scene.site.cluster.flagger_abort_by_failed_checks => {
            let threshold = spec::threshold(&scene.canary);
            let mut patch = Patch::new(
                &scene.place,
                "status",
                format!("failedChecks: {threshold}"),
                json!({"status": {"failedChecks": threshold}}),
            )
            .resting_on(facts::gather(&scene.canary, &FACTS));
            patch.urgent = true;
            let patch = patch.telling(&[("status.failedChecks", json!(threshold))]);
            scene.push(patch, "").await;
            release(scene, suspended).await;
            scene.warn(Level::Warning, "this writes a field that is meant for Flagger itself");
        }
        None => {
            return Err(Refusal::new(
                "Flagger has no abort: the spec has no rollback gate that the API server reaches",
                format!(
                    "roll back to {} (its pods become the canary's), add a rollback webhook, or set \
                     flagger_abort_by_failed_checks for this cluster",
                    scene.rollout.stable
                ),
            ));
        }
    }
    let stable = scene.rollout.stable.clone();
    scene.draft.after = format!("{stable} at 100 %, the canary at no pods");
    scene.draft.expected_s = spec::interval_s(&scene.canary);
    scene.leads_to(&stable);
    scene.look_at("failed", "Flagger says Failed", tick);
    scene.look_at("weight", "the route sends everything to the primary", tick);
    scene.look_at("target", "the canary has no pods", tick + 15.0);
    Ok(())
}

/// After an abort was asked for, Flagger must look at it.
async fn release(scene: &mut Scene<'_>, suspended: bool) {
    if suspended {
        let patch = Patch::new(
            &scene.place,
            "",
            "suspend: false, so that Flagger sees the abort",
            json!({"spec": {"suspend": false}}),
        );
        scene.push(patch.telling(&[("spec.suspend", json!(false))]), "").await;
    }
}
