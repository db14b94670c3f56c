//! Whether a namespace is marked production: a drill breaks things on purpose, so it asks before it touches anything.

use serde_json::Value;

/// Words that mean it, as a value or as a part of a name.
const WORDS: [&str; 3] = ["production", "prod", "prd"];

fn means_it(text: &str) -> bool {
    text.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).any(|word| WORDS.contains(&word))
}

/// `non-production`, `not prod`, `pre-prod`: the word is there, and the opposite is meant.
fn denies_it(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let before = ["non", "not", "no", "pre"];
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    words.windows(2).any(|pair| before.contains(&pair[0]) && WORDS.contains(&pair[1]))
        || ["nonprod", "preprod", "nonproduction", "preproduction"].iter().any(|word| words.contains(word))
}

/// The mark by which a namespace object calls itself production, in words; `None` without one.
pub(super) fn marked(namespace: &Value) -> Option<String> {
    let name = namespace["metadata"]["name"].as_str().unwrap_or_default();
    if means_it(name) && !denies_it(name) {
        return Some(format!("its name is {name}"));
    }
    for kind in ["labels", "annotations"] {
        let marks = namespace["metadata"][kind].as_object();
        for (key, value) in marks.into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            // What a server writes of its own says nothing: the name again, the last applied manifest.
            if key == "kubernetes.io/metadata.name" || key.starts_with("kubectl.kubernetes.io/") {
                continue;
            }
            let by_key = means_it(key) && !denies_it(key) && !["false", "no", "0"].contains(&value);
            // A long text may mention it; a mark is short.
            let by_value = value.len() <= 40 && means_it(value) && !denies_it(value);
            if by_key || by_value {
                return Some(format!("the {} {key}={value}", &kind[..kind.len() - 1]));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(name: &str, labels: Value, annotations: Value) -> Option<String> {
        marked(&json!({"metadata": {"name": name, "labels": labels, "annotations": annotations}}))
    }

    #[test]
    fn marks_of_production_are_found_wherever_they_stand() {
        for (name, labels, annotations) in [
            ("prod-eu", json!({}), json!({})),
            ("ml", json!({"environment": "production"}), json!({})),
            ("ml", json!({"env": "PROD"}), json!({})),
            ("ml", json!({}), json!({"example.org/production": "true"})),
            ("ml", json!({"tier": "prod-critical"}), json!(null)),
        ] {
            assert!(of(name, labels.clone(), annotations.clone()).is_some(), "{name} {labels} {annotations}");
        }
    }

    #[test]
    fn other_namespaces_are_not_taken_for_it() {
        for (name, labels) in [
            ("drills", json!({"environment": "staging"})),
            ("products", json!({"team": "reproduction"})),
            ("ml", json!({"production": "false"})),
            ("ml-nonprod", json!({"environment": "non-production"})),
            ("ml", json!(null)),
        ] {
            assert_eq!(of(name, labels.clone(), json!({})), None, "{name} {labels}");
        }
    }
}
