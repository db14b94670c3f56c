//! The engine with its sources, for a command: nobody looks at a screen meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::cli::stage;
use crate::config::{Config, fleet};
use crate::control::{Engine, Parts, Sight};
use crate::domain::act::{Plan, Refusal, Told, Who, Wish};
use crate::domain::{ModelId, Report};
use crate::sources::poller::{PollSettings, Poller, PollerHandle};
use crate::store::Store;

/// How often what is known is brought up to date without a report.
const TICK: Duration = Duration::from_millis(500);
/// How long the first word of a controller may take beside its own deadline.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// How long an engine that is told to end may take: its requests under way come to their answer.
const LAST: Duration = Duration::from_secs(6);

/// The engine and what it sees.
pub struct Session {
    config: Arc<Config>,
    wishes: mpsc::Sender<Wish>,
    told: mpsc::Receiver<Told>,
    sight: watch::Receiver<Arc<Sight>>,
    faults: watch::Receiver<Vec<String>>,
    engine: JoinHandle<()>,
    /// Polling ends with it.
    _poller: PollerHandle,
}

impl Session {
    /// Starts sources and engine in the current runtime.
    ///
    /// # Errors
    /// A source or a controller that cannot be set up, a journal that cannot be opened.
    pub fn start(config: Config, who: Who) -> Result<Self, String> {
        let config = Arc::new(config);
        let (sights, sight) = watch::channel(Arc::new(Sight::default()));
        let parts = Parts::of(config.clone(), who, stage::now, sight.clone(), false)?;
        let (store, sources) = stage::set(&config)?;
        let (sender, reports) = mpsc::channel(256);
        let poller = Poller::spawn(sources, PollSettings::of(&config, stage::now), sender);
        let (tell_faults, faults) = watch::channel(Vec::new());
        tokio::spawn(keep(store, reports, sights, tell_faults));
        let (wishes, inbox) = mpsc::channel(16);
        let (tell, told) = mpsc::channel(1_024);
        let engine = Engine::spawn(parts, inbox, tell);
        Ok(Self { config, wishes, told, sight, faults, engine, _poller: poller })
    }

    /// Waits until a controller has told of the rollout.
    ///
    /// # Errors
    /// None did in time; with the faults of the sources.
    pub async fn seen(&mut self, wanted: &str) -> Result<ModelId, String> {
        let ids: Vec<ModelId> =
            self.config.model.iter().map(|model| fleet::model_id(&self.config, model)).collect();
        let limit = self.config.timeout.0 + FIRST_WORD;
        let is_there = |sight: &Arc<Sight>| ids.iter().any(|id| sight.model(id).is_some());
        let found = tokio::time::timeout(limit, self.sight.wait_for(is_there)).await;
        if let Ok(Ok(sight)) = found {
            let id = ids.iter().find(|id| sight.model(id).is_some());
            return id.cloned().ok_or_else(|| format!("{wanted}: its rollout vanished"));
        }
        let faults = self.faults.borrow().join("; ");
        Err(match faults.is_empty() {
            true => format!("no controller tells of a rollout of {wanted}: name its system in model.rollout"),
            false => format!("no controller tells of a rollout of {wanted}: {faults}"),
        })
    }

    /// What speaks for an act, in wardroom's words.
    pub fn evidence(&self, model: &ModelId) -> String {
        let sight = self.sight.borrow();
        let Some(sight) = sight.model(model) else { return String::new() };
        sight.verdict.as_ref().map_or_else(|| sight.why.clone(), |verdict| verdict.line.clone())
    }

    /// Wishes something.
    ///
    /// # Errors
    /// The engine has ended.
    pub async fn wish(&self, wish: Wish) -> Result<(), String> {
        self.wishes.send(wish).await.map_err(|_| "the engine has ended".to_owned())
    }

    /// The next thing that the engine tells.
    pub async fn told(&mut self) -> Option<Told> {
        self.told.recv().await
    }

    /// The answer to a question for a plan.
    ///
    /// # Errors
    /// The journal cannot be read: nothing can be done.
    pub async fn planned(&mut self) -> Result<Result<Box<Plan>, Refusal>, String> {
        loop {
            match self.told().await {
                Some(Told::Planned { plan, .. }) => return Ok(plan),
                Some(Told::Trouble(words)) => return Err(words),
                Some(Told::Act(_) | Told::Unfinished(_) | Told::Advice { .. }) => {}
                None => return Err("the engine has ended".into()),
            }
        }
    }

    /// Ends the engine: requests under way come to their answer first. Gives what it told last.
    pub async fn end(self) -> Vec<Told> {
        let Self { wishes, mut told, engine, .. } = self;
        drop(wishes);
        let mut rest = Vec::new();
        let drain = async {
            while let Some(one) = told.recv().await {
                rest.push(one);
            }
        };
        // Whoever still holds the channel is not waited for.
        let _ = tokio::time::timeout(LAST, async { tokio::join!(drain, engine) }).await;
        rest
    }
}

/// Keeps the store, and shows what the engine needs of it.
async fn keep(
    mut store: Store,
    mut reports: mpsc::Receiver<Report>,
    sights: watch::Sender<Arc<Sight>>,
    faults: watch::Sender<Vec<String>>,
) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            report = reports.recv() => match report {
                Some(report) => store.apply(&report),
                None => return,
            },
            _ = tick.tick() => {}
        }
        while let Ok(report) = reports.try_recv() {
            store.apply(&report);
        }
        store.tick(stage::now());
        sights.send_replace(Arc::new(Sight::of(&store)));
        let said = store
            .sources
            .iter()
            .filter_map(|source| Some(format!("{} {}", source.info.id, source.fault.as_ref()?)));
        faults.send_replace(said.take(5).collect());
    }
}
