//! What is chosen before a plan is made: a version to roll back to, or a weight.

use tui_input::Input;

use super::Cx;
use super::sheet::{Foot, Sheet};
use crate::app::acting::ActDialog;
use crate::domain::Revision;
use crate::view::look::Role;
use crate::view::page::Row;
use crate::view::text;

/// The list of revisions, the newest first.
pub fn versions(cx: &Cx, dialog: &ActDialog, list: &[Revision], cursor: usize) -> Sheet {
    let mut sheet =
        Sheet::new(format!("Roll back {}", text::cut(&dialog.model.name, 32)), "choose a version");
    let style = |role| cx.look.style(role);
    let most =
        |part: &dyn Fn(&Revision) -> String| list.iter().map(|r| text::width(&part(r))).max().unwrap_or(0);
    let name = most(&Revision::name).clamp(7, 28) + 2;
    let images = most(&|revision| revision.images.join(" ")).min(cx.columns.saturating_sub(name + 34));
    let images = if images < 8 { 0 } else { images + 2 };
    let head = Row::of(format!("  {}", text::pad("VERSION", name)), style(Role::Heading))
        .with(text::pad("REV", 5), style(Role::Heading))
        .with(text::pad("AGE", 8), style(Role::Heading))
        .with(text::pad(if images > 0 { "IMAGES" } else { "" }, images), style(Role::Heading));
    sheet.row(head);
    for (place, revision) in list.iter().enumerate() {
        let chosen = place == cursor && !revision.is_stable;
        let mark = if chosen { cx.look.glyphs().selected } else { " " };
        let tone = match (revision.is_stable, chosen) {
            (true, _) => Role::Dim,
            (false, true) => Role::Strong,
            (false, false) => Role::Text,
        };
        let age = revision.created.map_or_else(
            || cx.look.glyphs().none.to_owned(),
            |at| text::age((cx.app.now - at).as_seconds_f64()),
        );
        let number =
            revision.number.map_or_else(|| cx.look.glyphs().none.to_owned(), |number| number.to_string());
        let mut row = Row::of(format!("{mark} "), style(Role::Selected))
            .with(text::pad(&revision.name(), name), style(tone))
            .with(text::pad(&number, 5), style(Role::Dim))
            .with(text::pad(&age, 8), style(Role::Dim))
            .with(text::pad(&revision.images.join(" "), images), style(Role::Dim));
        if revision.is_stable {
            row = row.with("stable, serves now", style(Role::Dim));
        }
        if revision.is_canary {
            row = row.with("canary ", style(Role::Canary));
        }
        if !revision.known_bad.is_empty() {
            let glyph = cx.look.glyphs().critical;
            let words = format!("{glyph} known bad: {}", revision.known_bad);
            let left = cx.columns.saturating_sub(row.width());
            if text::width(&words) <= left {
                row = row.with(words, style(Role::Critical));
            } else {
                sheet.row(row);
                row = Row::of("    ", style(Role::Dim)).with(words, style(Role::Critical));
            }
        }
        if chosen {
            sheet.shown = Some(sheet.len());
        }
        sheet.row(row);
    }
    sheet.foot.push(Foot::Words("Enter plans it, nothing is sent   Esc nothing done".into()));
    sheet
}

/// The weight that is being written.
pub fn weight(cx: &Cx, dialog: &ActDialog, input: &Input) -> Sheet {
    let mut sheet =
        Sheet::new(format!("Set the weight of {}", text::cut(&dialog.model.name, 32)), "choose a weight");
    let rollout = cx.store.model(&dialog.model).and_then(|model| model.rollout.as_ref());
    if let Some(rollout) = rollout {
        let canary = rollout.canary.as_ref().map_or(cx.look.glyphs().none, |version| version.as_str());
        sheet.fact(cx, "now", &format!("{canary} is asked to take {:.0} %", rollout.asked), Role::Text);
        let steps: Vec<String> = rollout.steps.iter().map(|step| format!("{:.0}", step.weight)).collect();
        if !steps.is_empty() {
            sheet.fact(cx, "steps", &format!("{} %", steps.join(", ")), Role::Dim);
        }
    }
    let hint = "percent, 0 to 100".to_owned();
    sheet.foot.push(Foot::Field("weight", hint, Box::new(input.clone()), true));
    sheet.foot.push(Foot::Words("Enter plans it, nothing is sent   Esc nothing done".into()));
    sheet
}
