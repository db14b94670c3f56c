//! Acts upon the world as data: what is wanted, the plan, how far it got. Nothing here sends anything.

mod operation;
mod plan;
mod progress;
mod talk;

pub use operation::{Operation, Who};
pub use plan::{Beware, CheckPlan, Confirm, Hand, Known, May, Plan, Refusal, Request, VersionMap};
pub use progress::{Act, Check, CheckState, Outcome, RequestState, Stage};
pub use talk::{Told, Wish};

use serde::{Deserialize, Serialize};

/// The unique name of an act, short enough to be said in a call: `a-3f9c21d4`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActId(pub String);

impl std::fmt::Display for ActId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
