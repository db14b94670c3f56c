//! Reads rollouts from a controller that speaks wardroom's own small interface (see `interfaces.md`).

pub mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{CanaryConfig, Config, ModelConfig, Preset};
use crate::domain::text::{clean, clean_name};
use crate::domain::{Fact, Fault, Harvest, ModelId, SourceGroup, SourceId, SourceInfo, Time};
use crate::sources::http::{self, Http};
use crate::sources::lenient;
use crate::sources::remarks::Remarks;
use crate::sources::{Polled, Source, model_id};
use wire::Body;

/// One canary controller.
pub struct Canary {
    info: SourceInfo,
    server: Http,
    names: Vec<ModelId>,
    models: Vec<ModelId>,
    remarks: Remarks,
}

/// One source for each configured controller.
pub fn sources(config: &Config, _: &BTreeMap<String, Preset>) -> Result<Vec<Box<dyn Source>>, Fault> {
    let made =
        config.canary.iter().map(|canary| Ok(Box::new(Canary::new(config, canary)?) as Box<dyn Source>));
    made.collect()
}

impl Canary {
    fn new(config: &Config, canary: &CanaryConfig) -> Result<Self, Fault> {
        let timeout = config.deadline(canary.timeout);
        let max_bytes = config.max_bytes();
        Ok(Self {
            info: SourceInfo {
                id: SourceId::new(&canary.name),
                group: SourceGroup::Controller,
                kind: "canary".into(),
                place: http::place(&canary.url),
                interval_s: config.interval_s(canary.interval),
                model: None,
                owes: Vec::new(),
            },
            server: Http::new(&canary.url, &canary.access, timeout, max_bytes)?,
            names: config.model.iter().map(|model| name_here(config, model, &canary.name)).collect(),
            models: config.model.iter().map(|model| model_id(config, model)).collect(),
            remarks: Remarks::default(),
        })
    }

    async fn ask(&mut self, now: Time) -> Result<Harvest, Fault> {
        let answer = self.server.get("api/v1/rollouts", &[]).await?.ok()?;
        let skew_s = http::skew(answer.date, now);
        let facts = self.remarks.only_new(facts(answer.json()?, &self.info.id, &self.names, &self.models));
        Ok(Harvest { facts, skew_s })
    }
}

impl Source for Canary {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        self.server.timeout() + Duration::from_secs(1)
    }

    fn poll(&mut self, now: Time) -> Polled<'_> {
        Box::pin(self.ask(now))
    }
}

/// The rollouts of the fleet's models; those of others are not ours. `names` are the models by the names that
/// their rollouts have here, `models` the same models by their own.
fn facts(body: Body, system: &SourceId, names: &[ModelId], models: &[ModelId]) -> Vec<Fact> {
    let controller = clean_name(body.controller.as_deref().unwrap_or("canary"));
    let mut facts = Vec::new();
    for entry in body.rollouts {
        let entry = match entry.0 {
            Ok(entry) => entry,
            Err(why) => {
                facts.push(Fact::Remark(clean(&format!("a rollout is unreadable: {why}"), 300)));
                continue;
            }
        };
        let named = lenient::find(names, &entry.model, entry.namespace.as_deref());
        let place = named.and_then(|named| names.iter().position(|name| name == named));
        let Some(model) = place.and_then(|place| models.get(place)).cloned() else { continue };
        match entry.told(system, &controller) {
            Ok(told) => facts.push(Fact::Rollout { model, rollout: told.rollout.into() }),
            Err(why) => facts.push(Fact::Remark(clean(&format!("rollout of {model}: {why}"), 300))),
        }
    }
    facts
}

/// A model by the name that its rollout has in this system.
fn name_here(config: &Config, model: &ModelConfig, system: &str) -> ModelId {
    let id = model_id(config, model);
    let rollout = model.rollout.as_ref().filter(|rollout| rollout.system == system);
    let Some(rollout) = rollout else { return id };
    let name = rollout.name.as_deref().map_or_else(|| id.name.clone(), |name| clean_name(name).into());
    let namespace =
        rollout.namespace.as_deref().map_or_else(|| id.namespace.clone(), |name| clean_name(name).into());
    ModelId { name, namespace, ..id }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::act::Operation;
    use crate::domain::{ControllerKind, Level, Phase, Situation};

    fn read(body: &str) -> Vec<Fact> {
        let models = ["alzheimer", "als"].map(|name| ModelId::new("test", name));
        facts(serde_json::from_str(body).unwrap(), &SourceId::new("canary"), &models, &models)
    }

    #[test]
    fn the_documented_answer() {
        let read = read(include_str!("../../../fixtures/canary/rollouts.json"));
        let [Fact::Rollout { model, rollout }] = &read[..] else { panic!("{read:?}") };
        assert_eq!(model.name.as_ref(), "alzheimer");
        assert_eq!((rollout.asked, rollout.measured, rollout.step), (25.0, Some(24.9), 2));
        assert_eq!(rollout.steps[2].pause_s, None, "null waits for a person");
        assert_eq!(rollout.steps.len(), 5);
        assert_eq!(rollout.phase, Phase::Progressing);
        assert!(rollout.until > rollout.since);
        assert!(rollout.is_live());
    }

    #[test]
    fn odd_entries_do_not_spoil_the_others() {
        let read = read(
            r#"{"rollouts":[{"model":"als","stable":"1","phase":"healthy"},{"stable":3},
            {"model":"alzheimer","stable":"1","phase":"dancing"},{"model":"nobody","stable":"1","phase":"healthy"}]}"#,
        );
        assert_eq!(read.iter().filter(|fact| matches!(fact, Fact::Rollout { .. })).count(), 1);
        assert_eq!(read.iter().filter(|fact| matches!(fact, Fact::Remark(_))).count(), 2);
        assert!(self::read("{}").is_empty());
    }

    #[test]
    fn a_controller_that_acts_tells_more() {
        let read = read(include_str!("../../../fixtures/canary/acting.json"));
        let [Fact::Rollout { rollout, .. }] = &read[..] else { panic!("{read:?}") };
        assert_eq!(rollout.situation, Situation::PausedByHand);
        assert_eq!((rollout.set, rollout.autoscaler.as_str()), (Some(25.0), "HPA 2–10, now 4"));
        assert_eq!(rollout.message, "held by kim: p95 watched");
        let target = rollout.target.as_ref().unwrap();
        assert_eq!(
            (target.kind, &*target.system.0, &*target.name),
            (ControllerKind::Http, "canary", "alzheimer")
        );
        let [newest, stable, old] = &rollout.revisions[..] else { panic!("{:?}", rollout.revisions) };
        assert!(newest.is_canary && stable.is_stable && stable.created.is_some());
        assert_eq!((stable.pods, old.known_bad.as_str()), ((3, 3), "aborted 12 May 14:02, p95"));
        let metric = &rollout.analyses[0].metrics[0];
        assert_eq!((metric.value.as_str(), metric.counts), ("0.951", (3, 1, Some(2))));
        assert_eq!(rollout.conditions[0].level, Level::Warning, "the worst first");
        assert!(rollout.refuses(&Operation::Promote).unwrap().contains("resume first"));
        let weight = rollout.refuses(&Operation::SetWeight { percent: 5.0 }).unwrap();
        assert!(weight.contains("no weight"), "an act that is not listed: {weight}");
        assert_eq!(rollout.refuses(&Operation::Abort), None);
    }

    #[test]
    fn without_a_situation_the_phase_tells_it() {
        for (phase, situation) in [
            (r#""paused","waits":true"#, Situation::PausedByStep),
            (r#""paused","until":"2026-11-20T14:00:00Z""#, Situation::PausedByStep),
            (r#""paused""#, Situation::PausedByHand),
            (r#""aborted""#, Situation::Aborted),
            (r#""healthy""#, Situation::Idle),
            (r#""progressing","situation":"promotion_lost""#, Situation::PromotionLost),
            (r#""progressing","situation":"dancing""#, Situation::Progressing),
        ] {
            let read = read(&format!(r#"{{"rollouts":[{{"model":"als","stable":"1","phase":{phase}}}]}}"#));
            let [Fact::Rollout { rollout, .. }] = &read[..] else { panic!("{read:?}") };
            assert_eq!(rollout.situation, situation, "{phase}");
            assert_eq!(rollout.target, None, "it does not say that it acts");
            assert!(rollout.refuses(&Operation::Abort).is_some());
        }
    }

    #[test]
    fn a_rollout_may_have_another_name_than_its_model() {
        let text = "[[canary]]\nurl = \"http://h\"\n[[model]]\nname = \"als\"\n\
                    [model.rollout]\nsystem = \"canary\"\nkind = \"http\"\nname = \"als-eu\"\n";
        let config = crate::config::parse("test", text, &[]).unwrap().config;
        let canary = Canary::new(&config, &config.canary[0]).unwrap();
        let body = r#"{"rollouts":[{"model":"als-eu","stable":"1","phase":"healthy","acts":true}]}"#;
        let read = facts(serde_json::from_str(body).unwrap(), &canary.info.id, &canary.names, &canary.models);
        let [Fact::Rollout { model, rollout }] = &read[..] else { panic!("{read:?}") };
        assert_eq!((&*model.name, &*rollout.target.as_ref().unwrap().name), ("als", "als-eu"));
    }
}
