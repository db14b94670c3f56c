//! What acts leave in words: in the timeline, in the header, beside a verdict.

use crate::app::state::{App, Dialog};
use crate::domain::act::{Act, Outcome, Stage};
use crate::domain::{Event, EventKind, Level, ModelId};
use crate::store::Store;

use super::dialog::ActStage;

/// Acts that are under way: confirmed, and neither effective nor over.
pub fn in_flight(app: &App) -> impl Iterator<Item = &Act> {
    app.acting.acts.iter().filter(|act| is_in_flight(act))
}

pub(super) fn is_in_flight(act: &Act) -> bool {
    matches!(act.stage, Stage::Confirmed | Stage::Sending | Stage::Verifying)
}

/// How bad an outcome is.
fn level(outcome: &Outcome) -> Level {
    match outcome {
        Outcome::Effective => Level::Ok,
        Outcome::Nothing { .. } | Outcome::Unknown { .. } => Level::Warning,
        Outcome::Failed { .. } => Level::Critical,
    }
}

fn why(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Effective => "",
        Outcome::Nothing { why } | Outcome::Failed { why } | Outcome::Unknown { why } => why,
    }
}

/// Writes an act's outcome into the timeline, once, and again when it becomes another.
pub(super) fn tell(app: &mut App, store: &mut Store, act: &Act) {
    let is_new = app.acting.act(&act.plan.id).is_none();
    let automatic = act.plan.who.by == "automatic";
    if is_new && automatic && act.outcome.is_none() {
        app.say(format!("automatic: {}", act.headline()), Level::Warning);
    }
    let Some(outcome) = &act.outcome else { return };
    if app.acting.told.get(&act.plan.id) == Some(&outcome.word()) {
        return;
    }
    app.acting.told.insert(act.plan.id.clone(), outcome.word());
    let mut what = format!("{} {}", act.headline(), outcome.word());
    if let Some(took) = act.effective_at.filter(|_| *outcome == Outcome::Effective) {
        what.push_str(&format!(" in {:.1} s", (took - act.confirmed_at).as_seconds_f64()));
    }
    let mut detail = if automatic { "automatic".to_owned() } else { act.plan.who.user.clone() };
    if !act.plan.reason.is_empty() {
        detail.push_str(&format!(" “{}”", act.plan.reason));
    }
    if !why(outcome).is_empty() {
        detail.push_str(&format!(" {}", why(outcome)));
    }
    if let Some(number) = act.audit {
        detail.push_str(&format!("  audit {number}"));
    }
    let is_followed = matches!(&app.dialog, Dialog::Act(dialog)
        if matches!(&dialog.stage, ActStage::Following(id) if *id == act.plan.id));
    if !is_followed {
        app.say(what.clone(), level(outcome));
    }
    store.record(Event {
        at: app.now,
        kind: EventKind::Action,
        model: Some(act.plan.model.clone()),
        level: level(outcome),
        what,
        detail: detail.trim().to_owned(),
    });
}

/// What was done about a model, as a sentence; `None` when nothing was, as far as is known.
pub fn done(app: &App, store: &Store, model: &ModelId) -> Option<String> {
    // What was done since is no part of a past moment.
    if let Some(act) = app.acting.newest_on(model).filter(|_| !app.is_past()) {
        let verb = act.plan.operation.title().trim_end_matches(':').trim_end_matches(" of");
        let words = match &act.outcome {
            None if is_in_flight(act) => "is under way".to_owned(),
            None => "was sent".to_owned(),
            Some(Outcome::Effective) => {
                let at = act.effective_at.map(|at| format!(" since {}", at.format("%H:%M:%S")));
                format!("is effective{}", at.unwrap_or_default())
            }
            Some(Outcome::Nothing { .. }) => return None,
            Some(Outcome::Failed { .. }) => "failed".to_owned(),
            Some(Outcome::Unknown { .. }) => "has an unknown outcome".to_owned(),
        };
        return Some(format!("{verb} {words}."));
    }
    use crate::domain::Situation::{Aborted, Aborting, PausedByHand, RollingBack, Suspended};
    let rollout = store.model(model)?.rollout.as_ref()?;
    let situation = rollout.situation;
    matches!(situation, Aborted | Aborting | PausedByHand | RollingBack | Suspended)
        .then(|| format!("It is {}, not by this session.", situation.word()))
}
