//! What evidence and drift cost. `cargo bench --bench stats`; with `WARDROOM_LONG=1` it replays a fleet as well.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the macros of criterion; a bench may fail and prints its figures"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Binomial, Distribution, LogNormal, StandardNormal};
use wardroom::domain::Time;
use wardroom::judge::{MetricJudge, MetricKind, Portion, Role, Rules};
use wardroom::stats::Sorted;
use wardroom::stats::drift::ks;
use wardroom::stats::drift::psi::Deciles;
use wardroom::stats::multiple::e_bh;
use wardroom::stats::sequential::{Arm, Block, EProcess, Margin, Prior, RateRatio, TwoStream};

const PRIOR: Prior = Prior { events: 50.0, trials: 1_000.0 };

/// Blocks of 20 and 180 requests, 5 % events.
fn blocks(count: usize) -> Vec<Block> {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut arm = |n| Arm::new(Binomial::new(n, 0.05).unwrap().sample(&mut rng), n);
    (0..count).map(|_| Block { canary: arm(20), baseline: arm(180) }).collect()
}

fn updates(c: &mut Criterion) {
    let blocks = blocks(1_024);
    let mut one = |name: &str, mut update: Box<dyn FnMut(&Block)>| {
        let mut place = 0;
        c.bench_function(name, |b| {
            b.iter(|| {
                place = (place + 1) % blocks.len();
                update(black_box(&blocks[place]));
            });
        });
    };
    let mut s2 = TwoStream::new(PRIOR);
    one("S2, one block", Box::new(move |block| s2.update(block)));
    let mut abort = Margin::abort(0.02, PRIOR);
    one("S3 abort, one block", Box::new(move |block| abort.update(block)));
    let mut promote = Margin::promote(0.02, PRIOR);
    one("S3 promote, one block", Box::new(move |block| promote.update(block)));
    let mut s4 = RateRatio::new(1.0);
    one("S4, one block", Box::new(move |block| s4.update(block)));
}

/// A block of each metric, its evidence, and the flags among them all.
fn fleet(c: &mut Criterion) {
    let blocks = blocks(300);
    let mut tests = vec![TwoStream::new(PRIOR); 300];
    c.bench_function("300 metrics, S2, with e-BH", |b| {
        b.iter(|| {
            tests.iter_mut().zip(&blocks).for_each(|(test, block)| test.update(block));
            let logs: Vec<f64> = tests.iter().map(EProcess::log_e).collect();
            black_box(e_bh(&logs, 0.05))
        });
    });
    let looks = Looks::new();
    let mut judges: Vec<MetricJudge> = (0..300).map(|place| looks.judge(place)).collect();
    let mut look = 1;
    c.bench_function("300 metrics, default tests, with e-BH", |b| {
        b.iter(|| {
            judges.iter_mut().enumerate().for_each(|(place, judge)| looks.update(judge, place, look));
            look += 1;
            let logs: Vec<f64> = judges.iter().map(MetricJudge::abort_log_e).collect();
            black_box(e_bh(&logs, 0.05))
        });
    });
}

/// Recorded looks of six metrics: two of errors, two of latency, one of accuracy, one of counts.
struct Looks {
    portions: Vec<[Vec<Portion>; 6]>,
    history: [Vec<Portion>; 6],
}

const KINDS: [MetricKind; 6] = [
    MetricKind::Errors,
    MetricKind::Latency,
    MetricKind::Accuracy,
    MetricKind::Counts,
    MetricKind::Errors,
    MetricKind::Latency,
];

impl Looks {
    fn new() -> Self {
        let mut rng = SmallRng::seed_from_u64(2);
        let law = LogNormal::new(0.1f64.ln(), 0.5).unwrap();
        let bounds: Vec<f64> = (0..20).map(|place| 0.01 * 2f64.powf(f64::from(place) / 2.0)).collect();
        let mut portion = |kind, role, n: u64| match kind {
            MetricKind::Latency => {
                let answers: Vec<f64> = (0..n).map(|_| law.sample(&mut rng)).collect();
                let ends = bounds.iter().copied().chain([f64::INFINITY]);
                let below = |end: f64| answers.iter().filter(|&&answer| answer <= end).count() as f64;
                Portion::buckets(role, ends.map(|end| (end, below(end))).collect())
            }
            kind => {
                let rate = if kind == MetricKind::Accuracy { 0.1 } else { 0.005 };
                Portion::events(role, Binomial::new(n, rate).unwrap().sample(&mut rng), n)
            }
        };
        let history = KINDS.map(|kind| vec![portion(kind, Role::Baseline, 10_000)]);
        let look =
            |_| KINDS.map(|kind| vec![portion(kind, Role::Canary, 20), portion(kind, Role::Baseline, 180)]);
        Self { portions: (0..64).map(look).collect(), history }
    }

    /// A judge of one of the metrics, with a history.
    fn judge(&self, place: usize) -> MetricJudge {
        let place = place % KINDS.len();
        let mut judge = MetricJudge::new("metric", KINDS[place], Arc::new(Rules::default()), 3);
        judge.update(Time::from_timestamp(1_800_000_000, 0).unwrap(), &self.history[place]);
        judge
    }

    fn update(&self, judge: &mut MetricJudge, place: usize, look: usize) {
        let at = Time::from_timestamp(1_800_000_000 + 15 * look as i64, 0).unwrap();
        judge.update(at, &self.portions[(place + look) % self.portions.len()][place % KINDS.len()]);
    }
}

/// 50 models × 6 metrics × 10,000 blocks from memory, on one core.
fn replay(_: &mut Criterion) {
    const BLOCKS: usize = 10_000;
    if std::env::var_os("WARDROOM_LONG").is_none() {
        println!("replay: set WARDROOM_LONG=1");
        return;
    }
    let blocks = blocks(BLOCKS);
    let begun = Instant::now();
    for metric in 0..300 {
        let mut test = TwoStream::new(PRIOR);
        for block in blocks[metric..].iter().chain(&blocks[..metric]) {
            test.update(block);
            black_box(test.log_e());
        }
    }
    println!(
        "replay of 300 metrics × {BLOCKS} blocks, S2: {:.2} s (goal 10 s)",
        begun.elapsed().as_secs_f64()
    );
    let looks = Looks::new();
    let begun = Instant::now();
    for metric in 0..300 {
        let mut judge = looks.judge(metric);
        for look in 1..=BLOCKS {
            looks.update(&mut judge, metric, look);
            black_box(judge.abort_log_e());
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("replay of 300 metrics × {BLOCKS} blocks, default tests: {seconds:.2} s (goal 30 s)");
}

fn drift(c: &mut Criterion) {
    let mut rng = SmallRng::seed_from_u64(3);
    let mut sample =
        |shift: f64| (0..10_000).map(|_| shift + rng.sample::<f64, _>(StandardNormal)).collect::<Vec<f64>>();
    let (reference, current) = (sample(0.0), sample(0.1));
    c.bench_function("KS with p of 10,000 and 10,000 unsorted", |b| {
        b.iter(|| {
            let sorted = [&reference, &current].map(|sample| Sorted::new(sample.clone()));
            black_box(ks::distance(&sorted[0], &sorted[1]).ok().unwrap().p())
        });
    });
    let deciles = Deciles::of(&Sorted::new(reference.clone())).ok().unwrap();
    c.bench_function("PSI of 10,000 against a cached reference", |b| {
        b.iter(|| black_box(deciles.psi_unsorted(&current)));
    });
}

criterion_group!(benches, updates, fleet, drift, replay);
criterion_main!(benches);
