//! Sends the requests of a confirmed plan, one after another: written down before, written down after, never repeated.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::doing::Doing;
use super::{Ready, Seen, Sent, Settled, crash};
use crate::domain::act::{Act, Hand, Operation, Outcome, RequestState, Stage};
use crate::domain::{Fault, Time};

/// No request may take longer than this, whatever the controller's own limits are.
const LONGEST: Duration = Duration::from_secs(60);
/// How often an unknown outcome is looked at again.
const LOOKS: u32 = 3;

/// How sending ended.
#[derive(Debug)]
pub(super) enum End {
    /// Something was sent: all of it, or up to a request that was not done or has no known outcome.
    Sent,
    /// Nothing was done, because.
    Halted(Outcome),
}

/// Sends what was planned.
pub(super) async fn send_all(doing: &mut Doing) -> End {
    doing.stage(Stage::Sending);
    for n in 0..doing.act.plan.requests.len() {
        let optional = doing.act.plan.requests[n].optional;
        let step = send_one(doing, n).await;
        doing.in_flight.store(false, Ordering::SeqCst);
        let (why, words) = match step {
            Step::Accepted => continue,
            Step::Unsure | Step::Stopped(_) if optional => continue,
            Step::Unsure => (None, "has no known outcome"),
            Step::Stopped(why) => (Some(why), "was not done"),
        };
        rest_not_sent(&mut doing.act, n + 1, &format!("request {} {words}", n + 1));
        let accepted = doing.act.requests.iter().any(|r| matches!(r, RequestState::Accepted { .. }));
        return match why {
            Some(why) if !accepted => End::Halted(Outcome::Nothing { why }),
            _ => End::Sent,
        };
    }
    End::Sent
}

/// What became of one request.
enum Step {
    Accepted,
    Unsure,
    Stopped(String),
}

async fn send_one(doing: &mut Doing, n: usize) -> Step {
    if let Err(why) = wait_until_ready(doing, n).await {
        doing.act.requests[n] = RequestState::NotSent { why: why.clone() };
        // Nothing was sent: that this line is missing after a crash changes nothing.
        let _ = doing.note(&format!("request {} not sent", n + 1), true).await;
        return Step::Stopped(why);
    }
    doing.in_flight.store(true, Ordering::SeqCst);
    if let Some(reason) = doing.stop.borrow().clone() {
        doing.act.requests[n] = RequestState::NotSent { why: reason.clone() };
        return Step::Stopped(reason);
    }
    let audit_id = format!("{}-{}-{:08x}", doing.act.plan.id, n + 1, doing.shared.fresh());
    let sent = doing.now();
    doing.act.requests[n] = RequestState::Sent { at: sent, audit_id: audit_id.clone() };
    if let Err(unwritten) = doing.note(&format!("before request {}", n + 1), false).await {
        let why = format!("the journal cannot be written: {}", unwritten.0);
        doing.act.requests[n] = RequestState::NotSent { why: why.clone() };
        return Step::Stopped(why);
    }
    crash::point();
    let answer = answer(doing, n, &audit_id).await;
    crash::point();
    let at = doing.now();
    let (state, step) = match answer {
        Sent::Accepted { audit_id: theirs, note } => {
            let audit_id = if theirs.is_empty() { audit_id.clone() } else { theirs };
            (RequestState::Accepted { sent, at, audit_id, note }, Step::Accepted)
        }
        Sent::Refused(why) => (RequestState::Refused { at, why: why.clone() }, Step::Stopped(why)),
        Sent::Moved(difference) => {
            let why = format!("nothing sent, the world has moved: {difference}");
            (RequestState::Refused { at, why: why.clone() }, Step::Stopped(why))
        }
        Sent::Unknown(why) => (RequestState::Unknown { at, why }, Step::Unsure),
    };
    doing.act.requests[n] = state;
    // The answer is in the act, and the next line that can be written holds it.
    let unwritten = doing.note(&format!("after request {}", n + 1), true).await.err();
    let step = match (step, &doing.act.requests[n]) {
        (Step::Unsure, RequestState::Unknown { why, .. }) => {
            let why = why.clone();
            settle(doing, n, sent, &audit_id, &why).await
        }
        (step, _) => step,
    };
    match unwritten {
        Some(unwritten) if n + 1 < doing.act.requests.len() => {
            Step::Stopped(format!("the journal cannot be written any more: {}", unwritten.0))
        }
        _ => step,
    }
}

async fn answer(doing: &Doing, n: usize, audit_id: &str) -> Sent {
    let plan = &doing.act.plan;
    let Some(sender) = doing.sender(plan.requests[n].hand) else {
        return Sent::Refused("the config has no way to send it any more; plan again".into());
    };
    match tokio::time::timeout(LONGEST, sender.send(plan, n, audit_id)).await {
        Ok(sent) => sent,
        Err(_) => Sent::Unknown(format!("no answer within {} s", LONGEST.as_secs())),
    }
}

/// Waits until a request may be sent. Gives the reason when it may not.
async fn wait_until_ready(doing: &mut Doing, n: usize) -> Result<(), String> {
    let request = &doing.act.plan.requests[n];
    let (hand, words) = (request.hand, request.after.clone());
    // All traffic must be on a version before the registry calls it production.
    let after_effect = hand == Hand::Registry && doing.act.plan.operation == Operation::PromoteFull;
    let effective_s = doing.shared.config.control.effective_within.as_secs_f64();
    let wait_s = if after_effect { request.wait_s.max(effective_s) } else { request.wait_s };
    let begun = doing.now();
    let mut shown = String::new();
    loop {
        let why = match ready(doing, n, after_effect, (doing.now() - begun).as_seconds_f64()).await {
            Ok(Ready::Yes) => return Ok(()),
            Ok(Ready::NotYet(why)) => why,
            Ok(Ready::Moved(difference)) => {
                return Err(format!("nothing sent, the world has moved: {difference}"));
            }
            Err(fault) => fault.to_string(),
        };
        if let Some(reason) = doing.stop.borrow().clone() {
            return Err(reason);
        }
        if (doing.now() - begun).as_seconds_f64() >= wait_s {
            let waited = if wait_s > 0.0 { format!("waited {wait_s:.0} s: ") } else { String::new() };
            return Err(format!("{waited}{why}"));
        }
        let for_what = if why.is_empty() { words.clone() } else { why };
        if for_what != shown {
            shown.clone_from(&for_what);
            doing.act.requests[n] = RequestState::Waiting { for_what };
            doing.shared.show(&doing.act);
        }
        tokio::time::sleep(doing.shared.pace.ready).await;
    }
}

async fn ready(doing: &Doing, n: usize, after_effect: bool, waited_s: f64) -> Result<Ready, Fault> {
    let plan = &doing.act.plan;
    let gone = || Ready::Moved("the config has no way to send it any more".into());
    let Some(sender) = doing.sender(plan.requests[n].hand) else { return Ok(gone()) };
    let limited = |fault: tokio::time::error::Elapsed| {
        Fault::new(crate::domain::FaultKind::Hung, format!("no answer to a question: {fault}"))
    };
    if after_effect {
        let Some(controller) = doing.sender(Hand::Controller) else { return Ok(gone()) };
        let findings = tokio::time::timeout(LONGEST, controller.observe(plan)).await.map_err(limited)??;
        let missing = findings.iter().find(|finding| {
            let needed = plan.checks.iter().any(|check| check.id == finding.id && check.needed);
            needed && !matches!(finding.seen, Seen::Yes | Seen::Nothing)
        });
        if let Some(missing) = missing {
            return Ok(Ready::NotYet(missing.detail.clone()));
        }
    }
    tokio::time::timeout(LONGEST, sender.ready(plan, n, waited_s)).await.map_err(limited)?
}

/// Looks what came of a request without an answer. It is never sent again.
async fn settle(doing: &mut Doing, n: usize, sent: Time, audit_id: &str, why: &str) -> Step {
    let seen = settled(doing, n).await;
    let at = doing.now();
    let (state, step) = match seen {
        Settled::Done(seen) => {
            let note = format!("{why}; its effect is there: {seen}");
            (RequestState::Accepted { sent, at, audit_id: audit_id.into(), note }, Step::Accepted)
        }
        Settled::NotDone(seen) => {
            let why = format!("{why}; its effect is not there: {seen}; it is not sent again");
            (RequestState::Unknown { at, why }, Step::Unsure)
        }
        Settled::CannotTell(seen) => {
            let why = format!("{why}; whether it was done cannot be told: {seen}; it is not sent again");
            (RequestState::Unknown { at, why }, Step::Unsure)
        }
    };
    doing.act.requests[n] = state;
    match doing.note(&format!("settled request {}", n + 1), true).await {
        Ok(()) => step,
        Err(unwritten) if matches!(step, Step::Accepted) && n + 1 < doing.act.requests.len() => {
            Step::Stopped(format!("the journal cannot be written any more: {}", unwritten.0))
        }
        Err(_) => step,
    }
}

/// Whether the effect of a request is there, asked a few times: a controller may need a moment.
pub(super) async fn settled(doing: &Doing, n: usize) -> Settled {
    let plan = &doing.act.plan;
    let Some(sender) = doing.sender(plan.requests[n].hand) else {
        return Settled::CannotTell("the config has no way to look any more".into());
    };
    let mut last = Settled::CannotTell("nobody answered".into());
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(doing.shared.pace.later).await;
        }
        last = match tokio::time::timeout(LONGEST, sender.settled(plan, n)).await {
            Ok(Ok(done @ Settled::Done(_))) => return done,
            Ok(Ok(other)) => other,
            Ok(Err(fault)) => Settled::CannotTell(fault.to_string()),
            Err(_) => Settled::CannotTell(format!("no answer within {} s", LONGEST.as_secs())),
        };
    }
    last
}

/// Every request from `from` on was never sent.
pub(super) fn rest_not_sent(act: &mut Act, from: usize, why: &str) {
    for request in act.requests.iter_mut().skip(from) {
        *request = RequestState::NotSent { why: why.into() };
    }
}
