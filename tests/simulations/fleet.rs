//! Many metrics at once: 300, of which 15 are bad, flagged by e-BH at 5 %.

use wardroom::stats::multiple::e_bh;
use wardroom::stats::sequential::{EProcess, TwoStream};

use crate::draw::{ERRORS, block, mean, prior, runs};

#[test]
#[ignore = "simulation: cargo test --release --test simulations -- --ignored"]
fn few_flags_of_a_fleet_are_false() {
    const METRICS: usize = 300;
    const BAD: usize = 15;
    let found = runs(200, 71, |rng| {
        let mut tests: Vec<TwoStream> = (0..METRICS).map(|_| TwoStream::new(prior(ERRORS))).collect();
        let mut worst: f64 = 0.0;
        let mut last = (0.0, 0.0);
        for look in 1..=300 {
            for (place, test) in tests.iter_mut().enumerate() {
                let rate = if place < BAD { 3.0 * ERRORS } else { ERRORS };
                test.update(&block(rng, 0.10, rate, ERRORS));
            }
            if look % 10 == 0 {
                let logs: Vec<f64> = tests.iter().map(EProcess::log_e).collect();
                let flags = e_bh(&logs, 0.05);
                let wrong = flags.iter().filter(|&&place| place >= BAD).count() as f64;
                let right = flags.len() as f64 - wrong;
                last = (wrong / flags.len().max(1) as f64, right / BAD as f64);
                worst = worst.max(last.0);
            }
        }
        (last.0, last.1, worst)
    });
    let of = |value: fn(&(f64, f64, f64)) -> f64| mean(&found.iter().map(value).collect::<Vec<f64>>());
    let ((fdr, error), (power, _), (worst, _)) = (of(|f| f.0), of(|f| f.1), of(|f| f.2));
    println!(
        "e-BH, 300 metrics, 15 bad, 6,000 canary requests each: false-discovery rate {:.1} % (worst look of each run \
         {:.1} %), power {power:.3}",
        100.0 * fdr,
        100.0 * worst
    );
    assert!(fdr - 4.0 * error <= 0.05 && power >= 0.95);
}
