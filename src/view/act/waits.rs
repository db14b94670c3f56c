//! The list of what waits for a person, across all models and clusters.

use super::Cx;
use super::sheet::{Foot, Sheet};
use crate::app::acting::waiting;
use crate::view::look::Role;
use crate::view::page::Row;
use crate::view::text;

/// The box of the list.
pub fn sheet(cx: &Cx, cursor: usize) -> Sheet {
    let list = waiting(cx.app, cx.store);
    let mut sheet = Sheet::new("Waits for a person", format!("{} · the longest first", list.len()));
    let style = |role| cx.look.style(role);
    if list.is_empty() {
        sheet.say(cx, "Nothing waits for a person.", Role::Text);
    }
    let wide = cx.columns >= 96;
    let most = |part: &dyn Fn(&crate::app::acting::Wait) -> usize| list.iter().map(part).max().unwrap_or(0);
    let name = most(&|wait| text::width(&wait.name)).clamp(5, 24) + 2;
    let press = most(&|wait| text::width(&wait.press)).clamp(5, 48);
    let place = if wide { most(&|wait| text::width(&wait.place)).clamp(5, 30) + 2 } else { 0 };
    let why = cx.columns.saturating_sub(2 + name + place + 8 + press + 2);
    // Without room for all the keys go under the reason.
    let two = why < 24;
    let why = if two { cx.columns.saturating_sub(2 + name + 8) } else { why };
    if !list.is_empty() {
        let mut head = Row::of(format!("  {}", text::pad("MODEL", name)), style(Role::Heading))
            .with(text::pad(if wide { "WHERE" } else { "" }, place), style(Role::Heading))
            .with(text::pad("SINCE", 8), style(Role::Heading))
            .with(if two { "WHY".into() } else { text::pad("WHY", why + 2) }, style(Role::Heading));
        if !two {
            head = head.with("PRESS", style(Role::Heading));
        }
        sheet.row(head);
    }
    for (line, wait) in list.iter().enumerate() {
        let chosen = line == cursor.min(list.len() - 1);
        let mark = if chosen { cx.look.glyphs().selected } else { " " };
        let since = wait.since.map_or_else(
            || cx.look.glyphs().none.to_owned(),
            |at| text::age((cx.app.now - at).as_seconds_f64()),
        );
        if chosen {
            sheet.shown = Some(sheet.len() + usize::from(two));
        }
        let tone = if chosen { Role::Strong } else { Role::Text };
        let row = Row::of(format!("{mark} "), style(Role::Selected))
            .with(text::pad(&wait.name, name - 1), style(tone))
            .with(" ", style(tone))
            .with(text::pad(&wait.place, place), style(Role::Dim))
            .with(text::pad(&since, 8), style(Role::Dim));
        if two {
            sheet.row(row.with(text::cut(&wait.why, why), style(Role::Text)));
            let indent = " ".repeat(2 + name + 8);
            sheet.row(Row::of(indent, style(Role::Dim)).with(wait.press.clone(), style(Role::Dim)));
        } else {
            let why = text::pad(&wait.why, why + 2);
            sheet.row(row.with(why, style(Role::Text)).with(wait.press.clone(), style(Role::Dim)));
        }
    }
    sheet.foot.push(Foot::Words("Enter goes to the model   Esc closes".into()));
    sheet
}
