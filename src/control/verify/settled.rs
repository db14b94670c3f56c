//! Whether latency and errors have settled inside their limits. Pure.

use super::super::Seen;
use super::super::sight::{KpiSight, ModelSight};
use crate::domain::{Kpi, Level, Time};

/// The critical limit of the error rate, percent.
pub(super) fn error_limit(sight: &ModelSight) -> Option<f64> {
    sight.kpis.iter().find(|kpi| kpi.kpi == Kpi::ErrorRate).and_then(|kpi| kpi.critical)
}

/// Settled: every measured KPI is inside its warning limit by a reading whose whole window lies after the act, and
/// the act is at least `window_s` seconds ago: a source that has just begun to count speaks of less than a window.
pub(super) fn settled(
    kpis: &[KpiSight],
    window_s: f64,
    since: Time,
    now: Time,
    late: bool,
) -> (Seen, String) {
    let measured: Vec<&KpiSight> = kpis.iter().filter(|kpi| kpi.level != Level::NotMeasured).collect();
    if measured.is_empty() {
        return (
            Seen::Nothing,
            "no source measures latency or errors: add [model.prometheus] or metrics".into(),
        );
    }
    let broken: Vec<&str> =
        measured.iter().filter(|kpi| kpi.level >= Level::Warning).map(|kpi| kpi.reason.as_str()).collect();
    let left = measured.iter().map(|kpi| left(kpi, window_s, since, now)).fold(0.0, f64::max);
    match (left > 0.0, broken.is_empty()) {
        (true, true) => (Seen::NotYet, format!("inside their limits; {left:.0} s until the window is past")),
        (true, false) => {
            (Seen::NotYet, format!("{}; {left:.0} s until the window is past", broken.join(", ")))
        }
        (false, true) if measured.iter().all(|kpi| kpi.level == Level::Unknown) => {
            let why = measured.iter().map(|kpi| kpi.reason.as_str()).collect::<Vec<_>>().join(", ");
            (if late { Seen::Nothing } else { Seen::NotYet }, why)
        }
        (false, true) => {
            let words: Vec<&str> = measured.iter().map(|kpi| kpi.reason.as_str()).collect();
            (Seen::Yes, words.join(", "))
        }
        (false, false) => (Seen::No, broken.join(", ")),
    }
}

/// Seconds until a reading can speak of the time after the act alone.
fn left(kpi: &KpiSight, window_s: f64, since: Time, now: Time) -> f64 {
    let window = f64::from(kpi.window_s).max(window_s);
    let spoken = kpi.at.map_or(f64::NEG_INFINITY, |at| (at - since).as_seconds_f64());
    if spoken > window { 0.0 } else { (window - (now - since).as_seconds_f64()).max(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + s, 0).unwrap()
    }

    fn p95(level: Level, told: i64) -> KpiSight {
        KpiSight {
            kpi: Kpi::LatencyP95,
            level,
            reason: "p95 204 ms ≤ 300".into(),
            critical: Some(500.0),
            at: Some(at(told)),
            window_s: 60,
        }
    }

    #[test]
    fn a_window_that_reaches_before_the_act_says_nothing() {
        let look = |kpi: KpiSight, now: i64| settled(&[kpi], 0.0, at(0), at(now), false).0;
        assert_eq!(look(p95(Level::Ok, 30), 30), Seen::NotYet);
        assert_eq!(look(p95(Level::Critical, 30), 30), Seen::NotYet, "an old excess is no failure yet");
        assert_eq!(look(p95(Level::Ok, 61), 62), Seen::Yes);
        assert_eq!(look(p95(Level::Warning, 61), 62), Seen::No);
        assert_eq!(settled(&[], 0.0, at(0), at(9), false).0, Seen::Nothing);
        let short = || [KpiSight { window_s: 2, ..p95(Level::Ok, 10) }];
        assert_eq!(
            settled(&short(), 60.0, at(0), at(10), false).0,
            Seen::NotYet,
            "its source has just begun"
        );
        assert_eq!(settled(&short(), 5.0, at(0), at(10), false).0, Seen::Yes);
    }
}
