//! One act while it runs: written down and told at every step.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::watch;

use super::engine::Shared;
use super::{Sender, execute, planning, verify};
use crate::domain::Time;
use crate::domain::act::{Act, Hand, Outcome, Stage, Told};

/// One act while it runs.
pub(super) struct Doing {
    pub shared: Arc<Shared>,
    pub act: Act,
    stage: watch::Sender<Stage>,
    /// Why it is to end, when it is.
    pub stop: watch::Receiver<Option<String>>,
    /// Whether a request is on its way: nobody may cut in then.
    pub in_flight: Arc<AtomicBool>,
    /// Set when a write failed, so that the trouble is told once.
    troubled: bool,
}

/// The journal could not be written.
#[derive(Debug)]
pub(super) struct Unwritten(pub String);

impl Doing {
    pub(super) fn new(
        shared: Arc<Shared>,
        act: Act,
        stage: watch::Sender<Stage>,
        stop: watch::Receiver<Option<String>>,
        in_flight: Arc<AtomicBool>,
    ) -> Self {
        Self { shared, act, stage, stop, in_flight, troubled: false }
    }

    /// The whole way of a confirmed act.
    pub(super) async fn run(mut self) {
        let before = verify::Before::now(&self);
        if let Err(Unwritten(why)) = self.note("confirmed", true).await {
            return self.nothing(format!("the journal cannot be written: {why}")).await;
        }
        match execute::send_all(&mut self).await {
            // What was done in part is looked at like the whole.
            execute::End::Sent => verify::run(self, before).await,
            execute::End::Halted(outcome) => self.over(outcome).await,
        }
    }

    pub(super) fn now(&self) -> Time {
        (self.shared.clock)()
    }

    pub(super) fn stage(&mut self, stage: Stage) {
        self.act.stage = stage;
        self.stage.send_replace(stage);
    }

    /// Writes the act down at a point and tells it.
    pub(super) async fn note(&mut self, point: &str, audited: bool) -> Result<(), Unwritten> {
        let now = self.now();
        let written = self.shared.desk.write(now, point, &mut self.act, audited).await;
        match written {
            Ok(()) => {
                self.troubled = false;
                match audited {
                    true => self.shared.tell(Told::Act(Box::new(self.act.clone()))).await,
                    false => self.shared.show(&self.act),
                }
                Ok(())
            }
            Err(trouble) => {
                let why = trouble.to_string();
                if !std::mem::replace(&mut self.troubled, true) {
                    self.shared.tell(Told::Trouble(why.clone())).await;
                }
                self.shared.show(&self.act);
                Err(Unwritten(why))
            }
        }
    }

    /// Ends the act.
    pub(super) async fn over(mut self, outcome: Outcome) {
        self.act.outcome = Some(outcome);
        self.stage(Stage::Over);
        if self.note("over", true).await.is_err() {
            self.shared.tell(Told::Act(Box::new(self.act))).await;
        }
    }

    /// Ends an act of which nothing could even be written down.
    async fn nothing(mut self, why: String) {
        execute::rest_not_sent(&mut self.act, 0, &why);
        self.act.outcome = Some(Outcome::Nothing { why });
        self.stage(Stage::Over);
        self.shared.tell(Told::Act(Box::new(self.act))).await;
    }

    /// Who sends for a hand; none when the config has changed since the plan.
    pub(super) fn sender(&self, hand: Hand) -> Option<&dyn Sender> {
        match hand {
            Hand::Controller => {
                planning::controller_of(&self.shared, &self.act.plan.target).ok().map(|c| c as &dyn Sender)
            }
            Hand::Registry => self.shared.registry.as_deref().map(|registry| registry as &dyn Sender),
        }
    }
}
