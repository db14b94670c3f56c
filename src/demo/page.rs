//! The metrics page of a model server in the Prometheus text format.

use std::fmt::Write;

use super::fleet::Fleet;
use super::histogram::BOUNDS;
use crate::domain::{Kpi, ModelKind};

/// The page of one server.
pub fn metrics(fleet: &Fleet, model: usize, instance: usize) -> String {
    let mut page = String::with_capacity(8_192);
    let Some(state) = fleet.models.get(model) else { return page };
    let (name, t) = (&state.part.name, fleet.t());
    let counts = state.instances.get(instance).map_or(&[][..], Vec::as_slice);
    let used: Vec<(usize, &str)> = state
        .part
        .versions
        .iter()
        .enumerate()
        .filter(|(version, _)| counts.get(*version).is_some_and(|counts| counts.total() > 0))
        .map(|(version, name)| (version, name.as_str()))
        .collect();
    // Writing into a String cannot fail.
    let _ = writeln!(page, "# TYPE model_request_duration_seconds histogram");
    for &(version, label) in &used {
        let counts = &counts[version];
        let mut below = 0;
        for (count, bound) in
            counts.buckets().into_iter().zip(BOUNDS.iter().map(f64::to_string).chain(["+Inf".into()]))
        {
            below += count;
            let _ = writeln!(
                page,
                "model_request_duration_seconds_bucket{{model=\"{name}\",version=\"{label}\",le=\"{bound}\"}} {below}"
            );
        }
        let _ = writeln!(
            page,
            "model_request_duration_seconds_sum{{model=\"{name}\",version=\"{label}\"}} {:.6}",
            counts.seconds()
        );
        let _ = writeln!(
            page,
            "model_request_duration_seconds_count{{model=\"{name}\",version=\"{label}\"}} {below}"
        );
    }
    let _ = writeln!(page, "# TYPE model_requests_total counter");
    for &(version, label) in &used {
        let (total, failed) = (counts[version].total(), counts[version].failed());
        for (code, count) in [("200", total.saturating_sub(failed)), ("500", failed)] {
            let _ = writeln!(
                page,
                "model_requests_total{{model=\"{name}\",version=\"{label}\",code=\"{code}\"}} {count}"
            );
        }
    }
    let (serving, trial) = fleet.serving(model);
    let live: Vec<usize> = std::iter::once(serving).chain(trial.map(|(version, _)| version)).collect();
    for (place, kpi) in state.part.kind.quality().iter().enumerate() {
        let metric = gauge_name(*kpi);
        let _ = writeln!(page, "# TYPE {metric} gauge");
        // The value of all traffic is that of the serving version: the canary's labels are few.
        for &version in &live {
            let label = &state.part.versions[version];
            let value = fleet.quality(model, version, t).get(place).copied().unwrap_or(f64::NAN);
            let _ = writeln!(page, "{metric}{{model=\"{name}\",version=\"{label}\"}} {value:.4}");
        }
    }
    for &version in &live {
        let share = trial.filter(|(canary, _)| *canary == version).map_or(1.0, |(_, share)| share);
        let labelled = (state.part.labelled as f64 * share) as u64;
        let label = &state.part.versions[version];
        let _ = writeln!(page, "model_labelled_samples{{model=\"{name}\",version=\"{label}\"}} {labelled}");
    }
    // In the story a label counts when it is drawn; it says that it is a minute old.
    let age = if fleet.label_delay_s() > 0.0 { fleet.label_delay_s() } else { 60.0 };
    let _ = writeln!(page, "# TYPE model_labelled_predictions_total counter");
    for &(version, label) in &used {
        let (right, wrong) = counts[version].labelled();
        for (correct, count) in [("true", right), ("false", wrong)] {
            let _ = writeln!(
                page,
                "model_labelled_predictions_total{{model=\"{name}\",version=\"{label}\",correct=\"{correct}\",age_s=\"{age}\"}} {count}"
            );
        }
    }
    let queue = (fleet.story.mood(model, false, t).slower - 1.0).max(0.0) * 3.0;
    let cpu = 0.18 + 0.02 * (model % 11) as f64 + 0.02 * (t / 13.0).sin();
    for (metric, value) in [
        ("model_label_lag_seconds", fleet.story.label_lag(model, t)),
        ("model_label_coverage_ratio", 0.31),
        ("model_cpu_ratio", cpu),
        ("model_memory_ratio", fleet.story.memory(model, t)),
        ("model_queue_depth", queue.round()),
        ("model_cache_hit_ratio", 0.86),
        ("model_load_seconds", 2.1 + 0.1 * (model % 7) as f64),
    ] {
        let _ = writeln!(page, "# TYPE {metric} gauge\n{metric}{{model=\"{name}\"}} {value:.4}");
    }
    if model == super::samples::MODEL {
        // Its drift is computed from its samples.
        return page;
    }
    let _ = writeln!(page, "# TYPE model_feature_drift gauge");
    for (place, (group, feature, quiet)) in state.part.features.iter().enumerate() {
        let score = quiet + fleet.drift(model, place, t);
        let _ = writeln!(
            page,
            "model_feature_drift{{model=\"{name}\",feature=\"{feature}\",group=\"{group}\",method=\"ks_distance\"}} {score:.4}"
        );
    }
    page
}

fn gauge_name(kpi: Kpi) -> &'static str {
    match kpi {
        Kpi::Accuracy => "model_accuracy",
        Kpi::Sensitivity => "model_sensitivity",
        Kpi::Specificity => "model_specificity",
        Kpi::AucRoc => "model_auc_roc",
        Kpi::Precision => "model_precision",
        Kpi::F1 => "model_f1_score",
        Kpi::R2 => "model_r2_score",
        Kpi::Mae => "model_mae",
        Kpi::Mse => "model_mse",
        _ => "model_rmse",
    }
}

/// The quality metrics of a kind as runs of the registry name them.
pub fn run_metrics(kind: ModelKind) -> &'static [&'static str] {
    match kind {
        ModelKind::Classification => {
            &["accuracy", "sensitivity", "specificity", "auc_roc", "precision", "f1"]
        }
        ModelKind::Regression => &["r2", "mae", "mse", "rmse"],
    }
}
