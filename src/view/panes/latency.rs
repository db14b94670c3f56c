//! Latency percentiles over time, with their limits, the canary's own line and the moments of the rollout.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::brush::Brush;
use super::chart;
use super::latency_plot::{self, Plot};
use super::{Cx, latency_detail, silence};
use crate::domain::{Kpi, Level, Time, Version};
use crate::store::{ModelState, Series};
use crate::view::look::Role;

/// The percentiles, the most important last: it is drawn over the others.
const PERCENTILES: [Kpi; 3] = [Kpi::LatencyP50, Kpi::LatencyP99, Kpi::LatencyP95];

/// Draws the pane.
pub fn draw(buf: &mut Buffer, area: Rect, cx: &Cx) {
    let mut brush = Brush::new(buf, area, cx.look);
    let Some(model) = cx.selected(&mut brush) else { return };
    if cx.zoomed && brush.rows() >= 20 {
        let chart = (brush.rows() * 2 / 5).max(10);
        let columns = brush.columns();
        let plot = chart_of(&mut brush.part(0, 0, columns, chart), cx, model);
        let below = brush.rows() - chart;
        latency_detail::draw(&mut brush.part(0, chart, columns, below), cx, model, plot);
    } else {
        chart_of(&mut brush, cx, model);
    }
}

/// The words after the pane's name.
pub fn title(cx: &Cx) -> String {
    let Some(model) = cx.model else { return String::new() };
    let lines = lines(cx, model);
    let minutes = window_s(&lines, cx.app.now) / 60;
    let mut words = format!("{} · {minutes} min · ms", model.id);
    if lines.iter().any(|line| line.kpi == Kpi::LatencyMean) {
        words.push_str(" · mean only");
    }
    match (model.live_version(), lines.iter().find_map(|line| line.version)) {
        (Some(live), Some(canary)) => words.push_str(&format!(" · {live} and {canary}")),
        (Some(live), None) => words.push_str(&format!(" · {live}")),
        (None, _) => {}
    }
    words
}

/// One line of the chart.
pub struct Line<'a> {
    /// What it shows.
    pub kpi: Kpi,
    /// Of which version; absent for all traffic.
    pub version: Option<&'a Version>,
    /// Its points.
    pub series: &'a Series,
    /// How it looks.
    pub style: Style,
    /// What stands for it without braille.
    pub mark: char,
}

/// The lines that there are, the most important last.
fn lines<'a>(cx: &Cx<'a>, model: &'a ModelState) -> Vec<Line<'a>> {
    let series = |kpi, version: Option<&Version>| {
        model.recent.get(&(kpi, version.cloned())).filter(|series| !series.is_empty())
    };
    let line = |kpi, version: Option<&'a Version>, mark| {
        let role = match (kpi, version) {
            (_, Some(_)) => Role::Canary,
            (Kpi::LatencyP50, None) => Role::LatencyP50,
            (Kpi::LatencyP99, None) => Role::LatencyP99,
            _ => Role::LatencyP95,
        };
        let style = cx.look.style(role);
        Some(Line { kpi, version, series: series(kpi, version)?, style, mark })
    };
    let marks = ['.', '+', '*'];
    let mut lines: Vec<Line> =
        PERCENTILES.into_iter().zip(marks).filter_map(|(kpi, mark)| line(kpi, None, mark)).collect();
    if lines.is_empty() {
        lines.extend(line(Kpi::LatencyMean, None, '*'));
    }
    if let Some((canary, _)) = model.canary() {
        lines.extend(line(Kpi::LatencyP95, Some(canary), 'o'));
    }
    lines
}

/// The style of a line or value: its level's when that is abnormal.
fn calm(cx: &Cx, level: Level) -> Style {
    cx.look.style(if level >= Level::Unknown { Role::of(level) } else { Role::Text })
}

/// The level of a KPI.
pub fn level(model: &ModelState, kpi: Kpi) -> Level {
    model.judgement(kpi).map_or(Level::NotMeasured, |judged| judged.level)
}

fn window_s(lines: &[Line], now: Time) -> i64 {
    chart::window_s(lines.iter().filter_map(|line| line.series.first_s()).min(), now.timestamp())
}

/// Draws the chart, or says why there is none.
fn chart_of(brush: &mut Brush, cx: &Cx, model: &ModelState) -> Plot {
    let lines = lines(cx, model);
    let length_s = window_s(&lines, cx.app.now);
    if lines.is_empty() || brush.rows() < 5 || brush.columns() < 30 {
        words_only(brush, cx, model, &lines);
        return Plot::axis_only(brush.columns(), cx.app.now.timestamp(), length_s);
    }
    latency_plot::draw(brush, cx, model, &lines, length_s)
}

/// `p95 612 ■`, at the height of its value.
pub fn value_label(cx: &Cx, model: &ModelState, line: &Line) -> Option<(f64, String, Style)> {
    let reading = model.reading_of(line.kpi, line.version)?;
    let value = reading.value?;
    let note = if reading.note.as_deref().is_some_and(|note| note.contains('≥')) { "≥ " } else { "" };
    let shown = line.kpi.format(value);
    if let Some(version) = line.version {
        return Some((value, format!("{version} {note}{shown}"), line.style));
    }
    let level = level(model, line.kpi);
    let mark = if level >= Level::Unknown { cx.look.level(level).0 } else { "" };
    let name = line.kpi.short();
    let style = if level >= Level::Unknown { calm(cx, level) } else { line.style };
    Some((value, format!("{name} {note}{shown} {mark}").trim_end().to_owned(), style))
}

/// Where there is no chart: the numbers in words, or why there are none.
fn words_only(brush: &mut Brush, cx: &Cx, model: &ModelState, lines: &[Line]) {
    if lines.is_empty() {
        let rows = brush.rows();
        brush.paragraph(0, rows, &absence(cx, model), Role::Dim);
        return;
    }
    let mut x = 0;
    for line in lines.iter().rev() {
        if let Some((_, words, style)) = value_label(cx, model, line) {
            x = brush.put_until(x, 0, usize::MAX, &format!("{words}   "), style);
        }
    }
    let judged = [Kpi::LatencyP95, Kpi::LatencyP99].into_iter().filter_map(|kpi| model.judgement(kpi));
    for (y, judged) in judged.filter(|judged| judged.level > Level::Ok).enumerate() {
        brush.put_until(0, y + 1, usize::MAX, &judged.reason, calm(cx, judged.level));
    }
}

/// Why there is no latency to draw.
fn absence(cx: &Cx, model: &ModelState) -> String {
    let owes = |kpi| {
        cx.store
            .sources
            .iter()
            .find(|source| source.info.owes.iter().any(|owed| *owed == (model.id.clone(), kpi)))
    };
    let Some(source) = owes(Kpi::LatencyP95).or_else(|| owes(Kpi::LatencyP99)) else {
        return "Latency is not measured: no configured source brings it for this model.".into();
    };
    silence::absence(cx, source, "latency")
}
