//! Drift of features: how far each has moved, how sure that is, and what it makes of a model.

mod scale;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use scale::{DriftLevel, DriftScale};

use super::Time;
use crate::stats::drift::level::Noise;

/// Drift of one feature at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureDrift {
    /// The feature's name, cleaned.
    pub feature: Arc<str>,
    /// Its group: `omics`, `sensor`, `clinical`; empty when unknown.
    pub group: Arc<str>,
    /// The score as published.
    pub raw: f64,
    /// What the raw score means.
    pub scale: DriftScale,
    /// The source's own threshold, when it names one.
    pub threshold: Option<f64>,
    /// When it was true.
    pub at: Time,
    /// Rows of the current sample that it rests on, when known.
    pub samples: Option<u64>,
    /// Rows of the reference, when known.
    pub reference_samples: Option<u64>,
    /// How both samples are distributed, when the source tells.
    pub shape: Option<Arc<Shape>>,
}

/// The distributions of one feature in the reference and in the current sample, bin by bin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Its bins: of a number in ascending order, of a category the most frequent first.
    pub bins: Vec<Bin>,
}

/// One bin of a distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// What it holds: a category, or a range as `0.5–1.2`.
    pub label: Arc<str>,
    /// Share of the reference's rows, 0…1.
    pub reference: f64,
    /// Share of the current sample's rows, 0…1.
    pub current: f64,
}

/// How sure a drift score is, given how many rows it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Without any drift, samples this small show as much: it says nothing.
    Noise,
    /// The score is at its level, but the true one may lie below.
    Tentative,
    /// Not known: the source does not tell its rows.
    Unknown,
    /// Even at its least the true score is at this level.
    Confirmed,
}

impl FeatureDrift {
    /// A score of which no threshold, no rows and no distributions are told. The names are cleaned already.
    pub fn new(
        feature: impl Into<Arc<str>>,
        group: impl Into<Arc<str>>,
        raw: f64,
        scale: DriftScale,
        at: Time,
    ) -> Self {
        Self {
            feature: feature.into(),
            group: group.into(),
            raw,
            scale,
            threshold: None,
            at,
            samples: None,
            reference_samples: None,
            shape: None,
        }
    }

    /// The score on the common scale.
    pub fn score(&self) -> Option<f64> {
        self.scale.common(self.raw)
    }

    /// The level, `None` for p-values.
    pub fn level(&self) -> Option<DriftLevel> {
        self.score().and_then(DriftLevel::of)
    }

    /// How sure the level is: confirmed when even the least true score that the rows allow (Massart's bound)
    /// reaches it; noise when the score is what samples of this size show without any drift.
    pub fn certainty(&self) -> Certainty {
        let (Some(score), Some((noise, floor))) = (self.score(), self.noise()) else {
            return Certainty::Unknown;
        };
        match DriftLevel::of(score) {
            _ if score < floor => Certainty::Noise,
            Some(DriftLevel::Minimal) => Certainty::Confirmed,
            level if DriftLevel::of(noise.lower(score)) == level => Certainty::Confirmed,
            _ => Certainty::Tentative,
        }
    }

    /// The noise that its rows leave, when both are known.
    fn noise(&self) -> Option<(Noise, f64)> {
        Some(self.scale.noise(self.reference_samples?, self.samples?))
    }

    /// The level that is certain: the point estimate's when its rows are not known, else the level of the
    /// least true score that they allow. Only this one alerts.
    pub fn confirmed_level(&self) -> Option<DriftLevel> {
        self.certain_score().and_then(DriftLevel::of)
    }

    /// The score as far as it is certain: itself when confirmed or when its rows are not known, else the
    /// least true one that they allow.
    pub fn certain_score(&self) -> Option<f64> {
        let score = self.score()?;
        match self.certainty() {
            Certainty::Confirmed | Certainty::Unknown => Some(score),
            Certainty::Noise => Some(0.0),
            Certainty::Tentative => self.noise().map(|(noise, _)| noise.lower(score)),
        }
    }

    /// Whether the source's own test calls it drifted: by its threshold, else 0.05 for p-values and the
    /// bound of `low` for distances.
    pub fn is_drifted(&self) -> bool {
        match (self.scale, self.threshold) {
            (DriftScale::PValue, threshold) => self.raw < threshold.unwrap_or(0.05),
            (_, Some(threshold)) => self.raw >= threshold,
            (_, None) => self.level().is_some_and(|level| level >= DriftLevel::Low),
        }
    }

    /// A number that sorts the worst first, whatever the scale.
    pub fn concern(&self) -> f64 {
        match self.score() {
            Some(score) => score,
            None if self.is_drifted() => 0.05,
            None => 0.0,
        }
    }
}

/// Data drift of a model from its features, as far as it is certain: the mean score of those that are not minimal (they are the
/// ones that moved); the largest score when none is. `None` without any score.
pub fn data_drift<'a>(features: impl Iterator<Item = &'a FeatureDrift>) -> Option<f64> {
    let scores: Vec<f64> = features.filter_map(FeatureDrift::certain_score).collect();
    let moved: Vec<f64> = scores.iter().copied().filter(|&score| score >= 0.05).collect();
    match moved.len() {
        0 => scores.into_iter().reduce(f64::max),
        n => Some(moved.iter().sum::<f64>() / n as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(raw: f64, scale: DriftScale, threshold: Option<f64>) -> FeatureDrift {
        FeatureDrift {
            threshold,
            ..FeatureDrift::new("f", "", raw, scale, Time::from_timestamp(0, 0).unwrap())
        }
    }

    #[test]
    fn a_p_value_and_a_distance_point_opposite_ways() {
        assert!(feature(0.001, DriftScale::PValue, None).is_drifted());
        assert!(!feature(0.6, DriftScale::PValue, None).is_drifted());
        assert_eq!(feature(0.001, DriftScale::PValue, None).level(), None, "a p-value has no level");
        assert!(feature(0.6, DriftScale::Wasserstein, Some(0.1)).is_drifted());
        assert!(!feature(0.001, DriftScale::Wasserstein, Some(0.1)).is_drifted());
    }

    #[test]
    fn calibrated_bounds_meet_the_levels() {
        assert_eq!(feature(0.251, DriftScale::Wasserstein, None).level(), Some(DriftLevel::Moderate));
        assert_eq!(feature(0.26, DriftScale::Psi, None).level(), Some(DriftLevel::High));
        assert_eq!(feature(9.0, DriftScale::Psi, None).score(), Some(1.0));
    }

    #[test]
    fn a_models_drift_is_the_mean_of_what_moved() {
        let features =
            [0.23, 0.14, 0.08, 0.11, 0.06, 0.01, 0.02].map(|raw| feature(raw, DriftScale::Share, None));
        let drift = data_drift(features.iter()).unwrap();
        assert!((drift - 0.124).abs() < 1e-9, "{drift}");
        assert_eq!(data_drift([feature(0.02, DriftScale::Share, None)].iter()), Some(0.02));
        assert_eq!(data_drift([feature(0.02, DriftScale::PValue, None)].iter()), None);
    }
}
