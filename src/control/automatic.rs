//! What wardroom may do by itself: a pure decision, and the memory that it needs. Off unless configured.

use std::collections::BTreeMap;

use super::sight::{ModelSight, Sight, Valued};
use crate::config::control::{AutoConfig, AutoLevel};
use crate::config::{Config, fleet};
use crate::domain::act::Operation;
use crate::domain::limits::{MIN_FOR_ERRORS, MIN_REQUESTS};
use crate::domain::{ModelId, Situation, Time, Version};
use crate::judge::Decision;

/// For how long something bad must stand, when the config does not say, seconds.
const STANDS_S: f64 = 30.0;
/// For how long nothing is done after an act, when the config does not say, seconds.
const COOL_DOWN_S: f64 = 3_600.0;
/// A value that is older than this says nothing of now, seconds.
const FRESH_S: f64 = 90.0;

/// What is remembered of one model between two sights.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// What is bad now and since when.
    bad: Option<(Version, Time)>,
    /// The last act done by itself.
    acted: Option<Time>,
    /// The stable version as it was seen last, and the canary beside it.
    last: Option<(Version, Option<Version>)>,
    /// The last promotion that was seen: from, to, when.
    promoted: Option<(Version, Version, Time)>,
    /// The words that were said last, so that they are said once.
    said: Option<Version>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// Nothing.
    Nothing,
    /// Say so.
    Advise(String),
    /// Do it, because.
    Act(Operation, String),
}

/// Decides for one model from what is seen now. `watch_s`: for how long after a promotion it may be undone.
pub fn decide(
    config: &AutoConfig,
    sight: &ModelSight,
    memory: &mut Memory,
    watch_s: f64,
    now: Time,
) -> Choice {
    let rollout = &sight.rollout;
    let live = rollout.is_live().then(|| rollout.canary.clone()).flatten();
    remember(memory, &rollout.stable, live.as_ref(), now);
    let suspect = live.clone().or_else(|| {
        let (_, to, at) = memory.promoted.as_ref()?;
        (*to == rollout.stable && (now - *at).as_seconds_f64() <= watch_s).then(|| to.clone())
    });
    let is_over =
        matches!(rollout.situation, Situation::Aborting | Situation::Aborted | Situation::RollingBack);
    let found =
        suspect.filter(|_| !is_over).and_then(|version| Some((bad(config, sight, &live, now)?, version)));
    let Some((why, version)) = found else {
        memory.bad = None;
        memory.said = None;
        return Choice::Nothing;
    };
    let since = match &memory.bad {
        Some((known, since)) if *known == version => *since,
        _ => now,
    };
    memory.bad = Some((version.clone(), since));
    let stands_s = config.stands_for.map_or(STANDS_S, crate::config::duration::Span::as_secs_f64);
    if (now - since).as_seconds_f64() < stands_s {
        return Choice::Nothing;
    }
    let back = memory.promoted.as_ref().map(|(from, ..)| from.clone());
    let operation = match (&live, back) {
        (Some(_), _) => Operation::Abort,
        (None, Some(to)) => Operation::RollBack { to },
        (None, None) => return Choice::Nothing,
    };
    let words = format!("{} {version}: {why}, for {:.0} s", operation.verb(), (now - since).as_seconds_f64());
    let allowed = match (&operation, config.auto) {
        (_, AutoLevel::Advise) => false,
        (Operation::Abort, AutoLevel::Abort | AutoLevel::Rollback) => true,
        (_, level) => level == AutoLevel::Rollback,
    };
    let cool_s = config.cool_down.map_or(COOL_DOWN_S, crate::config::duration::Span::as_secs_f64);
    let cools = memory.acted.map(|at| cool_s - (now - at).as_seconds_f64()).filter(|left| *left > 0.0);
    if allowed && cools.is_none() {
        memory.acted = Some(now);
        memory.bad = None;
        return Choice::Act(operation, words);
    }
    if memory.said.as_ref() == Some(&version) {
        return Choice::Nothing;
    }
    memory.said = Some(version);
    Choice::Advise(match cools.filter(|_| allowed) {
        Some(left) => format!("would {words}; nothing is done for {left:.0} s after the last automatic act"),
        None => format!("would {words}"),
    })
}

/// Keeps what the stable version was before a promotion.
fn remember(memory: &mut Memory, stable: &Version, canary: Option<&Version>, now: Time) {
    if let Some((was, trial)) = &memory.last
        && was != stable
        && trial.as_ref() == Some(stable)
    {
        memory.promoted = Some((was.clone(), stable.clone(), now));
    }
    // A canary that is gone in the same moment as it becomes stable may be seen in two steps.
    let trial = canary.cloned().or_else(|| {
        let (was, trial) = memory.last.as_ref()?;
        trial.clone().filter(|_| was == stable)
    });
    memory.last = Some((stable.clone(), trial));
}

/// What is bad about the version under suspicion, in words.
fn bad(config: &AutoConfig, sight: &ModelSight, live: &Option<Version>, now: Time) -> Option<String> {
    let fresh = |at: Time| (now - at).as_seconds_f64() <= FRESH_S;
    if live.is_some()
        && let Some(verdict) = &sight.verdict
        && verdict.decision == Decision::Abort
        && fresh(verdict.at)
    {
        return Some(verdict.line.clone());
    }
    let beyond = |limit: Option<f64>, valued: Option<Valued>, few: u64| {
        let (limit, valued) = (limit?, valued?);
        let enough = valued.samples.is_none_or(|samples| samples >= few);
        (valued.value > limit && enough && fresh(valued.at)).then_some((valued.value, limit))
    };
    let errors = beyond(config.error_rate, sight.errors, MIN_FOR_ERRORS);
    let p95 = beyond(config.latency_p95, sight.p95, MIN_REQUESTS);
    errors
        .map(|(value, limit)| format!("errors {value:.2} % > {limit} %"))
        .or_else(|| p95.map(|(value, limit)| format!("p95 {value:.0} ms > {limit:.0}")))
}

/// One thing to do or to say.
pub(super) struct Step {
    pub model: ModelId,
    /// None: only say it.
    pub operation: Option<Operation>,
    pub words: String,
    pub evidence: String,
}

/// The models that wardroom may act on by itself.
pub(super) struct Automat {
    armed: BTreeMap<ModelId, (AutoConfig, Memory)>,
    watch_s: f64,
    read_only: bool,
}

impl Automat {
    pub(super) fn new(config: &Config) -> Self {
        let armed = config.model.iter().filter_map(|model| {
            Some((fleet::model_id(config, model), (model.automatic.clone()?, Memory::default())))
        });
        Self {
            armed: armed.collect(),
            watch_s: config.control.watch.as_secs_f64(),
            read_only: config.control.read_only,
        }
    }

    pub(super) fn is_armed(&self) -> bool {
        !self.armed.is_empty()
    }

    /// Looks at every armed model that nothing is being done to.
    pub(super) fn look(&mut self, sight: &Sight, now: Time, busy: &dyn Fn(&ModelId) -> bool) -> Vec<Step> {
        let mut steps = Vec::new();
        for (model, (config, memory)) in &mut self.armed {
            let Some(seen) = sight.model(model).filter(|_| !busy(model)) else { continue };
            let evidence = seen.verdict.as_ref().map_or_else(|| seen.why.clone(), |v| v.line.clone());
            let (operation, words) = match decide(config, seen, memory, self.watch_s, now) {
                Choice::Nothing => continue,
                Choice::Advise(words) => (None, words),
                Choice::Act(_, words) if self.read_only => (None, format!("would {words}; read-only")),
                Choice::Act(operation, words) => (Some(operation), words),
            };
            steps.push(Step { model: model.clone(), operation, words, evidence });
        }
        steps
    }
}

#[cfg(test)]
#[path = "automatic_tests.rs"]
mod tests;
