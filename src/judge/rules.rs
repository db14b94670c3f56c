//! What the judgement goes by: chances of error, tolerances, limits.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a metric counts, which decides how it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// Failed requests of all requests.
    Errors,
    /// Answers by bucket of their latency.
    Latency,
    /// Wrong predictions of those with a label.
    Accuracy,
    /// Anything else that is counted: crashes, timeouts.
    Counts,
}

impl MetricKind {
    /// The kind of a metric by its name: `errors`, `latency`, `accuracy`, else plain counts. Buckets mean
    /// latency whatever the name.
    pub fn of(name: &str, has_buckets: bool) -> Self {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            _ if has_buckets => Self::Latency,
            "errors" | "error_rate" | "failures" => Self::Errors,
            "accuracy" => Self::Accuracy,
            name if name.starts_with("latency") => Self::Latency,
            _ => Self::Counts,
        }
    }

    /// Whether a promotion needs evidence for this metric.
    pub fn is_required(self) -> bool {
        !matches!(self, Self::Counts)
    }
}

/// The rules of the judgement. The defaults are those of the users' guides: an error rate no worse at all,
/// latency within 1.5 times, accuracy within two points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Chance that a healthy canary is ever called worse, over all looks together.
    pub alpha_abort: f64,
    /// Chance that a bad canary is ever called good.
    pub alpha_promote: f64,
    /// Rise of the error rate beyond which to abort, 0…1; 0 means any rise.
    pub errors_abort_margin: f64,
    /// Rise of the error rate within which to promote, 0…1.
    pub errors_promote_margin: f64,
    /// Absolute limits of the canary's error rate, 0…1: above the first nothing is promoted, above the
    /// last it is aborted, unless the baseline is above it too.
    pub error_limits: [f64; 2],
    /// Ratio of latency percentiles beyond which to abort, within which to promote; 0 means any rise.
    pub latency_margin: f64,
    /// Drop of accuracy beyond which to abort, within which to promote, 0…1; 0 means any drop.
    pub accuracy_margin: f64,
    /// Ratio of rates beyond which plain counts (crashes) abort; 1 means any rise.
    pub counts_ratio: f64,
    /// Error rate of one block that aborts at once, 0…1; 0 switches it off. Not a statistical verdict.
    pub hard_limit: f64,
    /// Requests that a block needs for that.
    pub hard_limit_requests: u64,
    /// Seconds that a canary is watched before it may be promoted.
    pub soak_s: f64,
    /// Difference of the arms' share of labelled rows above which accuracy says nothing, 0…1.
    pub coverage_gap: f64,
    /// Weights of metrics in the combined evidence, `weights.latency = 2.0`; 1 for those not named.
    pub weights: BTreeMap<String, f64>,
    /// Odds against the configured split of traffic at which nothing can be told any more.
    pub split_odds: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            alpha_abort: 0.05,
            alpha_promote: 0.05,
            errors_abort_margin: 0.0,
            errors_promote_margin: 0.005,
            error_limits: [0.01, 0.02],
            latency_margin: 1.5,
            accuracy_margin: 0.02,
            counts_ratio: 1.0,
            hard_limit: 0.0,
            hard_limit_requests: 50,
            soak_s: 0.0,
            coverage_gap: 0.05,
            weights: BTreeMap::new(),
            split_odds: 1_000.0,
        }
    }
}

impl Rules {
    /// ln of the odds at which abort evidence is enough.
    pub fn abort_bound(&self) -> f64 {
        -self.alpha_abort.ln()
    }

    /// ln of the odds at which promote evidence is enough.
    pub fn promote_bound(&self) -> f64 {
        -self.alpha_promote.ln()
    }

    /// Ratio of latency percentiles within which to promote: the margin, or 1.5 where any rise aborts.
    pub fn latency_tolerance(&self) -> f64 {
        if self.latency_margin > 0.0 { self.latency_margin } else { Self::default().latency_margin }
    }

    /// Drop of accuracy within which to promote: the margin, or two points where any drop aborts.
    pub fn accuracy_tolerance(&self) -> f64 {
        if self.accuracy_margin > 0.0 { self.accuracy_margin } else { Self::default().accuracy_margin }
    }

    /// The first setting that makes no sense: its name and what it should be.
    pub fn mistake(&self) -> Option<(&'static str, &'static str)> {
        let share = |value: f64| value > 0.0 && value < 1.0;
        let part = |value: f64| (0.0..1.0).contains(&value);
        let checks = [
            ("alpha_abort", share(self.alpha_abort), "between 0 and 1"),
            ("alpha_promote", share(self.alpha_promote), "between 0 and 1"),
            ("errors_abort_margin", part(self.errors_abort_margin), "a share, 0.01 for one point"),
            ("errors_promote_margin", share(self.errors_promote_margin), "a share above 0"),
            ("error_limits", self.error_limits.iter().all(|&limit| share(limit)), "two shares"),
            ("latency_margin", self.latency_margin == 0.0 || self.latency_margin >= 1.0, "0 or at least 1"),
            ("accuracy_margin", part(self.accuracy_margin), "a share, 0.02 for two points"),
            ("counts_ratio", self.counts_ratio >= 1.0 && self.counts_ratio.is_finite(), "at least 1"),
            ("hard_limit", part(self.hard_limit), "a share; 0 is off"),
            ("soak_s", self.soak_s >= 0.0 && self.soak_s.is_finite(), "seconds, 0 or more"),
            ("coverage_gap", share(self.coverage_gap), "a share"),
            ("weights", self.weights.values().all(|w| *w > 0.0 && w.is_finite()), "numbers above 0"),
            ("split_odds", self.split_odds > 1.0 && self.split_odds.is_finite(), "above 1"),
        ];
        checks.into_iter().find(|check| !check.1).map(|(name, _, remedy)| (name, remedy))
    }
}
