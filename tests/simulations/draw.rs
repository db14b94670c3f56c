//! What the simulations draw: looks of 15 seconds, counts of both arms, latencies; and how they run.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Binomial, Distribution, Gamma, Poisson};
use wardroom::stats::sequential::quantile::bound_at;
use wardroom::stats::sequential::{Arm, Block, EProcess, Prior, TwoStream};
use wardroom::stats::special::{log_mean_exp, normal_cdf};

/// 42 hours of looks, 15 seconds apart.
pub const LOOKS: usize = 10_000;
/// Requests of both arms in one look, on average.
pub const REQUESTS: f64 = 200.0;
/// Share of requests that fail, baseline.
pub const ERRORS: f64 = 0.005;
/// Share of predictions that are wrong, baseline: accuracy 90 %.
pub const WRONG: f64 = 0.10;
/// Shares of the canary in the medians' table.
pub const SHARES: [f64; 4] = [0.05, 0.10, 0.25, 0.50];

/// ln 20, the evidence that decides at alpha 0.05.
pub fn bound() -> f64 {
    20f64.ln()
}

/// Whether to run everything, however long it takes.
pub fn is_long() -> bool {
    std::env::var_os("WARDROOM_LONG").is_some()
}

/// Seeded runs over all cores. A run depends on its own seed alone, not on which core takes it.
pub fn runs<T: Send>(count: usize, seed: u64, one: impl Fn(&mut SmallRng) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let run = next.fetch_add(1, Ordering::Relaxed);
            if run >= count {
                return done;
            }
            done.push((run, one(&mut SmallRng::seed_from_u64(seed * 1_000_003 + run as u64))));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    all.sort_unstable_by_key(|run| run.0);
    all.into_iter().map(|run| run.1).collect()
}

/// Share of runs of which this is true.
pub fn share(runs: &[bool]) -> f64 {
    runs.iter().filter(|&&run| run).count() as f64 / runs.len() as f64
}

/// The median; runs that never ended count as the largest number.
pub fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}

/// Mean and its standard error.
pub fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0) / n).sqrt())
}

/// A Poisson count.
pub fn poisson(rng: &mut SmallRng, mean: f64) -> u64 {
    if mean > 0.0 { Poisson::new(mean).unwrap().sample(rng) as u64 } else { 0 }
}

/// Events of `n` trials.
pub fn binomial(rng: &mut SmallRng, n: u64, p: f64) -> u64 {
    Binomial::new(n, p.clamp(0.0, 1.0)).unwrap().sample(rng)
}

/// A factor with mean 1 and this coefficient of variation.
pub fn wobble(rng: &mut SmallRng, cv: f64) -> f64 {
    if cv > 0.0 { Gamma::new(1.0 / (cv * cv), cv * cv).unwrap().sample(rng) } else { 1.0 }
}

/// Requests of canary and baseline in one look.
pub fn traffic(rng: &mut SmallRng, share: f64) -> (u64, u64) {
    (poisson(rng, REQUESTS * share), poisson(rng, REQUESTS * (1.0 - share)))
}

/// One look at two rates.
pub fn block(rng: &mut SmallRng, share: f64, canary: f64, baseline: f64) -> Block {
    let (c, b) = traffic(rng, share);
    Block { canary: Arm::new(binomial(rng, c, canary), c), baseline: Arm::new(binomial(rng, b, baseline), b) }
}

/// What a long history says of a rate.
pub fn prior(rate: f64) -> Prior {
    Prior { events: 1_000.0 * rate, trials: 1_000.0 }
}

/// Lognormal latency.
#[derive(Clone, Copy)]
pub struct Latency {
    /// Seconds.
    pub median: f64,
    /// Standard deviation of the logarithm.
    pub sigma: f64,
}

/// The baseline's: p50 100 ms, p95 228 ms, p99 320 ms.
pub const LATENCY: Latency = Latency { median: 0.100, sigma: 0.5 };

impl Latency {
    /// p95 is `factor` times as long, the median stays.
    pub fn tail(factor: f64) -> Self {
        Self { sigma: LATENCY.sigma + factor.ln() / 1.644_853_6, ..LATENCY }
    }

    /// All of it is `factor` times as long.
    pub fn whole(factor: f64) -> Self {
        Self { median: LATENCY.median * factor, ..LATENCY }
    }

    /// Share of answers slower than a bound.
    pub fn slower(self, bound: f64) -> f64 {
        normal_cdf((self.median / bound).ln() / self.sigma)
    }
}

/// Bucket bounds, each 19 % above the one before, 10 ms … 10 s.
pub fn bounds() -> Vec<f64> {
    (0..41).map(|place| 0.010 * 2f64.powf(f64::from(place) / 4.0)).collect()
}

/// S6: the mean of S2 at the bounds above the baseline's past p50, p90, p95, p99.
pub struct Slow {
    taus: Vec<f64>,
    tests: Vec<TwoStream>,
}

impl Slow {
    /// After a long history.
    pub fn new() -> Self {
        let past: Vec<(f64, f64)> =
            bounds().into_iter().map(|bound| (bound, 1.0 - LATENCY.slower(bound))).collect();
        let past = [past, vec![(f64::INFINITY, 1.0)]].concat();
        let taus: Vec<f64> = [0.5, 0.9, 0.95, 0.99].iter().map(|&p| bound_at(p, &past).unwrap()).collect();
        let tests = taus.iter().map(|&tau| TwoStream::new(prior(LATENCY.slower(tau)))).collect();
        Self { taus, tests }
    }

    /// Takes in a look; gives the canary's requests and ln E.
    pub fn look(&mut self, rng: &mut SmallRng, share: f64, canary: Latency) -> (u64, f64) {
        let (c, b) = traffic(rng, share);
        let (mut slow_c, mut slow_b, mut last_c, mut last_b) = (c, b, 1.0, 1.0);
        for (&tau, test) in self.taus.iter().zip(&mut self.tests) {
            // Slower than a higher bound are some of those slower than a lower one.
            let (p_c, p_b) = (canary.slower(tau), LATENCY.slower(tau));
            slow_c = binomial(rng, slow_c, p_c / last_c);
            slow_b = binomial(rng, slow_b, p_b / last_b);
            (last_c, last_b) = (p_c, p_b);
            test.update(&Block { canary: Arm::new(slow_c, c), baseline: Arm::new(slow_b, b) });
        }
        let logs: Vec<f64> = self.tests.iter().map(EProcess::log_e).collect();
        (c, log_mean_exp(&logs))
    }
}
