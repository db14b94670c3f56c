//! The Page–Hinkley test, one-sided upward. Source: Page 1954, with river's conventions.

/// Observations before it says anything.
const WARM_UP: f64 = 30.0;
/// Rise of the mean that is forgiven.
const DELTA: f64 = 0.005;
/// Weight of the past, each step.
const FORGETTING: f64 = 0.9999;

/// The detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageHinkley {
    threshold: f64,
    n: f64,
    mean: f64,
    sum: f64,
    least: f64,
}

impl PageHinkley {
    /// A detector that fires when the sum has risen by more than `threshold`; 10 is usual.
    pub fn new(threshold: f64) -> Self {
        Self { threshold, n: 0.0, mean: 0.0, sum: 0.0, least: f64::INFINITY }
    }

    /// Takes one value; `true` when it fires, after which it begins anew.
    pub fn update(&mut self, value: f64) -> bool {
        self.n += 1.0;
        self.mean += (value - self.mean) / self.n;
        self.sum = FORGETTING * self.sum + value - self.mean - DELTA;
        self.least = self.least.min(self.sum);
        let fires = self.n >= WARM_UP && self.sum - self.least > self.threshold;
        if fires {
            *self = Self::new(self.threshold);
        }
        fires
    }
}
