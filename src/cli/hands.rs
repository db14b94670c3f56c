//! The room's way to the engine that acts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::{identity, stage};
use crate::config::{AutoLevel, Config, fleet};
use crate::control::{Engine, Parts, Sight};
use crate::domain::ModelId;
use crate::domain::act::{Told, Wish};
use crate::store::Store;

/// What the engine tells before the room listens.
const WORDS: usize = 1_024;
/// How long a request that is under way may take to come to its answer when the room is left.
const LAST: Duration = Duration::from_secs(6);

/// The engine as the room has it. In read-only mode there is none.
pub struct Hands {
    wishes: Option<mpsc::Sender<Wish>>,
    told: mpsc::Receiver<Told>,
    sight: watch::Sender<Arc<Sight>>,
    engine: Option<JoinHandle<()>>,
}

impl Hands {
    /// Starts an engine in the current runtime. A journal or a controller that cannot be had leaves a room that looks.
    pub fn of(config: &Config) -> Self {
        let (tell, told) = mpsc::channel(WORDS);
        let (sight, seen) = watch::channel(Arc::new(Sight::default()));
        if config.control.read_only {
            return Self { wishes: None, told, sight, engine: None };
        }
        match Parts::of(Arc::new(config.clone()), identity::who("room"), stage::now, seen, true) {
            Ok(parts) => {
                let (wishes, inbox) = mpsc::channel(16);
                let engine = Engine::spawn(parts, inbox, tell);
                Self { wishes: Some(wishes), told, sight, engine: Some(engine) }
            }
            Err(why) => {
                tracing::error!(target: "control", "nothing can be done: {why}");
                // The channel is empty: there is room for one.
                let _ = tell.try_send(Told::Trouble(why));
                Self { wishes: None, told, sight, engine: None }
            }
        }
    }

    /// What the engine tells next; never ready without one.
    pub async fn told(&mut self) -> Option<Told> {
        self.told.recv().await
    }

    /// Asks the engine.
    ///
    /// # Errors
    /// There is none, or it has too much to do.
    pub fn wish(&self, wish: Wish) -> Result<(), String> {
        let Some(wishes) = &self.wishes else {
            return Err("nothing can be done here; see the log (0)".into());
        };
        wishes.try_send(wish).map_err(|_| "the engine is busy; try again".to_owned())
    }

    /// Lets the engine go: requests that are under way come to their answer.
    pub async fn let_go(self) {
        drop(self.wishes);
        if let Some(engine) = self.engine {
            // One that hangs longer than its own deadlines is left to the journal.
            let _ = tokio::time::timeout(LAST, engine).await;
        }
    }

    /// Shows the engine what the room knows.
    pub fn show(&self, store: &Store) {
        if self.wishes.is_some() {
            self.sight.send_replace(Arc::new(Sight::of(store)));
        }
    }
}

/// Models on which wardroom acts by itself, with the words of the mark.
pub fn armed(config: &Config) -> BTreeMap<ModelId, String> {
    let word = |level| match level {
        AutoLevel::Advise => "auto advises",
        AutoLevel::Abort => "auto abort armed",
        AutoLevel::Rollback => "auto rollback armed",
    };
    let models = config.model.iter();
    let armed = models.filter_map(|model| {
        Some((fleet::model_id(config, model), word(model.automatic.as_ref()?.auto).to_owned()))
    });
    armed.collect()
}
