//! Drift of the features: a heatmap over time by group, the worst first; what kind of drift, what to do by when.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::brush::{Brush, Row, row};
use super::heat::{self, Cell, Span};
use super::{Cx, shape, silence};
use crate::domain::drift::Certainty;
use crate::domain::{DriftLevel, DriftScale, FeatureDrift, Kpi, Level};
use crate::store::{FeatureState, ModelState};
use crate::view::look::Role;
use crate::view::text;

/// Draws the pane.
pub fn draw(buf: &mut Buffer, area: Rect, cx: &Cx) {
    let mut brush = Brush::new(buf, area, cx.look);
    let Some(model) = cx.selected(&mut brush) else { return };
    let features = heat::grouped(&model.features(cx.app.drift_scale));
    let foot = foot(cx, model);
    let rows = brush.rows();
    if features.is_empty() {
        let lines = brush.paragraph(0, rows, &absence(cx, model), Role::Dim);
        put_foot(&mut brush, lines + 1, &foot);
        return;
    }
    let at = Columns::of(brush.columns(), &features);
    let detail = if cx.zoomed && rows > 16 { rows / 2 } else { 0 };
    let foot_rows = (foot.len() + detail).min(rows.saturating_sub(2));
    let span = Span::of(features.iter().copied(), cx.app.now.timestamp());
    if at.cells > 0 && rows > 2 {
        axis(&mut brush, cx, &at, span);
    }
    let columns = brush.columns();
    let first = usize::from(rows > 2);
    let mut heat = brush.part(0, first, columns, rows.saturating_sub(first + foot_rows));
    let chosen = usize::from(cx.app.pane_offset).min(features.len() - 1);
    // The chosen feature stays in view.
    let offset = if cx.zoomed { (chosen + 1).saturating_sub(heat.rows()) } else { 0 };
    heat.list_of(0, features.len(), offset, |place| {
        let before = place.checked_sub(1).and_then(|before| features.get(before));
        let of = |feature: &&FeatureState| feature.latest.group.clone();
        let Some(feature) = features.get(place) else { return Row::new() };
        let is_chosen = cx.zoomed && detail > 0 && place == chosen;
        feature_row(cx, &at, span, feature, before.is_none_or(|before| of(before) != of(feature)), is_chosen)
    });
    let end = (first + features.len()).min(rows.saturating_sub(foot_rows));
    put_foot(&mut brush, end, &foot);
    if detail > 0 {
        let columns = brush.columns();
        let begin = end + foot.len() + 1;
        let mut part = brush.part(0, begin, columns, rows.saturating_sub(begin));
        shape::draw(&mut part, cx, model, features[chosen]);
    }
}

/// The words after the pane's name.
pub fn title(cx: &Cx) -> String {
    let Some(model) = cx.model else { return String::new() };
    if model.drift.is_empty() {
        return model.id.to_string();
    }
    let features = model.features(cx.app.drift_scale);
    let mut methods: Vec<&str> = features.iter().map(|feature| feature.latest.scale.word()).collect();
    methods.sort_unstable();
    methods.dedup();
    let span = Span::of(features.iter().copied(), cx.app.now.timestamp());
    let count = features.len();
    let switch = if model.drift_scales().len() > 1 { " (v switches)" } else { "" };
    let words = if count == 1 { "feature" } else { "features" };
    format!(
        "{} · {}{switch} · {count} {words} × {} · worst first",
        model.id,
        methods.join(", "),
        Span::words(span.hours)
    )
}

/// Where the columns lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    /// The feature's name; the group stands before it.
    name: usize,
    /// The first cell of the heatmap.
    heat: usize,
    /// Cells of the heatmap.
    cells: usize,
    /// The score and its word.
    score: usize,
}

impl Columns {
    fn of(columns: usize, features: &[&FeatureState]) -> Self {
        let longest = |name: fn(&FeatureDrift) -> &str| {
            features.iter().map(|feature| text::width(name(&feature.latest))).max().unwrap_or(0)
        };
        let group = match longest(|feature| &feature.group) {
            width if width > 0 && columns >= 56 => width.min(10) + 1,
            _ => 0,
        };
        let name = longest(|feature| &feature.feature).clamp(6, (columns / 5).max(12));
        let is_test = features.iter().any(|feature| feature.latest.scale == DriftScale::PValue);
        let score = columns.saturating_sub(if is_test { 17 } else { 10 }).max(group + 4);
        let heat = (group + name + 1).min(score);
        let cells = score.saturating_sub(heat + 1);
        let cells = if cells < 6 { 0 } else { cells };
        Self { name: group, heat, cells, score }
    }
}

/// `−48 h … −24 h … now` over the heatmap.
fn axis(brush: &mut Brush, cx: &Cx, at: &Columns, span: Span) {
    let style = cx.look.style(Role::Dim);
    let end = at.heat + at.cells;
    let from = brush.put_until(at.heat, 0, end, &format!("−{}", Span::words(span.hours)), style);
    let middle = format!("−{}", if span.hours > 1 { Span::words(span.hours / 2) } else { "30 min".into() });
    let x = at.heat + at.cells / 2;
    if x > from && x + text::width(&middle) + 4 < end {
        brush.put_until(x, 0, end, &middle, style);
    }
    if from + 4 < end {
        brush.right(at.heat, 0, end, "now", Role::Dim);
    }
}

fn feature_row(
    cx: &Cx,
    at: &Columns,
    span: Span,
    state: &FeatureState,
    is_new_group: bool,
    is_chosen: bool,
) -> Row {
    let feature = &state.latest;
    let (level, dim) = (feature.level(), cx.look.style(Role::Dim));
    let is_loud =
        level.is_some_and(|level| level >= DriftLevel::Moderate) || (level.is_none() && feature.is_drifted());
    let mut cells = row();
    if at.name > 0 {
        cells = cells.at(0, if is_new_group { &*feature.group } else { "" }, dim);
    }
    let role = match (is_chosen, is_loud) {
        (true, _) => Role::Canary,
        (_, true) => Role::Strong,
        _ => Role::Text,
    };
    if is_chosen && at.name > 0 {
        let mark = (cx.look.glyphs().selected, cx.look.style(role));
        cells = cells.cells(at.name - 1, std::iter::once(mark));
    }
    cells = cells.at(at.name, &*feature.feature, cx.look.style(role));
    if at.cells > 0 {
        let heat = heat::cells(state, span, cx.app.now.timestamp(), at.cells);
        cells = cells.cells(at.heat, heat.into_iter().map(|cell| ink(cx, cell)));
    }
    let (words, style) = match heat::overdue_s(state, cx.app.now.timestamp()) {
        Some(age) => {
            let (mark, style) = cx.look.level(Level::Unknown);
            let score = feature.score().unwrap_or(feature.raw);
            (format!("{mark} {score:.2} {}", text::age(age as f64)), style)
        }
        None => score(cx, feature),
    };
    cells.at(at.score, words, style).row()
}

/// A heat cell's glyph and style: the shade alone tells the level, the colour repeats it.
fn ink(cx: &Cx, cell: Cell) -> (&'static str, Style) {
    let heat = cx.look.glyphs().heat;
    match cell {
        Cell::Gap => (" ", Style::new()),
        Cell::Level(level, true) => (heat[level as usize % heat.len()], cx.look.drift(Some(level))),
        Cell::Level(level, false) => (heat[level as usize % heat.len()], cx.look.style(Role::Dim)),
        Cell::Noise => ("~", cx.look.style(Role::Dim)),
        Cell::Test(true) => (heat[2], cx.look.drift(None)),
        Cell::Test(false) => (heat[0], cx.look.drift(Some(DriftLevel::Minimal))),
    }
}

/// `0.23 high`, or `p 0.003 drifted` where there is no size.
fn score(cx: &Cx, feature: &FeatureDrift) -> (String, Style) {
    let dim = cx.look.style(Role::Dim);
    match (feature.score(), feature.level()) {
        (Some(score), _) if feature.certainty() == Certainty::Noise => (format!("~{score:.2}"), dim),
        (Some(score), Some(level)) if feature.certainty() == Certainty::Tentative => {
            (format!("{score:.2} {}?", level.short()), dim)
        }
        (Some(score), Some(level)) => match level {
            DriftLevel::Minimal => (format!("{score:.2}"), dim),
            DriftLevel::Low => (format!("{score:.2} {}", level.short()), dim),
            _ => (format!("{score:.2} {}", level.short()), cx.look.drift(Some(level))),
        },
        _ if feature.scale == DriftScale::PValue && feature.is_drifted() => {
            (format!("p {:.3} drifted", feature.raw), cx.look.style(Role::Strong))
        }
        _ if feature.scale == DriftScale::PValue => (format!("p {:.3}", feature.raw), dim),
        _ => ("–".into(), dim),
    }
}

type Words = Vec<(String, Style)>;

/// The lines under the heatmap: kinds of drift, then what to do by when and the rows it rests on.
fn foot(cx: &Cx, model: &ModelState) -> Vec<Words> {
    let (dim, plain) = (cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let drift = model.data_drift().or_else(|| model.value(Kpi::DataDrift));
    let level = drift.and_then(DriftLevel::of);
    let old = model.judgement(Kpi::DataDrift).filter(|judged| judged.level == Level::Unknown);
    let mut kinds: Words = Vec::new();
    let features = model.features(cx.app.drift_scale);
    let drifted = features.iter().filter(|feature| feature.latest.is_drifted()).count();
    match (drift, level) {
        (Some(_), _) if old.is_some() => {
            let (mark, ink) = cx.look.level(Level::Unknown);
            let reason = old.map(|judged| judged.reason.as_str()).unwrap_or_default();
            kinds.push((format!("{mark} {reason}"), ink));
        }
        (Some(drift), Some(level)) => {
            let ink = if level >= DriftLevel::Moderate { cx.look.drift(Some(level)) } else { plain };
            kinds.push(("data ".into(), dim));
            kinds.push((format!("{drift:.2} {}", level.word()), ink));
        }
        _ if !model.drift.is_empty() => {
            kinds.push(("data ".into(), dim));
            kinds.push((format!("{drifted} of {} drifted", features.len()), plain));
        }
        _ => {}
    }
    for (kind, finding) in &model.findings {
        let gap = if kinds.is_empty() { "" } else { "   " };
        kinds.push((format!("{gap}{kind} "), dim));
        let (mark, ink) = match finding.abnormal {
            true => (cx.look.glyphs().warning, cx.look.style(Role::Warning)),
            false => ("", plain),
        };
        kinds.push((format!("{mark} {}", finding.text).trim_start().to_owned(), ink));
    }
    let mut advice: Words = Vec::new();
    if let Some(level) = level.filter(|level| *level >= DriftLevel::Low) {
        advice.push((format!("{}: {}", level.word(), level.advice()), dim));
        let until = level.days().and_then(chrono::TimeDelta::try_days);
        // From when the first of the features that make it up came to this level.
        let mine = features.iter().filter(|feature| feature.latest.confirmed_level() >= Some(level));
        let since = mine.filter_map(|feature| feature.level_since()).min().unwrap_or(cx.app.now);
        if let Some(until) = until.and_then(|days| since.checked_add_signed(days)) {
            advice.push((format!(" by {}", until.format("%b %-d")), plain));
        }
    }
    if let Some(rows) = model.drift.values().filter_map(|feature| feature.latest.samples).min() {
        let gap = if advice.is_empty() { "" } else { "   " };
        advice.push((format!("{gap}n {} rows", text::count(rows)), dim));
    }
    [kinds, advice].into_iter().filter(|words| !words.is_empty()).collect()
}

fn put_foot(brush: &mut Brush, y: usize, foot: &[Words]) {
    for (line, words) in foot.iter().enumerate() {
        let mut x = 0;
        for (words, style) in words {
            // A new thought begins with a gap; one that does not fit is left out rather than cut.
            if words.starts_with("   ") && x + text::width(words) > brush.columns() {
                break;
            }
            x = brush.put_until(x, y + line, usize::MAX, words, *style);
        }
    }
}

/// Why there is no drift to show.
fn absence(cx: &Cx, model: &ModelState) -> String {
    let owed = (model.id.clone(), Kpi::DataDrift);
    let Some(source) = cx.store.sources.iter().find(|source| source.info.owes.contains(&owed)) else {
        return "Drift of single features is not measured: no configured source brings it for this model."
            .into();
    };
    silence::absence(cx, source, "drift scores")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Time;
    use crate::store::Series;

    fn feature(name: &str, raw: f64, scale: DriftScale) -> FeatureState {
        let at = Time::from_timestamp(0, 0).unwrap();
        let latest = FeatureDrift::new(name, "sensor", raw, scale, at);
        FeatureState { latest, history: Series::default() }
    }

    #[test]
    fn columns_adapt_and_do_not_overlap() {
        let long = feature(&"x".repeat(60), 0.1, DriftScale::Share);
        for columns in 0..200 {
            let at = Columns::of(columns, &[&long]);
            assert!(at.heat + at.cells <= at.score, "{columns} {at:?}");
        }
        assert!(Columns::of(78, &[&long]).cells > 30);
    }
}
