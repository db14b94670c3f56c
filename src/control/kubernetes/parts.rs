//! Parts that the plans of several kinds share.

use serde_json::{Value, json};

use super::object::{FIELD_MANAGER, Place};
use super::request::Patch;
use super::revision::Found;
use crate::control::{Ask, Finding, Seen};
use crate::domain::act::{CheckPlan, Plan};
use crate::domain::text;

/// Our annotation: who acted last, and why. The controllers themselves remember neither.
const LAST_ACT: &str = "wardroom/last-act";
/// How long a GitOps controller is given to put a template back: three times the usual delay of self-heal, seconds.
const GITOPS_S: i64 = 15;

/// A check of a plan.
pub fn check(id: &str, words: &str, needed: bool, within_s: f64) -> CheckPlan {
    CheckPlan { id: id.into(), words: words.into(), needed, within_s }
}

/// What a check sees: it holds, or not yet.
pub fn finding(id: &str, holds: bool, detail: &str) -> Finding {
    let seen = if holds { Seen::Yes } else { Seen::NotYet };
    Finding { id: id.into(), seen, detail: text::clean(detail, 300) }
}

/// Who, what, when and why in one line.
fn why(ask: &Ask, verb: &str) -> String {
    let at = ask.now.format("%Y-%m-%dT%H:%M:%SZ");
    let who = if ask.who.is_empty() { "wardroom" } else { &ask.who };
    let reason = if ask.reason.is_empty() { String::new() } else { format!(": {}", ask.reason) };
    text::clean(&format!("{verb} by {who} at {at}{reason}"), 500)
}

/// An optional annotation with who and why. It changes metadata only.
pub fn note(place: &Place, ask: &Ask, verb: &str) -> Patch {
    let text = why(ask, verb);
    let body = json!({"metadata": {"annotations": {LAST_ACT: text}}});
    Patch::new(place, "", "note who and why", body)
        .telling(&[(&format!("/metadata/annotations/{}", escape(LAST_ACT)), text.into())])
        .optional()
}

/// Replaces the pod template by a revision's, whole: a merge cannot take away what the bad version added. Who and why
/// stand in an annotation, ours or the one that `kubectl rollout history` shows.
pub fn template_patch(place: &Place, live: &Value, ask: &Ask, target: &Found, ours: bool) -> Patch {
    let key = if ours { LAST_ACT } else { "kubernetes.io/change-cause" };
    let text = why(ask, &format!("rollback to {}", target.name()));
    let mut operations = vec![json!({"op": "replace", "path": "/spec/template", "value": target.template})];
    if live.pointer("/metadata/annotations").is_some() {
        let path = format!("/metadata/annotations/{}", escape(key));
        operations.push(json!({"op": "add", "path": path, "value": text}));
    } else {
        operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": {key: text}}));
    }
    let words = format!("template ← {} ({})", target.name(), target.hash);
    let template = super::facts::digest(&target.template);
    Patch::new(place, "", words, Value::Array(operations))
        .telling(&[(super::facts::TEMPLATE, template.into())])
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Whether a template that is still ours has outlived the delay of a GitOps controller since it was written.
pub fn kept_long_enough(plan: &Plan, home: &Value) -> Finding {
    let entries = home.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
    let ours = entries.filter(|entry| entry.get("manager").and_then(Value::as_str) == Some(FIELD_MANAGER));
    let times = ours.filter_map(|entry| {
        let time = entry.get("time")?.as_str()?;
        Some(chrono::DateTime::parse_from_rfc3339(time).ok()?.to_utc())
    });
    let written = times.max().unwrap_or(plan.made_at);
    let age = (chrono::Utc::now() - written).num_seconds();
    finding("kept", age >= GITOPS_S, &format!("kept for {} s of {GITOPS_S} s", age.max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_slashes_are_escaped_in_pointers() {
        assert_eq!(escape("kubernetes.io/change-cause"), "kubernetes.io~1change-cause");
        assert_eq!(escape("a~b/c"), "a~0b~1c");
    }
}
