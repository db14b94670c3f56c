//! Errors of a regression.

use crate::stats::Outcome;
use crate::stats::sample::Moments;

/// Errors of predictions, in the target's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Errors {
    /// Mean absolute error.
    pub mae: f64,
    /// Mean squared error, unit squared.
    pub mse: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Coefficient of determination. Of a constant target: 1 if perfect, else 0; NaN below two rows.
    pub r2: f64,
    /// Rows it rests on.
    pub n: u64,
}

/// Compares targets with predictions, pairwise; rows in which either is not finite are left out.
pub fn errors(target: &[f64], predicted: &[f64]) -> Outcome<Errors> {
    let rows: Vec<(f64, f64)> = target
        .iter()
        .zip(predicted)
        .map(|(&target, &predicted)| (target, predicted))
        .filter(|(target, predicted)| target.is_finite() && predicted.is_finite())
        .collect();
    if rows.is_empty() {
        return Outcome::NoData;
    }
    let n = rows.len() as f64;
    let absolute: f64 = rows.iter().map(|(y, p)| (y - p).abs()).sum();
    let squared: f64 = rows.iter().map(|(y, p)| (y - p).powi(2)).sum();
    let targets: Vec<f64> = rows.iter().map(|row| row.0).collect();
    let spread = Moments::of(&targets).squares;
    let r2 = match (rows.len() < 2, spread == 0.0, squared == 0.0) {
        (true, _, _) => f64::NAN,
        (_, true, true) => 1.0,
        (_, true, false) => 0.0,
        _ => 1.0 - squared / spread,
    };
    let mse = squared / n;
    Outcome::Ok(Errors { mae: absolute / n, mse, rmse: mse.sqrt(), r2, n: rows.len() as u64 })
}
