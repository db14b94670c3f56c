//! Many rollouts at once: which of all their metrics are flagged, and how many of the flags may be false.

use super::verdict::Verdict;
use crate::stats::multiple::e_bh;

/// The flags of a fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct Flagged {
    /// Rollout and metric of each flag, as indices.
    pub flags: Vec<(usize, usize)>,
    /// How many metrics were looked at.
    pub of: usize,
    /// The share of flags that may be false.
    pub rate: f64,
}

/// Flags metrics over all rollouts by e-BH at false-discovery rate `rate`: it holds under any dependence
/// and at any look.
pub fn flagged<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>, rate: f64) -> Flagged {
    let entries: Vec<((usize, usize), f64)> = verdicts
        .into_iter()
        .enumerate()
        .flat_map(|(rollout, verdict)| {
            verdict.metrics.iter().enumerate().map(move |(place, m)| ((rollout, place), m.log_evidence))
        })
        .collect();
    let logs: Vec<f64> = entries.iter().map(|entry| entry.1).collect();
    let flags = e_bh(&logs, rate).into_iter().map(|place| entries[place].0).collect();
    Flagged { flags, of: entries.len(), rate }
}

impl Flagged {
    /// `flagged 4 of 300 at 5 % false-discovery rate`.
    pub fn words(&self) -> String {
        format!(
            "flagged {} of {} at {:.0} % false-discovery rate",
            self.flags.len(),
            self.of,
            100.0 * self.rate
        )
    }
}
