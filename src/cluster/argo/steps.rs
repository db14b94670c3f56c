//! The steps of a Rollout as a ladder of weights. A rung begins at each `setWeight`; what follows belongs to it.

use serde_json::Value;

use super::Facts;
use crate::cluster::{duration, look};
use crate::domain::Step;
use crate::domain::text::clean_name;

/// The ladder.
#[derive(Debug, Clone, Default)]
pub struct Ladder {
    /// The rungs; the last is 100 %.
    pub rungs: Vec<Step>,
    /// The rung of each step of the manifest.
    rung_of: Vec<usize>,
    /// The weight after each step of the manifest, as it is written there.
    weights: Vec<f64>,
    /// How long each pause lasts, seconds: `Some(None)` until somebody acts, `None` for what is no pause.
    pauses: Vec<Option<Option<f64>>>,
    /// What the router calls everything.
    pub most: f64,
    /// Whether a router splits the traffic; otherwise pods do.
    pub is_routed: bool,
    /// Whether it is blue-green: two rungs, all or nothing.
    pub is_blue_green: bool,
}

impl Ladder {
    /// The ladder of a Rollout's manifest.
    pub fn of(object: &Value) -> Self {
        if let Some(strategy) = object.pointer("/spec/strategy/blueGreen") {
            return Self::blue_green(strategy);
        }
        let canary = object.pointer("/spec/strategy/canary").unwrap_or(&Value::Null);
        let most = look::number(canary, "/trafficRouting/maxTrafficWeight").filter(|most| *most > 0.0);
        let mut ladder = Self {
            most: most.unwrap_or(100.0),
            is_routed: canary.get("trafficRouting").is_some_and(Value::is_object),
            ..Self::default()
        };
        let mut weight = 0.0;
        for step in look::list(canary, "/steps") {
            if let Some(set) = look::number(step, "/setWeight") {
                weight = set;
                ladder.rungs.push(ladder.rung_at(weight));
            } else if ladder.rungs.is_empty() {
                ladder.rungs.push(ladder.rung_at(0.0));
            }
            ladder.rung_of.push(ladder.rungs.len() - 1);
            ladder.weights.push(weight);
            ladder.pauses.push(None);
            ladder.take(step);
        }
        if ladder.rungs.last().is_none_or(|last| last.weight < 100.0) {
            ladder.rungs.push(Step { weight: 100.0, pause_s: Some(0.0), runs: String::new() });
        }
        ladder
    }

    fn blue_green(strategy: &Value) -> Self {
        let waits = look::number(strategy, "/autoPromotionSeconds").filter(|seconds| *seconds > 0.0);
        let by_itself = strategy.get("autoPromotionEnabled").and_then(Value::as_bool) != Some(false);
        let analysis = |key: &str| strategy.get(key).map(analysis_words).unwrap_or_default();
        let pause_s = match waits {
            Some(seconds) => Some(seconds),
            None => by_itself.then_some(0.0),
        };
        Self {
            rungs: vec![
                Step { weight: 0.0, pause_s, runs: analysis("prePromotionAnalysis") },
                Step { weight: 100.0, pause_s: Some(0.0), runs: analysis("postPromotionAnalysis") },
            ],
            most: 100.0,
            is_blue_green: true,
            ..Self::default()
        }
    }

    fn rung_at(&self, weight: f64) -> Step {
        let weight = (100.0 * weight / self.most).clamp(0.0, 100.0);
        Step { weight, pause_s: Some(0.0), runs: String::new() }
    }

    /// Puts what a step does beside the weight onto the last rung.
    fn take(&mut self, step: &Value) {
        let Some(rung) = self.rungs.last_mut() else { return };
        if let Some(pause) = step.get("pause") {
            let lasts = pause.get("duration").and_then(duration::seconds);
            if let Some(known) = self.pauses.last_mut() {
                *known = Some(lasts);
            }
            rung.pause_s = match (rung.pause_s, lasts) {
                (Some(before), Some(more)) => Some(before + more),
                _ => None,
            };
            return;
        }
        let runs = if let Some(analysis) = step.get("analysis") {
            analysis_words(analysis)
        } else if step.get("experiment").is_some() {
            let templates = look::list(step, "/experiment/templates").iter();
            let names: Vec<String> =
                templates.map(|template| clean_name(look::text(template, "/name"))).collect();
            format!("experiment {}", names.join(", ")).trim_end().to_owned()
        } else if let Some(scale) = step.get("setCanaryScale") {
            match (look::count(scale, "/replicas"), look::number(scale, "/weight")) {
                (Some(pods), _) => format!("scale to {pods} pods"),
                (None, Some(weight)) => format!("scale to {weight} %"),
                (None, None) => "scale with the weight".into(),
            }
        } else if step.get("setHeaderRoute").is_some() {
            format!("header route {}", clean_name(look::text(step, "/setHeaderRoute/name")))
        } else if step.get("setMirrorRoute").is_some() {
            format!("mirror {}", clean_name(look::text(step, "/setMirrorRoute/name")))
        } else if step.get("plugin").is_some() {
            format!("plugin {}", clean_name(look::text(step, "/plugin/name")))
        } else {
            return;
        };
        if !rung.runs.is_empty() {
            rung.runs.push_str(", ");
        }
        rung.runs.push_str(&runs);
    }

    /// How many steps the manifest has.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether the manifest has no steps.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// The manifest's step that it is at; the number of steps when all are done.
    pub fn index(&self, object: &Value) -> usize {
        let index = look::count(object, "/status/currentStepIndex").unwrap_or(0);
        usize::try_from(index).unwrap_or(usize::MAX).min(self.len())
    }

    /// The rung of the manifest's step `index`: the last one when all steps are done but not all traffic moved.
    pub fn rung(&self, index: usize) -> usize {
        self.rung_of.get(index).copied().unwrap_or(if self.is_blue_green || self.is_empty() {
            0
        } else {
            self.rungs.len().saturating_sub(1)
        })
    }

    /// How long the pause at the manifest's step `index` lasts: see `pauses`.
    pub fn pause(&self, index: usize) -> Option<Option<f64>> {
        self.pauses.get(index).copied().flatten()
    }

    /// The weight that is asked for now, percent: the last `setWeight` at or before the step; everything beyond the
    /// last; nothing when it was aborted or nothing is under way.
    pub(super) fn asked(&self, facts: &Facts<'_>, index: usize) -> f64 {
        if !facts.is_split() || facts.aborted {
            return 0.0;
        }
        if facts.promoting {
            return 100.0;
        }
        if self.is_blue_green {
            let active = look::text(facts.object, "/status/blueGreen/activeSelector");
            return if active == facts.wanted { 100.0 } else { 0.0 };
        }
        self.weights.get(index).map_or(100.0, |weight| (100.0 * weight / self.most).clamp(0.0, 100.0))
    }
}

/// The templates of an analysis in words.
fn analysis_words(analysis: &Value) -> String {
    let templates = look::list(analysis, "/templates").iter();
    let names: Vec<String> = templates
        .map(|template| {
            let own = look::text(template, "/templateName");
            clean_name(if own.is_empty() { look::text(template, "/clusterTemplateName") } else { own })
        })
        .collect();
    format!("analysis {}", names.join(", ")).trim_end().to_owned()
}
