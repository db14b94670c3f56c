//! The number that a method gives for two samples of numbers, or for two counts of categories.

use super::column::Prepared;
use super::method::Method;
use crate::stats::drift::categories::{self, Categories};
use crate::stats::drift::psi::Deciles;
use crate::stats::drift::{equal_width, ks, wasserstein};
use crate::stats::{Outcome, Sorted};

/// What a method gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Score {
    /// The method's own number.
    pub raw: f64,
    /// The number that levels are taken of, on [`Method::scale`].
    pub sized: f64,
    /// Which statistic it is.
    pub statistic: &'static str,
    /// The p-value of its test.
    pub p: Option<f64>,
}

/// Of numbers. `deciles` are the reference's.
pub(super) fn numbers(
    method: Method,
    reference: &Prepared,
    deciles: &Deciles,
    sorted: (&Sorted, &Sorted),
) -> Outcome<Score> {
    let (r, x) = sorted;
    let plain = |raw, statistic| Score { raw, sized: raw, statistic, p: None };
    match method {
        Method::Ks => ks::distance(r, x)
            .map(|distance| Score { p: Some(distance.p().clamp(0.0, 1.0)), ..plain(distance.d, "ks_D") }),
        Method::Psi => deciles.psi(x).map(|psi| plain(psi.value, "psi_quantile10")),
        Method::Js => equal_width::nannyml(r, x).map(|all| plain(all.js, "nannyml_js")),
        Method::Kl => equal_width::evidently(r, x).map(|all| plain(all.kl, "evidently_kl")),
        Method::Wasserstein => wasserstein::distance(r, x)
            .map(|distance| plain(distance / reference.spread(), "wasserstein_norm")),
        Method::Chi2 => match deciles.psi(x) {
            Outcome::Ok(psi) => counted(method, deciles.counts.iter().copied().zip(psi.counts))
                .map(|score| Score { statistic: "chi2_deciles", ..score }),
            _ => Outcome::NoData,
        },
    }
}

/// Of numbers whose reference is one single value: what lies below, at and above it are categories.
pub(super) fn around(method: Method, value: f64, reference: &Sorted, current: &Sorted) -> Outcome<Score> {
    counted(method, around_counts(value, reference).into_iter().zip(around_counts(value, current)))
}

/// Rows below, at and above a value.
pub(super) fn around_counts(value: f64, sample: &Sorted) -> [u64; 3] {
    let (below, up_to) = (sample.below(value) as u64, sample.up_to(value) as u64);
    [below, up_to - below, sample.len() as u64 - up_to]
}

/// Of counts by category.
pub(super) fn counted(method: Method, counts: impl IntoIterator<Item = (u64, u64)>) -> Outcome<Score> {
    categories::compare(counts).map(|all| of_categories(method, &all))
}

/// What a method takes of a comparison of categories; for numbers only, it takes the total variation.
pub(super) fn of_categories(method: Method, all: &Categories) -> Score {
    let (raw, sized, statistic, p) = match method {
        Method::Ks | Method::Wasserstein => (all.tv, all.tv, "tv", Some(all.chi2_p)),
        Method::Psi => (all.psi, all.psi, "psi", None),
        Method::Js => (all.js, all.js, "js_distance_base2", None),
        Method::Kl => (all.evidently.kl, all.evidently.kl, "evidently_kl", None),
        Method::Chi2 => (all.chi2, all.tv, "chi2", Some(all.chi2_p)),
    };
    // A single category on both sides has no test; statrs would say NaN.
    let p = p.map(|p| if all.dof == 0 { 1.0 } else { p }).filter(|p| p.is_finite());
    Score { raw, sized, statistic, p }
}
