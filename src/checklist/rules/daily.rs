//! What is looked at every day.

use super::fleet::{self, Says, all, list, named, within};
use crate::checklist::item::{Found, Item, Sight};
use crate::checklist::period::Period;
use crate::domain::{
    AlertState, EventKind, Freshness, Kpi, Level, ModelKind, Readiness, SourceGroup, limits,
};
use crate::store::ModelState;

/// The numbers of the runbook's daily check.
const RUNBOOK: [(Kpi, f64); 5] = [
    (Kpi::Accuracy, 0.80),
    (Kpi::AucRoc, 0.85),
    (Kpi::F1, 0.75),
    (Kpi::Precision, 0.80),
    (Kpi::Sensitivity, 0.75),
];
/// Values that may be missing, percent: below.
const MISSING: f64 = 5.0;
/// Drift, and a shift of the share of positive predictions, must stay below this.
const DRIFT: f64 = 0.10;
/// A day, seconds.
const DAY_S: i64 = 86_400;
/// A past shorter than this is not called the last 24 hours, seconds.
const MOST_OF_A_DAY_S: i64 = 20 * 3_600;

/// The daily checks.
pub const DAILY: &[Item] = &[
    item("service", "every model server answers and is ready", service),
    item("limits", "errors and latency are within their limits", operational),
    item("metrics", "quality of the last 24 h meets the runbook's numbers", metrics),
    item("predictions", "predictions are distributed as before", predictions),
    item("data", "input data are whole: less than 5 % of values are missing", data),
    item("drift", "drift of the inputs is below 0.10", drift),
    item("alerts", "new alerts were looked at", alerts),
    item("log", "the log of the day is written", log),
];

const fn item(id: &'static str, words: &'static str, look: fn(&Sight<'_>) -> Found) -> Item {
    // Alerts that come later in the day want to be looked at too.
    Item { id, period: Period::Daily, words, look, lasts: !matches!(id.as_bytes(), b"alerts") }
}

fn service(sight: &Sight<'_>) -> Found {
    let store = sight.store;
    all(store, "name its servers under [[model.endpoint]]", |model| {
        let mut bad = Vec::new();
        for (name, instance) in &model.instances {
            let source = &store.sources[instance.source];
            match (&source.fault, &instance.status) {
                (Some(fault), _) => bad.push(format!("{name} {}", fault.kind.word())),
                (None, _) if source.freshness(sight.now) == Freshness::Stale => {
                    bad.push(format!("{name} stale"));
                }
                (None, Some(status)) if status.readiness != Readiness::Ready => {
                    bad.push(format!("{name} not ready"));
                }
                (None, Some(_)) => {}
                (None, None) => return Says::Silent(format!("{name} has not answered yet")),
            }
        }
        match (model.instances.is_empty(), bad.is_empty()) {
            (true, _) => Says::Silent("no known server".into()),
            (false, true) => Says::Holds,
            (false, false) => Says::Fails(bad.join(", ")),
        }
    })
}

fn operational(sight: &Sight<'_>) -> Found {
    let remedy = "name Prometheus or the servers' metrics pages";
    all(sight.store, remedy, |model| {
        within(model, &[Kpi::ErrorRate, Kpi::LatencyP95, Kpi::LatencyP99], false)
    })
}

/// The mean of the last 24 hours, else the present value; and whether it was the mean.
fn of_a_day(model: &ModelState, kpi: Kpi, now_s: i64) -> Option<(f64, bool)> {
    let series = model.long.get(&(kpi, None));
    let from = now_s - DAY_S;
    let covers = |series: &&crate::store::Series| {
        series.points().any(|(at, _)| at >= from && at <= now_s - MOST_OF_A_DAY_S)
    };
    let mean = series.filter(covers).and_then(|series| series.mean_since(from));
    match mean {
        Some((mean, _)) => Some((mean, true)),
        None => model.value(kpi).map(|value| (value, false)),
    }
}

fn metrics(sight: &Sight<'_>) -> Found {
    let now_s = sight.now.timestamp();
    let whole_day = std::cell::Cell::new(0);
    let found = all(sight.store, "give it labels: [[samples]], Prometheus or the MLOps service", |model| {
        if model.kind == ModelKind::Regression {
            // The runbook has no numbers for these: their own limits judge.
            return within(model, model.kind.quality(), true);
        }
        let mut bad = Vec::new();
        let (mut measured, mut means) = (0, 0);
        for (kpi, least) in RUNBOOK {
            let Some((value, is_mean)) = of_a_day(model, kpi, now_s) else { continue };
            measured += 1;
            means += usize::from(is_mean);
            if limits::beyond(kpi, value, least) {
                bad.push(format!("{} {} < {}", kpi.short(), kpi.format(value), kpi.format(least)));
            }
        }
        if !bad.is_empty() {
            return Says::Fails(bad.join(", "));
        }
        let headline = model.kind.quality().first().and_then(|&kpi| model.judgement(kpi));
        match headline.filter(|judged| judged.level == Level::Unknown) {
            Some(judged) if means == 0 => return Says::Silent(judged.reason.clone()),
            _ if measured == 0 => return Says::Silent(format!("no {}", list(&[Kpi::Accuracy]))),
            _ => {}
        }
        whole_day.set(whole_day.get() + usize::from(means > 0));
        Says::Holds
    });
    match found {
        Found::Verified(words) => {
            let days = whole_day.get();
            Found::Verified(match days {
                0 => format!("{words}, by what is measured now: no 24 h are kept"),
                _ if days == sight.store.models.len() => format!("{words}, means of 24 h"),
                _ => format!("{words}, {days} by means of 24 h, the others by what is measured now"),
            })
        }
        other => other,
    }
}

/// The share of positive predictions of the last day against the week before, as a share of all.
fn shift(model: &ModelState, now_s: i64) -> Option<(f64, f64)> {
    let series = model.long.get(&(Kpi::PositiveRate, None))?;
    let (from, week) = (now_s - DAY_S, now_s - 8 * DAY_S);
    let mean = |from: i64, to: i64| {
        let values: Vec<f64> =
            series.points().filter(|&(at, _)| at >= from && at < to).map(|(_, value)| value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    Some((mean(week, from)?, mean(from, now_s + 1)?))
}

fn predictions(sight: &Sight<'_>) -> Found {
    let now_s = sight.now.timestamp();
    let remedy = "give samples with predictions ([[samples]]), drift reports, or a rate of positives";
    all(sight.store, remedy, |model| {
        if let Some(finding) = model.findings.get("prediction") {
            return match finding.abnormal {
                true => Says::Fails(format!("predictions: {}", finding.text)),
                false => Says::Holds,
            };
        }
        match shift(model, now_s) {
            Some((before, now)) if (now - before).abs() >= DRIFT * 100.0 => {
                Says::Fails(format!("{before:.1} → {now:.1} % positive against the week before"))
            }
            Some(_) => Says::Holds,
            None => Says::Silent("no word on predictions".into()),
        }
    })
}

/// The largest percentage in words such as `3.0 % of all, most in mean_area 6.1 %`.
fn largest_percent(words: &str) -> Option<f64> {
    let parts: Vec<&str> = words.split_whitespace().collect();
    let shares = parts.windows(2).filter(|pair| pair[1].starts_with('%'));
    shares.filter_map(|pair| pair[0].parse::<f64>().ok()).reduce(f64::max)
}

fn data(sight: &Sight<'_>) -> Found {
    let remedy = "give samples ([[samples]]) or drift reports with missing values";
    all(sight.store, remedy, |model| {
        let finding = |kind: &str| model.findings.get(kind);
        let bad: Vec<String> = ["missing values", "schema"]
            .into_iter()
            .filter_map(|kind| {
                let finding = finding(kind)?;
                let is_missing = kind == "missing values";
                let much = is_missing && largest_percent(&finding.text).is_some_and(|share| share >= MISSING);
                (finding.abnormal || much).then(|| format!("{kind}: {}", finding.text))
            })
            .collect();
        match (bad.is_empty(), finding("missing values")) {
            (false, _) => Says::Fails(bad.join(", ")),
            (true, Some(_)) => Says::Holds,
            (true, None) => Says::Silent("no word on missing values".into()),
        }
    })
}

fn drift(sight: &Sight<'_>) -> Found {
    let remedy = "name samples, drift reports or drift metrics";
    all(sight.store, remedy, |model| {
        if let Some(judged) = model.judgement(Kpi::DataDrift)
            && judged.level == Level::Unknown
        {
            return Says::Silent(judged.reason.clone());
        }
        match model.data_drift() {
            Some(score) if score >= DRIFT => Says::Fails(format!("drift {score:.2} ≥ {DRIFT:.2}")),
            Some(_) => Says::Holds,
            None => Says::Silent("no measured drift".into()),
        }
    })
}

/// Only a person can look at alerts; while none fires there is nothing to look at.
fn alerts(sight: &Sight<'_>) -> Found {
    let store = sight.store;
    let tells = |group| matches!(group, SourceGroup::Alerts | SourceGroup::Prometheus);
    let mut known = store.sources.iter().filter(|source| tells(source.info.group)).peekable();
    if known.peek().is_none() {
        return Found::CannotTell("no source of alerts is configured: name [[alertmanager]]".into());
    }
    if let Some(silent) = known.find(|source| source.fault.is_some() || source.seen.is_none()) {
        return Found::CannotTell(format!("{} does not answer; see wardroom doctor", silent.info.id));
    }
    let since = Period::Daily.span(sight.now).start();
    let firing: Vec<String> = store
        .all_alerts()
        .into_iter()
        .filter(|alert| alert.state == AlertState::Firing)
        .map(|alert| {
            let model = alert.model.as_ref().map(|model| format!(" {}", model.name)).unwrap_or_default();
            let new = if alert.since >= since { " new" } else { "" };
            format!("{}{model} since {}{new}", alert.name, alert.since.format("%-d %b %H:%M"))
        })
        .collect();
    let silenced = store.all_alerts().iter().filter(|alert| alert.state == AlertState::Silenced).count();
    match firing.len() {
        0 if silenced > 0 => Found::Verified(format!("no alert fires, {silenced} silenced")),
        0 => Found::Verified("no alert fires".into()),
        count => Found::ByHand(format!("{count} firing: {}", named(&firing))),
    }
}

fn log(sight: &Sight<'_>) -> Found {
    let since = Period::Daily.span(sight.now).start();
    let is_note = |event: &&crate::domain::Event| event.kind == EventKind::Note && event.at >= since;
    let notes: Vec<_> = sight.store.timeline.iter().filter(is_note).collect();
    match notes.last() {
        Some(last) => {
            let count = if notes.len() == 1 { "1 note".into() } else { format!("{} notes", notes.len()) };
            let by = if last.detail.is_empty() { String::new() } else { format!(" by {}", last.detail) };
            Found::Verified(format!("{count} today, the last {}{by}", last.at.format("%H:%M")))
        }
        None => Found::ByHand(format!("no note today about {}", fleet::models(sight.store.models.len()))),
    }
}
