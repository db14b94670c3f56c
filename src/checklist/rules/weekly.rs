//! What is looked at every week.

use super::fleet::{Says, all, list, named};
use crate::checklist::beside::Trail;
use crate::checklist::item::{Found, Item, Sight};
use crate::checklist::period::Period;
use crate::domain::{Direction, DriftLevel, Freshness, Kpi, Level, limits};
use crate::store::ModelState;

const DAY_S: i64 = 86_400;
/// Quality must stay within this share of what it was, as the guide asks of validations.
const WORSE: f64 = 0.05;
/// Labels must cover so many of the predictions, percent: the guide's sample.
const COVERAGE: f64 = 10.0;
/// Labels must not be older than this, seconds.
const LAG_S: f64 = 7.0 * 86_400.0;
/// A resource must stay below this, percent.
const FULL: f64 = 90.0;
/// A past shorter than this shows no trend of a week, seconds.
const MOST_OF_A_WEEK_S: i64 = 5 * DAY_S;

/// The weekly checks.
pub const WEEKLY: &[Item] = &[
    item("features", "no feature drifts from its baseline", features),
    item("trend", "quality of 7 days has not become worse", trend),
    item("labels", "labels cover 10 % of predictions and are at most 7 days old", labels),
    item("failed", "failed predictions are within their limit, over 7 days where they are kept", failed),
    item("resources", "CPU, memory and accelerators are below 90 %", resources),
    item("sources", "every source answers and is fresh", sources),
    item("audit", "the audit trail is intact", audit),
    item("report", "the weekly report is written and discussed", report),
    item("backup", "model artifacts are backed up, and a copy was read back", backup),
];

const fn item(id: &'static str, words: &'static str, look: fn(&Sight<'_>) -> Found) -> Item {
    Item { id, period: Period::Weekly, words, look, lasts: true }
}

fn features(sight: &Sight<'_>) -> Found {
    let count = std::cell::Cell::new(0);
    let found = all(sight.store, "name samples, drift reports or drift metrics", |model| {
        let features = model.features(None);
        count.set(count.get() + features.len());
        let drifted: Vec<String> = features
            .iter()
            .filter(|state| state.latest.confirmed_level() >= Some(DriftLevel::Moderate))
            .map(|state| {
                let score = state.latest.score().unwrap_or(state.latest.raw);
                format!("{} {score:.2}", state.latest.feature)
            })
            .collect();
        match (features.is_empty(), drifted.first()) {
            (true, _) => Says::Silent("no measured feature".into()),
            (false, None) => Says::Holds,
            (false, Some(worst)) => {
                Says::Fails(format!("{} of {} features, {worst}", drifted.len(), features.len()))
            }
        }
    });
    match found {
        Found::Verified(words) => Found::Verified(format!("{words}, {} features below 0.10", count.get())),
        other => other,
    }
}

/// The mean of a KPI's points in `[from, to)`.
fn mean(model: &ModelState, kpi: Kpi, from: i64, to: i64) -> Option<f64> {
    let series = model.long.get(&(kpi, None))?;
    let values: Vec<f64> =
        series.points().filter(|&(at, _)| at >= from && at < to).map(|(_, value)| value).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn reaches_back(model: &ModelState, kpi: Kpi, now_s: i64) -> bool {
    let series = model.long.get(&(kpi, None));
    series.and_then(|series| series.first_s()).is_some_and(|first| first <= now_s - MOST_OF_A_WEEK_S)
}

fn trend(sight: &Sight<'_>) -> Found {
    let now_s = sight.now.timestamp();
    let remedy = "let Prometheus keep 7 days of quality metrics, or keep the history";
    all(sight.store, remedy, |model| {
        let (mut seen, mut worse) = (false, Vec::new());
        for &kpi in model.kind.quality().iter().filter(|&&kpi| reaches_back(model, kpi, now_s)) {
            let before = mean(model, kpi, now_s - 7 * DAY_S, now_s - DAY_S);
            let (Some(before), Some(now)) = (before, mean(model, kpi, now_s - DAY_S, now_s + 1)) else {
                continue;
            };
            seen = true;
            let loss = if kpi.direction() == Direction::Higher { before - now } else { now - before };
            if loss > WORSE * before.abs() {
                worse.push(format!("{} {} → {}", kpi.short(), kpi.format(before), kpi.format(now)));
            }
        }
        match (seen, worse.is_empty()) {
            (false, _) => Says::Silent("no quality of 7 days".into()),
            (true, true) => Says::Holds,
            (true, false) => Says::Fails(worse.join(", ")),
        }
    })
}

fn labels(sight: &Sight<'_>) -> Found {
    let remedy = "publish label coverage and label lag";
    all(sight.store, remedy, |model| {
        let (coverage, lag) = (model.value(Kpi::LabelCoverage), model.value(Kpi::LabelLag));
        let mut bad = Vec::new();
        if let Some(share) = coverage.filter(|&share| share < COVERAGE) {
            bad.push(format!("label coverage {share:.0} % < {COVERAGE:.0}"));
        }
        if let Some(lag) = lag.filter(|&lag| lag > LAG_S) {
            bad.push(format!("labels {:.0} days old > 7", lag / DAY_S as f64));
        }
        match (coverage, lag) {
            _ if !bad.is_empty() => Says::Fails(bad.join(", ")),
            (Some(_), Some(_)) => Says::Holds,
            (None, Some(_)) => Says::Silent(format!("no {}", list(&[Kpi::LabelCoverage]))),
            (Some(_), None) => Says::Silent(format!("no {}", list(&[Kpi::LabelLag]))),
            (None, None) => Says::Silent("no measured labels".into()),
        }
    })
}

fn failed(sight: &Sight<'_>) -> Found {
    let now_s = sight.now.timestamp();
    let weeks = std::cell::Cell::new(0);
    let found = all(sight.store, "name Prometheus or the servers' metrics pages", |model| {
        let kpi = Kpi::ErrorRate;
        let Some(limit) = model.limits.rule(kpi).and_then(|rule| rule.warning.or(rule.critical)) else {
            return Says::Silent("no limit of the error rate".into());
        };
        let week = mean(model, kpi, now_s - 7 * DAY_S, now_s + 1).filter(|_| reaches_back(model, kpi, now_s));
        let judged = model.judgement(kpi).filter(|judged| judged.level != Level::Unknown);
        let value = week.or_else(|| judged.and_then(|judged| judged.value));
        weeks.set(weeks.get() + usize::from(week.is_some()));
        match value {
            Some(value) if limits::beyond(kpi, value, limit) => {
                let span = if week.is_some() { "over 7 days" } else { "now" };
                Says::Fails(format!("errors {value:.2} % > {} {span}", kpi.format(limit)))
            }
            Some(_) => Says::Holds,
            None => Says::Silent("no error rate".into()),
        }
    });
    match found {
        Found::Verified(words) => Found::Verified(match weeks.get() {
            0 => format!("{words}, by what is measured now: no 7 days are kept"),
            weeks => format!("{words}, {weeks} by means of 7 days"),
        }),
        other => other,
    }
}

fn resources(sight: &Sight<'_>) -> Found {
    let all_resources = [Kpi::Cpu, Kpi::Memory, Kpi::Gpu];
    all(sight.store, "publish CPU and memory of its servers", |model| {
        let measured: Vec<(Kpi, f64)> =
            all_resources.into_iter().filter_map(|kpi| Some((kpi, model.value(kpi)?))).collect();
        let full: Vec<String> = measured
            .iter()
            .filter(|(_, value)| *value >= FULL)
            .map(|(kpi, value)| format!("{} {value:.0} % ≥ {FULL:.0}", kpi.label()))
            .collect();
        match (measured.is_empty(), full.is_empty()) {
            (true, _) => Says::Silent("no measured resource".into()),
            (false, true) => Says::Holds,
            (false, false) => Says::Fails(full.join(", ")),
        }
    })
}

fn sources(sight: &Sight<'_>) -> Found {
    let sources = &sight.store.sources;
    if sources.is_empty() {
        return Found::CannotTell("no source is configured".into());
    }
    let bad: Vec<String> = sources
        .iter()
        .filter_map(|source| match (&source.fault, source.freshness(sight.now)) {
            (Some(fault), _) => Some(format!("{} {}", source.info.id, fault.kind.word())),
            (None, Freshness::Stale) => Some(format!("{} stale", source.info.id)),
            (None, Freshness::Never) => Some(format!("{} has not answered yet", source.info.id)),
            (None, Freshness::Live | Freshness::Late) => None,
        })
        .collect();
    let count = format!("{} of {} sources", sources.len() - bad.len(), sources.len());
    if bad.is_empty() { Found::Verified(count) } else { Found::NotMet(format!("{count}; {}", named(&bad))) }
}

fn audit(sight: &Sight<'_>) -> Found {
    match &sight.beside.trail {
        Trail::Intact(1) => Found::Verified("1 entry, intact".into()),
        Trail::Intact(count) => Found::Verified(format!("{count} entries, intact")),
        Trail::Changed(what) => Found::NotMet(format!("{what}; see wardroom audit verify")),
        Trail::Unreadable(why) => Found::CannotTell(why.clone()),
        Trail::Absent => {
            Found::CannotTell("there is no trail yet: nothing was done from here (control.folder)".into())
        }
        Trail::NotLooked => Found::CannotTell("the trail was not looked at yet".into()),
    }
}

fn report(_: &Sight<'_>) -> Found {
    Found::ByHand(String::new())
}

fn backup(_: &Sight<'_>) -> Found {
    Found::ByHand(String::new())
}
