//! Drift of a categorical feature, from counts by category.

use super::divergence::{js_distance, js_distance_nats, largest_change, psi_of, shares, total_variation};
use super::equal_width::{self, Evidently};
use crate::stats::Outcome;
use crate::stats::special::chi_square_sf;

/// Everything that is said of one categorical feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Categories {
    /// Rows of the reference.
    pub n: u64,
    /// Rows of the current sample.
    pub m: u64,
    /// Categories with a row on either side.
    pub categories: u64,
    /// Of them, those that the reference lacks: a change of the schema, whatever their mass.
    pub unseen: u64,
    /// Of them, those that the current sample lacks.
    pub missing: u64,
    /// Total variation: the share of rows that moved.
    pub tv: f64,
    /// Largest change of one share.
    pub linf: f64,
    /// Jensen–Shannon distance, base 2.
    pub js: f64,
    /// The same, natural logarithm.
    pub js_nats: f64,
    /// Population stability index, shares floored at 1e-4.
    pub psi: f64,
    /// Statistic of the homogeneity test on the 2×K table, without Yates' correction.
    pub chi2: f64,
    /// Its degrees of freedom, K − 1.
    pub dof: u64,
    /// Its p-value.
    pub chi2_p: f64,
    /// The 2×2 table's statistic with Yates' correction; `None` for other than two categories.
    pub chi2_yates: Option<f64>,
    /// Evidently's scores.
    pub evidently: Evidently,
    /// Evidently's test, which takes the reference's shares for exact; infinite when a category is new.
    pub onesample: f64,
    /// Its p-value.
    pub onesample_p: f64,
    /// Whether a share changed by strictly more than ten points: the guides' rule for predictions.
    pub shifted: bool,
}

/// Compares counts by category, in the same order on both sides. Categories with no row are ignored.
pub fn compare(counts: impl IntoIterator<Item = (u64, u64)>) -> Outcome<Categories> {
    let (r, x): (Vec<u64>, Vec<u64>) = counts.into_iter().filter(|(r, x)| r + x > 0).unzip();
    let (n, m) = (r.iter().sum::<u64>(), x.iter().sum::<u64>());
    if n == 0 || m == 0 {
        return Outcome::NoData;
    }
    let (p, q) = (shares(&r), shares(&x));
    let dof = r.len() as u64 - 1;
    let chi2 = homogeneity(&r, &x, 0.0);
    let onesample = if dof == 0 { 0.0 } else { goodness(&r, &x) };
    // In whole numbers, so that exactly ten points are not more than ten.
    let moved = |(&a, &b): (&u64, &u64)| {
        (u128::from(a) * u128::from(m)).abs_diff(u128::from(b) * u128::from(n)) * 10
            > u128::from(n) * u128::from(m)
    };
    Outcome::Ok(Categories {
        n,
        m,
        categories: r.len() as u64,
        unseen: r.iter().filter(|&&count| count == 0).count() as u64,
        missing: x.iter().filter(|&&count| count == 0).count() as u64,
        tv: total_variation(&p, &q),
        linf: largest_change(&p, &q),
        js: js_distance(&p, &q),
        js_nats: js_distance_nats(&p, &q),
        psi: psi_of(&r, &x),
        chi2,
        dof,
        chi2_p: chi_square_sf(chi2, dof),
        chi2_yates: (r.len() == 2).then(|| homogeneity(&r, &x, 0.5)),
        evidently: equal_width::scores(&p, &q),
        onesample,
        onesample_p: chi_square_sf(onesample, dof),
        shifted: r.iter().zip(&x).any(moved),
    })
}

/// Pearson's statistic of the 2×K table; `correction` is taken from each deviation, but never more than
/// the deviation itself (Yates).
fn homogeneity(r: &[u64], x: &[u64], correction: f64) -> f64 {
    let (n, m) = (r.iter().sum::<u64>() as f64, x.iter().sum::<u64>() as f64);
    let cell = |seen: f64, expected: f64| {
        let off = (seen - expected).abs();
        (off - correction.min(off)).powi(2) / expected
    };
    r.iter()
        .zip(x)
        .map(|(&a, &b)| {
            let both = (a + b) as f64;
            cell(a as f64, n * both / (n + m)) + cell(b as f64, m * both / (n + m))
        })
        .sum()
}

/// Pearson's statistic of the current counts against the reference's shares.
fn goodness(r: &[u64], x: &[u64]) -> f64 {
    let (n, m) = (r.iter().sum::<u64>() as f64, x.iter().sum::<u64>() as f64);
    r.iter().zip(x).map(|(&a, &b)| (b as f64 - a as f64 / n * m).powi(2) / (a as f64 / n * m)).sum()
}
