//! Under its null an e-process has expectation at most 1: the mean at a fixed time, by simulation.

use wardroom::stats::sequential::rank::RankBlock;
use wardroom::stats::sequential::{EProcess, Margin, Ranks, RateRatio, Split, TwoStream};

use rand::Rng;

use crate::draw::{ERRORS, WRONG, binomial, block, mean, prior, runs};

const RUNS: usize = 20_000;
const BLOCKS: usize = 50;

/// At most 1, but for four standard errors.
fn at_most_one(name: &str, logs: &[f64]) {
    let values: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
    let (mean, error) = mean(&values);
    println!("mean of E after {BLOCKS} blocks, {name}: {mean:.3} ± {error:.3}");
    assert!(mean - 4.0 * error <= 1.0, "{name}: {mean} ± {error}");
}

fn of<P: EProcess>(name: &str, rates: (f64, f64), test: impl Fn() -> P + Sync) {
    let logs = runs(RUNS, 31, |rng| {
        let mut test = test();
        (0..BLOCKS).for_each(|_| test.update(&block(rng, 0.10, rates.0, rates.1)));
        test.log_e()
    });
    at_most_one(name, &logs);
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn evidence_of_nothing_is_one() {
    of("S2", (ERRORS, ERRORS), || TwoStream::new(prior(ERRORS)));
    of("S2, accuracy", (WRONG, WRONG), || TwoStream::new(prior(WRONG)));
    of("S2, a wrong history", (WRONG, WRONG), || TwoStream::new(prior(ERRORS)));
    of("S3 abort", (WRONG + 0.02, WRONG), || Margin::abort(0.02, prior(WRONG)));
    of("S3 promote", (WRONG + 0.02, WRONG), || Margin::promote(0.02, prior(WRONG)));
    of("S3 promote, errors", (0.01, ERRORS), || Margin::promote_errors(0.005, prior(ERRORS)));
    of("S4", (ERRORS, ERRORS), || RateRatio::new(1.0));
    of("S4, twice as much tolerated", (2.0 * ERRORS, ERRORS), || RateRatio::new(2.0));
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn evidence_of_a_fair_split_and_of_a_fair_rank_is_one() {
    let split = runs(RUNS, 32, |rng| {
        let mut test = Split::new(&[0.1, 0.9]);
        for _ in 0..BLOCKS {
            let canary = binomial(rng, 200, 0.1);
            test.update(&[canary, 200 - canary]);
        }
        test.log_e()
    });
    at_most_one("split", &split);
    let rank = runs(RUNS, 33, |rng| {
        let mut test = Ranks::default();
        for _ in 0..BLOCKS {
            // Nine equal instances with few events: many ties.
            let mine = binomial(rng, 400, ERRORS);
            let others: Vec<u64> = (0..8).map(|_| binomial(rng, 400, ERRORS)).collect();
            let count = |is: fn(&u64, &u64) -> bool| others.iter().filter(|other| is(other, &mine)).count();
            let (worse, ties) = (count(u64::gt) as u64, count(u64::eq) as u64);
            test.update(8, RankBlock { worse, ties, drawn: rng.random() });
        }
        test.log_e()
    });
    at_most_one("rank", &rank);
}
