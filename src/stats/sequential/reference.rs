//! Other sequential methods, for display and comparison only: none of them decides.

use super::Arm;
use crate::stats::special::{bisect, normal_cdf};
use serde::{Deserialize, Serialize};

/// The mixture sequential probability ratio test of a difference of proportions. Asymptotic, and wrong
/// when the common rate drifts while the share of traffic steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Msprt {
    /// Canary minus baseline.
    pub diff: f64,
    /// ln of the mixture likelihood ratio.
    pub log_lambda: f64,
    /// Half the width of the interval at 1 − alpha; infinite without variance.
    pub half_width: f64,
}

/// Source: Johari, Koomen, Pekelis, Walsh 2022, normal mixture N(0, tau²).
pub fn msprt(canary: Arm, baseline: Arm, tau: f64, alpha: f64) -> Msprt {
    let (pc, pb) = (canary.rate(), baseline.rate());
    let (v, t2) =
        (pc * (1.0 - pc) / canary.trials as f64 + pb * (1.0 - pb) / baseline.trials as f64, tau * tau);
    let diff = pc - pb;
    if v.is_nan() || v <= 0.0 {
        return Msprt { diff, log_lambda: 0.0, half_width: f64::INFINITY };
    }
    Msprt {
        diff,
        log_lambda: 0.5 * (v / (v + t2)).ln() + diff * diff * t2 / (2.0 * v * (v + t2)),
        half_width: (v * (v + t2) / t2 * (2.0 * (1.0 / alpha).ln() + ((v + t2) / v).ln())).sqrt(),
    }
}

/// Boundaries of a sum with variance process `v`, tightest near `v_opt`. Source: Howard, Ramdas,
/// McAuliffe, Sekhon 2021, normal mixture.
pub mod normal_mixture {
    use super::{bisect, normal_cdf};

    fn rho(v_opt: f64, alpha: f64) -> f64 {
        let log = 2.0 * (1.0 / alpha).ln();
        v_opt / (log + log.ln_1p())
    }

    /// The two-sided boundary.
    pub fn two_sided(v: f64, v_opt: f64, alpha: f64, alpha_opt: f64) -> f64 {
        let rho = rho(v_opt, alpha_opt);
        ((v + rho) * (((v + rho) / rho).ln() + 2.0 * (1.0 / alpha).ln())).sqrt()
    }

    /// The one-sided boundary.
    pub fn one_sided(v: f64, v_opt: f64, alpha: f64, alpha_opt: f64) -> f64 {
        let rho = rho(v_opt, 2.0 * alpha_opt);
        let log = |s: f64| {
            0.5 * (4.0 * rho / (v + rho)).ln()
                + s * s / (2.0 * (v + rho))
                + normal_cdf(s / (v + rho).sqrt()).ln()
        };
        bisect(0.0, 1e3 * (v + rho).sqrt(), |s| log(s) - (1.0 / alpha).ln())
    }

    /// ln of the two-sided mixture at a sum `s`.
    pub fn log_two_sided(s: f64, v: f64, v_opt: f64, alpha_opt: f64) -> f64 {
        let rho = rho(v_opt, alpha_opt);
        0.5 * (rho / (v + rho)).ln() + s * s / (2.0 * (v + rho))
    }
}

/// Half the width of a band around an empirical distribution function of `t` values that holds for all x
/// and from `t_min` on for ever: A·√((ln(1 + ln(t/t_min)) + C)/t), with C the least constant that keeps the
/// chance of ever leaving the band at `alpha`. Source: Howard & Ramdas 2022, theorem 2.
pub fn distribution_band(t: f64, alpha: f64, t_min: f64, a: f64) -> f64 {
    let chance = |c: f64| {
        let steps = 2_000;
        (1..steps)
            .filter_map(|step| {
                let eta = 1.0 + f64::from(step) * (2.0 * a * a - 1.0) / f64::from(steps);
                let rest = a - (2.0 * (eta - 1.0) / c).sqrt();
                let gamma2 = 2.0 / eta * rest * rest;
                (rest > 0.0 && gamma2 > 1.0)
                    .then(|| 4.0 * (-gamma2 * c).exp() * (1.0 + 1.0 / ((gamma2 - 1.0) * eta.ln())))
            })
            .fold(f64::INFINITY, f64::min)
    };
    let c = bisect(0.1, 200.0, |c| alpha - chance(c));
    a * (((t / t_min).ln().ln_1p() + c) / t).sqrt()
}
