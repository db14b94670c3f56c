//! What a report says, whatever its shape, and the facts that this makes.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::DriftReportsConfig;
use crate::domain::text::{clean, clean_name};
use crate::domain::{DriftScale, Fact, FeatureDrift, Kpi, ModelId, Reading, Time, Version};

/// More features than this are cut.
const MOST_FEATURES: usize = 5_000;
/// Points of one feature's history; what keeps them holds no more.
const MOST_POINTS: usize = 200;

/// One score of one column at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The column, as written.
    pub feature: String,
    /// The score, finite.
    pub raw: f64,
    /// What the score means.
    pub scale: DriftScale,
    /// The source's own threshold, on the scale of the score.
    pub threshold: Option<f64>,
    /// When it was true; that of the whole report when absent.
    pub at: Option<Time>,
}

/// A kind of drift or trouble that is not of one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    /// `drifted columns`, `missing values`.
    pub kind: &'static str,
    /// What was found, in words.
    pub finding: String,
    /// Whether it needs attention.
    pub abnormal: bool,
}

/// What one report says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// The moment that the report names itself.
    pub at: Option<Time>,
    /// The model's version, when the report names it.
    pub version: Option<String>,
    /// Rows of the data that it rests on.
    pub samples: Option<u64>,
    /// Scores of columns.
    pub rows: Vec<Row>,
    /// Quality, with a word on how it was got, may be empty.
    pub quality: Vec<(Kpi, f64, &'static str)>,
    /// What it says about all columns together.
    pub whole: Vec<Whole>,
    /// What an operator should know.
    pub remarks: Vec<String>,
    /// Methods whose scores were not read.
    pub refused: BTreeSet<String>,
}

impl Told {
    /// Takes a score whose method has this scale; without a scale the method is noted as one that is not
    /// read. A score that is no number is none.
    pub fn score(&mut self, feature: &str, method: &str, scale: Option<DriftScale>, score: Score) {
        let Some(scale) = scale else {
            self.refused.insert(clean(method, 60));
            return;
        };
        let Some(raw) = score.raw.filter(|raw| raw.is_finite()) else { return };
        if clean_name(feature).is_empty() {
            return;
        }
        let threshold = score.threshold.filter(|threshold| threshold.is_finite());
        self.rows.push(Row { feature: feature.to_owned(), raw, scale, threshold, at: score.at });
    }

    /// Takes a value of a KPI; the first one that is told counts.
    pub fn quality(&mut self, kpi: Kpi, value: Option<f64>, note: &'static str) {
        let known = self.quality.iter().any(|(old, _, _)| *old == kpi);
        if let Some(value) = value.filter(|value| value.is_finite() && !known) {
            self.quality.push((kpi, value, note));
        }
    }
}

/// The numbers of one score.
#[derive(Debug, Clone, Copy, Default)]
pub struct Score {
    /// The score itself.
    pub raw: Option<f64>,
    /// Its threshold.
    pub threshold: Option<f64>,
    /// When it was true.
    pub at: Option<Time>,
}

/// How reports of one model are to be read.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The model.
    pub model: ModelId,
    prediction: Option<String>,
    target: Option<String>,
    groups: BTreeMap<String, String>,
    /// How far times without a zone are ahead of UTC, minutes.
    pub offset_min: i32,
}

impl Terms {
    /// The terms of one table of the config.
    pub fn new(model: ModelId, config: &DriftReportsConfig) -> Self {
        let of_group = |(group, features): (&String, &Vec<String>)| -> Vec<(String, String)> {
            features.iter().map(|feature| (feature.clone(), group.clone())).collect()
        };
        Self {
            model,
            prediction: config.prediction_column.clone(),
            target: config.target_column.clone(),
            groups: config.groups.iter().flat_map(of_group).collect(),
            offset_min: config.utc_offset_minutes.unwrap_or(0),
        }
    }

    /// A moment as written by others; without a zone by the configured offset.
    pub fn time(&self, text: Option<&str>) -> Option<Time> {
        super::moment::parse(text?, self.offset_min)
    }

    fn kind(&self, column: &str) -> Option<&'static str> {
        let is = |named: &Option<String>| named.as_deref() == Some(column);
        match (is(&self.prediction), is(&self.target)) {
            (true, _) => Some("prediction"),
            (_, true) => Some("concept"),
            _ => None,
        }
    }

    /// The one place where a row becomes drift of a feature.
    fn drift(&self, row: &Row, at: Time, samples: Option<u64>) -> FeatureDrift {
        let group = self.groups.get(&row.feature).map(String::as_str).unwrap_or_default();
        let at = row.at.unwrap_or(at);
        FeatureDrift {
            threshold: row.threshold,
            samples,
            ..FeatureDrift::new(clean_name(&row.feature), clean_name(group), row.raw, row.scale, at)
        }
    }

    /// What a report says now. `at` is its moment, when it names none.
    pub fn now(&self, told: &Told, at: Time) -> Vec<Fact> {
        let at = told.at.unwrap_or(at);
        let mut newest: BTreeMap<String, (FeatureDrift, &Row)> = BTreeMap::new();
        for row in &told.rows {
            if newest.len() >= MOST_FEATURES && !newest.contains_key(&row.feature) {
                continue;
            }
            let drift = self.drift(row, at, told.samples);
            if newest.get(&row.feature).is_none_or(|(old, _)| is_better(&drift, old)) {
                newest.insert(row.feature.clone(), (drift, row));
            }
        }
        let mut facts: Vec<Fact> = Vec::new();
        let mut features = Vec::new();
        for (drift, row) in newest.into_values() {
            match self.kind(&row.feature) {
                Some(kind) => facts.push(self.finding(kind, &drift)),
                None => features.push(drift),
            }
        }
        let only_whether = !features.is_empty() && features.iter().all(|drift| drift.score().is_none());
        if only_whether {
            // Without it the size would look forgotten, when such reports cannot tell it.
            let note = Some("p-values tell whether it drifted, not how much".into());
            facts.push(self.reading(None, Kpi::DataDrift, Reading { note, ..Reading::new(f64::NAN, at) }));
        }
        if !features.is_empty() {
            facts.push(Fact::Drift { model: self.model.clone(), features });
        }
        facts.extend(told.whole.iter().map(|whole| Fact::DriftFinding {
            model: self.model.clone(),
            kind: whole.kind.into(),
            finding: clean(&whole.finding, 200),
            abnormal: whole.abnormal,
        }));
        let versions = [None, told.version.as_deref().map(Version::new)];
        for (kpi, value, note) in &told.quality {
            let note = (!note.is_empty()).then(|| (*note).into());
            let reading = Reading { note, ..Reading::new(*value, at).with_samples(told.samples) };
            facts.push(self.reading(None, *kpi, reading.clone()));
            facts.extend(versions[1].clone().map(|version| self.reading(Some(version), *kpi, reading)));
        }
        facts.extend(told.remarks.iter().map(|text| Fact::Remark(clean(text, 400))));
        facts.extend(told.refused.iter().take(3).map(|method| {
            let why = "no known drift method, and which way its score points is not guessed";
            Fact::Remark(clean(&format!("{}: `{method}` is {why}", self.model), 400))
        }));
        facts
    }

    fn reading(&self, version: Option<Version>, kpi: Kpi, reading: Reading) -> Fact {
        Fact::Reading { model: self.model.clone(), version, kpi, reading }
    }

    fn finding(&self, kind: &str, drift: &FeatureDrift) -> Fact {
        let drifted = drift.is_drifted();
        let word = if drifted { "drifted" } else { "none found" };
        let limit = drift.threshold.map(|limit| format!(", limit {}", short(limit))).unwrap_or_default();
        let finding = format!("{word}: {} {}{limit}", drift.scale.word(), short(drift.raw));
        let (model, kind) = (self.model.clone(), kind.to_owned());
        Fact::DriftFinding { model, kind, finding: clean(&finding, 200), abnormal: drifted }
    }

    /// The past of the features that the newest report has: `past` holds reports with their moments, in any
    /// order. Scores of another method than the newest one's would draw a jump that never was.
    pub fn history(&self, newest: &[Fact], past: &[(Time, Told)]) -> Vec<Fact> {
        let mut points: BTreeMap<(&str, &'static str), BTreeMap<Time, f64>> = BTreeMap::new();
        for (at, told) in past {
            let at = told.at.unwrap_or(*at);
            for row in &told.rows {
                let series = points.entry((&row.feature, row.scale.word())).or_default();
                series.insert(row.at.unwrap_or(at), row.raw);
            }
        }
        let mut series: BTreeMap<(String, &'static str), Vec<(Time, f64)>> = BTreeMap::new();
        for ((feature, scale), points) in points {
            let cut = points.len().saturating_sub(MOST_POINTS);
            series.insert((clean_name(feature), scale), points.into_iter().skip(cut).collect());
        }
        let now = newest.iter().filter_map(|fact| match fact {
            Fact::Drift { features, .. } => Some(features),
            _ => None,
        });
        let of_feature = |feature: &FeatureDrift| {
            let points = series.get(&(feature.feature.to_string(), feature.scale.word()))?;
            let (model, feature, points) = (self.model.clone(), feature.clone(), points.clone());
            (points.len() > 1).then_some(Fact::DriftHistory { model, feature, points })
        };
        now.flatten().filter_map(of_feature).collect()
    }
}

/// Whether a score says more about its feature: newer, then one that has a size, then the worse one.
fn is_better(new: &FeatureDrift, old: &FeatureDrift) -> bool {
    let sized = |drift: &FeatureDrift| drift.score().is_some();
    let rank = |drift: &FeatureDrift| (drift.at, sized(drift));
    rank(new) > rank(old) || rank(new) == rank(old) && new.concern() > old.concern()
}

/// A score in words: p-values may be as small as 1e-100.
pub fn short(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.001 { format!("{value:.0e}") } else { format!("{value:.3}") }
}
