//! The latency chart itself: axes, limit lines, moments of the rollout, lines and the labels at the right.

use ratatui::style::Style;

use super::Cx;
use super::brush::Brush;
use super::chart::{self, Grid, Trace, Window};
use super::latency::{Line, level, value_label};
use crate::domain::{EventKind, Kpi, Level, Reading, Time};
use crate::store::ModelState;
use crate::view::look::Role;
use crate::view::text;

/// Where the plot lies: what is drawn below it keeps its time axis.
#[derive(Debug, Clone, Copy)]
pub struct Plot {
    /// Its first column; the numbers of the axis stand before it.
    pub left: usize,
    /// The column of the labels at its right.
    pub labels: usize,
    /// Its window of time, a cell a column.
    pub window: Window,
    rows: usize,
    top: f64,
}

impl Plot {
    /// A plot of which only the time axis is used.
    pub fn axis_only(columns: usize, now_s: i64, length_s: i64) -> Self {
        let labels = columns.saturating_sub(label_columns(columns));
        let window = Window::ending(now_s, length_s, labels.saturating_sub(6));
        Self { left: 5, labels, window, rows: 0, top: 1.0 }
    }

    /// The row of a value.
    fn row(&self, value: f64) -> usize {
        chart::row(value, self.top, self.rows * 4) / 4
    }
}

/// Draws the chart.
pub fn draw(brush: &mut Brush, cx: &Cx, model: &ModelState, lines: &[Line], length_s: i64) -> Plot {
    let columns = brush.columns();
    let rows = brush.rows().saturating_sub(1);
    let now = cx.app.now.timestamp();
    let ticks = chart::ticks(highest(cx, model, lines, length_s), (rows / 3).clamp(1, 6));
    let step = ticks.get(1).copied().unwrap_or(1.0);
    let numbers: Vec<String> = ticks.iter().map(|tick| chart::tick_text(*tick, step)).collect();
    let left = numbers.iter().map(|words| text::width(words)).max().unwrap_or(1) + 1;
    let cells = columns.saturating_sub(left + label_columns(columns) + 1).max(1);
    let window = Window::ending(now, length_s, cells);
    let top = ticks.last().copied().unwrap_or(1.0);
    let labels = columns.saturating_sub(label_columns(columns));
    let plot = Plot { left, labels, window, rows, top };
    for (tick, words) in ticks.iter().zip(&numbers) {
        brush.right(0, plot.row(*tick), left - 1, words, Role::Dim);
    }
    let limits = limits(cx, model, &plot);
    let glyphs = cx.look.glyphs();
    for (limit, _) in &limits {
        let line = glyphs.limit_line.repeat(cells);
        brush.put_until(left, plot.row(*limit), left + cells, &line, cx.look.style(Role::Limit));
    }
    let moments = moments(cx, model, window);
    for (cell, _) in &moments {
        for y in 0..rows {
            brush.cell(left + cell, y, 1, glyphs.moment_line, Role::Mark);
        }
    }
    let mut grid = Grid::new(cells, rows, glyphs.braille);
    for line in lines {
        let dots = Trace::of(line.series, window).dots(top, grid.dot_rows());
        grid.plot(&dots, line.mark, line.style);
    }
    for (x, y, c, style) in grid.filled() {
        brush.glyph(left + x, y, c, style);
    }
    axis(brush, &plot, cx.app.now, &moments);
    if labels < columns {
        name(brush, cx, model, lines, &limits, &plot);
    }
    plot
}

/// Columns for the labels at the right.
fn label_columns(columns: usize) -> usize {
    match columns {
        56.. => 13,
        40.. => 11,
        _ => 0,
    }
}

/// What the plot must reach: the lines, and the critical limits a little below its top.
fn highest(cx: &Cx, model: &ModelState, lines: &[Line], length_s: i64) -> f64 {
    let window = Window::ending(cx.app.now.timestamp(), length_s, 100);
    let drawn = lines.iter().filter_map(|line| Trace::of(line.series, window).highest());
    let critical = |kpi| model.limits.rule(kpi).and_then(|rule| rule.critical);
    let limits = [Kpi::LatencyP95, Kpi::LatencyP99].into_iter().filter_map(critical);
    drawn.chain(limits.map(|limit| limit * 1.05)).fold(0.0, f64::max)
}

/// The limits in the plot: critical ones always, warnings where there is room.
fn limits(cx: &Cx, model: &ModelState, plot: &Plot) -> Vec<(f64, &'static str)> {
    let rules = || [Kpi::LatencyP99, Kpi::LatencyP95].into_iter().filter_map(|kpi| model.limits.rule(kpi));
    let critical = rules().filter_map(|rule| rule.critical).map(|limit| (limit, "limit"));
    let warning = rules().filter_map(|rule| rule.warning).map(|limit| (limit, "warn"));
    let has_room = cx.zoomed || plot.rows >= 14;
    critical.chain(warning.filter(|_| has_room)).filter(|(limit, _)| *limit <= plot.top).collect()
}

/// The labels at the right: values at their height, then limits, then what the numbers rest on.
fn name(
    brush: &mut Brush,
    cx: &Cx,
    model: &ModelState,
    lines: &[Line],
    limits: &[(f64, &'static str)],
    plot: &Plot,
) {
    let mut wishes: Vec<(usize, String, Style)> = Vec::new();
    let label = |wishes: &mut Vec<(usize, String, Style)>, line: &Line| {
        let label = value_label(cx, model, line);
        wishes.extend(label.map(|(value, words, style)| (plot.row(value), words, style)));
    };
    let (canaries, all): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|line| line.version.is_some());
    all.into_iter().rev().for_each(|line| label(&mut wishes, line));
    let limit = cx.look.style(Role::Limit);
    wishes.extend(limits.iter().map(|(value, word)| (plot.row(*value), format!("{word} {value}"), limit)));
    canaries.into_iter().for_each(|line| label(&mut wishes, line));
    let dim = cx.look.style(Role::Dim);
    let notes = notes(cx.app.now, model, lines);
    wishes.extend(notes.into_iter().map(|words| (plot.rows * 7 / 10, words, dim)));
    let places: Vec<usize> = wishes.iter().map(|wish| wish.0).collect();
    for (place, (_, words, style)) in chart::settle(&places, plot.rows, 3).into_iter().zip(&wishes) {
        if let Some(y) = place {
            brush.put_until(plot.labels, y, usize::MAX, words, *style);
        }
    }
}

/// What the most important percentile rests on: its age when that is too high, samples, the bucket that
/// holds it, what to know about it.
fn notes(now: Time, model: &ModelState, lines: &[Line]) -> Vec<String> {
    let mut notes = Vec::new();
    let Some(main) = lines.iter().rev().find(|line| line.version.is_none()) else { return notes };
    let Some(reading) = model.reading(main.kpi).filter(|reading| reading.value.is_some()) else {
        return notes;
    };
    if level(model, main.kpi) == Level::Unknown {
        notes.push(format!("{} old", text::age((now - reading.at).as_seconds_f64())));
    }
    notes.extend(reading.samples.map(|n| format!("n {}", text::count(n))));
    notes.extend(bucket(main.kpi, &reading));
    notes.extend(reading.note.as_deref().filter(|note| *note != "≥").map(str::to_owned));
    notes
}

/// `in 500–650`.
fn bucket(kpi: Kpi, reading: &Reading) -> Option<String> {
    let (low, high) = reading.bucket?;
    match high.is_finite() {
        true => Some(format!("in {}–{}", kpi.format(low), kpi.format(high))),
        false => Some(format!("over {}", kpi.format(low))),
    }
}

/// The moments at which the rollout moved, newest first: cell and words.
fn moments(cx: &Cx, model: &ModelState, window: Window) -> Vec<(usize, String)> {
    let mut moments: Vec<(usize, String)> = Vec::new();
    let mine = cx.store.timeline.iter().rev();
    for event in mine.filter(|e| e.kind == EventKind::Rollout && e.model.as_ref() == Some(&model.id)) {
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

/// The clock under the plot, with the moments where they fit, the newest first.
fn axis(brush: &mut Brush, plot: &Plot, now: Time, moments: &[(usize, String)]) {
    let (left, window, cells) = (plot.left, plot.window, plot.window.cells);
    let format = if window.to - window.from <= 400 { "%H:%M:%S" } else { "%H:%M" };
    let begin =
        Time::from_timestamp(window.from, 0).map(|at| at.format(format).to_string()).unwrap_or_default();
    let end = now.format(format).to_string();
    brush.put(left, plot.rows, &begin, Role::Dim);
    brush.right(left, plot.rows, left + cells, &end, Role::Dim);
    let mut taken = vec![(0, text::width(&begin) + 1), (cells.saturating_sub(text::width(&end) + 1), cells)];
    for (cell, words) in moments {
        let columns = text::width(words);
        // Around the mark, else before it, else behind it.
        let starts = [(cell + 1).saturating_sub(columns / 2), (cell + 1).saturating_sub(columns), *cell];
        let is_free = |start: &usize| {
            start + columns <= cells && taken.iter().all(|&(from, to)| start + columns < from || *start > to)
        };
        if let Some(start) = starts.into_iter().find(is_free) {
            brush.put(left + start, plot.rows, words, Role::Mark);
            taken.push((start, start + columns));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_short_words() {
        let words = |what| moment_word(what).unwrap_or_default();
        assert_eq!(words("weight 10 → 25 %"), "25 %");
        assert_eq!(words("canary 1.3.0 begins"), "1.3.0");
        assert_eq!(words("stable 1.2.0 → 1.3.0"), "1.3.0 live");
        assert_eq!(words("aborted at 25 %"), "aborted");
        assert_eq!(words("paused at 25 %"), "");
    }
}
