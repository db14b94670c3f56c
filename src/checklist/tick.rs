//! A tick: who or what saw that a check was done, when, and on what evidence. Nothing is taken back but by another.

use serde::{Deserialize, Serialize};

use super::item::Item;
use super::period::Span;
use crate::domain::{Time, text};

/// The longest note, in characters.
pub const NOTE: usize = 300;
/// Who ticks what the tool verified.
pub const TOOL: &str = "wardroom";

/// One row of the book: a check that was ticked, or a tick that was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// Its unique name: written twice, it is one.
    pub id: String,
    /// The environment that was checked.
    pub environment: String,
    /// Which check: the item's id.
    pub item: String,
    /// For which day, week or month: [`Span::name`].
    pub period: String,
    /// When.
    pub at: Time,
    /// Who: `sre@bastion`, or [`TOOL`].
    pub by: String,
    /// What was found, or the note of the person; of a withdrawal, the reason.
    pub evidence: String,
    /// Whether the tool verified it itself.
    pub automatic: bool,
    /// Whether it withdraws what was ticked before.
    pub undone: bool,
}

impl Tick {
    /// What the tool verified itself: one for each environment, item and period, whichever wardroom comes first.
    pub fn verified(environment: &str, item: &Item, span: Span, at: Time, evidence: &str) -> Self {
        let period = span.name();
        Self {
            id: format!("{TOOL} {environment} {} {period}", item.id),
            environment: environment.into(),
            item: item.id.into(),
            period,
            at,
            by: TOOL.into(),
            evidence: evidence.into(),
            automatic: true,
            undone: false,
        }
    }

    /// What a person ticks, or withdraws with `undone`.
    pub fn by_hand(
        environment: &str,
        item: &Item,
        span: Span,
        at: Time,
        by: &str,
        note: &str,
        undone: bool,
    ) -> Self {
        let word = if undone { "withdrawn" } else { "ticked" };
        let nanoseconds = at.timestamp_nanos_opt().unwrap_or_default();
        Self {
            id: format!("{by} {word} {environment} {} {nanoseconds}", item.id),
            environment: environment.into(),
            item: item.id.into(),
            period: span.name(),
            at,
            by: text::clean(by, 100),
            evidence: text::clean(note, NOTE),
            automatic: false,
            undone,
        }
    }
}
