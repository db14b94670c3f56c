//! The Mann–Whitney U test.

use crate::stats::Outcome;
use crate::stats::special::normal_sf;

/// n·m up to which, without ties, the exact p-value is computed.
const EXACT_UP_TO: usize = 400;

/// The test's outcome. It is blind to a change of the tail alone: with equal medians P(X > Y) stays ½.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which a is greater; a tie counts half.
    pub u: f64,
    /// Common-language effect size U/nm: how often a is greater.
    pub cles: f64,
    /// p-value by the normal approximation with continuity and tie correction.
    pub p_two_sided: f64,
    /// p-value against "a is not greater"; `None` when all values are tied.
    pub p_greater: Option<f64>,
    /// Without the continuity correction; `None` when all values are tied.
    pub p_no_continuity: Option<f64>,
    /// Exact two-sided p-value, of small samples without ties.
    pub p_exact: Option<f64>,
}

/// Source: Mann & Whitney 1947, mid-ranks.
pub fn test(a: &[f64], b: &[f64]) -> Outcome<MannWhitney> {
    if a.is_empty() || b.is_empty() {
        return Outcome::InsufficientData;
    }
    let mut all: Vec<(f64, bool)> = a
        .iter()
        .map(|&value| (value + 0.0, true))
        .chain(b.iter().map(|&value| (value + 0.0, false)))
        .collect();
    all.sort_unstable_by(|x, y| x.0.total_cmp(&y.0));
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (mut rank_sum, mut ties, mut begin) = (0.0, 0.0, 0);
    while begin < all.len() {
        let end = begin + all[begin..].iter().take_while(|entry| entry.0 == all[begin].0).count().max(1);
        let count = (end - begin) as f64;
        let middle = (begin + end + 1) as f64 / 2.0;
        rank_sum += middle * all[begin..end].iter().filter(|entry| entry.1).count() as f64;
        ties += count * count * count - count;
        begin = end;
    }
    let u = rank_sum - n * (n + 1.0) / 2.0;
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    let cles = u / (n * m);
    if variance <= 0.0 || total < 2.0 {
        return Outcome::Ok(MannWhitney {
            u,
            cles,
            p_two_sided: 1.0,
            p_greater: None,
            p_no_continuity: None,
            p_exact: None,
        });
    }
    let (off, sd) = (u - n * m / 2.0, variance.sqrt());
    let two_sided = |off: f64| (2.0 * normal_sf(off / sd)).min(1.0);
    let is_small = ties == 0.0 && a.len() * b.len() <= EXACT_UP_TO;
    Outcome::Ok(MannWhitney {
        u,
        cles,
        p_two_sided: two_sided(off.abs() - 0.5),
        p_greater: Some(normal_sf((off - 0.5) / sd)),
        p_no_continuity: Some(two_sided(off.abs())),
        p_exact: is_small.then(|| exact(a.len(), b.len(), u)),
    })
}

/// P(U at least as far from its mean), counted over all orders of n and m values.
fn exact(n: usize, m: usize, u: f64) -> f64 {
    let most = n * m;
    // Probability of each U with i values of a among i + j, over j, by the last value's owner.
    let mut table = vec![vec![0.0f64; most + 1]; m + 1];
    for row in &mut table {
        row[0] = 1.0;
    }
    for i in 1..=n {
        let mut next = vec![vec![0.0f64; most + 1]; m + 1];
        next[0][0] = 1.0;
        for j in 1..=m {
            let (i_share, j_share) = (i as f64 / (i + j) as f64, j as f64 / (i + j) as f64);
            for value in 0..=most {
                // The greatest value is one of a, above all j of b, or one of b.
                let from_a = if value >= j { table[j][value - j] } else { 0.0 };
                next[j][value] = i_share * from_a + j_share * next[j - 1][value];
            }
        }
        table = next;
    }
    let far = u.max(most as f64 - u).ceil() as usize;
    let tail: f64 = table[m][far.min(most)..].iter().sum();
    (2.0 * tail).min(1.0)
}
