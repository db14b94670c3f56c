//! Writes to the pod template of a Canary's target.

use serde_json::{Value, json};

use super::Scene;
use crate::cluster::{Around, flagger};
use crate::control::kubernetes::object::Place;
use crate::control::kubernetes::owner::Owned;
use crate::control::kubernetes::share::is_named;
use crate::control::kubernetes::{Patch, facts};
use crate::domain::act::Refusal;
use crate::domain::{Level, Version};

/// The annotation of a Deployment that tells its revision.
const REVISION: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";

fn target<'a>(scene: &Scene<'_>, around: &'a Around) -> Result<&'a Value, Refusal> {
    let name = flagger::target(&scene.canary);
    let kind = super::text(&scene.canary, "/spec/targetRef/kind");
    around.get("deployments", &scene.ask.target.namespace, name).ok_or_else(|| {
        Refusal::new(
            format!("the target {kind} {name} is no Deployment that can be read"),
            "act on it by hand",
        )
    })
}

/// The template of a ReplicaSet without what its controller added.
pub(super) fn of_set(set: &Value) -> Value {
    let mut template = set.pointer("/spec/template").cloned().unwrap_or_default();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    template
}

/// Puts the template of a named revision on the target.
pub(super) async fn put(scene: &mut Scene<'_>, to: &Version, around: &Around) -> Result<(), Refusal> {
    let deployment = target(scene, around)?.clone();
    let uid = super::text(&deployment, "/metadata/uid").to_owned();
    let mut named: Vec<_> =
        scene.rollout.revisions.iter().filter(|revision| is_named(revision, to)).collect();
    named.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    let Some(revision) = named.first() else {
        let known: Vec<String> = scene.rollout.revisions.iter().map(crate::domain::Revision::name).collect();
        return Err(Refusal::new(
            format!("no ReplicaSet of the target is {to}"),
            format!("known are: {}", if known.is_empty() { "none".into() } else { known.join(", ") }),
        ));
    };
    let hash = revision.hash.clone();
    let namespace = scene.ask.target.namespace.to_string();
    let sets = around.owned_by("replicasets", &namespace, &uid);
    let set = sets.into_iter().find(|set| super::text(set, "/metadata/labels/pod-template-hash") == hash);
    let Some(template) = set.map(of_set) else {
        return Err(Refusal::new(format!("the ReplicaSet {hash} is gone"), "name another version"));
    };
    let current = deployment.pointer("/spec/template").cloned().unwrap_or_default();
    if current == template {
        scene.draft.beware.push(crate::control::kubernetes::share::beware(
            Level::Ok,
            format!("the target has the template of {to} already"),
        ));
        return Ok(());
    }
    if let Some(owned) = Owned::by(&deployment) {
        let owned = owned.looked_up(&scene.site.objects).await;
        scene.draft.beware.extend(owned.on_template(scene.rollout.is_live()));
    }
    let place = Place::new(flagger::DEPLOYMENTS, &namespace, flagger::target(&scene.canary));
    let why = if scene.ask.reason.is_empty() { String::new() } else { format!(": {}", scene.ask.reason) };
    let cause = format!("wardroom: {} rolls back to {to}{why}", scene.ask.who);
    let mut body = vec![json!({"op": "replace", "path": "/spec/template", "value": &template})];
    if deployment.pointer("/metadata/annotations").is_some() {
        let path = "/metadata/annotations/kubernetes.io~1change-cause";
        body.push(json!({"op": "add", "path": path, "value": cause}));
    }
    let patch =
        Patch::new(&place, "", format!("template of {} ← {to} ({hash})", place.name), Value::Array(body))
            .resting_on(facts::gather(&deployment, &[REVISION]))
            .telling(&[(facts::TEMPLATE, facts::digest(&template).into())]);
    let request = patch.request(&scene.site.objects, &deployment).await;
    scene.draft.requests.push(request);
    Ok(())
}

/// Touches the template, which starts a failed canary again.
pub(super) async fn retry(scene: &mut Scene<'_>, around: &Around) -> Result<(), Refusal> {
    let deployment = target(scene, around)?.clone();
    let place = Place::new(flagger::DEPLOYMENTS, &scene.ask.target.namespace, flagger::target(&scene.canary));
    let at = scene.ask.now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let body = json!({"spec": {"template": {"metadata": {"annotations": {"wardroom/retried-at": at}}}}});
    let effect = "/spec/template/metadata/annotations/wardroom~1retried-at";
    let patch = Patch::new(&place, "", "touch the pod template", body)
        .resting_on(facts::gather(&deployment, &[REVISION]))
        .telling(&[(effect, json!(at))]);
    let request = patch.request(&scene.site.objects, &deployment).await;
    scene.draft.requests.push(request);
    let new = scene.rollout.canary.clone().unwrap_or_else(|| scene.rollout.stable.clone());
    scene.draft.after = format!("a new canary of {new}, from its first step");
    let tick = scene.tick_s();
    scene.draft.expected_s = tick;
    scene.look_at("started", "Flagger has begun a new run", 2.0 * tick);
    Ok(())
}
