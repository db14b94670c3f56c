//! Binned distances as Evidently and NannyML compute them: bins of equal width.

use super::both;
use super::divergence::{filled, hellinger, js_distance, js_distance_nats, kl, normalised, stability};
use crate::stats::{Outcome, Sorted};

/// With at most so many distinct values in the reference, Evidently takes each value for a category.
const CATEGORIES: usize = 20;

/// Evidently's binned scores of one feature. Their bins come from both samples together, so the score of
/// a window depends on that window's extremes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidently {
    /// Population stability index.
    pub psi: f64,
    /// KL divergence of the reference from the current sample, nats.
    pub kl: f64,
    /// Jensen–Shannon distance, natural logarithm, at most 0.8326.
    pub js: f64,
}

/// NannyML's binned distances of one feature: bins of the reference, mass outside them in one more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NannyMl {
    /// Jensen–Shannon distance, base 2.
    pub js: f64,
    /// Hellinger distance.
    pub hellinger: f64,
    /// How many bins the reference has.
    pub bins: usize,
}

/// Source: evidently 0.7, `get_binned_data` with its psi, kl_div and jensenshannon tests.
pub fn evidently(reference: &Sorted, current: &Sorted) -> Outcome<Evidently> {
    both(reference, current).map(|_| {
        let (reference, current) = Sorted::tamed(reference, current);
        let (reference, current) = (reference.as_ref(), current.as_ref());
        let (p, q) = if reference.distinct() > CATEGORIES {
            let edges = sturges(reference, current);
            (histogram(reference, &edges), histogram(current, &edges))
        } else {
            by_value(reference, current)
        };
        let of = |counts: &[f64], sample: &Sorted| -> Vec<f64> {
            counts.iter().map(|count| count / sample.len() as f64).collect()
        };
        scores(&of(&p, reference), &of(&q, current))
    })
}

/// Evidently's three scores of two shares over the same bins.
pub fn scores(p: &[f64], q: &[f64]) -> Evidently {
    let (full_p, full_q) = (filled(p), filled(q));
    Evidently {
        psi: stability(&full_p, &full_q),
        kl: kl(&normalised(&full_p), &normalised(&full_q)),
        js: js_distance_nats(&normalised(p), &normalised(q)),
    }
}

/// Source: nannyml's univariate Jensen–Shannon and Hellinger methods.
pub fn nannyml(reference: &Sorted, current: &Sorted) -> Outcome<NannyMl> {
    both(reference, current).map(|_| {
        let (reference, current) = Sorted::tamed(reference, current);
        let (reference, current) = (reference.as_ref(), current.as_ref());
        let edges = doane(reference);
        let of = |sample: &Sorted| -> Vec<f64> {
            let inside = histogram(sample, &edges);
            let outside = sample.len() as f64 - inside.iter().sum::<f64>();
            inside.into_iter().chain([outside]).map(|count| count / sample.len() as f64).collect()
        };
        let (p, q) = (of(reference), of(current));
        NannyMl { js: js_distance(&p, &q), hellinger: hellinger(&p, &q), bins: edges.len() - 1 }
    })
}

/// NumPy's "sturges" edges over both samples together.
fn sturges(reference: &Sorted, current: &Sorted) -> Vec<f64> {
    let (r, x) = (reference.values(), current.values());
    let low = r[0].min(x[0]);
    let high = r[r.len() - 1].max(x[x.len() - 1]);
    let width = (high - low) / (((r.len() + x.len()) as f64).log2() + 1.0);
    edges(low, high, width)
}

/// NumPy's "doane" edges of one sample: more bins the more it is skewed. Source: Doane 1976.
fn doane(sample: &Sorted) -> Vec<f64> {
    let values = sample.values();
    let (low, high) = (values[0], values[values.len() - 1]);
    let n = values.len() as f64;
    let mut width = 0.0;
    if n > 2.0 {
        let moments = sample.moments();
        let sd = moments.population_sd();
        if sd > 0.0 {
            let error = (6.0 * (n - 2.0) / ((n + 1.0) * (n + 3.0))).sqrt();
            let skew = values.iter().map(|value| ((value - moments.mean) / sd).powi(3)).sum::<f64>() / n;
            width = (high - low) / (1.0 + n.log2() + (skew.abs() / error).ln_1p() / std::f64::consts::LN_2);
        }
    }
    edges(low, high, width)
}

/// Edges of bins of about this width from `low` to `high`, as NumPy lays them.
fn edges(low: f64, high: f64, width: f64) -> Vec<f64> {
    let (low, high) = if low == high { (low - 0.5, high + 0.5) } else { (low, high) };
    let bins = if width > 0.0 { ((high - low) / width).ceil().clamp(1.0, 1e6) as usize } else { 1 };
    let step = (high - low) / bins as f64;
    (0..bins).map(|bin| bin as f64 * step + low).chain([high]).collect()
}

/// Rows by bin [e(i), e(i+1)), the last one closed; what lies outside is in none.
fn histogram(sample: &Sorted, edges: &[f64]) -> Vec<f64> {
    let last = edges.len() - 1;
    let before = |place: usize| {
        if place == last { sample.up_to(edges[place]) } else { sample.below(edges[place]) }
    };
    (0..last).map(|bin| (before(bin + 1) - before(bin)) as f64).collect()
}

/// Rows by distinct value of either sample.
fn by_value(reference: &Sorted, current: &Sorted) -> (Vec<f64>, Vec<f64>) {
    let mut values: Vec<f64> = reference.values().iter().chain(current.values()).copied().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    let rows = |sample: &Sorted| -> Vec<f64> {
        values.iter().map(|&value| (sample.up_to(value) - sample.below(value)) as f64).collect()
    };
    (rows(reference), rows(current))
}
