//! Who will undo a write: a GitOps controller, Helm's next upgrade, an autoscaler.

use serde_json::{Value, json};

use super::object::{Objects, Place};
use crate::cluster::autoscaler::AUTOSCALERS;
use crate::cluster::owner::Owner;
use crate::cluster::{Around, Resource};
use crate::domain::Level;
use crate::domain::act::Beware;
use crate::domain::text::clean_name;

/// When Flux looks again.
const NEXT: &str = "at its next interval or change of the source";

const APPLICATION: Resource =
    Resource { group: "argoproj.io", version: "v1alpha1", kind: "Application", plural: "applications" };
/// Who owns a manifest, and whether it will put it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The owner by its marks.
    pub owner: Owner,
    /// Whether Argo CD heals by itself, when its Application could be read.
    pub heals: Option<bool>,
    /// An ApplicationSet made the Application: its own settings are put back.
    pub generated: bool,
}

impl Owned {
    /// By the marks on an object.
    pub fn by(object: &Value) -> Option<Self> {
        Owner::of(object).map(|owner| Self { owner, heals: None, generated: false })
    }

    /// The same with what its Application says, when it is in this cluster and may be read.
    pub async fn looked_up(self, objects: &Objects) -> Self {
        let Owner::ArgoCd(app) = &self.owner else { return self };
        // An Application outside Argo CD's own namespace is tracked as `namespace_name`.
        let (namespace, name) = app.split_once('_').unwrap_or(("argocd", app));
        let Ok(found) = objects.get(&Place::new(APPLICATION, namespace, name).path()).await else {
            return self;
        };
        let automated = found.pointer("/spec/syncPolicy/automated");
        let flag = |key: &str| automated.and_then(|all| all.get(key)).and_then(Value::as_bool);
        let heals = automated.is_some() && flag("enabled") != Some(false) && flag("selfHeal") == Some(true);
        let owners = found.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let generated = owners
            .into_iter()
            .flatten()
            .any(|owner| owner.get("kind").and_then(Value::as_str) == Some("ApplicationSet"));
        Self { heals: Some(heals), generated, ..self }
    }

    /// Whether it puts its manifest back by itself, as far as can be told.
    pub fn may_revert(&self) -> bool {
        self.owner.puts_back() && self.heals != Some(false)
    }

    /// What it does to a change of the pod template. `canary` tells that one is running and can be aborted instead.
    pub fn on_template(&self, canary: bool) -> Vec<Beware> {
        let owner = &self.owner;
        let (when, hold) = match owner {
            Owner::Helm(_) => return vec![warn(format!("managed by {owner}: its next upgrade wins"))],
            Owner::ArgoCd(_) if self.heals == Some(false) => {
                return vec![warn(format!(
                    "managed by {owner} without self-heal: its next sync brings the manifest of Git back"
                ))];
            }
            Owner::ArgoCd(app) => (
                match self.heals {
                    Some(_) => "within seconds (self-heal)",
                    None => "within seconds if it heals itself (its Application cannot be seen from here)",
                },
                match self.generated {
                    true => "its Application comes from an ApplicationSet and cannot be held here".into(),
                    false => hold(
                        &format!("Application {app}"),
                        "{\"spec\":{\"syncPolicy\":{\"automated\":{\"enabled\":false}}}}",
                    ),
                },
            ),
            Owner::Kustomization(name) => {
                (NEXT, hold(&format!("Kustomization {name}"), "{\"spec\":{\"suspend\":true}}"))
            }
            Owner::HelmRelease(name) => {
                (NEXT, hold(&format!("HelmRelease {name}"), "{\"spec\":{\"suspend\":true}}"))
            }
        };
        let abort = if canary { "abort instead, which it does not see; or " } else { "" };
        vec![danger(format!(
            "managed by {owner}: it puts the template back {when}, and the bad version returns. \
             Ways out: {abort}revert the commit in Git; or {hold}"
        ))]
    }

    /// What it does to `field` of the spec when Git sets it too.
    pub fn on_field(&self, object: &Value, field: &str) -> Option<Beware> {
        let set_by = manager_of(object, &format!("f:{field}"))?;
        (self.may_revert() && set_by != super::object::FIELD_MANAGER).then(|| {
            warn(format!(
                "spec.{field} was last set by {set_by}; if Git sets it, {} puts it back",
                self.owner
            ))
        })
    }
}

/// Fill in defaults of what others have written.
const NORMALISERS: [&str; 2] = ["rollouts-controller", "kube-controller-manager"];

/// Who last set a field of the spec, by `metadata.managedFields`; the field is written `f:paused`. A controller that
/// only fills in defaults is nobody.
pub fn manager_of(object: &Value, field: &str) -> Option<String> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    let entries = entries.iter().filter(|entry| {
        let manager = entry.get("manager").and_then(Value::as_str).unwrap_or_default();
        !NORMALISERS.contains(&manager)
    });
    let owning = entries
        .filter(|entry| entry.get("fieldsV1").and_then(|fields| fields.get("f:spec")?.get(field)).is_some());
    let last = owning.max_by_key(|entry| entry.get("time").and_then(Value::as_str).unwrap_or_default())?;
    Some(clean_name(last.get("manager")?.as_str()?))
}

fn hold(what: &str, patch: &str) -> String {
    format!("hold the {what} ({patch}), apply this, and release it after")
}

/// What scales an object: `HPA 2–10, now 4`.
pub async fn autoscaler(objects: &Objects, place: &Place) -> Option<String> {
    // Without the permission to look there is nothing to say.
    let all = objects.list(&AUTOSCALERS, &place.namespace, "").await.ok()?;
    let mut around = Around::default();
    for hpa in all {
        let name = hpa.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        around.put(AUTOSCALERS.plural, &place.namespace, &name, hpa.into());
    }
    let object = json!({"metadata": {"namespace": place.namespace, "name": place.name}});
    let words = crate::cluster::autoscaler::words(place.resource.kind, &object, &around);
    (!words.is_empty()).then_some(words)
}

/// A warning of the middle kind.
pub fn warn(text: impl Into<String>) -> Beware {
    Beware { level: Level::Warning, text: text.into() }
}

/// Something to know.
pub fn know(text: impl Into<String>) -> Beware {
    Beware { level: Level::Ok, text: text.into() }
}

/// A warning in red.
pub fn danger(text: impl Into<String>) -> Beware {
    Beware { level: Level::Critical, text: text.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owned(owner: Owner, heals: Option<bool>, generated: bool) -> Owned {
        Owned { owner, heals, generated }
    }

    #[test]
    fn a_template_under_self_heal_is_red_with_its_ways_out() {
        let argo = || Owner::ArgoCd("shop".into());
        let beware = &owned(argo(), Some(true), false).on_template(true)[0];
        assert_eq!(beware.level, Level::Critical);
        for way in ["abort instead", "revert the commit in Git", "hold the Application shop"] {
            assert!(beware.text.contains(way), "{way}: {}", beware.text);
        }
        let done = &owned(argo(), Some(true), false).on_template(false)[0];
        assert!(!done.text.contains("abort"), "no canary, nothing to abort");
        let generated = owned(argo(), None, true).on_template(false);
        assert!(generated[0].text.contains("cannot be held here"));
        let quiet = owned(argo(), Some(false), false);
        assert_eq!(quiet.on_template(true)[0].level, Level::Warning);
        assert!(!quiet.may_revert() && owned(argo(), None, false).may_revert());
        let helm = owned(Owner::Helm("shop".into()), None, false);
        assert_eq!(helm.on_template(true)[0].level, Level::Warning);
        assert!(!helm.may_revert());
    }

    #[test]
    fn a_controller_that_fills_in_defaults_is_nobody() {
        let entry = |manager: &str, time: &str| json!({"manager": manager, "time": time, "fieldsV1": {"f:spec": {"f:template": {}}}});
        let object = json!({"metadata": {"managedFields": [entry("argocd-controller", "2026-11-20T10:00:00Z"),
            entry("rollouts-controller", "2026-11-20T10:00:01Z"), entry("kubectl", "2026-11-20T09:00:00Z")]}});
        assert_eq!(manager_of(&object, "f:template").as_deref(), Some("argocd-controller"));
        assert_eq!(manager_of(&object, "f:paused"), None);
    }
}
