//! The revisions that a controller keeps as ReplicaSets, by their owner.

use std::collections::HashSet;

use serde_json::Value;

use super::{Around, Naming, Resource, look};
use crate::domain::text::clean_name;
use crate::domain::{Revision, Version};

/// Where ReplicaSets live.
pub const REPLICA_SETS: Resource =
    Resource { group: "apps", version: "v1", kind: "ReplicaSet", plural: "replicasets" };

/// How a controller marks its ReplicaSets.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    /// The label with the template's hash.
    pub hash: &'static str,
    /// The annotation with the revision's number.
    pub number: &'static str,
}

/// Argo Rollouts' marks.
pub const ARGO: Marks = Marks { hash: "rollouts-pod-template-hash", number: "rollout.argoproj.io/revision" };

/// The Deployment controller's marks.
pub const DEPLOYMENT: Marks =
    Marks { hash: "pod-template-hash", number: "deployment.kubernetes.io/revision" };

/// A ReplicaSet's hash.
pub fn hash(set: &Value, marks: Marks) -> &str {
    look::label(set, marks.hash).unwrap_or_default()
}

/// A ReplicaSet's number.
pub fn number(set: &Value, marks: Marks) -> Option<u64> {
    look::annotation(set, marks.number)?.parse().ok()
}

/// The ReplicaSets that an object controls, the newest revision first.
pub fn sets<'a>(object: &'a Value, around: &'a Around, marks: Marks) -> Vec<&'a Value> {
    let uid = look::text(object, "/metadata/uid");
    let mut sets: Vec<&Value> = around.owned_by(REPLICA_SETS.plural, look::namespace(object), uid).collect();
    sets.sort_by_key(|set| {
        (
            std::cmp::Reverse(number(set, marks)),
            std::cmp::Reverse(look::moment(set, "/metadata/creationTimestamp")),
        )
    });
    sets
}

/// ReplicaSets as revisions. `stable` and `canary` are hashes. A version that several revisions carry names only one
/// of them (the stable one, else the newest): an act on a name must mean one revision.
pub fn of(sets: &[&Value], marks: Marks, naming: &Naming, stable: &str, canary: &str) -> Vec<Revision> {
    let mut revisions: Vec<Revision> = sets
        .iter()
        .map(|set| {
            let hash = hash(set, marks);
            Revision {
                number: number(set, marks),
                hash: clean_name(hash),
                version: set
                    .pointer("/spec/template")
                    .and_then(|template| look::version(template, &naming.version_from)),
                images: images(set.pointer("/spec/template").unwrap_or(&Value::Null)),
                created: look::moment(set, "/metadata/creationTimestamp"),
                is_stable: !hash.is_empty() && hash == stable,
                is_canary: !hash.is_empty() && hash == canary && canary != stable,
                pods: (
                    look::count(set, "/status/readyReplicas").unwrap_or(0),
                    look::count(set, "/spec/replicas").unwrap_or(0),
                ),
                known_bad: String::new(),
            }
        })
        .collect();
    let mut taken: HashSet<Version> = HashSet::new();
    taken.extend(
        revisions
            .iter()
            .filter(|revision| revision.is_stable)
            .filter_map(|revision| revision.version.clone()),
    );
    for revision in revisions.iter_mut().filter(|revision| !revision.is_stable) {
        if revision.version.as_ref().is_some_and(|version| !taken.insert(version.clone())) {
            revision.version = None;
        }
    }
    revisions
}

/// The name on screen of the revision with this hash; the hash itself when there is no such ReplicaSet.
pub fn name_of(revisions: &[Revision], hash: &str) -> Version {
    let found = revisions.iter().find(|revision| revision.hash == hash);
    Version::new(&found.map_or_else(|| hash.to_owned(), Revision::name))
}

/// The images of a template without their registries.
fn images(template: &Value) -> Vec<String> {
    look::list(template, "/spec/containers")
        .iter()
        .map(|container| look::text(container, "/image"))
        .filter(|image| !image.is_empty())
        .map(|image| clean_name(image.rsplit('/').next().unwrap_or(image)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(number: u64, hash: &str, version: &str) -> Value {
        json!({"metadata": {"labels": {"pod-template-hash": hash}, "annotations": {"deployment.kubernetes.io/revision": number.to_string()}},
            "spec": {"replicas": 2, "template": {"metadata": {"labels": {"version": version}},
                "spec": {"containers": [{"image": "r.test:5000/ml/als:9"}]}}}, "status": {"readyReplicas": 1}})
    }

    #[test]
    fn a_name_means_one_revision() {
        let all = [set(4, "d", "v2"), set(3, "c", "v2"), set(2, "b", "v1"), set(1, "a", "v1")];
        let all: Vec<&Value> = all.iter().collect();
        let revisions = of(&all, DEPLOYMENT, &Naming::default(), "a", "d");
        let names: Vec<String> = revisions.iter().map(Revision::name).collect();
        assert_eq!(names, ["v2", "rev 3 (c)", "rev 2 (b)", "v1"]);
        assert!(revisions[0].is_canary && revisions[3].is_stable);
        assert_eq!((revisions[0].pods, revisions[0].images[0].as_str()), ((1, 2), "als:9"));
        assert_eq!(name_of(&revisions, "c").as_str(), "rev 3 (c)");
        assert_eq!(name_of(&revisions, "zz").as_str(), "zz");
    }
}
