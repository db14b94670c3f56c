//! Reads drift as whylogs computes it between two profiles: one object a column.

use serde_json::Value;

use super::told::{Score, Terms, Told};
use super::value::{number, text};
use crate::domain::DriftScale;

/// What a report says; `None` when it has no column of whylogs.
pub fn read(report: &Value, terms: &Terms) -> Option<Told> {
    let columns = report.get("columns").unwrap_or(report).as_object()?;
    let mut known = false;
    let mut told =
        Told { at: terms.time(report.get("timestamp").and_then(Value::as_str)), ..Told::default() };
    for (name, column) in columns {
        let Some(method) = text(column.get("algorithm")) else { continue };
        known = true;
        let thresholds = column.get("thresholds");
        let (scale, raw, threshold) = match method.to_ascii_lowercase().as_str() {
            "ks" | "chi-square" | "chisquare" => {
                // Drift reaches up to its upper bound.
                let limit = bound(thresholds, 1).or(Some(0.05));
                (Some(DriftScale::PValue), column.get("pvalue"), limit)
            }
            "hellinger" => {
                (Some(DriftScale::Hellinger), column.get("statistic"), bound(thresholds, 0).or(Some(0.4)))
            }
            _ => (None, None, None),
        };
        told.score(name, &method, scale, Score { raw: number(raw), threshold, at: None });
    }
    known.then_some(told)
}

/// A bound of the range that counts as drift.
fn bound(thresholds: Option<&Value>, index: usize) -> Option<f64> {
    number(thresholds?.get("DRIFT")?.get(index))
}
