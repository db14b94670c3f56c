//! The rollout: its steps and timer, asked and measured share, canary against baseline, and what its controller tells.

mod compare;
mod facts;
mod quiet;
mod shares;
mod steps;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Cx;
use super::brush::{Brush, Row, wrap};
use super::effect::{self, Effect, Finding};
use super::trial;
use crate::domain::{Level, Phase, Rollout, SourceGroup, Version};
use crate::judge::Verdict;
use crate::store::ModelState;
use crate::view::look::Role;

/// Columns from which the zoomed pane has two columns.
const TWO: usize = 130;

/// Draws the pane.
pub fn draw(buf: &mut Buffer, area: Rect, cx: &Cx) {
    let mut brush = Brush::new(buf, area, cx.look);
    let Some(model) = cx.selected(&mut brush) else { return };
    let Some((canary, rollout)) = model.canary() else {
        quiet::draw(&mut brush, cx, model);
        return;
    };
    steps::draw(&mut brush, cx, rollout);
    shares::draw(&mut brush, 1, cx, model, rollout);
    let y = told(&mut brush, 2, cx, model, rollout);
    if cx.zoomed {
        whole(&mut brush, y, cx, model, canary, rollout);
    } else if let Some(verdict) = model.verdict() {
        judged(&mut brush, y, cx, verdict);
    } else {
        let (columns, room) = (brush.columns(), brush.rows().saturating_sub(y));
        let rows = table(cx, model, canary, rollout, columns, room);
        let y = y + usize::from(room > rows.len());
        brush.list(y, &rows, 0);
    }
}

/// Lines between the shares and the table: silence of the source, what must be seen, the controller's message.
/// The table keeps half of the pane. Returns the row after them.
fn told(brush: &mut Brush, y: usize, cx: &Cx, model: &ModelState, rollout: &Rollout) -> usize {
    let mut y = y;
    if let Some(words) = silence(cx, model) {
        let (mark, ink) = cx.look.level(Level::Unknown);
        brush.put_until(0, y, usize::MAX, &format!("{mark} {words}: the steps are as last seen"), ink);
        y += 1;
    }
    let room = brush.rows();
    let mut notes = facts::notes(cx, model);
    if cx.zoomed {
        // The rest stands among the facts.
        notes.retain(|(mark, ..)| !mark.is_empty());
    }
    let is_news = matches!(rollout.phase, Phase::Degraded | Phase::Aborted);
    // What the controller calls failed stands first; a message of routine only where there is room to spare.
    if !rollout.message.is_empty() && (is_news || room > 12 && !cx.zoomed) {
        let ink = cx.look.style(if rollout.phase == Phase::Degraded { Role::Critical } else { Role::Dim });
        let critical = cx.look.glyphs().critical;
        // A critical condition says more than the message that goes with it.
        let worse = notes.iter().take_while(|(mark, ..)| *mark == critical).count();
        let place = if is_news { worse } else { notes.len() };
        notes.insert(place, ("", rollout.message.clone(), ink));
    }
    for (mark, words, ink) in notes {
        // Without a mark it is no trouble, and gives way to the table.
        let last = if mark.is_empty() && !is_news { room.saturating_sub(7) } else { room.div_ceil(2) };
        if y > 2 && y >= last && !cx.zoomed {
            break;
        }
        if mark.is_empty() && !is_news && room < 9 && !cx.zoomed {
            continue;
        }
        brush.put_until(0, y, usize::MAX, format!("{mark} {words}").trim_start(), ink);
        y += 1;
    }
    y
}

/// Canary against baseline where nothing is judged, in at most `room` rows unless there is more to scroll.
fn table(
    cx: &Cx,
    model: &ModelState,
    canary: &Version,
    rollout: &Rollout,
    columns: usize,
    room: usize,
) -> Vec<Row> {
    let at = compare::Columns::of(columns);
    let kpis = if cx.zoomed {
        compare::both_measured(model, canary, &rollout.stable)
    } else {
        compare::headline(model, canary)
    };
    let mut effects: Vec<Effect> = kpis
        .into_iter()
        .map(|kpi| effect::compare(model, cx.store.rules(), kpi, canary, &rollout.stable))
        .collect();
    let fits = cx.zoomed || room >= effects.len() + 2;
    if !fits && room < effects.len() {
        // What is beyond its limit is not to be cut, what is not measured may be.
        effects
            .sort_by_key(|effect| (effect.finding == Finding::Unmeasured, effect.finding != Finding::Beyond));
    }
    // A table without its heading and without the split, which stands above, is better than one cut short.
    let mut rows: Vec<Row> = if fits { vec![compare::heading(cx, &at)] } else { Vec::new() };
    rows.extend(effects.iter().map(|effect| compare::compared(cx, &at, effect)));
    if fits || room > rows.len() {
        rows.push(shares::split(cx, &at, model, rollout));
    }
    rows
}

/// The zoomed pane: the comparison and what happened at the left, what the controller tells at the right.
fn whole(brush: &mut Brush, y: usize, cx: &Cx, model: &ModelState, canary: &Version, rollout: &Rollout) {
    let two = brush.columns() >= TWO;
    let left = if two { (brush.columns() - 4) * 11 / 20 } else { brush.columns() };
    let right = if two { brush.columns() - 4 - left } else { brush.columns() };
    let mut rows: Vec<Row> = Vec::new();
    match model.verdict() {
        Some(verdict) => {
            let at = trial::Columns::of(left);
            rows.push(trial::heading(cx, &at));
            rows.extend(verdict.metrics.iter().map(|metric| trial::metric(cx, &at, verdict, metric)));
            rows.push(Vec::new());
            let (line, role) = trial::line(cx, verdict);
            let ink = cx.look.style(role);
            rows.extend(
                wrap(&line, left).into_iter().map(|words| super::brush::row().at(0, words, ink).row()),
            );
            rows.push(Vec::new());
            rows.extend(trial::details(cx, verdict));
        }
        None => rows.extend(table(cx, model, canary, rollout, left, usize::MAX)),
    }
    let facts = facts::rows(cx, model, right);
    if !two {
        rows.push(Vec::new());
        rows.extend(facts.iter().cloned());
    }
    rows.push(Vec::new());
    rows.extend(quiet::events(cx, model, 200));
    let (top, height, offset) = (y + 1, brush.rows().saturating_sub(y + 1), cx.app.pane_offset.into());
    brush.part(0, top, left, height).list(0, &rows, offset);
    if two {
        brush.part(left + 4, top, right, height).list(0, &facts, offset);
    }
}

/// The judgement in a pane among others: a row a metric, and its line.
fn judged(brush: &mut Brush, y: usize, cx: &Cx, verdict: &Verdict) {
    let at = trial::Columns::of(brush.columns());
    let (line, role) = trial::line(cx, verdict);
    let room = brush.rows().saturating_sub(y);
    let wanted = wrap(&line, brush.columns()).len();
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
    brush.paragraph(y, lines.min(brush.rows().saturating_sub(y)), &line, role);
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
        words.push_str(&format!(" {} → {canary} · {}", rollout.stable, controller(rollout)));
    } else if let Some(rollout) = &model.rollout {
        words.push_str(&format!(" · {}", controller(rollout)));
    }
    words.push_str(&format!(" · {}", model.id.environment));
    if !model.id.namespace.is_empty() {
        words.push_str(&format!("/{}", model.id.namespace));
    }
    words
}

/// What moves it, in words: the kind of its object, else what its source calls itself.
fn controller(rollout: &Rollout) -> &str {
    rollout.target.as_ref().map_or(&rollout.controller, |target| target.kind.word())
}
