//! Sparklines: one cell a value, scaled by a given range of concern, low enough not to touch the row above.

use super::look::Look;
use crate::domain::{Direction, Kpi, Rule};

/// How many of the eight levels are used.
const LEVELS: usize = 6;

/// A cell for each value between `low` and `high`; beyond them it stays at the edge, a gap is a blank.
pub fn spark(values: &[Option<f64>], low: f64, high: f64, look: &Look) -> String {
    let glyphs = look.glyphs();
    let span = if high > low { high - low } else { 1.0 };
    values
        .iter()
        .map(|value| match value {
            Some(value) if value.is_finite() => {
                let part = ((value - low) / span).clamp(0.0, 1.0);
                glyphs.spark[(part * (LEVELS - 1) as f64).round() as usize % 8]
            }
            _ => " ",
        })
        .collect()
}

/// The range in which a KPI is of concern: from its critical limit to a bit beyond its target. Without a rule
/// the range of the values, at least a tenth of them wide, so that noise stays flat.
pub fn concern(kpi: Kpi, rule: Option<&Rule>, values: &[Option<f64>]) -> (f64, f64) {
    if let Some((target, critical)) = rule.and_then(|rule| Some((rule.target?, rule.critical?))) {
        let beyond = target + (target - critical) * 0.6;
        return match kpi.direction() {
            Direction::Higher => (critical, beyond.max(target)),
            Direction::Lower => (beyond.min(target).max(0.0), critical),
        };
    }
    let known = || values.iter().flatten().copied().filter(|value| value.is_finite());
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    if low > high {
        return (0.0, 1.0);
    }
    let least = (high.abs() * 0.1).max(1e-9);
    (low.min(high - least), high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_follows_the_limits() {
        let limits = crate::domain::Limits::guide(crate::domain::ModelKind::Classification);
        let (low, high) = concern(Kpi::Accuracy, limits.rule(Kpi::Accuracy), &[]);
        assert!((low - 0.80).abs() < 1e-9 && (high - 0.88).abs() < 1e-9, "{low} {high}");
        assert_eq!(concern(Kpi::LatencyP95, limits.rule(Kpi::LatencyP95), &[]), (180.0, 500.0));
        assert_eq!(concern(Kpi::Throughput, None, &[Some(100.0), None]), (90.0, 100.0));
        assert_eq!(concern(Kpi::Throughput, None, &[]), (0.0, 1.0));
    }

    #[test]
    fn gaps_are_blank_and_edges_hold() {
        let values = [Some(-9.0), Some(0.0), None, Some(0.5), Some(1.0), Some(9.0), Some(f64::NAN)];
        assert_eq!(spark(&values, 0.0, 1.0, &Look::default()), "▁▁ ▄▆▆ ");
    }
}
