//! Revisions that a controller keeps as ReplicaSets, and which one is meant by a name.

use serde_json::Value;

use super::object::{Objects, uid_of};
use crate::cluster::Resource;
use crate::domain::act::{Refusal, VersionMap};
use crate::domain::{Fault, Version};

/// ReplicaSets.
pub const REPLICA_SET: Resource =
    Resource { group: "apps", version: "v1", kind: "ReplicaSet", plural: "replicasets" };
/// Deployments.
pub const DEPLOYMENT: Resource =
    Resource { group: "apps", version: "v1", kind: "Deployment", plural: "deployments" };

/// How a controller marks its ReplicaSets.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    /// The label with the template's hash.
    pub hash: &'static str,
    /// The annotation with the revision's number.
    pub number: &'static str,
}

/// A revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The controller's number; it moves when the revision is rolled back to.
    pub number: Option<u64>,
    /// The template's hash.
    pub hash: String,
    /// The model version that it serves.
    pub version: Option<Version>,
    /// The pod template without the hash label.
    pub template: Value,
    /// When it was made, as the server writes it; orders as text.
    pub created: String,
    /// Pods that it wants, that are ready, that are available.
    pub pods: (u64, u64, u64),
}

impl Found {
    /// The name on screen.
    pub fn name(&self) -> String {
        match (&self.version, self.number) {
            (Some(version), _) => version.to_string(),
            (None, Some(number)) => format!("rev {number} ({})", self.hash),
            (None, None) => self.hash.clone(),
        }
    }

    /// All its names but the registry's.
    pub fn names(&self) -> VersionMap {
        VersionMap {
            name: self.name(),
            revision: self.number,
            hash: self.hash.clone(),
            registry: String::new(),
        }
    }

    fn long_name(&self) -> String {
        match self.number {
            Some(number) => format!("rev {number} ({})", self.hash),
            None => self.hash.clone(),
        }
    }
}

/// The revisions of an object, the newest first.
///
/// # Errors
/// What is wrong with the server.
pub async fn of_owner(
    objects: &Objects,
    namespace: &str,
    selector: &str,
    owner: &Value,
    marks: Marks,
    version_from: &str,
) -> Result<Vec<Found>, Fault> {
    let sets = objects.list(&REPLICA_SET, namespace, selector).await?;
    Ok(read(&sets, uid_of(owner), marks, version_from))
}

fn read(sets: &[Value], owner: &str, marks: Marks, version_from: &str) -> Vec<Found> {
    let owned = sets.iter().filter(|set| {
        let owners = set.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        owners.into_iter().flatten().any(|reference| {
            reference.get("uid").and_then(Value::as_str) == Some(owner)
                && reference.get("controller").and_then(Value::as_bool) == Some(true)
        })
    });
    let mut found: Vec<Found> = owned.filter_map(|set| one(set, marks, version_from)).collect();
    found.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    found
}

fn one(set: &Value, marks: Marks, version_from: &str) -> Option<Found> {
    let meta = set.get("metadata")?;
    let hash = meta.get("labels")?.get(marks.hash)?.as_str()?.to_owned();
    let number = meta.get("annotations").and_then(|all| all.get(marks.number)).and_then(Value::as_str);
    let mut template = set.pointer("/spec/template")?.clone();
    if let Some(Value::Object(labels)) = template.pointer_mut("/metadata/labels") {
        labels.remove(marks.hash);
    }
    let count = |pointer: &str| set.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    Some(Found {
        number: number.and_then(|number| number.parse().ok()),
        hash,
        version: version(&template, version_from),
        created: meta.get("creationTimestamp").and_then(Value::as_str).unwrap_or_default().into(),
        pods: (count("/spec/replicas"), count("/status/readyReplicas"), count("/status/availableReplicas")),
        template,
    })
}

/// The model version that a pod template serves, by the cluster's `version_from`.
pub fn version(template: &Value, version_from: &str) -> Option<Version> {
    let meta = |kind: &str, key: &str| template.get("metadata")?.get(kind)?.get(key)?.as_str();
    let containers = template.pointer("/spec/containers").and_then(Value::as_array);
    let mut containers = containers.into_iter().flatten();
    let text = match version_from.split_once(':') {
        Some(("label", key)) => meta("labels", key),
        Some(("annotation", key)) => meta("annotations", key),
        Some(("env", name)) => containers.find_map(|container| {
            let all = container.get("env")?.as_array()?;
            let entry = all.iter().find(|entry| entry.get("name").and_then(Value::as_str) == Some(name))?;
            entry.get("value")?.as_str()
        }),
        _ if version_from == "image-tag" => containers.find_map(|container| {
            let image = container.get("image")?.as_str()?.split('@').next()?;
            let (before, tag) = image.rsplit_once(':')?;
            // The colon of a registry's port is before the last slash.
            (!tag.contains('/') && !before.is_empty()).then_some(tag)
        }),
        _ => meta("labels", "app.kubernetes.io/version").or_else(|| meta("labels", "version")),
    };
    text.filter(|text| !text.is_empty()).map(Version::new)
}

/// The one revision that is meant by a name: a version, a hash, `rev 7`, `rev 7 (6f7d)`.
///
/// # Errors
/// None or several are; never is one guessed.
pub fn choose<'a>(found: &'a [Found], wanted: &Version) -> Result<&'a Found, Refusal> {
    let wanted = wanted.as_str();
    let exact = |revision: &&Found| {
        revision.hash == wanted
            || revision.long_name() == wanted
            || revision.number.is_some_and(|number| format!("rev {number}") == wanted)
    };
    if let Some(revision) = found.iter().find(exact) {
        return Ok(revision);
    }
    let named =
        |revision: &&Found| revision.version.as_ref().is_some_and(|version| version.0.as_ref() == wanted);
    let matching: Vec<&Found> = found.iter().filter(named).collect();
    let list = |all: &[&Found]| {
        let names = all.iter().map(|revision| match &revision.version {
            Some(version) => format!("{version} = {}", revision.long_name()),
            None => revision.long_name(),
        });
        names.collect::<Vec<_>>().join(", ")
    };
    match matching[..] {
        [one] => Ok(one),
        [] if found.is_empty() => Err(Refusal::new(
            "the controller keeps no revision to go back to",
            "apply the version's manifest again; revisionHistoryLimit keeps more",
        )),
        [] => {
            let all: Vec<&Found> = found.iter().collect();
            Err(Refusal::new(
                format!("no kept revision is called {wanted}"),
                format!("there are: {}", list(&all)),
            ))
        }
        _ => Err(Refusal::new(
            format!("{} revisions are called {wanted}: {}", matching.len(), list(&matching)),
            "name the hash",
        )),
    }
}

/// A label selector of an object's spec as a query.
pub fn selector(spec: &Value) -> String {
    let mut parts = Vec::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (key, value) in spec.get("matchLabels").and_then(Value::as_object).into_iter().flatten() {
        parts.push(format!("{key}={}", text(value)));
    }
    for rule in spec.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let key = rule.get("key").map(text).unwrap_or_default();
        let values = rule.get("values").and_then(Value::as_array).into_iter().flatten().map(text);
        let values = values.collect::<Vec<_>>().join(",");
        match rule.get("operator").and_then(Value::as_str) {
            Some("In") => parts.push(format!("{key} in ({values})")),
            Some("NotIn") => parts.push(format!("{key} notin ({values})")),
            Some("Exists") => parts.push(key),
            Some("DoesNotExist") => parts.push(format!("!{key}")),
            _ => {}
        }
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MARKS: Marks = Marks { hash: "pod-template-hash", number: "deployment.kubernetes.io/revision" };

    fn set(number: &str, hash: &str, version: &str, owner: &str) -> Value {
        json!({
            "metadata": {
                "labels": {"pod-template-hash": hash},
                "annotations": {"deployment.kubernetes.io/revision": number},
                "creationTimestamp": "2026-11-20T10:00:00Z",
                "ownerReferences": [{"uid": owner, "controller": true}],
            },
            "spec": {"replicas": 2, "template": {
                "metadata": {"labels": {"pod-template-hash": hash, "version": version}},
                "spec": {"containers": [{"image": "reg:5000/m:1.2@sha256:0", "env": [{"name": "V", "value": "9"}]}]},
            }},
            "status": {"readyReplicas": 1},
        })
    }

    #[test]
    fn a_revision_is_named_never_guessed() {
        let sets = [
            set("1", "a", "v1", "me"),
            set("12", "b", "v2", "me"),
            set("9", "c", "v2", "me"),
            set("3", "d", "v3", "you"),
        ];
        let found = read(&sets, "me", MARKS, "");
        let numbers: Vec<_> = found.iter().map(|revision| revision.number).collect();
        assert_eq!(numbers, [Some(12), Some(9), Some(1)], "by number, and only its own");
        assert!(found[0].template.pointer("/metadata/labels/pod-template-hash").is_none());
        let of = |name: &str| choose(&found, &Version::new(name)).map(|revision| revision.hash.as_str());
        assert_eq!(of("v1").unwrap(), "a");
        for name in ["b", "rev 12", "rev 12 (b)"] {
            assert_eq!(of(name).unwrap(), "b");
        }
        assert_eq!(of("v2").unwrap_err().instead, "name the hash");
        let unknown = of("v3").unwrap_err();
        assert_eq!(unknown.instead, "there are: v2 = rev 12 (b), v2 = rev 9 (c), v1 = rev 1 (a)");
        assert!(choose(&[], &Version::new("v1")).unwrap_err().why.contains("keeps no revision"));
    }

    #[test]
    fn the_version_stands_where_the_config_says() {
        let template = &set("1", "a", "v1", "me")["spec"]["template"];
        let of = |from: &str| version(template, from).map(|version| version.to_string());
        assert_eq!(of("").as_deref(), Some("v1"));
        assert_eq!(of("label:version").as_deref(), Some("v1"));
        assert_eq!(of("env:V").as_deref(), Some("9"));
        assert_eq!(of("image-tag").as_deref(), Some("1.2"));
        assert_eq!(of("annotation:none"), None);
        let untagged = json!({"spec": {"containers": [{"image": "reg:5000/m"}]}});
        assert_eq!(version(&untagged, "image-tag"), None, "a port is no tag");
    }

    #[test]
    fn selectors_are_written_as_queries() {
        let spec = json!({"matchLabels": {"app": "m"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"}]});
        assert_eq!(selector(&spec), "app=m,tier in (a,b),!old");
    }
}
