//! How models did between two moments: predictions, latency, errors, KPIs against their limits, violations.

use std::collections::BTreeMap;

use serde::Serialize;

use super::text::{count, inline, moment, span};
use super::traffic::traffic;
use crate::domain::{Event, EventKind, Judgement, Kpi, Level, Reading, Time, judge};
use crate::store::ModelState;

/// How many violations a document lists for each model; the JSON has all.
const LISTED: usize = 20;

/// A KPI between two moments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Which.
    pub kpi: Kpi,
    /// The mean of its points, in its unit.
    pub mean: f64,
    /// The worst of them.
    pub worst: f64,
    /// The last of them.
    pub last: f64,
    /// How many there are.
    pub points: usize,
    /// The mean against the model's limits.
    pub judged: Judgement,
}

/// A limit that was crossed or an alert that fired.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Violation {
    /// When.
    pub at: Time,
    /// How bad.
    pub level: Level,
    /// What.
    pub what: String,
}

/// How a model did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Performance {
    /// The model's name.
    pub model: String,
    /// The version that served at the end; empty when not known.
    pub version: String,
    /// Predictions, from the rate of requests.
    pub predictions: Option<f64>,
    /// Failed ones.
    pub failed: Option<f64>,
    /// Failed ones, percent of all.
    pub error_rate: Option<f64>,
    /// Mean latency, ms, where a server tells one.
    pub mean_latency_ms: Option<f64>,
    /// Every KPI that was measured.
    pub kpis: Vec<Summary>,
    /// What went beyond its limits, in order of time.
    pub violations: Vec<Violation>,
}

/// Points of one KPI of a model: seconds since 1970 and the value.
pub type Points = Vec<(i64, f64)>;

/// How a model did: its limits and version as `model` has them, its points and lines of the timeline of the time.
pub fn performance(model: &ModelState, points: &BTreeMap<Kpi, Points>, events: &[Event]) -> Performance {
    let none = Points::new();
    let of = |kpi| points.get(&kpi).unwrap_or(&none);
    let asked = traffic(&model.id.name, of(Kpi::Throughput), of(Kpi::ErrorRate), "");
    let mean = |points: &Points| {
        let sum: f64 = points.iter().map(|(_, value)| value).sum();
        (!points.is_empty()).then(|| sum / points.len() as f64)
    };
    let rate = match (asked.requests, asked.errors) {
        (Some(requests), Some(errors)) if requests > 0.0 => Some(100.0 * errors / requests),
        _ => mean(of(Kpi::ErrorRate)),
    };
    let kpis = Kpi::all().filter_map(|kpi| summary(model, kpi, points.get(&kpi)?)).collect();
    let is_violation = |event: &&Event| {
        let kinds = [EventKind::Judgement, EventKind::Drift, EventKind::Alert];
        event.model.as_ref() == Some(&model.id)
            && kinds.contains(&event.kind)
            && matches!(event.level, Level::Warning | Level::Critical)
    };
    Performance {
        model: model.id.name.to_string(),
        version: model.live_version().map(ToString::to_string).unwrap_or_default(),
        predictions: asked.requests,
        failed: asked.errors,
        error_rate: rate,
        mean_latency_ms: mean(of(Kpi::LatencyMean)),
        kpis,
        violations: events
            .iter()
            .filter(is_violation)
            .map(|event| Violation { at: event.at, level: event.level, what: event.what.clone() })
            .collect(),
    }
}

fn summary(model: &ModelState, kpi: Kpi, points: &Points) -> Option<Summary> {
    let finite: Vec<(i64, f64)> = points.iter().copied().filter(|(_, value)| value.is_finite()).collect();
    let &(at, last) = finite.last()?;
    let values = || finite.iter().map(|(_, value)| *value);
    let mean = values().sum::<f64>() / finite.len() as f64;
    let worst = match kpi.direction() {
        crate::domain::Direction::Lower => values().fold(f64::NEG_INFINITY, f64::max),
        crate::domain::Direction::Higher => values().fold(f64::INFINITY, f64::min),
    };
    let reading = Reading::new(mean, Time::from_timestamp(at, 0)?);
    let judged = judge(kpi, &reading, model.limits.rules(kpi));
    Some(Summary { kpi, mean, worst, last, points: finite.len(), judged })
}

/// The report for people.
pub fn performance_markdown(
    environment: &str,
    (from, to): (Time, Time),
    now: Time,
    models: &[Performance],
) -> String {
    let mut out = format!(
        "# Performance of {}\n\n{} – {} UTC ({}). Written {} UTC.\n\n",
        inline(environment),
        moment(from),
        moment(to),
        span((to - from).as_seconds_f64()),
        moment(now)
    );
    out.push_str("| Model | Version | Predictions | Failed | Error rate | Mean latency | Violations |\n");
    out.push_str("| --- | --- | ---: | ---: | ---: | ---: | ---: |\n");
    let number = |value: Option<f64>| value.map_or_else(|| "not known".into(), count);
    for one in models {
        let version = if one.version.is_empty() { "not known".into() } else { inline(&one.version) };
        out.push_str(&format!(
            "| {} | {version} | {} | {} | {} | {} | {} |\n",
            inline(&one.model),
            number(one.predictions),
            number(one.failed),
            one.error_rate.map_or_else(|| "not known".into(), |rate| format!("{rate:.2} %")),
            one.mean_latency_ms.map_or_else(|| "not measured".into(), |mean| format!("{mean:.0} ms")),
            one.violations.len()
        ));
    }
    out.push_str(
        "\nPredictions are counted from the kept rate of requests; times without points count nothing.\n",
    );
    for one in models {
        out.push_str(&format!("\n## {}\n\n", inline(&one.model)));
        out.push_str("| KPI | Mean | Worst | Last | Points | Mean against the limits | Rule |\n");
        out.push_str("| --- | ---: | ---: | ---: | ---: | --- | --- |\n");
        for kpi in &one.kpis {
            out.push_str(&row(kpi));
        }
        out.push('\n');
        out.push_str(&violations(&one.violations));
    }
    out
}

fn row(one: &Summary) -> String {
    let kpi = one.kpi;
    let rule = one.judged.rule.as_ref().map_or_else(|| "–".into(), |rule| inline(&rule.to_string()));
    format!(
        "| {} | {} | {} | {} | {} | {}: {} | {rule} |\n",
        kpi.label(),
        kpi.format_with_unit(one.mean),
        kpi.format_with_unit(one.worst),
        kpi.format_with_unit(one.last),
        one.points,
        one.judged.level.word(),
        inline(&one.judged.reason)
    )
}

fn violations(all: &[Violation]) -> String {
    if all.is_empty() {
        return "No limit was seen to be crossed.\n".into();
    }
    let mut out = String::from("Violations:\n\n");
    for one in all.iter().take(LISTED) {
        out.push_str(&format!("- {} UTC, {}: {}\n", moment(one.at), one.level.word(), inline(&one.what)));
    }
    if all.len() > LISTED {
        out.push_str(&format!("- and {} more, the last at {} UTC\n", all.len() - LISTED, {
            all.last().map(|one| moment(one.at)).unwrap_or_default()
        }));
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Limits, ModelId, ModelKind};
    use crate::report::tests::at;

    #[test]
    fn a_day_of_a_model_in_numbers() {
        let kind = ModelKind::Classification;
        let id = ModelId::new("prod-eu", "alz");
        let model = ModelState::new(id.clone(), kind, Arc::new(Limits::guide(kind)));
        let every =
            |value: f64| -> Points { (0..=60).map(|minute| (at(minute).timestamp(), value)).collect() };
        let mut points = BTreeMap::from([
            (Kpi::Throughput, every(10.0)),
            (Kpi::ErrorRate, every(1.5)),
            (Kpi::LatencyP95, every(200.0)),
        ]);
        points.get_mut(&Kpi::LatencyP95).unwrap()[30].1 = 900.0;
        let event = |minutes, level, what: &str| Event {
            at: at(minutes),
            kind: EventKind::Judgement,
            model: Some(id.clone()),
            level,
            what: what.into(),
            detail: String::new(),
        };
        let events =
            [event(30, Level::Critical, "p95 900 ms > 500"), event(31, Level::Ok, "p95 200 ms ≤ 300")];
        let found = performance(&model, &points, &events);
        assert_eq!(
            (found.predictions, found.failed, found.error_rate),
            (Some(36_000.0), Some(540.0), Some(1.5))
        );
        assert_eq!(found.mean_latency_ms, None, "no server tells it, so nothing is made up");
        assert_eq!(found.violations.len(), 1);
        let of = |kpi| found.kpis.iter().find(|one| one.kpi == kpi).unwrap();
        assert_eq!((of(Kpi::LatencyP95).worst, of(Kpi::LatencyP95).judged.level), (900.0, Level::Ok));
        assert_eq!(of(Kpi::ErrorRate).judged.level, Level::Warning);
        let text = performance_markdown("prod-eu", (at(0), at(60)), at(61), &[found]);
        for part in [
            "| alz | not known | 36 000 | 540 | 1.50 % | not measured | 1 |",
            "| error rate | 1.50 % | 1.50 % | 1.50 % | 61 | warning: errors 1.50 % > 1.00 | guide |",
            "UTC, critical: p95 900 ms > 500",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
