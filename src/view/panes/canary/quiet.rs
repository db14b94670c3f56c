//! A model without a live canary: who has the traffic, and what happened last.

use ratatui::style::Style;

use super::super::Cx;
use super::super::brush::{Brush, Row, row};
use super::super::timeline;
use crate::domain::{EventKind, Level};
use crate::store::ModelState;
use crate::view::look::Role;

/// No canary: who has the traffic, and what happened last.
pub fn draw(brush: &mut Brush, cx: &Cx, model: &ModelState) {
    let live = model.live_version();
    let words = match live {
        Some(version) => format!("all traffic on {version}"),
        None => "no canary; the live version is not known".to_owned(),
    };
    let x = brush.put(0, 0, &words, Role::Text);
    let controller = match &model.rollout {
        Some(rollout) => format!("   {} {}", rollout.controller, rollout.phase.word()),
        None => "   no rollout controller tells of this model".to_owned(),
    };
    brush.put(x, 0, &controller, Role::Dim);
    let mut y = 1;
    if let Some(message) =
        model.rollout.as_ref().map(|rollout| &rollout.message).filter(|text| !text.is_empty())
    {
        brush.put(0, y, message, Role::Dim);
        y += 1;
    }
    for (mark, words, style) in super::facts::notes(cx, model) {
        brush.put_until(0, y, usize::MAX, format!("{mark} {words}").trim_start(), style);
        y += 1;
    }
    if cx.zoomed {
        let mut rows = super::facts::rows(cx, model, brush.columns());
        rows.push(Vec::new());
        rows.extend(events(cx, model, 200));
        brush.list(y + 1, &rows, cx.app.pane_offset.into());
        return;
    }
    let events = events(cx, model, brush.rows().saturating_sub(y + 1));
    brush.list(y + 1, &events, 0);
}

/// The newest events of the model's rollouts, the newest first.
pub fn events(cx: &Cx, model: &ModelState, most: usize) -> Vec<Row> {
    let (dim, plain) = (cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let newest = cx.store.timeline.iter().rev();
    let mine = newest.filter(|e| {
        matches!(e.kind, EventKind::Rollout | EventKind::Action) && e.model.as_ref() == Some(&model.id)
    });
    let level =
        |level: Level| -> Style { if level >= Level::Unknown { cx.look.level(level).1 } else { plain } };
    mine.take(most)
        .map(|event| {
            row()
                .at(0, timeline::when(event.at, cx.app.now), dim)
                .at(10, event.what.clone(), level(event.level))
                .at(42, event.detail.clone(), dim)
                .row()
        })
        .collect()
}
