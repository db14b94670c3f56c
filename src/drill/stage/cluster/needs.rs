//! Whether the config shows the room what a scenario breaks: a drill that nobody could win is not begun. Pure.

use crate::config::Config;
use crate::config::model::ModelConfig;
use crate::drill::scenario::Scenario;

/// What is missing in the config for somebody to find this scenario, and what to add; `config` is that of the drill's
/// one model.
///
/// # Errors
/// In words.
pub fn met(config: &Config, model: &ModelConfig, scenario: Scenario) -> Result<(), String> {
    let page = model.endpoint.iter().any(|server| server.metrics.is_some());
    let metrics = page || model.prometheus.is_some();
    let service = !config.mlops.is_empty();
    let name = model.name.as_str();
    let drift = config.drift_reports.iter().any(|one| one.model == name)
        || config.samples.iter().any(|one| one.model == name)
        || config.feature_histograms.iter().any(|one| one.model == name);
    let (is_shown, what, add) = match scenario {
        Scenario::LatencyRegression | Scenario::ErrorBurst => (
            metrics,
            "how long its requests take and how many fail, by version",
            "[[model.endpoint]] with metrics, or [model.prometheus]",
        ),
        Scenario::SilentQualityLoss => (
            metrics || service,
            "which of its predictions were wrong",
            "[[model.endpoint]] with a metrics page that counts labelled predictions, [model.prometheus] or [[mlops]]",
        ),
        Scenario::Drift => (
            metrics || service || drift,
            "whether its features drift",
            "[[samples]], [[drift_reports]], [[feature_histograms]], [[mlops]], or metrics with gauges of drift",
        ),
        Scenario::NeverReady | Scenario::RegistryMismatch => (true, "", ""),
    };
    match is_shown {
        true => Ok(()),
        false => Err(format!(
            "{}: nothing in the config tells of {name} {what}, so nobody could find it in the room; add {add}, or \
             drill it on the demo",
            scenario.name()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn met_with(more: &str, scenario: Scenario) -> Result<(), String> {
        let text = format!("environment = \"lab\"\n[[model]]\nname = \"m\"\n{more}");
        let loaded = config::parse("test", &text, &[]).unwrap();
        met(&loaded.config, &loaded.config.model[0], scenario)
    }

    const SERVER: &str = "[[model.endpoint]]\nprotocol = \"oip\"\nurl = \"http://m.test:8080\"\n";

    #[test]
    fn what_no_source_could_show_is_refused_with_what_to_add() {
        for scenario in [Scenario::LatencyRegression, Scenario::ErrorBurst] {
            let why = met_with(SERVER, scenario).unwrap_err();
            assert!(why.contains(scenario.name()) && why.contains("metrics"), "{why}");
            let page = format!("{SERVER}metrics = \"http://m.test:8082/metrics\"\n");
            assert_eq!(met_with(&page, scenario), Ok(()));
        }
        assert!(met_with("", Scenario::SilentQualityLoss).unwrap_err().contains("labelled"));
        assert!(met_with("", Scenario::Drift).unwrap_err().contains("[[samples]]"));
        assert_eq!(met_with("", Scenario::NeverReady), Ok(()));
    }

    #[test]
    fn drift_is_shown_by_a_source_of_this_very_model() {
        let service = "[[mlops]]\nurl = \"http://mlops.test\"\n";
        assert_eq!(met_with(service, Scenario::Drift), Ok(()));
        let reports = "[[drift_reports]]\nmodel = \"m\"\npath = \"report.json\"\n";
        assert_eq!(met_with(reports, Scenario::Drift), Ok(()));
        assert!(met_with(reports, Scenario::SilentQualityLoss).is_err());
        let others = "[[model]]\nname = \"n\"\n[[drift_reports]]\nmodel = \"n\"\npath = \"report.json\"\n";
        assert!(met_with(others, Scenario::Drift).is_err());
    }
}
