//! The whole judgement: errors, latency and accuracy with equal weights and three planned stages.

use std::sync::Arc;

use rand::rngs::SmallRng;
use rand_distr::{Distribution, LogNormal};
use wardroom::domain::Time;
use wardroom::judge::{Decision, Look, MetricKind, Portion, Role, RolloutJudge, Rules};

use crate::draw::{ERRORS, LATENCY, Latency, SHARES, WRONG, binomial, bounds, median, runs, traffic};

/// How one version behaves.
#[derive(Clone, Copy)]
pub struct Version {
    errors: f64,
    latency: Latency,
    wrong: f64,
}

const HEALTHY: Version = Version { errors: ERRORS, latency: LATENCY, wrong: WRONG };

/// A moment of the simulation.
pub fn at(second: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

/// Cumulative buckets of `n` answers.
fn buckets(rng: &mut SmallRng, n: u64, latency: Latency) -> Vec<(f64, f64)> {
    let bounds = bounds();
    let law = LogNormal::new(latency.median.ln(), latency.sigma).unwrap();
    let mut counts = vec![0.0; bounds.len() + 1];
    for _ in 0..n {
        let seconds = law.sample(rng);
        counts[bounds.partition_point(|&bound| bound < seconds)] += 1.0;
    }
    let ends = bounds.into_iter().chain([f64::INFINITY]);
    let sums = counts.iter().scan(0.0, |sum, count| {
        *sum += count;
        Some(*sum)
    });
    ends.zip(sums).collect()
}

/// What one arm did, by metric. Labels come at once.
fn arm(rng: &mut SmallRng, role: Role, n: u64, version: Version) -> [Portion; 3] {
    [
        Portion::events(role, binomial(rng, n, version.errors), n),
        Portion::buckets(role, buckets(rng, n, version.latency)),
        Portion::events(role, binomial(rng, n, version.wrong), n),
    ]
}

const KINDS: [(&str, MetricKind); 3] =
    [("errors", MetricKind::Errors), ("latency", MetricKind::Latency), ("accuracy", MetricKind::Accuracy)];

/// A rollout of which nothing is known.
struct Course {
    names: [Arc<str>; 3],
    judge: RolloutJudge,
    looks: i64,
}

impl Course {
    fn new(rules: &Arc<Rules>) -> Self {
        let metrics = KINDS.map(|(name, kind)| (Arc::from(name), kind));
        let judge = RolloutJudge::new(rules.clone(), &metrics, 3);
        Self { names: metrics.map(|metric| metric.0), judge, looks: 0 }
    }

    /// One look more; the first is the baseline's history.
    fn look(&mut self, rng: &mut SmallRng, share: f64, canary: Version) {
        let (c, b) = if self.looks == 0 { (0, 20_000) } else { traffic(rng, share) };
        let mut portions = arm(rng, Role::Baseline, b, HEALTHY).map(|portion| vec![portion]);
        if c > 0 {
            for (all, portion) in portions.iter_mut().zip(arm(rng, Role::Canary, c, canary)) {
                all.push(portion);
            }
        }
        let metrics = self.names.iter().cloned().zip(portions).collect();
        self.judge.update(&Look { at: at(15 * self.looks), share: Some(share), metrics });
        self.looks += 1;
    }

    fn verdict(&self) -> Decision {
        self.judge.verdict(at(15 * self.looks - 15)).verdict
    }
}

/// Canary requests until the judgement says this; the most when it never does, or says to abort first.
fn requests(rng: &mut SmallRng, rules: &Arc<Rules>, share: f64, canary: Version, until: Decision) -> u64 {
    let mut course = Course::new(rules);
    for _ in 0..2_500 {
        course.look(rng, share, canary);
        match course.verdict() {
            found if found == until => return course.judge.canary_requests(),
            Decision::Abort => return u64::MAX,
            _ => {}
        }
    }
    u64::MAX
}

fn table(name: &str, rules: &Rules, canary: Version, until: Decision) {
    let rules = Arc::new(rules.clone());
    let count = if crate::draw::is_long() { 1_001 } else { 101 };
    let got = SHARES.map(|share| {
        let all = runs(count, 41, |rng| requests(rng, &rules, share, canary, until));
        let found = all.iter().filter(|&&requests| requests < u64::MAX).count() as f64 / count as f64;
        (median(all), found)
    });
    let words = got.map(|(median, found)| match median {
        u64::MAX => format!("never ({:.0} %)", 100.0 * found),
        median => format!("{median} ({:.0} %)", 100.0 * found),
    });
    println!("combined verdict, {name}: {} canary requests (runs that got there)", words.join(" / "));
    let least = if until == Decision::Promote { 0.9 } else { 0.95 };
    assert!(got.iter().all(|(_, found)| *found >= least), "{name}: {got:?}");
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn requests_until_the_whole_judgement_aborts() {
    let rules = Rules::default();
    let errors = Version { errors: 3.0 * ERRORS, ..HEALTHY };
    table("errors 0.5 → 1.5 %", &rules, errors, Decision::Abort);
    let slow = Version { latency: Latency::whole(2.0), ..HEALTHY };
    table("latency ×2, margin 1.5", &rules, slow, Decision::Abort);
    let wrong = Version { wrong: WRONG + 0.05, ..HEALTHY };
    table("accuracy −5 points, margin 2", &rules, wrong, Decision::Abort);
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn requests_until_the_whole_judgement_aborts_without_margins() {
    let rules = Rules { latency_margin: 0.0, accuracy_margin: 0.0, ..Rules::default() };
    let tail = Version { latency: Latency::tail(1.5), ..HEALTHY };
    table("p95 +50 %, any rise", &rules, tail, Decision::Abort);
    let whole = Version { latency: Latency::whole(1.5), ..HEALTHY };
    table("latency ×1.5, any rise", &rules, whole, Decision::Abort);
    let wrong = Version { wrong: WRONG + 0.05, ..HEALTHY };
    table("accuracy −5 points, any drop", &rules, wrong, Decision::Abort);
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn requests_until_the_whole_judgement_promotes() {
    table("healthy, promoted", &Rules::default(), HEALTHY, Decision::Promote);
}

/// Whether a ramp of eight hours is ever aborted, and ever promoted before that.
fn ramp(rng: &mut SmallRng, rules: &Arc<Rules>, canary: Version) -> (bool, bool) {
    let (mut course, mut promoted) = (Course::new(rules), false);
    for look in 0..2_000 {
        course.look(rng, SHARES[look * 4 / 2_000], canary);
        if look % 20 == 19 {
            match course.verdict() {
                Decision::Abort => return (true, promoted),
                found => promoted |= found == Decision::Promote,
            }
        }
    }
    (false, promoted)
}

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn the_whole_judgement_is_seldom_wrong() {
    let count = if crate::draw::is_long() { 1_000 } else { 100 };
    let any = Rules { latency_margin: 0.0, accuracy_margin: 0.0, ..Rules::default() };
    let at_margin = Version { wrong: WRONG + 0.02, ..HEALTHY };
    for (name, rules, canary) in [
        ("healthy, default rules", Rules::default(), HEALTHY),
        ("healthy, no margins", any, HEALTHY),
        ("accuracy 2 points lower, default rules", Rules::default(), at_margin),
    ] {
        let rules = Arc::new(rules);
        let (aborted, promoted): (Vec<bool>, Vec<bool>) =
            runs(count, 42, |rng| ramp(rng, &rules, canary)).into_iter().unzip();
        let [aborted, promoted] = [aborted, promoted].map(|runs| crate::draw::share(&runs));
        println!(
            "combined verdict, ramp 5 → 50 % of 2,000 looks, {name}: aborted {:.1} %, promoted {:.1} % of {count}",
            100.0 * aborted,
            100.0 * promoted
        );
        assert!(aborted <= 0.065, "{name}: aborted {aborted}");
        assert!(canary.wrong == WRONG || promoted <= 0.065, "{name}: promoted {promoted}");
    }
}
