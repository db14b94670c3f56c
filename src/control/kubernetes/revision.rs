//! Revisions that a controller keeps as ReplicaSets, with their templates, and which one is meant by a name.

use serde_json::Value;

use super::object::{Objects, uid_of};
use crate::cluster::revisions::{self, Marks, REPLICA_SETS};
use crate::cluster::{Naming, Resource};
use crate::domain::act::{Refusal, VersionMap};
use crate::domain::{Fault, Rollout, Version};

/// Deployments.
pub const DEPLOYMENT: Resource =
    Resource { group: "apps", version: "v1", kind: "Deployment", plural: "deployments" };

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

/// The ReplicaSets that an object controls.
///
/// # Errors
/// What is wrong with the server.
pub async fn sets_of(
    objects: &Objects,
    namespace: &str,
    selector: &str,
    owner: &Value,
) -> Result<Vec<Value>, Fault> {
    let mut sets = objects.list(&REPLICA_SETS, namespace, selector).await?;
    let uid = uid_of(owner);
    sets.retain(|set| {
        let owners = set.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        owners.into_iter().flatten().any(|reference| {
            reference.get("uid").and_then(Value::as_str) == Some(uid)
                && reference.get("controller").and_then(Value::as_bool) == Some(true)
        })
    });
    Ok(sets)
}

/// ReplicaSets as revisions, the newest first, named as on screen: `stable` and `canary` are hashes.
pub fn read(sets: &[Value], marks: Marks, naming: &Naming, stable: &str, canary: &str) -> Vec<Found> {
    let mut sets: Vec<&Value> = sets.iter().collect();
    sets.sort_by_key(|set| std::cmp::Reverse(revisions::number(set, marks)));
    let named = revisions::of(&sets, marks, naming, stable, canary);
    let found = sets.iter().zip(named).filter_map(|(set, named)| {
        let mut template = set.pointer("/spec/template")?.clone();
        if let Some(Value::Object(labels)) = template.pointer_mut("/metadata/labels") {
            labels.remove(marks.hash);
        }
        let count = |pointer: &str| set.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        let created = set.pointer("/metadata/creationTimestamp").and_then(Value::as_str);
        Some(Found {
            number: named.number,
            hash: named.hash,
            version: named.version,
            created: created.unwrap_or_default().into(),
            pods: (
                count("/spec/replicas"),
                count("/status/readyReplicas"),
                count("/status/availableReplicas"),
            ),
            template,
        })
    });
    found.collect()
}

/// The one revision that is meant by a name: what the operator saw under it, else a version, a hash, `rev 7` or
/// `rev 7 (6f7d)`.
///
/// # Errors
/// None is; never is one guessed.
pub fn choose<'a>(
    found: &'a [Found],
    wanted: &Version,
    seen: Option<&Rollout>,
) -> Result<&'a Found, Refusal> {
    let wanted = wanted.as_str();
    let shown = seen.and_then(|seen| seen.revisions.iter().find(|one| one.name() == wanted));
    if let Some(shown) = shown {
        return found.iter().find(|one| one.hash == shown.hash).ok_or_else(|| {
            Refusal::new(
                format!("{wanted} ({}) is not kept any more", shown.hash),
                format!("there are: {}", list(found)),
            )
        });
    }
    let exact = |one: &&Found| {
        one.hash == wanted
            || one.long_name() == wanted
            || one.number.is_some_and(|number| format!("rev {number}") == wanted)
    };
    // A name stands for one revision only: see `revisions::of`.
    let named = |one: &&Found| one.version.as_ref().is_some_and(|version| version.as_str() == wanted);
    let chosen = found.iter().find(exact).or_else(|| found.iter().find(named));
    chosen.ok_or_else(|| match found {
        [] => Refusal::new(
            "the controller keeps no revision to go back to",
            "apply the version's manifest again; revisionHistoryLimit keeps more",
        ),
        _ => Refusal::new(
            format!("no kept revision is called {wanted}"),
            format!("there are: {}", list(found)),
        ),
    })
}

fn list(found: &[Found]) -> String {
    let names = found.iter().map(|one| match &one.version {
        Some(version) => format!("{version} = {}", one.long_name()),
        None => one.long_name(),
    });
    names.collect::<Vec<_>>().join(", ")
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

    fn set(number: &str, hash: &str, version: &str) -> Value {
        json!({
            "metadata": {
                "labels": {"pod-template-hash": hash},
                "annotations": {"deployment.kubernetes.io/revision": number},
            },
            "spec": {"replicas": 2, "template": {
                "metadata": {"labels": {"pod-template-hash": hash, "version": version}}}},
        })
    }

    #[test]
    fn a_revision_is_named_never_guessed() {
        let sets = [set("1", "a", "v1"), set("12", "b", "v2"), set("9", "c", "v2")];
        let found = read(&sets, revisions::DEPLOYMENT, &Naming::default(), "b", "b");
        let numbers: Vec<_> = found.iter().map(|revision| revision.number).collect();
        assert_eq!(numbers, [Some(12), Some(9), Some(1)]);
        assert!(found[0].template.pointer("/metadata/labels/pod-template-hash").is_none());
        let of = |name: &str| choose(&found, &Version::new(name), None).map(|one| one.hash.as_str());
        assert_eq!(of("v1").unwrap(), "a");
        for name in ["v2", "b", "rev 12", "rev 12 (b)"] {
            assert_eq!(of(name).unwrap(), "b", "the stable one has the name");
        }
        assert_eq!(of("rev 9 (c)").unwrap(), "c");
        let unknown = of("v3").unwrap_err();
        assert_eq!(unknown.instead, "there are: v2 = rev 12 (b), rev 9 (c), v1 = rev 1 (a)");
        assert!(choose(&[], &Version::new("v1"), None).unwrap_err().why.contains("keeps no revision"));
    }

    #[test]
    fn what_the_operator_saw_counts() {
        let sets = [set("1", "a", "v1"), set("2", "b", "v2"), set("3", "c", "v2")];
        let mut seen = Rollout::of("deployment", Version::new("v2"));
        let all: Vec<&Value> = sets[..2].iter().collect();
        seen.revisions = revisions::of(&all, revisions::DEPLOYMENT, &Naming::default(), "b", "b");
        // Since then another revision took the name.
        let found = read(&sets, revisions::DEPLOYMENT, &Naming::default(), "c", "c");
        let of = |seen: Option<&Rollout>| choose(&found, &Version::new("v2"), seen).unwrap().hash.clone();
        assert_eq!((of(Some(&seen)).as_str(), of(None).as_str()), ("b", "c"));
        let later = read(&sets[2..], revisions::DEPLOYMENT, &Naming::default(), "c", "c");
        let gone = choose(&later, &Version::new("v2"), Some(&seen)).unwrap_err();
        assert!(gone.why.contains("not kept any more"), "{gone}");
    }

    #[test]
    fn selectors_are_written_as_queries() {
        let spec = json!({"matchLabels": {"app": "m"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"}]});
        assert_eq!(selector(&spec), "app=m,tier in (a,b),!old");
    }
}
