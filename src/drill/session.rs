//! The room without a screen: sources, store and the normal engine, for the automatic operator.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::config::{Config, fleet};
use crate::control::{Engine, Parts, Sight};
use crate::domain::act::{Told, Who, Wish};
use crate::domain::{Report, Time};
use crate::sources::poller::{PollSettings, Poller, PollerHandle};
use crate::sources::register as sources;
use crate::store::Store;

/// How often what is known is brought up to date without a report.
const TICK: Duration = Duration::from_millis(250);
/// How long an engine that is told to end may take: its requests under way come to their answer.
const LAST: Duration = Duration::from_secs(6);

/// What a drill sees of the room, and its way to the engine.
pub struct Eyes {
    /// The store as it is now.
    pub store: watch::Receiver<Arc<Store>>,
    /// What the engine tells.
    pub told: mpsc::UnboundedReceiver<Told>,
    /// The way to the engine; none where a person has the keys.
    pub wishes: Option<mpsc::Sender<Wish>>,
}

/// Sources and engine; they end with [`Session::end`].
pub struct Session {
    engine: JoinHandle<()>,
    keeper: JoinHandle<()>,
    poller: PollerHandle,
}

impl Session {
    /// Starts sources and engine in the current runtime.
    ///
    /// # Errors
    /// A source or a controller that cannot be set up, a journal that cannot be opened.
    pub fn start(config: &Config, who: Who, clock: fn() -> Time) -> Result<(Self, Eyes), String> {
        let (sights, sight) = watch::channel(Arc::new(Sight::default()));
        let parts = Parts::of(Arc::new(config.clone()), who, clock, sight, false)?;
        let polled = sources::build(config).map_err(|fault| fault.to_string())?;
        let mut store = Store::new(&config.environment, fleet::specs(config));
        store.judge_by(config.judge.clone(), config.refresh.as_secs_f64());
        store.expect(polled.iter().map(|source| source.info().clone()).collect());
        let (sender, reports) = mpsc::channel(256);
        let poller = Poller::spawn(polled, PollSettings::of(config, clock), sender);
        let (shows, seen) = watch::channel(Arc::new(store.clone()));
        let keeper = tokio::spawn(keep(store, reports, sights, shows, clock));
        let (wishes, inbox) = mpsc::channel(16);
        let (tell, mut from_engine) = mpsc::channel(1_024);
        let (forward, told) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(one) = from_engine.recv().await {
                // Nobody listens any more when the drill is over.
                let _ = forward.send(one);
            }
        });
        let engine = Engine::spawn(parts, inbox, tell);
        Ok((Self { engine, keeper, poller }, Eyes { store: seen, told, wishes: Some(wishes) }))
    }

    /// Ends it: requests under way come to their answer first. `eyes` must be gone by then.
    pub async fn end(self) {
        // One that hangs longer than its own deadlines is left to the journal.
        let _ = tokio::time::timeout(LAST, self.engine).await;
        self.poller.stop();
        self.keeper.abort();
    }
}

/// Keeps the store, and shows it to the engine and to the drill.
async fn keep(
    mut store: Store,
    mut reports: mpsc::Receiver<Report>,
    sights: watch::Sender<Arc<Sight>>,
    shows: watch::Sender<Arc<Store>>,
    clock: fn() -> Time,
) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            report = reports.recv() => match report {
                Some(report) => store.apply(&report),
                None => return,
            },
            _ = tick.tick() => {
                while let Ok(report) = reports.try_recv() {
                    store.apply(&report);
                }
                store.tick(clock());
                sights.send_replace(Arc::new(Sight::of(&store)));
                shows.send_replace(Arc::new(store.clone()));
            }
        }
    }
}
