//! Plans and progress as text and as one document.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::domain::Time;
use crate::domain::act::{Act, Check, CheckState, Confirm, May, Outcome, Plan, RequestState};

/// A plan for people.
pub(super) fn plan(plan: &Plan) -> String {
    let mut text = format!("{} {}   {} → {}\n", plan.operation.title(), plan.model, plan.before, plan.after);
    // Writing into a String cannot fail.
    let mut row = |name: &str, words: &str| {
        if !words.is_empty() {
            let _ = writeln!(text, "  {name:<9} {words}");
        }
    };
    row("because", &plan.evidence);
    row("reason", &plan.reason);
    row("affects", &plan.affects);
    row("where", &format!("{} ({})", plan.target, plan.target.kind.word()));
    if let Some(version) = &plan.version {
        let mut names = vec![version.name.clone()];
        names.extend(version.revision.map(|revision| format!("revision {revision}")));
        names.extend((!version.hash.is_empty()).then(|| version.hash.clone()));
        names.push(match version.registry.is_empty() {
            true => "registry not mapped".into(),
            false => format!("registry {}", version.registry),
        });
        row("version", &names.join(", "));
    }
    if plan.requests.is_empty() {
        row("will do", "nothing: it is so already");
    }
    for (n, request) in plan.requests.iter().enumerate() {
        let name = if n == 0 { "will do" } else { "" };
        let may = match &request.may {
            May::Yes => "may: yes".into(),
            May::No(why) => format!("may: NO, {why}"),
            May::Unknown(why) => format!("may: unknown, {why}"),
        };
        row(name, &format!("{}  {} {}   {}   {may}", n + 1, request.verb, request.path, request.words));
        row("", &format!("   {}", request.body));
        if !request.after.is_empty() {
            row("", &format!("   after: {} (up to {:.0} s)", request.after, request.wait_s));
        }
        match &request.dry_run {
            Some(Ok(would)) => row("", &format!("   dry run: {would}")),
            Some(Err(why)) => row("", &format!("   dry run refused: {why}")),
            None => {}
        }
    }
    for (n, beware) in plan.beware.iter().enumerate() {
        row(if n == 0 { "beware" } else { "" }, &format!("{}: {}", beware.level.word(), beware.text));
    }
    if plan.stepper {
        row("beware", "wardroom steps here only while told to; without it the weights stay");
    }
    let checks: Vec<&str> = plan.checks.iter().map(|check| check.words.as_str()).collect();
    row("verify", &checks.join(" · "));
    row("expected", &format!("effective after about {:.0} s", plan.expected_s));
    let confirm = match &plan.confirm {
        Confirm::Enter => "by Enter or --yes".into(),
        Confirm::Choose => "by yes or --yes".into(),
        Confirm::Type(name) => format!("production: by typing {name}, or --yes --confirm {name}"),
    };
    row("confirm", &confirm);
    row("act", &plan.id.0);
    text.trim_end().to_owned()
}

/// What is new in an act since it was shown last, a line each.
pub(super) fn news(before: Option<&Act>, act: &Act) -> Vec<String> {
    let mut lines = Vec::new();
    let of = act.requests.len();
    let mut say = |at: Option<Time>, words: String| {
        lines.push(match at {
            Some(at) => format!("{:>8.2} s  {words}", seconds(act, at)),
            None => format!("{:>10}  {words}", ""),
        });
    };
    for (n, (state, request)) in act.requests.iter().zip(&act.plan.requests).enumerate() {
        if before.and_then(|before| before.requests.get(n)) == Some(state) {
            continue;
        }
        let name = format!("request {} of {of}", n + 1);
        match state {
            RequestState::Waiting { for_what } if for_what.is_empty() => {}
            RequestState::Waiting { for_what } => say(None, format!("{name} waits: {for_what}")),
            RequestState::Sent { at, .. } => {
                say(Some(*at), format!("{name} sent       {} ({})", request.words, request.verb));
            }
            RequestState::Accepted { at, note, .. } => say(Some(*at), format!("{name} accepted   {note}")),
            RequestState::Refused { at, why } => say(Some(*at), format!("{name} refused    {why}")),
            RequestState::Unknown { at, why } => say(Some(*at), format!("{name} unknown    {why}")),
            RequestState::NotSent { why } => say(None, format!("{name} not sent   {why}")),
        }
    }
    for (n, check) in act.checks.iter().enumerate() {
        if before.and_then(|before| before.checks.get(n)).map(|known| &known.state) == Some(&check.state) {
            continue;
        }
        let (at, word) = match &check.state {
            CheckState::Waiting => continue,
            CheckState::Passed { at } => (Some(*at), "passed"),
            CheckState::Failed { at } => (Some(*at), "FAILED"),
            CheckState::Unknown { at } => (Some(*at), "UNKNOWN"),
            CheckState::Skipped => (None, "skipped"),
        };
        say(at, format!("{word:<8} {}   {}", check.words, check.detail));
    }
    for note in act.watch_notes.iter().skip(before.map_or(0, |before| before.watch_notes.len())) {
        say(None, note.clone());
    }
    lines
}

/// How it ended, in one line.
pub(super) fn verdict(act: &Act) -> String {
    let entry = act.audit.map(|entry| format!("; audit entry {entry}")).unwrap_or_default();
    match &act.outcome {
        Some(Outcome::Effective) => {
            let took = act.effective_at.map(|at| format!(" after {:.1} s", seconds(act, at)));
            format!("effective{}: {}{entry}", took.unwrap_or_default(), act.plan.after)
        }
        Some(outcome @ (Outcome::Nothing { why } | Outcome::Failed { why } | Outcome::Unknown { why })) => {
            format!("{}: {why}{entry}", outcome.word())
        }
        None => format!("not verified yet{entry}"),
    }
}

/// Seconds since it was confirmed.
fn seconds(act: &Act, at: Time) -> f64 {
    (at - act.confirmed_at).as_seconds_f64()
}

/// The whole act with every moment in seconds since it was confirmed.
pub(super) fn document(act: &Act, exit_code: u8) -> Value {
    let since = |at: Time| json!((seconds(act, at) * 1_000.0).round() / 1_000.0);
    let requests: Vec<Value> = act
        .requests
        .iter()
        .zip(&act.plan.requests)
        .map(|(state, request)| {
            let mut row =
                json!({"words": request.words, "verb": request.verb, "path": request.path, "state": state});
            match state {
                RequestState::Sent { at, .. } => row["sent_s"] = since(*at),
                RequestState::Accepted { sent, at, .. } => {
                    row["sent_s"] = since(*sent);
                    row["accepted_s"] = since(*at);
                }
                RequestState::Refused { at, .. } | RequestState::Unknown { at, .. } => {
                    row["at_s"] = since(*at)
                }
                RequestState::Waiting { .. } | RequestState::NotSent { .. } => {}
            }
            row
        })
        .collect();
    let check = |check: &Check| {
        let mut row = json!({"id": check.id, "words": check.words, "needed": check.needed, "state": check.state,
            "detail": check.detail});
        if let CheckState::Passed { at } | CheckState::Failed { at } | CheckState::Unknown { at } =
            &check.state
        {
            row["at_s"] = since(*at);
        }
        row
    };
    json!({
        "act": act.plan.id,
        "model": act.plan.model.name,
        "operation": act.plan.operation,
        "reason": act.plan.reason,
        "who": act.plan.who,
        "before": act.plan.before,
        "after": act.plan.after,
        "confirmed_at": act.confirmed_at,
        "stage": act.stage,
        "outcome": act.outcome,
        "requests": requests,
        "checks": act.checks.iter().map(check).collect::<Vec<_>>(),
        "effective_s": act.effective_at.map(since),
        "watch_until": act.watch_until,
        "watch_notes": act.watch_notes,
        "audit": act.audit,
        "resumed": act.resumed,
        "exit_code": exit_code,
    })
}
