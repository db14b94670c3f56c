//! What comes late: a regression in a late stage, labels, a regression after the promotion.

use std::sync::Arc;

use rand::rngs::SmallRng;
use wardroom::judge::{MetricJudge, MetricKind, Portion, Role, Rules};
use wardroom::stats::sequential::{Detector, EProcess, Staged, TwoStream};

use crate::draw::{ERRORS, WRONG, binomial, block, bound, mean, median, poisson, prior, runs, share};
use crate::rollout::at;

/// Looks of one stage: two hours.
const STAGE: usize = 480;
const STEPS: [f64; 4] = [0.05, 0.10, 0.25, 0.50];

/// Canary requests since the turn until plain S2 and the mixture over stages see it. The canary turns bad when
/// stage `turn` begins; the last stage never ends.
fn delays(rng: &mut SmallRng, turn: usize) -> [u64; 2] {
    let (mut plain, mut staged) =
        (TwoStream::new(prior(ERRORS)), Staged::new(TwoStream::new(prior(ERRORS)), 3));
    let (mut requests, mut found) = (0, [u64::MAX; 2]);
    for look in 0..20 * STAGE {
        if look > 0 && look % STAGE == 0 {
            staged.begin_stage();
        }
        let stage = (look / STAGE).min(3);
        let rate = if stage >= turn { 3.0 * ERRORS } else { ERRORS };
        let block = block(rng, STEPS[stage], rate, ERRORS);
        plain.update(&block);
        staged.update(&block);
        if stage >= turn {
            requests += block.canary.trials;
        }
        for (found, log_e) in found.iter_mut().zip([plain.log_e(), staged.log_e()]) {
            if log_e >= bound() {
                *found = (*found).min(requests);
            }
        }
        if found.iter().all(|&found| found < u64::MAX) {
            break;
        }
    }
    found
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn a_mixture_over_stages_sees_a_late_turn_sooner() {
    let of = |turn| {
        let found = runs(501, 61, |rng| delays(rng, turn));
        [0, 1].map(|which| median(found.iter().map(|found| found[which]).collect()))
    };
    for (turn, words) in STEPS.iter().enumerate() {
        let [plain, staged] = of(turn);
        println!(
            "errors 0.5 → 1.5 % from the stage of {:.0} % on: median {plain} canary requests plain, {staged} with stages",
            100.0 * words
        );
        if turn >= 2 {
            assert!(staged < plain);
        }
    }
}

/// Labels come in two ages. The canary is young: nine in ten of its labels are young, of the baseline's half. `old`
/// and `young` are the shares of wrong predictions among them.
fn aged(rng: &mut SmallRng, young: f64, old: f64, drop: f64, paired: bool) -> (bool, bool) {
    let mut judge = MetricJudge::new("accuracy", MetricKind::Accuracy, Arc::new(Rules::default()), 0);
    let mut found = (false, false);
    for look in 0..1_000 {
        let mut portions = Vec::with_capacity(4);
        for (age, wrong, of_canary, of_baseline) in [(300, young, 18.0, 90.0), (7_200, old, 2.0, 90.0)] {
            for (role, labels, wrong) in
                [(Role::Baseline, of_baseline, wrong), (Role::Canary, of_canary, wrong + drop)]
            {
                let n = poisson(rng, labels);
                if n > 0 && (look > 0 || role == Role::Baseline) {
                    let portion = Portion::events(role, binomial(rng, n, wrong), n);
                    portions.push(Portion { age_s: paired.then_some(age), ..portion });
                }
            }
        }
        judge.update(at(15 * look), &portions);
        found.0 |= judge.abort_log_e() >= bound();
        found.1 |= judge.promote_log_e().is_some_and(|log_e| log_e >= bound());
    }
    found
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn only_labels_of_one_age_are_compared() {
    let of = |young, old, drop, paired| {
        let (abort, promote): (Vec<bool>, Vec<bool>) =
            runs(200, 62, |rng| aged(rng, young, old, drop, paired)).into_iter().unzip();
        [share(&abort), share(&promote)]
    };
    let [paired, unpaired] = [true, false].map(|paired| of(0.16, 0.06, 0.0, paired)[0]);
    println!(
        "young labels worse (16 % against 6 %), equal canary: aborted {:.1} % paired by age, {:.1} % unpaired",
        100.0 * paired,
        100.0 * unpaired
    );
    assert!(paired <= 0.065 && unpaired >= 0.95);
    let [paired, unpaired] = [true, false].map(|paired| of(0.06, 0.16, 0.03, paired)[1]);
    println!(
        "old labels worse (16 % against 6 %), canary 3 points worse: promoted within 2 points {:.1} % paired by age, \
         {:.1} % unpaired",
        100.0 * paired,
        100.0 * unpaired
    );
    assert!(paired <= 0.065 && unpaired >= 0.95);
}

/// Blocks until the detector alarms, at most `most`; the new version has 90 % of the traffic.
fn run_length(rng: &mut SmallRng, turn: usize, times: f64, most: usize) -> [usize; 2] {
    let (mut detector, mut plain) =
        (Detector::new(TwoStream::new(prior(ERRORS))), TwoStream::new(prior(ERRORS)));
    let mut found = [most; 2];
    for look in 0..most {
        let rate = if look >= turn { times * ERRORS } else { ERRORS };
        let block = block(rng, 0.90, rate, ERRORS);
        plain.update(&block);
        let logs = [detector.update(&block), plain.log_e()];
        for (found, log_e) in found.iter_mut().zip(logs) {
            if log_e >= bound() {
                *found = (*found).min(look + 1);
            }
        }
        if found.iter().all(|&found| found < most) {
            break;
        }
    }
    found
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn after_a_promotion_alarms_are_rare_and_a_change_is_seen() {
    let most = 20_000;
    let healthy = runs(300, 63, |rng| run_length(rng, usize::MAX, 1.0, most)[0]);
    let (length, error) = mean(&healthy.iter().map(|&blocks| blocks as f64).collect::<Vec<f64>>());
    let ended = healthy.iter().filter(|&&blocks| blocks < most).count() as f64 / healthy.len() as f64;
    println!(
        "after a promotion, healthy: mean {length:.0} ± {error:.0} blocks to an alarm, cut at {most} \
         ({:.0} % of runs alarmed); at least 20 is promised",
        100.0 * ended
    );
    assert!(length - 4.0 * error >= 20.0);
    // A day of health, then a change. Alarms before it are not counted.
    let turn = 5_760;
    let delays: Vec<[usize; 2]> = runs(301, 64, |rng| run_length(rng, turn, 3.0, most))
        .into_iter()
        .filter(|found| found.iter().all(|&blocks| blocks > turn))
        .collect();
    let [detector, plain] =
        [0, 1].map(|which| median(delays.iter().map(|d| (d[which] - turn) as u64).collect()));
    println!(
        "after a promotion, errors 0.5 → 1.5 % after a day: median {detector} blocks, {plain} without the detector \
         ({most} blocks cut, {} runs without an early alarm)",
        delays.len()
    );
    assert!(detector < plain);
}

/// The same wrong share in both arms: a healthy canary whose labels are as old as the baseline's.
#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn equal_ages_need_no_pairing() {
    let found = runs(200, 65, |rng| aged(rng, WRONG, WRONG, 0.0, true));
    let (abort, promote): (Vec<bool>, Vec<bool>) = found.into_iter().unzip();
    println!(
        "labels in two ages, equal canary: aborted {:.1} %, shown within 2 points {:.1} %",
        100.0 * share(&abort),
        100.0 * share(&promote)
    );
    assert!(share(&abort) <= 0.065 && share(&promote) >= 0.95);
}
