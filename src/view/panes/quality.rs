//! Quality scores against their limits: now, 30 days, 7- and 30-day means, samples and interval.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Cx;
use super::brush::{Brush, Row, RowBuilder, row};
use crate::domain::{Direction, Judgement, Kpi, Level, Rule, Version};
use crate::stats::quality::binomial::wilson;
use crate::store::{ModelState, Series};
use crate::view::look::Role;
use crate::view::spark::{concern, spark};
use crate::view::text;

const DAY_S: i64 = 86_400;
/// Labels older than this are late unless a limit says otherwise: a day without ground truth.
const LATE_S: f64 = 86_400.0;

/// Draws the pane.
pub fn draw(buf: &mut Buffer, area: Rect, cx: &Cx) {
    let mut brush = Brush::new(buf, area, cx.look);
    let Some(model) = cx.selected(&mut brush) else { return };
    let columns = Columns::of(brush.columns(), cx.zoomed);
    brush.row(0, &heading(cx, &columns));
    let mut rows: Vec<Row> = Vec::new();
    let mut kpis = model.kind.quality().to_vec();
    let room = brush.rows().saturating_sub(1 + usize::from(brush.rows() > 4));
    if !cx.zoomed && kpis.len() > room {
        // Where not all fit, the worst come first and what is not measured last.
        let level = |kpi| model.judgement(kpi).map_or(Level::NotMeasured, |judged| judged.level);
        kpis.sort_by_key(|&kpi| std::cmp::Reverse(level(kpi)));
    }
    for kpi in kpis {
        rows.push(score(cx, model, kpi, &columns));
        if cx.zoomed {
            rows.extend(versions(model, kpi).map(|version| of_version(cx, model, kpi, version, &columns)));
        }
    }
    let footer = footer(cx, model);
    let blank = usize::from(brush.rows() > rows.len() + 2);
    let room = brush.rows().saturating_sub(usize::from(brush.rows() > 4));
    let wide = brush.columns();
    brush.part(0, 0, wide, room).list(1, &rows, if cx.zoomed { cx.app.pane_offset.into() } else { 0 });
    if brush.rows() > 4 {
        let y = (rows.len() + 1 + blank).min(brush.rows() - 1);
        footer.into_iter().fold(0, |x, (words, style)| brush.put_until(x, y, usize::MAX, &words, style));
    }
}

/// The words after the pane's name.
pub fn title(cx: &Cx) -> String {
    let Some(model) = cx.model else { return String::new() };
    format!("{} · {} · 30 days · interval 95 %", model.id, model.kind.word())
}

/// Where the columns lie; `None` where there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    mark: usize,
    now_end: usize,
    interval: Option<usize>,
    target: usize,
    /// Warning and critical limit, and who set them.
    rule: Option<usize>,
    /// First column and number of cells.
    spark: Option<(usize, usize)>,
    /// Ends of the 7- and 30-day means.
    means: Option<(usize, usize)>,
    samples_end: Option<usize>,
}

impl Columns {
    fn of(columns: usize, zoomed: bool) -> Self {
        // Wider would only tear the table apart.
        let columns = columns.min(if zoomed { 132 } else { 100 });
        let name = if columns >= 60 { 13 } else { 12 };
        let (mark, now_end) = (name + 1, name + 9);
        let interval = (columns >= 66).then_some(now_end + 1);
        let target = interval.map_or(now_end + 1, |x| x + 6) + 1;
        let rule = (zoomed && columns >= 110).then_some(target + 8);
        let samples_end = (columns >= 44).then_some(columns);
        let means = (columns >= 58).then(|| (columns.saturating_sub(16), columns.saturating_sub(8)));
        let from = rule.map_or(target + 8, |x| x + 34);
        let to = match (means, samples_end) {
            (Some((end, _)), _) => end.saturating_sub(7),
            (None, Some(end)) => end.saturating_sub(9),
            (None, None) => columns,
        };
        let cells = to.saturating_sub(from).min(30);
        let spark = (cells >= 5).then_some((from, cells));
        Self { mark, now_end, interval, target, rule, spark, means, samples_end }
    }
}

fn heading(cx: &Cx, at: &Columns) -> Row {
    let dim = cx.look.style(Role::Heading);
    let mut heading = row().before(at.now_end, 3, "NOW", dim).at(at.target, "TARGET", dim);
    if let Some(x) = at.rule {
        heading = heading.at(x, "WARNING", dim).at(x + 9, "CRITICAL", dim).at(x + 18, "RULE", dim);
    }
    if let Some((x, _)) = at.spark {
        heading = heading.at(x, "30 DAYS", dim);
    }
    if let Some((seven, thirty)) = at.means {
        heading = heading.before(seven, 4, "7 D", dim).before(thirty, 4, "30 D", dim);
    }
    if let Some(end) = at.samples_end {
        heading = heading.before(end, 1, "N", dim);
    }
    heading.row()
}

fn score(cx: &Cx, model: &ModelState, kpi: Kpi, at: &Columns) -> Row {
    let (dim, plain) = (cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let judged = model.judgement(kpi);
    let level = judged.map_or(Level::NotMeasured, |judged| judged.level);
    let value = judged.and_then(|judged| judged.value).or_else(|| model.value(kpi));
    // Old, or too few: the reason is more than the limits and means of a value that judges nothing.
    let Some(value) = value.filter(|_| level != Level::Unknown) else {
        let mark = if level >= Level::Unknown { cx.look.level(level).0 } else { "" };
        let words = judged.map_or("not measured", |judged| judged.reason.as_str());
        return row()
            .at(0, kpi.label(), dim)
            .at(at.mark, mark, cx.look.level(level).1)
            .at(at.mark + 2, words, dim)
            .row();
    };
    let abnormal = level >= Level::Unknown;
    let ink = if abnormal { cx.look.level(level).1 } else { cx.look.style(Role::Strong) };
    let mut cells = row()
        .at(0, kpi.label(), plain)
        .at(at.mark, if abnormal { cx.look.level(level).0 } else { "" }, ink)
        .before(at.now_end, 6, &kpi.format(value), ink);
    let samples = judged.and_then(|judged| judged.samples);
    if let (Some(x), Some(half)) = (at.interval, half_width(kpi, value, samples)) {
        cells = cells.at(x, format!("±{}", kpi.format(half)), dim);
    }
    let (limit, broken) = target(kpi, judged, model.limits.rule(kpi));
    let limit_ink = match (abnormal, broken) {
        (true, _) => ink,
        (false, true) => plain,
        (false, false) => dim,
    };
    cells = cells.at(at.target, limit, limit_ink);
    if let (Some(x), Some(rule)) = (at.rule, model.limits.rule(kpi)) {
        let limit = |limit: Option<f64>| limit.map_or_else(|| "–".into(), |limit| kpi.format(limit));
        let origin = judged.and_then(|judged| judged.rule.as_ref()).unwrap_or(&rule.origin).to_string();
        cells = cells.at(x, limit(rule.warning), dim).at(x + 9, limit(rule.critical), dim).at(
            x + 18,
            origin,
            dim,
        );
    }
    let long = model.long.get(&(kpi, None));
    let cells = course(cx, cells, (kpi, model.limits.rule(kpi)), long, at, if abnormal { ink } else { dim });
    count(cx, cells, samples, at).row()
}

/// Sparkline and means of a row.
fn course(
    cx: &Cx,
    mut cells: RowBuilder,
    (kpi, rule): (Kpi, Option<&Rule>),
    long: Option<&Series>,
    at: &Columns,
    ink: Style,
) -> RowBuilder {
    let dim = cx.look.style(Role::Dim);
    let now = cx.app.now.timestamp();
    let Some(long) = long else { return cells };
    if let Some((x, columns)) = at.spark {
        let values = long.binned(now - 30 * DAY_S, now + 1, columns);
        let (low, high) = concern(kpi, rule, &values);
        cells = cells.at(x, spark(&values, low, high, cx.look), ink);
    }
    if let Some((seven, thirty)) = at.means {
        // A mean over less than half of its days would be another mean.
        let reaches = |days: i64| long.first_s().is_some_and(|first| first <= now - days * DAY_S / 2);
        let known = |days| long.mean_since(now - days * DAY_S).filter(|_| reaches(days));
        let mean = |days| known(days).map(|(mean, _)| kpi.format(mean));
        let mean = |days| mean(days).unwrap_or_else(|| "–".into());
        cells = cells.before(seven, 6, &mean(7), dim).before(thirty, 6, &mean(30), dim);
    }
    cells
}

/// The samples of a row.
fn count(cx: &Cx, cells: RowBuilder, samples: Option<u64>, at: &Columns) -> RowBuilder {
    let Some(end) = at.samples_end else { return cells };
    cells.before(end, 7, &samples.map_or_else(|| "–".into(), text::count), cx.look.style(Role::Dim))
}

/// The versions of which this KPI is measured.
fn versions(model: &ModelState, kpi: Kpi) -> impl Iterator<Item = &Version> {
    model.readings.keys().filter(move |(of, _)| *of == kpi).filter_map(|(_, version)| version.as_ref())
}

fn of_version(cx: &Cx, model: &ModelState, kpi: Kpi, version: &Version, at: &Columns) -> Row {
    let dim = cx.look.style(Role::Dim);
    let reading = model.reading_of(kpi, Some(version));
    let value = reading.as_ref().and_then(|reading| reading.value);
    let samples = reading.as_ref().and_then(|reading| reading.samples);
    let shown = value.map_or_else(|| "–".into(), |value| kpi.format(value));
    let mut cells = row().at(0, format!("  {version}"), dim).before(at.now_end, 6, &shown, dim);
    if let (Some(x), Some(half)) = (at.interval, value.and_then(|value| half_width(kpi, value, samples))) {
        cells = cells.at(x, format!("±{}", kpi.format(half)), dim);
    }
    let long = model.long.get(&(kpi, Some(version.clone())));
    let cells = course(cx, cells, (kpi, model.limits.rule(kpi)), long, at, dim);
    count(cx, cells, samples, at).row()
}

/// The limit that judges, as the value stands to it: `≥ .850` when kept, `< .830` when broken.
fn target(kpi: Kpi, judged: Option<&Judgement>, rule: Option<&Rule>) -> (String, bool) {
    let level = judged.map_or(Level::NotMeasured, |judged| judged.level);
    let broken = matches!(level, Level::BelowTarget | Level::Warning | Level::Critical);
    let limit = judged.and_then(|judged| judged.limit).filter(|_| broken);
    let plain = rule.and_then(|rule| rule.target.or(rule.warning).or(rule.critical));
    let Some(limit) = limit.or(plain) else { return (String::new(), false) };
    let sign = match (kpi.direction(), broken) {
        (Direction::Higher, false) => "≥",
        (Direction::Higher, true) => "<",
        (Direction::Lower, false) => "≤",
        (Direction::Lower, true) => ">",
    };
    (format!("{sign} {}", kpi.format(limit)), broken)
}

/// Half the width of Wilson's score interval at 95 %, for scores that are shares of counted cases. F1 and
/// AUC are no such shares, regressions' errors neither: nothing is claimed for them.
fn half_width(kpi: Kpi, p: f64, samples: Option<u64>) -> Option<f64> {
    if !matches!(kpi, Kpi::Accuracy | Kpi::Sensitivity | Kpi::Specificity | Kpi::Precision) {
        return None;
    }
    let n = samples.filter(|&n| n > 0)?;
    let (low, high) = wilson((p.clamp(0.0, 1.0) * n as f64).round() as u64, n);
    Some((high - low) / 2.0)
}

/// Ground truth: how many predictions have a label, how old the newest is.
fn footer(cx: &Cx, model: &ModelState) -> Vec<(String, Style)> {
    let dim = cx.look.style(Role::Dim);
    let mut parts = Vec::new();
    if let Some(share) = model.value(Kpi::LabelCoverage) {
        parts.push((format!("labels for {} % of predictions", Kpi::LabelCoverage.format(share)), dim));
    }
    if let Some(count) = model.value(Kpi::LabelledSamples).filter(|count| *count >= 0.0) {
        parts.push((format!("{} labelled", text::count(count as u64)), dim));
    }
    let lag = model.reading(Kpi::LabelLag).and_then(|reading| Some((reading.value?, reading.at)));
    if let Some((lag, at)) = lag {
        let level = model.judgement(Kpi::LabelLag).map_or(Level::NotMeasured, |judged| judged.level);
        let ruled = model.limits.rule(Kpi::LabelLag).is_some();
        let late = if ruled { level >= Level::Warning } else { lag > LATE_S };
        let last = chrono::TimeDelta::try_milliseconds((lag * 1e3) as i64)
            .and_then(|lag| at.checked_sub_signed(lag))
            .map(|last| if lag < LATE_S { text::clock(last) } else { last.format("%b %-d").to_string() })
            .unwrap_or_default();
        let words = format!("last label {last}, {} ago", text::age(lag));
        if late {
            let level = level.max(Level::Warning);
            parts.push((
                format!("{} labels are late: {words}", cx.look.level(level).0),
                cx.look.level(level).1,
            ));
        } else {
            parts.push((words, dim));
        }
    }
    if parts.is_empty() {
        parts.push(("coverage and lag of labels are not measured".into(), dim));
    }
    let last = parts.len() - 1;
    parts.iter_mut().take(last).for_each(|part| part.0.push_str("   "));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Limits, ModelKind, Reading, Time, judge};

    #[test]
    fn intervals_are_wilsons() {
        // By hand: p(1−p)/n = 9.316e-5, z²/(4n²) = 6.6e-7, the root 0.009686, times 1.96/1.00319 = 0.01892.
        let half = half_width(Kpi::Accuracy, 1049.0 / 1204.0, Some(1204)).unwrap();
        assert!((half - 0.01892).abs() < 2e-5, "{half}");
        assert!(half_width(Kpi::Accuracy, 1.0, Some(20)).unwrap() > 0.05, "not zero at the edge");
        assert_eq!(half_width(Kpi::F1, 0.8, Some(20)), None);
        assert_eq!(half_width(Kpi::Accuracy, 0.8, Some(0)), None);
    }

    #[test]
    fn the_target_says_how_the_value_stands_to_it() {
        let limits = Limits::guide(ModelKind::Classification);
        let words = |kpi: Kpi, value| {
            let at = Time::from_timestamp(0, 0).unwrap();
            target(kpi, Some(&judge(kpi, &Reading::new(value, at), limits.rules(kpi))), limits.rule(kpi)).0
        };
        assert_eq!(words(Kpi::Sensitivity, 0.90), "≥ .880");
        assert_eq!(words(Kpi::Sensitivity, 0.861), "< .880");
        assert_eq!(words(Kpi::Sensitivity, 0.84), "< .850");
        assert_eq!(words(Kpi::Accuracy, 0.7), "< .800");
    }

    #[test]
    fn columns_do_not_overlap() {
        for columns in 0..200 {
            for zoomed in [false, true] {
                let at = Columns::of(columns, zoomed);
                if let (Some((from, cells)), Some((seven, _))) = (at.spark, at.means) {
                    assert!(from + cells < seven - 5, "{columns} {at:?}");
                }
            }
        }
    }
}
