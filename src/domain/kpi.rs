//! The key performance indicators, their units, and which way is better.

use serde::{Deserialize, Serialize};

/// What a model predicts, which decides the KPIs that judge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// Classes: accuracy, sensitivity, specificity, AUC-ROC, precision, F1.
    #[default]
    Classification,
    /// Numbers: R², MAE, MSE, RMSE.
    Regression,
}

impl ModelKind {
    /// The word for it in configs and on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Classification => "classification",
            Self::Regression => "regression",
        }
    }

    /// The KPIs of quality that this kind has, the headline first.
    pub fn quality(self) -> &'static [Kpi] {
        match self {
            Self::Classification => {
                &[Kpi::Accuracy, Kpi::Sensitivity, Kpi::Specificity, Kpi::AucRoc, Kpi::Precision, Kpi::F1]
            }
            Self::Regression => &[Kpi::R2, Kpi::Mae, Kpi::Mse, Kpi::Rmse],
        }
    }
}

/// Which way a KPI is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// More is better: accuracy.
    Higher,
    /// Less is better: latency.
    Lower,
}

/// A key performance indicator. Latencies are milliseconds, shares of requests are percent, quality
/// scores are 0…1 (errors of regressions in the target's unit), resources are percent.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kpi {
    /// Median latency, ms.
    LatencyP50,
    /// 95th percentile of latency, ms.
    LatencyP95,
    /// 99th percentile of latency, ms.
    LatencyP99,
    /// Mean latency, ms, where a server publishes no histogram. Never shown as a percentile.
    LatencyMean,
    /// Failed requests, percent of all.
    ErrorRate,
    /// Requests a second.
    Throughput,
    /// Seconds to load the model.
    LoadTime,
    /// Right predictions, 0…1.
    Accuracy,
    /// True positive rate, 0…1 (recall).
    Sensitivity,
    /// True negative rate, 0…1.
    Specificity,
    /// Area under the ROC curve, 0…1.
    AucRoc,
    /// Positive predictive value, 0…1.
    Precision,
    /// Harmonic mean of precision and sensitivity, 0…1.
    F1,
    /// Coefficient of determination.
    R2,
    /// Mean absolute error.
    Mae,
    /// Mean squared error.
    Mse,
    /// Root of the mean squared error.
    Rmse,
    /// Processor use, percent of what the server may use.
    Cpu,
    /// Memory use, percent.
    Memory,
    /// Accelerator use, percent.
    Gpu,
    /// Requests that wait.
    QueueDepth,
    /// Cache hits, percent.
    CacheHits,
    /// Seconds since the newest ground-truth label came in.
    LabelLag,
    /// Labelled predictions in the evaluation window.
    LabelledSamples,
    /// Share of predictions that have a label, percent.
    LabelCoverage,
    /// Share of positive predictions, percent.
    PositiveRate,
    /// Drift of the inputs as a whole on the common scale, 0…1: [`super::drift::data_drift`].
    DataDrift,
}

struct Row {
    kpi: Kpi,
    id: &'static str,
    label: &'static str,
    unit: &'static str,
    direction: Direction,
    decimals: usize,
}

const fn row(
    kpi: Kpi,
    id: &'static str,
    label: &'static str,
    unit: &'static str,
    direction: Direction,
    decimals: usize,
) -> Row {
    Row { kpi, id, label, unit, direction, decimals }
}

use Direction::{Higher, Lower};

const TABLE: [Row; 27] = [
    row(Kpi::LatencyP50, "latency_p50", "latency p50", "ms", Lower, 0),
    row(Kpi::LatencyP95, "latency_p95", "latency p95", "ms", Lower, 0),
    row(Kpi::LatencyP99, "latency_p99", "latency p99", "ms", Lower, 0),
    row(Kpi::LatencyMean, "latency_mean", "latency mean", "ms", Lower, 0),
    row(Kpi::ErrorRate, "error_rate", "error rate", "%", Lower, 2),
    row(Kpi::Throughput, "throughput", "throughput", "/s", Higher, 1),
    row(Kpi::LoadTime, "load_time", "load time", "s", Lower, 1),
    row(Kpi::Accuracy, "accuracy", "accuracy", "", Higher, 3),
    row(Kpi::Sensitivity, "sensitivity", "sensitivity", "", Higher, 3),
    row(Kpi::Specificity, "specificity", "specificity", "", Higher, 3),
    row(Kpi::AucRoc, "auc_roc", "AUC-ROC", "", Higher, 3),
    row(Kpi::Precision, "precision", "precision", "", Higher, 3),
    row(Kpi::F1, "f1", "F1", "", Higher, 3),
    row(Kpi::R2, "r2", "R²", "", Higher, 3),
    row(Kpi::Mae, "mae", "MAE", "", Lower, 3),
    row(Kpi::Mse, "mse", "MSE", "", Lower, 3),
    row(Kpi::Rmse, "rmse", "RMSE", "", Lower, 3),
    row(Kpi::Cpu, "cpu", "CPU", "%", Lower, 0),
    row(Kpi::Memory, "memory", "memory", "%", Lower, 0),
    row(Kpi::Gpu, "gpu", "GPU", "%", Lower, 0),
    row(Kpi::QueueDepth, "queue_depth", "queue depth", "", Lower, 0),
    row(Kpi::CacheHits, "cache_hits", "cache hits", "%", Higher, 0),
    row(Kpi::LabelLag, "label_lag", "label lag", "s", Lower, 0),
    row(Kpi::LabelledSamples, "labelled_samples", "labelled", "", Higher, 0),
    row(Kpi::LabelCoverage, "label_coverage", "label coverage", "%", Higher, 0),
    row(Kpi::PositiveRate, "positive_rate", "positive rate", "%", Higher, 1),
    row(Kpi::DataDrift, "data_drift", "data drift", "", Lower, 2),
];

impl Kpi {
    /// Every KPI, in the order of reports.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.kpi)
    }

    fn row(self) -> &'static Row {
        // The table is in the order of the variants; a test holds it.
        &TABLE[self as usize]
    }

    /// The identifier in configs and JSON: `latency_p95`.
    pub fn id(self) -> &'static str {
        self.row().id
    }

    /// The KPI of this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.id == id).map(|row| row.kpi)
    }

    /// The words on screen: `latency p95`.
    pub fn label(self) -> &'static str {
        self.row().label
    }

    /// A short label for narrow columns: `p95`, `acc`, `AUC`.
    pub fn short(self) -> &'static str {
        match self {
            Self::LatencyP50 => "p50",
            Self::LatencyP95 => "p95",
            Self::LatencyP99 => "p99",
            Self::LatencyMean => "mean",
            Self::ErrorRate => "errors",
            Self::Accuracy => "acc",
            Self::Sensitivity => "sens",
            Self::Specificity => "spec",
            Self::AucRoc => "AUC",
            Self::Precision => "prec",
            Self::DataDrift => "drift",
            other => other.label(),
        }
    }

    /// The unit, empty for scores: `ms`, `%`, `/s`, `s`.
    pub fn unit(self) -> &'static str {
        self.row().unit
    }

    /// Which way is better.
    pub fn direction(self) -> Direction {
        self.row().direction
    }

    /// Digits after the point on screen.
    pub fn decimals(self) -> usize {
        self.row().decimals
    }

    /// Whether this speaks of the quality of predictions (and so rests on labels).
    pub fn is_quality(self) -> bool {
        self >= Self::Accuracy && self <= Self::Rmse
    }

    /// Whether this speaks of a resource: CPU, memory, GPU.
    pub fn is_resource(self) -> bool {
        matches!(self, Self::Cpu | Self::Memory | Self::Gpu)
    }

    /// A value as the screen writes it: scores between 0 and 1 without their zero (`.871`), others with
    /// the KPI's decimals, and no unit.
    pub fn format(self, value: f64) -> String {
        if !value.is_finite() {
            return "–".into();
        }
        let text = format!("{:.*}", self.decimals(), value);
        match text.strip_prefix("0.") {
            Some(rest) if self.is_quality() => format!(".{rest}"),
            _ => text,
        }
    }

    /// A value with its unit: `612 ms`, `0.42 %`, `.871`.
    pub fn format_with_unit(self, value: f64) -> String {
        match self.unit() {
            "" => self.format(value),
            unit => format!("{} {unit}", self.format(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kpi as usize, index, "{}", row.id);
            assert_eq!(Kpi::from_id(row.id), Some(row.kpi));
            let json = serde_json::to_string(&row.kpi).unwrap();
            assert_eq!(json, format!("\"{}\"", row.id), "the name in JSON is the id");
        }
    }

    #[test]
    fn values_are_written_as_the_field_writes_them() {
        assert_eq!(Kpi::Accuracy.format(0.871), ".871");
        assert_eq!(Kpi::Accuracy.format(1.0), "1.000");
        assert_eq!(Kpi::LatencyP95.format_with_unit(612.4), "612 ms");
        assert_eq!(Kpi::ErrorRate.format_with_unit(0.42), "0.42 %");
        assert_eq!(Kpi::ErrorRate.format(f64::NAN), "–");
    }
}
