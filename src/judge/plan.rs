//! How many requests until it is known: the sequential tests played through on made-up requests, with the
//! fixed-size figure beside it.

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Binomial, Distribution};
use serde::Serialize;

use super::rules::{MetricKind, Rules};
use crate::stats::fixed::power::{Wanted, proportions};
use crate::stats::sequential::{Arm, Block, EProcess, Margin, Prior, TwoStream};

/// Runs of each simulation.
const RUNS: u64 = 301;
/// Canary trials after which a run gives up.
const MOST: u64 = 3_000_000;
/// Blocks of a run at least: a look needs not be at every request.
const BLOCKS: u64 = 400;

/// What is planned for. Rates are shares of bad trials: failures, answers slower than a threshold, wrong
/// predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Which metric: errors, latency or accuracy.
    pub kind: MetricKind,
    /// Bad share of the baseline, 0…1.
    pub baseline: f64,
    /// Bad share of the canary, 0…1.
    pub canary: f64,
    /// The canary's share of traffic, 0…1.
    pub share: f64,
}

/// How many canary trials it takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Needed {
    /// Half of the runs knew by then; absent when more than half never did.
    pub median: Option<u64>,
    /// Nine of ten runs knew by then.
    pub p90: Option<u64>,
    /// Share of runs that knew within the most that was tried.
    pub ever: f64,
}

/// The plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Plan {
    /// Canary trials until the test that decides aborts a canary this bad; absent when the effect lies
    /// within the tolerance, so that it never does.
    pub abort: Option<Needed>,
    /// Canary trials until it is known to be worse at all.
    pub any_worsening: Needed,
    /// Canary trials until a healthy canary is promoted.
    pub promote_healthy: Option<Needed>,
    /// Canary trials of a test that is looked at once, one-sided at 5 %, power 80 %.
    pub fixed_n: Option<u64>,
}

/// Plays it through. The same question and seed give the same plan.
pub fn plan(question: Question, rules: &Rules, seed: u64) -> Plan {
    let Question { kind, baseline, canary, share } = question;
    let prior = Prior { events: (1_000.0 * baseline).max(0.5), trials: 1_000.0 };
    let wanted =
        Wanted { alpha: rules.alpha_abort, power: 0.8, baseline_per_canary: (1.0 - share) / share, sides: 1 };
    let fixed = proportions(canary, baseline, wanted);
    let fixed_n = (fixed.is_finite() && canary > baseline).then(|| fixed.ceil() as u64);
    let any = || TwoStream::new(prior);
    let run = |process: &dyn Fn() -> Box<dyn EProcessDyn>, canary: f64, bound: f64, salt: u64| {
        let typical = if fixed.is_finite() { fixed } else { 1_000.0 };
        simulate(process, (canary, baseline), share, bound, typical, seed ^ salt)
    };
    let abort_bound = rules.abort_bound();
    let any_worsening = run(&|| Box::new(any()), canary, abort_bound, 1);
    let margin = match kind {
        MetricKind::Errors => rules.errors_abort_margin,
        MetricKind::Accuracy => rules.accuracy_margin,
        _ => 0.0,
    };
    let abort = if margin > 0.0 {
        (canary - baseline > margin)
            .then(|| run(&|| Box::new(Margin::abort(margin, prior)), canary, abort_bound, 2))
    } else {
        (canary > baseline).then_some(any_worsening)
    };
    let promote_bound = rules.promote_bound();
    let promote_healthy = match kind {
        MetricKind::Errors => {
            let test = || Margin::promote_errors(rules.errors_promote_margin, prior);
            Some(run(&|| Box::new(test()), baseline, promote_bound, 3))
        }
        MetricKind::Accuracy if margin > 0.0 => {
            Some(run(&|| Box::new(Margin::promote(margin, prior)), baseline, promote_bound, 3))
        }
        _ => None,
    };
    Plan { abort, any_worsening, promote_healthy, fixed_n }
}

/// An e-process behind a pointer.
trait EProcessDyn {
    fn take(&mut self, block: &Block) -> f64;
}

impl<P: EProcess> EProcessDyn for P {
    fn take(&mut self, block: &Block) -> f64 {
        self.update(block);
        self.log_e()
    }
}

fn simulate(
    process: &dyn Fn() -> Box<dyn EProcessDyn>,
    (canary, baseline): (f64, f64),
    share: f64,
    bound: f64,
    typical: f64,
    seed: u64,
) -> Needed {
    // Looks are about as fine as a fortieth of what a fixed-size test needs.
    let n_c = ((typical / 40.0) as u64).clamp(1, MOST / BLOCKS);
    let n_b = ((n_c as f64 * (1.0 - share) / share).round() as u64).max(1);
    let (Ok(of_canary), Ok(of_baseline)) = (Binomial::new(n_c, canary), Binomial::new(n_b, baseline)) else {
        return Needed { median: None, p90: None, ever: 0.0 };
    };
    let most = ((400.0 * typical) as u64).clamp(n_c, MOST);
    let mut known: Vec<u64> = (0..RUNS)
        .filter_map(|run| {
            let mut rng = SmallRng::seed_from_u64(seed.wrapping_add(run.wrapping_mul(0x9e37_79b9)));
            let mut test = process();
            let mut trials = 0;
            while trials < most {
                trials += n_c;
                let block = Block {
                    canary: Arm::new(of_canary.sample(&mut rng), n_c),
                    baseline: Arm::new(of_baseline.sample(&mut rng), n_b),
                };
                if test.take(&block) >= bound {
                    return Some(trials);
                }
            }
            None
        })
        .collect();
    known.sort_unstable();
    let at = |part: f64| known.get((part * RUNS as f64) as usize).copied();
    Needed { median: at(0.5), p90: at(0.9), ever: known.len() as f64 / RUNS as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_agrees_with_the_planning_table() {
        let question = Question { kind: MetricKind::Errors, baseline: 0.005, canary: 0.015, share: 0.1 };
        let plan = plan(question, &Rules::default(), 7);
        let median = plan.any_worsening.median.unwrap();
        assert!((400..=800).contains(&median), "{median}: the table says 626");
        assert_eq!((plan.fixed_n, plan.abort), (Some(567), Some(plan.any_worsening)));
    }

    #[test]
    fn within_the_tolerance_nothing_aborts() {
        let question = Question { kind: MetricKind::Accuracy, baseline: 0.1, canary: 0.11, share: 0.5 };
        assert_eq!(plan(question, &Rules::default(), 7).abort, None);
    }
}
