//! Canary against baseline, a row a metric, where no judgement is made.

use super::super::Cx;
use super::super::brush::{Row, row};
use super::super::effect::{Effect, Finding};
use crate::domain::{Kpi, Version};
use crate::store::ModelState;
use crate::view::look::Role;

/// Where the table's columns lie.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    pub(super) canary: usize,
    pub(super) baseline: usize,
    pub(super) effect: usize,
    pub(super) limit: usize,
    pub(super) word: usize,
}

impl Columns {
    /// For a pane of so many columns.
    pub fn of(columns: usize) -> Self {
        if columns >= 72 {
            Self { canary: 15, baseline: 25, effect: 36, limit: 46, word: 60 }
        } else {
            Self { canary: 12, baseline: 20, effect: 27, limit: 35, word: 43 }
        }
    }
}

/// The heading of the table.
pub fn heading(cx: &Cx, at: &Columns) -> Row {
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
pub fn headline(model: &ModelState, canary: &Version) -> Vec<Kpi> {
    let measured = |kpi: Kpi| model.readings.contains_key(&(kpi, Some(canary.clone())));
    let quality = model.kind.quality();
    let score = quality.iter().copied().find(|&kpi| measured(kpi)).or(quality.first().copied());
    [Kpi::ErrorRate, Kpi::LatencyP95, Kpi::LatencyP99].into_iter().chain(score).collect()
}

/// Every KPI that is measured of either version.
pub fn both_measured(model: &ModelState, canary: &Version, stable: &Version) -> Vec<Kpi> {
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

/// A row of the table.
pub fn compared(cx: &Cx, at: &Columns, effect: &Effect) -> Row {
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
