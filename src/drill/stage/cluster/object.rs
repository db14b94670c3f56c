//! The Rollout of a stage on its API server: read, changed, put back.

use std::time::Duration;

use serde_json::{Value, json};

use super::template::MARK;
use crate::cluster::{self, trouble};
use crate::config::ClusterConfig;

const MERGE: &str = "application/merge-patch+json";
const JSON: &str = "application/json-patch+json";

/// One Rollout.
pub struct Object {
    client: kube::Client,
    timeout: Duration,
    namespace: String,
    name: String,
}

impl Object {
    /// A way to the object; that it is there is not looked at.
    ///
    /// # Errors
    /// A kubeconfig or context that cannot be used, in words.
    pub async fn connect(
        config: &ClusterConfig,
        timeout: Duration,
        namespace: &str,
        name: &str,
    ) -> Result<Self, String> {
        let client = cluster::connect(config, timeout).await.map_err(|fault| fault.to_string())?;
        Ok(Self { client, timeout, namespace: namespace.into(), name: name.into() })
    }

    /// Namespace and name.
    pub fn place(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }

    fn path(&self) -> String {
        format!("/apis/argoproj.io/v1alpha1/namespaces/{}/rollouts/{}", self.namespace, self.name)
    }

    /// The namespace itself.
    ///
    /// # Errors
    /// The server does not tell it, in words.
    pub async fn namespace(&self) -> Result<Value, String> {
        let path = format!("/api/v1/namespaces/{}", self.namespace);
        self.ask(http::Request::get(path), "", Value::Null).await.map_err(|(_, why)| why)
    }

    /// The object as it is now.
    ///
    /// # Errors
    /// It is not there, or the server does not answer; in words.
    pub async fn get(&self) -> Result<Value, String> {
        self.find().await?.ok_or_else(|| format!("there is no Rollout {}/{}", self.namespace, self.name))
    }

    /// The same; nothing when it is not there.
    ///
    /// # Errors
    /// The server does not answer, in words.
    pub async fn find(&self) -> Result<Option<Value>, String> {
        match self.ask(http::Request::get(self.path()), "", Value::Null).await {
            Ok(object) => Ok(Some(object)),
            Err((Some(404), _)) => Ok(None),
            Err((_, why)) => Err(why),
        }
    }

    /// A merge patch.
    ///
    /// # Errors
    /// The server refuses it, in words.
    pub async fn merge(&self, patch: &Value) -> Result<(), String> {
        let request = http::Request::patch(format!("{}?fieldManager=wardroom", self.path()));
        self.ask(request, MERGE, patch.clone()).await.map(drop).map_err(|(_, why)| why)
    }

    /// Puts the pod template back as it was, when it is not so already, on this very object alone. False when it is another
    /// one without the drill's mark: somebody else has changed it meanwhile, and it is left alone.
    ///
    /// # Errors
    /// The server refuses it, in words.
    pub async fn put_back(&self, uid: &str, template: &Value) -> Result<bool, String> {
        let now = self.get().await?;
        let there = &now["spec"]["template"];
        if there == template {
            return Ok(true);
        }
        let Some(mark) = mark(&now) else { return Ok(false) };
        let patch = json!([
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "test", "path": mark_path(), "value": mark},
            {"op": "replace", "path": "/spec/template", "value": template},
        ]);
        let request = http::Request::patch(format!("{}?fieldManager=wardroom", self.path()));
        self.ask(request, JSON, patch).await.map(|_| true).map_err(|(_, why)| why)
    }

    async fn ask(
        &self,
        request: http::request::Builder,
        kind: &str,
        body: Value,
    ) -> Result<Value, (Option<u16>, String)> {
        let (request, bytes) = match kind.is_empty() {
            true => (request, Vec::new()),
            false => (request.header(http::header::CONTENT_TYPE, kind), body.to_string().into_bytes()),
        };
        let request = request.body(bytes).map_err(|why| (None, why.to_string()))?;
        match tokio::time::timeout(self.timeout, self.client.request::<Value>(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err((trouble::code(&error), trouble::of(&error, &self.name).to_string())),
            Err(_) => Err((None, trouble::hung(&self.name, self.timeout).to_string())),
        }
    }
}

fn mark_path() -> String {
    format!("/spec/template/metadata/annotations/{}", MARK.replace('/', "~1"))
}

/// The drill that changed the pod template last, by its mark.
fn mark(object: &Value) -> Option<&str> {
    object.pointer(&mark_path())?.as_str()
}

/// Whether a Rollout rests on one version; `template`: on this very one.
pub fn is_settled(object: &Value, template: Option<&Value>) -> Result<(), String> {
    let status = &object["status"];
    if template.is_some_and(|template| object["spec"]["template"] != *template) {
        return Err("the pod template is not the one from before".into());
    }
    let generation = object["metadata"]["generation"].to_string();
    if status["observedGeneration"] != generation.as_str() {
        return Err("its controller has not seen the last change".into());
    }
    let word = |key: &str| status[key].as_str().unwrap_or("unknown");
    if word("phase") != "Healthy" {
        return Err(format!("it is {}: {}", word("phase"), status["message"].as_str().unwrap_or_default()));
    }
    match word("currentPodHash") == word("stableRS") {
        true => Ok(()),
        false => Err("a version is on trial".into()),
    }
}

/// How long its controller waits for pods before it gives up, seconds: Argo's own default where the Rollout does not say.
pub fn pods_start_s(object: &Value) -> f64 {
    object["spec"]["progressDeadlineSeconds"].as_f64().unwrap_or(600.0).max(0.0)
}

/// Whether every pod of the version from before is there and ready, by the controller's word.
pub fn serves(now: &Value, before: &Value) -> Result<String, String> {
    let number = |key: &str| now["status"][key].as_u64().unwrap_or(0);
    let wanted = now["spec"]["replicas"].as_u64().unwrap_or(1);
    let stable = &before["status"]["stableRS"];
    if now["status"]["stableRS"] != *stable {
        return Err(format!("stable is {} instead of {stable}", now["status"]["stableRS"]));
    }
    let words =
        format!("{} of {wanted} pods ready, stable ReplicaSet as before", number("availableReplicas"));
    match number("availableReplicas") >= wanted {
        true => Ok(words),
        false => Err(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(phase: &str, current: &str) -> Value {
        json!({"metadata": {"generation": 3}, "spec": {"template": {"a": 1}, "replicas": 4}, "status": {"phase": phase,
            "observedGeneration": "3", "currentPodHash": current, "stableRS": "x", "availableReplicas": 4}})
    }

    #[test]
    fn a_template_without_the_mark_is_not_the_drills() {
        let mut marked = object("Healthy", "x");
        assert_eq!(mark(&marked), None);
        marked["spec"]["template"]["metadata"]["annotations"] = json!({ MARK: "d-1" });
        assert_eq!(mark(&marked), Some("d-1"));
    }

    #[test]
    fn a_rollout_that_does_not_say_gives_its_pods_ten_minutes() {
        assert_eq!(pods_start_s(&object("Healthy", "x")), 600.0);
        assert_eq!(pods_start_s(&json!({"spec": {"progressDeadlineSeconds": 20}})), 20.0);
    }

    #[test]
    fn a_rollout_is_settled_when_it_rests_on_the_template_from_before() {
        let healthy = object("Healthy", "x");
        assert_eq!(is_settled(&healthy, None), Ok(()));
        assert_eq!(is_settled(&healthy, Some(&json!({"a": 1}))), Ok(()));
        assert!(is_settled(&healthy, Some(&json!({"a": 2}))).unwrap_err().contains("template"));
        assert!(is_settled(&object("Degraded", "x"), None).unwrap_err().contains("Degraded"));
        assert!(is_settled(&object("Healthy", "y"), None).unwrap_err().contains("trial"));
        let mut unseen = healthy.clone();
        unseen["metadata"]["generation"] = json!(4);
        assert!(is_settled(&unseen, None).is_err());
        assert!(serves(&healthy, &healthy).is_ok());
        unseen["status"]["availableReplicas"] = json!(3);
        assert!(serves(&unseen, &healthy).unwrap_err().contains("3 of 4"));
    }
}
