//! The engine: takes wishes, makes plans, and lets each confirmed act run in a task of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::automatic::Automat;
use super::desk::Desk;
use super::doing::Doing;
use super::parts::{Clock, Fresh, Pace, Parts};
use super::planning::{self, Wanted};
use super::{Controller, Registry, Sight, recover};
use crate::config::Config;
use crate::domain::ModelId;
use crate::domain::act::{Act, ActId, Operation, Outcome, Plan, RequestState, Stage, Told, Who, Wish};

/// How long an engine that is told to end waits for requests under way.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// What all acts share.
pub(super) struct Shared {
    pub controllers: Vec<Box<dyn Controller>>,
    pub registry: Option<Box<dyn Registry>>,
    pub desk: Desk,
    pub clock: Clock,
    fresh: Fresh,
    pub who: Who,
    pub config: Arc<Config>,
    pub sight: watch::Receiver<Arc<Sight>>,
    pub pace: Pace,
    told: mpsc::Sender<Told>,
}

impl Shared {
    pub(super) fn fresh(&self) -> u32 {
        (self.fresh)()
    }

    /// Tells something that must not be lost. Who does not listen for so long does not hold the work up.
    pub(super) async fn tell(&self, told: Told) {
        let _ = self.told.send_timeout(told, Duration::from_secs(5)).await;
    }

    /// Tells how far an act got: when the listener is behind, a later state will say it all.
    pub(super) fn show(&self, act: &Act) {
        let _ = self.told.try_send(Told::Act(Box::new(act.clone())));
    }
}

/// An act that runs.
struct Running {
    id: ActId,
    stage: watch::Receiver<Stage>,
    stop: watch::Sender<Option<String>>,
    in_flight: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// The engine.
pub struct Engine {
    shared: Arc<Shared>,
    resident: bool,
    running: BTreeMap<ModelId, Running>,
    /// Acts that an earlier process left.
    unfinished: HashMap<ActId, Act>,
    automat: Automat,
    /// Plans that the automat asked for.
    made: mpsc::Receiver<Box<Plan>>,
    make: mpsc::Sender<Box<Plan>>,
}

impl Engine {
    /// Starts an engine in the current runtime. It ends when nobody can wish any more, after the requests
    /// that are under way.
    pub fn spawn(parts: Parts, wishes: mpsc::Receiver<Wish>, told: mpsc::Sender<Told>) -> JoinHandle<()> {
        let shared = Arc::new(Shared {
            controllers: parts.controllers,
            registry: parts.registry,
            desk: Desk::new(parts.ledger),
            clock: parts.clock,
            fresh: parts.fresh,
            who: parts.who,
            config: parts.config,
            sight: parts.sight,
            pace: parts.pace,
            told,
        });
        let (make, made) = mpsc::channel(16);
        let engine = Self {
            automat: Automat::new(&shared.config),
            shared,
            resident: parts.resident,
            running: BTreeMap::new(),
            unfinished: HashMap::new(),
            made,
            make,
        };
        tokio::spawn(engine.live(wishes))
    }

    async fn live(mut self, mut wishes: mpsc::Receiver<Wish>) {
        self.begin().await;
        let mut sight = self.shared.sight.clone();
        let mut sights = self.resident && self.automat.is_armed();
        loop {
            tokio::select! {
                wish = wishes.recv() => match wish {
                    Some(wish) => self.take(wish).await,
                    None => break,
                },
                changed = sight.changed(), if sights => match changed {
                    Ok(()) => {
                        let now = sight.borrow_and_update().clone();
                        self.automatic(&now).await;
                    }
                    Err(_) => sights = false,
                },
                Some(plan) = self.made.recv() => self.execute(*plan).await,
            }
        }
        self.end().await;
    }

    /// What an earlier process left is told, and its watches are taken over.
    async fn begin(&mut self) {
        let acts = match self.shared.desk.unfinished().await {
            Ok(acts) => acts,
            Err(trouble) => return self.shared.tell(Told::Trouble(trouble.to_string())).await,
        };
        self.unfinished = acts.iter().map(|act| (act.plan.id.clone(), act.clone())).collect();
        if self.resident {
            for act in acts.iter().filter(|act| act.effective_at.is_some()) {
                self.verify(&act.plan.id).await;
            }
        }
        let left: Vec<Act> =
            acts.into_iter().filter(|act| self.unfinished.contains_key(&act.plan.id)).collect();
        if !left.is_empty() {
            self.shared.tell(Told::Unfinished(left)).await;
        }
    }

    async fn take(&mut self, wish: Wish) {
        match wish {
            Wish::Plan { number, model, operation, reason, evidence, seen } => {
                let shared = self.shared.clone();
                tokio::spawn(async move {
                    let wanted = Wanted { model, operation, reason, evidence, seen, by: None };
                    let plan = planning::plan(&shared, wanted).await;
                    shared.tell(Told::Planned { number, plan }).await;
                });
            }
            Wish::Execute(plan) => self.execute(*plan).await,
            Wish::Verify(id) => self.verify(&id).await,
            Wish::Close(id) => self.close(&id).await,
        }
    }

    async fn execute(&mut self, plan: Plan) {
        let now = (self.shared.clock)();
        let why = if self.shared.config.control.read_only {
            Some("read-only: nothing is sent".into())
        } else if let Some((request, why)) = plan.forbidden() {
            Some(format!("{} may not {}: {why}", plan.who.user, request.words))
        } else {
            self.in_the_way(&plan)
        };
        let act = Act::confirmed(plan, now);
        if let Some(why) = why {
            return self.shared.tell(Told::Act(Box::new(refused(act, &why)))).await;
        }
        self.start(act, false);
    }

    /// Why the act must wait for another one; an act that only watches, or that an abort may cut short, is ended.
    fn in_the_way(&mut self, plan: &Plan) -> Option<String> {
        self.running.retain(|_, running| !running.task.is_finished());
        let other = self.running.get(&plan.model)?;
        let stage = *other.stage.borrow();
        let is_abort = plan.operation == Operation::Abort;
        match stage {
            Stage::Confirmed | Stage::Sending if !is_abort => {
                return Some(format!("{} is sending its requests to {}; wait for it", other.id, plan.model));
            }
            Stage::Verifying if !is_abort => {
                return Some(format!(
                    "{} is not verified yet; only an abort may cut it short, so wait for it",
                    other.id
                ));
            }
            _ => {}
        }
        other.stop.send_replace(Some(format!("ended by {} ({})", plan.id, plan.operation.verb())));
        // Either it sees that it shall stop before it sends, or it is seen here that it sends.
        if other.in_flight.load(Ordering::SeqCst) {
            other.stop.send_replace(None);
            return Some(format!("a request of {} is on its way to {}; wait for it", other.id, plan.model));
        }
        None
    }

    fn start(&mut self, act: Act, resumed: bool) {
        let (stage_is, stage) = watch::channel(act.stage);
        let (stop, stopped) = watch::channel(None);
        let (id, model) = (act.plan.id.clone(), act.plan.model.clone());
        let in_flight = Arc::new(AtomicBool::new(false));
        let doing = Doing::new(self.shared.clone(), act, stage_is, stopped, in_flight.clone());
        let task = match resumed {
            false => tokio::spawn(doing.run()),
            true => tokio::spawn(recover::go_on(doing)),
        };
        self.running.insert(model, Running { id, stage, stop, in_flight, task });
    }

    async fn verify(&mut self, id: &ActId) {
        // It may have been left since the start.
        if !self.unfinished.contains_key(id)
            && let Ok(acts) = self.shared.desk.unfinished().await
        {
            self.unfinished.extend(acts.into_iter().map(|act| (act.plan.id.clone(), act)));
        }
        let Some(mut act) = self.unfinished.remove(id) else {
            return self.elsewhere(id).await;
        };
        let now = (self.shared.clock)();
        match self.shared.desk.take_over(id, now).await {
            Ok(true) => {
                act.resumed = format!("process {} {}", std::process::id(), now.format("%H:%M:%S"));
                self.start(act, true);
            }
            Ok(false) => self.elsewhere(id).await,
            Err(trouble) => {
                self.unfinished.insert(id.clone(), act);
                self.shared.tell(Told::Trouble(trouble.to_string())).await;
            }
        }
    }

    /// Says that an act is not ours to go on with.
    async fn elsewhere(&self, id: &ActId) {
        let told = match self.shared.desk.act(id).await {
            Ok(Some(act)) => {
                let state = if act.is_open() { "another wardroom has it" } else { "it is over" };
                Told::Advice { model: act.plan.model, words: format!("{id} is not unfinished: {state}") }
            }
            Ok(None) => Told::Trouble(format!("there is no act {id} in the journal")),
            Err(trouble) => Told::Trouble(trouble.to_string()),
        };
        self.shared.tell(told).await;
    }

    async fn close(&mut self, id: &ActId) {
        let Some(mut act) = self.unfinished.remove(id) else { return self.elsewhere(id).await };
        let now = (self.shared.clock)();
        let taken = self.shared.desk.take_over(id, now).await;
        recover::never_sent(&mut act);
        act.watch_notes.push(format!("closed by {} {}", self.shared.who.user, now.format("%H:%M:%S")));
        if act.outcome.is_none() {
            let why = format!("closed by {} without looking", self.shared.who.user);
            let sent = act.requests.iter().any(|request| !matches!(request, RequestState::NotSent { .. }));
            act.outcome = Some(if sent { Outcome::Unknown { why } } else { Outcome::Nothing { why } });
        }
        act.stage = Stage::Over;
        let written = match taken {
            Ok(true) => self.shared.desk.write(now, "closed", &mut act, true).await,
            Ok(false) => return self.elsewhere(id).await,
            Err(trouble) => Err(trouble),
        };
        match written {
            Ok(()) => self.shared.tell(Told::Act(Box::new(act))).await,
            Err(trouble) => self.shared.tell(Told::Trouble(trouble.to_string())).await,
        }
    }

    /// Does by itself what the config allows, as if a person had wished it.
    async fn automatic(&mut self, sight: &Sight) {
        let now = (self.shared.clock)();
        let busy: Vec<ModelId> = (self.running.iter())
            .filter(|(_, running)| {
                !running.task.is_finished()
                    && matches!(*running.stage.borrow(), Stage::Confirmed | Stage::Sending | Stage::Verifying)
            })
            .map(|(model, _)| model.clone())
            .collect();
        for step in self.automat.look(sight, now, &|model| busy.contains(model)) {
            match step.operation {
                None => {
                    tracing::warn!(target: "control", "{}: {}", step.model, step.words);
                    self.shared.tell(Told::Advice { model: step.model, words: step.words }).await;
                }
                Some(operation) => {
                    let wanted = Wanted {
                        model: step.model.clone(),
                        operation,
                        reason: step.words.clone(),
                        evidence: step.evidence,
                        seen: None,
                        by: Some("automatic"),
                    };
                    let (shared, make) = (self.shared.clone(), self.make.clone());
                    tokio::spawn(async move {
                        match planning::plan(&shared, wanted).await {
                            // The engine lives as long as this can be received.
                            Ok(plan) => drop(make.send(plan).await),
                            Err(refusal) => {
                                let words = format!("{}, but cannot: {refusal}", step.words);
                                shared.tell(Told::Advice { model: step.model, words }).await;
                            }
                        }
                    });
                }
            }
        }
    }

    /// Lets requests under way come to their answer; what is only looked at is left to the next start.
    async fn end(mut self) {
        let sending = |running: &Running| {
            matches!(*running.stage.borrow(), Stage::Confirmed | Stage::Sending)
                && !running.task.is_finished()
        };
        for running in self.running.values_mut().filter(|running| sending(running)) {
            let mut stage = running.stage.clone();
            let sent = stage.wait_for(|stage| !matches!(stage, Stage::Confirmed | Stage::Sending));
            let _ = tokio::time::timeout(LAST_REQUESTS, sent).await;
        }
        self.running.values().for_each(|running| running.task.abort());
    }
}

/// An act of which nothing was sent.
fn refused(mut act: Act, why: &str) -> Act {
    act.requests.iter_mut().for_each(|request| *request = RequestState::NotSent { why: why.into() });
    act.stage = Stage::Over;
    act.outcome = Some(Outcome::Nothing { why: why.into() });
    act
}
