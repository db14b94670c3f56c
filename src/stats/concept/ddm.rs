//! The drift detection method. Source: Gama et al. 2004, with river's conventions.

/// What a detector says after one observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Nothing.
    Quiet,
    /// The error rate is above its warning line.
    Warning,
    /// The error rate is above its drift line; the detector begins anew.
    Drift,
}

/// Observations before it says anything.
const WARM_UP: f64 = 30.0;

/// The detector: warning at p + s > p_min + 2·s_min, drift at 3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ddm {
    n: f64,
    mean: f64,
    least: f64,
    p_least: f64,
    s_least: f64,
}

impl Default for Ddm {
    fn default() -> Self {
        Self { n: 0.0, mean: 0.0, least: f64::INFINITY, p_least: f64::INFINITY, s_least: f64::INFINITY }
    }
}

impl Ddm {
    /// Takes one prediction: was it wrong?
    pub fn update(&mut self, wrong: bool) -> Signal {
        self.n += 1.0;
        self.mean += (f64::from(u8::from(wrong)) - self.mean) / self.n;
        let (p, s) = (self.mean, (self.mean * (1.0 - self.mean) / self.n).max(0.0).sqrt());
        if self.n <= WARM_UP {
            return Signal::Quiet;
        }
        if p + s <= self.least {
            (self.least, self.p_least, self.s_least) = (p + s, p, s);
        }
        if p + s > self.p_least + 3.0 * self.s_least {
            *self = Self::default();
            Signal::Drift
        } else if p + s > self.p_least + 2.0 * self.s_least {
            Signal::Warning
        } else {
            Signal::Quiet
        }
    }
}
