//! Moving averages of daily values with days that are missing.

/// A point of a moving average.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moving {
    /// Mean of the days present in the window; NaN of none.
    pub simple: f64,
    /// How many days of the window are present: "5 of 7 days".
    pub count: usize,
    /// Exponentially weighted mean with span equal to the window, started at the first value.
    pub weighted: f64,
}

/// The simple mean of the last `window` days and the exponentially weighted mean, a = 2/(window + 1).
/// A missing day is a NaN: it is skipped, not a zero.
pub fn averages(values: &[f64], window: usize) -> Vec<Moving> {
    let factor = 2.0 / (window as f64 + 1.0);
    let mut weighted = f64::NAN;
    let mut points = Vec::with_capacity(values.len());
    for (day, &value) in values.iter().enumerate() {
        if !value.is_nan() {
            weighted = if weighted.is_nan() { value } else { (1.0 - factor) * weighted + factor * value };
        }
        let from = (day + 1).saturating_sub(window.max(1));
        let present = values[from..=day].iter().filter(|value| !value.is_nan());
        let (sum, count) = present.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
        let simple = if count == 0 { f64::NAN } else { sum / count as f64 };
        points.push(Moving { simple, count, weighted });
    }
    points
}
