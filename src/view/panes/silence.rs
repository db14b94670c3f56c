//! Words for a source that says nothing: what is shown from it is old.

use super::Cx;
use crate::domain::Freshness;
use crate::store::SourceState;
use crate::view::text;

/// `prometheus down for 41 s`, `mlflow stale for 3 min`; nothing when the source answers.
pub fn trouble(cx: &Cx, source: &SourceState) -> Option<String> {
    let word = match (&source.fault, source.freshness(cx.app.now)) {
        (Some(fault), _) => fault.kind.word(),
        (None, Freshness::Stale) => "stale",
        (None, _) => return None,
    };
    let age = source.age_s(cx.app.now).map(|age| format!(" for {}", text::age(age)));
    Some(format!("{} {word}{}", source.info.id, age.unwrap_or_default()))
}

/// Why `what` is not there although this source owes it.
pub fn absence(cx: &Cx, source: &SourceState, what: &str) -> String {
    let id = &source.info.id;
    match (trouble(cx, source), &source.fault, source.age_s(cx.app.now)) {
        (Some(trouble), Some(fault), _) => format!("No {what}: {trouble}. {fault}"),
        (Some(trouble), None, _) => format!("No {what}: {trouble}."),
        (None, _, Some(age)) => format!("No {what}: {id} answered {} ago without it.", text::age(age)),
        (None, _, None) => format!("No {what} yet: {id} has not answered so far."),
    }
}
