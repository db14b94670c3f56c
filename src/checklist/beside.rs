//! What checks rest on that no source tells: the audit trail and the drills. Read by somebody else.

use serde::Deserialize;

use super::tick::Tick;
use crate::domain::Time;

/// The state of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trail {
    /// Nobody looked, or it cannot be read; why.
    #[default]
    NotLooked,
    /// It cannot be read, because.
    Unreadable(String),
    /// There is none yet: nothing was ever done from here.
    Absent,
    /// Nothing was changed; with its number of entries.
    Intact(u64),
    /// Something was; the first finding.
    Changed(String),
}

/// A rollback drill, as one line of the file of drills tells it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Drill {
    /// When.
    pub at: Time,
    /// Whether the rollback was verified.
    pub verified: bool,
    /// What was practised.
    #[serde(default)]
    pub scenario: String,
}

impl Drill {
    /// The drills of a file of JSON lines. A line that is none is passed over: another version may have written it.
    pub fn parse(text: &str) -> Vec<Self> {
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

/// What lies beside the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// The audit trail.
    pub trail: Trail,
    /// Drills that were done; `Err`: why that cannot be told.
    pub drills: Option<Result<Vec<Drill>, String>>,
}

/// What the book of ticks and the files beside it say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The ticks of the last months, in the order in which they were written.
    pub ticks: Vec<Tick>,
    /// What checks rest on.
    pub beside: Beside,
}
