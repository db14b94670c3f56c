//! What can be wrong with a source, in words that an operator can act on.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Time;

/// The kinds of trouble a source can be in. Each has its own word on screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection was refused or reset.
    Down,
    /// Connected, but no answer within the deadline.
    Hung,
    /// The name does not resolve.
    NoName,
    /// The TLS handshake failed.
    Tls,
    /// 401 or 403.
    Denied,
    /// A page where data should be: a login page or a proxy's error with status 200.
    Lying,
    /// The answer broke off in the middle.
    CutShort,
    /// The answer is larger than the limit.
    TooLarge,
    /// A status that is neither success nor one of the above.
    Status,
    /// An answer that does not parse or does not hold what it must.
    Unreadable,
    /// The source refused our question: a bad query, an unknown parameter.
    Refused,
    /// What was asked for is not there.
    Absent,
    /// A file that cannot be opened or read.
    File,
}

impl FaultKind {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Hung => "hung",
            Self::NoName => "no such host",
            Self::Tls => "TLS error",
            Self::Denied => "denied",
            Self::Lying => "not data",
            Self::CutShort => "cut short",
            Self::TooLarge => "too large",
            Self::Status => "error status",
            Self::Unreadable => "unreadable",
            Self::Refused => "query refused",
            Self::Absent => "not found",
            Self::File => "file error",
        }
    }
}

/// A failed reading: what happened, to whom, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The kind, which chooses the word.
    pub kind: FaultKind,
    /// What was tried and what came back, cleaned.
    pub detail: String,
    /// What to do about it, may be empty.
    pub remedy: String,
}

impl Fault {
    /// A fault with details, cleaned for the screen.
    pub fn new(kind: FaultKind, detail: impl AsRef<str>) -> Self {
        Self { kind, detail: super::text::clean(detail.as_ref(), 400), remedy: String::new() }
    }

    /// The same fault with advice.
    pub fn advise(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.word(), self.detail)?;
        if !self.remedy.is_empty() {
            write!(f, " ({})", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

/// How old something is against how old it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Answered within its interval.
    Live,
    /// One interval overdue.
    Late,
    /// So old that it must not be read as current.
    Stale,
    /// Has never answered.
    Never,
}

impl Freshness {
    /// The freshness of something last seen at `seen`, polled every `interval_s` seconds: live up to one
    /// and a half intervals (at least 2 s), late up to three, stale beyond.
    pub fn of(seen: Option<Time>, interval_s: f64, now: Time) -> Self {
        let Some(seen) = seen else { return Self::Never };
        let age = (now - seen).as_seconds_f64();
        let interval = interval_s.max(1.0);
        if age <= (interval * 1.5).max(2.0) {
            Self::Live
        } else if age <= (interval * 3.0).max(4.0) {
            Self::Late
        } else {
            Self::Stale
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_makes_live_late_stale() {
        let now = Time::from_timestamp(1_800_000_000, 0).unwrap();
        let at = |s: i64| Some(now - chrono::TimeDelta::seconds(s));
        for (seen, expected) in [
            (None, Freshness::Never),
            (at(0), Freshness::Live),
            (at(22), Freshness::Live),
            (at(23), Freshness::Late),
            (at(45), Freshness::Late),
            (at(46), Freshness::Stale),
            (at(-5), Freshness::Live),
        ] {
            assert_eq!(Freshness::of(seen, 15.0, now), expected, "{seen:?}");
        }
    }
}
