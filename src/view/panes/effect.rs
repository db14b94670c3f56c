//! Canary against baseline, metric by metric: the effect, the limit, and the word for it.

use crate::domain::limits::{MIN_LABELS, MIN_REQUESTS};
use crate::domain::{Direction, Kpi, Version};
use crate::judge::Rules;
use crate::store::ModelState;

/// Asked and measured share that differ by more points than this do not agree.
const SHARE_POINTS: f64 = 2.0;

/// What a row says about the canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Within its limit.
    Within,
    /// Beyond its limit.
    Beyond,
    /// So few samples that it says nothing.
    TooFew(u64),
    /// One of the two is not measured by version.
    Unmeasured,
    /// There is no limit for it.
    Unlimited,
}

impl Finding {
    /// The words on screen.
    pub fn word(self) -> String {
        match self {
            Self::Within => "within".into(),
            Self::Beyond => "beyond".into(),
            Self::TooFew(n) => format!("too few (n {n})"),
            Self::Unmeasured => "unmeasured".into(),
            Self::Unlimited => String::new(),
        }
    }
}

/// One metric of both versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Which metric.
    pub kpi: Kpi,
    /// The canary's value, with its unit.
    pub canary: Option<String>,
    /// The baseline's value, with its unit.
    pub baseline: Option<String>,
    /// The ratio or the difference, in words.
    pub effect: String,
    /// The limit in words, empty when there is none.
    pub limit: String,
    /// What it says.
    pub finding: Finding,
}

/// Compares a KPI of two versions.
pub fn compare(model: &ModelState, rules: &Rules, kpi: Kpi, canary: &Version, baseline: &Version) -> Effect {
    let read = |version| model.reading_of(kpi, Some(version));
    let (new, old) = (read(canary), read(baseline));
    let value = |reading: &Option<crate::domain::Reading>| reading.as_ref().and_then(|r| r.value);
    let (a, b) = (value(&new), value(&old));
    let needed = if kpi.is_quality() { MIN_LABELS } else { MIN_REQUESTS };
    let samples = |reading: &Option<crate::domain::Reading>| reading.as_ref().and_then(|r| r.samples);
    let fewest = [samples(&new), samples(&old)].into_iter().flatten().min();
    let (limit, beyond) = judged(kpi, rules, a, b);
    let finding = match (a, beyond, fewest) {
        (None, _, _) => Finding::Unmeasured,
        (Some(_), _, Some(n)) if n < needed => Finding::TooFew(n),
        (Some(_), Some(true), _) => Finding::Beyond,
        (Some(_), Some(false), _) => Finding::Within,
        (Some(_), None, _) if limit.is_empty() => Finding::Unlimited,
        (Some(_), None, _) => Finding::Unmeasured,
    };
    let shown = |value: Option<f64>| value.map(|value| kpi.format_with_unit(value));
    Effect {
        kpi,
        canary: shown(a),
        baseline: shown(b),
        effect: a.zip(b).map(|(a, b)| difference(kpi, a, b)).unwrap_or_default(),
        limit,
        finding,
    }
}

/// The limit in words, and whether the canary is beyond it, when that can be told.
fn judged(kpi: Kpi, rules: &Rules, canary: Option<f64>, baseline: Option<f64>) -> (String, Option<bool>) {
    let both = canary.zip(baseline);
    match kpi {
        Kpi::LatencyP50 | Kpi::LatencyP95 | Kpi::LatencyP99 | Kpi::LatencyMean => (
            format!("≤ {}×", rules.latency_tolerance()),
            both.filter(|(_, old)| *old > 0.0).map(|(new, old)| new / old > rules.latency_tolerance()),
        ),
        Kpi::ErrorRate => {
            let limit = 100.0 * rules.error_limits[0];
            (format!("≤ {limit} %"), canary.map(|new| new > limit))
        }
        // Errors of regressions are in the target's unit: a drop of so many points means nothing there.
        kpi if kpi.is_quality() && kpi.direction() == Direction::Higher => (
            format!("≥ {}", score_points(kpi, -rules.accuracy_tolerance(), 0)),
            // A drop of exactly the limit is allowed; the margin is for the numbers' last binary digit.
            both.map(|(new, old)| old - new > rules.accuracy_tolerance() + 1e-9),
        ),
        _ => (String::new(), None),
    }
}

/// The ratio of latencies and rates, the difference of scores in points.
fn difference(kpi: Kpi, canary: f64, baseline: f64) -> String {
    let points = |by: f64, unit: &str| {
        let sign = if by < 0.0 { "−" } else { "+" };
        format!("{sign}{:.1} {unit}", by.abs())
    };
    if kpi.is_quality() {
        return score_points(kpi, canary - baseline, 1);
    }
    if kpi.is_resource() {
        return points(canary - baseline, "pt");
    }
    if baseline > 0.0 {
        return format!("{:.1}×", canary / baseline);
    }
    if canary == baseline { "same".into() } else { points(canary - baseline, kpi.unit()) }
}

/// A difference of scores: points of hundred for shares, plain for what regressions measure.
fn score_points(kpi: Kpi, by: f64, decimals: usize) -> String {
    let sign = if by < 0.0 { "−" } else { "+" };
    match kpi < Kpi::R2 {
        true => format!("{sign}{:.decimals$} pt", 100.0 * by.abs()),
        false => format!("{sign}{}", kpi.format(by.abs())),
    }
}

/// Whether asked and measured share agree: within two points, or within what chance does to so many
/// requests (two standard errors of a share, 2·√(p(1−p)/n)).
pub fn shares_agree(asked: f64, measured: f64, requests: Option<u64>) -> bool {
    let share = (asked / 100.0).clamp(0.0, 1.0);
    let chance =
        requests.filter(|&n| n > 0).map_or(0.0, |n| 200.0 * (share * (1.0 - share) / n as f64).sqrt());
    (asked - measured).abs() <= SHARE_POINTS.max(chance)
}

/// A part of the step line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// Passed.
    Done,
    /// To come.
    Ahead,
}

/// The weights of the steps, each with what lies between it and the next one.
pub fn steps(weights: &[f64], step: usize) -> Vec<(f64, Option<Stretch>)> {
    let mut stops: Vec<f64> = weights.to_vec();
    if stops.last().is_none_or(|last| *last < 100.0) {
        stops.push(100.0);
    }
    let last = stops.len() - 1;
    let stretch = |place| match place {
        place if place == last => None,
        place if place < step => Some(Stretch::Done),
        _ => Some(Stretch::Ahead),
    };
    stops.into_iter().enumerate().map(|(place, weight)| (weight, stretch(place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Limits, ModelId, ModelKind, Reading, Time};
    use crate::store::Sourced;

    fn model(kpi: Kpi, canary: (f64, Option<u64>), baseline: f64) -> ModelState {
        let kind = ModelKind::Classification;
        let mut model = ModelState::new(ModelId::new("e", "m"), kind, Limits::guide(kind).into());
        let at = Time::from_timestamp(1_800_000_000, 0).unwrap();
        for (version, value, samples) in [("2", canary.0, canary.1), ("1", baseline, Some(500))] {
            let reading = Reading::new(value, at).with_samples(samples);
            let entry = Sourced { source: 0, seen: at, reading };
            model.readings.insert((kpi, Some(Version::new(version))), vec![entry]);
        }
        model
    }

    fn words(kpi: Kpi, canary: (f64, Option<u64>), baseline: f64) -> (String, String, String) {
        let found = compare(
            &model(kpi, canary, baseline),
            &Rules::default(),
            kpi,
            &Version::new("2"),
            &Version::new("1"),
        );
        (found.effect, found.limit, found.finding.word())
    }

    #[test]
    fn effects_have_words() {
        let table = [
            (Kpi::LatencyP95, (612.0, Some(640)), 204.0, "3.0×", "≤ 1.5×", "beyond"),
            (Kpi::LatencyP95, (300.0, None), 200.0, "1.5×", "≤ 1.5×", "within"),
            (Kpi::LatencyP95, (300.0, Some(12)), 200.0, "1.5×", "≤ 1.5×", "too few (n 12)"),
            (Kpi::ErrorRate, (1.4, Some(640)), 0.5, "2.8×", "≤ 1 %", "beyond"),
            (Kpi::ErrorRate, (0.9, Some(640)), 0.0, "+0.9 %", "≤ 1 %", "within"),
            (Kpi::Accuracy, (0.866, Some(200)), 0.872, "−0.6 pt", "≥ −2 pt", "within"),
            (Kpi::Accuracy, (0.850, Some(200)), 0.872, "−2.2 pt", "≥ −2 pt", "beyond"),
            (Kpi::Accuracy, (0.852, Some(200)), 0.872, "−2.0 pt", "≥ −2 pt", "within"),
            (Kpi::Mae, (0.15, Some(200)), 0.10, "+.050", "", ""),
            (Kpi::R2, (0.75, Some(200)), 0.80, "−.050", "≥ −.020", "beyond"),
            (Kpi::Throughput, (30.0, None), 90.0, "0.3×", "", ""),
            (Kpi::LatencyP95, (f64::NAN, None), 90.0, "", "≤ 1.5×", "unmeasured"),
        ];
        for (kpi, canary, baseline, effect, limit, word) in table {
            let expected = (effect.to_owned(), limit.to_owned(), word.to_owned());
            assert_eq!(words(kpi, canary, baseline), expected, "{} {canary:?}", kpi.id());
        }
    }

    #[test]
    fn steps_end_at_all_traffic() {
        use Stretch::{Ahead, Done};
        let line = steps(&[5.0, 10.0, 25.0, 50.0], 2);
        assert_eq!(
            line,
            [(5.0, Some(Done)), (10.0, Some(Done)), (25.0, Some(Ahead)), (50.0, Some(Ahead)), (100.0, None)]
        );
        assert_eq!(steps(&[], 9), [(100.0, None)]);
        assert!(shares_agree(25.0, 24.9, None) && !shares_agree(25.0, 22.0, None));
        assert!(shares_agree(25.0, 22.0, Some(300)), "chance alone moves 300 requests by five points");
        assert!(!shares_agree(25.0, 22.0, Some(3_000)));
    }
}
