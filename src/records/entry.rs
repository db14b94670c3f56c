//! The audit entry of an act at a point: a pure function.

use super::canonical::{Entry, Line, SeenCheck, SentRequest};
use crate::domain::Time;
use crate::domain::act::{Act, CheckState, Outcome, RequestState};

/// The point at which a later process took an act over.
pub const TAKEN_OVER: &str = "taken over";

/// Who writes, as the operating system knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Writer {
    pub(super) process: u32,
    pub(super) uid: u32,
}

/// The entry of an act at a point. Points that it knows: `confirmed`, `effective`, `taken over`, `over`, `closed`, what
/// begins with `watch`, and what has `request N` in it (N counts from 1); any other is noted as it is.
///
/// `carried` gives each request's `Audit-ID` from earlier rows: a request whose outcome is unknown no longer tells it.
pub(super) fn entry(
    number: u64,
    at: Time,
    point: &str,
    act: &Act,
    carried: &[String],
    writer: Writer,
) -> Entry {
    let plan = &act.plan;
    let request = request_of(point, act);
    let line = line(point, act, request);
    let (outcome, ended) = match &act.outcome {
        None => (String::new(), String::new()),
        Some(outcome) => (outcome.word().to_owned(), why(outcome).to_owned()),
    };
    let requests: Vec<SentRequest> = plan
        .requests
        .iter()
        .zip(&act.requests)
        .enumerate()
        .map(|(index, (planned, state))| {
            let (is, at, own, note) = told(state);
            let audit_id = own.or(carried.get(index).map(String::as_str)).unwrap_or_default();
            SentRequest {
                hand: planned.hand,
                words: planned.words.clone(),
                verb: planned.verb.clone(),
                path: planned.path.clone(),
                is: is.into(),
                at,
                audit_id: audit_id.into(),
                note: note.into(),
            }
        })
        .collect();
    let checks: Vec<SeenCheck> = act
        .checks
        .iter()
        .filter_map(|check| {
            let is = match check.state {
                CheckState::Waiting => return None,
                CheckState::Passed { .. } => "passed",
                CheckState::Failed { .. } => "failed",
                CheckState::Unknown { .. } => "unknown",
                CheckState::Skipped => "skipped",
            };
            Some(SeenCheck { words: check.words.clone(), is: is.into(), detail: check.detail.clone() })
        })
        .collect();
    let detail = match line {
        Line::Confirmed | Line::Automatic => plan.affects.clone(),
        Line::Watch => act.watch_notes.last().cloned().unwrap_or_default(),
        Line::Recovered => act.resumed.clone(),
        Line::Effective => {
            let passed = checks.iter().filter(|check| check.is == "passed");
            passed.map(|check| check.words.as_str()).collect::<Vec<_>>().join("; ")
        }
        Line::Over => ended,
        Line::Noted => String::new(),
        _ => request.and_then(|index| requests.get(index)).map(said).unwrap_or_default(),
    };
    Entry {
        number,
        at,
        line,
        point: point.into(),
        act: plan.id.clone(),
        model: plan.model.clone(),
        target: plan.target.to_string(),
        system: plan.target.system.to_string(),
        verb: plan.operation.verb().into(),
        what: act.headline(),
        who: plan.who.clone(),
        uid: writer.uid,
        process: writer.process,
        why: plan.reason.clone(),
        before: plan.before.clone(),
        after: plan.after.clone(),
        evidence: plan.evidence.clone(),
        detail,
        outcome,
        requests,
        checks,
    }
}

fn line(point: &str, act: &Act, request: Option<usize>) -> Line {
    match point {
        "confirmed" if act.plan.who.by == "automatic" => Line::Automatic,
        "confirmed" => Line::Confirmed,
        "effective" => Line::Effective,
        "over" | "closed" => Line::Over,
        TAKEN_OVER => Line::Recovered,
        watch if watch.starts_with("watch") => Line::Watch,
        _ => match request.and_then(|index| act.requests.get(index)) {
            Some(RequestState::Sent { .. }) => Line::RequestSent,
            Some(RequestState::Accepted { .. }) => Line::RequestAccepted,
            Some(RequestState::Refused { .. }) => Line::RequestRefused,
            Some(RequestState::Unknown { .. }) => Line::RequestUnknown,
            Some(RequestState::NotSent { .. }) => Line::RequestNotSent,
            Some(RequestState::Waiting { .. }) | None => Line::Noted,
        },
    }
}

/// The index of the request that a point is about.
fn request_of(point: &str, act: &Act) -> Option<usize> {
    let (_, rest) = point.split_once("request ")?;
    let number = rest.split(' ').next().unwrap_or_default();
    let index = number.parse::<usize>().ok()?.checked_sub(1)?;
    (index < act.requests.len()).then_some(index)
}

/// A request's state as a word, when, its `Audit-ID`, and what was said.
fn told(state: &RequestState) -> (&'static str, Option<Time>, Option<&str>, &str) {
    match state {
        RequestState::Waiting { for_what } => ("waiting", None, None, for_what),
        RequestState::Sent { at, .. } => ("sent", Some(*at), audit_id(state), ""),
        RequestState::Accepted { at, note, .. } => ("accepted", Some(*at), audit_id(state), note),
        RequestState::Refused { at, why } => ("refused", Some(*at), None, why),
        RequestState::Unknown { at, why } => ("unknown", Some(*at), None, why),
        RequestState::NotSent { why } => ("not_sent", None, None, why),
    }
}

/// The `Audit-ID` that a request's state tells.
pub(super) fn audit_id(state: &RequestState) -> Option<&str> {
    match state {
        RequestState::Sent { audit_id, .. } | RequestState::Accepted { audit_id, .. } => Some(audit_id),
        _ => None,
    }
}

/// Whether a request was sent and its state no longer tells the `Audit-ID`.
pub(super) fn lost_its_audit_id(state: &RequestState) -> bool {
    matches!(state, RequestState::Refused { .. } | RequestState::Unknown { .. })
}

fn said(request: &SentRequest) -> String {
    if request.note.is_empty() {
        request.words.clone()
    } else {
        format!("{}: {}", request.words, request.note)
    }
}

fn why(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Effective => "",
        Outcome::Nothing { why } | Outcome::Failed { why } | Outcome::Unknown { why } => why,
    }
}
