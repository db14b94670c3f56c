//! Objects that were recorded from a real cluster, for tests: the first of a list is the one in question.

use serde_json::Value;

use super::{Around, Kind, Naming};
use crate::domain::{Rollout, Time};

/// A recorded state.
pub(crate) struct Recorded {
    pub object: Value,
    pub around: Around,
}

impl Recorded {
    pub fn of(text: &str) -> Self {
        let whole: Value = serde_json::from_str(text).unwrap();
        let mut around = Around::default();
        let Some(items) = whole.get("items").and_then(Value::as_array) else {
            return Self { object: whole, around };
        };
        for item in &items[1..] {
            let plural = match item["kind"].as_str().unwrap() {
                "ReplicaSet" => "replicasets",
                "AnalysisRun" => "analysisruns",
                "HorizontalPodAutoscaler" => "horizontalpodautoscalers",
                other => panic!("{other}"),
            };
            let part = |key: &str| item["metadata"][key].as_str().unwrap();
            around.put(plural, part("namespace"), part("name"), item.clone().into());
        }
        Self { object: items[0].clone(), around }
    }

    pub fn read(&self, kind: &dyn Kind, now: &str) -> Rollout {
        kind.read(&self.object, &self.around, &Naming::default(), at(now)).unwrap()
    }

    /// Changes the object in question.
    pub fn set(mut self, pointer: &str, value: Value) -> Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        self.object.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.into(), value);
        self
    }
}

pub(crate) fn at(text: &str) -> Time {
    text.parse().unwrap()
}
