//! A namespace that is not production as a stage: the test version is a change of a Rollout's pod template, and
//! cleaning up is putting the template back, exactly.

mod needs;
mod object;
mod template;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Doing, Stage, function, production};
use crate::config::{ClusterConfig, Config, fleet};
use crate::control::confirm;
use crate::domain::{ModelId, Phase, Situation, Version};
use crate::drill::scenario::Scenario;
use crate::store::Store;
use object::Object;
pub use template::Fault;
use template::Template;

/// How long the room looks at a version before anything breaks, seconds.
const LEARNS_S: f64 = 3.0;
/// Requests of the test version that must be counted before anything breaks, where the room counts them at all: it was
/// well first, and it has traffic.
const WELL: u64 = 20;
/// How long putting back may take after a crash, beside the start of pods.
const UNDO: Duration = Duration::from_secs(120);
/// Between two looks at what is being put back.
const LOOK: Duration = Duration::from_millis(500);

/// How the test version misbehaves, and what runs in it.
#[derive(Debug, Clone, Default)]
pub struct Means {
    /// An annotation or label of the pod template that makes the server misbehave.
    pub fault: Option<Fault>,
    /// The image of the test version; the same image when absent.
    pub image: Option<String>,
    /// Which model of the config; the first one there when absent.
    pub model: Option<String>,
}

/// A Rollout in a namespace.
pub struct ClusterStage {
    name: String,
    config: Config,
    model: ModelId,
    object: Arc<Object>,
    cluster: ClusterConfig,
    template: Template,
    stable: Version,
    test: Version,
    /// The object before the drill.
    before: Value,
    /// Whether somebody else changed the pod template during the drill: nothing of it is there to be put back.
    foreign: AtomicBool,
}

impl ClusterStage {
    /// Looks whether a drill may take place at CONTEXT/NAMESPACE, and reads what is there. Changes nothing.
    ///
    /// # Errors
    /// Production, a model or cluster that is not in the config, a rollout that is not healthy, a scenario that
    /// needs a fault that was not given; in words.
    pub async fn new(
        config: &Config,
        on: &str,
        id: &str,
        scenario: Scenario,
        means: &Means,
    ) -> Result<Self, String> {
        let (context, namespace) =
            on.rsplit_once('/').ok_or_else(|| format!("--on {on}: write demo or CONTEXT/NAMESPACE"))?;
        let cluster = find_cluster(config, on, context)?;
        if confirm::is_production(config, &cluster.name) {
            return Err(format!(
                "--on {on}: the config marks it production; a drill breaks things on purpose"
            ));
        }
        let config = narrowed(config, &cluster, namespace, means.model.as_deref())?;
        let Some(model) = config.model.first() else { return Err(format!("--on {on}: no model is there")) };
        needs::met(&config, model, scenario).map_err(|why| format!("--on {on}: {why}"))?;
        let rollout = model.rollout.as_ref();
        let object_name = rollout.and_then(|one| one.name.as_deref()).unwrap_or(&model.name).to_owned();
        let timeout = config.deadline(cluster.timeout);
        let object = Object::connect(&cluster, timeout, namespace, &object_name).await?;
        let space = object.namespace().await.map_err(|why| {
            format!(
                "--on {on}: the namespace cannot be read ({why}), so nobody can tell whether it is production"
            )
        })?;
        if let Some(mark) = production::marked(&space) {
            return Err(format!(
                "--on {on}: the namespace is marked production ({mark}); point it at another one"
            ));
        }
        let before = object.get().await?;
        object::is_settled(&before, None).map_err(|why| {
            format!("--on {on}: {object_name} is not ready for a drill: {why}; let it become healthy first")
        })?;
        let template = Template::of(&before, &cluster.version_from, id, scenario, means)?;
        let model = fleet::model_id(&config, model);
        let (stable, test) = template.versions();
        Ok(Self {
            name: on.to_owned(),
            config,
            model,
            object: Arc::new(object),
            cluster,
            template,
            stable,
            test,
            before,
            foreign: AtomicBool::new(false),
        })
    }
}

fn find_cluster(config: &Config, on: &str, context: &str) -> Result<ClusterConfig, String> {
    let is_it =
        |cluster: &&ClusterConfig| cluster.context.as_deref() == Some(context) || cluster.name == context;
    config.cluster.iter().find(is_it).cloned().ok_or_else(|| {
        let known: Vec<&str> = config.cluster.iter().map(|cluster| cluster.name.as_str()).collect();
        format!(
            "--on {on}: no [[cluster]] of the config has the context or name `{context}`; there are: {}",
            known.join(", ")
        )
    })
}

/// Only the one model, so that the operator of a drill can act on nothing else.
fn narrowed(
    config: &Config,
    cluster: &ClusterConfig,
    namespace: &str,
    wanted: Option<&str>,
) -> Result<Config, String> {
    let mut config = config.clone();
    let is_there = |model: &crate::config::model::ModelConfig| {
        let Some(rollout) = &model.rollout else { return false };
        rollout.system == cluster.name
            && rollout.kind == "rollout"
            && rollout.namespace.as_ref().unwrap_or(&model.namespace) == namespace
            && wanted.is_none_or(|wanted| model.name == wanted)
    };
    config.model.retain(is_there);
    config.model.truncate(1);
    config.cluster.retain(|one| one.name == cluster.name);
    if config.model.is_empty() {
        let name = wanted.unwrap_or("any name");
        return Err(format!(
            "no [[model]] of {name} has a rollout of kind \"rollout\" in {}/{namespace}; add one to the config",
            cluster.name
        ));
    }
    // What wardroom does by itself elsewhere must not mix with the operator of the drill.
    config.model.iter_mut().for_each(|model| model.automatic = None);
    Ok(config)
}

impl Stage for ClusterStage {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn model(&self) -> ModelId {
        self.model.clone()
    }

    fn versions(&self) -> (Version, Version) {
        (self.stable.clone(), self.test.clone())
    }

    fn pods_start_s(&self) -> f64 {
        object::pods_start_s(&self.before)
    }

    fn undo(&self) -> Value {
        json!({
            "kind": "cluster", "cluster": self.cluster, "namespace": self.object.place().0,
            "name": self.object.place().1, "uid": self.before["metadata"]["uid"],
            "template": self.before["spec"]["template"], "on": self.name,
            "pods_start_s": self.pods_start_s(),
        })
    }

    fn is_ready(
        &self,
        scenario: Scenario,
        store: &Store,
        deployed: bool,
        waited_s: f64,
    ) -> Result<(), String> {
        let model = store.model(&self.model).ok_or("the model is not watched")?;
        let rollout = model.rollout.as_ref().ok_or("no controller has told of the rollout")?;
        let test = self.test.clone();
        let is_well = match deployed && !scenario.breaks_by_deploying() {
            false => rollout.phase == Phase::Healthy && rollout.stable == self.stable,
            true => {
                rollout.canary.as_ref() == Some(&test)
                    && matches!(rollout.situation, Situation::PausedByStep | Situation::Progressing)
                    && rollout.asked > 0.0
            }
        };
        if !is_well || waited_s < LEARNS_S {
            return Err(format!("the rollout is {}, {} stable", rollout.situation.word(), rollout.stable));
        }
        let counts = model.counted.rows().any(|row| row.version == self.stable);
        if !(deployed && counts && scenario.needs_requests()) {
            return Ok(());
        }
        match model.verdict().map_or(0, |verdict| verdict.canary_requests) {
            enough if enough >= WELL => Ok(()),
            few => Err(format!(
                "{few} of {WELL} requests to {test} were counted; a drill needs traffic: send {} more",
                self.model
            )),
        }
    }

    fn deploy(&self, scenario: Scenario) -> Doing<'_, ()> {
        Box::pin(async move {
            match scenario.breaks_by_deploying() {
                true => Ok(()),
                false => self.object.merge(&self.template.deployed()).await,
            }
        })
    }

    fn inject(&self, _: Scenario) -> Doing<'_, ()> {
        Box::pin(async { self.object.merge(&self.template.broken()).await })
    }

    fn function_test(&self) -> Doing<'_, String> {
        Box::pin(async {
            let model = self.config.model.first();
            let verify = model.and_then(|model| model.verify.as_ref());
            if verify.is_some_and(|verify| verify.samples.is_some()) {
                return function::test(&self.config, &self.model, &self.stable).await;
            }
            // Without recorded requests: every pod of the version from before is ready.
            let now = self.object.get().await?;
            object::serves(&now, &self.before)
        })
    }

    fn clean_up(&self) -> Doing<'_, ()> {
        Box::pin(async {
            let uid = self.before["metadata"]["uid"].as_str().unwrap_or_default();
            let is_back = self.object.put_back(uid, &self.before["spec"]["template"]).await?;
            self.foreign.store(!is_back, Ordering::Relaxed);
            Ok(())
        })
    }

    fn is_clean(&self) -> Doing<'_, ()> {
        Box::pin(async {
            if self.foreign.load(Ordering::Relaxed) {
                return Ok(());
            }
            let now = self.object.get().await?;
            object::is_settled(&now, Some(&self.before["spec"]["template"]))
        })
    }

    fn limits(&self, scenario: Scenario) -> Vec<String> {
        let mut limits = vec![
            format!("{} is not production: its traffic, its size and its permissions are others", self.name),
            "nobody was called: the minutes until a person sits down are not in these numbers".into(),
            "the fault was made on purpose, of one kind, and nothing else went wrong meanwhile".into(),
        ];
        if self.foreign.load(Ordering::Relaxed) {
            limits.push(
                "somebody else changed the pod template during the drill: it was left as they made it, and not put back"
                    .into(),
            );
        }
        if !scenario.breaks_by_deploying() {
            limits.push(
                "the fault came with new pods of the test version: their start is in the time to detection"
                    .into(),
            );
        }
        let model = self.config.model.first();
        if model.is_none_or(|model| model.endpoint.is_empty()) {
            limits.push(
                "no endpoint is configured: no request was sent, so traffic is told by the controller alone"
                    .into(),
            );
        }
        if model.and_then(|model| model.verify.as_ref()).is_none_or(|verify| verify.samples.is_none()) {
            limits.push("no recorded requests (model.verify.samples): predictions were not compared".into());
        }
        limits
    }
}

/// Puts a template back after a drill that was killed.
pub(super) async fn undo(written: &Value) -> Result<String, String> {
    let cluster: ClusterConfig = serde_json::from_value(written["cluster"].clone())
        .map_err(|why| format!("its mark cannot be read: {why}"))?;
    let text = |key: &str| written[key].as_str().unwrap_or_default().to_owned();
    let (namespace, name, uid) = (text("namespace"), text("name"), text("uid"));
    let timeout = cluster.timeout.map_or(Duration::from_secs(10), |span| span.0);
    let object = Object::connect(&cluster, timeout, &namespace, &name).await?;
    let template = &written["template"];
    let limit =
        UNDO + Duration::from_secs_f64(written["pods_start_s"].as_f64().unwrap_or(0.0).clamp(0.0, 3_600.0));
    let begun = tokio::time::Instant::now();
    loop {
        let step = async {
            match object.find().await? {
                Some(now) if now["metadata"]["uid"] == uid.as_str() => {}
                Some(_) => return Ok("is another object now, and was left alone"),
                None => return Ok("is gone, and the drill's change with it"),
            }
            if !object.put_back(&uid, template).await? {
                return Ok("was changed by somebody else since, and was left alone");
            }
            object::is_settled(&object.get().await?, Some(template))
                .map(|()| "has the template from before again")
        };
        match step.await {
            Ok(words) => return Ok(format!("{namespace}/{name} {words}")),
            Err(why) if begun.elapsed() >= limit => return Err(why),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}
