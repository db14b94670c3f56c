//! What a config wants to know of a cluster: rollouts by kind, namespace and name, and the watches that takes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::cluster::{KINDS, Kind, Resource};
use crate::config::{ClusterConfig, Config};
use crate::domain::ModelId;
use crate::sources::model_id;

/// Up to how many namespaces each has its own watches when the config lists none.
const FEW: usize = 4;

/// One model's rollout.
pub struct Wanted {
    /// Whose.
    pub model: ModelId,
    /// The kind of object.
    pub kind: &'static dyn Kind,
    /// The object's namespace.
    pub namespace: Arc<str>,
    /// The object's name.
    pub name: Arc<str>,
}

impl Wanted {
    /// `Rollout ml/sepsis`.
    pub fn what(&self) -> String {
        format!("{} {}/{}", self.kind.resource().kind, self.namespace, self.name)
    }
}

/// Where a watch looks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere.
    All,
    /// In one namespace.
    In(Arc<str>),
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all namespaces"),
            Self::In(namespace) => write!(f, "namespace {namespace}"),
        }
    }
}

/// Everything that is wanted of one cluster.
#[derive(Default)]
pub struct Wants {
    /// The rollouts.
    pub all: Vec<Wanted>,
    /// The namespaces in which they are.
    pub namespaces: BTreeSet<Arc<str>>,
    /// The watches.
    pub watches: Vec<(Resource, Scope)>,
    /// Models that the config places where it does not look.
    pub outside: Vec<String>,
    by_namespace: HashMap<Arc<str>, Vec<usize>>,
}

impl Wants {
    /// What the config wants of this cluster.
    pub fn of(config: &Config, cluster: &ClusterConfig) -> Self {
        let mut wants = Self::default();
        for model in &config.model {
            let Some(rollout) = model.rollout.as_ref().filter(|rollout| rollout.system == cluster.name)
            else {
                continue;
            };
            let Some(kind) = KINDS.iter().copied().find(|kind| kind.word() == rollout.kind) else {
                continue;
            };
            let namespace = rollout.namespace.as_deref().unwrap_or(&model.namespace);
            let namespace = if namespace.is_empty() { "default" } else { namespace };
            if !cluster.namespaces.is_empty() && !cluster.namespaces.iter().any(|listed| listed == namespace)
            {
                let what = kind.resource().kind;
                wants.outside.push(format!(
                    "{}: {what} in {namespace}, which is not among the namespaces of the cluster {}",
                    model.name, cluster.name
                ));
                continue;
            }
            wants.add(Wanted {
                model: model_id(config, model),
                kind,
                namespace: namespace.into(),
                name: rollout.name.as_deref().unwrap_or(&model.name).into(),
            });
        }
        let listed = !cluster.namespaces.is_empty() || wants.namespaces.len() <= FEW;
        let scopes: Vec<Scope> =
            if listed { wants.namespaces.iter().cloned().map(Scope::In).collect() } else { vec![Scope::All] };
        let mut resources: Vec<(Resource, Vec<&Wanted>)> = Vec::new();
        for wanted in &wants.all {
            for resource in
                std::iter::once(wanted.kind.resource()).chain(wanted.kind.companions().iter().copied())
            {
                match resources.iter_mut().find(|(known, _)| *known == resource) {
                    Some((_, users)) => users.push(wanted),
                    None => resources.push((resource, vec![wanted])),
                }
            }
        }
        for (resource, users) in resources {
            let needs = |scope: &&Scope| match scope {
                Scope::All => true,
                Scope::In(namespace) => users.iter().any(|wanted| wanted.namespace == *namespace),
            };
            wants.watches.extend(scopes.iter().filter(needs).map(|scope| (resource, scope.clone())));
        }
        wants
    }

    fn add(&mut self, wanted: Wanted) {
        self.namespaces.insert(Arc::clone(&wanted.namespace));
        self.by_namespace.entry(Arc::clone(&wanted.namespace)).or_default().push(self.all.len());
        self.all.push(wanted);
    }

    /// Whether a resource is itself a rollout somebody wants.
    pub fn is_primary(&self, resource: &Resource) -> bool {
        self.all.iter().any(|wanted| wanted.kind.resource() == *resource)
    }

    /// The rollouts whose meaning may change with this object.
    pub fn touched(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        object: &serde_json::Value,
    ) -> Vec<usize> {
        let text =
            |pointer: &str| object.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default();
        let owner = object
            .pointer("/metadata/ownerReferences")
            .and_then(serde_json::Value::as_array)
            .and_then(|all| {
                all.iter()
                    .find(|owner| owner.get("controller").and_then(serde_json::Value::as_bool) == Some(true))
            });
        let owner = owner.map(|owner| {
            let part = |key: &str| owner.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
            (part("kind"), part("name"))
        });
        let is_touched = |index: &usize| {
            let wanted = &self.all[*index];
            let own = wanted.kind.resource();
            if own == *resource {
                return *wanted.name == *name;
            }
            if !wanted.kind.companions().contains(resource) {
                return false;
            }
            match resource.plural {
                "horizontalpodautoscalers" => text("/spec/scaleTargetRef/name") == &*wanted.name,
                // These belong to one controller; of kinds that look at another's pods, all look again.
                "replicasets" | "analysisruns" if ["rollout", "deployment"].contains(&wanted.kind.word()) => {
                    owner == Some((own.kind, &*wanted.name))
                }
                _ => true,
            }
        };
        let here = self.by_namespace.get(namespace).map(Vec::as_slice).unwrap_or_default();
        here.iter().copied().filter(is_touched).collect()
    }
}
