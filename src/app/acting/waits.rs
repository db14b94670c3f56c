//! What waits for a person, across all models and clusters.

use crate::app::action::Action;
use crate::app::state::App;
use crate::domain::{ModelId, Rollout, Situation, Time};
use crate::store::Store;

/// One thing that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// The model; absent for an act that an earlier process left.
    pub model: Option<ModelId>,
    /// What is shown for it: the model's name, or the act.
    pub name: String,
    /// Where: context, namespace and name.
    pub place: String,
    /// Why it waits.
    pub why: String,
    /// Since when.
    pub since: Option<Time>,
    /// What to press.
    pub press: String,
}

/// Everything that waits for a person, the longest waiting first; what an earlier process left comes before.
pub fn waiting(app: &App, store: &Store) -> Vec<Wait> {
    let key = |action| app.keymap.key(action);
    let mut list: Vec<Wait> = store
        .models
        .iter()
        .filter_map(|model| Some((model, model.rollout.as_ref().filter(|rollout| rollout.waits)?)))
        .map(|(model, rollout)| Wait {
            model: Some(model.id.clone()),
            name: model.id.name.to_string(),
            place: rollout.target.as_ref().map_or_else(|| rollout.controller.clone(), ToString::to_string),
            why: why(rollout),
            since: rollout.since,
            press: press(app, rollout),
        })
        .collect();
    // One without a time is not known to be young.
    list.sort_by_key(|wait| wait.since);
    let left = app.acting.unfinished.iter().map(|act| Wait {
        model: None,
        name: act.headline(),
        place: act.plan.target.to_string(),
        why: "an earlier wardroom left it unfinished".into(),
        since: Some(act.confirmed_at),
        press: format!("{} decides", key(Action::Acts)),
    });
    left.chain(list).collect()
}

fn why(rollout: &Rollout) -> String {
    let canary = rollout.canary.as_ref().map_or_else(String::new, |version| format!("{version} "));
    let at = format!("{canary}at {:.0} %", rollout.asked);
    match rollout.situation {
        Situation::Aborted => format!("{canary}aborted; the manifest still wants it"),
        Situation::PromotionLost => format!("{at}, its promotion was lost by the controller"),
        situation => format!("{at}, {}", situation.word()),
    }
}

/// The keys that lead on, without those that the rollout refuses.
fn press(app: &App, rollout: &Rollout) -> String {
    use crate::domain::act::Operation;
    let back = || Operation::RollBack { to: rollout.stable.clone() };
    let ways: Vec<(Action, Operation, &str)> = match rollout.situation {
        Situation::PausedByHand | Situation::Suspended => {
            vec![(Action::Hold, Operation::Resume, "releases"), (Action::Abort, Operation::Abort, "aborts")]
        }
        Situation::Aborted => {
            vec![(Action::Retry, Operation::Retry, "retries"), (Action::RollBack, back(), "rolls back")]
        }
        Situation::WaitingApproval => {
            vec![
                (Action::Promote, Operation::Promote, "approves"),
                (Action::Abort, Operation::Abort, "aborts"),
            ]
        }
        Situation::Degraded => {
            vec![(Action::Abort, Operation::Abort, "aborts"), (Action::RollBack, back(), "rolls back")]
        }
        _ => {
            vec![
                (Action::Promote, Operation::Promote, "promotes"),
                (Action::Abort, Operation::Abort, "aborts"),
            ]
        }
    };
    let can: Vec<String> = ways
        .iter()
        .filter(|(_, operation, _)| rollout.refuses(operation).is_none())
        .map(|(action, _, words)| format!("{} {words}", app.keymap.key(*action)))
        .collect();
    match (can.is_empty(), ways.first().and_then(|(_, operation, _)| rollout.refuses(operation))) {
        (true, Some(why)) => why,
        _ => can.join(", "),
    }
}
