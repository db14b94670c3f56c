//! Drift of a model's predictions, against the reference and against the window before.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::drift::{Kind, Method, Prepared, assess};
use crate::stats::drift::categories;

/// A prediction's share that moved by more than this has drifted: the guides' rule.
const TEN_POINTS: f64 = 0.10;

/// How far the window has moved on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// Rows taken so far.
    pub taken: u64,
    /// Rows of the window.
    pub limit: u64,
    /// Whether the window changed: a Parquet file written anew may have as many rows as before.
    pub new: bool,
}

/// Predictions of the past, for comparing a window with the one before it.
#[derive(Default)]
pub(super) struct Predictions {
    /// The window before, none of whose rows are in the present one.
    before: Option<Arc<Prepared>>,
    /// The next `before`, and how many rows had been taken when it was made.
    next: Option<(u64, Arc<Prepared>)>,
}

impl Predictions {
    /// How far the predictions moved against the reference and against the window before; more than ten
    /// points against either is abnormal.
    pub(super) fn told(
        &mut self,
        reference: Option<&Prepared>,
        current: &Arc<Prepared>,
        turn: Turn,
    ) -> (String, bool) {
        // A file begun again, or as many new rows as the window holds: none of the old ones are left.
        let Turn { taken, limit, new } = turn;
        let due = match &self.next {
            Some((then, _)) => new && (taken <= *then || taken - then >= limit),
            None => true,
        };
        if due {
            let next = self.next.replace((taken, current.clone()));
            self.before = next.map(|(_, window)| window);
        }
        let against = |other: Option<&Prepared>, word: &str| match other {
            Some(other) => match moved(other, current) {
                Some(points) => (format!("{:+.1} pts against {word}", 100.0 * points), points > TEN_POINTS),
                None => (format!("cannot be compared with {word}"), true),
            },
            None => (format!("{word} is not known"), false),
        };
        let (first, drifted) = against(reference, "the reference");
        let (second, jumped) = against(self.before.as_deref(), "the window before");
        let word = if drifted || jumped { "drifted" } else { "none found" };
        (format!("{word}: {first}, {second}, limit 10"), drifted || jumped)
    }
}

/// The largest change of a label's share; of numbers the distance of their distributions.
fn moved(before: &Prepared, now: &Prepared) -> Option<f64> {
    match (&before.kind, &now.kind) {
        (Kind::Categories(a, _), Kind::Categories(b, _)) => {
            let all: BTreeSet<&str> = a.keys().chain(b.keys()).map(|name| &**name).collect();
            let count = |side: &HashMap<Box<str>, u64>, name: &str| side.get(name).copied().unwrap_or(0);
            let counts = all.into_iter().map(|name| (count(a, name), count(b, name)));
            categories::compare(counts).ok().map(|all| all.linf)
        }
        _ => assess(Some(before), Some(now), Arc::from(""), Method::Ks).and_then(|said| said.score),
    }
}
