//! How much the canary differs from the baseline, with an interval that holds at every look.

use super::figures::times;
use super::history::{HEADLINE, PERCENTILES};
use super::metric::MetricJudge;
use super::portion::{Counts, Role};
use super::rules::{MetricKind, Rules};
use super::verdict::{Effect, Unit};
use crate::stats::buckets;
use crate::stats::sequential::quantile;

/// The values of both arms and the effect between them.
pub(super) fn compare(metric: &MetricJudge, rules: &Rules) -> (Option<f64>, Option<f64>, Option<Effect>) {
    let whole = |value: f64| value.is_finite().then_some(value);
    let (low, high) = metric.ratio.interval(rules.alpha_abort);
    let rate = |role| metric.arm(role).filter(|arm| arm.trials > 0).map(|arm| arm.rate());
    match (metric.kind, &metric.totals) {
        (MetricKind::Latency, [Some(Counts::Buckets(c)), Some(Counts::Buckets(b))]) => {
            let p = PERCENTILES[HEADLINE];
            let value = |buckets: &[(f64, f64)]| buckets::quantile(p, buckets).map(|found| found.value);
            let ends = |buckets: &[(f64, f64)]| quantile::interval(p, buckets, rules.alpha_abort / 2.0);
            let (canary, baseline) = (value(c), value(b));
            let effect = canary.zip(baseline).zip(ends(c).zip(ends(b))).map(|((c, b), (ec, eb))| Effect {
                unit: Unit::Ratio,
                value: whole(c / b),
                low: if eb.1.is_finite() { ec.0 / eb.1 } else { 0.0 },
                high: whole(ec.1 / eb.0),
            });
            (canary, baseline, effect)
        }
        (MetricKind::Accuracy, _) => {
            let (canary, baseline) = match metric.paired_rates() {
                Some((canary, baseline)) => (Some(canary), Some(baseline)),
                None => (rate(Role::Canary), rate(Role::Baseline)),
            };
            let effect = canary.zip(baseline).map(|(c, b)| Effect {
                unit: Unit::Difference,
                value: Some(b - c),
                // More wrong answers is less accuracy: the ends change places.
                low: (b - high * b).max(-1.0),
                high: Some((b - low * b).min(1.0)),
            });
            (canary.map(|wrong| 1.0 - wrong), baseline.map(|wrong| 1.0 - wrong), effect)
        }
        _ => {
            let (canary, baseline) = (rate(Role::Canary), rate(Role::Baseline));
            let effect = canary.zip(baseline).map(|(c, b)| Effect {
                unit: Unit::Ratio,
                value: whole(c / b),
                low,
                high: whole(high),
            });
            (canary, baseline, effect)
        }
    }
}

/// `2.9x (1.9x-4.6x)`, `+6% (-4%..+17%)`, `-1.2 pts (-3.0..+0.4)`.
pub fn effect_words(effect: &Effect) -> String {
    let Some(value) = effect.value else { return "no effect can be given".into() };
    match effect.unit {
        Unit::Difference => {
            let ends = match effect.high {
                Some(high) => format!("{:+.1}..{:+.1}", 100.0 * effect.low, 100.0 * high),
                None => format!("from {:+.1}", 100.0 * effect.low),
            };
            format!("{:+.1} pts ({ends})", 100.0 * value)
        }
        Unit::Ratio if value < 1.3 && effect.high.is_some_and(|high| high < 2.0) => {
            let part = |ratio: f64| format!("{:+.0}%", 100.0 * (ratio - 1.0));
            format!("{} ({}..{})", part(value), part(effect.low), part(effect.high.unwrap_or(f64::INFINITY)))
        }
        Unit::Ratio => match effect.high {
            Some(high) => format!("{} ({}-{})", times(value), times(effect.low), times(high)),
            None => format!("{} (at least {})", times(value), times(effect.low)),
        },
    }
}
