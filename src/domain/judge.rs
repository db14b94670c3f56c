//! Judges a reading against a rule, and says why.

use serde::{Deserialize, Serialize};

use super::Time;
use super::kpi::{Direction, Kpi};
use super::limits::{Origin, Rule, beyond};

/// A judgement's level, the best first. The order is the order of concern.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// No source measures it; it does not count.
    NotMeasured,
    /// Within its target, or measured without a rule.
    Ok,
    /// Between target and warning: shown with the limit, no alarm.
    BelowTarget,
    /// A configured source did not answer, or there are too few samples.
    Unknown,
    /// Strictly beyond the warning limit.
    Warning,
    /// Strictly beyond the critical limit.
    Critical,
}

impl Level {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotMeasured => "not measured",
            Self::Ok => "ok",
            Self::BelowTarget => "below target",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// Exit code of the monitoring-plugin convention: 0 ok, 1 warning, 2 critical, 3 unknown.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::NotMeasured | Self::Ok | Self::BelowTarget => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }
}

/// A measured value with what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The value in the KPI's unit; `None` when the source answered without one (no traffic, NaN).
    pub value: Option<f64>,
    /// How many requests or labels it rests on, when known.
    pub samples: Option<u64>,
    /// When it was true, by the source's own clock where it tells one.
    pub at: Time,
    /// The window it speaks of, in seconds; 0 for a state of the moment.
    pub window_s: u32,
    /// What to know about it: `≥` for a percentile above the last bucket, `worst of 3`, `since start`.
    pub note: Option<std::sync::Arc<str>>,
    /// The bucket that holds a percentile, in the KPI's unit: the value is no more exact than this.
    pub bucket: Option<(f64, f64)>,
}

impl Reading {
    /// A plain reading without samples, window or note.
    pub fn new(value: f64, at: Time) -> Self {
        Self {
            value: value.is_finite().then_some(value),
            samples: None,
            at,
            window_s: 0,
            note: None,
            bucket: None,
        }
    }

    /// The same reading resting on `samples`.
    pub fn with_samples(mut self, samples: Option<u64>) -> Self {
        self.samples = samples;
        self
    }

    /// The same reading over a window of seconds.
    pub fn over(mut self, window_s: u32) -> Self {
        self.window_s = window_s;
        self
    }
}

/// A judged KPI: the value, the limit that decided, the rule's origin and the reason in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// What was judged.
    pub kpi: Kpi,
    /// The outcome.
    pub level: Level,
    /// The value, in the KPI's unit.
    pub value: Option<f64>,
    /// What it rests on.
    pub samples: Option<u64>,
    /// The limit that decided: the broken one, or the next one when all is well.
    pub limit: Option<f64>,
    /// Who set the limit.
    pub rule: Option<Origin>,
    /// When the value was true.
    pub at: Option<Time>,
    /// The reason: `p95 612 ms > 500`.
    pub reason: String,
}

impl Judgement {
    fn unjudged(kpi: Kpi, level: Level, reason: &str) -> Self {
        let reason = reason.to_owned();
        Self { kpi, level, value: None, samples: None, limit: None, rule: None, at: None, reason }
    }

    /// Nothing measures this KPI.
    pub fn not_measured(kpi: Kpi) -> Self {
        Self::unjudged(kpi, Level::NotMeasured, "not measured")
    }

    /// A configured source owes this KPI and did not answer.
    pub fn unanswered(kpi: Kpi, why: &str) -> Self {
        Self::unjudged(kpi, Level::Unknown, why)
    }
}

/// Judges one reading by every rule that applies; the worst outcome wins, and of equals the first rule.
pub fn judge(kpi: Kpi, reading: &Reading, rules: &[Rule]) -> Judgement {
    let blank = Judgement {
        kpi,
        level: Level::Ok,
        value: reading.value,
        samples: reading.samples,
        limit: None,
        rule: None,
        at: Some(reading.at),
        reason: String::new(),
    };
    let Some(value) = reading.value else {
        let why = reading.note.as_deref().unwrap_or("no traffic or no labels");
        let reason = format!("{} has no value: {why}", kpi.short());
        // What no rule judges cannot make a model unknown.
        let level = if rules.is_empty() { Level::NotMeasured } else { Level::Unknown };
        return Judgement { level, reason, ..blank };
    };
    let shown = kpi.format_with_unit(value);
    let mut worst: Option<Judgement> = None;
    for rule in rules {
        let judged = judge_by(kpi, value, reading.samples, &shown, rule, &blank);
        if worst.as_ref().is_none_or(|old| judged.level > old.level) {
            worst = Some(judged);
        }
    }
    worst.unwrap_or_else(|| Judgement { reason: format!("{} {shown}, no limit", kpi.short()), ..blank })
}

fn judge_by(
    kpi: Kpi,
    value: f64,
    samples: Option<u64>,
    shown: &str,
    rule: &Rule,
    blank: &Judgement,
) -> Judgement {
    let name = kpi.short();
    let with = |level, limit, reason| Judgement {
        level,
        limit,
        rule: Some(rule.origin.clone()),
        reason,
        ..blank.clone()
    };
    if let Some(n) = samples.filter(|&n| n < rule.min_samples) {
        let reason = format!("{name} {shown} rests on {n} samples, {} needed", rule.min_samples);
        return with(Level::Unknown, None, reason);
    }
    let (bad, good) = match kpi.direction() {
        Direction::Higher => ("<", "≥"),
        Direction::Lower => (">", "≤"),
    };
    for (limit, level) in
        [(rule.critical, Level::Critical), (rule.warning, Level::Warning), (rule.target, Level::BelowTarget)]
    {
        if let Some(limit) = limit.filter(|&limit| beyond(kpi, value, limit)) {
            let reason = format!("{name} {shown} {bad} {}", kpi.format(limit));
            return with(level, Some(limit), reason);
        }
    }
    let next = rule.target.or(rule.warning).or(rule.critical);
    let reason = match next {
        Some(limit) => format!("{name} {shown} {good} {}", kpi.format(limit)),
        None => format!("{name} {shown}, no limit"),
    };
    with(Level::Ok, next, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::kpi::ModelKind;
    use crate::domain::limits::Limits;

    fn at() -> Time {
        Time::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn level(kpi: Kpi, value: f64, samples: Option<u64>) -> Level {
        let kind = if kpi >= Kpi::R2 && kpi <= Kpi::Rmse {
            ModelKind::Regression
        } else {
            ModelKind::Classification
        };
        judge(kpi, &Reading::new(value, at()).with_samples(samples), Limits::guide(kind).rules(kpi)).level
    }

    #[test]
    fn every_limit_of_the_guide_at_its_edge() {
        use Level::{BelowTarget, Critical, Ok, Warning};
        let table = [
            (Kpi::LatencyP95, 299.0, Ok),
            (Kpi::LatencyP95, 300.0, Ok),
            (Kpi::LatencyP95, 300.1, BelowTarget),
            (Kpi::LatencyP95, 400.0, BelowTarget),
            (Kpi::LatencyP95, 400.1, Warning),
            (Kpi::LatencyP95, 500.0, Warning),
            (Kpi::LatencyP95, 500.1, Critical),
            (Kpi::LatencyP99, 650.0, BelowTarget),
            (Kpi::LatencyP99, 800.1, Critical),
            (Kpi::ErrorRate, 0.5, Ok),
            (Kpi::ErrorRate, 1.01, Warning),
            (Kpi::ErrorRate, 2.01, Critical),
            (Kpi::LoadTime, 8.1, Warning),
            (Kpi::Accuracy, 0.85, Ok),
            (Kpi::Accuracy, 0.84, BelowTarget),
            (Kpi::Accuracy, 0.83, BelowTarget),
            (Kpi::Accuracy, 0.8299, Warning),
            (Kpi::Accuracy, 0.80, Warning),
            (Kpi::Accuracy, 0.7999, Critical),
            (Kpi::Sensitivity, 0.82, Warning),
            (Kpi::Specificity, 0.77, Critical),
            (Kpi::AucRoc, 0.89, BelowTarget),
            (Kpi::Precision, 0.82, Warning),
            (Kpi::F1, 0.80, Critical),
            (Kpi::R2, 0.76, Warning),
            (Kpi::Mae, 0.17, Warning),
            (Kpi::Mse, 0.27, Critical),
            (Kpi::Rmse, 0.41, Ok),
        ];
        for (kpi, value, expected) in table {
            assert_eq!(level(kpi, value, Some(1000)), expected, "{} {value}", kpi.id());
        }
    }

    #[test]
    fn too_few_samples_and_no_value_are_unknown() {
        assert_eq!(level(Kpi::LatencyP95, 900.0, Some(5)), Level::Unknown);
        assert_eq!(level(Kpi::LatencyP95, 900.0, None), Level::Critical, "an uncounted sample is judged");
        assert_eq!(level(Kpi::Accuracy, f64::NAN, Some(500)), Level::Unknown);
    }

    #[test]
    fn the_reason_names_value_limit_and_origin() {
        let judged = judge(
            Kpi::LatencyP95,
            &Reading::new(612.0, at()),
            Limits::guide(ModelKind::Classification).rules(Kpi::LatencyP95),
        );
        assert_eq!(judged.reason, "p95 612 ms > 500");
        assert_eq!(judged.limit, Some(500.0));
        assert_eq!(judged.rule, Some(Origin::Guide));
    }

    #[test]
    fn a_named_rule_judges_beside_the_guide() {
        let mut limits = Limits::guide(ModelKind::Classification);
        let rule = Rule {
            target: None,
            warning: Some(0.95),
            critical: None,
            min_samples: 0,
            origin: Origin::Named("strict".into()),
        };
        limits.add(Kpi::Accuracy, rule);
        let judged = judge(Kpi::Accuracy, &Reading::new(0.90, at()), limits.rules(Kpi::Accuracy));
        assert_eq!((judged.level, judged.rule), (Level::Warning, Some(Origin::Named("strict".into()))));
    }

    proptest::proptest! {
        #[test]
        fn a_worse_value_is_never_judged_better(index in 0usize..27, a in 0.0f64..2000.0, b in 0.0f64..2000.0) {
            let kpi = Kpi::all().nth(index).unwrap();
            let (better, worse) = match kpi.direction() {
                Direction::Higher => (a.max(b), a.min(b)),
                Direction::Lower => (a.min(b), a.max(b)),
            };
            proptest::prop_assert!(level(kpi, better, None) <= level(kpi, worse, None));
        }
    }
}
