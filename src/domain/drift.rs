//! Drift of features: scales of different methods brought to one, levels, and what the guide says to do.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Time;
use crate::stats::drift::level::Noise;

/// The five levels of the guide, and their deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftLevel {
    /// Below 5 %.
    Minimal,
    /// 5–10 %.
    Low,
    /// 10–20 %.
    Moderate,
    /// 20–30 %.
    High,
    /// Above 30 %.
    Critical,
}

impl DriftLevel {
    /// The level of a score on the common scale (share of rows that moved, 0…1). Half-open below;
    /// critical is strictly above 0.30. Source: the guide's table of drift levels.
    pub fn of(score: f64) -> Option<Self> {
        if score.is_nan() {
            return None;
        }
        Some(match score {
            s if s > 0.30 => Self::Critical,
            s if s >= 0.20 => Self::High,
            s if s >= 0.10 => Self::Moderate,
            s if s >= 0.05 => Self::Low,
            _ => Self::Minimal,
        })
    }

    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// A word of at most four letters.
    pub fn short(self) -> &'static str {
        match self {
            Self::Minimal => "min",
            Self::Low => "low",
            Self::Moderate => "mod",
            Self::High => "high",
            Self::Critical => "crit",
        }
    }

    /// What the guide says to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Minimal => "keep watching",
            Self::Low => "watch closer",
            Self::Moderate => "find the cause, plan retraining",
            Self::High => "retrain",
            Self::Critical => "consider deactivation",
        }
    }

    /// Within how many days the guide wants it done.
    pub fn days(self) -> Option<i64> {
        match self {
            Self::Minimal => None,
            Self::Low | Self::High => Some(7),
            Self::Moderate => Some(14),
            Self::Critical => Some(3),
        }
    }

    /// How much this level concerns the fleet: high warns, critical is critical.
    pub fn concern(self) -> super::Level {
        match self {
            Self::Minimal | Self::Low => super::Level::Ok,
            Self::Moderate => super::Level::BelowTarget,
            Self::High => super::Level::Warning,
            Self::Critical => super::Level::Critical,
        }
    }
}

/// What a published drift score means. Getting it wrong inverts the heatmap, so nothing guesses it from
/// the number.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DriftScale {
    /// Kolmogorov–Smirnov distance or total variation: the share of rows that moved, 0…1.
    Share,
    /// Population stability index.
    Psi,
    /// Kullback–Leibler divergence, nats.
    Kl,
    /// Jensen–Shannon distance, base 2.
    JensenShannon,
    /// Wasserstein distance in reference standard deviations.
    Wasserstein,
    /// Hellinger distance.
    Hellinger,
    /// A p-value: low means drift. It says whether, never how much.
    PValue,
}

impl DriftScale {
    /// The scale of a method's name as exporters and Evidently write it.
    pub fn from_method(method: &str) -> Option<Self> {
        let name = method.to_ascii_lowercase();
        let p_value = ["p_value", "pvalue", "p-value"].iter().any(|word| name.contains(word));
        Some(match name.as_str() {
            _ if p_value => Self::PValue,
            "ks" | "chisquare" | "z" | "anderson" | "cramer_von_mises" | "es" | "fisher_exact" | "g_test"
            | "mannw" | "t_test" | "empirical_mmd" | "tvd" => Self::PValue,
            "ks_d" | "ks_distance" | "ks_statistic" | "tv" | "total_variation" | "share" => Self::Share,
            "psi" => Self::Psi,
            "kl" | "kl_div" | "kullback-leibler divergence" => Self::Kl,
            "js" | "jensenshannon" | "jensen-shannon distance" => Self::JensenShannon,
            "wasserstein" | "wasserstein distance (normed)" => Self::Wasserstein,
            "hellinger" | "hellinger distance" => Self::Hellinger,
            _ => return None,
        })
    }

    /// The method's usual short name on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Share => "KS",
            Self::Psi => "PSI",
            Self::Kl => "KL",
            Self::JensenShannon => "JS",
            Self::Wasserstein => "Wasserstein",
            Self::Hellinger => "Hellinger",
            Self::PValue => "p-value",
        }
    }

    /// Bounds of low, moderate, high and critical on this scale: those of a Gaussian whose shift moves
    /// 5, 10, 20, 30 % of the rows. Source: the calibration table of the statistics contract, from
    /// KS = 2Φ(d/2) − 1, PSI = d², KL = d²/2, Wasserstein = d for a shift of d standard deviations.
    fn bounds(self) -> Option<[f64; 4]> {
        Some(match self {
            Self::Share => [0.05, 0.10, 0.20, 0.30],
            Self::Psi => [0.0157, 0.0632, 0.2567, 0.5939],
            Self::Kl => [0.0079, 0.0316, 0.1284, 0.2969],
            Self::JensenShannon => [0.0532, 0.1063, 0.2118, 0.3159],
            Self::Wasserstein => [0.125, 0.251, 0.507, 0.771],
            Self::Hellinger => [0.0443, 0.0887, 0.1777, 0.2675],
            Self::PValue => return None,
        })
    }

    /// The noise in a score from a reference of `n` rows and a current sample of `m`, and the score on the
    /// common scale below which it says nothing: without rows nothing is said.
    pub fn noise(self, n: u64, m: u64) -> (Noise, f64) {
        let noise = crate::stats::drift::level::noise(n, m, BINS, ALPHA);
        let floor = match self {
            _ if n == 0 || m == 0 => f64::INFINITY,
            Self::Psi => self.common(noise.psi_expected).unwrap_or(0.0),
            _ => noise.ks_floor,
        };
        (noise, floor)
    }

    /// Brings a raw score to the common scale (0…1, share of rows that moved) by linear interpolation
    /// between the calibrated bounds; above the last bound it grows in proportion, at most to 1. `None`
    /// for p-values and NaN: a p-value says nothing about size.
    pub fn common(self, raw: f64) -> Option<f64> {
        let bounds = self.bounds()?;
        if raw.is_nan() {
            return None;
        }
        let common = [0.05, 0.10, 0.20, 0.30];
        let mut low = (0.0, 0.0);
        for (bound, share) in bounds.into_iter().zip(common) {
            if raw <= bound {
                let part = (raw.max(0.0) - low.0) / (bound - low.0);
                return Some(low.1 + part * (share - low.1));
            }
            low = (bound, share);
        }
        Some((0.30 * raw / bounds[3]).min(1.0))
    }
}

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

/// Chance that a score is called confirmed and is not.
const ALPHA: f64 = 0.05;
/// Bins of the reference, for the noise of binned scores.
const BINS: u64 = 10;

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
    fn levels_are_half_open_below() {
        let table = [
            (0.0, DriftLevel::Minimal),
            (0.0499, DriftLevel::Minimal),
            (0.05, DriftLevel::Low),
            (0.10, DriftLevel::Moderate),
            (0.20, DriftLevel::High),
            (0.30, DriftLevel::High),
            (0.3001, DriftLevel::Critical),
        ];
        for (score, level) in table {
            assert_eq!(DriftLevel::of(score), Some(level), "{score}");
        }
        assert_eq!(DriftLevel::of(f64::NAN), None);
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
    fn evidently_names_choose_the_direction() {
        assert_eq!(DriftScale::from_method("K-S p_value"), Some(DriftScale::PValue));
        assert_eq!(DriftScale::from_method("ks"), Some(DriftScale::PValue));
        assert_eq!(DriftScale::from_method("Wasserstein distance (normed)"), Some(DriftScale::Wasserstein));
        assert_eq!(DriftScale::from_method("my own"), None, "never guessed");
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

    proptest::proptest! {
        #[test]
        fn the_common_scale_is_monotone(a in 0.0f64..3.0, b in 0.0f64..3.0) {
            for scale in [DriftScale::Share, DriftScale::Psi, DriftScale::Kl, DriftScale::Wasserstein] {
                let (low, high) = (scale.common(a.min(b)).unwrap(), scale.common(a.max(b)).unwrap());
                proptest::prop_assert!(low <= high + 1e-12);
            }
        }
    }
}
