//! Running totals by version, as servers count them: what the judgement of a canary is fed with.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Version;

/// A running total.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Total {
    /// Events of trials: failures of requests, wrong predictions of labelled ones.
    Events {
        /// Events so far.
        events: f64,
        /// Trials so far.
        trials: f64,
    },
    /// Answers by latency so far: upper bounds in seconds, ascending, the last one infinite; counts
    /// cumulative over the bounds.
    Buckets(Vec<(f64, f64)>),
}

/// The running total of one version on one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counter {
    /// Which version.
    pub version: Version,
    /// Which instance, when the source tells.
    pub instance: Option<Arc<str>>,
    /// How old the labels are, seconds, for wrong predictions.
    pub age_s: Option<u64>,
    /// The total.
    pub total: Total,
}
