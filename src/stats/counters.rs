//! Counters that only grow, but for restarts.

/// How much a counter grew over its samples, and how often it began again. A drop is a restart: the new
/// value counts from zero. Source: Prometheus' counter semantics, without extrapolation.
pub fn increase(samples: &[f64]) -> (f64, u64) {
    samples.windows(2).fold((0.0, 0), |(sum, resets), pair| {
        let (grown, reset) = step(pair[0], pair[1]);
        (sum + grown, resets + u64::from(reset))
    })
}

/// The growth from one sample to the next, and whether the counter began again in between.
pub fn step(before: f64, after: f64) -> (f64, bool) {
    if after < before { (after, true) } else { (after - before, false) }
}
