//! What a check is, and what looking at it can give.

use serde::Serialize;

use super::beside::Beside;
use super::period::Period;
use crate::domain::Time;
use crate::store::Store;

/// What the tool found about a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "words")]
pub enum Found {
    /// It holds, on this evidence: `12 of 12 models`.
    Verified(String),
    /// It does not: `10 of 12 models; alzheimer p95 612 ms > 500`.
    NotMet(String),
    /// Nothing that is configured can tell; with what to configure.
    CannotTell(String),
    /// Only a person can say; with what there is to look at, if anything.
    ByHand(String),
}

impl Found {
    /// The words.
    pub fn words(&self) -> &str {
        match self {
            Self::Verified(words) | Self::NotMet(words) | Self::CannotTell(words) | Self::ByHand(words) => {
                words
            }
        }
    }
}

/// What a check may look at.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// What the sources told.
    pub store: &'a Store,
    /// What lies beside the store.
    pub beside: &'a Beside,
    /// The moment.
    pub now: Time,
}

/// A check of the lists.
#[derive(Debug)]
pub struct Item {
    /// Its name in calls and in the book; never used for anything else.
    pub id: &'static str,
    /// How often it is due.
    pub period: Period,
    /// What is to be done, in words.
    pub words: &'static str,
    /// How the tool looks at it.
    pub look: fn(&Sight<'_>) -> Found,
    /// Whether what the tool verified once stands for the period, even when a person has to look again later.
    pub lasts: bool,
}
