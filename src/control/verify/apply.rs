//! What the findings of one look mean for the checks of an act. Pure.

use std::collections::HashMap;

use super::super::{Finding, Seen};
use crate::domain::Time;
use crate::domain::act::{Act, Check, CheckState, Outcome};

/// How long is waited.
pub(super) struct Limits {
    /// Since when.
    pub since: Time,
    /// At most so long, seconds.
    pub longest_s: f64,
}

/// How often in a row a check that held was not seen: once may be a controller between two states.
#[derive(Debug, Default)]
pub(super) struct Steady {
    missed: HashMap<String, u32>,
}

/// What changed.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Applied {
    /// Checks whose state changed.
    pub turned: Vec<String>,
    /// Words on checks that held and do not, or hold again.
    pub broken: Vec<String>,
    /// Whether only details changed.
    pub details: bool,
}

/// Puts the findings of a look into the checks.
pub(super) fn apply(
    act: &mut Act,
    findings: &[Finding],
    now: Time,
    limits: &Limits,
    steady: &mut Steady,
) -> Applied {
    let mut applied = Applied::default();
    let is_effective = act.effective_at.is_some();
    let waited = (now - limits.since).as_seconds_f64();
    for (check, planned) in act.checks.iter_mut().zip(&act.plan.checks) {
        let finding = findings.iter().find(|finding| finding.id == check.id);
        if let Some(finding) = finding
            && finding.detail != check.detail
        {
            check.detail.clone_from(&finding.detail);
            applied.details = true;
        }
        let late = waited > planned.within_s.min(limits.longest_s);
        let seen = finding.map_or(Seen::NotYet, |finding| finding.seen.clone());
        let missed = steady.missed.entry(check.id.clone()).or_default();
        *missed = if seen == Seen::NotYet { *missed + 1 } else { 0 };
        let next = match (&check.state, seen) {
            (CheckState::Passed { .. }, Seen::Yes | Seen::Nothing) => None,
            (_, Seen::Yes) => Some(CheckState::Passed { at: now }),
            (CheckState::Passed { .. }, Seen::NotYet) if *missed < 2 => None,
            (CheckState::Passed { .. }, Seen::NotYet | Seen::No) => Some(CheckState::Failed { at: now }),
            (CheckState::Failed { .. }, Seen::No | Seen::NotYet) => None,
            (_, Seen::No) => Some(CheckState::Failed { at: now }),
            (CheckState::Skipped, _) => None,
            (_, Seen::Nothing) => Some(CheckState::Skipped),
            (CheckState::Waiting, Seen::NotYet) if late => Some(CheckState::Unknown { at: now }),
            (_, Seen::NotYet) => None,
        };
        let Some(next) = next else { continue };
        let word = match (&check.state, &next) {
            (CheckState::Passed { .. }, CheckState::Failed { .. }) => Some("does not hold any more"),
            (CheckState::Failed { .. }, CheckState::Passed { .. }) => Some("holds again"),
            _ => None,
        };
        if let Some(word) = word.filter(|_| is_effective) {
            applied.broken.push(format!("{} {word}: {} {}", check.id, check.detail, now.format("%H:%M:%S")));
        }
        check.state = next;
        applied.turned.push(check.id.clone());
    }
    applied
}

fn holds(check: &Check) -> bool {
    matches!(check.state, CheckState::Passed { .. } | CheckState::Skipped)
}

/// Whether every needed check holds.
pub(super) fn all_hold(act: &Act) -> bool {
    act.checks.iter().filter(|check| check.needed).all(holds)
}

/// The first needed check that was seen not to hold, in words.
pub(super) fn first_broken(act: &Act) -> Option<String> {
    let broken =
        act.checks.iter().find(|check| check.needed && matches!(check.state, CheckState::Failed { .. }))?;
    Some(format!("{}: {}", broken.words, broken.detail))
}

/// Whether some needed check may still come true in time.
pub(super) fn undecided(act: &Act, now: Time, since: Time, longest_s: f64) -> bool {
    let waited = (now - since).as_seconds_f64();
    (act.checks.iter().zip(&act.plan.checks))
        .any(|(check, planned)| check.needed && !holds(check) && waited <= planned.within_s.min(longest_s))
}

/// How it counts that needed checks were not seen in time.
pub(super) fn missed(act: &Act) -> Outcome {
    if let Some(broken) = first_broken(act) {
        return Outcome::Failed { why: broken };
    }
    let missing = act.checks.iter().filter(|check| check.needed && !holds(check));
    let words: Vec<String> = missing
        .map(|check| match check.detail.is_empty() {
            true => check.words.clone(),
            false => format!("{} ({})", check.words, check.detail),
        })
        .collect();
    Outcome::Unknown { why: format!("not seen in time: {}", words.join("; ")) }
}

/// Whether a check still waits.
pub(super) fn is_pending(act: &Act) -> bool {
    act.checks.iter().any(|check| matches!(check.state, CheckState::Waiting))
}
