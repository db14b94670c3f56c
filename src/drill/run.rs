//! Drives a drill from its first step to the last: whatever happens, it cleans up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::auto::{self, Found};
use super::machine::{Drill, End, Phase};
use super::marks::Mark;
use super::session::Eyes;
use super::stage::Stage;
use crate::domain::act::{Outcome, Told, Wish};
use crate::domain::{Level, Time};

/// How long each part may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until the room knows what is normal, and until the test version is well, seconds each.
    pub ready_s: f64,
    /// Until somebody confirms an act, seconds after the fault.
    pub found_s: f64,
    /// Until the act is verified, seconds after the confirmation.
    pub verified_s: f64,
    /// Until metrics are normal, seconds.
    pub normal_s: f64,
    /// Until everything is put back, seconds.
    pub clean_s: f64,
}

impl Limits {
    /// For the automatic operator, or for a person.
    pub fn of(auto: bool) -> Self {
        let found_s = if auto { 120.0 } else { 900.0 };
        Self { ready_s: 120.0, found_s, verified_s: 360.0, normal_s: 120.0, clean_s: 120.0 }
    }

    /// The same where pods take some time to start: the test version, its broken form, and what is put back.
    pub fn with_starts(self, seconds: f64) -> Self {
        let Self { ready_s, found_s, clean_s, .. } = self;
        Self { ready_s: ready_s + seconds, found_s: found_s + seconds, clean_s: clean_s + seconds, ..self }
    }
}

/// How often the drill looks.
const LOOK: Duration = Duration::from_millis(200);
/// How long a plan may take, seconds.
const PLANNING_S: f64 = 30.0;
/// How many acts the automatic operator tries.
const TRIES: usize = 3;

/// A running drill.
pub struct Runner {
    drill: Drill,
    stage: Arc<dyn Stage>,
    eyes: Eyes,
    clock: fn() -> Time,
    limits: Limits,
    shows: watch::Sender<Drill>,
    stop: watch::Receiver<bool>,
}

/// Runs a drill to its end, and cleans up in any case. `shows` always holds its state; `stop` ends it early.
pub async fn run(
    drill: Drill,
    stage: Arc<dyn Stage>,
    eyes: Eyes,
    clock: fn() -> Time,
    limits: Limits,
    shows: watch::Sender<Drill>,
    stop: watch::Receiver<bool>,
) -> Drill {
    let mut runner = Runner { drill, stage, eyes, clock, limits, shows, stop };
    if let Err(end) = runner.drive().await {
        runner.drill.end = Some(end);
    }
    runner.clean_up().await;
    runner.drill.phase = Phase::Over;
    runner.show();
    runner.drill
}

impl Runner {
    async fn drive(&mut self) -> Result<(), End> {
        let scenario = self.drill.setting.scenario;
        self.ready(false).await?;
        self.enter(Phase::Deploying);
        let stage = self.stage.clone();
        stage.deploy(scenario).await.map_err(|why| End::NotRun(format!("deploy: {why}")))?;
        self.ready(true).await?;
        stage.inject(scenario).await.map_err(|why| End::NotRun(format!("inject: {why}")))?;
        self.drill.injected((self.clock)());
        match self.drill.setting.auto {
            true => self.operate().await?,
            false => self.watch().await?,
        }
        match self.drill.outcome() {
            Some(Outcome::Effective) => {}
            Some(Outcome::Failed { why } | Outcome::Unknown { why } | Outcome::Nothing { why }) => {
                let word = self.drill.outcome().map_or("unknown", Outcome::word);
                return Err(End::Failed(format!("the rollback is {word}: {why}")));
            }
            None => return Err(End::Failed("the act was not verified in time".into())),
        }
        self.until(self.limits.normal_s, |me| me.drill.marks.has(Mark::MetricsNormal)).await?;
        self.drill.prove_the_rollback();
        self.enter(Phase::Testing);
        let seen = stage.function_test().await;
        self.drill.prove("function", "function test after the rollback", seen);
        Ok(())
    }

    /// Waits until the room knows enough, and shows nothing bad.
    async fn ready(&mut self, deployed: bool) -> Result<(), End> {
        let (scenario, since) = (self.drill.setting.scenario, (self.clock)());
        let mut missing = String::new();
        let stage = self.stage.clone();
        let is_ready = self.until(self.limits.ready_s, |me| {
            let now = (me.clock)();
            let store = me.eyes.store.borrow().clone();
            let waited_s = (now - since).as_seconds_f64();
            let ready = stage.is_ready(scenario, &store, deployed, waited_s).and_then(|()| {
                let level = store.model(&me.drill.setting.model).map_or(Level::Unknown, |model| model.level);
                let why = || store.model(&me.drill.setting.model).map_or("", |model| &model.why).to_owned();
                match auto::find(&store, now) {
                    Some(Found { model, reason, .. }) => Err(format!("{model}: {reason}")),
                    None if level >= Level::Unknown => {
                        Err(format!("the model is {}: {}", level.word(), why()))
                    }
                    None => Ok(()),
                }
            });
            missing = ready.clone().err().unwrap_or_default();
            ready.is_ok()
        });
        match is_ready.await? {
            true => Ok(()),
            false => Err(End::NotRun(format!("nothing was injected: {missing}"))),
        }
    }

    /// A person has the keys: waits until an act of theirs came to its end.
    async fn watch(&mut self) -> Result<(), End> {
        let is_there = self.until(self.limits.found_s, |me| me.drill.marks.has(Mark::Confirmed)).await?;
        if !is_there {
            return self.late();
        }
        // An act that came to nothing may be followed by another one.
        let is_over = |me: &mut Self| {
            me.drill.outcome().is_some_and(|outcome| !matches!(outcome, Outcome::Nothing { .. }))
        };
        self.until(self.limits.verified_s, is_over).await.map(drop)
    }

    /// The automatic operator: finds it, plans, confirms, and waits what comes of it.
    async fn operate(&mut self) -> Result<(), End> {
        let begun = (self.clock)();
        for _ in 0..TRIES {
            let left_s = self.limits.found_s - ((self.clock)() - begun).as_seconds_f64();
            let mut found = None;
            self.until(left_s, |me| {
                found = auto::find(&me.eyes.store.borrow(), (me.clock)());
                found.is_some()
            })
            .await?;
            let Some(found) = found else { return self.late() };
            if !self.act(found).await? {
                // What stood in the way may be over in a moment.
                self.until(1.0, |_| false).await?;
                continue;
            }
            self.until(self.limits.verified_s, |me| me.drill.outcome().is_some()).await?;
            if !matches!(self.drill.outcome(), Some(Outcome::Nothing { .. })) {
                return Ok(());
            }
        }
        Err(End::Failed(self.drill.notes.last().cloned().unwrap_or_default()))
    }

    fn late(&self) -> Result<(), End> {
        let what = if self.drill.marks.has(Mark::Detected) { "acted upon" } else { "detected" };
        Err(End::NotInTime(format!("not {what} within {:.0} s", self.limits.found_s)))
    }

    /// Plans as a person would, and confirms the plan when it is there; false when there is none.
    async fn act(&mut self, found: Found) -> Result<bool, End> {
        self.drill.acknowledged((self.clock)());
        self.drill.found.get_or_insert_with(|| found.clone());
        self.show();
        let Some(wishes) = self.eyes.wishes.clone() else {
            return Err(End::NotRun("there is no way to the engine".into()));
        };
        let gone = |_| End::NotRun("the engine has ended".into());
        let Found { model, operation, reason: evidence } = found;
        let reason = format!("rollback drill {}: {evidence}", self.drill.setting.id);
        (self.drill.plan, self.drill.act) = (None, None);
        let notes = self.drill.notes.len();
        let wish = Wish::Plan { number: 1, model, operation, reason, evidence, seen: None };
        wishes.send(wish).await.map_err(gone)?;
        let planned = |me: &mut Self| me.drill.plan.is_some() || me.drill.notes.len() > notes;
        if !self.until(PLANNING_S, planned).await? {
            self.drill.note(format!("no plan was made within {PLANNING_S:.0} s"));
        }
        let Some(plan) = self.drill.plan.clone() else { return Ok(false) };
        wishes.send(Wish::Execute(plan)).await.map_err(gone)?;
        Ok(true)
    }

    /// Cleans up, tests that everything works, and says so.
    async fn clean_up(&mut self) {
        self.enter(Phase::CleaningUp);
        let stage = self.stage.clone();
        let limit = Duration::from_secs_f64(self.limits.clean_s);
        let begun = tokio::time::Instant::now();
        let cleaned = loop {
            // A step that hangs must not keep the drill from saying so.
            let step = async {
                stage.clean_up().await?;
                stage.is_clean().await
            };
            let left = limit.saturating_sub(begun.elapsed());
            match tokio::time::timeout(left, step).await {
                Ok(Ok(())) => break Ok(()),
                Ok(Err(why)) if begun.elapsed() >= limit => break Err(why),
                Err(_) => break Err(format!("it did not end within {} s", limit.as_secs())),
                Ok(Err(_)) => tokio::time::sleep(5 * LOOK).await,
            }
        };
        if cleaned.is_ok() && self.drill.end.is_none() {
            let seen = stage.function_test().await;
            self.drill.prove("function_after_clean_up", "function test after the clean-up", seen);
        }
        if cleaned.is_ok() && self.drill.marks.has(Mark::Injected) {
            self.drill.marks.set(Mark::CleanedUp, (self.clock)());
        }
        self.drill.cleaned = Some(cleaned);
    }

    /// Looks until something holds; false when it does not in time.
    async fn until(&mut self, limit_s: f64, mut holds: impl FnMut(&mut Self) -> bool) -> Result<bool, End> {
        let begun = tokio::time::Instant::now();
        loop {
            self.look();
            if holds(self) {
                return Ok(true);
            }
            if begun.elapsed().as_secs_f64() >= limit_s {
                return Ok(false);
            }
            if *self.stop.borrow() {
                return Err(End::NotRun("it was interrupted".into()));
            }
            tokio::select! {
                told = self.eyes.told.recv() => match told {
                    Some(told) => self.told(&told),
                    None => return Err(End::NotRun("the room was left".into())),
                },
                // Whoever could stop it is gone: then nobody stops it.
                _ = self.stop.changed(), if self.stop.has_changed().is_ok() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn told(&mut self, told: &Told) {
        self.drill.told(told, (self.clock)());
    }

    fn look(&mut self) {
        while let Ok(told) = self.eyes.told.try_recv() {
            self.told(&told);
        }
        let store = self.eyes.store.borrow().clone();
        self.drill.look(&store, (self.clock)());
        self.show();
    }

    fn enter(&mut self, phase: Phase) {
        self.drill.phase = phase;
        self.show();
    }

    fn show(&self) {
        self.shows.send_replace(self.drill.clone());
    }
}
