//! Intervals of a proportion, for one look.

use crate::stats::special::{beta_inverse, normal_isf};

/// Wilson's 95 % score interval of k of n; NaN of no trial. Source: Wilson 1927.
pub fn wilson(k: u64, n: u64) -> (f64, f64) {
    if n == 0 {
        return (f64::NAN, f64::NAN);
    }
    let (k, n, z) = (k.min(n) as f64, n as f64, normal_isf(0.025));
    let p = k / n;
    let scale = 1.0 + z * z / n;
    let middle = (p + z * z / (2.0 * n)) / scale;
    let half = z / scale * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let low = if k == 0.0 { 0.0 } else { middle - half };
    let high = if k == n { 1.0 } else { middle + half };
    (low.clamp(0.0, 1.0), high.clamp(0.0, 1.0))
}

/// Clopper and Pearson's exact 95 % interval of k of n; NaN of no trial. Source: Clopper & Pearson 1934.
pub fn clopper_pearson(k: u64, n: u64) -> (f64, f64) {
    if n == 0 {
        return (f64::NAN, f64::NAN);
    }
    let (k, n) = (k.min(n) as f64, n as f64);
    let low = if k == 0.0 { 0.0 } else { beta_inverse(k, n - k + 1.0, 0.025) };
    let high = if k == n { 1.0 } else { beta_inverse(k + 1.0, n - k, 0.975) };
    (low, high)
}
