//! The limits that judge a KPI, and where each limit came from.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::kpi::{Direction, Kpi, ModelKind};

/// Where a rule came from, the weakest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The update and maintenance guide's table.
    Guide,
    /// The config, for the whole fleet.
    Fleet,
    /// The config, for one kind of model.
    Kind(ModelKind),
    /// The config, for this model.
    Model,
    /// A named alert rule of the config.
    Named(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guide => f.write_str("guide"),
            Self::Fleet => f.write_str("config, fleet"),
            Self::Kind(kind) => write!(f, "config, {}", kind.word()),
            Self::Model => f.write_str("config, model"),
            Self::Named(name) => write!(f, "rule {name}"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(name) = text.strip_prefix("rule ") {
            return Ok(Self::Named(name.to_owned()));
        }
        let kinds = [ModelKind::Classification, ModelKind::Regression].into_iter().map(Self::Kind);
        let mut all = [Self::Guide, Self::Fleet, Self::Model].into_iter().chain(kinds);
        let known = all.find(|origin| origin.to_string() == text);
        known.ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no origin of a limit")))
    }
}

/// Target, warning and critical of one KPI, in the KPI's unit. Warning and critical are broken strictly
/// beyond their value; between target and warning a value is below target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// What good looks like.
    pub target: Option<f64>,
    /// Beyond this somebody should look.
    pub warning: Option<f64>,
    /// Beyond this somebody must act.
    pub critical: Option<f64>,
    /// Fewer samples than this judge nothing.
    pub min_samples: u64,
    /// Who set it.
    pub origin: Origin,
}

/// Samples below which a percentile is the word of a single request.
pub const MIN_REQUESTS: u64 = 20;
/// Samples below which one failed request alone would break the guide's critical limit of 2 %.
pub const MIN_FOR_ERRORS: u64 = 50;
/// Labelled predictions below which a quality score says nothing (±0.2 at n = 20).
pub const MIN_LABELS: u64 = 20;

/// The rules of one model: by KPI, every rule that applies, all judged and the worst shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    rules: BTreeMap<Kpi, Vec<Rule>>,
}

impl Limits {
    /// The defaults of the guide for this kind of model.
    pub fn guide(kind: ModelKind) -> Self {
        let mut limits = Self::default();
        for &(kpi, target, warning, critical) in OPERATIONAL.iter().chain(match kind {
            ModelKind::Classification => CLASSIFICATION,
            ModelKind::Regression => REGRESSION,
        }) {
            limits.set(
                kpi,
                Rule {
                    target: Some(target),
                    warning: Some(warning),
                    critical: Some(critical),
                    min_samples: default_samples(kpi),
                    origin: Origin::Guide,
                },
            );
        }
        for kpi in [Kpi::Cpu, Kpi::Memory, Kpi::Gpu] {
            let rule = Rule {
                target: None,
                warning: Some(90.0),
                critical: None,
                min_samples: 0,
                origin: Origin::Guide,
            };
            limits.set(kpi, rule);
        }
        limits
    }

    /// Replaces the rule of a KPI (named rules stay).
    pub fn set(&mut self, kpi: Kpi, rule: Rule) {
        let rules = self.rules.entry(kpi).or_default();
        rules.retain(|old| matches!(old.origin, Origin::Named(_)));
        rules.insert(0, rule);
    }

    /// Adds a named rule beside the others.
    pub fn add(&mut self, kpi: Kpi, rule: Rule) {
        self.rules.entry(kpi).or_default().push(rule);
    }

    /// The rules of a KPI, the plain one first.
    pub fn rules(&self, kpi: Kpi) -> &[Rule] {
        self.rules.get(&kpi).map_or(&[], Vec::as_slice)
    }

    /// The plain rule of a KPI.
    pub fn rule(&self, kpi: Kpi) -> Option<&Rule> {
        self.rules(kpi).first()
    }

    /// Every KPI that has a rule.
    pub fn kpis(&self) -> impl Iterator<Item = Kpi> + '_ {
        self.rules.keys().copied()
    }
}

/// How many samples a KPI needs before it is judged.
pub fn default_samples(kpi: Kpi) -> u64 {
    match kpi {
        Kpi::LatencyP50 | Kpi::LatencyP95 | Kpi::LatencyP99 => MIN_REQUESTS,
        Kpi::ErrorRate => MIN_FOR_ERRORS,
        kpi if kpi.is_quality() => MIN_LABELS,
        _ => 0,
    }
}

/// Whether `value` lies strictly beyond `limit` in the bad direction of the KPI.
pub fn beyond(kpi: Kpi, value: f64, limit: f64) -> bool {
    match kpi.direction() {
        Direction::Higher => value < limit,
        Direction::Lower => value > limit,
    }
}

type Guide = (Kpi, f64, f64, f64);

/// Source: the update and maintenance guide's KPI tables. Throughput is left out on purpose: it follows
/// demand, so it is judged only where a config sets a limit.
const OPERATIONAL: &[Guide] = &[
    (Kpi::LatencyP95, 300.0, 400.0, 500.0),
    (Kpi::LatencyP99, 500.0, 650.0, 800.0),
    (Kpi::ErrorRate, 0.5, 1.0, 2.0),
    (Kpi::LoadTime, 5.0, 8.0, 12.0),
    // The guide's levels: moderate from 10 %, high from 20 %, critical above 30 %.
    (Kpi::DataDrift, 0.10, 0.20, 0.30),
];

const CLASSIFICATION: &[Guide] = &[
    (Kpi::Accuracy, 0.85, 0.83, 0.80),
    (Kpi::Sensitivity, 0.88, 0.85, 0.82),
    (Kpi::Specificity, 0.84, 0.81, 0.78),
    (Kpi::AucRoc, 0.90, 0.88, 0.85),
    (Kpi::Precision, 0.86, 0.83, 0.80),
    (Kpi::F1, 0.87, 0.84, 0.81),
];

const REGRESSION: &[Guide] = &[
    (Kpi::R2, 0.80, 0.77, 0.73),
    (Kpi::Mae, 0.13, 0.16, 0.20),
    (Kpi::Mse, 0.17, 0.21, 0.26),
    (Kpi::Rmse, 0.41, 0.46, 0.51),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guide_limits_are_ordered_in_the_bad_direction() {
        for kind in [ModelKind::Classification, ModelKind::Regression] {
            let limits = Limits::guide(kind);
            for kpi in limits.kpis() {
                let rule = limits.rule(kpi).unwrap();
                if let (Some(target), Some(warning), Some(critical)) =
                    (rule.target, rule.warning, rule.critical)
                {
                    assert!(beyond(kpi, warning, target), "{}", kpi.id());
                    assert!(beyond(kpi, critical, warning), "{}", kpi.id());
                }
            }
        }
    }

    #[test]
    fn throughput_has_no_default() {
        assert!(Limits::guide(ModelKind::Classification).rule(Kpi::Throughput).is_none());
    }
}
