//! The automatic operator: finds what is bad by what the room shows, and says what to do. Pure; it knows no scenario.

use crate::domain::act::Operation;
use crate::domain::registry::disagreement;
use crate::domain::{Level, ModelId, Phase, Rollout, Situation, Time, Version};
use crate::judge::Decision;
use crate::store::{ModelState, Store};

/// A KPI must be critical for so long before it is acted upon, seconds: some looks, not one.
const HOLDS_S: f64 = 4.0;
/// What changed more recently than this may not have reached every source yet, seconds.
const SETTLES_S: f64 = 6.0;

/// Something bad, and what to do about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Of which model.
    pub model: ModelId,
    /// What to do.
    pub operation: Operation,
    /// Why, in words.
    pub reason: String,
}

/// The first model that something is wrong with, and what brings it back.
pub fn find(store: &Store, now: Time) -> Option<Found> {
    store.models.iter().find_map(|model| of_model(model, now))
}

fn of_model(model: &ModelState, now: Time) -> Option<Found> {
    let rollout = model.rollout.as_ref()?;
    let is_over = matches!(
        rollout.situation,
        Situation::Aborting | Situation::Aborted | Situation::RollingBack | Situation::Promoting
    );
    if is_over {
        return None;
    }
    let found = |operation, reason| Some(Found { model: model.id.clone(), operation, reason });
    if rollout.is_live() {
        let reason = bad_canary(model, rollout, now)?;
        return found(Operation::Abort, reason);
    }
    if let Some((words, production)) = registry(model, rollout, now) {
        let to = production.or_else(|| before(rollout))?;
        return found(Operation::RollBack { to }, words);
    }
    let is_degraded = rollout.phase == Phase::Degraded && rollout.situation == Situation::Degraded;
    let reason = critical(model, now).or_else(|| is_degraded.then(|| told(rollout)))?;
    found(Operation::RollBack { to: before(rollout)? }, reason)
}

/// What is bad about a canary that takes traffic.
fn bad_canary(model: &ModelState, rollout: &Rollout, now: Time) -> Option<String> {
    let verdict = model.verdict().filter(|verdict| verdict.verdict == Decision::Abort);
    if let Some(verdict) = verdict {
        return Some(verdict.line.clone());
    }
    if rollout.situation == Situation::Degraded {
        return Some(told(rollout));
    }
    critical(model, now)
}

/// The words of a rollout that its controller calls failed.
fn told(rollout: &Rollout) -> String {
    let condition = rollout.conditions.iter().max_by_key(|condition| condition.level);
    let words = condition.map_or(rollout.message.as_str(), |condition| condition.text.as_str());
    format!("the rollout is degraded: {words}")
}

/// A limit that is broken, and has been for some looks.
fn critical(model: &ModelState, now: Time) -> Option<String> {
    let since = model.level_since?;
    let holds = model.level == Level::Critical && (now - since).as_seconds_f64() >= HOLDS_S;
    holds.then(|| model.why.clone())
}

/// What a registry says otherwise, with the version that it calls production, by its name on screen.
fn registry(model: &ModelState, rollout: &Rollout, now: Time) -> Option<(String, Option<Version>)> {
    let is_settled = rollout.since.is_none_or(|since| (now - since).as_seconds_f64() >= SETTLES_S);
    if !is_settled {
        return None;
    }
    model.registry.iter().find_map(|(id, entry)| {
        let words = disagreement(rollout, entry)?;
        let production = entry.production.as_ref()?;
        let name = entry.names.get(production).unwrap_or(production).clone();
        let is_kept = rollout.revisions.iter().any(|revision| revision.version.as_ref() == Some(&name));
        Some((format!("{id} {words}"), is_kept.then_some(name)))
    })
}

/// The version before the stable one that is not known to be bad.
fn before(rollout: &Rollout) -> Option<Version> {
    let stable = rollout.revisions.iter().position(|revision| revision.is_stable)?;
    let older = rollout.revisions.get(stable + 1..)?;
    older.iter().find(|revision| revision.known_bad.is_empty()).and_then(|revision| revision.version.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Condition, Limits, ModelKind, RegisteredModel, Revision, SourceId};
    use crate::store::ModelSpec;

    fn at(s: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + s, 0).unwrap()
    }

    fn store(rollout: Rollout) -> Store {
        let kind = ModelKind::Classification;
        let spec = ModelSpec { id: ModelId::new("drill", "heart"), kind, limits: Limits::guide(kind).into() };
        let mut store = Store::new("drill", vec![spec]);
        store.models[0].rollout = Some(rollout);
        store
    }

    fn canary() -> Rollout {
        Rollout {
            canary: Some(Version::new("2")),
            phase: Phase::Paused,
            situation: Situation::PausedByStep,
            asked: 25.0,
            ..Rollout::of("demo", Version::new("1"))
        }
    }

    fn serving(stable: &str) -> Rollout {
        let revision = |name: &str| Revision {
            version: Some(Version::new(name)),
            is_stable: name == stable,
            ..Revision::default()
        };
        Rollout {
            revisions: ["3", "2", "1"].map(revision).into(),
            since: Some(at(0)),
            ..Rollout::of("demo", Version::new(stable))
        }
    }

    #[test]
    fn a_calm_room_is_left_alone() {
        assert_eq!(find(&store(canary()), at(100)), None);
        assert_eq!(find(&store(serving("2")), at(100)), None);
    }

    #[test]
    fn a_limit_must_be_broken_for_some_looks() {
        let mut store = store(canary());
        let model = &mut store.models[0];
        (model.level, model.level_since, model.why) = (Level::Critical, Some(at(10)), "p95 700 ms".into());
        assert_eq!(find(&store, at(12)), None);
        let found = find(&store, at(15)).unwrap();
        assert_eq!((found.operation, found.reason.as_str()), (Operation::Abort, "p95 700 ms"));
        store.models[0].rollout = Some(serving("2"));
        let back = Operation::RollBack { to: Version::new("1") };
        assert_eq!(find(&store, at(15)).map(|found| found.operation), Some(back));
    }

    #[test]
    fn a_degraded_canary_is_aborted_with_the_controllers_words() {
        let text = "pods are not ready".to_owned();
        let rollout = Rollout {
            situation: Situation::Degraded,
            phase: Phase::Degraded,
            conditions: vec![Condition { level: Level::Critical, text }],
            ..canary()
        };
        let found = find(&store(rollout), at(0)).unwrap();
        assert_eq!(found.operation, Operation::Abort);
        assert!(found.reason.contains("pods are not ready"));
    }

    #[test]
    fn a_registry_that_disagrees_leads_back_to_its_version_once_all_is_settled() {
        let mut store = store(serving("3"));
        let name = Version::new;
        let registry = RegisteredModel {
            production: Some(name("12")),
            names: [(name("12"), name("2")), (name("13"), name("3"))].into(),
            ..RegisteredModel::default()
        };
        store.models[0].registry.insert(SourceId::new("mlflow"), registry);
        assert_eq!(find(&store, at(3)), None, "the registry may only be late");
        let back = Operation::RollBack { to: name("2") };
        assert_eq!(find(&store, at(10)).map(|found| found.operation), Some(back));
    }

    #[test]
    fn what_is_being_undone_is_not_undone_again() {
        for situation in [Situation::Aborted, Situation::Aborting, Situation::RollingBack] {
            let mut store = store(Rollout { situation, ..canary() });
            (store.models[0].level, store.models[0].level_since) = (Level::Critical, Some(at(0)));
            assert_eq!(find(&store, at(100)), None, "{situation:?}");
        }
    }
}
