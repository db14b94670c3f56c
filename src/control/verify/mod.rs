//! Looks until an act is effective, and then that it stays so.

mod apply;
mod endpoint;
mod general;
mod samples;
mod settled;
mod traffic;

use std::time::Duration;

use futures_util::future::join3;

use super::doing::Doing;
use super::{Finding, checks};
use crate::domain::act::{Hand, Operation, Outcome, RequestState, Stage};
use crate::domain::{Fault, Time};
use apply::{Applied, Steady, apply};
use general::General;

/// One look at the world may take so long.
const LOOK: Duration = Duration::from_secs(10);
/// For so long after the requests it is looked often, seconds.
const SOON_S: f64 = 10.0;

/// What was measured before the act, that the measurement after it is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Before {
    /// The part of the requests that must move, 0…1, when it was measured.
    pub moves: Option<f64>,
}

impl Before {
    /// Nothing is known: after a restart.
    pub(super) const UNKNOWN: Self = Self { moves: None };

    /// What is measured now, before anything is sent.
    pub(super) fn now(doing: &Doing) -> Self {
        let plan = &doing.act.plan;
        let share = doing.shared.sight.borrow().model(&plan.model).and_then(|sight| sight.share);
        let canary = share.map(|percent| percent / 100.0);
        let moves = match plan.operation {
            Operation::Abort => canary,
            Operation::PromoteFull => canary.map(|share| 1.0 - share),
            Operation::RollBack { .. } => canary.is_none().then_some(1.0),
            _ => None,
        };
        Self { moves: moves.filter(|moves| *moves > 0.0) }
    }
}

/// Verifies, watches, and ends the act.
pub(super) async fn run(mut doing: Doing, before: Before) {
    if doing.act.effective_at.is_none() {
        doing.stage(Stage::Verifying);
        doing.shared.show(&doing.act);
    }
    let since = since(&doing);
    let mut general = General::begin(&doing, since, before).await;
    let mut steady = Steady::default();
    loop {
        let findings = look(&doing, &mut general).await;
        let now = doing.now();
        let limits = apply::Limits { since, longest_s: longest(&doing) };
        let Applied { turned, broken, details } = apply(&mut doing.act, &findings, now, &limits, &mut steady);
        for id in turned {
            // The state is told in any case; a line that is missing here is in the next one.
            let _ = doing.note(&format!("check {id}"), false).await;
        }
        for note in broken {
            doing.act.watch_notes.push(note);
            let _ = doing.note("watch", true).await;
        }
        if details {
            doing.shared.show(&doing.act);
        }
        if let Some(outcome) = decide(&mut doing, since, now).await {
            return doing.over(outcome).await;
        }
        if let Some(reason) = pause(&mut doing, since, now).await {
            doing.act.watch_notes.push(reason.clone());
            let outcome = doing.act.outcome.clone();
            let outcome =
                outcome.unwrap_or(Outcome::Unknown { why: format!("{reason}, before it was verified") });
            return doing.over(outcome).await;
        }
    }
}

/// From when on the world is looked at: the last answer that something was done.
fn since(doing: &Doing) -> Time {
    let act = &doing.act;
    let unsure = act.requests.iter().rev().find_map(|request| match request {
        RequestState::Unknown { at, .. } => Some(*at),
        _ => None,
    });
    act.accepted_at().into_iter().chain(unsure).max().unwrap_or(act.confirmed_at)
}

/// What was never sent, or whose outcome is unknown, is not waited for as long.
fn longest(doing: &Doing) -> f64 {
    match incomplete(doing).is_some() {
        true => doing.shared.config.control.observed_within.as_secs_f64(),
        false => f64::INFINITY,
    }
}

/// Which request was not done for certain.
fn incomplete(doing: &Doing) -> Option<Outcome> {
    let requests = doing.act.requests.iter().zip(&doing.act.plan.requests).enumerate();
    let of = doing.act.requests.len();
    let mut missing = None;
    for (n, (state, request)) in requests {
        match state {
            _ if request.optional => {}
            RequestState::Unknown { why, .. } => {
                return Some(Outcome::Unknown { why: format!("request {} of {of}: {why}", n + 1) });
            }
            RequestState::NotSent { why } | RequestState::Refused { why, .. } if missing.is_none() => {
                let why = why.trim_end_matches("; plan again");
                let why = format!("request {} of {of} was never done ({why}); plan again", n + 1);
                missing = Some(Outcome::Failed { why });
            }
            _ => {}
        }
    }
    missing
}

/// One look from every side at once.
async fn look(doing: &Doing, general: &mut General) -> Vec<Finding> {
    let plan = &doing.act.plan;
    let side = async |hand: Hand| -> Result<Vec<Finding>, Fault> {
        // A registry that is right already is looked at too.
        let has_part = hand == Hand::Controller || plan.version.is_some();
        let Some(sender) = doing.sender(hand).filter(|_| has_part) else { return Ok(Vec::new()) };
        match tokio::time::timeout(LOOK, sender.observe(plan)).await {
            Ok(findings) => findings,
            Err(_) => {
                let words = format!("{} did not answer within {} s", plan.target.system, LOOK.as_secs());
                Err(Fault::new(crate::domain::FaultKind::Hung, words))
            }
        }
    };
    let (controller, registry, users) =
        join3(side(Hand::Controller), side(Hand::Registry), general.look(doing)).await;
    let mut findings = Vec::new();
    let mut blind = None;
    for side in [controller, registry] {
        match side {
            Ok(seen) => findings.extend(seen),
            Err(fault) => blind = Some(fault.to_string()),
        }
    }
    findings.extend(users);
    if let Some(fault) = blind {
        // What nobody looked at stays as it is, and says why it is not seen.
        for check in &doing.act.checks {
            if findings.iter().all(|finding| finding.id != check.id) {
                let detail = format!("cannot be read: {fault}");
                findings.push(Finding { id: check.id.clone(), seen: super::Seen::NotYet, detail });
            }
        }
    }
    findings
}

/// Moves the act on when its checks say so. Gives the outcome when it is over.
async fn decide(doing: &mut Doing, since: Time, now: Time) -> Option<Outcome> {
    let control = &doing.shared.config.control;
    let watched = checks::is_watched(&doing.act.plan.operation, doing.act.plan.version.as_ref());
    let watch = if watched { control.watch.0 } else { Duration::ZERO };
    let until = now + chrono::TimeDelta::from_std(watch).unwrap_or(chrono::TimeDelta::zero());
    let incomplete = incomplete(doing);
    let is_unsure = matches!(incomplete, None | Some(Outcome::Unknown { .. }));
    if doing.act.effective_at.is_none() && apply::all_hold(&doing.act) && is_unsure {
        doing.act.effective_at = Some(now);
        doing.act.watch_until = Some(until);
        doing.act.outcome = Some(Outcome::Effective);
        doing.stage(Stage::Watching);
        let _ = doing.note("effective", true).await;
    } else if doing.act.effective_at.is_none() && doing.act.outcome.is_none() {
        let undecided = apply::undecided(&doing.act, now, since, longest(doing));
        if !undecided {
            let missed = apply::missed(&doing.act);
            doing.act.outcome = Some(incomplete.unwrap_or(missed));
            doing.act.watch_until = Some(until);
            doing.stage(Stage::Watching);
            let point =
                if matches!(doing.act.outcome, Some(Outcome::Failed { .. })) { "failed" } else { "unknown" };
            let _ = doing.note(point, true).await;
        }
    }
    // A check that still waits is waited for, also where nothing is watched.
    if doing.act.watch_until.is_none_or(|until| now < until) || apply::is_pending(&doing.act) {
        return None;
    }
    let outcome = doing.act.outcome.clone()?;
    Some(match (outcome, apply::first_broken(&doing.act)) {
        (Outcome::Effective, Some(broken)) if watched => {
            Outcome::Failed { why: format!("it was effective and did not last: {broken}") }
        }
        (outcome, _) => outcome,
    })
}

/// Waits until the next look. Gives the reason when the act is to end instead.
async fn pause(doing: &mut Doing, since: Time, now: Time) -> Option<String> {
    let pace = doing.shared.pace;
    let pending = apply::is_pending(&doing.act);
    let wait = match doing.act.stage {
        Stage::Watching if !pending => pace.watch,
        _ if (now - since).as_seconds_f64() <= SOON_S => pace.soon,
        _ => pace.later,
    };
    tokio::select! {
        // When the engine is gone nobody stops an act any more; its end aborts this task.
        Ok(()) = doing.stop.changed() => doing.stop.borrow_and_update().clone(),
        () = tokio::time::sleep(wait) => None,
    }
}
