//! The clock marks of a drill, in their order.

use std::collections::BTreeMap;

use crate::domain::Time;

/// A moment of a drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// The fault was injected.
    Injected,
    /// The room showed it.
    Detected,
    /// The operator took it up.
    Acknowledged,
    /// The plan stood on the screen.
    PlanShown,
    /// The plan was confirmed.
    Confirmed,
    /// The first request was on its way.
    Sent,
    /// The last request was accepted.
    Accepted,
    /// The controller had seen it.
    Observed,
    /// The first traffic was back on the version from before.
    FirstTraffic,
    /// All traffic was back.
    AllTraffic,
    /// The version was verified: every check that the act needs.
    VersionVerified,
    /// Latency, errors and everything else that the room judges were normal.
    MetricsNormal,
    /// The test version and the fault were gone.
    CleanedUp,
}

impl Mark {
    /// All of them, in order.
    pub const ALL: [Self; 13] = [
        Self::Injected,
        Self::Detected,
        Self::Acknowledged,
        Self::PlanShown,
        Self::Confirmed,
        Self::Sent,
        Self::Accepted,
        Self::Observed,
        Self::FirstTraffic,
        Self::AllTraffic,
        Self::VersionVerified,
        Self::MetricsNormal,
        Self::CleanedUp,
    ];

    /// The key in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Detected => "detected",
            Self::Acknowledged => "acknowledged",
            Self::PlanShown => "plan_shown",
            Self::Confirmed => "confirmed",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Observed => "observed",
            Self::FirstTraffic => "first_traffic_back",
            Self::AllTraffic => "all_traffic_back",
            Self::VersionVerified => "version_verified",
            Self::MetricsNormal => "metrics_normal",
            Self::CleanedUp => "cleaned_up",
        }
    }

    /// The words on screen.
    pub fn words(self) -> String {
        self.key().replace('_', " ")
    }
}

/// The marks that were reached.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Marks(BTreeMap<Mark, Time>);

impl Marks {
    /// Sets a mark; the first time stands. Sources tell at their own pace, so a mark that was seen late never lies
    /// before the one that it follows from, nor after one that was reached already.
    pub fn set(&mut self, mark: Mark, at: Time) {
        if self.0.contains_key(&mark) {
            return;
        }
        let before = self.0.range(..mark).map(|(_, at)| *at).max();
        let after = self.0.range(mark..).map(|(_, at)| *at).min();
        let at = before.map_or(at, |before| at.max(before));
        self.0.insert(mark, after.map_or(at, |after| at.min(after)));
    }

    /// When a mark was reached.
    pub fn at(&self, mark: Mark) -> Option<Time> {
        self.0.get(&mark).copied()
    }

    /// Whether a mark was reached.
    pub fn has(&self, mark: Mark) -> bool {
        self.0.contains_key(&mark)
    }

    /// The last mark that was reached.
    pub fn last(&self) -> Option<Mark> {
        self.0.keys().next_back().copied()
    }

    /// Seconds from one mark to another; `None` while one is missing.
    pub fn between(&self, from: Mark, to: Mark) -> Option<f64> {
        Some((self.at(to)? - self.at(from)?).as_seconds_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + s, 0).unwrap()
    }

    #[test]
    fn marks_are_in_order_and_the_first_time_stands() {
        let mut marks = Marks::default();
        marks.set(Mark::Injected, at(10));
        marks.set(Mark::Sent, at(20));
        marks.set(Mark::Sent, at(25));
        marks.set(Mark::Accepted, at(19));
        assert_eq!((marks.at(Mark::Sent), marks.at(Mark::Accepted)), (Some(at(20)), Some(at(20))));
        assert_eq!(marks.between(Mark::Injected, Mark::Accepted), Some(10.0));
        assert_eq!(marks.between(Mark::Injected, Mark::CleanedUp), None);
        marks.set(Mark::Detected, at(99));
        assert_eq!(marks.at(Mark::Detected), Some(at(20)), "not after what followed from it");
        assert_eq!(marks.last(), Some(Mark::Accepted));
    }

    #[test]
    fn every_mark_has_a_key_of_its_own_in_the_order_of_the_list() {
        let keys: std::collections::BTreeSet<&str> = Mark::ALL.iter().map(|mark| mark.key()).collect();
        assert_eq!(keys.len(), Mark::ALL.len());
        assert!(Mark::ALL.is_sorted());
    }
}
