//! What is said of one feature.

use std::sync::Arc;

use serde::Serialize;

use super::Method;
use crate::domain::drift::{Certainty, Shape};
use crate::domain::text::clean_name;
use crate::domain::{DriftLevel, FeatureDrift, Time};

/// What state a feature is in. Every state but `ok` and `constant` has no score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It has a score.
    Ok,
    /// It has a score, but a side holds one value only: bins and spreads mean little there.
    Constant,
    /// A side has no usable value.
    NoData,
    /// The reference has it, the current table lacks it.
    MissingInCurrent,
    /// The current table has it, the reference lacks it.
    MissingInReference,
    /// Numbers on one side, categories on the other.
    TypeChanged,
    /// The method does not fit its type.
    NotApplicable,
    /// More categories than are kept: free text, or an identifier.
    TooManyCategories,
}

impl Status {
    /// The word of machine-readable output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Constant => "constant",
            Self::NoData => "no_data",
            Self::MissingInCurrent => "missing_in_current",
            Self::MissingInReference => "missing_in_reference",
            Self::TypeChanged => "type_changed",
            Self::NotApplicable => "not_applicable",
            Self::TooManyCategories => "too_many_categories",
        }
    }

    /// Whether data that were there are gone or changed: somebody should look at it, score or not.
    pub fn is_schema_change(self) -> bool {
        matches!(self, Self::NoData | Self::MissingInCurrent | Self::MissingInReference | Self::TypeChanged)
    }
}

/// Cells of one side that no score can use, as shares of its rows, 0…1; `None` without rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Dropped {
    /// NaN and infinite cells.
    pub non_finite: u64,
    /// Their share of the rows.
    pub non_finite_share: Option<f64>,
    /// Cells that are not there.
    pub missing: u64,
    /// Their share of the rows.
    pub missing_share: Option<f64>,
}

/// Drift of one feature by one method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessed {
    /// The feature's name, as in the file.
    pub feature: Arc<str>,
    /// Its group, may be empty.
    pub group: Arc<str>,
    /// By which method.
    pub method: Method,
    /// Which state it is in.
    pub status: Status,
    /// The level of the score; `None` without one.
    pub level: Option<DriftLevel>,
    /// Whether the rows are enough to be sure of the level. Only a confirmed level alerts.
    pub confirmed: bool,
    /// How sure it is; `None` without a score.
    pub certainty: Option<Certainty>,
    /// The score on the common scale: share of rows that moved, 0…1.
    pub score: Option<f64>,
    /// The least that the true score can be, given the rows (95 %).
    pub least: Option<f64>,
    /// The score that samples of this size show without any drift: one below it says nothing.
    pub noise_floor: Option<f64>,
    /// Of categories: what so many of them show on average without any drift, on the common scale.
    #[serde(rename = "expected_without_drift")]
    pub usual: f64,
    /// What the method itself gives, in its own unit.
    pub raw: Option<f64>,
    /// Which statistic it is: `ks_D`, `tv`, `psi_quantile10`, …
    pub statistic: Option<&'static str>,
    /// The p-value of the method's test, where it has one. Valid for one look only.
    pub p_value: Option<f64>,
    /// The same, adjusted for the number of features (Benjamini–Hochberg, within one look).
    pub p_adjusted: Option<f64>,
    /// Rows of the reference that it rests on.
    pub n_reference: u64,
    /// Rows of the current sample that it rests on.
    pub n_current: u64,
    /// What was dropped of the reference.
    pub dropped_reference: Dropped,
    /// What was dropped of the current sample.
    pub dropped_current: Dropped,
    /// Whether the dropped share changed by more than five points.
    pub data_quality_alert: bool,
    /// How many categories the reference lacks: a change of the schema, whatever their mass.
    pub unseen_in_reference: u64,
    /// How many categories of the reference the current sample lacks.
    pub missing_in_current: u64,
    /// What an operator should know, in sentences.
    pub remarks: Vec<String>,
    /// Both distributions, bin by bin.
    pub shape: Option<Arc<Shape>>,
}

impl Assessed {
    /// The level, when it is confirmed.
    pub fn alerting(&self) -> Option<DriftLevel> {
        self.level.filter(|_| self.confirmed)
    }

    /// What the sources tell the store; `None` without a score. The homogeneity test's is its total variation.
    pub fn to_domain(&self, at: Time) -> Option<FeatureDrift> {
        let raw = if self.method == Method::Chi2 { self.score } else { self.raw };
        Some(FeatureDrift {
            feature: clean_name(&self.feature).into(),
            group: clean_name(&self.group).into(),
            raw: raw.filter(|raw| raw.is_finite())?,
            scale: self.method.scale(),
            threshold: None,
            at,
            samples: Some(self.n_current),
            reference_samples: Some(self.n_reference),
            shape: self.shape.clone(),
        })
    }

    /// What to do about it and by when, in one sentence.
    pub fn verdict(&self) -> String {
        let Some(level) = self.level else {
            return format!("no score: {}", self.remarks.first().map_or(self.status.word(), String::as_str));
        };
        let word = level.word();
        match (self.certainty, level.days()) {
            (Some(Certainty::Noise), _) => {
                format!("within the noise of {} and {} rows: keep watching", self.n_reference, self.n_current)
            }
            (Some(Certainty::Tentative), _) => format!(
                "{word}, but not certain with {} and {} rows (at least {:.1} %): gather more before acting",
                self.n_reference,
                self.n_current,
                100.0 * self.least.unwrap_or(0.0)
            ),
            (_, Some(days)) => format!("{word}: {} within {days} days", level.advice()),
            (_, None) => format!("{word}: {}", level.advice()),
        }
    }
}
