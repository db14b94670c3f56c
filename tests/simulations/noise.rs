//! Baselines whose instances differ by themselves: eight instances of the baseline, one of the canary with as much
//! load, each with an error rate of its own that changes every five minutes.

use std::sync::Arc;

use rand::Rng;
use rand::rngs::SmallRng;
use wardroom::judge::channel::Event;
use wardroom::judge::noise::RankTest;
use wardroom::judge::{Decision, Look, MetricKind, Portion, Role, RolloutJudge, Rules};
use wardroom::stats::sequential::{Arm, Block, EProcess, TwoStream};
use wardroom::stats::special::log_mean_exp;

use crate::draw::{ERRORS, binomial, bound, poisson, prior, runs, share, wobble};
use crate::rollout::at;

const INSTANCES: [&str; 8] = ["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"];
/// Looks of one rollout: eight hours.
const LOOKS: i64 = 2_000;

/// What became of one rollout.
struct End {
    noisy: bool,
    aborted: bool,
    aborted_blind: bool,
}

/// One rollout on instances that wobble, once with their names and once without.
fn rollout(rng: &mut SmallRng, cv: f64, load: f64, worse: f64) -> End {
    let metrics = [("errors".into(), MetricKind::Errors)];
    let rules = Arc::new(Rules::default());
    let mut judges = [(); 2].map(|()| RolloutJudge::new(rules.clone(), &metrics, 0));
    let mut rates = [ERRORS; 9];
    for look in 0..LOOKS {
        if look % 20 == 0 {
            rates = rates.map(|_| ERRORS * wobble(rng, cv));
            rates[8] *= worse;
        }
        let begun = look > 0;
        let mut portions = Vec::with_capacity(9);
        for (place, rate) in rates.iter().enumerate().filter(|(place, _)| begun || *place < 8) {
            let n = poisson(rng, load);
            let (role, name) = INSTANCES.get(place).map_or((Role::Canary, "c0"), |&b| (Role::Baseline, b));
            portions.push(Portion::events(role, binomial(rng, n, rate.min(1.0)), n).of_instance(name));
        }
        for (judge, named) in judges.iter_mut().zip([true, false]) {
            let portions = portions.iter().map(|portion| match named {
                true => portion.clone(),
                false => Portion { instance: None, ..portion.clone() },
            });
            let metrics = vec![(metrics[0].0.clone(), portions.collect())];
            judge.update(&Look { at: at(15 * look), share: None, metrics });
        }
    }
    let aborted = |judge: &RolloutJudge| judge.verdict(at(15 * LOOKS - 15)).verdict == Decision::Abort;
    End {
        noisy: judges[0].metrics()[0].is_noisy(),
        aborted: aborted(&judges[0]),
        aborted_blind: aborted(&judges[1]),
    }
}

fn table(name: &str, count: usize, cv: f64, load: f64, worse: f64) -> [f64; 3] {
    let ends = runs(count, 51, |rng| rollout(rng, cv, load, worse));
    let of = |is: fn(&End) -> bool| share(&ends.iter().map(is).collect::<Vec<bool>>());
    let found = [of(|end| end.noisy), of(|end| end.aborted), of(|end| end.aborted_blind)];
    let [noisy, aborted, blind] = found.map(|share| 100.0 * share);
    println!(
        "sentinel, {name}, {load:.0} requests an instance and look, {count} runs of 8 hours: noisy baseline {noisy:.1} %, \
         aborted {aborted:.1} %, without the sentinel {blind:.1} %"
    );
    found
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn a_sentinel_sees_a_noisy_baseline() {
    let count = if crate::draw::is_long() { 1_000 } else { 300 };
    let [noisy, aborted, blind] = table("equal instances", count, 0.0, 22.0, 1.0);
    assert!(noisy <= 0.065 && aborted <= 0.065 && blind <= 0.065);
    let [noisy, aborted, blind] = table("CV 0.5, healthy canary", count, 0.5, 22.0, 1.0);
    assert!(aborted <= blind, "{noisy} {aborted} {blind}");
    let [noisy, aborted, blind] = table("CV 0.5, healthy canary", count / 3, 0.5, 220.0, 1.0);
    assert!(noisy >= 0.5 && aborted <= blind, "{noisy} {aborted} {blind}");
    table("CV 0.5, canary with 3 times the errors", count / 3, 0.5, 220.0, 3.0);
}

/// Who is first in one rollout of eight hours: S2 of a healthy canary, or a sentinel? By kind of sentinel: halves both
/// ways round, as the judgement has it; one instance against the others; all eight of these, their mean; any of them.
fn race(rng: &mut SmallRng, cv: f64, load: f64) -> [(bool, bool); 4] {
    let mut tests = [(); 11].map(|()| TwoStream::new(prior(ERRORS)));
    let mut rates = [ERRORS; 9];
    let mut seen = [(false, false); 4];
    for look in 0..LOOKS {
        if look % 20 == 0 {
            rates = rates.map(|_| ERRORS * wobble(rng, cv));
        }
        let arms = rates.map(|rate| {
            let n = poisson(rng, load);
            Arm::new(binomial(rng, n, rate), n)
        });
        let sum = |of: &dyn Fn(usize) -> bool| {
            (0..8).filter(|&place| of(place)).fold(Arm::default(), |mut sum, place| {
                sum.add(arms[place]);
                sum
            })
        };
        let (low, high) = (sum(&|place| place < 4), sum(&|place| place >= 4));
        tests[8].update(&Block { canary: low, baseline: high });
        tests[9].update(&Block { canary: high, baseline: low });
        tests[10].update(&Block { canary: arms[8], baseline: sum(&|_| true) });
        for place in 0..8 {
            tests[place].update(&Block { canary: arms[place], baseline: sum(&|other| other != place) });
        }
        let logs = tests.each_ref().map(EProcess::log_e);
        let sentinels = [
            log_mean_exp(&logs[8..10]),
            logs[0],
            log_mean_exp(&logs[..8]),
            logs[..8].iter().copied().fold(f64::MIN, f64::max),
        ];
        for ((noisy, aborted), sentinel) in seen.iter_mut().zip(sentinels) {
            *noisy |= sentinel >= bound();
            *aborted |= !*noisy && logs[10] >= bound();
        }
    }
    seen
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn which_sentinel_is_first() {
    for (cv, load) in [(0.0, 22.0), (0.5, 22.0), (0.5, 220.0)] {
        let found = runs(400, 53, |rng| race(rng, cv, load));
        for (place, name) in
            ["halves", "one against the others", "each against the others, mean", "any of each"]
                .into_iter()
                .enumerate()
        {
            let of = |is: fn((bool, bool)) -> bool| {
                100.0 * share(&found.iter().map(|run| is(run[place])).collect::<Vec<bool>>())
            };
            println!(
                "sentinel of {name}, CV {cv}, {load} requests an instance and look: noisy {:.1} %, healthy canary \
                 called worse before that {:.1} %",
                of(|run| run.0),
                of(|run| run.1)
            );
        }
    }
}

/// Blocks of five minutes over a week; a canary that is one of them is hardly ever called worse.
#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn ranks_hold_whatever_the_instances_do() {
    for cv in [0.0, 0.5, 1.0] {
        let found = runs(1_000, 52, |rng| {
            let mut test = RankTest::new(Event::Told, rng.random());
            (0..2_000).any(|block| {
                let mut portions = Vec::with_capacity(9);
                for place in 0..9 {
                    let n = poisson(rng, 440.0);
                    let rate = ERRORS * wobble(rng, cv);
                    let events = binomial(rng, n, rate);
                    let (role, name) =
                        INSTANCES.get(place).map_or((Role::Canary, "c0"), |&b| (Role::Baseline, b));
                    portions.push(Portion::events(role, events, n).of_instance(name));
                }
                test.update(300.0 * f64::from(block), &portions.iter().collect::<Vec<&Portion>>());
                test.log_e() >= bound()
            })
        });
        println!("rank test, false alarms at CV {cv} in 2,000 blocks: {:.1} %", 100.0 * share(&found));
        assert!(share(&found) <= 0.065, "CV {cv}");
    }
}

/// The numbers that break ties are the same in every rollout. When all blocks are ties (nothing ever fails), the
/// evidence is theirs alone, and must not alarm.
#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn ties_alone_never_alarm() {
    let portions = |begun: bool| {
        let baseline = INSTANCES.iter().map(|name| Portion::events(Role::Baseline, 0, 400).of_instance(name));
        let canary = Portion::events(Role::Canary, 0, 400).of_instance("c0");
        baseline.chain(begun.then_some(canary)).collect::<Vec<Portion>>()
    };
    let mut judge =
        wardroom::judge::MetricJudge::new("errors", MetricKind::Errors, Arc::new(Rules::default()), 0);
    for block in 0..10_000 {
        judge.update(at(300 * block), &portions(block > 0));
        assert!(judge.abort_log_e() < bound());
    }
    let mut test = RankTest::new(Event::Told, 0x5eed);
    let portions = portions(true);
    for block in 0..10_000 {
        test.update(300.0 * f64::from(block), &portions.iter().collect::<Vec<&Portion>>());
    }
    println!("rank test, nothing but ties, 10,000 blocks: largest evidence {:.2}", test.max_log_e.exp());
    assert!(test.max_log_e < bound());
}
