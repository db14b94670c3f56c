//! One feature of the drift pane in detail: its distribution in the reference and now, its score by every
//! method, how sure it is, and what the guide says to do and by when.

use super::Cx;
use super::brush::{Brush, Row, row};
use crate::domain::FeatureDrift;
use crate::domain::drift::{Certainty, DriftLevel, Shape};
use crate::store::{FeatureState, ModelState};
use crate::view::look::Role;
use crate::view::text;

/// Draws the detail into a surface of its own.
pub fn draw(brush: &mut Brush, cx: &Cx, model: &ModelState, state: &FeatureState) {
    let feature = &state.latest;
    let x = brush.put(0, 0, &feature.feature, Role::Strong);
    brush.put(x, 0, &format!("  {}", scores(model, feature)), Role::Text);
    brush.put(0, 1, &format!("{}   {}", advice(state), certainty(feature)), Role::Dim);
    match &feature.shape {
        Some(shape) => {
            let rows = bins(cx, shape, brush.columns());
            brush.list(2, &rows, 0);
        }
        None => {
            let words = "its distributions are not told: raw samples or feature histograms bring them";
            brush.put(0, 2, words, Role::Dim);
        }
    }
}

/// `KS 0.24 high   PSI 0.41 high`.
fn scores(model: &ModelState, feature: &FeatureDrift) -> String {
    let mine = model.drift.iter().filter(|((name, _), _)| *name == feature.feature);
    let words: Vec<String> = mine
        .map(|((_, scale), state)| match state.latest.level() {
            Some(level) => format!("{} {:.2} {}", scale.word(), state.latest.raw, level.word()),
            None => format!("{} {:.3}", scale.word(), state.latest.raw),
        })
        .collect();
    words.join("   ")
}

fn certainty(feature: &FeatureDrift) -> String {
    let rows = match (feature.reference_samples, feature.samples) {
        (Some(n), Some(m)) => format!("n {} against {}", text::count(m), text::count(n)),
        (None, Some(m)) => format!("n {}, the reference's rows are not told", text::count(m)),
        _ => "rows not told".into(),
    };
    match feature.certainty() {
        Certainty::Confirmed => format!("confirmed, {rows}"),
        Certainty::Tentative => format!("tentative: so few rows may show as much by chance; {rows}"),
        Certainty::Noise => format!("noise: samples this small show as much without drift; {rows}"),
        Certainty::Unknown => rows,
    }
}

/// `high: retrain by Dec 5`, counted from when the level began.
fn advice(state: &FeatureState) -> String {
    let feature = &state.latest;
    let Some(level) = feature.confirmed_level() else { return "a p-value has no level".into() };
    let until = level.days().and_then(chrono::TimeDelta::try_days);
    let by = until.zip(state.level_since()).and_then(|(days, since)| since.checked_add_signed(days));
    let by = by.map(|by| format!(" by {}", by.format("%b %-d"))).unwrap_or_default();
    let word = if level == DriftLevel::Minimal { "nothing to do" } else { level.advice() };
    format!("{}: {word}{by}", level.word())
}

/// A row a bin: both shares as bars over each other's scale.
fn bins(cx: &Cx, shape: &Shape, columns: usize) -> Vec<Row> {
    let (dim, plain) = (cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let heading = cx.look.style(Role::Heading);
    let label = shape.bins.iter().map(|bin| text::width(&bin.label)).max().unwrap_or(0).clamp(4, 18);
    let half = columns.saturating_sub(label + 2) / 2;
    let (left, right) = (label + 2, label + 2 + half);
    let most = shape.bins.iter().flat_map(|bin| [bin.reference, bin.current]).fold(0.01, f64::max);
    let room = half.saturating_sub(9).min(40);
    let bar = |share: f64| {
        let cells = (share / most * room as f64).round() as usize;
        cx.look.glyphs().bar_full.repeat(cells.min(room))
    };
    let mut rows =
        vec![row().at(left, "REFERENCE", heading).at(right, "CURRENT", heading).at(columns, "", dim).row()];
    rows.extend(shape.bins.iter().map(|bin| {
        let changed = (bin.current - bin.reference).abs() >= 0.05;
        let ink = if changed { cx.look.style(Role::Canary) } else { dim };
        row()
            .at(0, text::cut(&bin.label, label), plain)
            .at(left, format!("{:>5.1} % {}", 100.0 * bin.reference, bar(bin.reference)), dim)
            .at(right, format!("{:>5.1} % {}", 100.0 * bin.current, bar(bin.current)), ink)
            .row()
    }));
    rows
}
