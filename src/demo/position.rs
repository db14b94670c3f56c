//! Where a rollout of the demo stands, and where an act or the clock leads it. Pure: servers only ask.

use std::collections::BTreeMap;

use super::story::{Canary, STEPS};
use crate::domain::Situation;
use crate::domain::act::Operation;

/// How long pods take to start, and traffic to move to them, real seconds.
pub const PODS_S: f64 = 1.0;
/// How long a step pauses, story seconds.
pub const STEP_S: f64 = 60.0;
/// The step whose pause only a person ends.
const MANUAL: f64 = 25.0;

/// Where one rollout stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// Index of the version that serves.
    pub stable: usize,
    /// Index of the version under trial, or of the one that was aborted.
    pub canary: Option<usize>,
    /// Index of the step, from 0; the number of steps when done.
    pub step: usize,
    /// Weight asked for, percent.
    pub weight: f64,
    /// Where it stands.
    pub situation: Situation,
    /// Since when, story seconds.
    pub since: f64,
    /// When the clock moves it on, story seconds.
    pub until: Option<f64>,
    /// What was held by hand, and what was left of its timer.
    held: Option<(Situation, Option<f64>)>,
    /// The version that a roll-back leads to.
    pub to: Option<usize>,
    /// What the controller says.
    pub message: String,
    /// Versions known to be bad, with why and since when (story seconds).
    pub bad: BTreeMap<usize, (&'static str, f64)>,
}

impl Position {
    /// As the story tells it. `stable` is the index of the version that serves at the story's beginning.
    pub fn told(stable: usize, canary: Canary) -> Self {
        let next = stable + 1;
        let (stable, trial, situation) = match canary.phase {
            "healthy" => (next, None, Situation::Complete),
            "aborted" => (stable, Some(next), Situation::Aborted),
            "paused" => (stable, Some(next), Situation::PausedByStep),
            "idle" => (stable, None, Situation::Complete),
            _ => (stable, Some(next), Situation::Progressing),
        };
        let bad = trial.filter(|_| situation == Situation::Aborted);
        Self {
            stable,
            canary: trial,
            step: canary.step,
            weight: canary.weight,
            situation,
            since: canary.since,
            until: canary.until,
            held: None,
            to: None,
            message: canary.message.into(),
            bad: bad.map(|version| (version, ("aborted", canary.since))).into_iter().collect(),
        }
    }

    /// The version under trial with its share of traffic 0…1, while it takes any.
    pub fn trial(&self) -> Option<(usize, f64)> {
        let live =
            !matches!(self.situation, Situation::Aborted | Situation::Complete | Situation::RollingBack);
        self.canary.filter(|_| live).map(|version| (version, self.weight / 100.0))
    }

    /// Whether it is the same but for clocks and words.
    pub fn is_like(&self, other: &Self) -> bool {
        let key = |p: &Self| (p.stable, p.canary, p.step, p.weight.to_bits(), p.situation, p.to);
        key(self) == key(other)
    }

    /// Where the clock has led it at `t`; `pods_s` is how long pods take to start, story seconds.
    pub fn at(mut self, t: f64, pods_s: f64) -> Self {
        // Every turn moves the clock on by a step or more, and the steps end.
        while let Some(until) = self.until.filter(|&until| t >= until) {
            self = self.moved_on(until, pods_s);
        }
        self
    }

    fn moved_on(self, at: f64, pods_s: f64) -> Self {
        match (self.situation, self.to, self.canary) {
            (Situation::RollingBack, Some(to), _) => self.settled_on(to, at, "rolled back"),
            (Situation::Promoting, _, Some(canary)) => self.settled_on(canary, at, "promoted"),
            (Situation::Progressing, ..) => self.next(at, pods_s),
            (Situation::PausedByStep, ..) => {
                self.aborted(at, "nobody decided in time: all traffic back to stable")
            }
            _ => Self { until: None, ..self },
        }
    }

    fn settled_on(self, version: usize, at: f64, message: &str) -> Self {
        Self {
            stable: version,
            canary: None,
            step: STEPS.len(),
            weight: 100.0,
            situation: Situation::Complete,
            since: at,
            until: None,
            held: None,
            to: None,
            message: message.into(),
            ..self
        }
    }

    fn aborted(mut self, at: f64, message: &str) -> Self {
        if let Some(canary) = self.canary {
            self.bad.insert(canary, ("aborted", at));
        }
        Self {
            step: STEPS.len(),
            weight: 0.0,
            situation: Situation::Aborted,
            since: at,
            until: None,
            held: None,
            message: message.into(),
            ..self
        }
    }

    fn on_step(self, step: usize, at: f64, pods_s: f64) -> Self {
        let Some(&weight) = STEPS.get(step).filter(|&&weight| weight < 100.0) else {
            return self.promoting(at, pods_s);
        };
        let waits = weight == MANUAL;
        Self {
            step,
            weight,
            situation: if waits { Situation::PausedByStep } else { Situation::Progressing },
            since: at,
            until: (!waits).then_some(at + STEP_S),
            held: None,
            message: if waits { "waits for a person" } else { "watching p95 and errors" }.into(),
            ..self
        }
    }

    fn next(self, at: f64, pods_s: f64) -> Self {
        let step = self.step + 1;
        self.on_step(step, at, pods_s)
    }

    fn promoting(self, at: f64, pods_s: f64) -> Self {
        Self {
            step: STEPS.len() - 1,
            weight: 100.0,
            situation: Situation::Promoting,
            since: at,
            until: Some(at + pods_s),
            held: None,
            message: "all traffic goes to the new version".into(),
            ..self
        }
    }

    /// A version begins its trial at the step whose pause only a person ends.
    pub fn trying(self, canary: usize, at: f64, pods_s: f64) -> Self {
        let step = STEPS.iter().position(|&weight| weight == MANUAL).unwrap_or(0);
        Self { canary: Some(canary), to: None, ..self }.on_step(step, at, pods_s)
    }

    /// A version is wanted whose pods do not become ready: no traffic goes to it.
    pub fn never_ready(self, canary: usize, at: f64) -> Self {
        Self {
            canary: Some(canary),
            step: 0,
            weight: 0.0,
            situation: Situation::Degraded,
            since: at,
            until: None,
            held: None,
            to: None,
            message: "progress deadline exceeded: pods of the new version are not ready".into(),
            ..self
        }
    }

    /// One version serves, nothing is on trial, and nothing is known to be bad.
    pub fn in_service(self, version: usize, at: f64, message: &str) -> Self {
        Self { bad: BTreeMap::new(), ..self.settled_on(version, at, message) }
    }

    /// Why this controller cannot do an act now; `None` when it can.
    pub fn refuses(&self, act: &Operation) -> Option<&'static str> {
        let live = self.trial().is_some();
        let by_hand = self.situation == Situation::PausedByHand;
        let moving = matches!(self.situation, Situation::Promoting | Situation::RollingBack);
        Some(match act {
            Operation::Abort if self.situation == Situation::Aborted => "it is aborted already",
            Operation::Abort if !live => "no canary is live",
            Operation::Abort => return None,
            _ if moving => "pods are starting; wait a second",
            Operation::Retry if self.situation != Situation::Aborted => "nothing was aborted",
            Operation::Retry | Operation::RollBack { .. } => return None,
            _ if !live => "no canary is live",
            Operation::Pause if by_hand => "it is held already",
            Operation::Resume if self.situation == Situation::PausedByStep => {
                "this is a step's own pause; promote releases it"
            }
            Operation::Resume if !by_hand => "nobody holds it",
            Operation::Promote if by_hand => "it is held by hand; resume first, then promote",
            _ => return None,
        })
    }

    /// Where an act leads to at `t`, or why it cannot be done. `to` is the version of a roll-back.
    pub fn acted(
        &self,
        act: &Operation,
        to: Option<usize>,
        t: f64,
        pods_s: f64,
    ) -> Result<Self, &'static str> {
        if let Some(why) = self.refuses(act) {
            return Err(why);
        }
        let now = self.clone();
        Ok(match act {
            Operation::Pause => now.holding(t, "held by hand"),
            Operation::Resume => {
                let (situation, left) = now.held.unwrap_or((Situation::Progressing, Some(STEP_S)));
                let until = left.map(|left| t + left);
                Self { situation, since: t, until, held: None, message: "released by hand".into(), ..now }
            }
            Operation::Promote => now.next(t, pods_s),
            Operation::PromoteFull => now.promoting(t, pods_s),
            Operation::Abort => now.aborted(t, "aborted by hand: all traffic on stable"),
            Operation::Retry => now.on_step(0, t, pods_s),
            Operation::SetWeight { percent } => {
                let step = STEPS.iter().rposition(|weight| weight <= percent).unwrap_or(0);
                let held = Self { step, weight: *percent, situation: Situation::Progressing, ..now };
                let held = Self { until: Some(t + STEP_S), ..held };
                held.holding(t, "weight set by hand; resume goes on with the steps")
            }
            Operation::RollBack { .. } => match to {
                Some(to) if to == now.stable && self.trial().is_none() && now.canary.is_none() => now,
                Some(to) => now.rolling_back(to, t, pods_s),
                None => return Err("no such version is kept"),
            },
        })
    }

    fn holding(self, t: f64, message: &str) -> Self {
        let held = Some((self.situation, self.until.map(|until| (until - t).max(0.0))));
        Self {
            situation: Situation::PausedByHand,
            since: t,
            until: None,
            held,
            message: message.into(),
            ..self
        }
    }

    fn rolling_back(mut self, to: usize, t: f64, pods_s: f64) -> Self {
        for version in [Some(self.stable), self.canary].into_iter().flatten() {
            if version > to {
                self.bad.entry(version).or_insert(("rolled back from", t));
            }
        }
        self.bad.remove(&to);
        Self {
            canary: None,
            step: STEPS.len(),
            weight: 0.0,
            situation: Situation::RollingBack,
            since: t,
            until: Some(t + pods_s),
            held: None,
            to: Some(to),
            message: "pods of the older version start".into(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Scenario;
    use crate::demo::story::Story;

    const STORY: Story = Story { seed: 7, scenario: Scenario::Incident };

    fn bad_canary(t: f64) -> Position {
        Position::told(2, STORY.canary(0, t).unwrap())
    }

    fn do_it(position: &Position, act: Operation, t: f64) -> Position {
        position.acted(&act, None, t, 1.0).unwrap()
    }

    #[test]
    fn a_hold_stops_the_clock_and_a_release_gives_the_rest_back() {
        let held = do_it(&bad_canary(0.0), Operation::Pause, 20.0);
        assert_eq!(held.clone().at(500.0, 1.0), held, "nothing moves");
        assert!(held.acted(&Operation::Promote, None, 30.0, 1.0).is_err());
        let released = do_it(&held, Operation::Resume, 100.0);
        assert_eq!(released.until, Some(140.0), "40 s were left");
        let moved = released.at(141.0, 1.0);
        assert_eq!((moved.weight, moved.situation), (25.0, Situation::PausedByStep));
    }

    #[test]
    fn promotion_releases_a_steps_pause_and_ends_in_a_new_stable() {
        let paused = bad_canary(240.0);
        assert!(paused.acted(&Operation::Resume, None, 241.0, 1.0).is_err(), "a step's own pause");
        let promoted = do_it(&paused, Operation::Promote, 241.0);
        assert_eq!((promoted.weight, promoted.stable), (50.0, 2));
        let later = promoted.at(241.0 + STEP_S + 0.5, 1.0);
        assert_eq!((later.weight, later.situation), (100.0, Situation::Promoting));
        let done = later.at(241.0 + STEP_S + 1.0, 1.0);
        assert_eq!((done.stable, done.canary, done.situation), (3, None, Situation::Complete));
    }

    #[test]
    fn abort_retry_and_roll_back() {
        let aborted = do_it(&bad_canary(240.0), Operation::Abort, 250.0);
        assert_eq!((aborted.trial(), aborted.situation), (None, Situation::Aborted));
        assert!(aborted.bad.contains_key(&3));
        assert!(aborted.acted(&Operation::Abort, None, 251.0, 1.0).is_err());
        let again = do_it(&aborted, Operation::Retry, 260.0);
        assert_eq!((again.trial(), again.step), (Some((3, 0.05)), 0));
        let back = Operation::RollBack { to: crate::domain::Version::new("1.0.0") };
        let moving = aborted.acted(&back, Some(0), 260.0, 1.0).unwrap();
        assert_eq!((moving.stable, moving.trial()), (2, None), "the old one serves until the pods are there");
        let done = moving.at(261.0, 1.0);
        assert_eq!((done.stable, done.canary, done.to), (0, None, None));
        assert_eq!(done.acted(&back, Some(0), 262.0, 1.0), Ok(done.clone()), "it is so already");
        assert!(done.acted(&back, None, 262.0, 1.0).is_err(), "a version that nobody keeps");
    }

    #[test]
    fn a_weight_set_by_hand_stays() {
        let set = do_it(&bad_canary(0.0), Operation::SetWeight { percent: 33.0 }, 10.0);
        assert_eq!((set.weight, set.step), (33.0, 2));
        assert_eq!(set.clone().at(9_999.0, 1.0), set);
        assert_eq!(do_it(&set, Operation::Resume, 20.0).at(80.0, 1.0).weight, 50.0);
    }

    #[test]
    fn a_step_that_nobody_decides_aborts_by_itself() {
        assert_eq!(bad_canary(240.0).at(1_501.0, 1.0).situation, Situation::Aborted);
    }
}
