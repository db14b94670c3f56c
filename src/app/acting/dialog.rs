//! What the dialog of an act holds at each of its stages.

use tui_input::Input;

use crate::domain::act::{Act, ActId, Confirm, Operation, Plan, Refusal};
use crate::domain::{ModelId, Revision, Rollout, Time};

/// The dialog of one act on one model, which it stays bound to wherever the selection goes.
#[derive(Debug, Clone)]
pub struct ActDialog {
    /// Of which model.
    pub model: ModelId,
    /// How far it got.
    pub stage: ActStage,
    /// The rollout as it stood when the plan was asked for.
    pub seen: Option<Box<Rollout>>,
    /// Scroll of its inside, lines.
    pub scroll: u16,
}

/// The stages of an act's dialog.
#[derive(Debug, Clone)]
pub enum ActStage {
    /// A version is being chosen to roll back to.
    Versions {
        /// The revisions, the newest first.
        list: Vec<Revision>,
        /// The chosen one.
        cursor: usize,
    },
    /// A weight is being written.
    Weight(Input),
    /// The engine has been asked for a plan.
    Asking {
        /// The number of the question.
        number: u64,
        /// What was asked for.
        operation: Operation,
        /// Since when.
        since: Time,
    },
    /// There is no plan, because.
    Refused {
        /// What was asked for.
        operation: Operation,
        /// Why, and what to do instead.
        refusal: Refusal,
    },
    /// The plan waits to be confirmed.
    Planned(Proposal),
    /// The act is under way or over.
    Following(ActId),
}

/// What keys act on in a plan's dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Field {
    /// The reason is being written.
    Reason,
    /// The name is being typed.
    Name,
    /// Nothing shall be done.
    Cancel,
    /// It shall be done.
    Do,
}

/// A plan that waits to be confirmed.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The plan.
    pub plan: Box<Plan>,
    /// Why it is done, in the operator's words.
    pub reason: Input,
    /// The name as typed so far.
    pub typed: Input,
    /// Where keys go.
    pub focus: Field,
}

impl Proposal {
    /// A plan as it comes from the engine: Cancel is focused, but for the safe direction the act itself.
    pub fn of(plan: Box<Plan>) -> Self {
        // The engine's word alone does not make an act safe.
        let safe = plan.confirm == Confirm::Enter && plan.operation.is_safe_direction();
        let focus = if safe && blocked(&plan).is_none() { Field::Do } else { Field::Cancel };
        Self { reason: Input::new(plan.reason.clone()), typed: Input::default(), focus, plan }
    }

    /// The name that must be typed.
    pub fn name(&self) -> Option<&str> {
        match &self.plan.confirm {
            Confirm::Type(name) => Some(name),
            Confirm::Enter | Confirm::Choose => None,
        }
    }

    /// Why it cannot be done as it stands; `None` when it can.
    pub fn hindrance(&self) -> Option<String> {
        if let Some(why) = blocked(&self.plan) {
            return Some(why);
        }
        let name = self.name()?;
        (self.typed.value() != name).then(|| format!("type {name} first"))
    }

    /// The fields in the turn of Tab.
    fn ring(&self) -> &'static [Field] {
        match self.name() {
            Some(_) => &[Field::Reason, Field::Name, Field::Cancel, Field::Do],
            None => &[Field::Reason, Field::Cancel, Field::Do],
        }
    }

    /// Moves the focus forward, or back.
    pub(super) fn turn(&mut self, forward: bool) {
        let ring = self.ring();
        let here = ring.iter().position(|field| *field == self.focus).unwrap_or(0);
        let by = if forward { 1 } else { ring.len() - 1 };
        self.focus = ring[(here + by) % ring.len()];
    }

    /// The text that is being written, if any.
    pub(super) fn text(&mut self) -> Option<&mut Input> {
        match self.focus {
            Field::Reason => Some(&mut self.reason),
            Field::Name => Some(&mut self.typed),
            Field::Cancel | Field::Do => None,
        }
    }
}

/// Why a plan can never be carried out as it is.
fn blocked(plan: &Plan) -> Option<String> {
    if let Some((request, why)) = plan.forbidden() {
        return Some(format!("you may not do `{}`: {why}", request.words));
    }
    plan.requests.is_empty().then(|| "it is so already; there is nothing to send".to_owned())
}

impl ActDialog {
    /// A dialog on a model.
    pub fn new(model: ModelId, stage: ActStage) -> Self {
        Self { model, stage, seen: None, scroll: 0 }
    }

    /// The dialog that follows an act.
    pub fn following(act: &Act) -> Self {
        Self::new(act.plan.model.clone(), ActStage::Following(act.plan.id.clone()))
    }

    /// The text that is being written, if any.
    pub(super) fn text(&mut self) -> Option<&mut Input> {
        match &mut self.stage {
            ActStage::Weight(input) => Some(input),
            ActStage::Planned(proposal) => proposal.text(),
            _ => None,
        }
    }

    /// No dialog is longer than this, lines.
    pub(super) fn lines(&self, acts: &[Act]) -> u16 {
        let of = |plan: &Plan| 6 * plan.requests.len() + 3 * plan.checks.len() + 6 * plan.beware.len() + 30;
        let lines = match &self.stage {
            ActStage::Planned(proposal) => of(&proposal.plan),
            ActStage::Following(id) => acts
                .iter()
                .find(|act| act.plan.id == *id)
                .map_or(0, |act| of(&act.plan) + 4 * act.watch_notes.len()),
            _ => 0,
        };
        u16::try_from(lines).unwrap_or(u16::MAX)
    }
}
