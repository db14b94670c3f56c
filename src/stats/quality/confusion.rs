//! Metrics of a two-class confusion table.

use super::binomial::wilson;

/// Counts of a two-class confusion table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// Positive and predicted so.
    pub tp: u64,
    /// Negative, predicted positive.
    pub fp: u64,
    /// Positive, predicted negative.
    pub fn_: u64,
    /// Negative and predicted so.
    pub tn: u64,
}

/// A proportion with its Wilson 95 % interval; NaN, shown as "--", when nothing is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    /// The proportion, 0…1.
    pub value: f64,
    /// Its interval, for one look.
    pub ci95: (f64, f64),
    /// What it rests on.
    pub n: u64,
}

impl Proportion {
    fn of(k: u64, n: u64) -> Self {
        Self { value: k as f64 / n as f64, ci95: wilson(k, n), n }
    }
}

impl Confusion {
    /// All rows.
    pub fn total(self) -> u64 {
        self.tp + self.fp + self.fn_ + self.tn
    }

    /// Share of right predictions.
    pub fn accuracy(self) -> Proportion {
        Proportion::of(self.tp + self.tn, self.total())
    }

    /// Share of positives that are found (recall).
    pub fn sensitivity(self) -> Proportion {
        Proportion::of(self.tp, self.tp + self.fn_)
    }

    /// Share of negatives that are found.
    pub fn specificity(self) -> Proportion {
        Proportion::of(self.tn, self.tn + self.fp)
    }

    /// Positive predictive value (precision). At the deployment's prevalence, not at a study's.
    pub fn ppv(self) -> Proportion {
        Proportion::of(self.tp, self.tp + self.fp)
    }

    /// Negative predictive value. At the deployment's prevalence, not at a study's.
    pub fn npv(self) -> Proportion {
        Proportion::of(self.tn, self.tn + self.fn_)
    }

    /// Harmonic mean of precision and recall; NaN when there is no positive on either side.
    pub fn f1(self) -> f64 {
        2.0 * self.tp as f64 / (2 * self.tp + self.fp + self.fn_) as f64
    }

    /// Matthews' correlation, −1…1; 0 when a margin is empty. Source: Matthews 1975.
    pub fn mcc(self) -> f64 {
        let [tp, fp, fn_, tn] = [self.tp, self.fp, self.fn_, self.tn].map(|count| count as f64);
        let margins = (tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_);
        if margins == 0.0 { 0.0 } else { (tp * tn - fp * fn_) / margins.sqrt() }
    }
}
