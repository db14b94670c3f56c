//! What an earlier wardroom left in flight, and what can be done about it.

use super::sheet::{Foot, Sheet};
use super::{Cx, words};
use crate::domain::act::{Act, CheckState, RequestState, Stage};
use crate::view::look::Role;
use crate::view::page::Row;
use crate::view::text;

/// The box of the unfinished acts.
pub fn sheet(cx: &Cx, cursor: usize) -> Sheet {
    let acts = &cx.app.acting.unfinished;
    let many = if acts.len() == 1 { "1 act".to_owned() } else { format!("{} acts", acts.len()) };
    let mut sheet = Sheet::new("Unfinished", format!("{many} of an earlier wardroom"));
    let style = |role| cx.look.style(role);
    for (place, act) in acts.iter().enumerate() {
        let chosen = place == cursor.min(acts.len() - 1);
        let mark = if chosen { cx.look.glyphs().selected } else { " " };
        sheet.gap();
        if chosen {
            sheet.shown = Some(sheet.len() + 4);
        }
        let ago = text::age((cx.app.now - act.confirmed_at).as_seconds_f64());
        sheet.row(
            Row::of(format!("{mark} "), style(Role::Selected))
                .with(act.headline(), style(if chosen { Role::Strong } else { Role::Text }))
                .with(format!("   confirmed {ago} ago   act {}", act.plan.id), style(Role::Dim)),
        );
        sheet.fact(cx, "  who", &words::who(&act.plan.who), Role::Dim);
        sheet.fact(cx, "  sent", &sent(act), Role::Text);
        sheet.fact(cx, "  known", &known(act), Role::Text);
        if !act.plan.reason.is_empty() {
            sheet.fact(cx, "  reason", &act.plan.reason, Role::Dim);
        }
    }
    let words = "V go on verifying, nothing is sent again   C close as it is   Esc later";
    sheet.foot.push(Foot::Words(words.into()));
    sheet
}

/// How far the requests got.
fn sent(act: &Act) -> String {
    let count = |is: fn(&RequestState) -> bool| act.requests.iter().filter(|state| is(state)).count();
    let accepted = count(|state| matches!(state, RequestState::Accepted { .. }));
    let open = count(|state| matches!(state, RequestState::Sent { .. } | RequestState::Unknown { .. }));
    let mut words = format!("{accepted} of {} requests accepted", act.requests.len());
    if open > 0 {
        words.push_str(&format!(", {open} sent without a known answer"));
    }
    words
}

/// What was seen of it.
fn known(act: &Act) -> String {
    let passed = act.checks.iter().filter(|check| matches!(check.state, CheckState::Passed { .. })).count();
    match (act.stage, &act.outcome) {
        (_, Some(outcome)) => outcome.word().to_owned(),
        (Stage::Confirmed, None) => "confirmed, and cut off before anything was sent".into(),
        (_, None) => format!("{passed} of {} checks passed when it was cut off", act.checks.len()),
    }
}
