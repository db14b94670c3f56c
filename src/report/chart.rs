//! Series drawn as one line of text.

use super::text::{moment, preformatted};
use crate::domain::{Kpi, Time};

/// The columns of a drawn series.
const COLUMNS: usize = 60;
/// The characters from low to high.
const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Where nothing was measured.
const GAP: char = '·';

/// One series of a model in the time of the incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The model's name.
    pub model: String,
    /// What is shown.
    pub kpi: Kpi,
    /// Points in order of time: seconds since 1970 and the value.
    pub points: Vec<(i64, f64)>,
}

impl Chart {
    /// Two lines: what and between which values, then the series from `from` to `to`. The worst value of each column is
    /// shown; a column without a point is a gap.
    pub(super) fn draw(&self, from: Time, to: Time) -> String {
        let (begin, end) = (from.timestamp(), to.timestamp().max(from.timestamp() + 1));
        let mut columns: Vec<Option<f64>> = vec![None; COLUMNS];
        let higher_is_worse = self.kpi.direction() == crate::domain::Direction::Lower;
        for &(at, value) in
            self.points.iter().filter(|(at, value)| (begin..=end).contains(at) && value.is_finite())
        {
            let share = (at - begin) as f64 / (end - begin) as f64;
            let column = &mut columns[((share * COLUMNS as f64) as usize).min(COLUMNS - 1)];
            *column = Some(match *column {
                Some(known) if higher_is_worse => known.max(value),
                Some(known) => known.min(value),
                None => value,
            });
        }
        let known: Vec<f64> = columns.iter().flatten().copied().collect();
        let low = known.iter().copied().fold(f64::INFINITY, f64::min);
        let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let name = preformatted(&self.model, 60);
        if known.is_empty() {
            return format!("{name}  {}  nothing was measured\n", self.kpi.label());
        }
        let line: String =
            columns.iter().map(|value| value.map_or(GAP, |value| step(value, low, high))).collect();
        format!(
            "{name}  {}  {} – {}\n{line}\n",
            self.kpi.label(),
            self.kpi.format(low),
            self.kpi.format_with_unit(high)
        )
    }
}

fn step(value: f64, low: f64, high: f64) -> char {
    let share = if high > low { (value - low) / (high - low) } else { 0.0 };
    STEPS[((share * STEPS.len() as f64) as usize).min(STEPS.len() - 1)]
}

/// All series in one block, with the time they span.
pub(super) fn block(charts: &[Chart], from: Time, to: Time) -> String {
    let mut out = format!("```text\n{} – {} UTC, {GAP} nothing measured\n", moment(from), moment(to));
    for chart in charts {
        out.push_str(&chart.draw(from, to));
    }
    out.push_str("```\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::at;

    #[test]
    fn gaps_stay_gaps_and_the_worst_is_kept() {
        let base = at(0).timestamp();
        let points = vec![(base, 200.0), (base + 1, 640.0), (base + 3_000, 210.0), (base + 3_600, 200.0)];
        let chart = Chart { model: "alz`heimer".into(), kpi: Kpi::LatencyP95, points };
        let drawn = chart.draw(at(0), at(60));
        let mut lines = drawn.lines();
        assert_eq!(lines.next(), Some("alz'heimer  latency p95  200 – 640 ms"));
        let line = lines.next().unwrap();
        assert_eq!(line.chars().count(), COLUMNS);
        assert!(line.starts_with("█·") && line.ends_with('▁'), "{line}");
        assert_eq!(line.chars().filter(|&c| c == GAP).count(), COLUMNS - 3);
    }

    #[test]
    fn a_series_without_points_says_so() {
        let chart = Chart { model: "als".into(), kpi: Kpi::ErrorRate, points: vec![(0, f64::NAN)] };
        assert_eq!(chart.draw(at(0), at(60)), "als  error rate  nothing was measured\n");
    }
}
