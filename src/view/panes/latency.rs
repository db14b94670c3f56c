//! Latency percentiles over time, with their limits, the canary's own line and the moments of the rollout.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::brush::Brush;
use super::chart::{self, Grid, Trace, Window};
use super::{Cx, latency_detail};
use crate::domain::{EventKind, Kpi, Level, Reading, Time, Version};
use crate::store::{ModelState, Series};
use crate::view::look::Role;
use crate::view::text;

/// The percentiles, the most important last: it is drawn over the others.
const PERCENTILES: [Kpi; 3] = [Kpi::LatencyP50, Kpi::LatencyP99, Kpi::LatencyP95];

/// Draws the pane.
pub fn draw(buf: &mut Buffer, area: Rect, cx: &Cx) {
    let mut brush = Brush::new(buf, area, cx.look);
    let Some(model) = cx.model else {
        brush.put(0, 0, "no model is selected", Role::Dim);
        return;
    };
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
struct Line<'a> {
    kpi: Kpi,
    version: Option<&'a Version>,
    series: &'a Series,
    style: Style,
    /// What stands for it without braille.
    mark: char,
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

fn level(model: &ModelState, kpi: Kpi) -> Level {
    model.judgement(kpi).map_or(Level::NotMeasured, |judged| judged.level)
}

fn window_s(lines: &[Line], now: Time) -> i64 {
    chart::window_s(lines.iter().filter_map(|line| line.series.first_s()).min(), now.timestamp())
}

/// Where the plot lies: what is drawn below it keeps its time axis.
#[derive(Debug, Clone, Copy)]
pub struct Plot {
    /// Its first column.
    pub left: usize,
    /// The column of the labels at its right.
    pub labels: usize,
    /// Its window of time.
    pub window: Window,
}

/// Draws the chart, or says why there is none.
fn chart_of(brush: &mut Brush, cx: &Cx, model: &ModelState) -> Plot {
    let lines = lines(cx, model);
    let (columns, rows) = (brush.columns(), brush.rows());
    let now = cx.app.now.timestamp();
    let length = window_s(&lines, cx.app.now);
    let (labels, note) = (label_columns(columns), notes(model, &lines));
    if lines.is_empty() || rows < 5 || columns < 30 {
        words_only(brush, cx, model, &lines);
        let window = Window::ending(now, length, columns.saturating_sub(labels + 6));
        return Plot { left: 5, labels: columns.saturating_sub(labels), window };
    }
    let critical = |kpi| model.limits.rule(kpi).and_then(|rule| rule.critical);
    let limits: Vec<(f64, &str)> = limits(cx, model, rows);
    let scan = Window::ending(now, length, columns);
    let highest = lines.iter().filter_map(|line| Trace::of(line.series, scan).highest());
    let ceilings = [Kpi::LatencyP95, Kpi::LatencyP99].into_iter().filter_map(critical);
    let highest = highest.chain(ceilings.map(|limit| limit * 1.05)).fold(0.0, f64::max);
    let ticks = chart::ticks(highest, ((rows - 1) / 3).clamp(1, 6));
    let step = ticks.get(1).copied().unwrap_or(1.0);
    let top = ticks.last().copied().unwrap_or(1.0);
    let texts: Vec<String> = ticks.iter().map(|tick| chart::tick_text(*tick, step)).collect();
    let left = texts.iter().map(|words| text::width(words)).max().unwrap_or(1) + 1;
    let cells = columns.saturating_sub(left + labels + 1).max(1);
    let plot_rows = rows - 1;
    let window = Window::ending(now, length, cells);
    for (tick, words) in ticks.iter().zip(&texts) {
        brush.right(0, chart::row(*tick, top, plot_rows), left - 1, words, Role::Dim);
    }
    let glyphs = cx.look.glyphs();
    for (limit, _) in limits.iter().filter(|(limit, _)| *limit <= top) {
        let y = chart::row(*limit, top, plot_rows * 4) / 4;
        brush.put_until(left, y, left + cells, &glyphs.limit_line.repeat(cells), cx.look.style(Role::Limit));
    }
    let marks = moments(cx, model, window);
    for (cell, _) in &marks {
        for y in 0..plot_rows {
            brush.cell(left + cell, y, 1, glyphs.moment_line, Role::Mark);
        }
    }
    let mut grid = Grid::new(cells, plot_rows, glyphs.braille);
    for line in &lines {
        let dots = Trace::of(line.series, window).dots(top, grid.dot_rows());
        grid.plot(&dots, line.mark, line.style);
    }
    for (x, y, c, style) in grid.filled() {
        brush.glyph(left + x, y, c, style);
    }
    axis(brush, left, cells, plot_rows, window, cx.app.now, &marks);
    if labels > 0 {
        let scale = |value| chart::row(value, top, plot_rows * 4) / 4;
        let mut wishes: Vec<(usize, String, Style)> = Vec::new();
        for line in lines.iter().rev() {
            wishes.extend(
                value_label(cx, model, line).map(|(value, words, style)| (scale(value), words, style)),
            );
        }
        let faint = cx.look.style(Role::Dim);
        let named = limits.iter().filter(|(limit, _)| *limit <= top);
        wishes.extend(named.map(|(limit, word)| (scale(*limit), format!("{word} {limit}"), faint)));
        wishes.extend(note.into_iter().map(|words| (plot_rows * 7 / 10, words, faint)));
        let rows: Vec<usize> = wishes.iter().map(|wish| wish.0).collect();
        for (place, (_, words, style)) in chart::settle(&rows, plot_rows, 3).into_iter().zip(&wishes) {
            if let Some(y) = place {
                brush.put_until(columns - labels, y, columns, words, *style);
            }
        }
    }
    Plot { left, labels: columns - labels, window: Window { cells, ..window } }
}

fn label_columns(columns: usize) -> usize {
    match columns {
        56.. => 13,
        40.. => 11,
        _ => 0,
    }
}

/// The limits to draw: critical ones always, warnings where there is room.
fn limits(cx: &Cx, model: &ModelState, rows: usize) -> Vec<(f64, &'static str)> {
    let rules = || [Kpi::LatencyP99, Kpi::LatencyP95].into_iter().filter_map(|kpi| model.limits.rule(kpi));
    let mut limits: Vec<(f64, &str)> =
        rules().filter_map(|rule| rule.critical).map(|limit| (limit, "limit")).collect();
    if cx.zoomed || rows >= 15 {
        limits.extend(rules().filter_map(|rule| rule.warning).map(|limit| (limit, "warn")));
    }
    limits
}

/// `p95 612 ■`, at the height of its value.
fn value_label(cx: &Cx, model: &ModelState, line: &Line) -> Option<(f64, String, Style)> {
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

/// What the newest percentile rests on: samples, the bucket that holds it, what to know about it.
fn notes(model: &ModelState, lines: &[Line]) -> Vec<String> {
    let mut notes = Vec::new();
    let reading = |kpi| model.reading(kpi).filter(|reading| reading.value.is_some());
    let Some(main) = lines.iter().rev().find(|line| line.version.is_none()) else { return notes };
    let Some(reading) = reading(main.kpi) else { return notes };
    notes.extend(reading.samples.map(|n| format!("n {}", text::count(n))));
    notes.extend(bucket(main.kpi, &reading));
    notes.extend(reading.note.as_deref().filter(|note| *note != "≥").map(str::to_owned));
    notes
}

/// `in 500–650`.
fn bucket(kpi: Kpi, reading: &Reading) -> Option<String> {
    let (low, high) = reading.bucket?;
    let high = if high.is_finite() { kpi.format(high) } else { "∞".into() };
    Some(format!("in {}–{high}", kpi.format(low)))
}

/// The moments at which the rollout moved, newest first: cell and words.
fn moments(cx: &Cx, model: &ModelState, window: Window) -> Vec<(usize, String)> {
    let mut moments: Vec<(usize, String)> = Vec::new();
    let newest = cx.store.timeline.iter().rev().take_while(|event| event.at.timestamp() >= window.from);
    for event in newest.filter(|e| e.kind == EventKind::Rollout && e.model.as_ref() == Some(&model.id)) {
        if let (Some(cell), Some(what)) = (window.cell(event.at.timestamp()), moment_word(&event.what))
            && moments.iter().all(|(other, _)| *other != cell)
        {
            moments.push((cell, format!("{what} {}", event.at.format("%H:%M"))));
        }
    }
    moments
}

/// What of a rollout's event marks the chart: a new weight, a new version, an abort.
fn moment_word(what: &str) -> Option<String> {
    if let Some(weight) = what.strip_prefix("weight ") {
        return weight.split_once("→ ").map(|(_, to)| to.to_owned());
    }
    if let Some(version) = what.strip_prefix("canary ").and_then(|rest| rest.strip_suffix(" begins")) {
        return Some(version.to_owned());
    }
    if let Some(versions) = what.strip_prefix("stable ") {
        return versions.split_once("→ ").map(|(_, to)| format!("{to} live"));
    }
    what.starts_with("aborted").then(|| "aborted".to_owned())
}

/// The clock under the plot, with the moments where they fit.
fn axis(
    brush: &mut Brush,
    left: usize,
    cells: usize,
    y: usize,
    window: Window,
    now: Time,
    marks: &[(usize, String)],
) {
    let format = if window.to - window.from <= 300 { "%H:%M:%S" } else { "%H:%M" };
    let clock =
        |s: i64| Time::from_timestamp(s, 0).map(|at| at.format(format).to_string()).unwrap_or_default();
    let (begin, end) = (clock(window.from), clock(now.timestamp()));
    brush.put(left, y, &begin, Role::Dim);
    brush.right(left, y, left + cells, &end, Role::Dim);
    let mut taken = vec![(0, text::width(&begin) + 1), (cells.saturating_sub(text::width(&end) + 1), cells)];
    for (cell, words) in marks {
        let columns = text::width(words);
        // The words end under their mark where there is room, as one reads: before, then now.
        let start = (cell + 1).saturating_sub(columns / 2).min(cells.saturating_sub(columns));
        if taken.iter().all(|&(from, to)| start + columns < from || start > to) {
            brush.put(left + start, y, words, Role::Mark);
            taken.push((start, start + columns));
        }
    }
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
    let (id, age) = (&source.info.id, source.age_s(cx.app.now).map(text::age));
    match (&source.fault, age) {
        (Some(fault), Some(age)) => format!("No latency: {id} {} for {age}. {fault}", fault.kind.word()),
        (Some(fault), None) => format!("No latency: {id} {}. {fault}", fault.kind.word()),
        (None, Some(age)) => format!("No latency: {id} answered {age} ago without it for this model."),
        (None, None) => format!("No latency yet: {id} has not answered so far."),
    }
}
