//! The plan before it is confirmed: why, from what to what, every request, who will undo it, how it is looked after.

use super::sheet::{Foot, LABEL, Sheet};
use super::{Cx, words};
use crate::app::acting::{ActDialog, Field, Proposal, TARGET_S};
use crate::domain::Level;
use crate::domain::act::{Confirm, May, Operation, Plan, Request};
use crate::view::look::Role;
use crate::view::page::Row;
use crate::view::text;

/// The box of a plan.
pub fn sheet(cx: &Cx, dialog: &ActDialog, proposal: &Proposal) -> Sheet {
    let plan = &*proposal.plan;
    let mut sheet = Sheet::new(words::title(plan), "plan");
    sheet.scroll = dialog.scroll.into();
    if let Some((request, why)) = plan.forbidden() {
        let words = format!("you may not do `{}`: {why}", request.words);
        sheet.marked(cx, "forbidden", cx.look.glyphs().critical, &words, cx.look.style(Role::Critical));
    }
    facts(cx, &mut sheet, dialog, plan);
    sheet.gap();
    requests(cx, &mut sheet, plan);
    for beware in &plan.beware {
        let (mark, style) = cx.look.level(beware.level);
        let style = if beware.level >= Level::Unknown { style } else { cx.look.style(Role::Text) };
        let first = plan.beware.first() == Some(beware);
        sheet.marked(cx, if first { "beware" } else { "" }, mark, &beware.text, style);
    }
    let checks: Vec<&str> = plan.checks.iter().map(|check| check.words.as_str()).collect();
    sheet.fact(cx, "verify", &checks.join(&format!(" {} ", cx.look.glyphs().dot)), Role::Text);
    let expected =
        format!("effective in about {}; the target is {}", text::age(plan.expected_s), text::age(TARGET_S));
    sheet.fact(cx, "expected", &expected, Role::Text);
    if plan.stepper {
        let at = dialog.seen.as_ref().map(|rollout| format!(" at {:.0} %", rollout.asked));
        let words = format!("driven by this session; frozen{} when it stops", at.unwrap_or_default());
        sheet.fact(cx, "steps", &words, Role::Text);
    }
    sheet.fact(cx, "as", &words::who(&plan.who), Role::Dim);
    foot(&mut sheet, proposal);
    sheet
}

fn facts(cx: &Cx, sheet: &mut Sheet, dialog: &ActDialog, plan: &Plan) {
    let because = if plan.evidence.is_empty() { "nothing is judged abnormal" } else { &plan.evidence };
    sheet.fact(cx, "because", because, Role::Text);
    let from_to = format!("{} {} {}", plan.before, cx.look.glyphs().arrow, plan.after);
    if LABEL + text::width(&from_to) <= cx.columns {
        sheet.fact(cx, "from, to", &from_to, Role::Text);
    } else {
        sheet.fact(cx, "from", &plan.before, Role::Text);
        sheet.fact(cx, "to", &plan.after, Role::Text);
    }
    if let Some(version) = plan.version.as_ref().map(words::version) {
        sheet.fact(cx, "version", &version, Role::Dim);
    }
    sheet.fact(cx, "affects", &plan.affects, Role::Text);
    let now = cx.store.model(&dialog.model).and_then(|model| model.rollout.as_ref());
    let moved = dialog.seen.as_deref().zip(now).and_then(|(seen, now)| words::moved(seen, now));
    if let Some(moved) = moved {
        let (mark, style) = cx.look.level(Level::Warning);
        let words = format!("{moved} since this plan was made; it is read again before anything is sent");
        sheet.marked(cx, "moved", mark, &words, style);
    }
}

/// Columns that the parts of a request take when each has its own.
struct Widths {
    verb: usize,
    path: usize,
    words: usize,
    one_line: bool,
}

impl Widths {
    fn of(cx: &Cx, plan: &Plan) -> Self {
        let most = |part: fn(&Request) -> &str| {
            plan.requests.iter().map(|request| text::width(part(request))).max().unwrap_or(0)
        };
        let room = cx.columns.saturating_sub(LABEL + 3);
        let (verb, words) = (most(|request| &request.verb) + 1, most(|request| &request.words) + 2);
        let path = room.saturating_sub(verb + words + 12).min(most(|request| &request.path) + 2);
        Self { verb, path, words, one_line: path >= 24 }
    }
}

fn requests(cx: &Cx, sheet: &mut Sheet, plan: &Plan) {
    if plan.requests.is_empty() {
        sheet.fact(cx, "will do", "nothing: it is so already", Role::Text);
        return;
    }
    let (dim, plain, strong) =
        (cx.look.style(Role::Dim), cx.look.style(Role::Text), cx.look.style(Role::Strong));
    let widths = Widths::of(cx, plan);
    for (place, request) in plan.requests.iter().enumerate() {
        let label = if place == 0 { "will do" } else { "" };
        let mut row = Row::of(text::pad(label, LABEL), dim)
            .with(format!("{:<3}", place + 1), dim)
            .with(text::pad(&request.verb, widths.verb), plain);
        let (may, style) = may(cx, &request.may);
        let room = cx.columns.saturating_sub(LABEL + 3);
        if widths.one_line {
            let path = words::from_the_left(&request.path, widths.path - 2, cx.look.glyphs().ellipsis);
            row = row
                .with(text::pad(&path, widths.path), dim)
                .with(text::pad(&request.words, widths.words), strong);
            let fits = widths.verb + widths.path + widths.words + text::width(&may) <= room;
            if fits {
                sheet.row(row.with(may, style));
            } else {
                sheet.row(row);
                sheet.marked(cx, "", "  ", &may, style);
            }
        } else {
            let path = words::from_the_left(
                &request.path,
                room.saturating_sub(widths.verb),
                cx.look.glyphs().ellipsis,
            );
            sheet.row(row.with(path, dim));
            let indent = Row::of(" ".repeat(LABEL + 3), dim);
            let inline = text::width(&request.words) + 3 + text::width(&may) <= room;
            let row = indent.with(text::cut(&request.words, room), strong);
            if inline {
                sheet.row(row.with("   ", dim).with(may, style));
            } else {
                sheet.row(row);
                sheet.marked(cx, "", "  ", &may, style);
            }
        }
        more(cx, sheet, request);
    }
}

/// What a request waits for, what its dry run said.
fn more(cx: &Cx, sheet: &mut Sheet, request: &Request) {
    let mut say = |words: &str, role| sheet.marked(cx, "", "  ", words, cx.look.style(role));
    if !request.after.is_empty() {
        say(&format!("after {}, for at most {}", request.after, text::age(request.wait_s)), Role::Dim);
    }
    match &request.dry_run {
        Some(Ok(words)) => say(&format!("dry run: {words}"), Role::Dim),
        Some(Err(why)) => say(&format!("dry run refused: {why}"), Role::Warning),
        None => {}
    }
    if request.optional {
        say("the act goes on without it when it fails", Role::Dim);
    }
}

fn may(cx: &Cx, may: &May) -> (String, ratatui::style::Style) {
    match may {
        May::Yes => ("may: yes".into(), cx.look.style(Role::Dim)),
        May::No(why) => (format!("may: no, {why}"), cx.look.style(Role::Critical)),
        May::Unknown(why) => (format!("may: unknown, {why}"), cx.look.style(Role::Unknown)),
    }
}

fn foot(sheet: &mut Sheet, proposal: &Proposal) {
    let plan = &proposal.plan;
    let on = |field| proposal.focus == field;
    let hint = "optional; goes into the audit trail".to_owned();
    sheet.foot.push(Foot::Field("reason", hint, Box::new(proposal.reason.clone()), on(Field::Reason)));
    if let Confirm::Type(name) = &plan.confirm {
        let hint = format!("type {name} to confirm");
        sheet.foot.push(Foot::Field("confirm", hint, Box::new(proposal.typed.clone()), on(Field::Name)));
    }
    let act = match &plan.operation {
        Operation::PromoteFull => "Promote to all traffic".to_owned(),
        Operation::SetWeight { percent } => format!("Set to {percent} %"),
        Operation::RollBack { to } => format!("Roll back to {}", text::cut(to.as_str(), 16)),
        other => other.title().to_owned(),
    };
    let focused = match proposal.focus {
        Field::Cancel => Some(false),
        Field::Do => Some(true),
        Field::Reason | Field::Name => None,
    };
    sheet.foot.push(Foot::Buttons {
        act,
        focused,
        hindrance: proposal.hindrance(),
        is_safe: plan.confirm == Confirm::Enter && plan.operation.is_safe_direction(),
    });
}
