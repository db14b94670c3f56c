//! Who will undo a write: a GitOps controller, Helm's next upgrade, an autoscaler.

use serde_json::Value;

use super::object::{Objects, Place};
use crate::cluster::Resource;
use crate::domain::Level;
use crate::domain::act::Beware;
use crate::domain::text::clean_name;

const APPLICATION: Resource =
    Resource { group: "argoproj.io", version: "v1alpha1", kind: "Application", plural: "applications" };
const HPA: Resource = Resource {
    group: "autoscaling",
    version: "v2",
    kind: "HorizontalPodAutoscaler",
    plural: "horizontalpodautoscalers",
};

/// Who owns a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// Argo CD, by the Application's name; whether it heals by itself and whether it can be held, when that can be seen.
    ArgoCd {
        /// The Application.
        app: String,
        /// `selfHeal`, when the Application could be read.
        heals: Option<bool>,
        /// An ApplicationSet made the Application: its own settings are put back.
        generated: bool,
    },
    /// A Flux Kustomization, `namespace/name`.
    FluxKustomization(String),
    /// A Flux HelmRelease, `namespace/name`.
    FluxHelm(String),
    /// Helm by hand; its next upgrade wins.
    Helm(String),
}

impl Owner {
    /// The owner by the marks on an object.
    pub fn of(object: &Value) -> Option<Self> {
        let mark = |kind: &str, key: &str| {
            let text = object.pointer("/metadata")?.get(kind)?.get(key)?.as_str()?;
            Some(clean_name(text)).filter(|text| !text.is_empty())
        };
        let flux = |tool: &str| {
            let name = mark("labels", &format!("{tool}.toolkit.fluxcd.io/name"))?;
            let namespace = mark("labels", &format!("{tool}.toolkit.fluxcd.io/namespace"));
            Some(format!("{}/{name}", namespace.unwrap_or_default()))
        };
        if let Some(tracking) = mark("annotations", "argocd.argoproj.io/tracking-id") {
            let app = tracking.split(':').next().unwrap_or_default().to_owned();
            return Some(Self::ArgoCd { app, heals: None, generated: false });
        }
        if let Some(name) = flux("kustomize") {
            return Some(Self::FluxKustomization(name));
        }
        if let Some(name) = flux("helm") {
            return Some(Self::FluxHelm(name));
        }
        mark("annotations", "meta.helm.sh/release-name").map(Self::Helm)
    }

    /// The same with what its Application says, when it is in this cluster and may be read.
    pub async fn looked_up(self, objects: &Objects) -> Self {
        let Self::ArgoCd { app, .. } = &self else { return self };
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
        Self::ArgoCd { app: app.clone(), heals: Some(heals), generated }
    }

    /// Whether it puts its manifest back by itself, as far as can be told.
    pub fn may_revert(&self) -> bool {
        !matches!(self, Self::Helm(_) | Self::ArgoCd { heals: Some(false), .. })
    }

    /// Its name in words.
    pub fn word(&self) -> String {
        match self {
            Self::ArgoCd { app, .. } => format!("Argo CD ({app})"),
            Self::FluxKustomization(name) => format!("Flux (Kustomization {name})"),
            Self::FluxHelm(name) => format!("Flux (HelmRelease {name})"),
            Self::Helm(name) => format!("Helm ({name})"),
        }
    }

    /// What it does to a change of the pod template. `canary` tells that one is running and can be aborted instead.
    pub fn on_template(&self, canary: bool) -> Vec<Beware> {
        let word = self.word();
        let when = match self {
            Self::ArgoCd { heals: Some(true), .. } => "within seconds (self-heal)",
            Self::ArgoCd { heals: Some(false), .. } => {
                return vec![warn(format!(
                    "managed by {word} without self-heal: its next sync brings the manifest of Git back"
                ))];
            }
            Self::ArgoCd { heals: None, .. } => {
                "within seconds if it heals itself (its Application cannot be seen from here)"
            }
            Self::FluxKustomization(_) | Self::FluxHelm(_) => "at its next interval or change of the source",
            Self::Helm(_) => return vec![warn(format!("managed by {word}: its next upgrade wins"))],
        };
        let abort = if canary { "abort instead, which it does not see; or " } else { "" };
        let hold = match self {
            Self::ArgoCd { generated: true, .. } => {
                "its Application comes from an ApplicationSet and cannot be held here".to_owned()
            }
            Self::ArgoCd { app, .. } => format!(
                "hold the Application {app} ({{\"spec\":{{\"syncPolicy\":{{\"automated\":{{\"enabled\":false}}}}}}}}), \
                 and release it after"
            ),
            Self::FluxKustomization(name) => {
                format!(
                    "hold the Kustomization {name} ({{\"spec\":{{\"suspend\":true}}}}), and release it after"
                )
            }
            Self::FluxHelm(name) => {
                format!(
                    "hold the HelmRelease {name} ({{\"spec\":{{\"suspend\":true}}}}), and release it after"
                )
            }
            Self::Helm(_) => String::new(),
        };
        vec![Beware {
            level: Level::Critical,
            text: format!(
                "managed by {word}: it puts the template back {when}, and the bad version returns. \
                 Three ways out: {abort}revert the commit in Git; or {hold}"
            ),
        }]
    }

    /// What it does to `field` of the spec when Git sets it too.
    pub fn on_field(&self, object: &Value, field: &str) -> Option<Beware> {
        let set_by = manager_of(object, &format!("f:{field}"))?;
        (self.may_revert() && set_by != super::object::FIELD_MANAGER).then(|| {
            warn(format!(
                "spec.{field} was last set by {set_by}; if Git sets it, {} puts it back",
                self.word()
            ))
        })
    }
}

/// Who last set a field of the spec, by `metadata.managedFields`; the field is written `f:paused`.
pub fn manager_of(object: &Value, field: &str) -> Option<String> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    let owning = entries
        .iter()
        .filter(|entry| entry.get("fieldsV1").and_then(|fields| fields.get("f:spec")?.get(field)).is_some());
    let last = owning.max_by_key(|entry| entry.get("time").and_then(Value::as_str).unwrap_or_default())?;
    Some(clean_name(last.get("manager")?.as_str()?))
}

/// What scales an object: `HPA m, 2 to 10 pods`.
pub async fn autoscaler(objects: &Objects, place: &Place) -> Option<String> {
    // Without the permission to look there is nothing to say.
    let all = objects.list(&HPA, &place.namespace, "").await.ok()?;
    let found = all.iter().find(|hpa| {
        let target = |key: &str| hpa.pointer("/spec/scaleTargetRef")?.get(key)?.as_str();
        target("kind") == Some(place.resource.kind) && target("name") == Some(&place.name)
    })?;
    let number = |key: &str| found.pointer("/spec")?.get(key)?.as_u64();
    let name = found.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let (least, most) = (number("minReplicas").unwrap_or(1), number("maxReplicas").unwrap_or(0));
    Some(format!("HPA {}, {least} to {most} pods", clean_name(name)))
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

    #[test]
    fn owners_are_known_by_their_marks() {
        let object = |kind: &str, key: &str, value: &str| json!({"metadata": {kind: {key: value}}});
        let argo = object("annotations", "argocd.argoproj.io/tracking-id", "shop:argoproj.io/Rollout:ml/m");
        assert_eq!(
            Owner::of(&argo),
            Some(Owner::ArgoCd { app: "shop".into(), heals: None, generated: false })
        );
        let helm = object("annotations", "meta.helm.sh/release-name", "shop");
        assert_eq!(Owner::of(&helm), Some(Owner::Helm("shop".into())));
        // Set by Helm too: no proof of Argo CD.
        assert_eq!(Owner::of(&object("labels", "app.kubernetes.io/instance", "shop")), None);
        let flux = json!({"metadata": {"labels": {
            "kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}}});
        assert_eq!(Owner::of(&flux), Some(Owner::FluxKustomization("flux-system/shop".into())));
    }

    #[test]
    fn a_template_under_self_heal_is_red_with_three_ways_out() {
        let owner = Owner::ArgoCd { app: "shop".into(), heals: Some(true), generated: false };
        let beware = &owner.on_template(true)[0];
        assert_eq!(beware.level, Level::Critical);
        for way in ["abort instead", "revert the commit in Git", "hold the Application shop"] {
            assert!(beware.text.contains(way), "{way}: {}", beware.text);
        }
        assert!(!owner.on_template(false)[0].text.contains("abort"), "no canary, nothing to abort");
        let generated = Owner::ArgoCd { app: "shop".into(), heals: None, generated: true };
        assert!(generated.on_template(false)[0].text.contains("cannot be held here"));
        assert_eq!(Owner::Helm("shop".into()).on_template(true)[0].level, Level::Warning);
    }
}
