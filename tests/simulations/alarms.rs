//! False alarms: a healthy canary, looked at 10,000 times.

use rand::rngs::SmallRng;
use wardroom::stats::sequential::margin::Side;
use wardroom::stats::sequential::{Arm, Block, EProcess, Margin, RateRatio, TwoStream};

use crate::draw::{ERRORS, LATENCY, LOOKS, Slow, WRONG, binomial, block, bound, poisson, prior, runs, share};

/// What a test of 1,000 runs may read when the truth is at most 5 %.
const LIMIT: f64 = 0.065;

/// Whether the evidence is ever enough. It stops there.
fn alarms(mut look: impl FnMut(usize) -> f64) -> bool {
    (0..LOOKS).any(|at| look(at) >= bound())
}

fn shown(name: &str, count: usize, found: f64) {
    println!("false alarms, {name}: {:.1} % of {count} runs (limit 6.5 %)", 100.0 * found);
    assert!(found <= LIMIT, "{name}: {found}");
}

/// A test at 10 % share, with these rates of canary and baseline.
fn at_rates<P: EProcess>(name: &str, count: usize, rates: (f64, f64), test: impl Fn() -> P + Sync) {
    let found = runs(count, 11, |rng| {
        let mut test = test();
        alarms(|_| {
            test.update(&block(rng, 0.10, rates.0, rates.1));
            test.log_e()
        })
    });
    shown(name, count, share(&found));
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn false_alarms_of_any_worsening() {
    at_rates("S2 errors 0.5 %", 1_000, (ERRORS, ERRORS), || TwoStream::new(prior(ERRORS)));
}

/// A canary that drops by exactly the tolerated two points: the worst case of the null. A healthy one, 2 points
/// better than that, is all but never called worse.
#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn false_alarms_beyond_a_margin() {
    let test = || Margin::abort(0.02, prior(WRONG));
    at_rates("S3 abort, accuracy 2 points lower", 1_000, (WRONG + 0.02, WRONG), test);
    at_rates("S3 abort, accuracy equal", 100, (WRONG, WRONG), test);
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn false_promotions_within_a_margin() {
    let accuracy = || Margin::promote(0.02, prior(WRONG));
    at_rates("S3 promote, accuracy 2 points lower", 1_000, (WRONG + 0.02, WRONG), accuracy);
    let errors = || Margin::promote_errors(0.005, prior(ERRORS));
    at_rates("S3 promote, errors 0.5 point higher", 1_000, (ERRORS + 0.005, ERRORS), errors);
}

/// Poisson counts, for which the split is exact; Bernoulli trials alarm less.
#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn false_alarms_of_a_ratio() {
    let found = runs(1_000, 12, |rng| {
        let mut test = RateRatio::new(1.0);
        alarms(|_| {
            let counts = (poisson(rng, 20.0 * ERRORS), poisson(rng, 180.0 * ERRORS));
            test.update(&Block { canary: Arm::new(counts.0, 20), baseline: Arm::new(counts.1, 180) });
            test.log_e()
        })
    });
    shown("S4 Poisson counts", 1_000, share(&found));
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn false_alarms_of_latency() {
    let found = runs(1_000, 13, |rng| {
        let mut test = Slow::new();
        alarms(|_| test.look(rng, 0.10, LATENCY).1)
    });
    shown("S6 lognormal latency", 1_000, share(&found));
}

/// Of the promote side with a margin of nothing, as latency uses it.
#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn false_promotions_of_latency() {
    let found = runs(400, 14, |rng| {
        let alternatives = [-0.025, -0.0125, -0.0375];
        let mut test = Margin::new(Side::Promote, 0.0, &alternatives, prior(0.05));
        alarms(|_| {
            test.update(&block(rng, 0.10, 0.05, 0.05));
            test.log_e()
        })
    });
    shown("S6 promote, exactly at the margin", 400, share(&found));
}

/// The common error rate in the ramp: 0.5 → 2 %, with a daily wave.
fn drifting(at: usize) -> f64 {
    let (day, ramp) = (at as f64 / 5_760.0, at as f64 / LOOKS as f64);
    ERRORS * (1.0 + 3.0 * ramp) * (1.0 + 0.3 * (2.0 * std::f64::consts::PI * day).sin())
}

/// Canary and baseline so far, compared as if no rate had ever changed: z of pooled proportions.
fn pooled_z(sums: &Block) -> f64 {
    let (c, b) = (sums.canary, sums.baseline);
    let p = (c.events + b.events) as f64 / (c.trials + b.trials) as f64;
    (c.rate() - b.rate()) / (p * (1.0 - p) * (1.0 / c.trials as f64 + 1.0 / b.trials as f64)).sqrt()
}

fn ramp(rng: &mut SmallRng) -> (bool, bool) {
    let (mut test, mut sums, mut found) = (TwoStream::new(prior(ERRORS)), Block::default(), (false, false));
    for at in 0..LOOKS {
        let share = [0.05, 0.10, 0.25, 0.50][at * 4 / LOOKS];
        let n_c = poisson(rng, 200.0 * share);
        let n_b = poisson(rng, 200.0 * (1.0 - share));
        let rate = drifting(at);
        let block = Block {
            canary: Arm::new(binomial(rng, n_c, rate), n_c),
            baseline: Arm::new(binomial(rng, n_b, rate), n_b),
        };
        test.update(&block);
        sums.canary.add(block.canary);
        sums.baseline.add(block.baseline);
        found.0 |= test.log_e() >= bound();
        found.1 |= pooled_z(&sums) > 1.96;
    }
    found
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn false_alarms_in_a_ramp_with_a_drifting_rate() {
    let found = runs(1_000, 15, ramp);
    let (ours, naive): (Vec<bool>, Vec<bool>) = found.into_iter().unzip();
    shown("S2, ramp 5 → 50 %, error rate 0.5 → 2 %", 1_000, share(&ours));
    println!("false alarms, cumulative pooled z in that ramp: {:.1} %", 100.0 * share(&naive));
    assert!(share(&naive) >= 0.99, "the simulation is not hard enough");
}
