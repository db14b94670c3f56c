//! The drift heatmap's numbers: its span of time, its cells, the order of groups and features.

use crate::domain::drift::Certainty;
use crate::domain::{DriftLevel, FeatureDrift};
use crate::store::FeatureState;

/// Spans, hours; the longer ones are for drift that is computed once or twice a day.
const SPANS_H: [i64; 7] = [1, 6, 12, 24, 48, 168, 720];
/// The longest span of drift that is computed more often, hours.
const USUAL_H: i64 = 48;
/// A score holds until the next one is due, and half as long again.
const HOLD: f64 = 1.5;

/// What a cell shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Nothing was measured.
    Gap,
    /// A score of this level, and whether it is certain: with few rows it is tentative.
    Level(DriftLevel, bool),
    /// A score that samples of this size show without any drift.
    Noise,
    /// A p-value: drifted or not, no level.
    Test(bool),
}

/// A span of time in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its begin.
    pub from: i64,
    /// Its end, shortly after now.
    pub to: i64,
    /// Its length in hours, as the title says it.
    pub hours: i64,
}

impl Span {
    /// The shortest span that covers the features' histories, 48 h at most unless scores are rarer than
    /// every six hours.
    pub fn of<'a>(features: impl Iterator<Item = &'a FeatureState> + Clone, now_s: i64) -> Self {
        let first = features.clone().filter_map(|feature| feature.history.first_s()).min();
        let rare = features.filter_map(spacing_s).min().is_some_and(|spacing| spacing >= 6 * 3_600);
        let longest = if rare { SPANS_H[SPANS_H.len() - 1] } else { USUAL_H };
        let age = first.map_or(0, |first| now_s - first);
        let hours = SPANS_H.into_iter().find(|hours| age <= hours * 3_600).unwrap_or(longest).min(longest);
        // Whole steps of a hundredth, so that the picture stands still in between.
        let step = hours * 36;
        let to = (now_s.div_euclid(step) + 1) * step;
        Self { from: to - hours * 3_600, to, hours }
    }

    /// The length in words: `48 h`, `30 d`.
    pub fn words(hours: i64) -> String {
        if hours > 48 { format!("{} d", hours / 24) } else { format!("{hours} h") }
    }
}

/// The usual distance of two scores, seconds.
fn spacing_s(feature: &FeatureState) -> Option<i64> {
    let times: Vec<i64> = feature.history.points().map(|(at, _)| at).collect();
    let mut spacings: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    spacings.sort_unstable();
    spacings.get(spacings.len() / 2).copied()
}

/// The level of a raw score of this feature.
fn cell(feature: &FeatureDrift, raw: f64) -> Cell {
    let then = FeatureDrift { raw, shape: None, ..feature.clone() };
    match then.level() {
        Some(_) if then.certainty() == Certainty::Noise => Cell::Noise,
        Some(level) => Cell::Level(level, then.certainty() != Certainty::Tentative),
        None => Cell::Test(then.is_drifted()),
    }
}

/// The cells of one feature over a span. The newest score of a part of the span stands for it; a score
/// holds until the next is due, after that there is a gap.
pub fn cells(feature: &FeatureState, span: Span, now_s: i64, columns: usize) -> Vec<Cell> {
    let width = (span.to - span.from).max(1) as f64 / columns.max(1) as f64;
    let hold = spacing_s(feature).map_or(width, |spacing| HOLD * spacing as f64).max(width);
    let mut points = feature.history.points().peekable();
    let mut held: Option<(i64, f64)> = None;
    (0..columns)
        .map(|column| {
            let begin = span.from as f64 + column as f64 * width;
            while let Some(point) = points.next_if(|(at, _)| (*at as f64) < begin + width) {
                held = Some(point);
            }
            match held {
                Some((at, raw)) if begin - at as f64 <= hold && begin <= now_s as f64 => {
                    cell(&feature.latest, raw)
                }
                _ => Cell::Gap,
            }
        })
        .collect()
}

/// Seconds since the newest score, when the next one is overdue.
pub fn overdue_s(feature: &FeatureState, now_s: i64) -> Option<i64> {
    let age = now_s - feature.latest.at.timestamp();
    let spacing = spacing_s(feature)?;
    (age as f64 > 2.0 * HOLD * spacing as f64).then_some(age)
}

/// The features by group: the group with the worst one first, in each group the worst first.
pub fn grouped<'a>(worst_first: &[&'a FeatureState]) -> Vec<&'a FeatureState> {
    let mut groups: Vec<&str> = Vec::new();
    for feature in worst_first {
        if !groups.contains(&&*feature.latest.group) {
            groups.push(&feature.latest.group);
        }
    }
    let of = |group: &str| {
        let group = group.to_owned();
        worst_first.iter().copied().filter(move |feature| *feature.latest.group == *group)
    };
    groups.into_iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DriftScale, Time};
    use crate::store::Series;

    fn feature(name: &str, group: &str, scale: DriftScale, points: &[(i64, f64)]) -> FeatureState {
        let at = |s| Time::from_timestamp(s, 0).unwrap();
        let mut history = Series::default();
        for &(s, raw) in points {
            history.push(at(s), raw, 1_000);
        }
        let &(s, raw) = points.last().unwrap();
        let latest = FeatureDrift::new(name, group, raw, scale, at(s));
        FeatureState { latest, history }
    }

    #[test]
    fn cells_hold_until_the_next_is_due() {
        let span = Span { from: 0, to: 1_000, hours: 1 };
        let points = [(0, 0.01), (100, 0.06), (200, 0.12), (700, 0.4)];
        let feature = feature("f", "", DriftScale::Share, &points);
        use Cell::{Gap, Level};
        assert_eq!(
            cells(&feature, span, 850, 10),
            [
                Level(DriftLevel::Minimal, true),
                Level(DriftLevel::Low, true),
                Level(DriftLevel::Moderate, true),
                Level(DriftLevel::Moderate, true),
                Gap,
                Gap,
                Gap,
                Level(DriftLevel::Critical, true),
                Level(DriftLevel::Critical, true),
                Gap,
            ]
        );
    }

    #[test]
    fn a_p_value_has_no_level() {
        let feature = feature("f", "", DriftScale::PValue, &[(0, 0.9), (50, 0.001)]);
        let span = Span { from: 0, to: 100, hours: 1 };
        assert_eq!(cells(&feature, span, 99, 2), [Cell::Test(false), Cell::Test(true)]);
    }

    #[test]
    fn the_span_covers_what_is_there() {
        let hours = |points: &[(i64, f64)], now| {
            Span::of([feature("f", "", DriftScale::Share, points)].iter(), now).hours
        };
        assert_eq!(hours(&[(0, 0.1)], 60), 1);
        assert_eq!(hours(&[(0, 0.1), (3_600, 0.1)], 20 * 3_600), 24);
        assert_eq!(hours(&[(0, 0.1), (3_600, 0.1)], 900 * 3_600), 48);
        assert_eq!(hours(&[(0, 0.1), (86_400, 0.1)], 26 * 86_400), 720);
        assert_eq!((Span::words(48), Span::words(720)), ("48 h".into(), "30 d".into()));
    }

    #[test]
    fn groups_stay_together_the_worst_first() {
        let make = |name, group, raw| feature(name, group, DriftScale::Share, &[(0, raw)]);
        let all = [make("a", "x", 0.3), make("b", "y", 0.2), make("c", "x", 0.1), make("d", "y", 0.05)];
        let names: Vec<_> =
            grouped(&all.iter().collect::<Vec<_>>()).iter().map(|f| f.latest.feature.to_string()).collect();
        assert_eq!(names, ["a", "c", "b", "d"]);
    }
}
