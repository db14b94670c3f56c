//! What a statistic says when it has nothing to say: never zero, never "healthy".

use serde::{Deserialize, Serialize};

/// A statistic, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status", content = "value")]
pub enum Outcome<T> {
    /// The value.
    Ok(T),
    /// There is not one observation on a side that needs one.
    NoData,
    /// There are observations, too few for this statistic.
    InsufficientData,
    /// The observations do not vary in a way that the statistic needs.
    Degenerate,
}

impl<T> Outcome<T> {
    /// The value, if there is one.
    pub fn ok(self) -> Option<T> {
        match self {
            Self::Ok(value) => Some(value),
            _ => None,
        }
    }

    /// The same with the value changed.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Ok(value) => Outcome::Ok(change(value)),
            Self::NoData => Outcome::NoData,
            Self::InsufficientData => Outcome::InsufficientData,
            Self::Degenerate => Outcome::Degenerate,
        }
    }

    /// The word of machine-readable output: `ok`, `no_data`, `insufficient_data`, `degenerate`.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Ok(_) => "ok",
            Self::NoData => "no_data",
            Self::InsufficientData => "insufficient_data",
            Self::Degenerate => "degenerate",
        }
    }
}
