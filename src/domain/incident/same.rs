//! One happening seen by several rooms is one entry: names made of what happened, and a look at the neighbours where the
//! rooms saw it at slightly different moments.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{Entry, EntryId, IncidentId, Matter};
use crate::domain::act::ActId;
use crate::domain::{Event, EventKind, ModelId, Time};

/// Two rooms see one happening at most so far apart, seconds.
const APART_S: i64 = 90;

/// What a line speaks of, and what it says of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Gist {
    about: String,
    says: String,
}

/// The gist of a line. Two rooms measure at two moments, so the value of a KPI is not part of it.
fn gist(event: &Event) -> Gist {
    let what = event.what.as_str();
    let first = what.split([' ', ':']).next().unwrap_or_default();
    let (about, says) = match event.kind {
        EventKind::Judgement | EventKind::Drift => (first, event.level.word()),
        EventKind::Alert => what.rsplit_once(' ').unwrap_or((what, "")),
        EventKind::Source => (first, what),
        _ => (what, what),
    };
    Gist { about: about.to_owned(), says: says.to_owned() }
}

/// The name of the entry for a line that wrote itself: the same in every room that sees the same. `since`: since when
/// what it speaks of holds, where a source tells that; else the minute counts.
pub fn seen_id(incident: &IncidentId, event: &Event, since: Option<Time>) -> EntryId {
    let Gist { about, says } = gist(event);
    let model = event.model.as_ref().map(ModelId::to_string).unwrap_or_default();
    let at = match since {
        Some(since) => format!("since {}", since.timestamp()),
        None => format!("minute {}", event.at.timestamp().div_euclid(60)),
    };
    let kind = event.kind.word();
    let words = [&incident.0, kind, &model, &about, &says, &at].map(|word| format!("{}:{word}", word.len()));
    EntryId(format!("s-{:016x}", fnv(&words.concat())))
}

/// The name of the entry for an act at one of its stages.
pub fn acted_id(incident: &IncidentId, act: &ActId, stage: &str) -> EntryId {
    EntryId(format!("{incident}-{act}-{}", stage.replace(' ', "-")))
}

/// The names of the entries that say what an earlier one said, as another room saw it. The same lines give the same
/// answer in whatever order they stand.
pub(super) fn doubled(entries: &[Entry]) -> BTreeSet<EntryId> {
    let mut lines: Vec<(Time, &EntryId, &Event)> = entries
        .iter()
        .filter_map(|entry| match &entry.matter {
            Matter::Seen { event } => Some((entry.happened, &entry.id, event)),
            _ => None,
        })
        .collect();
    lines.sort_by_key(|&(at, id, _)| (at, id));
    let mut last: BTreeMap<(&str, Option<&ModelId>, String), (Time, String)> = BTreeMap::new();
    let mut doubled = BTreeSet::new();
    for (at, id, event) in lines {
        let Gist { about, says } = gist(event);
        let key = (event.kind.word(), event.model.as_ref(), about);
        // One room never says the same twice in a row: what changes and changes back stays.
        match last.get(&key) {
            Some((before, said)) if *said == says && at - *before <= TimeDelta::seconds(APART_S) => {
                doubled.insert(id.clone());
            }
            _ => {
                last.insert(key, (at, says));
            }
        }
    }
    doubled
}

/// FNV-1a, 64 bits: stable over versions and machines, which the names have to be.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
