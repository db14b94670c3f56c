//! The HorizontalPodAutoscaler that scales an object.

use serde_json::Value;

use super::{Around, Resource, look};
use crate::domain::text::clean;

/// Where autoscalers live.
pub const AUTOSCALERS: Resource = Resource {
    group: "autoscaling",
    version: "v2",
    kind: "HorizontalPodAutoscaler",
    plural: "horizontalpodautoscalers",
};

/// The autoscaler that targets this object, in words: `HPA 2–10, now 4`. Empty when there is none.
pub fn words(kind: &str, object: &Value, around: &Around) -> String {
    let (namespace, name) = (look::namespace(object), look::name(object));
    let mut all = around.of(AUTOSCALERS.plural, namespace);
    let Some(found) = all.find(|found| {
        look::text(found, "/spec/scaleTargetRef/kind") == kind
            && look::text(found, "/spec/scaleTargetRef/name") == name
    }) else {
        return String::new();
    };
    let least = look::count(found, "/spec/minReplicas").unwrap_or(1);
    let most = look::count(found, "/spec/maxReplicas").map_or_else(|| "?".into(), |most| most.to_string());
    let now =
        look::count(found, "/status/currentReplicas").map_or_else(String::new, |now| format!(", now {now}"));
    clean(&format!("HPA {least}–{most}{now}"), 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_one_that_targets_it() {
        let mut around = Around::default();
        let hpa = |kind: &str, status: Value| json!({"spec": {"minReplicas": 2, "maxReplicas": 10, "scaleTargetRef": {"kind": kind, "name": "als"}}, "status": status});
        around.put(AUTOSCALERS.plural, "ml", "a", hpa("Deployment", json!({})).into());
        around.put(AUTOSCALERS.plural, "ml", "b", hpa("Rollout", json!({"currentReplicas": 4})).into());
        around.put(AUTOSCALERS.plural, "other", "c", hpa("Rollout", json!({"currentReplicas": 9})).into());
        let object = json!({"metadata": {"namespace": "ml", "name": "als"}});
        assert_eq!(words("Rollout", &object, &around), "HPA 2–10, now 4");
        assert_eq!(words("Deployment", &object, &around), "HPA 2–10");
        assert_eq!(words("StatefulSet", &object, &around), "");
    }
}
