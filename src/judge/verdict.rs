//! The judgement's outcome, with everything that it rests on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::once::OnceOnly;
use super::rules::MetricKind;
use crate::domain::Time;

/// What to do. Nothing is done by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The canary is worse than tolerated: back to stable.
    Abort,
    /// It stays within every tolerance: on with it.
    Promote,
    /// Neither is shown yet.
    KeepWatching,
    /// What is measured cannot show either.
    CannotTell,
}

impl Decision {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Abort => "ABORT",
            Self::Promote => "PROMOTE",
            Self::KeepWatching => "KEEP WATCHING",
            Self::CannotTell => "CANNOT TELL",
        }
    }

    /// Exit code of `wardroom judge`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Promote | Self::KeepWatching => 0,
            Self::Abort => 2,
            Self::CannotTell => 3,
        }
    }
}

/// In what an effect is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Canary over baseline.
    Ratio,
    /// Canary minus baseline, a share (0.01 is one point).
    Difference,
}

/// How much the canary differs, with an interval that holds at every look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// In what.
    pub unit: Unit,
    /// The point estimate; absent for 0/0.
    pub value: Option<f64>,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval; absent when it has none.
    pub high: Option<f64>,
}

/// When the evidence will be enough at the present rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Eta {
    /// For what.
    pub toward: Decision,
    /// More canary requests.
    pub requests: u64,
    /// Seconds, when the rate of requests is known.
    pub seconds: Option<f64>,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricVerdict {
    /// Its name.
    pub metric: Arc<str>,
    /// What it counts.
    pub kind: MetricKind,
    /// The canary's value: a share 0…1, or seconds for a latency (p95).
    pub canary: Option<f64>,
    /// The baseline's value.
    pub baseline: Option<f64>,
    /// The difference.
    pub effect: Option<Effect>,
    /// Ends of the effect's interval, for programs: the same as in `effect`.
    pub interval: Option<[Option<f64>; 2]>,
    /// ln of the evidence that decides to abort, now.
    pub log_evidence: f64,
    /// The largest it has been.
    pub max_log_evidence: f64,
    /// ln of the evidence that it stays within the tolerance, now; absent where nothing can show it.
    pub log_evidence_promote: Option<f64>,
    /// The largest that has been.
    pub max_log_evidence_promote: Option<f64>,
    /// ln of the evidence that it is worse at all, where aborting needs more.
    pub log_evidence_hint: Option<f64>,
    /// Its weight in the combined evidence.
    pub weight: f64,
    /// The canary's trials.
    pub n_canary: u64,
    /// The baseline's trials.
    pub n_baseline: u64,
    /// Its blocks have stopped coming: the numbers are as last seen.
    pub stale: bool,
    /// `quiet`, `noisy` or `not available`: the baseline against itself.
    pub sentinel: std::borrow::Cow<'static, str>,
    /// Blocks of the instance-rank test.
    pub rank_blocks: u64,
    /// The margin that the buckets make of the configured one, for a latency.
    pub effective_margin: Option<f64>,
    /// What the usual tests say at one look. Nothing is decided by them.
    pub one_look_only: Option<OnceOnly>,
    /// Which of the four this metric alone speaks for, and why, in words.
    pub reason: String,
    /// Which of the four this metric alone speaks for.
    pub says: Decision,
}

impl Verdict {
    /// The line without the decision's word.
    pub fn words(&self) -> &str {
        self.line.strip_prefix(self.verdict.word()).unwrap_or(&self.line).trim_start()
    }
}

/// The judgement of a rollout at one look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// When.
    pub t: Time,
    /// What to do.
    pub verdict: Decision,
    /// One line: evidence, size, guarantee, what next.
    pub line: String,
    /// More to know: hints, limits, what is not available.
    pub notes: Vec<String>,
    /// ln of the combined abort evidence, now.
    pub log_evidence: f64,
    /// The largest it has been: an alarm stays.
    pub max_log_evidence: f64,
    /// ln of the evidence at which to abort.
    pub log_needed: f64,
    /// The metrics that decided.
    pub causes: Vec<Arc<str>>,
    /// Requests of the canary so far.
    pub canary_requests: u64,
    /// When it will be enough.
    pub eta: Option<Eta>,
    /// Share of traffic that the canary gets, 0…1, and the one configured.
    pub share: Option<[f64; 2]>,
    /// Every metric.
    pub metrics: Vec<MetricVerdict>,
}
