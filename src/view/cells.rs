//! One cell of the fleet table: its words and its style.

use ratatui::style::Style;

use super::columns::{Column, Kind};
use super::fleet::Fleet;
use super::look::{Depth, Look, Role};
use super::spark::{concern, spark};
use super::text;
use crate::domain::{Direction, DriftLevel, Freshness, Kpi, Level, Phase};
use crate::store::ModelState;

/// Cells of the bar of a canary.
const BAR: usize = 7;

/// What a column says of a model.
pub fn cell(column: &Column, model: &ModelState, fleet: &Fleet) -> (String, Style) {
    let look = fleet.look;
    match column.kind {
        Kind::Model => {
            let role = if model.level >= Level::Unknown { Role::Strong } else { Role::Text };
            (fleet.name(model), look.style(role))
        }
        Kind::Live => {
            let version = model.live_version().map_or(look.glyphs().none, |version| version.as_str());
            (
                version.to_owned(),
                look.style(if model.level >= Level::Unknown { Role::Text } else { Role::Dim }),
            )
        }
        Kind::Canary => canary(model, look, column.width),
        Kind::P50 => number(Kpi::LatencyP50, model, look),
        Kind::P95 => number(Kpi::LatencyP95, model, look),
        Kind::P99 => number(Kpi::LatencyP99, model, look),
        Kind::Errors => number(Kpi::ErrorRate, model, look),
        Kind::Requests => number(Kpi::Throughput, model, look),
        Kind::Quality => match model.headline() {
            Some((kpi, _)) => {
                let (value, style) = number(kpi, model, look);
                (format!("{} {value}", text::pad(kpi.short(), 5)), style)
            }
            None => (look.glyphs().none.to_owned(), look.style(Role::Dim)),
        },
        Kind::Days => days(model, fleet, column.width),
        Kind::Drift => drift(model, look, column.width),
        Kind::Age => age(model, fleet, column.width),
        Kind::Why => why(model, fleet, column.width),
    }
}

/// What a value of this level looks like in a table: healthy ones step back.
fn tone(look: &Look, level: Level) -> Style {
    look.style(match level {
        Level::Ok | Level::NotMeasured => Role::Dim,
        other => Role::of(other),
    })
}

fn number(kpi: Kpi, model: &ModelState, look: &Look) -> (String, Style) {
    let judged = model.judgement(kpi);
    let level = judged.map_or(Level::NotMeasured, |judged| judged.level);
    let value = judged.and_then(|judged| judged.value);
    let Some(value) = value else { return (look.glyphs().none.to_owned(), tone(look, level)) };
    let text = match kpi {
        Kpi::Throughput | Kpi::ErrorRate if value >= 100.0 => format!("{value:.0}"),
        Kpi::ErrorRate if value >= 10.0 => format!("{value:.1}"),
        Kpi::LatencyP50 | Kpi::LatencyP95 | Kpi::LatencyP99 if value < 10.0 => format!("{value:.1}"),
        _ => kpi.format(value),
    };
    let above = model.reading(kpi).and_then(|reading| reading.note).is_some_and(|note| note.starts_with('≥'));
    let before = match level {
        Level::Unknown => look.glyphs().stale,
        _ if above => look.glyphs().at_least,
        _ => "",
    };
    (format!("{before}{text}{}", mark(look, level)), tone(look, level))
}

/// Where there is no colour, a mark follows an abnormal number, and a blank any other, so that digits stay
/// in line.
fn mark(look: &Look, level: Level) -> &'static str {
    match level {
        _ if look.depth() != Depth::Mono => "",
        Level::Critical | Level::Warning => "!",
        Level::Unknown => "",
        _ => " ",
    }
}

fn canary(model: &ModelState, look: &Look, width: usize) -> (String, Style) {
    let Some((version, rollout)) = model.canary() else { return (String::new(), look.style(Role::Canary)) };
    let bad = matches!(rollout.phase, Phase::Aborted | Phase::Degraded);
    let style = look.style(if bad { Role::Warning } else { Role::Canary });
    let state = match rollout.asked {
        _ if bad => rollout.phase.word().to_owned(),
        asked if asked > 99.4 => "100%".to_owned(),
        asked => format!("{asked:.0} %"),
    };
    if width < 20 || bad {
        let room = width.saturating_sub(text::width(&state).max(4) + 1).min(6);
        let state = text::pad_left(&state, if bad { 0 } else { 4 }.max(text::width(&state)));
        return (format!("{} {state}", text::pad(version.as_str(), room)), style);
    }
    let name = text::pad(version.as_str(), 6);
    (format!("{name} {}{}", bar(look, rollout.asked), text::pad_left(&state, 6)), style)
}

/// `━━━━◉──` for a weight in percent.
fn bar(look: &Look, percent: f64) -> String {
    let g = look.glyphs();
    let at = (percent.clamp(0.0, 100.0) / 100.0 * (BAR - 1) as f64).round() as usize;
    (0..BAR)
        .map(|place| match place {
            p if p < at => g.bar_full,
            p if p == at => g.bar_head,
            _ => g.bar_empty,
        })
        .collect()
}

fn days(model: &ModelState, fleet: &Fleet, width: usize) -> (String, Style) {
    let look = fleet.look;
    let Some((kpi, _)) = model.headline() else { return (String::new(), look.style(Role::Dim)) };
    let now = fleet.app.now.timestamp();
    let Some(series) = model.long.get(&(kpi, None)) else { return (String::new(), look.style(Role::Dim)) };
    let values = series.binned(now - 30 * 86_400, now + 1, width);
    let (low, high) = concern(kpi, model.limits.rule(kpi), &values);
    let level = model.judgement(kpi).map_or(Level::NotMeasured, |judged| judged.level);
    (spark(&values, low, high, look), tone(look, level))
}

fn drift(model: &ModelState, look: &Look, width: usize) -> (String, Style) {
    let level = model.judgement(Kpi::DataDrift).map_or(Level::NotMeasured, |judged| judged.level);
    let Some(score) = model.data_drift() else {
        let features = model.features(None);
        let drifted = features.iter().filter(|state| state.latest.is_drifted()).count();
        return match (features.len(), drifted) {
            (0, _) => (look.glyphs().none.to_owned(), look.style(Role::Dim)),
            (all, n) => (format!("{n} of {all}"), look.style(if n > 0 { Role::Text } else { Role::Dim })),
        };
    };
    if level == Level::Unknown {
        return (format!("{}{score:.2}", look.glyphs().stale), look.style(Role::Unknown));
    }
    let of = DriftLevel::of(score);
    let word = match of {
        None | Some(DriftLevel::Minimal) => "",
        Some(of) if width < 13 => of.short(),
        Some(of) => of.word(),
    };
    let style = if word.is_empty() { look.style(Role::Dim) } else { look.drift(of) };
    (format!("{score:.2} {word}").trim_end().to_owned(), style)
}

fn age(model: &ModelState, fleet: &Fleet, width: usize) -> (String, Style) {
    let now = fleet.app.now;
    let newest = model.readings.values().flatten().max_by_key(|entry| entry.seen);
    let Some(newest) = newest else {
        return (fleet.look.glyphs().none.to_owned(), fleet.look.style(Role::Dim));
    };
    let interval = fleet.store.sources.get(newest.source).map_or(1.0, |source| source.info.interval_s);
    let mut words = text::age((now - newest.seen).as_seconds_f64());
    if text::width(&words) > width {
        words = words.replace(' ', "");
    }
    match Freshness::of(Some(newest.seen), interval, now) {
        Freshness::Stale => (words, fleet.look.style(Role::Unknown)),
        _ => (words, fleet.look.style(Role::Dim)),
    }
}

/// The reason with how long it has been so, when there is room for both.
fn why(model: &ModelState, fleet: &Fleet, width: usize) -> (String, Style) {
    let look = fleet.look;
    if model.level < Level::Unknown {
        let words = match model.canary() {
            Some((_, rollout)) if rollout.waits => "canary waits for you",
            _ if model.disagreement().is_some() => "registries disagree",
            _ => "",
        };
        return (words.to_owned(), look.style(Role::Text));
    }
    let style = look.style(Role::of(model.level));
    let fits = |words: &String| text::width(words) <= width;
    let lasted = model.level_since.map_or(0.0, |since| (fleet.app.now - since).as_seconds_f64());
    if lasted < 1.0 {
        return (model.why.clone(), style);
    }
    let lasted = text::age(lasted);
    let long = format!("{}, {lasted}", model.why);
    // The value stands in its own column, so the reason may leave it out.
    let short = || {
        let judged = model.judgements.iter().find(|judged| judged.reason == model.why)?;
        let sign = if judged.kpi.direction() == Direction::Higher { '<' } else { '>' };
        Some(format!("{} {sign} {}, {lasted}", judged.kpi.short(), judged.kpi.format(judged.limit?)))
    };
    let words = Some(long).filter(fits).or_else(|| short().filter(fits));
    (words.unwrap_or_else(|| model.why.clone()), style)
}
