//! What the room and the engine say to each other.

use super::{Act, ActId, Operation, Plan, Refusal};
use crate::domain::{ModelId, Rollout};

/// What the operator wants of the engine.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// Make a plan.
    Plan {
        /// Given back with the answer: an answer to an older question changes nothing.
        number: u64,
        /// Of which model.
        model: ModelId,
        /// What is wanted.
        operation: Operation,
        /// Why; may be empty until it is confirmed.
        reason: String,
        /// What speaks for it: the verdict, the worst limit.
        evidence: String,
        /// The rollout as it is on screen.
        seen: Option<Box<Rollout>>,
    },
    /// Do what was confirmed.
    Execute(Box<Plan>),
    /// Go on verifying an act that an earlier process began.
    Verify(ActId),
    /// Close an act of an earlier process as it is, without looking.
    Close(ActId),
}

/// What the engine tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// The plan, or why there is none.
    Planned {
        /// The number of the question.
        number: u64,
        /// The answer.
        plan: Result<Box<Plan>, Refusal>,
    },
    /// How far an act got.
    Act(Box<Act>),
    /// Acts that an earlier process left unfinished.
    Unfinished(Vec<Act>),
    /// What it would do by itself, or tried to: only said.
    Advice {
        /// Of which model.
        model: ModelId,
        /// The words.
        words: String,
    },
    /// The journal or the audit trail cannot be written: nothing can be done until that is mended.
    Trouble(String),
}
