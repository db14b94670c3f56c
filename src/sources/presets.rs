//! The metric catalogue: our entries, changed by the user's, and which of them a set of metrics looks like.

use std::collections::{BTreeMap, HashSet};

use crate::config::Preset;

/// Server kinds by name.
pub type Catalogue = BTreeMap<String, Preset>;

const BUILT_IN: &str = include_str!("presets.toml");

/// Our entries with the user's laid over them: a part that the user gives replaces ours, gauges one by
/// one; what the user leaves out stays.
pub fn catalogue(user: &BTreeMap<String, Preset>) -> Catalogue {
    let mut all = built_in();
    for (name, entry) in user {
        let ours = all.entry(name.clone()).or_default();
        lay_over(ours, entry);
    }
    all
}

/// The kind that these metric names look like: all of its `detect` names exist; of several kinds the one
/// that asks for most, then the first by name.
pub fn detect(names: &HashSet<String>, catalogue: &Catalogue) -> Option<String> {
    let fits =
        |preset: &Preset| !preset.detect.is_empty() && preset.detect.iter().all(|name| names.contains(name));
    let fitting = catalogue.iter().filter(|(_, preset)| fits(preset));
    // max_by_key keeps the last of equals, so look from the end.
    fitting.rev().max_by_key(|(_, preset)| preset.detect.len()).map(|(name, _)| name.clone())
}

fn built_in() -> Catalogue {
    toml::from_str(BUILT_IN).unwrap_or_else(|error| {
        // A test parses the embedded text, so this is for a broken build only.
        tracing::error!("the built-in metric catalogue does not parse: {error}");
        Catalogue::new()
    })
}

fn lay_over(ours: &mut Preset, user: &Preset) {
    fn list(ours: &mut Vec<String>, user: &[String]) {
        if !user.is_empty() {
            *ours = user.to_vec();
        }
    }
    fn part<T: Clone>(ours: &mut Option<T>, user: &Option<T>) {
        if user.is_some() {
            ours.clone_from(user);
        }
    }
    // Taken apart by name, so that a part that is added to the catalogue is not forgotten here.
    let Preset { detect, model_label, version_label, latency, mean, requests, errors, gauges, labels, drift } =
        user;
    list(&mut ours.detect, detect);
    list(&mut ours.model_label, model_label);
    list(&mut ours.version_label, version_label);
    part(&mut ours.latency, latency);
    part(&mut ours.mean, mean);
    part(&mut ours.requests, requests);
    part(&mut ours.errors, errors);
    part(&mut ours.labels, labels);
    part(&mut ours.drift, drift);
    ours.gauges.extend(gauges.iter().map(|(kpi, gauge)| (*kpi, gauge.clone())));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{HistogramType, Unit};
    use crate::domain::Kpi;

    fn names(list: &[&str]) -> HashSet<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_built_in_catalogue_parses() {
        let parsed: Catalogue = toml::from_str(BUILT_IN).unwrap();
        for kind in [
            "mlserver",
            "kserve",
            "bentoml",
            "knative",
            "istio",
            "triton",
            "torchserve",
            "tensorflow-serving",
            "seldon",
            "vllm",
            "opentelemetry",
            "generic",
            "evaluation",
            "wardroom",
        ] {
            assert!(parsed.contains_key(kind), "{kind}");
        }
        assert_eq!(parsed["knative"].latency.as_ref().unwrap().unit, Unit::Milliseconds);
        assert_eq!(parsed["triton"].latency.as_ref().unwrap().kind, HistogramType::Summary);
        assert_eq!(parsed["tensorflow-serving"].latency.as_ref().unwrap().unit, Unit::Microseconds);
        assert_eq!(parsed["mlserver"].latency.as_ref().unwrap().scope, "server");
    }

    #[test]
    fn users_change_parts_and_add_kinds() {
        let user: Catalogue = toml::from_str(
            r#"
            [mlserver]
            version_label = ["deployment"]
            gauges.accuracy = { metric = ["my_accuracy"] }
            [own]
            detect = ["own_total"]
            model_label = ["name"]
            version_label = ["version"]
            latency = { metric = ["own_seconds"] }
            mean = { sum = "own_sum", count = "own_count" }
            requests = { metric = ["own_total"] }
            errors = { metric = ["own_failed"] }
            labels = { metric = ["own_labelled"], wrong = 'correct="false"' }
            drift = { metric = ["own_drift"] }
            gauges.accuracy = { metric = ["own_accuracy"] }
            "#,
        )
        .unwrap();
        let all = catalogue(&user);
        assert_eq!(all["mlserver"].version_label, ["deployment"]);
        assert!(all["mlserver"].latency.is_some(), "what the user left out stays");
        assert_eq!(all["mlserver"].gauges[&Kpi::Accuracy].metric, ["my_accuracy"]);
        assert_eq!(all["own"], user["own"], "every part of a kind of one's own");
        assert!(all.contains_key("triton"));
    }

    #[test]
    fn kinds_are_recognised_by_their_metrics() {
        let all = catalogue(&Catalogue::new());
        let mlserver =
            names(&["model_infer_request_success_total", "rest_server_request_duration_seconds_bucket", "x"]);
        assert_eq!(detect(&mlserver, &all).as_deref(), Some("mlserver"));
        assert_eq!(detect(&names(&["model_accuracy"]), &all).as_deref(), Some("evaluation"));
        let demo =
            names(&["model_request_duration_seconds_bucket", "model_requests_total", "model_accuracy"]);
        assert_eq!(detect(&demo, &all).as_deref(), Some("wardroom"), "the more telling one");
        assert_eq!(detect(&names(&["up"]), &all), None);
    }
}
