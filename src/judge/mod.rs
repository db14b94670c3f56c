//! Is the canary worse, as good, or can nobody tell yet? The judgement of a rollout from blocks of counts,
//! right however often one looks. Pure: blocks in, verdicts out; no clock, no socket.

pub mod channel;
pub mod differ;
pub mod effect;
pub mod figures;
pub mod fleet;
pub mod history;
pub mod metric;
pub mod noise;
pub mod once;
pub mod plan;
pub mod portion;
pub mod record;
pub mod rollout;
pub mod rules;
pub mod verdict;
pub mod words;

pub use metric::MetricJudge;
pub use portion::{Counts, Portion, Role};
pub use rollout::{Look, RolloutJudge};
pub use rules::{MetricKind, Rules};
pub use verdict::{Decision, Effect, MetricVerdict, Verdict};

#[cfg(test)]
mod tests;
