//! What a dry run would change, in few words.

use serde_json::Value;

use super::facts::word;

/// More differences than this are counted, not told.
const TOLD: usize = 6;
/// What every write changes.
const BOOKKEEPING: [&str; 3] =
    ["/metadata/managedFields", "/metadata/resourceVersion", "/metadata/generation"];

/// The difference between the live object and what the server would make of it.
pub fn difference(live: &Value, would: &Value) -> String {
    let mut found = Vec::new();
    walk("", live, would, &mut found);
    if found.is_empty() {
        return "would change nothing".into();
    }
    let told = found.iter().take(TOLD).cloned().collect::<Vec<_>>().join("; ");
    match found.len().saturating_sub(TOLD) {
        0 => format!("would change: {told}"),
        more => format!("would change: {told}; and {more} more"),
    }
}

fn walk(path: &str, live: &Value, would: &Value, found: &mut Vec<String>) {
    if live == would || BOOKKEEPING.contains(&path) {
        return;
    }
    match (live, would) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                walk(&format!("{path}/{key}"), value, b.get(key).unwrap_or(&Value::Null), found);
            }
            for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                walk(&format!("{path}/{key}"), &Value::Null, value, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                walk(&format!("{path}/{index}"), a, b, found);
            }
        }
        _ => found.push(format!(
            "{} {} → {}",
            path.trim_start_matches('/').replace('/', "."),
            word(live),
            word(would)
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_matters_is_told() {
        let live = json!({"metadata": {"resourceVersion": "1", "generation": 3}, "spec": {"paused": true},
                          "status": {"pauseConditions": [{"reason": "CanaryPauseStep"}]}});
        let mut would = live.clone();
        would["metadata"] = json!({"resourceVersion": "2", "generation": 4});
        assert_eq!(difference(&live, &would), "would change nothing");
        would["spec"]["paused"] = json!(false);
        assert_eq!(difference(&live, &would), "would change: spec.paused true → false");
        would = json!({"spec": {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7}});
        assert!(difference(&json!({"spec": {}}), &would).ends_with("; and 1 more"));
    }
}
