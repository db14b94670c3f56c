//! A drill as a value: where it is, what was seen, when. Pure; the clock comes from outside.

use super::auto::{self, Found};
use super::checks::Proof;
use super::marks::{Mark, Marks};
use super::scenario::Scenario;
use crate::domain::act::{Act, CheckState, Outcome, Plan, RequestState, Told};
use crate::domain::{Level, ModelId, Time, Version};
use crate::store::Store;

/// From the confirmation to the verified version, seconds: the target of the guide's quarterly drill.
pub const TARGET_S: f64 = 300.0;
/// Requests that must lie between two counts before they say where traffic goes.
const FEW: f64 = 10.0;

/// Where a drill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The room learns what is normal.
    Learning,
    /// The test version is deployed, and watched until it is well.
    Deploying,
    /// Something is broken, and nobody has acted.
    Searching,
    /// An act was confirmed.
    RollingBack,
    /// The version is back; metrics settle.
    Settling,
    /// Functions are tested.
    Testing,
    /// Everything is put back.
    CleaningUp,
    /// Over.
    Over,
}

impl Phase {
    /// The words on screen.
    pub fn words(self) -> &'static str {
        match self {
            Self::Learning => "learns what is normal",
            Self::Deploying => "deploys the test version",
            Self::Searching => "something is wrong: find it and roll back",
            Self::RollingBack => "rolls back",
            Self::Settling => "metrics settle",
            Self::Testing => "tests functions",
            Self::CleaningUp => "cleans up",
            Self::Over => "over",
        }
    }
}

/// Why a drill ended before it was through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It could not be run, because.
    NotRun(String),
    /// Nobody found it, or acted, in time.
    NotInTime(String),
    /// The rollback or its verification failed.
    Failed(String),
}

/// What a drill is about; nothing of it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its unique name: `d-20261121-185500-1a2b`.
    pub id: String,
    /// What is injected.
    pub scenario: Scenario,
    /// Where: `demo`, or CONTEXT/NAMESPACE.
    pub on: String,
    /// Whether the automatic operator acts.
    pub auto: bool,
    /// Who runs it, `user@host`.
    pub by: String,
    /// Of which model.
    pub model: ModelId,
    /// The version that must serve afterwards.
    pub stable: Version,
    /// The version that is tried.
    pub test: Version,
}

/// A drill.
#[derive(Debug, Clone)]
pub struct Drill {
    /// What it is about.
    pub setting: Setting,
    /// When it began.
    pub begun: Time,
    /// Where it is.
    pub phase: Phase,
    /// The clock marks.
    pub marks: Marks,
    /// What the room showed first.
    pub found: Option<Found>,
    /// The plan that was shown last.
    pub plan: Option<Box<Plan>>,
    /// The act as it was told last.
    pub act: Option<Box<Act>>,
    /// What was proved beside the act's own checks, in order.
    pub proofs: Vec<Proof>,
    /// What happened that should be known: refusals, troubles, false alarms.
    pub notes: Vec<String>,
    /// Who took part, `user@host (room)`.
    pub people: Vec<String>,
    /// Why it ended early.
    pub end: Option<End>,
    /// Whether everything was put back; why not.
    pub cleaned: Option<Result<(), String>>,
    /// The good version's share of the requests before anybody acted, 0…1.
    pub(super) share_before: Option<f64>,
    /// What the room still had against the model at the last look after the rollback, in words.
    pub(super) not_normal: String,
    /// Requests by version, good and all, at the last look.
    counted: Option<(f64, f64)>,
}

impl Drill {
    /// A drill that begins now.
    pub fn new(setting: Setting, now: Time) -> Self {
        let people = vec![setting.by.clone()];
        Self {
            setting,
            begun: now,
            phase: Phase::Learning,
            marks: Marks::default(),
            found: None,
            plan: None,
            act: None,
            proofs: Vec::new(),
            notes: Vec::new(),
            people,
            end: None,
            cleaned: None,
            share_before: None,
            not_normal: String::new(),
            counted: None,
        }
    }

    /// The fault was injected.
    pub fn injected(&mut self, now: Time) {
        self.marks.set(Mark::Injected, now);
        self.phase = Phase::Searching;
    }

    /// The operator took it up.
    pub fn acknowledged(&mut self, now: Time) {
        self.marks.set(Mark::Detected, now);
        self.marks.set(Mark::Acknowledged, now);
    }

    /// Takes in what the room knows now.
    pub fn look(&mut self, store: &Store, now: Time) {
        if self.phase == Phase::Searching
            && self.found.is_none()
            && let Some(found) = auto::find(store, now)
        {
            self.marks.set(Mark::Detected, now);
            self.found = Some(found);
        }
        self.count(store, now);
        if self.phase == Phase::Settling {
            match self.is_normal(store) {
                Ok(()) => self.marks.set(Mark::MetricsNormal, now),
                Err(why) => self.not_normal = why,
            }
        }
    }

    /// Takes in what the engine tells.
    pub fn told(&mut self, told: &Told, now: Time) {
        match told {
            Told::Planned { plan: Ok(plan), .. } if plan.model == self.setting.model => {
                if self.phase == Phase::Searching {
                    self.acknowledged(now);
                    self.marks.set(Mark::PlanShown, now);
                }
                self.plan = Some(plan.clone());
            }
            Told::Planned { plan: Err(refusal), .. } => self.note(format!("refused: {refusal}")),
            Told::Act(act) if self.is_ours(act) => self.acted(act),
            Told::Trouble(words) => self.note(words.clone()),
            _ => {}
        }
    }

    /// An act counts when it is on this model and was confirmed after the fault; a later one replaces one that came
    /// to nothing.
    fn is_ours(&self, act: &Act) -> bool {
        let injected = self.marks.at(Mark::Injected);
        let is_new = injected.is_some_and(|injected| act.confirmed_at >= injected);
        let known = self.act.as_ref();
        let goes_on = known.is_none_or(|known| {
            known.plan.id == act.plan.id || !matches!(known.outcome, None | Some(Outcome::Effective))
        });
        act.plan.model == self.setting.model && is_new && goes_on
    }

    fn acted(&mut self, act: &Act) {
        let who = &act.plan.who;
        let user = if who.host.is_empty() { who.user.clone() } else { format!("{}@{}", who.user, who.host) };
        let person = format!("{user} ({})", who.by);
        if !self.people.contains(&person) {
            self.people.push(person);
        }
        let is_sent = |state: &RequestState| !matches!(state, RequestState::NotSent { .. });
        let came_to_something = act.requests.iter().any(is_sent) || act.requests.is_empty();
        self.act = Some(Box::new(act.clone()));
        if let Some(Outcome::Nothing { why }) = &act.outcome {
            self.note(format!("{}: nothing was sent: {why}", act.plan.id));
            if self.phase == Phase::RollingBack {
                self.phase = Phase::Searching;
            }
            return;
        }
        if !came_to_something {
            return;
        }
        if self.phase == Phase::Searching {
            self.acknowledged(act.plan.made_at);
            self.marks.set(Mark::PlanShown, act.plan.made_at);
            self.phase = Phase::RollingBack;
        }
        self.marks.set(Mark::Confirmed, act.confirmed_at);
        let sent = act.requests.iter().find_map(|request| match request {
            RequestState::Sent { at, .. } | RequestState::Accepted { sent: at, .. } => Some(*at),
            _ => None,
        });
        if let Some(at) = sent {
            self.marks.set(Mark::Sent, at);
        }
        let is_through = |request: &RequestState| matches!(request, RequestState::Accepted { .. });
        let optional = |n: usize| act.plan.requests.get(n).is_some_and(|request| request.optional);
        let all_accepted = act.requests.iter().enumerate().all(|(n, one)| is_through(one) || optional(n));
        if let Some(at) = act.accepted_at().filter(|_| all_accepted) {
            self.marks.set(Mark::Accepted, at);
        }
        let passed = |id: &str| {
            act.checks.iter().filter(|check| check.id == id).find_map(|check| match check.state {
                CheckState::Passed { at } => Some(at),
                _ => None,
            })
        };
        if let Some(at) = passed("observed").filter(|_| self.marks.has(Mark::Accepted)) {
            self.marks.set(Mark::Observed, at);
        }
        if let Some(at) = passed("share").filter(|_| self.marks.has(Mark::Accepted)) {
            // All of it is also the first of it.
            self.marks.set(Mark::FirstTraffic, at);
            self.marks.set(Mark::AllTraffic, at);
        }
        if let (Some(Outcome::Effective), Some(at)) = (&act.outcome, act.effective_at) {
            // A check that could not be made here leaves no gap in the marks.
            for mark in [Mark::Sent, Mark::Accepted, Mark::Observed, Mark::FirstTraffic, Mark::AllTraffic] {
                self.marks.set(mark, at);
            }
            self.marks.set(Mark::VersionVerified, at);
            if self.phase == Phase::RollingBack {
                self.phase = Phase::Settling;
            }
        }
    }

    /// Looks where requests go: the first look in which clearly more of them reach the good version than before.
    fn count(&mut self, store: &Store, now: Time) {
        let Some(model) = store.model(&self.setting.model) else { return };
        let good = |version: &Version| *version == self.setting.stable;
        let all: f64 = model.counted.rows().map(|row| row.requests).sum();
        let on: f64 = model.counted.rows().filter(|row| good(&row.version)).map(|row| row.requests).sum();
        let Some((on_before, all_before)) = self.counted else {
            self.counted = Some((on, all));
            return;
        };
        let more = all - all_before;
        if more < FEW {
            return;
        }
        self.counted = Some((on, all));
        let share = ((on - on_before) / more).clamp(0.0, 1.0);
        match self.phase {
            Phase::Searching => self.share_before = Some(share),
            Phase::RollingBack if self.marks.has(Mark::Accepted) => {
                let before = self.share_before.unwrap_or(1.0);
                if share >= before + (1.0 - before) / 2.0 {
                    self.marks.set(Mark::FirstTraffic, now);
                }
            }
            _ => {}
        }
    }

    /// Whether nothing in the room speaks against this model any more; what does, in words.
    fn is_normal(&self, store: &Store) -> Result<(), String> {
        let model = store.model(&self.setting.model).ok_or("the model is not watched any more")?;
        if model.level >= Level::Unknown {
            return Err(format!("the model is {}: {}", model.level.word(), model.why));
        }
        let metrics = self.act.as_ref().and_then(|act| act.checks.iter().find(|check| check.id == "metrics"));
        match metrics.filter(|check| matches!(check.state, CheckState::Waiting)) {
            Some(check) => Err(format!("the act's own check of metrics waits: {}", check.detail)),
            None => Ok(()),
        }
    }

    /// Whether the act ended, and how.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.act.as_ref()?.outcome.as_ref()
    }

    /// Something that should be known.
    pub fn note(&mut self, words: String) {
        self.notes.push(words);
    }

    /// From the confirmation to the verified version, seconds.
    pub fn headline_s(&self) -> Option<f64> {
        self.marks.between(Mark::Confirmed, Mark::VersionVerified)
    }

    /// Whether the rollback was verified: the act by its own checks, and every proof beside it.
    pub fn is_verified(&self) -> bool {
        let is_effective = matches!(self.outcome(), Some(Outcome::Effective));
        is_effective && !self.proofs.is_empty() && self.proofs.iter().all(|proof| proof.passed)
    }

    /// Whether it was in time.
    pub fn is_in_time(&self) -> bool {
        self.headline_s().is_some_and(|seconds| seconds <= TARGET_S)
    }

    /// 0 verified and cleaned up, 1 not detected or not in time, 2 rollback or verification failed, 3 could not run
    /// or could not clean up.
    pub fn exit_code(&self) -> u8 {
        match (&self.cleaned, &self.end) {
            (None | Some(Err(_)), _) | (_, Some(End::NotRun(_))) => 3,
            (_, Some(End::NotInTime(_))) => 1,
            (_, Some(End::Failed(_))) => 2,
            (_, None) if !self.is_verified() => 2,
            (_, None) if !self.is_in_time() => 1,
            (_, None) => 0,
        }
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
