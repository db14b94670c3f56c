//! The lists as they stand: every check with its mark, its evidence, who and when.

use serde::Serialize;

use super::item::{Found, Item, Sight};
use super::period::{Period, Span};
use super::tick::Tick;
use crate::domain::Time;

/// How many earlier periods are shown.
pub const EARLIER: usize = 7;
/// The oldest tick that matters, days: eight months.
pub const LOOKS_BACK_DAYS: i64 = 250;

/// How a check stands in this period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The tool verified it.
    Tool,
    /// A person ticked it.
    Person,
    /// A person has to tick it.
    Open,
    /// It does not hold.
    NotMet,
    /// Nothing can tell, and nobody has ticked it.
    CannotTell,
}

impl Mark {
    /// The words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tool => "ticked by tool",
            Self::Person => "ticked by person",
            Self::Open => "open",
            Self::NotMet => "not met",
            Self::CannotTell => "cannot tell",
        }
    }

    /// Whether nothing is left to do.
    pub fn is_ticked(self) -> bool {
        matches!(self, Self::Tool | Self::Person)
    }
}

/// An earlier period of one check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Past {
    /// Which: `2026-W46`.
    pub period: String,
    /// The same for narrow places.
    #[serde(skip)]
    pub short: String,
    /// What stood at its end; nothing when nobody and nothing had ticked it.
    pub mark: Option<Mark>,
    /// Who.
    pub by: String,
    /// When.
    pub at: Option<Time>,
}

/// One check as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Its id.
    pub item: &'static str,
    /// How often it is due.
    pub period: Period,
    /// Which day, week or month this is.
    pub due: String,
    /// What is to be done.
    pub words: &'static str,
    /// How it stands.
    pub mark: Mark,
    /// On what: what was verified, the note, what is not met.
    pub evidence: String,
    /// Who ticked it; empty when nobody did.
    pub by: String,
    /// When.
    pub at: Option<Time>,
    /// What the tool finds now.
    pub now: Found,
    /// Earlier periods, the oldest first.
    pub earlier: Vec<Past>,
}

/// What stands of a check in one period: the last row decides, whatever was before.
fn last<'a>(ticks: &'a [Tick], environment: &str, item: &Item, period: &str) -> Option<&'a Tick> {
    let is_it =
        |tick: &&Tick| tick.environment == environment && tick.item == item.id && tick.period == period;
    ticks.iter().rev().find(is_it)
}

/// Looks at every check of these periods. `ticks`: in the order in which they were written.
pub fn board(sight: &Sight<'_>, ticks: &[Tick], periods: &[Period]) -> Vec<Line> {
    let items = super::items().filter(|item| periods.contains(&item.period));
    items.map(|item| line(sight, ticks, item)).collect()
}

fn line(sight: &Sight<'_>, ticks: &[Tick], item: &'static Item) -> Line {
    let span = item.period.span(sight.now);
    let environment = &*sight.store.environment;
    let now = (item.look)(sight);
    let tick = last(ticks, environment, item, &span.name());
    let (mark, evidence) = stands(item, tick, &now);
    let signed = tick.filter(|_| mark.is_ticked());
    Line {
        item: item.id,
        period: item.period,
        due: span.name(),
        words: item.words,
        mark,
        evidence,
        by: signed.map(|tick| tick.by.clone()).unwrap_or_default(),
        at: signed.map(|tick| tick.at),
        now,
        earlier: span.earlier(EARLIER).into_iter().map(|span| past(ticks, environment, item, span)).collect(),
    }
}

/// The mark, and on what it rests.
///
/// A person's tick stands for its period, whatever is found later. What the tool ticked falls when the tool itself
/// finds later that it does not hold. What a person withdrew is not ticked again by the tool.
fn stands(item: &Item, tick: Option<&Tick>, now: &Found) -> (Mark, String) {
    match (tick, now) {
        (Some(tick), Found::NotMet(why)) if tick.automatic => {
            (Mark::NotMet, format!("{why} (held at {}: {})", tick.at.format("%-d %b %H:%M"), tick.evidence))
        }
        (Some(tick), Found::ByHand(about)) if tick.automatic && !item.lasts => {
            (Mark::Open, format!("{about} ({} at {})", tick.evidence, tick.at.format("%-d %b %H:%M")))
        }
        (Some(tick), _) if tick.automatic => (Mark::Tool, tick.evidence.clone()),
        (Some(tick), _) if !tick.undone => (Mark::Person, tick.evidence.clone()),
        (Some(tick), now) => {
            let withdrawn = format!("withdrawn by {}: {}", tick.by, tick.evidence);
            match now {
                Found::NotMet(why) => (Mark::NotMet, format!("{why} ({withdrawn})")),
                _ => (Mark::Open, withdrawn),
            }
        }
        // To be written down, which may take a moment.
        (None, Found::Verified(words)) => (Mark::Tool, words.clone()),
        (None, Found::NotMet(why)) => (Mark::NotMet, why.clone()),
        (None, Found::CannotTell(why)) => (Mark::CannotTell, why.clone()),
        (None, Found::ByHand(about)) => (Mark::Open, about.clone()),
    }
}

fn past(ticks: &[Tick], environment: &str, item: &Item, span: Span) -> Past {
    let tick = last(ticks, environment, item, &span.name()).filter(|tick| !tick.undone);
    Past {
        period: span.name(),
        short: span.short(),
        mark: tick.map(|tick| if tick.automatic { Mark::Tool } else { Mark::Person }),
        by: tick.map(|tick| tick.by.clone()).unwrap_or_default(),
        at: tick.map(|tick| tick.at),
    }
}

/// What the tool verified and nobody has written down in this period.
pub fn unwritten(sight: &Sight<'_>, ticks: &[Tick], lines: &[Line]) -> Vec<Tick> {
    let environment = &*sight.store.environment;
    let new = lines.iter().filter_map(|line| {
        let Found::Verified(evidence) = &line.now else { return None };
        let item = super::item(line.item)?;
        let span = item.period.span(sight.now);
        let is_new = last(ticks, environment, item, &span.name()).is_none();
        is_new.then(|| Tick::verified(environment, item, span, sight.now, evidence))
    });
    new.collect()
}

/// Why a person cannot tick or withdraw this now, if so.
pub fn hindrance(line: &Line, undone: bool, note: &str) -> Option<String> {
    if undone && !line.mark.is_ticked() {
        return Some(format!("{} is not ticked", line.item));
    }
    if !undone && line.mark.is_ticked() {
        return Some(format!("{} is ticked already, by {}", line.item, line.by));
    }
    let what = if undone { "why it is withdrawn" } else { "how it was checked" };
    note.trim().is_empty().then(|| format!("write {what}"))
}
