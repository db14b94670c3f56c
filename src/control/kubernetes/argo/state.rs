//! A Rollout object in the words of its controller.

use serde_json::Value;

use crate::control::kubernetes::facts;
use crate::domain::act::Known;

/// What abort, pause and promote rest on.
pub const FACTS: [&str; 8] = [
    "metadata.uid",
    "status.currentPodHash",
    "status.stableRS",
    "status.currentStepIndex",
    "spec.paused",
    "status.pauseConditions",
    "status.abort",
    "status.promoteFull",
];

/// A Rollout.
#[derive(Debug, Clone, Copy)]
pub struct State<'a>(pub &'a Value);

impl<'a> State<'a> {
    fn at(self, pointer: &str) -> Option<&'a Value> {
        self.0.pointer(pointer)
    }

    fn flag(self, pointer: &str) -> bool {
        self.at(pointer).and_then(Value::as_bool) == Some(true)
    }

    fn text(self, pointer: &str) -> &'a str {
        self.at(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(self, pointer: &str) -> Option<u64> {
        self.at(pointer).and_then(Value::as_u64)
    }

    /// Held by hand.
    pub fn held(self) -> bool {
        self.flag("/spec/paused")
    }

    /// Aborted.
    pub fn aborted(self) -> bool {
        self.flag("/status/abort")
    }

    /// Being promoted whole.
    pub fn promoting(self) -> bool {
        self.flag("/status/promoteFull")
    }

    /// The controller is in a pause, or has not digested that it was released.
    pub fn controller_pause(self) -> bool {
        self.flag("/status/controllerPause")
    }

    /// The hash that the manifest wants.
    pub fn wanted(self) -> &'a str {
        self.text("/status/currentPodHash")
    }

    /// The hash that is stable.
    pub fn stable(self) -> &'a str {
        self.text("/status/stableRS")
    }

    /// Whether nothing is in progress: the wanted one is the stable one.
    pub fn is_done(self) -> bool {
        self.wanted() == self.stable()
    }

    /// The controller's phase.
    pub fn phase(self) -> &'a str {
        self.text("/status/phase")
    }

    /// The controller's message.
    pub fn message(self) -> &'a str {
        self.text("/status/message")
    }

    /// Whether the status is about the spec as it is now. `observedGeneration` is a text here.
    pub fn is_observed(self) -> bool {
        let generation = self.number("/metadata/generation").map(|number| number.to_string());
        generation.as_deref() == Some(self.text("/status/observedGeneration"))
    }

    /// Reasons of the controller's own pauses.
    pub fn pauses(self) -> Vec<&'a str> {
        let all = self.at("/status/pauseConditions").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|pause| pause.get("reason")?.as_str()).collect()
    }

    /// A promotion was accepted and overwritten from the controller's older cache, or is not digested yet: paused,
    /// and no pause to release.
    pub fn is_lost(self) -> bool {
        self.controller_pause()
            && self.pauses().is_empty()
            && !self.held()
            && !self.aborted()
            && !self.promoting()
            && !self.is_done()
    }

    /// An abort or a full promotion was accepted and not taken: its flag is there, and the step's pause goes on. Measured
    /// with 1.9.1: within some 50 ms after a pause begins nearly every one is lost; any write to the object wakes it.
    pub fn is_ignored(self) -> bool {
        let flag = self.aborted() || self.promoting();
        flag && self.phase() == "Paused" && self.controller_pause() && !self.held() && !self.is_done()
    }

    /// The step's analysis could not tell.
    pub fn is_inconclusive(self) -> bool {
        self.text("/status/canary/currentStepAnalysisRunStatus/status") == "Inconclusive"
            || self.pauses().iter().any(|reason| reason.starts_with("Inconclusive"))
    }

    /// An analysis that is running, by its name.
    pub fn analysis(self) -> Option<&'a str> {
        ["Step", "Background"].into_iter().find_map(|kind| {
            let run = self.at(&format!("/status/canary/current{kind}AnalysisRunStatus"))?;
            let running = matches!(run.get("status")?.as_str()?, "Running" | "Pending");
            if running { run.get("name")?.as_str() } else { None }
        })
    }

    /// Whether it is blue-green: no steps, two sides.
    pub fn is_blue_green(self) -> bool {
        self.at("/spec/strategy/blueGreen").is_some()
    }

    /// The hash that a blue-green one sends traffic to.
    pub fn active(self) -> &'a str {
        self.text("/status/blueGreen/activeSelector")
    }

    /// The steps.
    pub fn steps(self) -> &'a [Value] {
        self.at("/spec/strategy/canary/steps").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The current step; the number of steps when all are done.
    pub fn index(self) -> Option<usize> {
        self.number("/status/currentStepIndex").map(|index| usize::try_from(index).unwrap_or(usize::MAX))
    }

    /// What kind of step is current: `pause`, `setWeight`, `analysis`, …
    pub fn step_kind(self) -> Option<&'a str> {
        let step = self.steps().get(self.index()?)?.as_object()?;
        step.keys().next().map(String::as_str)
    }

    /// How long the current step pauses, seconds; `None` without an end or when it is no pause.
    pub fn pause_s(self) -> Option<f64> {
        seconds(self.steps().get(self.index()?)?.get("pause")?.get("duration")?)
    }

    /// Whether traffic goes through a router; else the weight is the share of pods.
    pub fn is_routed(self) -> bool {
        self.at("/spec/strategy/canary/trafficRouting").is_some()
    }

    /// The weight that the steps ask for at a step, percent: the last one set at or before it.
    pub fn weight_at(self, index: usize) -> f64 {
        let steps = self.steps();
        if index >= steps.len() {
            return 100.0;
        }
        let set = steps[..=index].iter().rev().find_map(|step| step.get("setWeight")?.as_f64());
        set.unwrap_or(0.0)
    }

    /// Where it stops next after this step: the next pause, analysis or experiment, or the end.
    pub fn next_stop(self, after: usize) -> usize {
        let steps = self.steps();
        let stops = |step: &Value| {
            ["pause", "analysis", "experiment", "plugin"].iter().any(|kind| step.get(kind).is_some())
        };
        (after + 1..steps.len()).find(|index| stops(&steps[*index])).unwrap_or(steps.len())
    }

    /// The weight that was set on the router, percent.
    pub fn routed_weight(self) -> Option<f64> {
        self.at("/status/canary/weights/canary/weight").and_then(Value::as_f64)
    }

    /// Pods that are wanted.
    pub fn replicas(self) -> u64 {
        self.number("/spec/replicas").unwrap_or(1)
    }

    /// How long the pods of an aborted canary are kept, seconds; 0 means for ever.
    pub fn abort_delay_s(self) -> f64 {
        let kind = if self.is_blue_green() { "blueGreen" } else { "canary" };
        let told = self.number(&format!("/spec/strategy/{kind}/abortScaleDownDelaySeconds"));
        match (told, self.is_routed() || self.is_blue_green()) {
            (Some(seconds), true) => u32::try_from(seconds).map_or(f64::MAX, f64::from),
            (None, true) => 30.0,
            (_, false) => -1.0,
        }
    }

    /// Whether the stable pods were scaled down as the canary grew.
    pub fn is_stable_scaled(self) -> bool {
        self.flag("/spec/strategy/canary/dynamicStableScale")
    }

    /// How many revisions back a rollback is fast; 0 for none.
    pub fn rollback_window(self) -> u64 {
        self.number("/spec/rollbackWindow/revisions").unwrap_or(0)
    }

    /// The condition of this type: its reason and message.
    pub fn condition(self, kind: &str) -> Option<(&'a str, &'a str)> {
        let all = self.at("/status/conditions")?.as_array()?;
        let found = all.iter().find(|one| one.get("type").and_then(Value::as_str) == Some(kind))?;
        let text = |key: &str| found.get(key).and_then(Value::as_str).unwrap_or_default();
        Some((text("reason"), text("message")))
    }

    /// Where it stands, in words.
    pub fn words(self) -> &'static str {
        if self.is_done() {
            "all traffic"
        } else if self.aborted() {
            "aborted"
        } else if self.promoting() {
            "being promoted"
        } else if self.held() {
            "held by hand"
        } else if self.is_lost() {
            "promotion lost"
        } else if self.is_inconclusive() {
            "analysis inconclusive"
        } else if !self.pauses().is_empty() {
            "paused by its step"
        } else {
            "progressing"
        }
    }

    /// Facts of these names, as they are.
    pub fn facts(self, names: &[&str]) -> Vec<Known> {
        facts::gather(self.0, names)
    }
}

/// A duration as the controller reads it: seconds as a number or as digits, or Go's `1h30m`.
pub fn seconds(duration: &Value) -> Option<f64> {
    if let Some(number) = duration.as_f64() {
        return Some(number);
    }
    let text = duration.as_str()?;
    if let Ok(number) = text.parse::<f64>() {
        return Some(number);
    }
    let (mut total, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        total += number
            * match &rest[..end] {
                "h" => 3_600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 0.001,
                _ => return None,
            };
        rest = &rest[end..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn durations_are_read_as_the_controller_reads_them() {
        for (value, expected) in [
            (json!(600), Some(600.0)),
            (json!("30"), Some(30.0)),
            (json!("10m"), Some(600.0)),
            (json!("1h30m"), Some(5_400.0)),
            (json!("soon"), None),
            (json!(null), None),
        ] {
            assert_eq!(seconds(&value), expected, "{value}");
        }
    }

    #[test]
    fn the_example_of_the_contract_is_understood() {
        let object = json!({"metadata": {"generation": 12},
          "spec": {"replicas": 10, "paused": false, "strategy": {"canary": {"trafficRouting": {"istio": {}},
            "steps": [{"setWeight": 5}, {"pause": {"duration": "10m"}}, {"setWeight": 10}, {"pause": {}},
              {"setWeight": 25}, {"analysis": {}}, {"setWeight": 50}, {"pause": {"duration": 600}}]}}},
          "status": {"observedGeneration": "12", "phase": "Paused", "controllerPause": true,
            "pauseConditions": [{"reason": "CanaryPauseStep"}],
            "currentStepIndex": 3, "currentPodHash": "6f7d", "stableRS": "59c8",
            "canary": {"weights": {"canary": {"weight": 10}}}}});
        let state = State(&object);
        assert!(state.is_observed() && state.is_routed() && !state.is_done() && !state.is_lost());
        assert_eq!((state.index(), state.step_kind(), state.pause_s()), (Some(3), Some("pause"), None));
        assert_eq!((state.weight_at(3), state.weight_at(0), state.weight_at(8)), (10.0, 5.0, 100.0));
        assert_eq!((state.next_stop(3), state.next_stop(7)), (5, 8));
        assert_eq!(state.words(), "paused by its step");
        let mut lost = object.clone();
        lost["status"]["pauseConditions"] = json!(null);
        assert!(State(&lost).is_lost());
        lost["spec"]["paused"] = json!(true);
        assert!(!State(&lost).is_lost(), "a hold hides the step's pause");
        // As the controller left it when the flag came within 50 ms of the pause.
        for flag in ["abort", "promoteFull"] {
            let mut ignored = object.clone();
            ignored["status"][flag] = json!(true);
            assert!(State(&ignored).is_ignored(), "{flag}");
            ignored["status"]["phase"] = json!("Degraded");
            assert!(!State(&ignored).is_ignored(), "{flag} was taken");
        }
        assert!(!State(&object).is_ignored());
    }
}
