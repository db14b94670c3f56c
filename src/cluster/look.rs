//! Small looks into objects of the API server that other people wrote: what is missing or odd is none, never a fault.

use serde_json::Value;

use crate::domain::text::clean;
use crate::domain::{Condition, Level, Time, Version};

/// The text at a JSON pointer, empty when there is none.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The number at a JSON pointer.
pub(super) fn number(object: &Value, pointer: &str) -> Option<f64> {
    object.pointer(pointer).and_then(Value::as_f64).filter(|number| number.is_finite())
}

/// The count at a JSON pointer, none when negative or missing.
pub(super) fn count(object: &Value, pointer: &str) -> Option<u32> {
    u32::try_from(object.pointer(pointer)?.as_u64()?).ok()
}

/// Whether the flag at a JSON pointer is set.
pub(super) fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// The members of the list at a JSON pointer.
pub(super) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The moment at a JSON pointer.
pub(super) fn moment(object: &Value, pointer: &str) -> Option<Time> {
    let text = text(object, pointer);
    Some(chrono::DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&chrono::Utc))
}

/// The object's name.
pub(super) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// The object's namespace.
pub(super) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// The label of this name.
pub(super) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str().filter(|value| !value.is_empty())
}

/// The annotation of this name.
pub(super) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(key)?.as_str().filter(|value| !value.is_empty())
}

/// The condition of this type: status, reason and message.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let found = list(object, "/status/conditions").iter().find(|found| text(found, "/type") == kind)?;
    Some((text(found, "/status"), text(found, "/reason"), text(found, "/message")))
}

/// Something to show, cleaned.
pub(super) fn says(level: Level, words: impl AsRef<str>) -> Condition {
    Condition { level, text: clean(words.as_ref(), 300) }
}

/// The model version that stands in labels, annotations or containers of a pod template (or of any object that
/// has `metadata`), by the mapping of the config; without one the usual labels.
pub(super) fn version(template: &Value, from: &str) -> Option<Version> {
    let found = match from.split_once(':') {
        _ if from.is_empty() => {
            label(template, "app.kubernetes.io/version").or_else(|| label(template, "version"))
        }
        Some(("label", key)) => label(template, key),
        Some(("annotation", key)) => annotation(template, key),
        Some(("env", key)) => {
            let containers = list(template, "/spec/containers").iter();
            let mut set = containers.flat_map(|container| list(container, "/env"));
            set.find(|set| text(set, "/name") == key).map(|set| text(set, "/value"))
        }
        _ if from == "image-tag" => {
            list(template, "/spec/containers").iter().find_map(|container| tag(text(container, "/image")))
        }
        _ => None,
    };
    found.filter(|found| !found.is_empty()).map(Version::new)
}

/// The tag of an image; a port is none, a digest neither.
fn tag(image: &str) -> Option<&str> {
    let image = image.split('@').next().unwrap_or_default();
    let (_, last) = image.rsplit_once('/').unwrap_or(("", image));
    last.rsplit_once(':').map(|(_, tag)| tag)
}

/// A weight as it is written on screen: whole without a point.
pub fn percent(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded.fract() == 0.0 { format!("{rounded:.0} %") } else { format!("{rounded:.1} %") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_where_the_config_says() {
        let template = json!({"metadata": {"labels": {"version": "v2", "release": "7"}, "annotations": {"model": "1.3.0"}},
            "spec": {"containers": [{"image": "r.test:5000/als", "env": [{"name": "MODEL", "value": "1.2"}]},
                {"image": "r.test:5000/als:9@sha256:00"}]}});
        let of = |from: &str| version(&template, from).map(|version| version.to_string());
        assert_eq!(of("").as_deref(), Some("v2"));
        assert_eq!(of("label:release").as_deref(), Some("7"));
        assert_eq!(of("annotation:model").as_deref(), Some("1.3.0"));
        assert_eq!(of("env:MODEL").as_deref(), Some("1.2"));
        assert_eq!(of("image-tag").as_deref(), Some("9"));
        assert_eq!(of("label:nobody"), None);
        assert_eq!(version(&json!({}), ""), None);
    }

    #[test]
    fn odd_objects_say_nothing() {
        let odd =
            json!({"metadata": {"labels": 3}, "status": {"conditions": "none", "at": "yesterday", "n": -1}});
        assert_eq!((label(&odd, "a"), condition(&odd, "Ready")), (None, None));
        assert_eq!((moment(&odd, "/status/at"), count(&odd, "/status/n")), (None, None));
        assert!(list(&odd, "/status/conditions").is_empty());
    }

    #[test]
    fn weights_in_words() {
        assert_eq!([25.0, 33.333, 0.0].map(percent), ["25 %", "33.3 %", "0 %"]);
    }
}
