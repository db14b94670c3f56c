//! The queries that people write themselves, one for each KPI of a model: what comes back, and what is
//! wrong with it in words that name the key of the config.

use std::collections::BTreeMap;

use super::api::{Api, Range};
use super::facts::{Ranked, is_rate};
use super::group::Watched;
use super::wire::{Answered, Line, Shape};
use crate::domain::{Fact, Fault, FaultKind, Kpi, Reading, Time, Version};

/// Labels that hold the version when the config names none.
const VERSION_LABELS: [&str; 4] = ["version", "model_version", "revision_name", "destination_version"];

/// One query of one model.
#[derive(Debug, Clone)]
pub struct Own {
    /// Whose.
    pub model: Watched,
    /// Which KPI it measures.
    pub kpi: Kpi,
    /// The PromQL.
    pub text: String,
}

/// All own queries of these models.
pub fn queries(models: &[Watched]) -> Vec<Own> {
    let of = |model: &Watched| {
        let model = model.clone();
        let queries = model.at.queries.clone();
        queries.into_iter().map(move |(kpi, text)| Own { model: model.clone(), kpi, text })
    };
    models.iter().flat_map(of).collect()
}

impl Own {
    /// The readings of now. A query that is refused or gives nothing is a reading without value, and a
    /// remark that says why; a server that does not answer is the fault of the whole poll.
    pub async fn now(&self, api: &Api, at_s: f64, window_s: u32) -> Result<Vec<Ranked>, Fault> {
        let found = match api.instant(&self.text, at_s).await {
            Ok(answered) => self.values(answered),
            Err(fault) if is_of_query(&fault) => Err(fault),
            Err(fault) => return Err(fault),
        };
        let at = Time::from_timestamp_millis((at_s * 1_000.0) as i64).unwrap_or_default();
        let window_s = if is_rate(self.kpi) { window_s } else { 0 };
        let without = |note: &str| {
            let reading = Reading { note: Some(note.into()), ..Reading::new(f64::NAN, at).over(window_s) };
            self.fact(None, reading)
        };
        Ok(match found {
            Err(fault) => {
                let fault = self.name_key(fault);
                vec![without(fault.kind.word()), (0, Fact::Remark(fault.to_string()))]
            }
            Ok(found) if found.is_empty() => vec![without("the query gives nothing")],
            Ok(found) => found
                .into_iter()
                .filter_map(|(version, line)| {
                    let &(_, value) = line.points.last()?;
                    Some(self.fact(version, Reading::new(value, at).over(window_s)))
                })
                .collect(),
        })
    }

    /// Past values; a query that cannot be asked over a range has none.
    pub async fn history(&self, api: &Api, range: Range) -> Result<Vec<Ranked>, Fault> {
        let answered = match api.range(&self.text, range).await {
            Ok(answered) => answered,
            Err(fault) if is_of_query(&fault) => return Ok(Vec::new()),
            Err(fault) => return Err(fault),
        };
        let found = self.split(answered.lines).unwrap_or_default();
        let fact = |(version, line): (Option<Version>, Line)| {
            let usable = line.points.iter().filter(|(_, value)| value.is_finite());
            let points: Vec<(Time, f64)> =
                usable.filter_map(|&(at, value)| Some((Time::from_timestamp_millis(at)?, value))).collect();
            let (model, kpi, step_s) = (self.model.id.clone(), self.kpi, range.step);
            (!points.is_empty()).then_some((0, Fact::History { model, version, kpi, points, step_s }))
        };
        Ok(found.into_iter().filter_map(fact).collect())
    }

    fn values(&self, answered: Answered) -> Result<Vec<(Option<Version>, Line)>, Fault> {
        let refuse = |what: &str, remedy: &str| {
            Err(Fault::new(FaultKind::Refused, format!("{what}, in: {}", self.text)).advise(remedy))
        };
        match answered.shape {
            Shape::Matrix => refuse("a range instead of a value", "wrap it: rate(…), avg_over_time(…)"),
            Shape::Text => refuse("a text instead of a number", "ask for a number"),
            _ if answered.lines.is_empty() && answered.histograms > 0 => refuse(
                "a native histogram instead of a number",
                "wrap it: histogram_quantile(0.95, sum(rate(…)))",
            ),
            _ => match self.split(answered.lines) {
                Ok(found) => Ok(found),
                Err(n) => {
                    let what = format!("{n} series instead of one for each version");
                    refuse(&what, "aggregate it: sum by (version) (…), or name prometheus.version_label")
                }
            },
        }
    }

    /// One line for each version; without versions exactly one. The error is the number of lines.
    fn split(&self, lines: Vec<Line>) -> Result<Vec<(Option<Version>, Line)>, usize> {
        let n = lines.len();
        let mut found: BTreeMap<Option<Version>, Line> = BTreeMap::new();
        for line in lines {
            if found.insert(self.version(&line), line).is_some() {
                return Err(n);
            }
        }
        // The only version is all there is.
        if n == 1
            && let Some((Some(_), line)) = found.first_key_value()
        {
            let line = line.clone();
            found.insert(None, line);
        }
        Ok(found.into_iter().collect())
    }

    fn version(&self, line: &Line) -> Option<Version> {
        let own = self.model.at.version_label.as_deref();
        let told = match own {
            Some(label) => line.labels.get(label),
            None => VERSION_LABELS.iter().find_map(|label| line.labels.get(*label)),
        };
        told.filter(|version| !version.is_empty()).map(|version| Version::new(version))
    }

    fn fact(&self, version: Option<Version>, reading: Reading) -> Ranked {
        (0, Fact::Reading { model: self.model.id.clone(), version, kpi: self.kpi, reading })
    }

    fn name_key(&self, fault: Fault) -> Fault {
        let key = format!("correct model.prometheus.queries.{} of {}", self.kpi.id(), self.model.name);
        let remedy = if fault.remedy.is_empty() { key } else { format!("{key}: {}", fault.remedy) };
        fault.advise(remedy)
    }
}

/// Whether a fault is of one query only: the server answered.
pub fn is_of_query(fault: &Fault) -> bool {
    matches!(
        fault.kind,
        FaultKind::Refused
            | FaultKind::Status
            | FaultKind::Unreadable
            | FaultKind::TooLarge
            | FaultKind::Absent
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ModelId, ModelKind};

    fn own() -> Own {
        let at = toml::from_str("").unwrap();
        let model =
            Watched { id: ModelId::new("lab", "als"), name: "als".into(), kind: ModelKind::Regression, at };
        Own { model, kpi: Kpi::LatencyP95, text: "q".into() }
    }

    fn values(body: &str) -> Result<Vec<(Option<Version>, Line)>, Fault> {
        own().values(Answered::of(serde_json::from_str(body).unwrap()).unwrap())
    }

    #[test]
    fn vectors_and_scalars_are_values() {
        let scalar = values(include_str!("../../../fixtures/prometheus/query-scalar.json")).unwrap();
        assert_eq!((scalar.len(), &scalar[0].0), (1, &None));
        let body = r#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"version":"1"},"value":[1,"2"]},{"metric":{"version":"2"},"value":[1,"NaN"]}]}}"#;
        let found = values(body).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].0, Some(Version::new("2")));
    }

    #[test]
    fn other_shapes_are_refused_with_advice() {
        for (body, word) in [
            (include_str!("../../../fixtures/prometheus/query-matrix.json"), "range"),
            (include_str!("../../../fixtures/prometheus/query-string.json"), "text"),
            (include_str!("../../../fixtures/prometheus/native-query-raw.json"), "native histogram"),
            (include_str!("../../../fixtures/prometheus/query-p95.json"), "2 series"),
        ] {
            let fault = own().name_key(values(body).unwrap_err());
            assert_eq!(fault.kind, FaultKind::Refused);
            assert!(fault.detail.contains(word), "{fault}");
            assert!(fault.remedy.contains("model.prometheus.queries.latency_p95"), "{fault}");
        }
    }
}
