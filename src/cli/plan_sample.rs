//! `wardroom plan-sample`: how many requests until it is known.

use std::fmt::Write;

use serde_json::json;

use super::args::{Output, PlanSampleArgs, PlannedMetric};
use super::out;
use crate::judge::plan::{Needed, Plan, Question, plan};
use crate::judge::{MetricKind, Rules};

/// Another number gives another simulation; the same one the same answer.
const SEED: u64 = 20_260_101;

/// Runs it.
///
/// # Errors
/// A question that makes no sense: what and what to write instead.
pub fn run(options: &PlanSampleArgs) -> Result<u8, String> {
    let question = question(options)?;
    let plan = plan(question, &Rules::default(), SEED);
    match options.output {
        Output::Json => {
            let document = json!({
                "metric": question.kind,
                "baseline": question.baseline,
                "canary": question.canary,
                "share": question.share,
                "abort": timed(plan.abort, options),
                "any_worsening": timed(Some(plan.any_worsening), options),
                "promote_healthy": timed(plan.promote_healthy, options),
                "fixed_n": plan.fixed_n,
            });
            out::say(&serde_json::to_string_pretty(&document).map_err(|why| why.to_string())?);
        }
        Output::Table => out::say(&table(question, plan, options)),
    }
    Ok(0)
}

/// The bad shares of both arms. Accuracy is given as such and turned round.
fn question(options: &PlanSampleArgs) -> Result<Question, String> {
    let kind = match options.metric {
        PlannedMetric::Errors => MetricKind::Errors,
        PlannedMetric::Latency => MetricKind::Latency,
        PlannedMetric::Accuracy => MetricKind::Accuracy,
    };
    let is_share = |value: f64| value > 0.0 && value < 1.0;
    if !is_share(options.baseline) {
        return Err(format!(
            "--baseline {}: write a share between 0 and 1, 0.005 for 0.5 %",
            options.baseline
        ));
    }
    let baseline = if kind == MetricKind::Accuracy { 1.0 - options.baseline } else { options.baseline };
    let text = options.effect.trim();
    let remedy = "write 3x for three times as many bad requests, +1% or 1pts for one point more";
    let read = |number: &str| {
        number
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|n| n.is_finite())
            .ok_or_else(|| format!("--effect {text}: {remedy}"))
    };
    // A drop of accuracy may be written with its sign: two points less are two points more wrong.
    let canary = if let Some(times) = text.strip_suffix(['x', '×']) {
        baseline * read(times)?
    } else if let Some(points) = text.strip_suffix('%').or_else(|| text.strip_suffix("pts")) {
        baseline + read(points)?.abs() / 100.0
    } else {
        baseline + read(text)?.abs()
    };
    if !is_share(canary) {
        return Err(format!("--effect {text}: the canary's bad share would be {canary:.3}; {remedy}"));
    }
    if !is_share(options.share) {
        return Err("--share: the canary's part of the traffic, between 0% and 100%".into());
    }
    Ok(Question { kind, baseline, canary, share: options.share })
}

/// Seconds until so many canary requests, when the rate of all requests is known.
fn seconds(requests: Option<u64>, options: &PlanSampleArgs) -> Option<f64> {
    Some(requests? as f64 / (options.rate.filter(|rate| *rate > 0.0)? * options.share))
}

fn timed(needed: Option<Needed>, options: &PlanSampleArgs) -> serde_json::Value {
    let Some(needed) = needed else { return serde_json::Value::Null };
    json!({
        "median": needed.median, "p90": needed.p90, "ever": needed.ever,
        "median_s": seconds(needed.median, options), "p90_s": seconds(needed.p90, options),
    })
}

fn table(question: Question, plan: Plan, options: &PlanSampleArgs) -> String {
    let mut text = format!(
        "{:?}: {:.3} % bad in the canary, {:.3} % in the baseline, {:.1} % of the traffic\n\n{:<34} {:>12} {:>12}\n",
        options.metric,
        100.0 * question.canary,
        100.0 * question.baseline,
        100.0 * question.share,
        "CANARY REQUESTS UNTIL",
        "MEDIAN",
        "9 OF 10"
    );
    let cell = |requests: Option<u64>| {
        let time = seconds(requests, options).map(|s| format!(" ({:.0} min)", s / 60.0)).unwrap_or_default();
        requests.map_or_else(|| "--".into(), |requests| format!("{requests}{time}"))
    };
    let mut row = |name: &str, needed: Option<Needed>| {
        // Writing into a String cannot fail.
        let _ = match needed {
            Some(needed) => writeln!(text, "{name:<34} {:>12} {:>12}", cell(needed.median), cell(needed.p90)),
            None => writeln!(text, "{name:<34} {:>12}", "never"),
        };
    };
    row("it is aborted", plan.abort);
    row("it is known to be worse at all", Some(plan.any_worsening));
    row("a healthy one is promoted", plan.promote_healthy);
    if plan.abort.is_none() {
        text.push_str("This effect lies within the tolerance: it is not aborted.\n");
    }
    if plan.promote_healthy.is_none() {
        text.push_str("Latency is promoted by bucket bounds, which this plan does not know.\n");
    }
    let fixed = plan.fixed_n.map_or_else(|| "--".into(), |n| n.to_string());
    let _ = writeln!(text, "looked at once, 5 % and 80 %: {fixed}");
    text
}
