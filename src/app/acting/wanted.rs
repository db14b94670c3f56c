//! From a key to a question: which operation a key means now, whether it can be done, and asking for its plan.

use std::borrow::Cow;

use tui_input::Input;

use super::ask;
use super::dialog::{ActDialog, ActStage};
use crate::app::action::{Action, Availability};
use crate::app::effect::Effect;
use crate::app::state::{App, Dialog};
use crate::domain::act::Operation;
use crate::domain::{Level, ModelId, Rollout, Situation, Version};
use crate::store::Store;

/// What an acting key means for this rollout now. Rolling back and weights have their details still to be chosen.
fn operation(action: Action, rollout: &Rollout) -> Option<Operation> {
    Some(match action {
        Action::Hold => match rollout.situation {
            Situation::PausedByHand | Situation::Suspended => Operation::Resume,
            // A step's timer can be held; a step that waits for a person stands already.
            Situation::PausedByStep if rollout.until.is_none() => Operation::Resume,
            _ => Operation::Pause,
        },
        Action::Promote => Operation::Promote,
        Action::PromoteFull => Operation::PromoteFull,
        Action::Abort => Operation::Abort,
        Action::RollBack => Operation::RollBack { to: rollout.stable.clone() },
        Action::Retry => Operation::Retry,
        Action::Weight => Operation::SetWeight { percent: rollout.asked },
        _ => return None,
    })
}

/// The word of the key bar, which says whether the key holds or releases.
pub fn bar_word(action: Action, app: &App, store: &Store) -> &'static str {
    let rollout = || app.selected.as_ref().and_then(|id| store.model(id))?.rollout.as_ref();
    match (action, rollout()) {
        (Action::Hold, Some(rollout)) if operation(action, rollout) == Some(Operation::Resume) => "release",
        _ => action.row().bar,
    }
}

/// Whether an acting key can be pressed now.
pub fn availability(action: Action, app: &App, store: &Store) -> Availability {
    let no = |why: &'static str| Availability::No(why.into());
    if let Some(why) = app.cannot_act() {
        return Availability::No(why);
    }
    let Some(model) = app.selected.as_ref().and_then(|id| store.model(id)) else {
        return no("no model is selected");
    };
    let Some(rollout) = &model.rollout else {
        return no("no rollout controller tells of this model; name its rollout in the config");
    };
    let refused = operation(action, rollout).and_then(|operation| rollout.refuses(&operation));
    if let Some(why) = refused {
        return Availability::No(why.into());
    }
    if action == Action::RollBack && !rollout.revisions.iter().any(|revision| !revision.is_stable) {
        return no("the controller knows no other revision; write :rollback VERSION");
    }
    Availability::Yes
}

impl App {
    /// Why nothing at all can be done.
    fn cannot_act(&self) -> Option<Cow<'static, str>> {
        match &self.acting.trouble {
            _ if self.spectator => Some("this is a spectator, which only looks".into()),
            _ if self.is_past() => Some(crate::app::time::refusal(self).into()),
            _ if self.read_only => Some("read-only".into()),
            Some(why) => Some(why.clone().into()),
            None => None,
        }
    }
}

/// An acting key was pressed: opens the first stage of its dialog, or says why not.
pub fn open(app: &mut App, store: &Store, action: Action) -> Vec<Effect> {
    if let Availability::No(why) = availability(action, app, store) {
        app.say(format!("{}: {why}", action.row().name), Level::Warning);
        return Vec::new();
    }
    let Some(model) = app.selected.as_ref().and_then(|id| store.model(id)) else { return Vec::new() };
    let Some(rollout) = &model.rollout else { return Vec::new() };
    let stage = match action {
        Action::RollBack => {
            let list = rollout.revisions.clone();
            let best = list.iter().position(|r| !r.is_stable && !r.is_canary && r.known_bad.is_empty());
            let cursor = best.or_else(|| list.iter().position(|r| !r.is_stable)).unwrap_or(0);
            ActStage::Versions { list, cursor }
        }
        Action::Weight => ActStage::Weight(Input::default()),
        _ => {
            return match operation(action, rollout) {
                Some(operation) => ask(app, model, operation),
                None => Vec::new(),
            };
        }
    };
    app.dialog = Dialog::Act(Box::new(ActDialog::new(model.id.clone(), stage)));
    Vec::new()
}

/// A plan of a whole operation is wanted, as a command or after a choice; says why not when it cannot be.
pub fn ask_for(app: &mut App, store: &Store, model: &ModelId, operation: Operation) -> Vec<Effect> {
    let model = store.model(model);
    let why = match model.map(|model| &model.rollout) {
        _ if app.cannot_act().is_some() => app.cannot_act(),
        None => Some("no model is selected".into()),
        Some(None) => Some("no rollout controller tells of this model".into()),
        Some(Some(rollout)) => rollout.refuses(&operation).map(Cow::Owned).or_else(|| {
            let is_stable = |to: &Version| !rollout.is_live() && *to == rollout.stable;
            matches!(&operation, Operation::RollBack { to } if is_stable(to))
                .then(|| Cow::Borrowed("it serves all traffic already"))
        }),
    };
    match (why, model) {
        (None, Some(model)) => ask(app, model, operation),
        (why, _) => {
            let why = why.unwrap_or_default();
            app.say(format!("{}: {why}", operation.verb()), Level::Warning);
            Vec::new()
        }
    }
}
