//! The impact in minutes: for how long each model was at a bad level, from what crossed limits and came back.

use std::collections::{BTreeMap, HashMap};

use super::timeline::{corrections, happened};
use crate::domain::incident::{Incident, Matter, Milestone};
use crate::domain::{Event, EventKind, Kpi, Level, Time};

/// For how long a model was at a bad level.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Impact {
    /// The model's name.
    pub model: String,
    /// When the first limit was crossed.
    pub from: Option<Time>,
    /// When the last one was seen to be well again; absent: it is not, or nobody saw it.
    pub until: Option<Time>,
    /// Seconds in which the worst level was critical.
    pub critical_s: f64,
    /// Seconds in which it was warning.
    pub warning_s: f64,
    /// Seconds in which it was not known.
    pub unknown_s: f64,
    /// What was bad: `p95`, `errors`, `alert CanaryLatencyHigh`.
    pub causes: Vec<String>,
}

/// What an event speaks of: a KPI or an alert; nothing when it cannot be told.
fn key(event: &Event) -> Option<String> {
    match event.kind {
        EventKind::Judgement | EventKind::Drift => {
            let mut found: Vec<&str> = Kpi::all()
                .map(Kpi::short)
                .filter(|short| {
                    event
                        .what
                        .strip_prefix(short)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
                })
                .collect();
            found.sort_by_key(|short| short.len());
            found.pop().map(str::to_owned)
        }
        EventKind::Alert => {
            let (name, _) = event.what.strip_prefix("alert ")?.rsplit_once(' ')?;
            Some(format!("alert {name}"))
        }
        _ => None,
    }
}

fn rank(level: Level) -> u8 {
    match level {
        Level::Critical => 3,
        Level::Warning => 2,
        Level::Unknown => 1,
        Level::NotMeasured | Level::Ok | Level::BelowTarget => 0,
    }
}

/// The impact on each model that an event of the incident names, in order of their names. What is not well again counts
/// until the incident was resolved, else until `now`.
pub fn impact(incident: &Incident, now: Time) -> Vec<Impact> {
    let corrected = corrections(&incident.entries);
    let mut by_model: BTreeMap<String, Vec<(Time, String, Level)>> = BTreeMap::new();
    for entry in &incident.entries {
        let Matter::Seen { event } = &entry.matter else { continue };
        if let (Some(model), Some(key)) = (&event.model, key(event)) {
            let at = happened(entry, &corrected);
            by_model.entry(model.name.to_string()).or_default().push((at, key, event.level));
        }
    }
    let end = incident.marks.get(&Milestone::Resolved).map_or(now, |mark| mark.at);
    by_model.into_iter().filter_map(|(model, points)| one(model, points, end)).collect()
}

fn one(model: String, mut points: Vec<(Time, String, Level)>, end: Time) -> Option<Impact> {
    points.sort_by_key(|(at, ..)| *at);
    let mut found = Impact { model, ..Impact::default() };
    let mut levels: HashMap<String, Level> = HashMap::new();
    let mut since: Option<Time> = None;
    let worst =
        |levels: &HashMap<String, Level>| levels.values().map(|&level| rank(level)).max().unwrap_or(0);
    let spend = |found: &mut Impact, worst: u8, from: Option<Time>, to: Time| {
        let seconds = from.map_or(0.0, |from| (to - from).as_seconds_f64().max(0.0));
        match worst {
            3 => found.critical_s += seconds,
            2 => found.warning_s += seconds,
            1 => found.unknown_s += seconds,
            _ => {}
        }
    };
    for (at, key, level) in points {
        let before = worst(&levels);
        spend(&mut found, before, since, at);
        if rank(level) >= 2 && !found.causes.contains(&key) {
            found.causes.push(key.clone());
        }
        levels.insert(key, level);
        let now = worst(&levels);
        if now >= 2 && found.from.is_none() {
            found.from = Some(at);
        }
        if found.from.is_some() {
            found.until = match now {
                0 => found.until.or(Some(at)),
                _ => None,
            };
        }
        since = Some(at);
    }
    let last = worst(&levels);
    spend(&mut found, last, since, end);
    found.from.is_some().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incident::sample::incident;
    use crate::report::tests::{at, seen};

    fn minutes(found: &Impact) -> (f64, f64, f64) {
        (found.critical_s / 60.0, found.warning_s / 60.0, found.unknown_s / 60.0)
    }

    #[test]
    fn the_worst_of_several_limits_counts_once() {
        let incident = incident(vec![
            seen(0, "alz", EventKind::Judgement, Level::Warning, "p95 450 ms > 400"),
            seen(2, "alz", EventKind::Judgement, Level::Critical, "errors 3.00 % > 2.00"),
            seen(5, "alz", EventKind::Judgement, Level::Ok, "errors 0.10 % ≤ 0.50"),
            seen(9, "alz", EventKind::Judgement, Level::Ok, "p95 210 ms ≤ 300"),
        ]);
        let found = impact(&incident, at(60));
        assert_eq!(found.len(), 1);
        assert_eq!(minutes(&found[0]), (3.0, 6.0, 0.0));
        assert_eq!((found[0].from, found[0].until), (Some(at(0)), Some(at(9))));
        assert_eq!(found[0].causes, ["p95", "errors"]);
    }

    #[test]
    fn what_is_not_well_again_counts_until_now_and_unknown_is_not_well() {
        let incident = incident(vec![
            seen(0, "alz", EventKind::Alert, Level::Critical, "alert Slow now firing"),
            seen(4, "alz", EventKind::Alert, Level::Ok, "alert Slow now ended"),
            seen(4, "alz", EventKind::Judgement, Level::Unknown, "acc has no value: no labels"),
            seen(0, "als", EventKind::Judgement, Level::Warning, "acc .81 < .83"),
            seen(1, "park", EventKind::Registry, Level::Ok, "alias champion 1 → 2"),
        ]);
        let found = impact(&incident, at(10));
        let names: Vec<&str> = found.iter().map(|one| one.model.as_str()).collect();
        assert_eq!(names, ["als", "alz"]);
        assert_eq!((minutes(&found[0]), found[0].until), ((0.0, 10.0, 0.0), None));
        assert_eq!((minutes(&found[1]), found[1].until), ((4.0, 0.0, 6.0), None));
        assert_eq!(found[1].causes, ["alert Slow now"]);
    }
}
