//! Welch's t test and effect sizes of two means.

use crate::stats::Outcome;
use crate::stats::sample::Moments;
use crate::stats::special::{student_isf, student_sf};

/// The test's outcome; differences are `a` − `b`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// The statistic.
    pub t: f64,
    /// Satterthwaite's degrees of freedom.
    pub df: f64,
    /// p-value against "equal means".
    pub p_two_sided: f64,
    /// p-value against "a is not greater".
    pub p_greater: f64,
    /// Mean of a minus mean of b.
    pub mean_diff: f64,
    /// 95 % confidence interval of that difference, for one look.
    pub ci95: (f64, f64),
    /// Difference in pooled standard deviations.
    pub cohen_d: f64,
    /// The same, corrected for small samples.
    pub hedges_g: f64,
}

/// Source: Welch 1947; Hedges 1981. Too few values in an arm: insufficient; both arms constant: degenerate.
pub fn test(a: &[f64], b: &[f64]) -> Outcome<Welch> {
    if a.len() < 2 || b.len() < 2 {
        return Outcome::InsufficientData;
    }
    let (a, b) = (Moments::of(a), Moments::of(b));
    let (va, vb) = (a.variance() / a.n, b.variance() / b.n);
    let error = (va + vb).sqrt();
    if error == 0.0 || !error.is_finite() {
        return Outcome::Degenerate;
    }
    let mean_diff = a.mean - b.mean;
    let t = mean_diff / error;
    let df = (va + vb).powi(2) / (va * va / (a.n - 1.0) + vb * vb / (b.n - 1.0));
    let half = student_isf(0.025, df) * error;
    let pooled_df = a.n + b.n - 2.0;
    let cohen_d = mean_diff / ((a.squares + b.squares) / pooled_df).sqrt();
    Outcome::Ok(Welch {
        t,
        df,
        p_two_sided: (2.0 * student_sf(t.abs(), df)).min(1.0),
        p_greater: student_sf(t, df),
        mean_diff,
        ci95: (mean_diff - half, mean_diff + half),
        cohen_d,
        hedges_g: cohen_d * (1.0 - 3.0 / (4.0 * pooled_df - 1.0)),
    })
}
