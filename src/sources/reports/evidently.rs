//! Reads the JSON of an Evidently report, of 0.7 and of the versions before.

use serde_json::{Map, Value};

use super::method;
use super::told::{Score, Terms, Told, Whole};
use super::value::{count, number, text};
use crate::domain::Kpi;
use crate::domain::text::clean;

/// What a report says; `None` when it is no report of Evidently.
pub fn read(report: &Value, terms: &Terms) -> Option<Told> {
    let metrics = report.get("metrics")?.as_array()?;
    let mut told =
        Told { at: terms.time(report.get("timestamp").and_then(Value::as_str)), ..Told::default() };
    let mut missing = Missing::default();
    let mut known = metrics.is_empty();
    for metric in metrics {
        if let Some(kind) = kind(metric) {
            known = true;
            of_metric(kind, metric, &mut told, &mut missing);
        } else if let (Some(kind), Some(result)) = (metric["metric"].as_str(), metric["result"].as_object()) {
            known = true;
            of_older(kind, result, &mut told, &mut missing);
        }
    }
    told.whole.extend(missing.words());
    known.then_some(told)
}

/// The kind of a metric of 0.7: the end of its type, else the start of its name.
fn kind(metric: &Value) -> Option<&str> {
    let typed = metric["config"]["type"].as_str().and_then(|name| name.rsplit(':').next());
    typed.or_else(|| metric["metric_name"].as_str().and_then(|name| name.split('(').next()))
}

fn of_metric(kind: &str, metric: &Value, told: &mut Told, missing: &mut Missing) {
    let (config, value) = (&metric["config"], &metric["value"]);
    let plain = number(Some(value));
    match kind {
        "ValueDrift" => {
            let Some(column) = text(config.get("column")) else { return };
            let method = text(config.get("method")).unwrap_or_default();
            let threshold = number(config.get("threshold"));
            let score = Score { raw: plain, threshold, at: None };
            told.score(&column, &method, method::evidently(&method), score);
        }
        "DriftedColumnsCount" => {
            let (found, share) = (number(value.get("count")), number(value.get("share")));
            let of = match (found, share) {
                (Some(found), Some(share)) if share > 0.0 => count(Some(found / share)),
                _ => None,
            };
            told.whole.extend(drifted(found, share, of, number(config.get("drift_share"))));
        }
        "RowCount" => told.samples = told.samples.or(count(plain)),
        "MissingValueCount" => {
            missing.column(text(config.get("column")).as_deref(), number(value.get("share")));
        }
        "DatasetMissingValueCount" => missing.all = number(value.get("share")),
        "MAE" => told.quality(Kpi::Mae, number(value.get("mean")).or(plain), ""),
        _ => {
            let kpi = match kind {
                "Accuracy" => Kpi::Accuracy,
                "Precision" => Kpi::Precision,
                "Recall" | "TPR" => Kpi::Sensitivity,
                "TNR" => Kpi::Specificity,
                "F1Score" => Kpi::F1,
                "RocAuc" => Kpi::AucRoc,
                "RMSE" => Kpi::Rmse,
                "R2Score" => Kpi::R2,
                _ => return,
            };
            told.quality(kpi, plain, "");
        }
    }
}

/// A metric as Evidently wrote it before 0.7.
fn of_older(kind: &str, result: &Map<String, Value>, told: &mut Told, missing: &mut Missing) {
    let current = result.get("current").and_then(Value::as_object);
    match kind {
        "DatasetDriftMetric" => {
            let is = |name: &str| number(result.get(name));
            let of = count(is("number_of_columns"));
            let share = is("share_of_drifted_columns");
            told.whole.extend(drifted(is("number_of_drifted_columns"), share, of, is("drift_share")));
        }
        "DataDriftTable" => {
            let columns = result.get("drift_by_columns").and_then(Value::as_object);
            for (name, column) in columns.into_iter().flatten() {
                if let Some(column) = column.as_object() {
                    older_column(name, column, told);
                }
            }
        }
        "ColumnDriftMetric" => {
            if let Some(name) = text(result.get("column_name")) {
                older_column(&name, result, told);
            }
        }
        "DatasetMissingValuesMetric" => {
            let Some(current) = current else { return };
            missing.all = number(current.get("share_of_missing_values"));
            told.samples = told.samples.or(count(number(current.get("number_of_rows"))));
            let columns = current.get("share_of_missing_values_by_column").and_then(Value::as_object);
            for (name, share) in columns.into_iter().flatten() {
                missing.column(Some(name), number(Some(share)));
            }
        }
        "ColumnMissingValuesMetric" => {
            let share = current.and_then(|current| number(current.get("share_of_missing_values")));
            missing.column(text(result.get("column_name")).as_deref(), share);
        }
        "DatasetSummaryMetric" => {
            let rows = current.and_then(|current| number(current.get("number_of_rows")));
            told.samples = told.samples.or(count(rows));
        }
        "ClassificationQualityMetric" | "RegressionQualityMetric" => {
            const NAMES: [(&str, Kpi); 11] = [
                ("accuracy", Kpi::Accuracy),
                ("precision", Kpi::Precision),
                ("recall", Kpi::Sensitivity),
                ("tpr", Kpi::Sensitivity),
                ("tnr", Kpi::Specificity),
                ("f1", Kpi::F1),
                ("roc_auc", Kpi::AucRoc),
                ("mean_abs_error", Kpi::Mae),
                ("rmse", Kpi::Rmse),
                ("r2_score", Kpi::R2),
                ("mse", Kpi::Mse),
            ];
            for (name, kpi) in NAMES {
                told.quality(kpi, current.and_then(|current| number(current.get(name))), "");
            }
        }
        _ => {}
    }
}

fn older_column(name: &str, column: &Map<String, Value>, told: &mut Told) {
    let method = text(column.get("stattest_name")).unwrap_or_default();
    let threshold = number(column.get("stattest_threshold"));
    let score = Score { raw: number(column.get("drift_score")), threshold, at: None };
    told.score(name, &method, method::evidently(&method), score);
}

fn drifted(found: Option<f64>, share: Option<f64>, of: Option<u64>, limit: Option<f64>) -> Option<Whole> {
    let share = share?;
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let counted = match (count(found), of) {
        (Some(found), Some(of)) => format!("{found} of {of}, {}", percent(share)),
        (Some(found), None) => format!("{found}, {}", percent(share)),
        _ => percent(share),
    };
    let limit = limit.filter(|limit| limit.is_finite());
    let beyond = limit.map(|limit| format!(" (limit {})", percent(limit))).unwrap_or_default();
    let abnormal = limit.is_some_and(|limit| share >= limit);
    Some(Whole { kind: "drifted columns", finding: format!("{counted}{beyond}"), abnormal })
}

/// Shares of values that are missing.
#[derive(Default)]
struct Missing {
    all: Option<f64>,
    worst: Option<(f64, String)>,
}

impl Missing {
    fn column(&mut self, name: Option<&str>, share: Option<f64>) {
        let (Some(name), Some(share)) = (name, share) else { return };
        if self.worst.as_ref().is_none_or(|(worst, _)| share > *worst) {
            self.worst = Some((share, clean(name, 60)));
        }
    }

    fn words(self) -> Option<Whole> {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let all = self.all.map(|share| format!("{} of all", percent(share)));
        let worst = self.worst.map(|(share, name)| match share > 0.0 {
            true => format!("{name} {}", percent(share)),
            false => "none found".to_owned(),
        });
        let words: Vec<String> = all.into_iter().chain(worst).collect();
        let finding = words.join(", most in ");
        (!words.is_empty()).then_some(Whole { kind: "missing values", finding, abnormal: false })
    }
}
