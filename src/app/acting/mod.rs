//! The dialogs of acts: asking for a plan, confirming it, following it. Nothing is sent from here: what the
//! operator wants becomes a [`Wish`], what the engine answers comes in as [`Told`].

mod dialog;
mod keys;
mod story;
mod waits;
mod wanted;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::effect::Effect;
use super::state::{App, Dialog};
use crate::domain::act::{Act, ActId, Operation, Told, Wish};
use crate::domain::{Event, EventKind, Level, ModelId};
use crate::store::{ModelState, Store};

pub use dialog::{ActDialog, ActStage, Field, Proposal};
pub(super) use keys::percent;
pub use keys::{key, paste};
pub use story::{done, in_flight};
pub use waits::{Wait, waiting};
pub use wanted::{ask_for, availability, bar_word, open};

/// How many acts that are over are kept.
const KEPT: usize = 50;
/// From confirmation to effective: the target, seconds.
pub const TARGET_S: f64 = 300.0;

/// What is known of acts.
#[derive(Debug, Clone, Default)]
pub struct Acting {
    /// The number of the last question to the engine. Answers to older ones change nothing.
    pub asked: u64,
    /// Acts of this session, in the order in which they began.
    pub acts: Vec<Act>,
    /// Acts of earlier processes that wait for a decision.
    pub unfinished: Vec<Act>,
    /// Why nothing can be done at all: the journal cannot be written.
    pub trouble: Option<String>,
    /// Whether the question of the open dialog has been on the glass. Keys before that are discarded.
    pub drawn: bool,
    /// The outcome of each act that stands in the timeline already.
    told: BTreeMap<ActId, &'static str>,
}

impl Acting {
    /// An act of this session.
    pub fn act(&self, id: &ActId) -> Option<&Act> {
        self.acts.iter().find(|act| act.plan.id == *id)
    }

    /// The newest act on a model.
    pub fn newest_on(&self, model: &ModelId) -> Option<&Act> {
        self.acts.iter().rev().find(|act| act.plan.model == *model)
    }

    /// Takes in how far an act got.
    fn keep(&mut self, act: Act) {
        match self.acts.iter_mut().find(|known| known.plan.id == act.plan.id) {
            Some(known) => *known = act,
            None => self.acts.push(act),
        }
        if self.acts.len() > KEPT
            && let Some(over) = self.acts.iter().position(|act| !act.is_open())
        {
            let gone = self.acts.remove(over);
            self.told.remove(&gone.plan.id);
        }
    }
}

impl App {
    /// To be called after each frame that was given to the terminal: from now on the question that stands on
    /// the glass may be answered.
    pub fn drawn(&mut self) {
        self.acting.drawn = true;
    }

    /// Whether a clock runs on the screen that shows tenths of seconds: a plan is awaited, or an act is in flight.
    pub fn counts_tenths(&self) -> bool {
        let asks =
            matches!(&self.dialog, Dialog::Act(dialog) if matches!(dialog.stage, ActStage::Asking { .. }));
        asks || in_flight(self).next().is_some()
    }
}

/// Takes in what the engine told.
pub fn told(app: &mut App, store: &mut Store, told: Told) {
    match told {
        Told::Planned { number, plan } => {
            let Dialog::Act(dialog) = &mut app.dialog else { return };
            let ActStage::Asking { number: awaited, operation, .. } = &dialog.stage else { return };
            // The numbers decide, the model is held against mistakes.
            let is_mine = plan.as_ref().map_or(true, |plan| plan.model == dialog.model);
            if *awaited != number || !is_mine {
                return;
            }
            let operation = operation.clone();
            dialog.scroll = 0;
            dialog.stage = match plan {
                Ok(plan) => ActStage::Planned(Proposal::of(plan)),
                Err(refusal) => ActStage::Refused { operation, refusal },
            };
            app.acting.drawn = false;
        }
        Told::Act(act) => {
            story::tell(app, store, &act);
            app.acting.unfinished.retain(|other| other.plan.id != act.plan.id);
            app.acting.keep(*act);
        }
        Told::Unfinished(acts) => {
            if acts.is_empty() {
                return;
            }
            app.acting.unfinished = acts;
            if matches!(app.dialog, Dialog::None) && !app.is_past() {
                open_unfinished(app);
            } else {
                let key = app.keymap.key(super::Action::Acts);
                app.say(
                    format!("an earlier wardroom left acts unfinished; {key} shows them"),
                    Level::Warning,
                );
            }
        }
        Told::Advice { model, words } => {
            store.record(Event {
                at: app.now,
                kind: EventKind::Action,
                model: Some(model),
                level: Level::Warning,
                what: words,
                detail: "automatic".into(),
            });
        }
        Told::Trouble(why) => {
            app.say(format!("nothing can be done: {why}"), Level::Critical);
            app.acting.trouble = Some(why);
        }
    }
}

/// Shows the acts that an earlier process left.
fn open_unfinished(app: &mut App) {
    app.dialog = Dialog::Unfinished(0);
    app.acting.drawn = false;
}

/// Opens what there is to show of acts: those that wait for a decision, else the newest that runs, else the
/// newest; when one is open, the one before it.
pub(super) fn show(app: &mut App) {
    if let Some(why) = super::time::forbids(app, super::Action::Acts) {
        app.say(format!("acts: {why}"), Level::Warning);
        return;
    }
    if !app.acting.unfinished.is_empty() && !matches!(app.dialog, Dialog::Unfinished(_)) {
        open_unfinished(app);
        return;
    }
    let shown = match &app.dialog {
        Dialog::Act(dialog) => match &dialog.stage {
            ActStage::Following(id) => app.acting.acts.iter().position(|act| act.plan.id == *id),
            _ => None,
        },
        _ => None,
    };
    let acts = &app.acting.acts;
    let place = match shown {
        Some(place) => Some(place.checked_sub(1).unwrap_or(acts.len() - 1)),
        None => acts.iter().rposition(story::is_in_flight).or(acts.len().checked_sub(1)),
    };
    match place.and_then(|place| acts.get(place)) {
        Some(act) => app.dialog = Dialog::Act(Box::new(ActDialog::following(act))),
        None => app.say("nothing has been done in this session", Level::Ok),
    }
}

/// Asks the engine for a plan, and opens the dialog that waits for it.
fn ask(app: &mut App, model: &ModelState, operation: Operation) -> Vec<Effect> {
    app.acting.asked += 1;
    let number = app.acting.asked;
    let seen = model.rollout.clone().map(Box::new);
    let stage = ActStage::Asking { number, operation: operation.clone(), since: app.now };
    app.dialog =
        Dialog::Act(Box::new(ActDialog { seen: seen.clone(), ..ActDialog::new(model.id.clone(), stage) }));
    vec![Effect::Act(Box::new(Wish::Plan {
        number,
        model: model.id.clone(),
        operation,
        reason: String::new(),
        evidence: evidence(model),
        seen,
    }))]
}

/// What speaks for an act, in words: the verdict on the canary, the worst limit.
fn evidence(model: &ModelState) -> String {
    let mut words = Vec::new();
    if let Some(verdict) = model.verdict() {
        words.push(verdict.line.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    if model.level >= Level::Unknown && !model.why.is_empty() {
        words.push(format!("{}: {}", model.level.word(), model.why));
    }
    words.join("; ")
}
