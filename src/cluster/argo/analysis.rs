//! Server-side analyses of a Rollout: values, limits, how much of what may fail has failed.

use serde_json::Value;

use super::ANALYSIS_RUNS;
use crate::cluster::{Around, look, revisions};
use crate::domain::text::{clean, clean_name};
use crate::domain::{Analysis, AnalysisMetric, Revision};

/// How many runs are told.
const MOST: usize = 8;

/// The runs of a Rollout, the newest first.
fn runs<'a>(object: &'a Value, around: &'a Around) -> Vec<&'a Value> {
    let uid = look::text(object, "/metadata/uid");
    let mut runs: Vec<&Value> = around.owned_by(ANALYSIS_RUNS.plural, look::namespace(object), uid).collect();
    runs.sort_by_key(|run| {
        std::cmp::Reverse((look::moment(run, "/metadata/creationTimestamp"), look::name(run).to_owned()))
    });
    runs
}

/// The analyses of the revision with this hash.
pub(super) fn of(object: &Value, around: &Around, hash: &str) -> Vec<Analysis> {
    let of_hash = |run: &&Value| look::label(run, revisions::ARGO.hash).is_none_or(|label| label == hash);
    runs(object, around).into_iter().filter(of_hash).take(MOST).map(read).collect()
}

/// Says which revisions an analysis found bad.
pub(super) fn mark_bad(revisions: &mut [Revision], object: &Value, around: &Around) {
    for run in runs(object, around) {
        let failed = ["Failed", "Error"].contains(&look::text(run, "/status/phase"));
        let (Some(hash), true) = (look::label(run, revisions::ARGO.hash), failed) else { continue };
        let found =
            revisions.iter_mut().find(|revision| revision.hash == hash && revision.known_bad.is_empty());
        if let Some(revision) = found {
            let names = failed_metrics(run).join(", ");
            let at = look::moment(run, "/status/completedAt")
                .or_else(|| look::moment(run, "/metadata/creationTimestamp"));
            let at = at.map_or_else(String::new, |at| format!(" {}", at.format("%-d %b %H:%M")));
            revision.known_bad =
                clean(&format!("analysis failed{at}, {names}"), 120).trim_end_matches([',', ' ']).into();
        }
    }
}

fn failed_metrics(run: &Value) -> Vec<String> {
    let results = look::list(run, "/status/metricResults").iter();
    results
        .filter(|result| ["Failed", "Error"].contains(&look::text(result, "/phase")))
        .map(|result| clean_name(look::text(result, "/name")))
        .collect()
}

fn read(run: &Value) -> Analysis {
    let kind = match look::label(run, "rollout-type") {
        Some("Step") => "step",
        Some("PrePromotion") => "before",
        Some("PostPromotion") => "after",
        _ => "background",
    };
    let results = look::list(run, "/status/metricResults");
    let metrics = look::list(run, "/spec/metrics").iter().map(|metric| {
        let name = look::text(metric, "/name");
        let result =
            results.iter().find(|result| look::text(result, "/name") == name).unwrap_or(&Value::Null);
        let count = |key: &str| look::count(result, &format!("/{key}")).unwrap_or(0);
        let limit = match (look::text(metric, "/successCondition"), look::text(metric, "/failureCondition")) {
            ("", "") => String::new(),
            (success, "") => success.to_owned(),
            ("", failure) => format!("fails if {failure}"),
            (success, failure) => format!("{success}; fails if {failure}"),
        };
        let dry = if look::flag(result, "/dryRun") { " (dry run)" } else { "" };
        AnalysisMetric {
            name: clean_name(&format!("{name}{dry}")),
            phase: clean_name(look::text(result, "/phase")),
            value: clean(value(result), 80),
            limit: clean(&limit, 160),
            counts: (count("count"), count("failed"), may_fail(metric)),
        }
    });
    Analysis {
        name: clean_name(look::name(run)),
        kind: kind.into(),
        phase: clean_name(look::text(run, "/status/phase")),
        message: clean(look::text(run, "/status/message"), 300),
        metrics: metrics.collect(),
    }
}

/// The last value as the controller wrote it; what went wrong when it has none.
fn value(result: &Value) -> &str {
    let last = look::list(result, "/measurements").last().unwrap_or(&Value::Null);
    match look::text(last, "/value") {
        "" => look::text(last, "/message"),
        value => value,
    }
}

/// How many measurements may fail without the run failing; a negative limit is none.
fn may_fail(metric: &Value) -> Option<u32> {
    let limit = match metric.get("failureLimit") {
        None | Some(Value::Null) => 0,
        Some(Value::String(text)) => text.trim().parse::<i64>().unwrap_or(0),
        Some(other) => other.as_i64().unwrap_or(0),
    };
    u32::try_from(limit).ok()
}
