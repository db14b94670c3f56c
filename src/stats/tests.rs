//! Of all statistics together: finite numbers in, no NaN out, and nothing panics.

use proptest::collection::vec;
use proptest::num::f64::{ANY, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};

use super::drift::{categories, equal_width, ks, psi::Deciles, wasserstein};
use super::fixed::{power, proportions, ranks, welch};
use super::quality::{auc, binomial, confusion::Confusion, regression};
use super::sequential::{Arm, interval, quantile, reference};
use super::{Sorted, counters, moving, multiple};

fn finite() -> impl proptest::strategy::Strategy<Value = f64> {
    use proptest::strategy::Just;
    // The ends of the range are drawn often: there sums and differences overflow.
    let ends = proptest::prop_oneof![Just(f64::MAX), Just(f64::MIN), Just(0.0), Just(1.0), Just(-1e300)];
    proptest::prop_oneof![3 => POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO, 1 => ends]
}

proptest::proptest! {
    #[test]
    fn drift_of_finite_numbers_is_a_number(r in vec(finite(), 1..9), x in vec(finite(), 1..9)) {
        let (r, x) = (Sorted::new(r), Sorted::new(x));
        let distance = ks::distance(&r, &x).ok().unwrap();
        let deciles = Deciles::of(&r).ok().unwrap();
        let evidently = equal_width::evidently(&r, &x).ok().unwrap();
        let nannyml = equal_width::nannyml(&r, &x).ok().unwrap();
        for (name, value) in [
            ("ks", distance.d),
            ("p", distance.p()),
            ("p of kolmogorov", distance.p_kolmogorov()),
            ("psi", deciles.psi(&x).ok().unwrap().value),
            ("wasserstein", wasserstein::distance(&r, &x).ok().unwrap()),
            ("normed", wasserstein::normed(&r, &x).ok().unwrap()),
            ("evidently psi", evidently.psi),
            ("evidently kl", evidently.kl),
            ("evidently js", evidently.js),
            ("nannyml js", nannyml.js),
            ("hellinger", nannyml.hellinger),
            ("median", r.quantile(0.5).unwrap()),
            ("p90", r.quantile(0.9).unwrap()),
        ] {
            proptest::prop_assert!(!value.is_nan(), "{} {:?} {:?}", name, r, x);
        }
    }

    #[test]
    fn counts_give_numbers(r in vec((0u64..1 << 40, 0u64..1 << 40), 0..8)) {
        if let super::Outcome::Ok(found) = categories::compare(r) {
            for value in [found.tv, found.linf, found.js, found.psi, found.chi2, found.chi2_p, found.onesample_p] {
                proptest::prop_assert!(!value.is_nan(), "{:?}", found);
            }
        }
    }

    #[test]
    fn tests_of_finite_numbers_give_numbers(a in vec(-1e9f64..1e9, 0..20), b in vec(-1e9f64..1e9, 0..20)) {
        if let super::Outcome::Ok(found) = welch::test(&a, &b) {
            proptest::prop_assert!(!(found.t.is_nan() || found.p_two_sided.is_nan() || found.ci95.0.is_nan()), "{:?}", found);
        }
        if let super::Outcome::Ok(found) = ranks::test(&a, &b) {
            proptest::prop_assert!(!(found.u.is_nan() || found.p_two_sided.is_nan()), "{:?}", found);
        }
        if let super::Outcome::Ok(found) = regression::errors(&a, &b) {
            proptest::prop_assert!(!(found.mae.is_nan() || found.rmse.is_nan()), "{:?}", found);
        }
        let labels: Vec<bool> = b.iter().map(|value| *value > 0.0).collect();
        if let super::Outcome::Ok(found) = auc::auc(&labels, &a) {
            proptest::prop_assert!((0.0..=1.0).contains(&found.auc));
        }
    }

    #[test]
    fn nothing_panics(values in vec(ANY, 0..20), other in vec(ANY, 0..20), q in ANY, k in 0u64..u64::MAX, n in 0u64..u64::MAX) {
        let (r, x) = (Sorted::new(values.clone()), Sorted::new(other.clone()));
        let _ = (r.quantile(q), r.nearest_rank(q), ks::distance(&r, &x), Deciles::of(&r));
        let _ = (wasserstein::normed(&r, &x), equal_width::evidently(&r, &x), equal_width::nannyml(&r, &x));
        let _ = (welch::test(&values, &other), ranks::test(&values, &other), regression::errors(&values, &other));
        let _ = (counters::increase(&values), moving::averages(&values, k as usize % 50));
        let _ = (multiple::e_bh(&values, q), multiple::benjamini_hochberg(&values));
        let _ = (binomial::wilson(k, n), interval::rate(Arm::new(k % (1 << 50), n % (1 << 50)), 0.05));
        let counts = Confusion { tp: k % 1_000, fp: n % 1_000, fn_: k % 7, tn: n % 3 };
        let _ = (counts.accuracy(), counts.mcc(), counts.f1());
        let _ = (quantile::effective_margin(&values, q, 1.5), quantile::interval(0.95, &[(q, 3.0), (f64::INFINITY, 5.0)], 0.05));
        let _ = reference::msprt(Arm::new(k % 100, n % 100), Arm::new(n % 100, k % 100), 0.02, 0.05);
        let wanted = power::Wanted { alpha: 0.05, power: 0.8, baseline_per_canary: 9.0, sides: 2 };
        let _ = (power::proportions(q, 0.1, wanted), power::means(q, wanted));
        let _ = proportions::compare((k % 5_000, n % 5_000), (n % 300, k % 300));
    }
}
