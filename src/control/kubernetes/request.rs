//! Makes the requests of a plan: the body with its pins, the permission, the dry run, and what is needed to send it
//! again from a journal.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::dry;
use super::object::{JSON, MERGE, Objects, Place, uid_of, version_of};
use crate::domain::act::{Hand, Known, May, Request};

/// Key of [`Request::keep`]: the path of the object.
pub(super) const OBJECT: &str = "object";
/// Key of [`Request::keep`]: the facts that must hold just before it is sent.
pub(super) const FACTS: &str = "facts";
/// Key of [`Request::keep`]: the facts that tell its effect.
pub(super) const EFFECT: &str = "effect";
/// Key of [`Request::keep`]: whether it may go without the `resourceVersion` when that changes all the time.
pub(super) const URGENT: &str = "urgent";

/// One patch that is to become a request.
#[derive(Debug, Clone)]
pub struct Patch {
    /// The object.
    pub place: Place,
    /// Empty, `status` or `scale`.
    pub part: &'static str,
    /// What it does, in a few words.
    pub words: String,
    /// A merge patch (an object) or a JSON patch (a list), without pins.
    pub body: Value,
    /// What must hold just before it is sent; the `uid` is added.
    pub facts: Vec<Known>,
    /// What tells its effect, for a request whose outcome is unknown.
    pub effect: Vec<Known>,
    /// What must be seen before, in words; empty: nothing.
    pub after: String,
    /// How long to wait for that, seconds.
    pub wait_s: f64,
    /// Whether the act goes on when it fails.
    pub optional: bool,
    /// Whether it may go without the `resourceVersion`, never without the `uid`, when that changes all the time.
    pub urgent: bool,
    /// Whether a dry run now says what it would do later.
    pub stands_alone: bool,
}

impl Patch {
    /// A patch that waits for nothing and stands alone.
    pub fn new(place: &Place, part: &'static str, words: impl Into<String>, body: Value) -> Self {
        Self {
            place: place.clone(),
            part,
            words: words.into(),
            body,
            facts: Vec::new(),
            effect: Vec::new(),
            after: String::new(),
            wait_s: 0.0,
            optional: false,
            urgent: false,
            stands_alone: true,
        }
    }

    /// With what must hold just before it is sent.
    pub fn resting_on(mut self, facts: Vec<Known>) -> Self {
        self.facts = facts;
        self
    }

    /// With what tells its effect.
    pub fn telling(mut self, effect: &[(&str, Value)]) -> Self {
        self.effect =
            effect.iter().map(|(name, value)| Known { name: (*name).into(), value: value.clone() }).collect();
        self
    }

    /// With what must be seen before; what it would do cannot be tried now.
    pub fn after(mut self, words: impl Into<String>, wait_s: f64) -> Self {
        self.after = words.into();
        self.wait_s = wait_s;
        self.stands_alone = false;
        self
    }

    /// The act goes on without it.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The request: pinned to the live object, with the server's word on permission and effect.
    pub async fn request(mut self, objects: &Objects, live: &Value) -> Request {
        let uid = Known { name: "metadata.uid".into(), value: uid_of(live).into() };
        self.facts.retain(|known| known.name != uid.name);
        self.facts.insert(0, uid);
        let may = objects.may("patch", &self.place, self.part).await;
        let path = self.place.patch_path(self.part);
        let kind = if self.body.is_array() { JSON } else { MERGE };
        let dry_run = match may {
            May::No(_) => None,
            _ if !self.stands_alone => None,
            _ => {
                // Without the resourceVersion: a change of status in between is no news.
                let body = pinned(&self.body, uid_of(live), None);
                let would = objects.dry_run(&path, kind, &body).await;
                Some(would.map(|would| dry::difference(live, &would)).map_err(|fault| fault.to_string()))
            }
        };
        let body = pinned(&self.body, uid_of(live), version_of(live));
        let keep = BTreeMap::from([
            (OBJECT.to_owned(), json!(self.place.path())),
            (FACTS.to_owned(), serde_json::to_value(&self.facts).unwrap_or_default()),
            (EFFECT.to_owned(), serde_json::to_value(&self.effect).unwrap_or_default()),
            (URGENT.to_owned(), json!(self.urgent)),
        ]);
        Request {
            hand: Hand::Controller,
            words: self.words,
            verb: "PATCH".into(),
            path,
            content_type: kind.into(),
            body,
            may,
            dry_run,
            after: self.after,
            wait_s: self.wait_s,
            optional: self.optional,
            keep,
        }
    }
}

const UID_PATH: &str = "/metadata/uid";
const VERSION_PATH: &str = "/metadata/resourceVersion";

/// A body with its pins, fresh ones in the place of older ones. The `uid` of a merge patch is looked at only by the
/// main endpoint; under `/status` it is ignored and the `resourceVersion` alone pins the object.
pub(super) fn pinned(body: &Value, uid: &str, version: Option<&str>) -> Value {
    let mut body = body.clone();
    if let Value::Array(operations) = &mut body {
        operations.retain(|operation| {
            let path = operation.get("path").and_then(Value::as_str);
            path != Some(UID_PATH) && path != Some(VERSION_PATH)
        });
        if let Some(version) = version {
            operations.insert(0, json!({"op": "test", "path": VERSION_PATH, "value": version}));
        }
        operations.insert(0, json!({"op": "test", "path": UID_PATH, "value": uid}));
        return body;
    }
    let mut meta = body.get("metadata").cloned().unwrap_or_else(|| json!({}));
    if let Value::Object(meta) = &mut meta {
        meta.insert("uid".into(), json!(uid));
        match version {
            Some(version) => meta.insert("resourceVersion".into(), json!(version)),
            None => meta.remove("resourceVersion"),
        };
    }
    if let Value::Object(whole) = &mut body {
        whole.insert("metadata".into(), meta);
    }
    body
}

/// A merge patch of plain values as a JSON patch, which can test the `uid` everywhere.
pub(super) fn as_json_patch(body: &Value, uid: &str) -> Value {
    let mut operations = Vec::new();
    let sections = body.as_object().into_iter().flatten().filter(|(key, _)| *key != "metadata");
    for (section, fields) in sections {
        for (field, value) in fields.as_object().into_iter().flatten() {
            // `add` sets a field that is there as well; removing one that is absent would fail.
            operations.push(json!({"op": "add", "path": format!("/{section}/{field}"), "value": value}));
        }
    }
    pinned(&Value::Array(operations), uid, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_renewed_and_not_repeated() {
        let merge = json!({"status": {"abort": true}});
        let first = pinned(&merge, "u", Some("1"));
        assert_eq!(
            first,
            json!({"metadata": {"uid": "u", "resourceVersion": "1"}, "status": {"abort": true}})
        );
        assert_eq!(pinned(&first, "u", Some("2"))["metadata"]["resourceVersion"], "2");
        assert_eq!(pinned(&first, "u", None)["metadata"], json!({"uid": "u"}));

        let patch = json!([{"op": "replace", "path": "/spec/template", "value": {}}]);
        let first = pinned(&patch, "u", Some("1"));
        let again = pinned(&first, "u", Some("2"));
        assert_eq!(again.as_array().unwrap().len(), 3);
        assert_eq!(again[0], json!({"op": "test", "path": "/metadata/uid", "value": "u"}));
        assert_eq!(again[1], json!({"op": "test", "path": "/metadata/resourceVersion", "value": "2"}));
    }

    #[test]
    fn annotations_of_a_merge_patch_stay_beside_the_pins() {
        let body = json!({"metadata": {"annotations": {"a": "b"}}});
        let done = pinned(&body, "u", Some("1"));
        assert_eq!(done["metadata"], json!({"annotations": {"a": "b"}, "uid": "u", "resourceVersion": "1"}));
    }

    #[test]
    fn an_urgent_merge_becomes_a_patch_that_tests_the_uid() {
        let body = pinned(&json!({"status": {"abort": true, "promoteFull": false}}), "u", Some("1"));
        assert_eq!(
            as_json_patch(&body, "u"),
            json!([
                {"op": "test", "path": "/metadata/uid", "value": "u"},
                {"op": "add", "path": "/status/abort", "value": true},
                {"op": "add", "path": "/status/promoteFull", "value": false},
            ])
        );
    }
}
