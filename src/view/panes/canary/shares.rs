//! Asked, set and measured share of the traffic, and who owns the manifest.

use super::super::Cx;
use super::super::brush::{Brush, Row, row};
use super::super::effect;
use super::compare::Columns;
use crate::domain::{Kpi, Level, Rollout};
use crate::store::ModelState;
use crate::view::look::Role;

/// Whether the measured share is what was asked for, given how many requests it rests on.
fn agrees(model: &ModelState, rollout: &Rollout, measured: f64) -> bool {
    let requests = model.reading(Kpi::LatencyP95).and_then(|reading| reading.samples);
    effect::shares_agree(rollout.asked, measured, requests)
}

/// `asked 25 %   measured 24.9 %   owner Argo CD, self-heal`
pub fn draw(brush: &mut Brush, y: usize, cx: &Cx, model: &ModelState, rollout: &Rollout) {
    // Since the weight last changed, where it is counted so; a window over the change would mix two weights.
    let since = model.verdict().and_then(|verdict| verdict.share).map(|share| 100.0 * share[0]);
    let measured = since.or_else(|| model.measured_share());
    let (words, role) = match measured {
        Some(measured) if agrees(model, rollout, measured) => (format!("{measured:.1} %"), Role::Text),
        Some(measured) => {
            (format!("{} {measured:.1} %, not as asked", cx.look.glyphs().warning), Role::Warning)
        }
        None => ("not known".to_owned(), Role::Dim),
    };
    let asked = format!("{:.0} %", rollout.asked);
    let mut parts = vec![("asked ", Role::Dim), (asked.as_str(), Role::Text)];
    // What the router is set to is news only when it is not what was asked for.
    let (set, role_set) = match rollout.set {
        Some(set) if (set - rollout.asked).abs() > 0.05 => {
            (format!("{} {set:.0} %", cx.look.glyphs().warning), Role::Warning)
        }
        Some(set) if cx.zoomed => (format!("{set:.0} %"), Role::Text),
        _ => (String::new(), Role::Dim),
    };
    if !set.is_empty() {
        parts.extend([("   set ", Role::Dim), (set.as_str(), role_set)]);
    }
    parts.extend([("   measured ", Role::Dim), (&words, role)]);
    if !rollout.owner.is_empty() {
        parts.extend([("   owner ", Role::Dim), (rollout.owner.as_str(), Role::Text)]);
    }
    brush.run(0, y, &parts);
}

/// The row of the traffic split: measured against asked.
pub fn split(cx: &Cx, at: &Columns, model: &ModelState, rollout: &Rollout) -> Row {
    let (dim, plain) = (cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let cells = row().at(0, "traffic split", plain);
    let Some(measured) = model.measured_share() else {
        return cells.at(at.canary, cx.look.glyphs().none, dim).at(at.word, "not measured", dim).row();
    };
    let agree = agrees(model, rollout, measured);
    let (mark, ink) = if agree { ("", dim) } else { cx.look.level(Level::Warning) };
    let words = if agree { "as asked".to_owned() } else { format!("{mark} not as asked") };
    cells
        .at(at.canary, format!("{measured:.1} %"), plain)
        .at(at.baseline, format!("{:.1} %", 100.0 - measured), dim)
        .at(at.limit, format!("asked {:.0} %", rollout.asked), dim)
        .at(at.word, words, ink)
        .row()
}
