//! What Prometheus answers, as data: instant and range results as lines of points, alerts, targets.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::domain::{Fault, FaultKind};

/// Labels as Prometheus sends them, not cleaned.
pub type Labels = BTreeMap<String, String>;

/// Values over time of one series; an instant result has one point. Moments are milliseconds since 1970,
/// so that equal moments compare as equal.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its labels.
    pub labels: Labels,
    /// Moments and values, in order of time. NaN stays NaN; missing points are not there.
    pub points: Vec<(i64, f64)>,
}

/// The shape of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One value a series.
    Vector,
    /// Many values a series.
    Matrix,
    /// One value.
    Scalar,
    /// A text.
    Text,
}

/// A parsed result.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// Its shape.
    pub shape: Shape,
    /// Its lines; a scalar is one line without labels.
    pub lines: Vec<Line>,
    /// How many series were native histograms and so had no value.
    pub histograms: usize,
    /// The server's warnings and infos.
    pub warnings: Vec<String>,
}

/// `{"status", "data", "warnings", "infos"}` around everything.
#[derive(Debug, Deserialize)]
pub struct Envelope<T> {
    /// `success` or `error`.
    pub status: String,
    /// The data, absent in errors.
    pub data: Option<T>,
    /// Warnings.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Infos, since 3.x.
    #[serde(default)]
    pub infos: Vec<String>,
    /// The text of an error that came with status 200.
    #[serde(default)]
    pub error: Option<String>,
}

impl<T> Envelope<T> {
    /// The data, or a fault when there is none.
    pub fn data(self) -> Result<T, Fault> {
        self.data.ok_or_else(|| {
            let said = self.error.unwrap_or_else(|| format!("status {} without data", self.status));
            Fault::new(FaultKind::Unreadable, said).advise("is this the Prometheus API? check the url")
        })
    }
}

/// The `data` of a query.
#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub enum Data {
    /// One value a series.
    Vector(Vec<RawSeries>),
    /// Many values a series.
    Matrix(Vec<RawLine>),
    /// One value.
    Scalar((f64, String)),
    /// A text.
    String(IgnoredAny),
}

/// One series of a vector.
#[derive(Debug, Deserialize)]
pub struct RawSeries {
    #[serde(default)]
    metric: Labels,
    #[serde(default)]
    value: Option<(f64, String)>,
    #[serde(default)]
    histogram: Option<IgnoredAny>,
}

/// One series of a matrix.
#[derive(Debug, Deserialize)]
pub struct RawLine {
    #[serde(default)]
    metric: Labels,
    #[serde(default)]
    values: Vec<(f64, String)>,
    #[serde(default)]
    histograms: Option<IgnoredAny>,
}

impl Answered {
    /// The lines of a query's answer.
    pub fn of(envelope: Envelope<Data>) -> Result<Self, Fault> {
        let mut warnings = envelope.warnings.clone();
        warnings.extend(envelope.infos.iter().cloned());
        let mut histograms = 0;
        let (shape, lines) = match envelope.data()? {
            Data::Vector(series) => {
                histograms = series.iter().filter(|s| s.value.is_none() && s.histogram.is_some()).count();
                let lines = series.into_iter().filter_map(|s| {
                    let point = s.value.as_ref().and_then(point)?;
                    Some(Line { labels: s.metric, points: vec![point] })
                });
                (Shape::Vector, lines.collect())
            }
            Data::Matrix(series) => {
                histograms = series.iter().filter(|s| s.values.is_empty() && s.histograms.is_some()).count();
                let lines = series
                    .into_iter()
                    .map(|s| Line { labels: s.metric, points: s.values.iter().filter_map(point).collect() });
                (Shape::Matrix, lines.collect())
            }
            Data::Scalar(value) => {
                let points = point(&value).into_iter().collect();
                (Shape::Scalar, vec![Line { labels: Labels::new(), points }])
            }
            Data::String(_) => (Shape::Text, Vec::new()),
        };
        Ok(Self { shape, lines, histograms, warnings })
    }
}

/// A moment and a value; values are texts such as `NaN`, `+Inf`, `1e+00`.
fn point((seconds, text): &(f64, String)) -> Option<(i64, f64)> {
    let millis = (seconds * 1_000.0).round();
    // A cast saturates, and a moment that far away is refused where it becomes a date.
    text.parse().ok().map(|value| (millis as i64, value))
}

/// The `data` of `/targets`.
#[derive(Debug, Default, Deserialize)]
pub struct Targets {
    /// What is scraped.
    #[serde(default, rename = "activeTargets")]
    pub active: Vec<Target>,
}

/// One scraped target.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Target {
    /// Its labels.
    pub labels: Labels,
    /// `up`, `down` or `unknown`.
    pub health: String,
    /// What the last failed scrape said.
    pub last_error: String,
    /// How often it is scraped, as a Go duration.
    pub scrape_interval: String,
}

/// The `data` of `/alerts`.
#[derive(Debug, Default, Deserialize)]
pub struct RawAlerts {
    /// Pending and firing alerts.
    #[serde(default)]
    pub alerts: Vec<RawAlert>,
}

/// One alert.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawAlert {
    /// Its labels.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Labels,
    /// `pending` or `firing`.
    pub state: String,
    /// Since when.
    pub active_at: Option<String>,
}

/// Seconds of a Go or Prometheus duration: `15s`, `1m30s`, `500ms`, `1d`.
pub fn duration(text: &str) -> Option<f64> {
    let (mut total, mut rest) = (0.0, text.trim());
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let factor = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            "y" => 31_536_000.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = tail;
    }
    (total > 0.0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(text: &str) -> Answered {
        Answered::of(serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn recorded_answers_of_every_shape() {
        let p95 = answered(include_str!("../../../fixtures/prometheus/query-p95.json"));
        assert_eq!(p95.shape, Shape::Vector);
        assert_eq!(p95.lines.len(), 2);
        assert!((p95.lines[0].points[0].1 - 0.746_452_702_702_702_7).abs() < 1e-12);
        let scalar = answered(include_str!("../../../fixtures/prometheus/query-scalar.json"));
        assert_eq!((scalar.shape, scalar.lines[0].points[0].1), (Shape::Scalar, 2.0));
        assert_eq!(
            answered(include_str!("../../../fixtures/prometheus/query-string.json")).shape,
            Shape::Text
        );
        assert_eq!(
            answered(include_str!("../../../fixtures/prometheus/query-matrix.json")).shape,
            Shape::Matrix
        );
        assert!(answered(include_str!("../../../fixtures/prometheus/query-empty.json")).lines.is_empty());
    }

    #[test]
    fn values_that_are_no_numbers() {
        let nan = answered(include_str!("../../../fixtures/prometheus/query-nan.json"));
        assert!(nan.lines[0].points[0].1.is_nan());
        let inf = answered(include_str!("../../../fixtures/prometheus/query-inf.json"));
        assert_eq!(inf.lines[0].points[0].1, f64::INFINITY);
        let native = answered(include_str!("../../../fixtures/prometheus/native-query-raw.json"));
        assert!(native.lines.is_empty() && native.histograms > 0, "a histogram has no value");
        let range = answered(include_str!("../../../fixtures/prometheus/native-range.json"));
        assert_eq!(range.shape, Shape::Matrix);
    }

    #[test]
    fn absent_points_stay_absent() {
        let gap = answered(include_str!("../../../fixtures/prometheus/range-hang-gap.json"));
        let widest = |line: &Line| line.points.windows(2).map(|pair| pair[1].0 - pair[0].0).max();
        let steps: Vec<i64> = gap.lines[0].points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        let step = *steps.iter().min().unwrap();
        assert!(gap.lines.iter().filter_map(widest).any(|gap| gap > step), "{steps:?}");
    }

    #[test]
    fn warnings_are_kept_and_errors_with_200_are_faults() {
        let warned = answered(
            r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["w"],"infos":["i"],"new":1}"#,
        );
        assert_eq!(warned.warnings, ["w", "i"]);
        let error: Envelope<Data> = serde_json::from_str(r#"{"status":"error","error":"no"}"#).unwrap();
        assert_eq!(Answered::of(error).unwrap_err().detail, "no");
    }

    #[test]
    fn durations_as_go_writes_them() {
        for (text, seconds) in
            [("5s", 5.0), ("1m30s", 90.0), ("1m0s", 60.0), ("500ms", 0.5), ("1d", 86_400.0)]
        {
            assert_eq!(duration(text), Some(seconds), "{text}");
        }
        assert_eq!(duration("soon"), None);
        assert_eq!(duration(""), None);
    }
}
