//! Who owns an object's manifest, by the marks that GitOps tools and Helm leave on it.

use serde_json::Value;

use super::look;
use crate::domain::text::clean_name;

/// A tool that owns a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// Argo CD, with the Application's name: a template that Git does not hold is put back, by default 5 s later.
    ArgoCd(String),
    /// A Flux Kustomization, `namespace/name`: put back at its next interval.
    Kustomization(String),
    /// A Flux HelmRelease, `namespace/name`: put back at its next interval when drift detection is on.
    HelmRelease(String),
    /// Helm, with the release's name: the next upgrade wins.
    Helm(String),
}

impl Owner {
    /// The mark on this object. The label `app.kubernetes.io/instance` is no proof: Helm sets it too.
    pub fn of(object: &Value) -> Option<Self> {
        let pair = |prefix: &str| {
            let name = look::label(object, &format!("{prefix}/name"))?;
            let namespace = look::label(object, &format!("{prefix}/namespace")).unwrap_or_default();
            Some(clean_name(&format!("{namespace}/{name}")).trim_start_matches('/').to_owned())
        };
        let application = || {
            // app:group/Kind:namespace/name
            let id = look::annotation(object, "argocd.argoproj.io/tracking-id")?;
            let name = id.split(':').next().filter(|name| !name.is_empty())?;
            Some(Self::ArgoCd(clean_name(name)))
        };
        application()
            .or_else(|| pair("kustomize.toolkit.fluxcd.io").map(Self::Kustomization))
            .or_else(|| pair("helm.toolkit.fluxcd.io").map(Self::HelmRelease))
            .or_else(|| {
                look::annotation(object, "meta.helm.sh/release-name").map(|name| Self::Helm(clean_name(name)))
            })
    }

    /// Whether it puts a changed template back by itself.
    pub fn puts_back(&self) -> bool {
        !matches!(self, Self::Helm(_))
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ArgoCd(name) => write!(f, "Argo CD {name}"),
            Self::Kustomization(name) => write!(f, "Flux Kustomization {name}"),
            Self::HelmRelease(name) => write!(f, "Flux HelmRelease {name}"),
            Self::Helm(name) => write!(f, "Helm {name}"),
        }
    }
}

/// The owner in words, empty when nobody's mark is there.
pub fn words(object: &Value) -> String {
    Owner::of(object).map(|owner| owner.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_mark_has_its_owner() {
        let of = |metadata: Value| words(&json!({ "metadata": metadata }));
        let argo = json!({"annotations": {"argocd.argoproj.io/tracking-id": "models:argoproj.io/Rollout:ml/als"},
            "labels": {"app.kubernetes.io/instance": "x"}});
        assert_eq!(of(argo), "Argo CD models");
        let flux = json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux"}});
        assert_eq!(of(flux), "Flux Kustomization flux/apps");
        let release = json!({"labels": {"helm.toolkit.fluxcd.io/name": "als", "helm.toolkit.fluxcd.io/namespace": "ml"},
            "annotations": {"meta.helm.sh/release-name": "als"}});
        assert_eq!(of(release), "Flux HelmRelease ml/als", "Flux drives Helm here");
        assert_eq!(of(json!({"annotations": {"meta.helm.sh/release-name": "als"}})), "Helm als");
        assert_eq!(of(json!({"labels": {"app.kubernetes.io/instance": "als"}})), "", "no proof");
        assert!(!Owner::Helm("als".into()).puts_back());
    }
}
