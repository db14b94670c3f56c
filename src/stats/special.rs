//! Special functions that statrs lacks or computes too coarsely for large counts.

use statrs::function::beta::ln_beta;
use statrs::function::erf::{erfc, erfc_inv};

/// Terms of a continued fraction before it is given up; it converges in about √max(a, b) of them.
const TERMS: usize = 20_000;
const TINY: f64 = 1e-300;

/// ln Σ exp(x), without overflow; −∞ of nothing.
pub fn log_sum_exp(logs: impl IntoIterator<Item = f64> + Clone) -> f64 {
    let top = logs.clone().into_iter().fold(f64::NEG_INFINITY, f64::max);
    if !top.is_finite() {
        return top;
    }
    top + logs.into_iter().map(|log| (log - top).exp()).sum::<f64>().ln()
}

/// ln of the mean of exp(x): the logarithm of an average of e-values.
pub fn log_mean_exp(logs: &[f64]) -> f64 {
    log_sum_exp(logs.iter().copied()) - (logs.len() as f64).ln()
}

/// x·ln y with 0·ln 0 = 0.
pub fn x_ln_y(x: f64, y: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x * y.ln() }
}

/// Φ(z), the normal distribution function.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// 1 − Φ(z), accurate far in the tail.
pub fn normal_sf(z: f64) -> f64 {
    0.5 * erfc(z / std::f64::consts::SQRT_2)
}

/// The z with 1 − Φ(z) = p.
pub fn normal_isf(p: f64) -> f64 {
    std::f64::consts::SQRT_2 * erfc_inv(2.0 * p)
}

/// The regularised incomplete beta function I_x(a, b); `rest` is 1 − x, given apart so that none of it is
/// lost near 1. Lentz's continued fraction with as many terms as large `a`, `b` need, where the library's
/// stops early. Source: DLMF 8.17.22.
pub fn beta_cdf(a: f64, b: f64, x: f64, rest: f64) -> f64 {
    if !(a > 0.0 && b > 0.0) || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 0.0;
    }
    if rest <= 0.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) { 1.0 - beta_front(b, a, rest, x) } else { beta_front(a, b, x, rest) }
}

/// I_x(a, b) for x below the mean, where the fraction converges fast.
fn beta_front(a: f64, b: f64, x: f64, rest: f64) -> f64 {
    let front = (a * x.ln() + b * rest.ln() - ln_beta(a, b)).exp() / a;
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut sum = d;
    for term in 1..TERMS {
        let m = term as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        sum *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        let step = d * c;
        sum *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (front * sum).clamp(0.0, 1.0)
}

/// The x with I_x(a, b) = p, by bisection in x on our own I: every digit holds.
pub fn beta_inverse(a: f64, b: f64, p: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    bisect(0.0, 1.0, |x| beta_cdf(a, b, x, 1.0 - x) - p)
}

/// P(T > t) of Student's distribution with `df` degrees of freedom.
pub fn student_sf(t: f64, df: f64) -> f64 {
    let (below, above) = (t * t / (df + t * t), df / (df + t * t));
    let tail = 0.5 * beta_cdf(df / 2.0, 0.5, above, below);
    if t >= 0.0 { tail } else { 1.0 - tail }
}

/// The t with P(T > t) = p, for p below one half.
pub fn student_isf(p: f64, df: f64) -> f64 {
    let mut high = 1.0;
    while student_sf(high, df) > p && high < 1e300 {
        high *= 2.0;
    }
    bisect(0.0, high, |t| p - student_sf(t, df))
}

/// P(χ² > x) with `df` degrees of freedom; 1 for none, 0 for an infinite x.
pub fn chi_square_sf(x: f64, df: u64) -> f64 {
    if df == 0 || x <= 0.0 {
        return 1.0;
    }
    if x == f64::INFINITY {
        return 0.0;
    }
    statrs::function::gamma::checked_gamma_ur(df as f64 / 2.0, x / 2.0).unwrap_or(f64::NAN).clamp(0.0, 1.0)
}

/// A root of a rising function between two bounds, to the last digit that bisection can tell.
pub fn bisect(mut low: f64, mut high: f64, rising: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..2_000 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if rising(middle) < 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Kolmogorov's limiting survival function Q(z). The alternating series does not converge at 0, so below
/// 1 the theta form is used. Source: Kolmogorov 1933; Marsaglia, Tsang, Wang 2003 for both forms.
pub fn kolmogorov_sf(z: f64) -> f64 {
    if z.is_nan() {
        return f64::NAN;
    }
    if z <= 0.0 {
        return 1.0;
    }
    if z < 1.0 {
        let scale = (2.0 * std::f64::consts::PI).sqrt() / z;
        let sum: f64 =
            (1..=10).map(|k| (-(f64::from(2 * k - 1) * std::f64::consts::PI / z).powi(2) / 8.0).exp()).sum();
        return (1.0 - scale * sum).clamp(0.0, 1.0);
    }
    let term = |k: i32| (-2.0 * f64::from(k * k) * z * z).exp();
    let sum: f64 = (1..=10).map(|k| if k % 2 == 1 { term(k) } else { -term(k) }).sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

/// The z with Q(z) = p.
pub fn kolmogorov_isf(p: f64) -> f64 {
    bisect(0.0, 20.0, |z| p - kolmogorov_sf(z))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beta_of_large_counts_keeps_its_digits() {
        // I_{1/2}(n, n) = 1/2 whatever n is.
        for n in [1.0, 10.0, 1e3, 1e5, 1e6] {
            let half = beta_cdf(n, n, 0.5, 0.5);
            assert!((half - 0.5).abs() < 1e-8, "{n}: {half}");
        }
        let x = beta_inverse(1.0, 1e6, 0.5);
        assert!((x / (1.0 - 0.5f64.powf(1e-6)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn kolmogorov_joins_its_two_forms() {
        assert_eq!(kolmogorov_sf(0.0), 1.0);
        assert!((kolmogorov_sf(1.0 - 1e-12) - kolmogorov_sf(1.0)).abs() < 1e-10);
        assert!((kolmogorov_isf(0.05) - 1.358_098_639).abs() < 1e-8);
    }

    #[test]
    fn sums_of_logs_do_not_overflow() {
        assert!((log_mean_exp(&[900.0, 900.0]) - 900.0).abs() < 1e-12);
        assert_eq!(log_sum_exp([f64::NEG_INFINITY, f64::NEG_INFINITY]), f64::NEG_INFINITY);
    }

    #[test]
    fn students_quantile_is_its_survivals_inverse() {
        for df in [1.0, 2.5, 30.0, 4e4] {
            assert!((student_sf(student_isf(0.025, df), df) - 0.025).abs() < 1e-12, "{df}");
        }
    }
}
