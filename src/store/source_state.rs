//! How each source is doing: its freshness, its fault, its remarks.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::{Fault, Freshness, SourceInfo, Time};

/// How many remarks of a source are kept.
const REMARKS: usize = 8;

/// One polled target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceState {
    /// Who it is.
    pub info: SourceInfo,
    /// When it last answered well.
    pub seen: Option<Time>,
    /// When it was last asked, well or not.
    pub asked: Option<Time>,
    /// What is wrong with it now.
    pub fault: Option<Fault>,
    /// Since when it is wrong.
    pub fault_since: Option<Time>,
    /// How long the last answer took, milliseconds.
    pub took_ms: f64,
    /// Its clock minus ours, seconds.
    pub skew_s: f64,
    /// What an operator should know about it, the newest last.
    pub remarks: VecDeque<String>,
    /// Indexes of the models that it spoke of.
    pub touches: Vec<usize>,
}

impl SourceState {
    /// A source that has not answered yet.
    pub fn new(info: SourceInfo) -> Self {
        Self {
            info,
            seen: None,
            asked: None,
            fault: None,
            fault_since: None,
            took_ms: 0.0,
            skew_s: 0.0,
            remarks: VecDeque::new(),
            touches: Vec::new(),
        }
    }

    /// Its freshness at `now`.
    pub fn freshness(&self, now: Time) -> Freshness {
        Freshness::of(self.seen, self.info.interval_s, now)
    }

    /// Seconds since it last answered well; since it was first in trouble when it never did.
    pub fn age_s(&self, now: Time) -> Option<f64> {
        self.seen.or(self.fault_since).map(|seen| (now - seen).as_seconds_f64().max(0.0))
    }

    /// Keeps a remark; the same one is not repeated.
    pub fn remark(&mut self, text: &str) -> bool {
        if self.remarks.iter().any(|old| old == text) {
            return false;
        }
        if self.remarks.len() == REMARKS {
            self.remarks.pop_front();
        }
        self.remarks.push_back(text.to_owned());
        true
    }
}
