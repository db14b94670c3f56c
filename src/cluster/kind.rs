//! One kind of rollout object: where it lives, what else must be read with it, what it means.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::domain::{ControllerKind, Rollout, Time};

/// A kind of object of the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The group, empty for the core.
    pub group: &'static str,
    /// The version.
    pub version: &'static str,
    /// The kind, `Rollout`.
    pub kind: &'static str,
    /// The plural in paths, `rollouts`.
    pub plural: &'static str,
}

/// What is meant by a rollout's settings, beside the object itself.
#[derive(Debug, Clone, Default)]
pub struct Naming {
    /// How a revision's model version is found in its pod template: `label:version`, `annotation:KEY`,
    /// `env:NAME`, `image-tag`. Empty: the label `app.kubernetes.io/version`, then `version`.
    pub version_from: String,
    /// The ladder of weights where wardroom itself is the stepper, percent.
    pub ladder: Vec<f64>,
}

/// Objects of one kind, by namespace and name.
pub type Objects = BTreeMap<(Arc<str>, Arc<str>), Arc<Value>>;

/// Objects that were read around a rollout, by plural and then namespace and name. Managed fields are stripped.
#[derive(Debug, Clone, Default)]
pub struct Around {
    objects: HashMap<&'static str, Objects>,
}

impl Around {
    /// Puts an object in, or replaces it.
    pub fn put(&mut self, plural: &'static str, namespace: &str, name: &str, object: Arc<Value>) {
        self.objects.entry(plural).or_default().insert((namespace.into(), name.into()), object);
    }

    /// Takes an object out.
    pub fn remove(&mut self, plural: &'static str, namespace: &str, name: &str) {
        if let Some(kind) = self.objects.get_mut(plural) {
            kind.remove(&(namespace.into(), name.into()));
        }
    }

    /// Replaces every object of a kind.
    pub fn replace(&mut self, plural: &'static str, objects: Objects) {
        self.objects.insert(plural, objects);
    }

    /// An object by its name.
    pub fn get(&self, plural: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(plural)?.get(&(namespace.into(), name.into())).map(AsRef::as_ref)
    }

    /// The objects of a kind in a namespace.
    pub fn of<'a>(&'a self, plural: &str, namespace: &'a str) -> impl Iterator<Item = &'a Value> + 'a {
        self.objects.get(plural).into_iter().flat_map(move |kind| {
            let from = (Arc::<str>::from(namespace), Arc::<str>::from(""));
            kind.range(from..).take_while(move |((at, _), _)| **at == *namespace).map(|(_, object)| &**object)
        })
    }

    /// The objects of a kind in a namespace that the object with this `uid` controls.
    pub fn owned_by<'a>(
        &'a self,
        plural: &str,
        namespace: &'a str,
        uid: &'a str,
    ) -> impl Iterator<Item = &'a Value> + 'a {
        self.of(plural, namespace).filter(move |object| {
            let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
            owners.is_some_and(|owners| {
                owners.iter().any(|owner| {
                    owner.get("uid").and_then(Value::as_str) == Some(uid)
                        && owner.get("controller").and_then(Value::as_bool) == Some(true)
                })
            })
        })
    }
}

/// One kind of rollout object.
pub trait Kind: Send + Sync {
    /// The controller it belongs to; for a kind with two modes the one that is told from the object in `read`.
    fn controller(&self) -> ControllerKind;

    /// The controller that an object of this kind belongs to.
    fn controller_of(&self, _object: &Value) -> ControllerKind {
        self.controller()
    }

    /// The word in configs and commands: `rollout`, `deployment`, `canary`, `inferenceservice`, `httproute`,
    /// `virtualservice`.
    fn word(&self) -> &'static str;

    /// The object itself.
    fn resource(&self) -> Resource;

    /// What else is watched to understand it.
    fn companions(&self) -> &'static [Resource];

    /// What the object means. `None` when it is not a rollout of this kind (a route without two weights, a
    /// Deployment that a Flagger Canary owns). The target is filled in by the caller.
    fn read(&self, object: &Value, around: &Around, naming: &Naming, now: Time) -> Option<Rollout>;
}

/// Every kind that is read. One line registers one.
pub const KINDS: &[&dyn Kind] = &[
    &super::argo::Argo,
    &super::deployment::Deployment,
    &super::flagger::Flagger,
    &super::inferenceservice::InferenceService,
    &super::httproute::HttpRoute,
    &super::virtualservice::VirtualService,
];
