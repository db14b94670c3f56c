//! The rollout: its steps and timer, asked and measured share, canary against baseline.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Cx;
use super::brush::{Brush, Row, row};
use super::effect::{self, Effect, Finding, Stretch};
use super::trial;
use crate::domain::{EventKind, Kpi, Level, Phase, Rollout, SourceGroup, Version};
use crate::judge::Verdict;
use crate::store::ModelState;
use crate::view::look::Role;
use crate::view::text;

/// Draws the pane.
pub fn draw(buf: &mut Buffer, area: Rect, cx: &Cx) {
    let mut brush = Brush::new(buf, area, cx.look);
    let Some(model) = cx.model else {
        brush.put(0, 0, "no model is selected", Role::Dim);
        return;
    };
    let Some((canary, rollout)) = model.canary() else {
        quiet(&mut brush, cx, model);
        return;
    };
    steps(&mut brush, cx, rollout);
    shares(&mut brush, 1, cx, model, rollout);
    let mut y = 2;
    if let Some(words) = silence(cx, model) {
        let (mark, ink) = cx.look.level(Level::Unknown);
        brush.put_until(0, y, usize::MAX, &format!("{mark} {words}: the steps are as last seen"), ink);
        y += 1;
    }
    let at = Columns::of(brush.columns());
    let kpis =
        if cx.zoomed { both_measured(model, canary, &rollout.stable) } else { headline(model, canary) };
    let mut effects: Vec<Effect> = kpis
        .into_iter()
        .map(|kpi| effect::compare(model, cx.store.rules(), kpi, canary, &rollout.stable))
        .collect();
    let needed = effects.len() + 2;
    let is_news = matches!(rollout.phase, Phase::Degraded | Phase::Aborted);
    if !rollout.message.is_empty() && (is_news || brush.rows() > y + needed) {
        let ink = cx.look.style(if rollout.phase == Phase::Degraded { Role::Critical } else { Role::Dim });
        brush.put_until(0, y, usize::MAX, &rollout.message, ink);
        y += 1;
    }
    if let Some(verdict) = model.verdict() {
        judged(&mut brush, y, cx, model, verdict);
        return;
    }
    let room = brush.rows().saturating_sub(y);
    let fits = cx.zoomed || room >= needed;
    if !fits && room < effects.len() {
        // What is beyond its limit is not to be cut, what is not measured may be.
        effects
            .sort_by_key(|effect| (effect.finding == Finding::Unmeasured, effect.finding != Finding::Beyond));
    }
    // A table without its heading and without the split, which stands above, is better than one cut short.
    let mut rows: Vec<Row> = if fits { vec![heading(cx, &at)] } else { Vec::new() };
    rows.extend(effects.iter().map(|effect| compared(cx, &at, effect)));
    if fits || room > rows.len() {
        rows.push(split(cx, &at, model, rollout));
    }
    y += usize::from(room > rows.len());
    if cx.zoomed {
        rows.push(Vec::new());
        rows.extend(events(cx, model, 200));
    }
    brush.list(y, &rows, if cx.zoomed { cx.app.pane_offset.into() } else { 0 });
}

/// The judgement: a row a metric, its line, and all that is behind it when there is room.
fn judged(brush: &mut Brush, y: usize, cx: &Cx, model: &ModelState, verdict: &Verdict) {
    let at = trial::Columns::of(brush.columns());
    let (line, role) = trial::line(cx, verdict);
    let room = brush.rows().saturating_sub(y);
    let wanted = super::brush::wrap(&line, brush.columns()).len();
    let mut metrics: Vec<_> = verdict.metrics.iter().collect();
    if room < metrics.len() + wanted {
        // What does not fit is what says least; the line is cut before a metric goes.
        metrics.sort_by(|a, b| b.log_evidence.total_cmp(&a.log_evidence));
    }
    metrics.truncate(room.saturating_sub(1).max(1));
    let lines = wanted.min(room.saturating_sub(metrics.len())).max(1);
    let mut rows: Vec<Row> = Vec::new();
    if room > metrics.len() + lines {
        rows.push(trial::heading(cx, &at));
    }
    rows.extend(metrics.into_iter().map(|metric| trial::metric(cx, &at, verdict, metric)));
    let mut y = y + usize::from(room > rows.len() + lines);
    for row in &rows {
        brush.row(y, row);
        y += 1;
    }
    y += brush.paragraph(y, lines.min(brush.rows().saturating_sub(y)), &line, role);
    if cx.zoomed {
        let mut more = vec![Vec::new()];
        more.extend(trial::details(cx, verdict));
        more.push(Vec::new());
        more.extend(events(cx, model, 200));
        brush.list(y, &more, cx.app.pane_offset.into());
    }
}

/// What is wrong with the controller that told of the rollout.
fn silence(cx: &Cx, model: &ModelState) -> Option<String> {
    let index = cx.store.index_of(&model.id)?;
    let controllers = cx.store.sources.iter().filter(|source| source.info.group == SourceGroup::Controller);
    let mut mine = controllers.filter(|source| source.touches.binary_search(&index).is_ok());
    mine.find_map(|source| super::silence::trouble(cx, source))
}

/// The words after the pane's name.
pub fn title(cx: &Cx) -> String {
    let Some(model) = cx.model else { return String::new() };
    let mut words = model.id.to_string();
    if let Some((canary, rollout)) = model.canary() {
        words.push_str(&format!(" {} → {canary} · {}", rollout.stable, rollout.controller));
    } else if let Some(rollout) = &model.rollout {
        words.push_str(&format!(" · {}", rollout.controller));
    }
    words.push_str(&format!(" · {}", model.id.environment));
    if !model.id.namespace.is_empty() {
        words.push_str(&format!("/{}", model.id.namespace));
    }
    words
}

/// `5 ━━━ 10 ━━━ 25 ◉┄┄ 50 ┄┄ 100   3 of 5   paused, 17:49 left`
fn steps(brush: &mut Brush, cx: &Cx, rollout: &Rollout) {
    let weights: Vec<f64> = rollout.steps.iter().map(|step| step.weight).collect();
    let stops = effect::steps(&weights, rollout.step);
    let numbers: usize = stops.iter().map(|(weight, _)| format!("{weight:.0}").len() + 2).sum();
    let stretches = stops.len() - 1;
    let length = |state: &str| {
        let room = brush.columns().saturating_sub(numbers + 2 + text::width(state));
        room.checked_div(stretches).unwrap_or(0).min(7)
    };
    // The count of steps goes first: the line shows it too.
    let (count, state) = (count_words(rollout), state_words(cx, rollout));
    let both = format!("{count}{state}");
    let without = stretches > 0 && length(&both) < 2 && length(&state) >= 2;
    let state = if without { state } else { both };
    let (length, state) = (length(&state), format!("  {state}"));
    let mut x = 0;
    if length >= 2 && stretches > 0 {
        let glyphs = cx.look.glyphs();
        for (place, (weight, stretch)) in stops.iter().enumerate() {
            let is_here = place == rollout.step;
            let role = if is_here { Role::Strong } else { Role::Dim };
            x = brush.put(x, 0, &format!("{weight:.0} "), role);
            let (head, tail) = match stretch {
                None => continue,
                Some(Stretch::Done) => (glyphs.bar_full.repeat(length), String::new()),
                Some(Stretch::Ahead) if is_here => {
                    (glyphs.bar_head.to_owned(), glyphs.bar_empty.repeat(length - 1))
                }
                Some(Stretch::Ahead) => (String::new(), glyphs.bar_empty.repeat(length)),
            };
            x = brush.put(x, 0, &head, Role::Canary);
            x = brush.put(x, 0, &format!("{tail} "), Role::Dim);
        }
    } else {
        x = brush.put(0, 0, &format!("{:.0} %", rollout.asked), Role::Canary);
    }
    let level = match rollout.phase {
        Phase::Degraded => Role::Critical,
        Phase::Aborted => Role::Warning,
        _ => Role::Text,
    };
    brush.put(x, 0, &state, level);
}

/// `3 of 5   `
fn count_words(rollout: &Rollout) -> String {
    match rollout.steps.len() {
        0 => String::new(),
        count => format!("{} of {count}   ", (rollout.step + 1).min(count)),
    }
}

/// `paused, 17:49 left`
fn state_words(cx: &Cx, rollout: &Rollout) -> String {
    let mark = match rollout.phase {
        Phase::Degraded => format!("{} ", cx.look.glyphs().critical),
        Phase::Aborted => format!("{} ", cx.look.glyphs().warning),
        _ => String::new(),
    };
    let mut words = format!("{mark}{}", rollout.phase.word());
    let left = rollout.until.map(|until| (until - cx.app.now).num_seconds());
    match (left, rollout.since) {
        (Some(left), _) if left >= 0 => words.push_str(&format!(", {} left", countdown(left))),
        (Some(_), _) => words.push_str(", its time is over"),
        (None, _) if rollout.waits => words.push_str(", waits for you"),
        (None, Some(since)) => {
            words.push_str(&format!(" for {}", text::age((cx.app.now - since).as_seconds_f64())));
        }
        (None, None) => {}
    }
    words
}

/// `17:49`, `1:02:03`.
fn countdown(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Whether the measured share is what was asked for, given how many requests it rests on.
fn agrees(model: &ModelState, rollout: &Rollout, measured: f64) -> bool {
    let requests = model.reading(Kpi::LatencyP95).and_then(|reading| reading.samples);
    effect::shares_agree(rollout.asked, measured, requests)
}

/// `asked 25 %   measured 24.9 %   owner Argo CD, self-heal`
fn shares(brush: &mut Brush, y: usize, cx: &Cx, model: &ModelState, rollout: &Rollout) {
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
    let mut parts = vec![
        ("asked ", Role::Dim),
        (asked.as_str(), Role::Text),
        ("   measured ", Role::Dim),
        (&words, role),
    ];
    if !rollout.owner.is_empty() {
        parts.extend([("   owner ", Role::Dim), (rollout.owner.as_str(), Role::Text)]);
    }
    brush.run(0, y, &parts);
}

/// Where the table's columns lie.
#[derive(Debug, Clone, Copy)]
struct Columns {
    canary: usize,
    baseline: usize,
    effect: usize,
    limit: usize,
    word: usize,
}

impl Columns {
    fn of(columns: usize) -> Self {
        if columns >= 72 {
            Self { canary: 15, baseline: 25, effect: 36, limit: 46, word: 60 }
        } else {
            Self { canary: 12, baseline: 20, effect: 27, limit: 35, word: 43 }
        }
    }
}

fn heading(cx: &Cx, at: &Columns) -> Row {
    let ink = cx.look.style(Role::Heading);
    row()
        .at(0, "METRIC", ink)
        .at(at.canary, "CANARY", ink)
        .at(at.baseline, "BASELINE", ink)
        .at(at.effect, "EFFECT", ink)
        .at(at.limit, "LIMIT", ink)
        .at(at.word, "", ink)
        .row()
}

/// The metrics of the small table: errors, latency, and the first score that is measured by version.
fn headline(model: &ModelState, canary: &Version) -> Vec<Kpi> {
    let measured = |kpi: Kpi| model.readings.contains_key(&(kpi, Some(canary.clone())));
    let quality = model.kind.quality();
    let score = quality.iter().copied().find(|&kpi| measured(kpi)).or(quality.first().copied());
    [Kpi::ErrorRate, Kpi::LatencyP95, Kpi::LatencyP99].into_iter().chain(score).collect()
}

/// Every KPI that is measured of either version.
fn both_measured(model: &ModelState, canary: &Version, stable: &Version) -> Vec<Kpi> {
    let mut kpis: Vec<Kpi> = model
        .readings
        .keys()
        .filter(|(_, version)| version.as_ref().is_some_and(|version| version == canary || version == stable))
        .map(|(kpi, _)| *kpi)
        .chain(headline(model, canary))
        .collect();
    kpis.sort_unstable();
    kpis.dedup();
    kpis
}

fn compared(cx: &Cx, at: &Columns, effect: &Effect) -> Row {
    let style = |role| cx.look.style(role);
    let (loud, mark) = match effect.finding {
        Finding::Beyond => (style(Role::Critical), format!("{} ", cx.look.glyphs().critical)),
        _ => (style(Role::Text), String::new()),
    };
    let word = match effect.finding {
        Finding::Beyond => loud,
        _ => style(Role::Dim),
    };
    let none = || cx.look.glyphs().none.to_owned();
    let name = if effect.kpi == Kpi::ErrorRate { "errors" } else { effect.kpi.label() };
    row()
        .at(0, name, style(Role::Text))
        .at(at.canary, effect.canary.clone().unwrap_or_else(none), style(Role::Text))
        .at(at.baseline, effect.baseline.clone().unwrap_or_else(none), style(Role::Dim))
        .at(at.effect, effect.effect.clone(), loud)
        .at(at.limit, effect.limit.clone(), style(Role::Dim))
        .at(at.word, format!("{mark}{}", effect.finding.word()), word)
        .row()
}

/// The row of the traffic split: measured against asked.
fn split(cx: &Cx, at: &Columns, model: &ModelState, rollout: &Rollout) -> Row {
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

/// No canary: who has the traffic, and what happened last.
fn quiet(brush: &mut Brush, cx: &Cx, model: &ModelState) {
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
    let room = if cx.zoomed { 200 } else { brush.rows().saturating_sub(y + 1) };
    let events = events(cx, model, room);
    brush.list(y + 1, &events, if cx.zoomed { cx.app.pane_offset.into() } else { 0 });
}

/// The newest events of the model's rollouts, the newest first.
fn events(cx: &Cx, model: &ModelState, most: usize) -> Vec<Row> {
    let (dim, plain) = (cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let newest = cx.store.timeline.iter().rev();
    let mine = newest.filter(|e| e.kind == EventKind::Rollout && e.model.as_ref() == Some(&model.id));
    let level =
        |level: Level| -> Style { if level >= Level::Unknown { cx.look.level(level).1 } else { plain } };
    mine.take(most)
        .map(|event| {
            row()
                .at(0, super::timeline::when(event.at, cx.app.now), dim)
                .at(10, event.what.clone(), level(event.level))
                .at(42, event.detail.clone(), dim)
                .row()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_reads_like_a_clock() {
        assert_eq!([0, 59, 1_069, 3_723].map(countdown), ["0:00", "0:59", "17:49", "1:02:03"]);
    }
}
