//! Both distributions of a feature, bin by bin.

use std::sync::Arc;

use crate::domain::drift::{Bin, Shape};
use crate::domain::text::clean_name;

/// Categories that are shown by name.
const MOST: usize = 12;

/// Bins of numbers: below the first edge, between two, above the last.
pub(super) fn numbers(edges: &[f64], reference: &[u64], current: &[u64]) -> Option<Arc<Shape>> {
    let label = |bin: usize| match (bin.checked_sub(1).and_then(|at| edges.get(at)), edges.get(bin)) {
        (None, Some(high)) => format!("≤ {}", short(*high)),
        (Some(low), Some(high)) => format!("{}–{}", short(*low), short(*high)),
        (Some(low), None) => format!("> {}", short(*low)),
        (None, None) => "all".to_owned(),
    };
    let pairs = reference.iter().copied().zip(current.iter().copied());
    bins(pairs.enumerate().map(|(bin, counts)| (label(bin), counts)).collect())
}

/// Rows below, at and above the one value that the reference holds.
pub(super) fn around(value: f64, reference: [u64; 3], current: [u64; 3]) -> Option<Arc<Shape>> {
    let labels = ["< ", "", "> "].map(|sign| format!("{sign}{}", short(value)));
    bins(labels.into_iter().zip(reference.into_iter().zip(current)).collect())
}

/// Categories, the most frequent of both sides together first, the rest as one.
pub(super) fn categories(mut counts: Vec<(&str, (u64, u64))>) -> Option<Arc<Shape>> {
    let rank = |&(name, (r, x)): &(&str, (u64, u64))| (std::cmp::Reverse(r + x), name.to_owned());
    if counts.len() > MOST {
        // A million categories need not be sorted for twelve.
        counts.select_nth_unstable_by_key(MOST - 1, |(_, (r, x))| std::cmp::Reverse(r + x));
    }
    let shown = MOST.min(counts.len());
    let (top, rest) = counts.split_at_mut(shown);
    top.sort_by_key(rank);
    let mut all: Vec<(String, (u64, u64))> =
        top.iter().map(|&(name, counts)| (clean_name(name), counts)).collect();
    if !rest.is_empty() {
        let sum = rest.iter().fold((0, 0), |(r, x), (_, (a, b))| (r + a, x + b));
        all.push((format!("(other {})", rest.len()), sum));
    }
    bins(all)
}

fn bins(all: Vec<(String, (u64, u64))>) -> Option<Arc<Shape>> {
    let (n, m) = all.iter().fold((0, 0), |(n, m), (_, (r, x))| (n + r, m + x));
    if n == 0 || m == 0 {
        return None;
    }
    let bin = |(label, (r, x)): (String, (u64, u64))| Bin {
        label: label.into(),
        reference: r as f64 / n as f64,
        current: x as f64 / m as f64,
    };
    Some(Arc::new(Shape { bins: all.into_iter().map(bin).collect() }))
}

/// A number in about four digits.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e6).contains(&size) {
        let digits = if size >= 1000.0 {
            0
        } else if size >= 10.0 {
            1
        } else {
            3
        };
        let text = format!("{value:.digits$}");
        if digits == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
    } else {
        format!("{value:.2e}")
    }
}
