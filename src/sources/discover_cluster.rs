//! Asks a cluster which rollouts it holds. Lists only.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams};

use crate::cluster::kind::{Naming, Objects};
use crate::cluster::{Around, KINDS, Resource, connect, trouble};
use crate::config::ClusterConfig;
use crate::domain::text::{clean, clean_name};
use crate::domain::{Fault, FaultKind};

/// Objects a page.
const PAGE: u32 = 500;
/// Objects of one kind at most: beyond, a cluster wants namespaces named.
const MOST: usize = 20_000;

/// A rollout that a cluster holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundRollout {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The word of its kind.
    pub kind: &'static str,
}

/// A cluster and its rollouts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundCluster {
    /// The context.
    pub context: String,
    /// The rollouts, by namespace and name.
    pub rollouts: Vec<FoundRollout>,
    /// What could not be listed, in words.
    pub notes: Vec<String>,
}

/// What was listed, by kind.
pub type Seen = HashMap<&'static str, Objects>;

/// Lists every kind over all namespaces.
///
/// # Errors
/// The cluster that cannot be reached. What may not be listed is a note, not an error.
pub async fn ask(cluster: &ClusterConfig, deadline: Duration) -> Result<FoundCluster, Fault> {
    let client = connect(cluster, deadline).await?;
    let mut found =
        FoundCluster { context: cluster.context.clone().unwrap_or_default(), ..FoundCluster::default() };
    if found.context.is_empty() {
        let (_, current) = connect::contexts(cluster.kubeconfig.as_deref())?;
        found.context = current.unwrap_or_else(|| cluster.name.clone());
    }
    let mut wanted: Vec<Resource> = Vec::new();
    for kind in KINDS {
        for resource in std::iter::once(kind.resource()).chain(kind.companions().iter().copied()) {
            if !wanted.contains(&resource) {
                wanted.push(resource);
            }
        }
    }
    let mut seen = Seen::new();
    for resource in wanted {
        let primary = KINDS.iter().any(|kind| kind.resource() == resource);
        match list(&client, &resource, deadline).await {
            Ok(objects) => {
                if objects.len() >= MOST {
                    found.notes.push(format!("only the first {MOST} {} were read", resource.plural));
                }
                // Kinds of two groups may share a plural.
                seen.entry(resource.plural).or_default().extend(objects);
            }
            Err(fault) => match fault.kind {
                // A controller that is not installed.
                FaultKind::Absent => {}
                FaultKind::Denied if !fault.detail.contains(": 401") => {
                    if primary {
                        found.notes.push(clean(&fault.to_string(), 300));
                    }
                }
                _ => return Err(fault),
            },
        }
    }
    found.rollouts = rollouts(seen);
    Ok(found)
}

/// What of it is a rollout.
pub fn rollouts(seen: Seen) -> Vec<FoundRollout> {
    let mut around = Around::default();
    for (plural, objects) in &seen {
        around.replace(plural, objects.clone());
    }
    let mut found = Vec::new();
    for kind in KINDS {
        for ((namespace, name), object) in seen.get(kind.resource().plural).into_iter().flatten() {
            let read = kind.read(object, &around, &Naming::default(), Utc::now());
            // What another controller owns is not acted upon: its owner is the rollout.
            let owned = read.as_ref().is_some_and(|rollout| {
                kind.controller_of(object).is_stepped_by_us()
                    && rollout.cannot.iter().any(|(verb, _)| verb == "weight")
                    && !rollout.owner.is_empty()
            });
            // Of plain Deployments a cluster is full: those of its own parts are nobody's model.
            let system = kind.word() == "deployment" && namespace.starts_with("kube-");
            if read.is_some() && !owned && !system {
                found.push(FoundRollout {
                    namespace: clean_name(namespace),
                    name: clean_name(name),
                    kind: kind.word(),
                });
            }
        }
    }
    found.sort();
    found
}

async fn list(client: &kube::Client, resource: &Resource, deadline: Duration) -> Result<Objects, Fault> {
    let kind = GroupVersionKind::gvk(resource.group, resource.version, resource.kind);
    let kind = ApiResource::from_gvk_with_plural(&kind, resource.plural);
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
    let mut objects = Objects::new();
    let mut next: Option<String> = None;
    loop {
        let mut params = ListParams::default().limit(PAGE);
        params.continue_token = next.take();
        let page = tokio::time::timeout(deadline, api.list(&params))
            .await
            .map_err(|_| trouble::hung(resource.plural, deadline))?
            .map_err(|error| trouble::of(&error, resource.plural))?;
        for mut object in page.items {
            object.metadata.managed_fields = None;
            let (Some(namespace), Some(name)) =
                (object.metadata.namespace.clone(), object.metadata.name.clone())
            else {
                continue;
            };
            if let Ok(value) = serde_json::to_value(&object) {
                objects.insert((namespace.into(), name.into()), Arc::new(value));
            }
        }
        next = page.metadata.continue_.filter(|token| !token.is_empty());
        if next.is_none() || objects.len() >= MOST {
            return Ok(objects);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn rollouts_are_told_from_what_they_own() {
        let objects = |text: &str| -> Vec<Value> {
            serde_json::from_str::<Value>(text).unwrap()["items"].as_array().unwrap().clone()
        };
        let mut seen = Seen::new();
        let all = [
            objects(include_str!("../../fixtures/kubernetes/argo-paused-by-step.json")),
            objects(include_str!("../../fixtures/kubernetes/deployment-complete.json")),
        ];
        for object in all.concat() {
            let plural = match object["kind"].as_str().unwrap() {
                "Rollout" => "rollouts",
                "Deployment" => "deployments",
                "ReplicaSet" => "replicasets",
                other => panic!("{other}"),
            };
            let part = |key: &str| -> Arc<str> { object["metadata"][key].as_str().unwrap().into() };
            seen.entry(plural).or_default().insert((part("namespace"), part("name")), object.clone().into());
        }
        let of = |kind, name: &str| FoundRollout { namespace: "ml".into(), name: name.into(), kind };
        assert_eq!(rollouts(seen.clone()), [of("rollout", "sepsis"), of("deployment", "tumour")]);
        let workload = serde_json::json!({"kind": "Deployment", "name": "tumour"});
        let place: (Arc<str>, Arc<str>) = ("ml".into(), "sepsis".into());
        let rollout = seen.get_mut("rollouts").unwrap().get_mut(&place).unwrap();
        Arc::make_mut(rollout)["spec"]["workloadRef"] = workload;
        assert_eq!(rollouts(seen), [of("rollout", "sepsis")], "the Deployment is the Rollout's template");
    }
}
