//! Sparklines: one cell a value, scaled by a given range of concern, low enough not to touch the row above.

use super::look::Look;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_blank_and_edges_hold() {
        let values = [Some(-9.0), Some(0.0), None, Some(0.5), Some(1.0), Some(9.0), Some(f64::NAN)];
        assert_eq!(spark(&values, 0.0, 1.0, &Look::default()), "▁▁ ▄▆▆ ");
    }
}
