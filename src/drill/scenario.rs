//! The scenarios: what is broken, and what a room can see of it.

use std::str::FromStr;

/// What is injected. The operator is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scenario {
    /// The test version becomes slow.
    #[default]
    LatencyRegression,
    /// The test version fails.
    ErrorBurst,
    /// The test version predicts wrongly, and labels come late.
    SilentQualityLoss,
    /// The inputs of the test version drift.
    Drift,
    /// The test version never gets ready.
    NeverReady,
    /// The registry and the cluster disagree about what is in production.
    RegistryMismatch,
}

use Scenario::{Drift, ErrorBurst, LatencyRegression, NeverReady, RegistryMismatch, SilentQualityLoss};

impl Scenario {
    /// All of them, the default first.
    pub const ALL: [Self; 6] =
        [LatencyRegression, ErrorBurst, SilentQualityLoss, Drift, NeverReady, RegistryMismatch];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            LatencyRegression => "latency-regression",
            ErrorBurst => "error-burst",
            SilentQualityLoss => "silent-quality-loss",
            Drift => "drift",
            NeverReady => "never-ready",
            RegistryMismatch => "registry-mismatch",
        }
    }

    /// What is injected, in words.
    pub fn injected(self) -> &'static str {
        match self {
            LatencyRegression => "the test version answers several times slower",
            ErrorBurst => "a part of the requests to the test version fails",
            SilentQualityLoss => "the test version predicts wrongly; only labels tell, and they come late",
            Drift => "the test version reads features wrongly, so that its inputs drift",
            NeverReady => "the pods of the test version never become ready",
            RegistryMismatch => "the registry calls another version production than the one that serves",
        }
    }

    /// What a room can see of it.
    pub fn visible(self) -> &'static str {
        match self {
            LatencyRegression => "latency of the canary against the baseline",
            ErrorBurst => "errors of the canary against the baseline",
            SilentQualityLoss => "labelled predictions of the canary, some time later",
            Drift => "data drift of the model",
            NeverReady => "the rollout's own state and condition",
            RegistryMismatch => "the registry's word beside the controller's",
        }
    }

    /// Whether the test version serves all traffic before anything breaks; else it is on trial.
    pub fn is_after_promotion(self) -> bool {
        self == RegistryMismatch
    }

    /// Whether only requests to the test version show it.
    pub fn needs_requests(self) -> bool {
        matches!(self, LatencyRegression | ErrorBurst | SilentQualityLoss)
    }

    /// Whether deploying the test version is itself what breaks.
    pub fn breaks_by_deploying(self) -> bool {
        self == NeverReady
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|scenario| scenario.name() == text);
        found.ok_or_else(|| {
            let all = Self::ALL.map(|one| format!("{} ({})", one.name(), one.injected()));
            format!("--scenario {text}: there is no such scenario; write one of {}", all.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_a_wrong_one_lists_them_all() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.name().parse(), Ok(scenario));
        }
        let why = "meteor".parse::<Scenario>().unwrap_err();
        assert!(Scenario::ALL.iter().all(|scenario| why.contains(scenario.name())), "{why}");
        assert_eq!(Scenario::default().name(), "latency-regression");
    }
}
