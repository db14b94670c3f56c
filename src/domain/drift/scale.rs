//! Drift scores: scales of different methods brought to one, levels, and what the guide says to do.

use serde::{Deserialize, Serialize};

use crate::domain::Level;
use crate::stats::drift::level::Noise;

/// Chance that a score is called confirmed and is not.
const ALPHA: f64 = 0.05;
/// Bins of the reference, for the noise of binned scores.
const BINS: u64 = 10;

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
    pub fn concern(self) -> Level {
        match self {
            Self::Minimal | Self::Low => Level::Ok,
            Self::Moderate => Level::BelowTarget,
            Self::High => Level::Warning,
            Self::Critical => Level::Critical,
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn evidently_names_choose_the_direction() {
        assert_eq!(DriftScale::from_method("K-S p_value"), Some(DriftScale::PValue));
        assert_eq!(DriftScale::from_method("ks"), Some(DriftScale::PValue));
        assert_eq!(DriftScale::from_method("Wasserstein distance (normed)"), Some(DriftScale::Wasserstein));
        assert_eq!(DriftScale::from_method("my own"), None, "never guessed");
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
