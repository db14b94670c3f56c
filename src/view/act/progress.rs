//! An act under way: each request and each check with its time, the clock against the target, the outcome.

use ratatui::style::Style;

use super::sheet::{Foot, LABEL, Sheet};
use super::{Cx, words};
use crate::app::acting::TARGET_S;
use crate::domain::act::{Act, Check, CheckState, Outcome, Request, RequestState, Stage};
use crate::domain::{Level, Time};
use crate::view::look::Role;
use crate::view::page::Row;
use crate::view::text;

/// Cells of the bar of the clock.
const BAR: usize = 24;
/// Columns of a state's word.
const STATE: usize = 10;
/// Columns of a time.
const TIME: usize = 8;

/// The box of an act.
pub fn sheet(cx: &Cx, act: &Act, scroll: u16) -> Sheet {
    let mut sheet = Sheet::new(words::title(&act.plan), stage_word(act));
    sheet.scroll = scroll.into();
    outcome(cx, &mut sheet, act);
    clock(cx, &mut sheet, act);
    sheet.fact(
        cx,
        "from, to",
        &format!("{} {} {}", act.plan.before, cx.look.glyphs().arrow, act.plan.after),
        Role::Dim,
    );
    if !act.plan.reason.is_empty() {
        sheet.fact(cx, "reason", &act.plan.reason, Role::Dim);
    }
    if !act.resumed.is_empty() {
        sheet.fact(cx, "taken over", &act.resumed, Role::Text);
    }
    sheet.gap();
    for (place, (request, state)) in act.plan.requests.iter().zip(&act.requests).enumerate() {
        one_request(cx, &mut sheet, act, place, request, state);
    }
    sheet.gap();
    for (place, check) in act.checks.iter().enumerate() {
        one_check(cx, &mut sheet, act, place, check);
    }
    watch(cx, &mut sheet, act);
    if let Some(number) = act.audit {
        sheet.fact(cx, "audit", &format!("entry {number}, act {}", act.plan.id), Role::Text);
    }
    let key = cx.app.keymap.key(crate::app::Action::Acts);
    let words = match act.stage {
        Stage::Over => "Esc closes".to_owned(),
        _ => format!("Esc closes the box, the act goes on; {key} shows it again"),
    };
    sheet.foot.push(Foot::Words(words));
    sheet
}

fn stage_word(act: &Act) -> &'static str {
    match (act.stage, &act.outcome) {
        (Stage::Over, Some(outcome)) => outcome.word(),
        (Stage::Over, None) => "over",
        (Stage::Confirmed, _) => "confirmed",
        (Stage::Sending, _) => "sending",
        (Stage::Verifying, _) => "verifying",
        (Stage::Watching, _) => "watching",
    }
}

/// The line that says how it ended, in its level's colour and with its mark.
fn outcome(cx: &Cx, sheet: &mut Sheet, act: &Act) {
    let Some(outcome) = &act.outcome else { return };
    let (level, words) = match outcome {
        Outcome::Effective => {
            let took = act.effective_at.map(|at| format!(" in {}", after(act, at)));
            (Level::Ok, format!("EFFECTIVE{}: {}", took.unwrap_or_default(), act.plan.after))
        }
        Outcome::Nothing { why } => (Level::Warning, format!("NOTHING SENT: {why}")),
        Outcome::Failed { why } => (Level::Critical, format!("FAILED: {why}")),
        Outcome::Unknown { why } => {
            (Level::Unknown, format!("UNKNOWN: {why}; it is read again, never sent twice"))
        }
    };
    let (mark, style) = cx.look.level(level);
    let style = if level == Level::Ok { cx.look.style(Role::Strong) } else { style };
    sheet.marked(cx, "outcome", mark, &words, style);
}

/// Seconds from confirmation to a moment.
fn after(act: &Act, at: Time) -> String {
    words::seconds((at - act.confirmed_at).as_seconds_f64())
}

/// When the clock stood still: effective, or the last thing that is known of an act that is over.
fn ended(act: &Act) -> Option<Time> {
    if let Some(at) = act.effective_at {
        return Some(at);
    }
    if act.stage != Stage::Over {
        return None;
    }
    let requests = act.requests.iter().filter_map(|state| match state {
        RequestState::Waiting { .. } | RequestState::NotSent { .. } => None,
        RequestState::Sent { at, .. }
        | RequestState::Accepted { at, .. }
        | RequestState::Refused { at, .. }
        | RequestState::Unknown { at, .. } => Some(*at),
    });
    let checks = act.checks.iter().filter_map(|check| match check.state {
        CheckState::Passed { at } | CheckState::Failed { at } | CheckState::Unknown { at } => Some(at),
        CheckState::Waiting | CheckState::Skipped => None,
    });
    Some(requests.chain(checks).max().unwrap_or(act.confirmed_at))
}

/// `clock      3.2 s of 5 min   ━━┄┄┄┄┄┄`
fn clock(cx: &Cx, sheet: &mut Sheet, act: &Act) {
    let glyphs = cx.look.glyphs();
    let end = ended(act);
    let lasted = (end.unwrap_or(cx.app.now) - act.confirmed_at).as_seconds_f64().max(0.0);
    let full = ((lasted / TARGET_S).clamp(0.0, 1.0) * BAR as f64).ceil() as usize;
    let late = lasted > TARGET_S;
    let style = cx.look.style(if late { Role::Warning } else { Role::Text });
    let mark = if late { format!("{} ", glyphs.warning) } else { String::new() };
    let words =
        format!("{mark}{} since it was confirmed, of {}", words::seconds(lasted), text::age(TARGET_S));
    let mut row = Row::of(text::pad("clock", LABEL), cx.look.style(Role::Dim)).with(words, style);
    if row.width() + BAR + 3 <= cx.columns {
        row = row
            .with(format!("   {}", glyphs.bar_full.repeat(full)), style)
            .with(glyphs.bar_empty.repeat(BAR - full), cx.look.style(Role::Faint));
    }
    sheet.row(row);
}

/// Mark, word, how long after the confirmation, and style of a request's state.
fn request_state(cx: &Cx, act: &Act, state: &RequestState) -> (&'static str, &'static str, String, Style) {
    let g = cx.look.glyphs();
    let style = |role| cx.look.style(role);
    match state {
        RequestState::Waiting { .. } => (g.dot, "waiting", String::new(), style(Role::Dim)),
        RequestState::Sent { at, .. } => {
            let lasted = words::seconds((cx.app.now - *at).as_seconds_f64());
            (g.bar_head, "sent", lasted, style(Role::Strong))
        }
        RequestState::Accepted { at, .. } => (g.ok, "accepted", after(act, *at), style(Role::Text)),
        RequestState::Refused { at, .. } => (g.critical, "refused", after(act, *at), style(Role::Critical)),
        RequestState::Unknown { at, .. } => (g.stale, "unknown", after(act, *at), style(Role::Unknown)),
        RequestState::NotSent { .. } => (g.none, "not sent", String::new(), style(Role::Dim)),
    }
}

fn one_request(cx: &Cx, sheet: &mut Sheet, act: &Act, place: usize, request: &Request, state: &RequestState) {
    let dim = cx.look.style(Role::Dim);
    let (mark, word, time, style) = request_state(cx, act, state);
    let label = if place == 0 { "requests" } else { "" };
    let row = state_row(cx, label, (mark, word, &time, style));
    let room = cx.columns.saturating_sub(LABEL + 2 + STATE + TIME);
    let said = text::cut(&request.words, room);
    let left = room.saturating_sub(text::width(&said) + 2 + text::width(&request.verb) + 1);
    let mut row = row.with(
        said,
        if matches!(state, RequestState::Waiting { .. }) { dim } else { cx.look.style(Role::Text) },
    );
    if left >= 16 {
        let path = words::from_the_left(&request.path, left, cx.look.glyphs().ellipsis);
        row = row.with(format!("  {} {path}", request.verb), dim);
    }
    sheet.row(row);
    let more = match state {
        RequestState::Waiting { for_what } if !for_what.is_empty() => format!("for {for_what}"),
        RequestState::Waiting { .. } => String::new(),
        RequestState::Sent { audit_id, .. } => audit(audit_id),
        RequestState::Accepted { audit_id, note, .. } => [audit(audit_id), note.clone()]
            .into_iter()
            .filter(|words| !words.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
        RequestState::Refused { why, .. }
        | RequestState::Unknown { why, .. }
        | RequestState::NotSent { why } => why.clone(),
    };
    let is_bad = matches!(state, RequestState::Refused { .. } | RequestState::Unknown { .. });
    detail(cx, sheet, &more, if is_bad { style } else { dim });
}

/// The first part of an Audit-ID is enough to find it.
fn audit(id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("Audit-ID {}", id.chars().take(8).collect::<String>()) }
}

fn one_check(cx: &Cx, sheet: &mut Sheet, act: &Act, place: usize, check: &Check) {
    let g = cx.look.glyphs();
    let style = |role| cx.look.style(role);
    let (mark, word, time, ink) = match &check.state {
        CheckState::Waiting => (g.dot, "waiting", String::new(), style(Role::Dim)),
        CheckState::Passed { at } => (g.ok, "passed", after(act, *at), style(Role::Text)),
        CheckState::Failed { at } => (g.critical, "failed", after(act, *at), style(Role::Critical)),
        CheckState::Unknown { at } => (g.stale, "unknown", after(act, *at), style(Role::Unknown)),
        CheckState::Skipped => (g.none, "skipped", String::new(), style(Role::Dim)),
    };
    let label = if place == 0 { "checks" } else { "" };
    let row = state_row(cx, label, (mark, word, &time, ink));
    let room = cx.columns.saturating_sub(LABEL + 2 + STATE + TIME);
    let needed = if check.needed { "" } else { ", not needed" };
    let words = format!("{}{needed}", check.words);
    let quiet = matches!(check.state, CheckState::Waiting | CheckState::Skipped);
    let tone = if quiet { style(Role::Dim) } else { style(Role::Text) };
    let said = text::cut(&words, room);
    let left = room.saturating_sub(text::width(&said) + 3);
    let loud = matches!(check.state, CheckState::Failed { .. } | CheckState::Unknown { .. });
    let tail = if loud { ink } else { style(Role::Dim) };
    if text::width(&check.detail) <= left {
        sheet.row(row.with(said, tone).with(format!("   {}", check.detail), tail));
    } else {
        sheet.row(row.with(said, tone));
        detail(cx, sheet, &check.detail, tail);
    }
}

fn state_row(cx: &Cx, label: &str, (mark, word, time, style): (&str, &str, &str, Style)) -> Row {
    Row::of(text::pad(label, LABEL), cx.look.style(Role::Dim))
        .with(format!("{mark} "), style)
        .with(text::pad(word, STATE), style)
        .with(text::pad(time, TIME), cx.look.style(Role::Dim))
}

/// A line under a request or a check.
fn detail(cx: &Cx, sheet: &mut Sheet, words: &str, style: Style) {
    let indent = " ".repeat(1 + STATE);
    sheet.marked(cx, "", &indent, words, style);
}

/// Until when it is watched, and what the watch saw.
fn watch(cx: &Cx, sheet: &mut Sheet, act: &Act) {
    if act.watch_until.is_none() && act.watch_notes.is_empty() {
        return;
    }
    sheet.gap();
    if let Some(until) = act.watch_until {
        let left = (until - cx.app.now).as_seconds_f64();
        let words = match act.stage {
            Stage::Watching if left > 0.0 => {
                format!(
                    "until {}, {} more; a restart of wardroom does not end it",
                    text::clock(until),
                    text::age(left)
                )
            }
            _ => format!("until {}", text::clock(until)),
        };
        sheet.fact(cx, "watched", &words, Role::Dim);
    }
    for note in &act.watch_notes {
        let (mark, style) = cx.look.level(Level::Warning);
        sheet.marked(cx, "", mark, note, style);
    }
}
