//! The judgement of the canary in the canary pane: a row a metric with its effect, the interval that holds
//! at every look, the evidence as odds with its bar; the verdict in one line, and what else to know.

use super::Cx;
use super::brush::{Row, row};
use crate::judge::verdict::Unit;
use crate::judge::{Decision, Effect, MetricKind, MetricVerdict, Verdict, fleet, words};
use crate::view::look::Role;

/// Where the columns lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    canary: usize,
    baseline: usize,
    effect: usize,
    bar: usize,
    cells: usize,
    odds: usize,
    word: usize,
}

impl Columns {
    /// For a pane of so many columns.
    pub fn of(columns: usize) -> Self {
        if columns >= 74 {
            let cells = (columns - 66).clamp(8, 16);
            Self { canary: 9, baseline: 17, effect: 25, bar: 45, cells, odds: 46 + cells, word: 54 + cells }
        } else if columns >= 58 {
            Self { canary: 9, baseline: 16, effect: 23, bar: 0, cells: 0, odds: 42, word: 50 }
        } else {
            Self { canary: 9, baseline: 16, effect: 0, bar: 0, cells: 0, odds: 23, word: 31 }
        }
    }
}

/// The table's heading.
pub fn heading(cx: &Cx, at: &Columns) -> Row {
    let ink = cx.look.style(Role::Heading);
    let mut cells = row().at(0, "METRIC", ink).at(at.canary, "CANARY", ink).at(at.baseline, "BASE", ink);
    if at.effect > 0 {
        cells = cells.at(at.effect, if at.cells > 0 { "EFFECT, AT ANY LOOK" } else { "EFFECT" }, ink);
    }
    let (x, evidence) = if at.cells > 0 { (at.bar, "EVIDENCE") } else { (at.odds, "ODDS") };
    cells.at(x, evidence, ink).at(at.word, "", ink).row()
}

/// One metric.
pub fn metric(cx: &Cx, at: &Columns, verdict: &Verdict, metric: &MetricVerdict) -> Row {
    let (dim, plain) = (cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let value = |value: Option<f64>| match value {
        Some(value) if metric.kind == MetricKind::Latency => words::latency(value),
        Some(value) => words::percent(value),
        None => cx.look.glyphs().none.to_owned(),
    };
    let is_loud = metric.says == Decision::Abort;
    let loud = if is_loud { cx.look.style(Role::Critical) } else { plain };
    // Speaking for a promotion counts once nothing speaks for an abort.
    let (log, needed) = match metric.log_evidence_promote {
        Some(promote) if metric.log_evidence <= 0.0 && !is_loud => (promote, verdict.log_needed),
        _ => (metric.log_evidence, verdict.log_needed - metric.weight.ln()),
    };
    let name = if metric.kind == MetricKind::Latency { "p95" } else { &*metric.metric };
    let mut cells = row().at(0, name, plain).at(at.canary, value(metric.canary), plain).at(
        at.baseline,
        value(metric.baseline),
        dim,
    );
    if at.effect > 0 {
        cells = cells.at(at.effect, metric.effect.as_ref().map_or_else(String::new, effect), loud);
    }
    if at.cells > 0 {
        let ink = if is_loud { loud } else { dim };
        cells = cells.cells(at.bar, bar(cx, log / needed, at.cells).into_iter().map(|glyph| (glyph, ink)));
    }
    let (word, ink) = word(cx, metric);
    cells.at(at.odds, words::odds(log), if is_loud { loud } else { plain }).at(at.word, word, ink).row()
}

/// ln E over what is needed, as a bar.
fn bar(cx: &Cx, part: f64, cells: usize) -> Vec<&'static str> {
    let glyphs = cx.look.glyphs();
    let full = (part.clamp(0.0, 1.0) * cells as f64).round() as usize;
    (0..cells).map(|cell| if cell < full { glyphs.bar_full } else { glyphs.bar_empty }).collect()
}

/// The word for one metric.
fn word(cx: &Cx, metric: &MetricVerdict) -> (String, ratatui::style::Style) {
    let glyphs = cx.look.glyphs();
    if metric.stale {
        // What was found stays found, but its numbers are of the past.
        return (format!("{} stale", glyphs.stale), cx.look.style(Role::Unknown));
    }
    match metric.says {
        Decision::Abort => (format!("{} worse", glyphs.critical), cx.look.style(Role::Critical)),
        Decision::Promote => ("within".into(), cx.look.style(Role::Dim)),
        Decision::CannotTell if metric.sentinel == "noisy" => {
            (format!("{} noisy", glyphs.unknown), cx.look.level(crate::domain::Level::Unknown).1)
        }
        Decision::CannotTell => (format!("{} no data", glyphs.unknown), cx.look.style(Role::Dim)),
        Decision::KeepWatching if metric.log_evidence > metric.log_evidence_promote.unwrap_or(0.0) => {
            ("worse?".into(), cx.look.style(Role::Dim))
        }
        Decision::KeepWatching => ("within?".into(), cx.look.style(Role::Dim)),
    }
}

/// `2.9× 1.9–4.6×`, `+6% −4..+17%`, `−1.2 pts −3.0..+0.4`.
fn effect(effect: &Effect) -> String {
    let Some(value) = effect.value else { return String::new() };
    let high = |text: String| effect.high.map_or_else(|| "∞".to_owned(), |_| text);
    match effect.unit {
        Unit::Difference => {
            let top = effect.high.unwrap_or(1.0);
            format!("{:+.1}pt {:+.1}..{:+.1}", 100.0 * value, 100.0 * effect.low, 100.0 * top)
        }
        Unit::Ratio => {
            let top = effect.high.unwrap_or(f64::INFINITY);
            format!("{value:.1}× {:.1}–{}×", effect.low, high(format!("{top:.1}")))
        }
    }
}

/// The verdict's line with its mark, and the role to draw it in.
pub fn line(cx: &Cx, verdict: &Verdict) -> (String, Role) {
    let glyphs = cx.look.glyphs();
    let (mark, role) = match verdict.verdict {
        Decision::Abort => (glyphs.critical, Role::Critical),
        Decision::Promote => (glyphs.ok, Role::Strong),
        Decision::KeepWatching => (glyphs.ok, Role::Text),
        Decision::CannotTell => (glyphs.unknown, Role::Warning),
    };
    let done = match cx.model {
        Some(model) => crate::view::act::words::done(cx.app, cx.store, model),
        None => String::new(),
    };
    (format!("{mark} {} {done}", verdict.line.replace("   ", " ")), role)
}

/// More to know, for the zoomed pane: each metric's reason, notes, the combined evidence, the fleet.
pub fn details(cx: &Cx, verdict: &Verdict) -> Vec<Row> {
    let (dim, plain) = (cx.look.style(Role::Dim), cx.look.style(Role::Text));
    let line = |name: &str, words: String| row().at(0, name, dim).at(12, words, plain).row();
    let mut rows: Vec<Row> =
        verdict.metrics.iter().map(|metric| line(&metric.metric, metric.reason.clone())).collect();
    let once = verdict.metrics.iter().filter_map(|metric| Some((&metric.metric, metric.one_look_only?)));
    rows.extend(once.map(|(name, once)| row().at(0, &**name, dim).at(12, once.words(), dim).row()));
    rows.push(line(
        "combined",
        format!(
            "{} now, {} at most, {} needed; {} canary requests",
            words::odds(verdict.log_evidence),
            words::odds(verdict.max_log_evidence),
            words::odds(verdict.log_needed),
            verdict.canary_requests
        ),
    ));
    if let Some([seen, asked]) = verdict.share {
        let words = format!("{} of requests, {} configured", words::percent(seen), words::percent(asked));
        rows.push(line("split", words));
    }
    rows.extend(verdict.notes.iter().map(|note| line("", note.clone())));
    let all: Vec<&Verdict> = cx.store.models.iter().filter_map(|model| model.verdict()).collect();
    rows.push(line("fleet", fleet::flagged(all, 0.05).words()));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_do_not_overlap() {
        for columns in 30..200 {
            let at = Columns::of(columns);
            assert!(at.canary < at.baseline && at.baseline < at.odds && at.odds + 7 < at.word, "{columns}");
            assert!(at.cells == 0 || at.bar + at.cells < at.odds);
            assert!(at.word + 8 <= columns.max(40), "{columns} {at:?}");
        }
    }

    #[test]
    fn effects_are_short() {
        let ratio = Effect { unit: Unit::Ratio, value: Some(2.9), low: 1.9, high: Some(4.6) };
        assert_eq!(effect(&ratio), "2.9× 1.9–4.6×");
        assert_eq!(effect(&Effect { high: None, ..ratio }), "2.9× 1.9–∞×");
        let points = Effect { unit: Unit::Difference, value: Some(-0.012), low: -0.03, high: Some(0.004) };
        assert_eq!(effect(&points), "-1.2pt -3.0..+0.4");
    }
}
