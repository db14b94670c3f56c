//! What each adapter reads from the real server it was written for.

use wardroom::domain::{AlertState, Kpi, Level, Readiness, Version};

use crate::lab::{Lab, fault_of, observe, observe_until};

#[test]
fn every_source_of_a_whole_fleet_answers() {
    let lab = Lab::here();
    let store =
        observe_until(&lab.fleet(), |store| store.sources.iter().all(|source| source.fault.is_none()));
    for source in &store.sources {
        assert!(source.fault.is_none(), "{}: {:?}", source.info.id, source.fault);
        assert!(source.seen.is_some(), "{} did not answer", source.info.id);
    }
    let model = &store.models[0];
    for instance in ["bc-stable", "bc-canary", "bc-kserve", "bc-bento"] {
        let status =
            model.instances[instance].status.as_ref().unwrap_or_else(|| panic!("{instance}: no status"));
        assert_eq!(status.readiness, Readiness::Ready, "{instance}");
        assert!(status.probe_ms > 0.0);
    }
}

#[test]
fn prometheus_tells_quality_with_its_samples_and_drift_with_its_direction() {
    let lab = Lab::here();
    let v1 = Version::new("v1");
    let store = observe_until(&lab.fleet(), |store| {
        let model = &store.models[0];
        model.reading_of(Kpi::Accuracy, Some(&v1)).is_some_and(|reading| reading.samples > Some(20))
            && model.features(None).len() == 30
            && store.models[1].value(Kpi::R2).is_some()
    });
    let model = &store.models[0];
    let known: Vec<_> = model.readings.keys().filter(|(kpi, _)| *kpi == Kpi::Accuracy).collect();
    let remarks: Vec<_> = store.sources.iter().flat_map(|source| &source.remarks).collect();
    let accuracy = model.reading_of(Kpi::Accuracy, Some(&v1));
    let accuracy = accuracy.unwrap_or_else(|| panic!("no accuracy of v1, but of {known:?}; {remarks:?}"));
    assert!((0.85..=1.0).contains(&accuracy.value.unwrap()), "{accuracy:?}");
    assert!(accuracy.samples.unwrap() > 20, "{accuracy:?}");
    // Exactly one feature is shifted by three standard deviations, by the normed Wasserstein distance.
    let features = model.features(None);
    assert_eq!(features.len(), 30);
    assert_eq!(&*features[0].latest.feature, "mean_radius");
    assert!(features[0].latest.raw > 2.0, "{:?}", features[0].latest);
    assert!(features[1].latest.raw < 0.5, "{:?}", features[1].latest);
    let regressor = &store.models[1];
    assert!(
        regressor.value(Kpi::R2).is_some_and(|r2| (0.2..0.7).contains(&r2)),
        "{:?}",
        regressor.value(Kpi::R2)
    );
    assert!(regressor.value(Kpi::Accuracy).is_none(), "a regressor has no accuracy");
}

#[test]
fn prometheus_percentiles_by_own_queries_and_by_preset_agree() {
    let lab = Lab::here();
    let base =
        format!("refresh = \"2s\"\nwindow = \"1m\"\n[[prometheus]]\nurl = \"{}\"\n", lab.at("prometheus"));
    let by_preset = format!(
        "{base}[[model]]\nname = \"canary\"\n[model.prometheus]\npreset = [\"mlserver\"]\nselect = 'deployment=\"canary\"'\nmodel_label = \"\"\n"
    );
    let own = format!(
        "{base}[[model]]\nname = \"canary\"\n[model.prometheus.queries]\nlatency_p95 = 'histogram_quantile(0.95, sum by (le) (rate(rest_server_request_duration_seconds_bucket{{deployment=\"canary\",path=~\".*/infer\"}}[1m]))) * 1000'\n"
    );
    let value = |text: &str| {
        let store = observe_until(text, |store| store.models[0].value(Kpi::LatencyP95).is_some());
        assert_eq!(fault_of(&store, "prometheus"), None);
        store.models[0].value(Kpi::LatencyP95)
    };
    let (preset, own) = (value(&by_preset).expect("p95 by preset"), value(&own).expect("p95 by own query"));
    // Two moments of a live server; both lie in the same buckets.
    assert!(preset > 1.0 && (preset / own - 1.0).abs() < 0.5, "{preset} {own}");
}

#[test]
fn prometheus_brings_the_past_with_its_gaps() {
    let lab = Lab::here();
    let store = observe(&format!(
        "refresh = \"2s\"\nwindow = \"1m\"\n[[prometheus]]\nurl = \"{}\"\n[[model]]\nname = \"canary\"\n[model.prometheus]\npreset = [\"mlserver\"]\nselect = 'deployment=\"canary\"'\nmodel_label = \"\"\n",
        lab.at("prometheus")
    ));
    let series = store.models[0].recent.get(&(Kpi::LatencyP95, None));
    let series = series.unwrap_or_else(|| {
        let known: Vec<_> =
            store.models[0].readings.iter().map(|(slice, said)| (slice, &said[0].reading)).collect();
        panic!("no series of p95, but {known:?}; {:?}", store.sources[0].remarks)
    });
    assert!(series.len() >= 2, "{}", series.len());
    assert!(series.points().all(|(_, value)| value > 0.0));
}

#[test]
fn a_bad_query_is_named_and_the_rest_of_the_fleet_lives() {
    let lab = Lab::here();
    let store = observe(&format!(
        "{}\n[[model]]\nname = \"wrong\"\n[model.prometheus.queries]\nlatency_p95 = 'sum by (le (oops'\n",
        lab.fleet()
    ));
    let source = store.sources.iter().find(|source| &*source.info.id.0 == "prometheus").unwrap();
    let said = format!("{:?} {:?}", source.fault, source.remarks);
    assert!(said.contains("latency_p95") && said.contains("parse error"), "{said}");
    assert!(store.models[0].value(Kpi::Accuracy).is_some(), "other models keep their numbers");
}

#[test]
fn endpoints_without_prometheus_have_their_own_percentiles() {
    let lab = Lab::here();
    let store = observe(&format!(
        "window = \"1m\"\n[[model]]\nname = \"breast-cancer\"\n[[model.endpoint]]\nprotocol = \"oip\"\nurl = \"{}\"\nmetrics = \"{}\"\n\
         [[model]]\nname = \"bento\"\n[[model.endpoint]]\nprotocol = \"bentoml\"\nurl = \"{}\"\nmetrics = \"{}/metrics\"\n\
         [[model]]\nname = \"plain\"\n[[model.endpoint]]\nprotocol = \"health\"\nurl = \"{}/health\"\n",
        lab.at("mlserver_stable"),
        lab.at("mlserver_stable_metrics"),
        lab.at("bentoml"),
        lab.at("bentoml"),
        lab.at("mlflow"),
    ));
    let p95 = store.models[0].reading(Kpi::LatencyP95).expect("p95 out of the page's buckets");
    assert!(p95.value.unwrap() > 0.0 && p95.samples.unwrap() > 10, "{p95:?}");
    assert!(p95.bucket.is_some(), "the bucket that holds the quantile is known");
    assert!(store.models[0].value(Kpi::ErrorRate).is_some());
    assert!(store.models[2].instances.values().all(|instance| instance.status.is_some()));
}

#[test]
fn the_registry_tells_versions_in_order_aliases_stages_and_metrics() {
    let lab = Lab::here();
    let store = observe(&lab.fleet());
    let entry = store.models[0].registry.values().next().expect("a registry entry");
    let versions: Vec<&str> = entry.versions.iter().map(|version| version.version.as_str()).collect();
    assert_eq!(versions.first().copied(), Some("11"), "11 is newer than 9: {versions:?}");
    assert_eq!(versions.len(), 11);
    assert_eq!(entry.aliases["champion"].as_str(), "1");
    assert_eq!(entry.aliases["challenger"].as_str(), "2");
    assert_eq!(entry.production.as_ref().map(Version::as_str), Some("1"));
    let first = entry.versions.iter().find(|version| version.version.as_str() == "1").unwrap();
    assert_eq!(first.stage, "Production");
    assert!(first.metrics.contains_key("accuracy"), "{:?}", first.metrics);
    let history =
        store.models[0].long.iter().find(|((kpi, _), _)| *kpi == Kpi::Accuracy).expect("a history").1;
    assert!(history.len() >= 25, "30 daily values: {}", history.len());
}

#[test]
fn names_with_quotes_and_unicode_and_a_model_without_versions_are_read() {
    let lab = Lab::here();
    let store = observe(&format!(
        "[[mlflow]]\nurl = \"{}\"\n[[model]]\nname = \"côté \\\"d'essai\\\" 心\"\n[[model]]\nname = \"empty-model\"\n[[model]]\nname = \"no such model\"\n",
        lab.at("mlflow")
    ));
    assert_eq!(fault_of(&store, "mlflow"), None);
    let entry = |index: usize| store.models[index].registry.values().next();
    assert_eq!(entry(0).map(|entry| entry.versions.len()), Some(1));
    assert_eq!(entry(1).map(|entry| entry.versions.len()), Some(0));
    assert!(entry(2).is_none());
}

#[test]
fn basic_auth_and_a_private_ca() {
    let lab = Lab::here();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("password");
    std::fs::write(&secret, format!("{}\n", lab.at("mlflow_password"))).unwrap();
    let config = |ca: &str, password: &str| {
        format!(
            "[[mlflow]]\nurl = \"{}\"\naccess.ca_file = \"{ca}\"\naccess.auth.basic = {{ user = \"{}\", password = {password} }}\n[[model]]\nname = \"breast-cancer\"\n",
            lab.at("mlflow_tls"),
            lab.at("mlflow_user"),
        )
    };
    let right = format!("{{ file = \"{}\" }}", secret.display());
    let store = observe(&config(lab.at("ca_file"), &right));
    assert_eq!(fault_of(&store, "mlflow"), None);
    assert_eq!(store.models[0].registry.values().next().map(|entry| entry.versions.len()), Some(2));
    let denied = observe(&config(lab.at("ca_file"), "{ command = \"echo wrong\" }"));
    let fault = fault_of(&denied, "mlflow").expect("a wrong password is a fault");
    assert_eq!(fault.kind.word(), "denied");
    assert!(!format!("{fault:?}").contains(lab.at("mlflow_password")));
    let untrusted = observe(&config(lab.at("other_ca_file"), &right));
    assert_eq!(fault_of(&untrusted, "mlflow").map(|fault| fault.kind.word()), Some("TLS error"));
}

#[test]
fn alerts_have_their_state_and_silences_show() {
    let lab = Lab::here();
    let store = observe(&lab.fleet());
    let alerts = store.all_alerts();
    let find = |name: &str| alerts.iter().find(|alert| alert.name == name).copied();
    let firing = find("CanaryErrorRate").expect("a firing alert");
    assert_eq!((firing.state, firing.severity), (AlertState::Firing, Level::Critical));
    assert_eq!(firing.model.as_ref().map(|model| &*model.name), Some("breast-cancer"));
    let silenced = find("TargetDown").expect("a silenced alert");
    assert_eq!(silenced.state, AlertState::Silenced);
    assert!(find("Watchdog").is_none(), "an always-firing alert is not shown");
    assert!(store.silences.values().flatten().any(|silence| silence.matchers.contains("TargetDown")));
    assert_eq!(
        find("SlowBurn").map(|alert| alert.state),
        Some(AlertState::Pending),
        "only Prometheus knows it"
    );
}

#[test]
fn an_alias_that_moves_is_seen() {
    let lab = Lab::here();
    let text = format!(
        "refresh = \"1s\"\n[[mlflow]]\nurl = \"{}\"\n[[model]]\nname = \"diabetes-progression\"\n",
        lab.at("mlflow")
    );
    // Another model's alias than the other tests read; a run before this one may have left it.
    let body = r#"{"name": "diabetes-progression", "alias": "live-test", "version": "1"}"#;
    let url = format!("{}/api/2.0/mlflow/registered-models/alias", lab.at("mlflow"));
    let send = |method: &str| {
        let words = ["-fsS", "-X", method, "-H", "Content-Type: application/json", "-d", body, &url];
        assert!(std::process::Command::new("curl").args(words).status().unwrap().success(), "{method}");
    };
    send("DELETE");
    let mut room = crate::program::room(&text);
    room.wait_text("diabetes-progression");
    room.keys("5");
    room.wait_text("champion");
    send("POST");
    room.wait_text("alias live-test");
    send("DELETE");
    room.wait_text("alias live-test removed");
    room.keys("q");
    assert_eq!(room.end().0, 0);
}
