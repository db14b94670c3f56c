//! The judgement of a canary from real counters: of a Prometheus, and of the servers themselves.

use wardroom::domain::{Fact, Harvest, ModelId, Phase, Report, Rollout, SourceId, Version};
use wardroom::judge::{Decision, Verdict};
use wardroom::store::Store;

use crate::lab::{Lab, observe_with};

/// The word of a controller, which this lab does not have: a canary that gets a quarter of the traffic.
fn on_trial(store: &mut Store, source: &str, stable: &str, canary: &str) {
    let rollout = Rollout {
        canary: Some(Version::new(canary)),
        asked: 25.0,
        phase: Phase::Progressing,
        ..Rollout::of("lab", Version::new(stable))
    };
    let model = ModelId::new("lab", "breast-cancer");
    let harvest = Harvest::of(vec![Fact::Rollout { model, rollout: rollout.into() }]);
    let (source, at) = (SourceId::new(source), chrono::Utc::now());
    store.apply(&Report { epoch: 0, source, at, took_ms: 1.0, outcome: Ok(harvest.into()) });
}

fn verdict(store: &Store) -> Option<&Verdict> {
    store.model(&ModelId::new("lab", "breast-cancer"))?.verdict()
}

/// Both arms are counted, the canary's failures are seen, and a verdict is given in words.
fn judged(config: &str, source: &str, stable: &str, canary: &str) -> Verdict {
    let store = observe_with(
        config,
        |store| on_trial(store, source, stable, canary),
        |store| {
            verdict(store).is_some_and(|verdict| {
                let errors = verdict.metrics.iter().find(|metric| &*metric.metric == "errors");
                errors.is_some_and(|m| m.n_canary > 50 && m.n_baseline > 50 && m.canary > Some(0.0))
            })
        },
    );
    verdict(&store).unwrap_or_else(|| panic!("no verdict")).clone()
}

#[test]
fn from_a_prometheus() {
    let config = format!(
        "environment = \"lab\"\nrefresh = \"1s\"\nwindow = \"1m\"\n[[prometheus]]\nname = \"prometheus\"\nurl = \"{}\"\n\
         [[model]]\nname = \"breast-cancer\"\n[model.prometheus]\npreset = [\"mlserver\"]\nselect = 'environment=\"production\"'\n",
        Lab::here().at("prometheus")
    );
    let verdict = judged(&config, "prometheus", "v1", "v2");
    let errors = verdict.metrics.iter().find(|metric| &*metric.metric == "errors").unwrap();
    assert!(errors.canary.unwrap() > 0.0, "the canary of the lab fails now and then: {verdict:?}");
    assert!(matches!(verdict.verdict, Decision::KeepWatching | Decision::Abort), "{}", verdict.line);
    assert!(verdict.line.contains("errors"), "{}", verdict.line);
}

#[test]
fn from_the_servers_themselves() {
    let lab = Lab::here();
    let endpoint = |name: &str, server: &str, version: &str| {
        format!(
            "[[model.endpoint]]\nname = \"{name}\"\nprotocol = \"oip\"\nurl = \"{}\"\nmetrics = \"{}\"\npreset = \"mlserver\"\nversion = \"{version}\"\n",
            lab.at(server),
            lab.at(&format!("{server}_metrics"))
        )
    };
    let config = format!(
        "environment = \"lab\"\nrefresh = \"1s\"\nwindow = \"1m\"\n[[model]]\nname = \"breast-cancer\"\n{}{}",
        endpoint("bc-stable", "mlserver_stable", "1"),
        endpoint("bc-canary", "mlserver_canary", "2")
    );
    let verdict = judged(&config, "bc-stable", "1", "2");
    let names: Vec<&str> = verdict.metrics.iter().map(|metric| &*metric.metric).collect();
    assert_eq!(names, ["errors", "latency"], "a server of one model tells its latency");
    assert!(verdict.metrics.iter().all(|metric| metric.n_canary > 0 && metric.n_baseline > 0));
    assert!(!verdict.line.contains("NaN"), "{}", verdict.line);
}
