//! Two proportions compared once: events of trials in the canary and in the baseline.

use statrs::function::beta::ln_beta;
use statrs::function::factorial::ln_binomial;

use crate::stats::Outcome;
use crate::stats::quality::binomial::wilson;
use crate::stats::special::{log_sum_exp, normal_sf};

/// n up to which Fisher's exact test is computed.
const FISHER_UP_TO: u64 = 200_000;

/// The comparison; "worse" means more events in the canary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoProportions {
    /// Share of events in the canary.
    pub p_canary: f64,
    /// Share of events in the baseline.
    pub p_baseline: f64,
    /// Canary minus baseline.
    pub diff: f64,
    /// z with pooled variance; 0 when neither or every trial is an event.
    pub z: f64,
    /// p-value against "equal".
    pub p_two_sided: f64,
    /// p-value against "not worse".
    pub p_worse: f64,
    /// z², the chi-square without Yates' correction.
    pub chi2: f64,
    /// Fisher's one-sided p-value against "not worse"; `None` above 200,000 trials.
    pub fisher_p_worse: Option<f64>,
    /// Newcombe's 95 % interval of the difference, for one look.
    pub newcombe95: (f64, f64),
    /// Cohen's h, 2 asin √p_c − 2 asin √p_b.
    pub cohen_h: f64,
    /// p_c/p_b; infinite for p_b = 0, NaN for 0/0.
    pub risk_ratio: f64,
}

/// Source: Newcombe 1998 (hybrid score interval); Fisher 1934; Cohen 1988. An arm without a trial:
/// insufficient. Events above the trials count as the trials.
pub fn compare(canary: (u64, u64), baseline: (u64, u64)) -> Outcome<TwoProportions> {
    let ((kc, nc), (kb, nb)) = (canary, baseline);
    if nc == 0 || nb == 0 {
        return Outcome::InsufficientData;
    }
    let (kc, kb) = (kc.min(nc), kb.min(nb));
    let (pc, pb) = (kc as f64 / nc as f64, kb as f64 / nb as f64);
    let diff = pc - pb;
    let pooled = (kc + kb) as f64 / (nc + nb) as f64;
    let error = (pooled * (1.0 - pooled) * (1.0 / nc as f64 + 1.0 / nb as f64)).sqrt();
    let z = if error > 0.0 { diff / error } else { 0.0 };
    let ((lc, uc), (lb, ub)) = (wilson(kc, nc), wilson(kb, nb));
    let span = |a: f64, b: f64| (a * a + b * b).sqrt();
    Outcome::Ok(TwoProportions {
        p_canary: pc,
        p_baseline: pb,
        diff,
        z,
        p_two_sided: (2.0 * normal_sf(z.abs())).min(1.0),
        p_worse: normal_sf(z),
        chi2: z * z,
        fisher_p_worse: (nc + nb <= FISHER_UP_TO).then(|| fisher(kc, nc, kb, nb)),
        newcombe95: (diff - span(pc - lc, ub - pb), diff + span(uc - pc, pb - lb)),
        cohen_h: 2.0 * pc.sqrt().asin() - 2.0 * pb.sqrt().asin(),
        risk_ratio: pc / pb,
    })
}

/// P(at least kc of all events fall to the canary), all margins fixed.
fn fisher(kc: u64, nc: u64, kb: u64, nb: u64) -> f64 {
    let events = kc + kb;
    let all = ln_binomial(nc + nb, events);
    let logs: Vec<f64> = (kc..=nc.min(events))
        .filter(|k| events - k <= nb)
        .map(|k| ln_binomial(nc, k) + ln_binomial(nb, events - k) - all)
        .collect();
    log_sum_exp(logs).exp().min(1.0)
}

/// P(canary's rate > baseline's rate) under uniform priors: the closed sum over the smallest of the four
/// counts, in logarithms. A posterior probability is not protected against looking often: it never
/// aborts anything. Source: Miller 2015, Evan's awesome A/B tools; checked by quadrature.
pub fn bayes_worse(canary: (u64, u64), baseline: (u64, u64)) -> f64 {
    let shape = |(k, n): (u64, u64)| (k.min(n) as f64 + 1.0, n.saturating_sub(k) as f64 + 1.0);
    let ((ac, bc), (ab, bb)) = (shape(canary), shape(baseline));
    let least = ac.min(bc).min(ab).min(bb);
    let worse = if least == ac {
        above((ab, bb), (ac, bc))
    } else if least == ab {
        1.0 - above((ac, bc), (ab, bb))
    } else if least == bb {
        above((bc, ac), (bb, ab))
    } else {
        1.0 - above((bb, ab), (bc, ac))
    };
    worse.clamp(0.0, 1.0)
}

/// P(Y > X) for X ~ Beta(a), Y ~ Beta(b), a sum of as many terms as b's first shape.
fn above(x: (f64, f64), y: (f64, f64)) -> f64 {
    let terms = 0..y.0 as u64;
    let logs: Vec<f64> = terms
        .map(|i| {
            let i = i as f64;
            ln_beta(x.0 + i, y.1 + x.1) - (y.1 + i).ln() - ln_beta(1.0 + i, y.1) - ln_beta(x.0, x.1)
        })
        .collect();
    log_sum_exp(logs).exp()
}
