//! The facts a plan rests on: read from the live object, compared before every request.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::domain::act::Known;

/// The fact that stands for a whole pod template: a short hash of it.
pub const TEMPLATE: &str = "spec.template (sha256)";

/// The fact of this name in an object. A name is a path with dots, `status.currentStepIndex`, or a JSON pointer,
/// which starts with a slash. What is absent is null.
pub fn read(object: &Value, name: &str) -> Value {
    if name == TEMPLATE {
        return object.pointer("/spec/template").map_or(Value::Null, |template| digest(template).into());
    }
    let pointer =
        if name.starts_with('/') { name.to_owned() } else { format!("/{}", name.replace('.', "/")) };
    object.pointer(&pointer).cloned().unwrap_or(Value::Null)
}

/// Twelve characters of the SHA-256 of a value, the same whatever the order of its keys.
pub fn digest(value: &Value) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    let hash = Sha256::digest(sorted.to_string().as_bytes());
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// The facts of these names.
pub fn gather(object: &Value, names: &[&str]) -> Vec<Known> {
    names.iter().map(|name| Known { name: (*name).into(), value: read(object, name) }).collect()
}

/// The difference between facts and the live object in words; `None` when they are the same.
pub fn compare(facts: &[Known], live: &Value) -> Option<String> {
    let changed: Vec<String> = facts
        .iter()
        .filter_map(|known| {
            let now = read(live, &known.name);
            if same(&known.value, &now) {
                return None;
            }
            Some(match known.name.as_str() {
                "metadata.uid" => "the object was deleted and made again".into(),
                name => format!("{name} was {}, is {}", word(&known.value), word(&now)),
            })
        })
        .collect();
    (!changed.is_empty()).then(|| changed.join("; "))
}

/// An absent flag and a false one, an absent list and an empty one are the same fact.
fn same(a: &Value, b: &Value) -> bool {
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    a == b || (empty(a) && empty(b))
}

/// A value in few characters.
pub fn word(value: &Value) -> String {
    let text = match value {
        Value::Null => "absent".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    crate::domain::text::clean(&text, 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_is_said_in_words() {
        let then = json!({"metadata": {"uid": "a"}, "spec": {}, "status": {"currentStepIndex": 1}});
        let facts =
            gather(&then, &["metadata.uid", "status.currentStepIndex", "spec.paused", "status.abort"]);
        assert_eq!(compare(&facts, &then), None);
        let mut now = then.clone();
        now["spec"]["paused"] = json!(false);
        assert_eq!(compare(&facts, &now), None, "false is as good as absent");
        now["status"]["currentStepIndex"] = json!(2);
        now["spec"]["paused"] = json!(true);
        assert_eq!(
            compare(&facts, &now).unwrap(),
            "status.currentStepIndex was 1, is 2; spec.paused was absent, is true"
        );
        now = then.clone();
        now["metadata"]["uid"] = json!("b");
        assert_eq!(compare(&facts, &now).unwrap(), "the object was deleted and made again");
    }

    #[test]
    fn keys_with_dots_are_named_by_pointers() {
        let object = json!({"metadata": {"annotations": {"rollout.argoproj.io/revision": "7"}}});
        assert_eq!(read(&object, "/metadata/annotations/rollout.argoproj.io~1revision"), json!("7"));
    }
}
