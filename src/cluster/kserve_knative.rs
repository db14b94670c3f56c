//! KServe in Knative mode: one percent for the newest revision, the rest for the one that was rolled out before.

use serde_json::Value;

use super::inferenceservice::conditions;
use super::look::{self, percent};
use super::{Around, Naming, ladder};
use crate::domain::{Level, Revision, Rollout, Situation, Version};

/// The revisions of a predictor, by name; empty where the status names none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    /// The newest one, ready or not.
    pub created: String,
    /// The newest one that is ready: traffic for "the latest" goes here.
    pub ready: String,
    /// The last one that had all traffic.
    pub rolled_out: String,
    /// The one before it.
    pub previous: String,
    /// `canaryTrafficPercent` of the spec.
    pub percent: Option<f64>,
}

impl Names {
    /// What the object says.
    pub fn of(object: &Value) -> Self {
        let name = |key: &str| look::text(object, &format!("/status/components/predictor/{key}")).to_owned();
        Self {
            created: name("latestCreatedRevision"),
            ready: name("latestReadyRevision"),
            rolled_out: name("latestRolledoutRevision"),
            previous: name("previousRolledoutRevision"),
            percent: look::number(object, "/spec/predictor/canaryTrafficPercent"),
        }
    }

    /// The revision under trial: the newest one, when it is not the one that is rolled out.
    pub fn canary(&self) -> Option<&str> {
        let trial =
            !self.created.is_empty() && !self.rolled_out.is_empty() && self.created != self.rolled_out;
        trial.then_some(self.created.as_str())
    }

    /// Whether the newest revision can take traffic.
    pub fn serves(&self) -> bool {
        !self.created.is_empty() && self.created == self.ready
    }

    /// The revision that 0 percent after a finished promotion goes back to.
    pub fn before(&self) -> Option<&str> {
        (!self.previous.is_empty() && self.previous != self.rolled_out).then_some(self.previous.as_str())
    }
}

/// The share of a revision by its name, percent, as the routes of Knative report it.
pub fn traffic(object: &Value, revision: &str) -> f64 {
    let targets = look::list(object, "/status/components/predictor/traffic").iter();
    let of_it = targets.filter(|target| look::text(target, "/revisionName") == revision);
    of_it.filter_map(|target| look::number(target, "/percent")).sum()
}

/// The model version of a revision: of its Knative object by the mapping, else its name.
pub fn version(object: &Value, revision: &str, around: &Around, naming: &Naming) -> Version {
    let found = around.get("revisions", look::namespace(object), revision);
    let version = found.and_then(|found| look::version(found, &naming.version_from));
    version.unwrap_or_else(|| Version::new(if revision.is_empty() { "unknown" } else { revision }))
}

/// What the object means.
pub(super) fn read(object: &Value, around: &Around, naming: &Naming) -> Rollout {
    let names = Names::of(object);
    let stable = if names.rolled_out.is_empty() { &names.ready } else { &names.rolled_out };
    let mut rollout = Rollout::of("KServe (Knative)", version(object, stable, around, naming));
    rollout.steps = ladder::steps(&naming.ladder);
    ladder::cannot(&mut rollout);
    let known = !look::list(object, "/status/components/predictor/traffic").is_empty();
    place(&mut rollout, object, &names, known);
    rollout.canary = names.canary().map(|canary| version(object, canary, around, naming));
    rollout.revisions = revisions(object, &names, around, naming);
    let first = names.rolled_out.is_empty() && !names.created.is_empty();
    if first {
        let why = "the first revision has nobody to share with: any percent gives it all traffic; \
                   deploy the next model with a percent in the same patch";
        for verb in ["promote", "promote-full", "abort", "weight", "retry", "rollback"] {
            rollout.cannot.push((verb.into(), why.into()));
        }
    }
    conditions(&mut rollout, object);
    rollout.phase = rollout.situation.phase();
    rollout
}

fn place(rollout: &mut Rollout, object: &Value, names: &Names, known: bool) {
    let Some(canary) = names.canary() else {
        rollout.situation = if names.created != names.ready || names.created.is_empty() {
            Situation::Starting
        } else {
            Situation::Idle
        };
        if let Some(left) = names.percent {
            rollout.message = format!("canaryTrafficPercent {left:.0} stands ready for the next model");
        } else if rollout.situation == Situation::Idle {
            rollout.message = "without canaryTrafficPercent the next model gets all traffic at once".into();
        }
        return;
    };
    let asked = names.percent.unwrap_or(100.0).clamp(0.0, 100.0);
    let set = traffic(object, canary);
    rollout.asked = asked;
    rollout.set = known.then_some(set);
    rollout.step = ladder::position(&rollout.steps, asked);
    if !names.serves() {
        rollout.situation = Situation::Starting;
        if look::text(object, "/status/modelStatus/transitionStatus") == "BlockedByFailedLoad" {
            rollout.situation = Situation::Degraded;
        }
        let goes = if names.ready.is_empty() { "nobody" } else { &names.ready };
        rollout.message =
            format!("canary not serving: {canary} is not ready, its {} goes to {goes}", percent(asked));
        let words = rollout.message.clone();
        rollout.conditions.push(look::says(Level::Critical, words));
    } else if names.percent.is_none() || asked >= 99.95 {
        rollout.situation = Situation::Promoting;
        rollout.message = format!("{canary} takes all traffic, {} by now", percent(set));
    } else if asked <= 0.05 {
        rollout.situation = Situation::Aborted;
        rollout.message = format!("{canary} has 0 %: aborted, or not begun; Y begins the ladder");
    } else {
        ladder::stays(rollout, asked);
        if known && (set - asked).abs() >= 0.5 {
            let words =
                format!("asked {}, the route of Knative has {} for {canary}", percent(asked), percent(set));
            rollout.conditions.push(look::says(Level::Warning, words));
        }
    }
}

fn revisions(object: &Value, names: &Names, around: &Around, naming: &Naming) -> Vec<Revision> {
    let mut order = vec![&names.created, &names.ready, &names.rolled_out, &names.previous];
    let mut seen = std::collections::BTreeSet::new();
    order.retain(|name| !name.is_empty() && seen.insert(name.as_str()));
    let namespace = look::namespace(object);
    let canary = names.canary();
    order
        .into_iter()
        .map(|name| {
            let found = around.get("revisions", namespace, name);
            let model = found.and_then(|found| {
                look::annotation(found, "internal.serving.kserve.io/storage-initializer-sourceuri")
            });
            let count = |key: &str| {
                found.and_then(|found| look::count(found, &format!("/status/{key}"))).unwrap_or(0)
            };
            Revision {
                hash: name.clone(),
                version: Some(version(object, name, around, naming)),
                images: model.map(str::to_owned).into_iter().collect(),
                created: found.and_then(|found| look::moment(found, "/metadata/creationTimestamp")),
                is_stable: *name == names.rolled_out,
                is_canary: canary == Some(name.as_str()),
                pods: (count("actualReplicas"), count("desiredReplicas")),
                ..Revision::default()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::act::Operation;

    fn fixture() -> Value {
        serde_json::from_str(include_str!("../../fixtures/kubernetes/kserve/knative-canary.json")).unwrap()
    }

    fn of(object: &Value) -> Rollout {
        let naming = Naming { ladder: vec![5.0, 10.0, 25.0, 50.0, 100.0], ..Naming::default() };
        read(object, &Around::default(), &naming)
    }

    #[test]
    fn a_canary_at_ten_percent() {
        let rollout = of(&fixture());
        assert_eq!(rollout.stable.as_str(), "als-predictor-00001");
        assert_eq!(rollout.canary.as_ref().unwrap().as_str(), "als-predictor-00002");
        assert_eq!((rollout.asked, rollout.set, rollout.step), (10.0, Some(10.0), 1));
        assert_eq!((rollout.situation, rollout.waits), (Situation::PausedByStep, true));
        assert!(rollout.cannot.iter().any(|(verb, why)| verb == "pause" && why.contains("by itself")));
        assert!(rollout.revisions.iter().any(|revision| revision.is_canary));
    }

    #[test]
    fn percent_to_a_revision_that_is_not_ready_serves_nobody() {
        let mut object = fixture();
        object["status"]["components"]["predictor"]["latestReadyRevision"] = json!("als-predictor-00001");
        object["status"]["components"]["predictor"]["traffic"] = json!([
            {"latestRevision": true, "percent": 10, "revisionName": "als-predictor-00001"},
            {"latestRevision": false, "percent": 90, "revisionName": "als-predictor-00001", "tag": "prev"}]);
        let rollout = of(&object);
        assert_eq!((rollout.asked, rollout.set), (10.0, Some(0.0)));
        assert!(rollout.message.starts_with("canary not serving"), "{}", rollout.message);
        object["status"]["modelStatus"]["transitionStatus"] = json!("BlockedByFailedLoad");
        assert_eq!(of(&object).situation, Situation::Degraded);
        assert_eq!(of(&object).conditions[0].level, Level::Critical);
    }

    #[test]
    fn zero_is_aborted_and_none_promotes() {
        let mut object = fixture();
        object["spec"]["predictor"]["canaryTrafficPercent"] = json!(0);
        assert_eq!(of(&object).situation, Situation::Aborted);
        object["spec"]["predictor"]["canaryTrafficPercent"] = Value::Null;
        assert_eq!((of(&object).situation, of(&object).asked), (Situation::Promoting, 100.0));
        let predictor = &mut object["status"]["components"]["predictor"];
        predictor["latestRolledoutRevision"] = json!("als-predictor-00002");
        predictor["previousRolledoutRevision"] = json!("als-predictor-00001");
        let done = of(&object);
        assert_eq!((done.situation, done.canary), (Situation::Idle, None));
        assert!(done.message.contains("all traffic at once"), "{}", done.message);
        assert_eq!(Names::of(&object).before(), Some("als-predictor-00001"));
    }

    #[test]
    fn the_first_revision_has_no_predecessor() {
        let mut object = fixture();
        let predictor = &mut object["status"]["components"]["predictor"];
        *predictor = json!({"latestCreatedRevision": "als-predictor-00001"});
        let rollout = of(&object);
        assert_eq!((rollout.situation, rollout.canary.clone()), (Situation::Starting, None));
        assert!(
            rollout.refuses(&Operation::SetWeight { percent: 5.0 }).is_some_and(|why| why.contains("first"))
        );
    }
}
