//! Area under the ROC curve with DeLong's variance.

use crate::stats::Outcome;
use crate::stats::special::normal_isf;

/// The area and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auc {
    /// P(a positive scores above a negative), ties count half.
    pub auc: f64,
    /// DeLong's variance; NaN with a single row in a class.
    pub variance: f64,
}

/// Area by mid-ranks, variance by DeLong's placements. Source: DeLong 1988; Sun & Xu 2014. Only one
/// class: insufficient. Rows with a score that is no number are left out.
pub fn auc(labels: &[bool], scores: &[f64]) -> Outcome<Auc> {
    let rows = labels.iter().zip(scores).filter(|(_, score)| !score.is_nan());
    let (mut positive, mut negative): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    rows.for_each(
        |(&label, &score)| if label { positive.push(score + 0.0) } else { negative.push(score + 0.0) },
    );
    if positive.is_empty() || negative.is_empty() {
        return Outcome::InsufficientData;
    }
    for side in [&mut positive, &mut negative] {
        side.sort_unstable_by(f64::total_cmp);
    }
    // How large a share of the other class each row stands above.
    let place = |value: f64, others: &[f64]| {
        let (below, up_to) =
            (others.partition_point(|&o| o < value), others.partition_point(|&o| o <= value));
        (below + up_to) as f64 / (2.0 * others.len() as f64)
    };
    let placed =
        |side: &[f64], others: &[f64]| -> Vec<f64> { side.iter().map(|&v| place(v, others)).collect() };
    let (above, below) = (placed(&positive, &negative), placed(&negative, &positive));
    let spread = |places: &[f64]| crate::stats::sample::Moments::of(places).variance() / places.len() as f64;
    let area = above.iter().sum::<f64>() / above.len() as f64;
    Outcome::Ok(Auc { auc: area, variance: spread(&above) + spread(&below) })
}

impl Auc {
    /// 95 % interval around the area itself; `None` when the variance says nothing.
    pub fn wald95(self) -> Option<(f64, f64)> {
        let half = normal_isf(0.025) * self.sd()?;
        Some((self.auc - half, self.auc + half))
    }

    /// 95 % interval on the logit scale, inside 0…1. `None` at an area of 0 or 1.
    pub fn logit95(self) -> Option<(f64, f64)> {
        let (logit, half) = ((self.auc / (1.0 - self.auc)).ln(), normal_isf(0.025) * self.sd()?);
        let half = half / (self.auc * (1.0 - self.auc));
        let back = |x: f64| 1.0 / (1.0 + (-x).exp());
        Some((back(logit - half), back(logit + half)))
    }

    fn sd(self) -> Option<f64> {
        (self.variance > 0.0 && self.auc > 0.0 && self.auc < 1.0).then(|| self.variance.sqrt())
    }
}
