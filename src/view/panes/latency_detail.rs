//! The zoomed latency pane below its chart: requests and errors on the same time axis, versions, instances,
//! resources, and how today stands against yesterday.

use super::Cx;
use super::brush::{Brush, Row, row};
use super::latency_plot::Plot;
use crate::domain::{Direction, Freshness, Kpi, Level, Readiness, Version};
use crate::store::{Instance, ModelState};
use crate::view::look::Role;
use crate::view::spark::spark;
use crate::view::text;

const DAY_S: i64 = 86_400;
/// A value of a day ago is the mean of so much around that moment.
const AROUND_S: i64 = 5_400;

/// Draws everything below the chart.
pub fn draw(brush: &mut Brush, cx: &Cx, model: &ModelState, plot: Plot) {
    for (y, kpi) in [Kpi::Throughput, Kpi::ErrorRate].into_iter().enumerate() {
        course(brush, y, cx, model, plot, kpi);
    }
    let mut rows: Vec<Row> = vec![Vec::new()];
    rows.extend(versions(cx, model));
    rows.extend(instances(cx, model));
    rows.extend(resources(cx, model));
    rows.extend(yesterday(cx, model));
    brush.list(2, &rows, cx.app.pane_offset.into());
}

/// A sparkline under the chart, its value at the right.
fn course(brush: &mut Brush, y: usize, cx: &Cx, model: &ModelState, plot: Plot, kpi: Kpi) {
    let Some(series) = model.recent.get(&(kpi, None)) else {
        brush.put(plot.left, y, &format!("{} is not measured", kpi.label()), Role::Dim);
        return;
    };
    let values = series.binned(plot.window.from, plot.window.to, plot.window.cells);
    let highest = values.iter().flatten().copied().fold(0.0, f64::max);
    let limit = model.limits.rule(kpi).and_then(|rule| rule.critical.or(rule.warning)).unwrap_or(0.0);
    let name = if kpi == Kpi::Throughput { "rps" } else { "err" };
    brush.cell(0, y, plot.left.saturating_sub(1), name, Role::Dim);
    let line = spark(&values, 0.0, highest.max(limit).max(1e-9), cx.look);
    let level = model.judgement(kpi).map_or(Level::NotMeasured, |judged| judged.level);
    let ink = cx.look.style(if level >= Level::Unknown { Role::of(level) } else { Role::Dim });
    brush.put_until(plot.left, y, plot.left + plot.window.cells, &line, ink);
    if let Some(value) = model.value(kpi) {
        brush.put_until(plot.labels, y, usize::MAX, &kpi.format_with_unit(value), ink);
    }
}

/// The table of versions.
fn versions(cx: &Cx, model: &ModelState) -> Vec<Row> {
    const KPIS: [Kpi; 5] =
        [Kpi::LatencyP50, Kpi::LatencyP95, Kpi::LatencyP99, Kpi::ErrorRate, Kpi::Throughput];
    let (head, dim, plain) = inks(cx);
    let mut found: Vec<&Version> =
        model.readings.keys().filter_map(|(_, version)| version.as_ref()).collect();
    found.sort_unstable();
    found.dedup();
    let mut heading = row().at(0, "VERSION", head);
    for (place, words) in ["P50", "P95", "P99", "ERR %", "REQ/S", "N"].into_iter().enumerate() {
        heading = heading.before(28 + 9 * place, 8, words, head);
    }
    let mut rows = vec![heading.row()];
    for version in found.iter().rev() {
        let is_canary = model.canary().is_some_and(|(canary, _)| canary == *version);
        let ink = if is_canary { cx.look.style(Role::Canary) } else { plain };
        let mut cells = row().at(0, version.to_string(), ink);
        for (place, kpi) in KPIS.into_iter().enumerate() {
            let value = model.reading_of(kpi, Some(version)).and_then(|reading| reading.value);
            let shown = value.map_or_else(|| "–".into(), |value| kpi.format(value));
            cells = cells.before(28 + 9 * place, 8, &shown, if value.is_some() { plain } else { dim });
        }
        let samples = model.reading_of(Kpi::LatencyP95, Some(version)).and_then(|reading| reading.samples);
        let samples = samples.map_or_else(|| "–".into(), text::count);
        rows.push(cells.before(28 + 9 * KPIS.len(), 8, &samples, dim).row());
    }
    if found.is_empty() {
        rows.push(row().at(0, "no source tells versions apart", dim).row());
    }
    rows.push(Vec::new());
    rows
}

/// The table of instances.
fn instances(cx: &Cx, model: &ModelState) -> Vec<Row> {
    let (head, dim, _) = inks(cx);
    if model.instances.is_empty() {
        return vec![row().at(0, "no instances are probed", dim).row(), Vec::new()];
    }
    let heading = row().at(0, "INSTANCE", head).at(20, "STATE", head).before(43, 8, "PROBE", head);
    let mut rows = vec![heading.at(46, "AGE", head).at(55, "SERVES", head).at(72, "", head).row()];
    rows.extend(model.instances.iter().map(|(name, instance)| one_instance(cx, name, instance)));
    rows.push(Vec::new());
    rows
}

fn one_instance(cx: &Cx, name: &str, instance: &Instance) -> Row {
    let (_, dim, plain) = inks(cx);
    let source = cx.store.sources.get(instance.source);
    let fault = source.and_then(|source| source.fault.as_ref());
    let freshness = source.map_or(Freshness::Never, |source| source.freshness(cx.app.now));
    let status = instance.status.as_ref();
    let (level, state) = match (fault, status, freshness) {
        (Some(fault), ..) => (Level::Unknown, fault.kind.word()),
        (None, Some(_), Freshness::Stale) => (Level::Unknown, "stale"),
        (None, Some(status), _) => match status.readiness {
            Readiness::Ready => (Level::Ok, "ready"),
            Readiness::NotReady => (Level::Warning, "not ready"),
            Readiness::Absent => (Level::Warning, "does not serve it"),
        },
        (None, None, _) => (Level::NotMeasured, "not asked yet"),
    };
    let (mark, ink) = cx.look.level(level);
    let (mark, ink) = if level >= Level::Unknown { (mark, ink) } else { ("", dim) };
    let probe = status.map_or_else(|| "–".into(), |status| format!("{:.1} ms", status.probe_ms));
    let age = source.and_then(|source| source.age_s(cx.app.now)).map_or_else(|| "–".into(), text::age);
    let serves = status.map(|s| s.versions.iter().map(Version::as_str).collect::<Vec<_>>().join(", "));
    let detail = match (fault, status) {
        (Some(fault), _) => fault.to_string(),
        (None, Some(status)) => [status.detail.as_deref(), status.server.as_deref()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("  "),
        (None, None) => String::new(),
    };
    row()
        .at(0, name, plain)
        .at(18, mark, ink)
        .at(20, state, ink)
        .before(43, 8, &probe, dim)
        .at(46, age, dim)
        .at(55, serves.unwrap_or_default(), dim)
        .at(72, detail, if fault.is_some() { plain } else { dim })
        .row()
}

/// Resources against their limits, and failed predictions.
fn resources(cx: &Cx, model: &ModelState) -> Vec<Row> {
    const KPIS: [Kpi; 5] = [Kpi::Cpu, Kpi::Memory, Kpi::Gpu, Kpi::QueueDepth, Kpi::CacheHits];
    let (_, dim, plain) = inks(cx);
    let mut cells = row().at(0, "resources", dim);
    let mut x = 20;
    for kpi in KPIS {
        let Some(value) = model.value(kpi) else { continue };
        let level = model.judgement(kpi).map_or(Level::NotMeasured, |judged| judged.level);
        let limit = model.limits.rule(kpi).and_then(|rule| rule.warning.or(rule.critical));
        let sign = match (kpi.direction(), level >= Level::Warning) {
            (Direction::Lower, true) | (Direction::Higher, false) => ">",
            (Direction::Lower, false) | (Direction::Higher, true) => "<",
        };
        let (mark, ink) = cx.look.level(level);
        let (mark, ink) =
            if level >= Level::Unknown { (format!("{mark} "), ink) } else { (String::new(), plain) };
        let limit = limit.map(|limit| format!(" {sign} {}", kpi.format(limit))).unwrap_or_default();
        let words = format!("{mark}{} {}{limit}", kpi.label(), kpi.format_with_unit(value));
        let width = text::width(&words);
        cells = cells.at(x, words, ink);
        x += width + 3;
    }
    if x == 20 {
        cells = cells.at(x, "not measured", dim);
    }
    let errors = model.value(Kpi::ErrorRate);
    let mut rows = vec![cells.row()];
    if let Some((errors, rate)) = errors.zip(model.value(Kpi::Throughput)) {
        let hourly = (errors / 100.0 * rate * 3_600.0).clamp(0.0, 1e15).round() as u64;
        let words = format!(
            "{} of {}, about {} an hour",
            Kpi::ErrorRate.format_with_unit(errors),
            Kpi::Throughput.format_with_unit(rate),
            text::count(hourly)
        );
        rows.push(row().at(0, "failed predictions", dim).at(20, words, plain).row());
    }
    rows
}

/// Now against the same time yesterday, for what has a long series that reaches back.
fn yesterday(cx: &Cx, model: &ModelState) -> Vec<Row> {
    let (_, dim, plain) = inks(cx);
    let listed = [Kpi::LatencyP95, Kpi::ErrorRate].iter().chain(model.kind.quality()).copied();
    let mut cells = row().at(0, "24 h ago", dim);
    let mut x = 20;
    for kpi in listed {
        let (Some(now), Some(then)) = (model.value(kpi), day_ago(model, kpi, cx.app.now.timestamp())) else {
            continue;
        };
        let words = format!("{} {}, now {}", kpi.short(), kpi.format(then), kpi.format(now));
        let width = text::width(&words);
        cells = cells.at(x, words, plain);
        x += width + 3;
    }
    if x == 20 {
        cells = cells.at(x, "not known: no series reaches back a day", dim);
    }
    vec![cells.row()]
}

/// The mean around this time yesterday.
fn day_ago(model: &ModelState, kpi: Kpi, now_s: i64) -> Option<f64> {
    let then = now_s - DAY_S;
    let long = model.long.get(&(kpi, None))?;
    long.binned(then - AROUND_S, then + AROUND_S, 1).first().copied().flatten()
}

fn inks(cx: &Cx) -> (ratatui::style::Style, ratatui::style::Style, ratatui::style::Style) {
    (cx.look.style(Role::Heading), cx.look.style(Role::Dim), cx.look.style(Role::Text))
}
