//! Many judgements at once: how many of the flags may be false.

/// The e-values flagged by e-BH at false-discovery rate `alpha`: the largest k with the k-th largest
/// e ≥ K/(alpha·k). Takes and holds under any dependence, at any look. Indices ascending.
/// Source: Wang & Ramdas 2022, False discovery rate control with e-values.
pub fn e_bh(log_e: &[f64], alpha: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..log_e.len()).collect();
    order.sort_by(|&a, &b| log_e[b].total_cmp(&log_e[a]));
    let count = log_e.len() as f64;
    // The bound is compared in logs and forgives the last rounding: e exactly at the bound is flagged.
    let passes = |k: usize| {
        let bound = (count / (alpha * k as f64)).ln();
        log_e[order[k - 1]] >= bound - 1e-12 * bound.abs().max(1.0)
    };
    let most = (1..=order.len()).rev().find(|&k| passes(k)).unwrap_or(0);
    let mut flagged = order[..most].to_vec();
    flagged.sort_unstable();
    flagged
}

/// ln E that one alone among `count` needs to be flagged: ln(count/alpha); NaN of none.
pub fn alone(count: usize, alpha: f64) -> f64 {
    if count == 0 { f64::NAN } else { (count as f64 / alpha).ln() }
}

/// p-values adjusted for many tests within one look: smallest false-discovery rate at which each would be
/// flagged. Source: Benjamini & Hochberg 1995.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let count = p.len() as f64;
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut least = 1.0f64;
    for (rank, &index) in order.iter().enumerate().rev() {
        least = least.min(p[index] * count / (rank as f64 + 1.0));
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_among_three_hundred_needs_more() {
        let mut logs = vec![0.0; 300];
        logs[7] = 8.6;
        assert!(e_bh(&logs, 0.05).is_empty());
        logs[7] = 8.70;
        assert_eq!(e_bh(&logs, 0.05), [7]);
        assert!((alone(300, 0.05) - 8.699_5).abs() < 1e-3);
    }
}
