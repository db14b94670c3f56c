//! The judgement in words: evidence, size, guarantee, what next. Never "significant", never a probability
//! that the canary is worse, never "no regression".

use std::sync::Arc;

use super::effect::compare;
pub use super::effect::effect_words;
use super::figures::{counted, duration};
pub use super::figures::{latency, odds, percent};
use super::history::{HEADLINE, PERCENTILES};
use super::metric::MetricJudge;
use super::portion::Role;
use super::rollout::{Cause, RolloutJudge};
use super::rules::{MetricKind, Rules};
use super::verdict::{Decision, Eta, MetricVerdict};
use crate::domain::Time;

/// The name by which a line speaks of a metric.
fn name(metric: &MetricVerdict) -> String {
    if metric.kind == MetricKind::Latency { "p95".into() } else { metric.metric.to_string() }
}

fn values(metric: &MetricVerdict) -> Option<String> {
    let (canary, baseline) = metric.canary.zip(metric.baseline)?;
    let show = if metric.kind == MetricKind::Latency { latency } else { percent };
    Some(format!("{} vs {}", show(canary), show(baseline)))
}

/// What is spoken against when a metric aborts.
fn null_words(metric: &MetricVerdict, rules: &Rules) -> String {
    match metric.kind {
        MetricKind::Latency if rules.latency_margin > 0.0 => {
            format!("at most {:.2}x", metric.effective_margin.unwrap_or(rules.latency_margin))
        }
        MetricKind::Accuracy if rules.accuracy_margin > 0.0 => {
            format!("at most {:.0} pts less", 100.0 * rules.accuracy_margin)
        }
        MetricKind::Errors if rules.errors_abort_margin > 0.0 => {
            format!("at most {:.1} pts more", 100.0 * rules.errors_abort_margin)
        }
        MetricKind::Counts if rules.counts_ratio > 1.0 => format!("at most {:.1}x", rules.counts_ratio),
        _ => "no worse".into(),
    }
}

/// What a promotion shows of a metric.
fn within_words(metric: &MetricVerdict, rules: &Rules) -> String {
    match metric.kind {
        MetricKind::Accuracy => format!("within {:.0} pts of baseline", 100.0 * rules.accuracy_tolerance()),
        MetricKind::Errors => format!("within {:.1} pts of baseline", 100.0 * rules.errors_promote_margin),
        _ => format!("within {:.1}x of baseline", rules.latency_tolerance()),
    }
}

/// A metric's own judgement.
pub(super) fn metric(metric: &MetricJudge, rules: &Rules, weight: f64, now: Time) -> MetricVerdict {
    let (canary, baseline, effect) = compare(metric, rules);
    let tests = metric.tests.as_ref();
    let sentinel = match tests {
        Some(_) if metric.is_noisy() => "noisy",
        Some(tests) if tests.sentinel.is_available => "quiet",
        _ => "not available",
    };
    let headline = tests.and_then(|t| t.thresholds.iter().find(|t| t.percentile == PERCENTILES[HEADLINE]));
    let mut verdict = MetricVerdict {
        metric: metric.name.clone(),
        kind: metric.kind,
        canary,
        baseline,
        interval: effect.map(|effect| [Some(effect.low), effect.high]),
        effect,
        log_evidence: metric.abort_log_e(),
        max_log_evidence: metric.max_abort,
        log_evidence_promote: metric.promote_log_e(),
        max_log_evidence_promote: metric.promote_log_e().map(|_| metric.max_promote),
        log_evidence_hint: metric.hint_log_e(),
        weight,
        n_canary: metric.trials(Role::Canary),
        n_baseline: metric.trials(Role::Baseline),
        stale: metric.is_stale(now),
        sentinel: sentinel.into(),
        rank_blocks: tests.map_or(0, |tests| tests.ranks.blocks),
        effective_margin: headline.map(|t| t.margin.abort).filter(|margin| margin.is_finite()),
        one_look_only: metric
            .arm(Role::Canary)
            .zip(metric.arm(Role::Baseline))
            // Labels of several ages are not one pair of counts.
            .filter(|_| metric.by_age.len() <= 1)
            .and_then(|(canary, baseline)| super::once::look(canary, baseline)),
        reason: String::new(),
        says: Decision::KeepWatching,
    };
    let (says, reason) = own(metric, &verdict, rules);
    verdict.says = says;
    verdict.reason = reason;
    verdict
}

/// What one metric alone says, and why.
fn own(metric: &MetricJudge, verdict: &MetricVerdict, rules: &Rules) -> (Decision, String) {
    if !metric.is_paired() {
        return (Decision::CannotTell, missing_arm(std::slice::from_ref(metric)));
    }
    if metric.tests.is_none() {
        return (Decision::KeepWatching, "thresholds need 100 answers of the baseline first".into());
    }
    if metric.is_noisy() && metric.max_abort < rules.abort_bound() {
        return (Decision::CannotTell, "NOISY BASELINE: its own instances differ as much".into());
    }
    if metric.coverage_gap().is_some_and(|gap| gap > rules.coverage_gap) {
        return (Decision::CannotTell, coverage(metric));
    }
    // As one of several it needs more: its weight is only a part of the whole.
    let bound = rules.abort_bound() - verdict.weight.ln();
    if verdict.max_log_evidence >= bound {
        let null = null_words(verdict, rules);
        let reason =
            format!("evidence {} against \"{null}\", limit {}", odds(verdict.max_log_evidence), odds(bound));
        return (Decision::Abort, reason);
    }
    match verdict.max_log_evidence_promote {
        Some(log) if log >= rules.promote_bound() => {
            (Decision::Promote, format!("{}, evidence {}", within_words(verdict, rules), odds(log)))
        }
        Some(log) => {
            let reason = format!(
                "evidence {} of {} that it is worse, {} that it is {} of {} needed",
                odds(verdict.log_evidence),
                odds(bound),
                odds(log),
                within_words(verdict, rules),
                odds(rules.promote_bound())
            );
            (Decision::KeepWatching, reason)
        }
        None if metric.kind == MetricKind::Latency => {
            let reason = format!(
                "no bucket bound lies between p95 and {:.1}x of it: nothing can show that it stays within",
                rules.latency_tolerance()
            );
            (Decision::KeepWatching, reason)
        }
        None => (Decision::KeepWatching, format!("evidence {} that it is worse", odds(verdict.log_evidence))),
    }
}

/// Which arm is missing.
pub(super) fn missing_arm(metrics: &[MetricJudge]) -> String {
    let any = |role| metrics.iter().any(|metric| metric.trials(role) > 0);
    match (any(Role::Canary), any(Role::Baseline)) {
        (true, false) => "the baseline has had no requests since the canary came".into(),
        (false, true) | (false, false) => "the canary has had no requests".into(),
        (true, true) => "no metric has both arms".into(),
    }
}

/// `canary gets 14.1% of traffic, configured 10.0%`.
pub(super) fn split(share: f64, configured: f64) -> String {
    format!("canary gets {} of traffic, configured {}", percent(share), percent(configured))
}

/// `labels for 31.0% of canary rows, 44.0% of baseline rows`.
pub(super) fn coverage(metric: &MetricJudge) -> String {
    let [canary, baseline] = metric.labelled.map(|(labels, all)| labels as f64 / all as f64);
    format!("labels for {} of canary rows, {} of baseline rows", percent(canary), percent(baseline))
}

/// Above an absolute limit, for certain.
pub(super) fn above_limit(metric: &Arc<str>, limit: f64, low: f64, high: f64) -> String {
    format!(
        "{metric} above the limit of {}: {}-{}, holds at every look",
        percent(limit),
        percent(low),
        percent(high)
    )
}

/// What else to know.
pub(super) fn notes(rollout: &RolloutJudge, rules: &Rules) -> Vec<String> {
    let mut notes = Vec::new();
    for metric in &rollout.metrics {
        let Some(tests) = &metric.tests else { continue };
        if let Some(hint) = metric.hint_log_e().filter(|hint| *hint >= rules.abort_bound()) {
            notes.push(format!(
                "hint: {} is worse at all, evidence {}; the margin decides",
                metric.name,
                odds(hint)
            ));
        }
        let headline = tests.thresholds.iter().find(|t| t.percentile == PERCENTILES[HEADLINE]);
        if let Some(t) = headline.filter(|t| {
            t.margin.abort.is_finite()
                && rules.latency_margin > 0.0
                && t.margin.abort > rules.latency_margin * 1.01
        }) {
            notes.push(format!(
                "{}: buckets make the margin {:.1}x a margin of {:.2}x at p95 ({})",
                metric.name,
                rules.latency_margin,
                t.margin.abort,
                latency(t.tau)
            ));
        }
        if !metric.ages.is_empty() {
            notes.push(labels(metric));
        }
    }
    if rollout.metrics.iter().all(|metric| metric.tests.as_ref().is_none_or(|t| !t.sentinel.is_available)) {
        notes.push("sentinel: not available".into());
    }
    notes
}

/// How old the labels are, and for how many rows there are any.
fn labels(metric: &MetricJudge) -> String {
    let all: u64 = metric.ages.values().sum();
    let mut seen = 0;
    let middle = metric.ages.iter().find(|(_, count)| {
        seen += **count;
        2 * seen >= all
    });
    let age = middle.map_or_else(|| "--".into(), |(age, _)| duration(*age as f64));
    let (labels, predictions) = metric.labelled[0];
    if predictions == 0 {
        return format!("{}: median age of labels {age}", metric.name);
    }
    let share = percent(labels as f64 / predictions as f64);
    format!("{}: labels for {share} of canary rows, median age {age}", metric.name)
}

fn eta_words(eta: Option<Eta>) -> String {
    match eta {
        None => "No end in sight at this effect.".into(),
        Some(eta) => {
            let time = eta.seconds.map(|seconds| format!(" ({})", duration(seconds))).unwrap_or_default();
            format!("About {} more canary requests{time} at this rate.", counted(eta.requests))
        }
    }
}

/// The one line.
pub(super) fn line(
    rollout: &RolloutJudge,
    rules: &Rules,
    metrics: &[MetricVerdict],
    decision: Decision,
    why: Option<String>,
    eta: Option<Eta>,
) -> String {
    let word = decision.word();
    let requests = counted(rollout.canary_requests());
    let sized = |metric: &MetricVerdict| {
        let values = values(metric).map(|values| format!(" {values}")).unwrap_or_default();
        let size = metric.effect.map(|effect| format!(": {}", effect_words(&effect))).unwrap_or_default();
        format!("{}{values}{size}", name(metric))
    };
    match decision {
        Decision::CannotTell => format!("{word}   {}.", why.unwrap_or_default()),
        Decision::Abort => match &rollout.cause {
            Some(Cause::Hard { metric, rate, requests }) => format!(
                "{word}   {metric} {} of {} requests in one block, hard limit {}: hard limit, not a statistical verdict.",
                percent(*rate),
                counted(*requests),
                percent(rules.hard_limit)
            ),
            Some(Cause::Limit { metric, limit, interval: (low, high) }) => {
                format!("{word}   {}. {requests} canary requests.", above_limit(metric, *limit, *low, *high))
            }
            Some(Cause::Evidence(names)) => {
                let named = |metric: &&MetricVerdict| names.contains(&metric.metric);
                let best = |a: &&MetricVerdict, b: &&MetricVerdict| {
                    a.max_log_evidence.total_cmp(&b.max_log_evidence)
                };
                let leader =
                    metrics.iter().filter(named).max_by(best).or_else(|| metrics.iter().max_by(best));
                let Some(leader) = leader else { return word.into() };
                let others: Vec<String> =
                    metrics.iter().filter(named).filter(|m| m.metric != leader.metric).map(name).collect();
                let also =
                    if others.is_empty() { String::new() } else { format!(" Also {}.", others.join(", ")) };
                let combined = if names.is_empty() { "combined evidence; largest: " } else { "" };
                format!(
                    "{word}   {combined}{}. Evidence {} against \"{}\", limit {}.{also} {requests} canary requests.",
                    sized(leader),
                    odds(leader.max_log_evidence),
                    null_words(leader, rules),
                    odds(rules.abort_bound() - leader.weight.ln()),
                )
            }
            None => word.into(),
        },
        Decision::Promote => {
            let shown = metrics.iter().filter(|metric| metric.kind.is_required()).map(|metric| {
                format!(
                    "{} {}{}, evidence {}",
                    name(metric),
                    within_words(metric, rules),
                    values(metric).map(|values| format!(": {values}")).unwrap_or_default(),
                    odds(metric.max_log_evidence_promote.unwrap_or(0.0))
                )
            });
            format!("{word}   {}. {requests} canary requests.", shown.collect::<Vec<_>>().join("; "))
        }
        Decision::KeepWatching => {
            let Some(leader) = metrics.iter().max_by(|a, b| a.log_evidence.total_cmp(&b.log_evidence)) else {
                return word.into();
            };
            let waiting = |metric: &&MetricVerdict| {
                metric.kind.is_required()
                    && metric.max_log_evidence_promote.is_none_or(|log| log < rules.promote_bound())
            };
            let slow = |metric: &&MetricVerdict| metric.max_log_evidence_promote.unwrap_or(f64::NEG_INFINITY);
            let slowest = metrics.iter().filter(waiting).min_by(|a, b| slow(a).total_cmp(&slow(b)));
            let (metric, log, needed, of) = match slowest {
                Some(slowest) if leader.log_evidence <= 0.0 => {
                    let log = slowest.log_evidence_promote.unwrap_or(f64::NEG_INFINITY);
                    (
                        slowest,
                        log,
                        rules.promote_bound(),
                        format!(" that it is {}", within_words(slowest, rules)),
                    )
                }
                _ => (leader, leader.log_evidence, rules.abort_bound() - leader.weight.ln(), String::new()),
            };
            format!(
                "{word}   {}. Evidence {}{of}, {} needed. {}",
                sized(metric),
                odds(log),
                odds(needed),
                eta_words(eta)
            )
        }
    }
}
