//! Reads rollouts from a controller that speaks wardroom's own small interface (see `interfaces.md`).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::config::{CanaryConfig, Config, Preset};
use crate::domain::text::{clean, clean_name};
use crate::domain::{
    Fact, Fault, Harvest, ModelId, Phase, Rollout, SourceGroup, SourceId, SourceInfo, Step, Time, Version,
};
use crate::sources::http::{self, Http};
use crate::sources::lenient::{self, Lenient};
use crate::sources::remarks::Remarks;
use crate::sources::{Polled, Source, model_id};

/// One canary controller.
pub struct Canary {
    info: SourceInfo,
    server: Http,
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
        let timeout = canary.timeout.unwrap_or(config.timeout).0;
        let max_bytes = config.max_answer_mib.saturating_mul(1 << 20);
        Ok(Self {
            info: SourceInfo {
                id: SourceId::new(&canary.name),
                group: SourceGroup::Controller,
                kind: "canary",
                place: http::place(&canary.url),
                interval_s: canary.interval.unwrap_or(config.refresh).as_secs_f64(),
                model: None,
                owes: Vec::new(),
            },
            server: Http::new(&canary.url, &canary.access, timeout, max_bytes)?,
            models: config.model.iter().map(|model| model_id(config, model)).collect(),
            remarks: Remarks::default(),
        })
    }

    async fn ask(&mut self, now: Time) -> Result<Harvest, Fault> {
        let answer = self.server.get("api/v1/rollouts", &[]).await?.ok()?;
        let skew_s = http::skew(answer.date, now);
        let facts = self.remarks.only_new(facts(answer.json()?, &self.models));
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

#[derive(Deserialize)]
struct Body {
    controller: Option<String>,
    #[serde(default)]
    rollouts: Vec<Lenient<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    model: String,
    namespace: Option<String>,
    stable: Option<String>,
    canary: Option<String>,
    #[serde(default)]
    steps: Option<Vec<Step>>,
    step: Option<usize>,
    asked: Option<f64>,
    measured: Option<f64>,
    phase: Option<String>,
    since: Option<String>,
    until: Option<String>,
    waits: Option<bool>,
    owner: Option<String>,
    message: Option<String>,
}

/// The rollouts of the fleet's models; those of others are not ours.
fn facts(body: Body, models: &[ModelId]) -> Vec<Fact> {
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
        let Some(model) = lenient::find(models, &entry.model, entry.namespace.as_deref()).cloned() else {
            continue;
        };
        let (Some(stable), Some(phase)) = (entry.stable.as_deref(), phase(entry.phase.as_deref())) else {
            let phase = entry.phase.unwrap_or_default();
            let text = format!("rollout of {model}: no stable version or unknown phase `{phase}`");
            facts.push(Fact::Remark(clean(&text, 300)));
            continue;
        };
        let steps = entry.steps.unwrap_or_default();
        let percent = |value: f64| value.is_finite().then(|| value.clamp(0.0, 100.0));
        let rollout = Rollout {
            canary: entry.canary.as_deref().filter(|name| !name.is_empty()).map(Version::new),
            step: entry.step.unwrap_or(0).min(steps.len()),
            steps,
            asked: entry.asked.and_then(percent).unwrap_or(0.0),
            measured: entry.measured.and_then(percent),
            phase,
            since: lenient::time(entry.since.as_deref()),
            until: lenient::time(entry.until.as_deref()),
            waits: entry.waits.unwrap_or(false),
            owner: clean_name(&entry.owner.unwrap_or_default()),
            message: clean(&entry.message.unwrap_or_default(), 400),
            ..Rollout::of(controller.clone(), Version::new(stable))
        };
        facts.push(Fact::Rollout { model, rollout });
    }
    facts
}

fn phase(word: Option<&str>) -> Option<Phase> {
    Some(match word?.to_ascii_lowercase().as_str() {
        "progressing" => Phase::Progressing,
        "paused" => Phase::Paused,
        "healthy" => Phase::Healthy,
        "aborted" => Phase::Aborted,
        "degraded" => Phase::Degraded,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<Fact> {
        let models = ["alzheimer", "als"].map(|name| ModelId::new("test", name));
        facts(serde_json::from_str(body).unwrap(), &models)
    }

    #[test]
    fn the_documented_answer() {
        let read = read(include_str!("../../fixtures/canary/rollouts.json"));
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
}
