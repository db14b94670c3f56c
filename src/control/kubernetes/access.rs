//! Who we are to the API server and what we may do there.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::object::{Objects, Place};
use crate::domain::act::May;

/// How long an answer is taken for true.
const KEPT: Duration = Duration::from_secs(60);
/// More answers than any fleet needs; then all are asked again.
const MOST: usize = 4_096;

/// Answers to access reviews.
#[derive(Debug, Default)]
pub struct Access {
    known: Mutex<HashMap<String, (Instant, May)>>,
    identity: Mutex<Option<(Instant, String)>>,
}

impl Access {
    /// Forgets everything: after a refusal all answers are asked again.
    pub fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn recall(&self, key: &str) -> Option<May> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).filter(|(at, _)| at.elapsed() < KEPT).map(|(_, may)| may.clone())
    }

    fn keep(&self, key: String, may: May) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, (Instant::now(), may));
    }
}

impl Objects {
    /// Whether this user may do `verb` with an object; `part` is empty or a subresource.
    pub async fn may(&self, verb: &str, place: &Place, part: &str) -> May {
        let key = format!("{verb} {} {part}", place.path());
        if let Some(known) = self.access.recall(&key) {
            return known;
        }
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "namespace": place.namespace,
                "verb": verb,
                "group": place.resource.group,
                "resource": place.resource.plural,
                "subresource": part,
                "name": place.name,
            }},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        match self.ask(path, &review).await {
            Ok(answer) => {
                let part = if part.is_empty() { String::new() } else { format!("/{part}") };
                let what = format!("{verb} {}{part} in {}", place.resource.plural, place.namespace);
                let may = verdict(&answer, &what);
                self.access.keep(key, may.clone());
                may
            }
            Err(fault) => May::Unknown(fault.to_string()),
        }
    }

    /// Who we are to the server; empty when it does not tell.
    pub async fn identity(&self) -> String {
        let kept = self.access.identity.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, name)) = kept.filter(|(at, _)| at.elapsed() < KEPT) {
            return name;
        }
        let asked = crate::cluster::identity(&self.client, self.deadline).await;
        let Some(name) = asked.ok().filter(|name| !name.is_empty()) else { return String::new() };
        let mut identity = self.access.identity.lock().unwrap_or_else(PoisonError::into_inner);
        *identity = Some((Instant::now(), name.clone()));
        name
    }
}

/// What an access review says.
fn verdict(answer: &Value, what: &str) -> May {
    let told = |key: &str| answer.pointer(&format!("/status/{key}"));
    let words = |key: &str| told(key).and_then(Value::as_str).unwrap_or_default();
    if told("allowed").and_then(Value::as_bool) == Some(true) {
        return May::Yes;
    }
    let denied = told("denied").and_then(Value::as_bool) == Some(true);
    match (words("evaluationError"), words("reason")) {
        ("", "") => May::No(format!("your role may not {what}")),
        ("", reason) => May::No(format!("your role may not {what}: {reason}")),
        (error, _) if !denied => May::Unknown(format!("the server cannot tell: {error}")),
        (error, _) => May::No(format!("your role may not {what}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evaluation_error_is_not_a_no() {
        let of = |status: Value| verdict(&json!({"status": status}), "patch rollouts/status in ml");
        assert_eq!(of(json!({"allowed": true})), May::Yes);
        assert_eq!(
            of(json!({"allowed": false})),
            May::No("your role may not patch rollouts/status in ml".into())
        );
        assert!(matches!(of(json!({"allowed": false, "evaluationError": "no webhook"})), May::Unknown(_)));
        assert!(matches!(
            of(json!({"allowed": false, "denied": true, "evaluationError": "no webhook"})),
            May::No(_)
        ));
    }

    #[test]
    fn answers_are_kept_until_a_refusal() {
        let access = Access::default();
        access.keep("a".into(), May::Yes);
        assert_eq!(access.recall("a"), Some(May::Yes));
        access.forget();
        assert_eq!(access.recall("a"), None);
    }
}
