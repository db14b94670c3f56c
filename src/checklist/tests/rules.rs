//! Every rule.

use super::*;
use crate::domain::{
    Alert, AlertState, DriftScale, EndpointStatus, Event, EventKind, FeatureDrift, Level, Readiness,
    RegisteredModel, RegisteredVersion, Rollout, Version,
};

fn assert_found(found: Found, is: &str, part: &str) {
    let (kind, words) = kind(found);
    assert_eq!(kind, is, "{words}");
    assert!(words.contains(part), "`{part}` is not in `{words}`");
}

fn probe(model: &str, readiness: Readiness) -> Vec<Fact> {
    let status = EndpointStatus {
        instance: format!("{model}-1").as_str().into(),
        readiness,
        probe_ms: 3.0,
        versions: Vec::new(),
        server: None,
        detail: None,
    };
    vec![Fact::Endpoint { model: id(model), status }]
}

#[test]
fn service() {
    let mut store = empty();
    assert_found(found(&store, "service"), "cannot tell", "alzheimer-1 has not answered yet: alzheimer");
    told(&mut store, "alzheimer-1", probe("alzheimer", Readiness::Ready));
    told(&mut store, "als-1", probe("als", Readiness::Ready));
    assert_found(found(&store, "service"), "verified", "2 of 2 models");
    told(&mut store, "als-1", probe("als", Readiness::NotReady));
    assert_found(found(&store, "service"), "not met", "1 of 2 models; als als-1 not ready");
    failed(&mut store, "als-1");
    assert_found(found(&store, "service"), "not met", "als-1 hung");
    let bare = Store::new("prod", Vec::new());
    assert_found(found(&bare, "service"), "cannot tell", "[[model]]");
}

#[test]
fn limits_of_errors_and_latency() {
    let mut store = empty();
    assert_found(
        found(&store, "limits"),
        "cannot tell",
        "no error rate, latency p95, latency p99: alzheimer, als",
    );
    for (kpi, value) in [(Kpi::ErrorRate, 0.2), (Kpi::LatencyP95, 120.0), (Kpi::LatencyP99, 300.0)] {
        told(&mut store, "prometheus", both(kpi, value));
    }
    assert_found(found(&store, "limits"), "verified", "2 of 2 models");
    told(&mut store, "prometheus", vec![reading("alzheimer", Kpi::LatencyP95, 612.0)]);
    assert_found(found(&store, "limits"), "not met", "1 of 2 models; alzheimer p95 612 ms > 500");
}

#[test]
fn metrics_of_a_day() {
    let mut store = empty();
    assert_found(found(&store, "metrics"), "cannot tell", "no accuracy");
    told(&mut store, "prometheus", both(Kpi::Accuracy, 0.86));
    assert_found(found(&store, "metrics"), "verified", "no 24 h are kept");
    told(&mut store, "prometheus", vec![reading("als", Kpi::F1, 0.74)]);
    assert_found(found(&store, "metrics"), "not met", "als F1 .740 < .750");
    // The mean of the day counts, not a good last moment.
    let mut store = empty();
    told(&mut store, "prometheus", both(Kpi::Accuracy, 0.86));
    let low = (0..=4).rev().map(|n| (now() - chrono::TimeDelta::hours(6 * n - 1), 0.70)).collect();
    let past = vec![history("als", Kpi::Accuracy, low)];
    told(&mut store, "prometheus", past);
    assert_found(found(&store, "metrics"), "not met", "als acc .7");
}

fn finding(model: &str, kind: &str, words: &str, abnormal: bool) -> Fact {
    Fact::DriftFinding { model: id(model), kind: kind.into(), finding: words.into(), abnormal }
}

#[test]
fn predictions() {
    let mut store = empty();
    assert_found(found(&store, "predictions"), "cannot tell", "no word on predictions");
    let none = |model| finding(model, "prediction", "none found", false);
    told(&mut store, "prometheus", vec![none("alzheimer"), none("als")]);
    assert_found(found(&store, "predictions"), "verified", "2 of 2");
    told(&mut store, "prometheus", vec![finding("als", "prediction", "+14 pts", true)]);
    assert_found(found(&store, "predictions"), "not met", "als predictions: +14 pts");
    // By the rate of positives: the last day against the week before.
    for (last, is) in [(31.0, "verified"), (45.0, "not met")] {
        let mut store = empty();
        let points: Vec<_> = (1..8)
            .rev()
            .map(|day| (days_ago(day) - chrono::TimeDelta::hours(1), 30.0))
            .chain([(now(), last)])
            .collect();
        let facts = ["alzheimer", "als"].map(|model| history(model, Kpi::PositiveRate, points.clone()));
        told(&mut store, "prometheus", facts.to_vec());
        assert_found(found(&store, "predictions"), is, "models");
    }
}

#[test]
fn data() {
    let mut store = empty();
    let schema = |model| finding(model, "schema", "none found", false);
    told(&mut store, "prometheus", vec![schema("alzheimer"), schema("als")]);
    assert_found(found(&store, "data"), "cannot tell", "no word on missing values: alzheimer, als");
    let missing = |model, words| finding(model, "missing values", words, false);
    let few = "3.0 % of all, most in mean_area 4.9 %";
    told(&mut store, "prometheus", vec![missing("alzheimer", few), missing("als", "none found")]);
    assert_found(found(&store, "data"), "verified", "2 of 2");
    told(&mut store, "prometheus", vec![missing("als", "1.0 % of all, most in age 5.0 %")]);
    assert_found(found(&store, "data"), "not met", "als missing values: 1.0 % of all, most in age 5.0 %");
    told(
        &mut store,
        "prometheus",
        vec![missing("als", "none found"), finding("als", "schema", "gone: age", true)],
    );
    assert_found(found(&store, "data"), "not met", "als schema: gone: age");
}

fn feature(model: &str, raw: f64, at: Time) -> Fact {
    let features = vec![FeatureDrift::new("age", "", raw, DriftScale::Share, at)];
    Fact::Drift { model: id(model), features }
}

#[test]
fn drift_of_the_whole_and_of_each_feature() {
    let mut store = empty();
    assert_found(found(&store, "drift"), "cannot tell", "no measured drift");
    assert_found(found(&store, "features"), "cannot tell", "no measured feature");
    told(&mut store, "prometheus", vec![feature("alzheimer", 0.02, now()), feature("als", 0.09, now())]);
    assert_found(found(&store, "drift"), "verified", "2 of 2");
    assert_found(found(&store, "features"), "verified", "2 features below 0.10");
    told(&mut store, "prometheus", vec![feature("alzheimer", 0.31, now())]);
    assert_found(found(&store, "drift"), "not met", "alzheimer drift 0.31 ≥ 0.10");
    assert_found(found(&store, "features"), "not met", "alzheimer 1 of 1 features, age 0.31");
}

fn alert(state: AlertState, since: Time) -> Alert {
    Alert {
        fingerprint: "a".into(),
        name: "ModelLatencyHigh".into(),
        labels: [].into(),
        summary: String::new(),
        severity: Level::Critical,
        state,
        since,
        model: Some(id("als")),
        silenced_by: Vec::new(),
    }
}

#[test]
fn alerts() {
    let mut store = empty();
    assert_found(found(&store, "alerts"), "cannot tell", "prometheus does not answer");
    told(&mut store, "prometheus", Vec::new());
    told(&mut store, "alertmanager", vec![Fact::Alerts(vec![alert(AlertState::Silenced, now())])]);
    assert_found(found(&store, "alerts"), "verified", "no alert fires, 1 silenced");
    told(&mut store, "alertmanager", vec![Fact::Alerts(vec![alert(AlertState::Firing, now())])]);
    assert_found(found(&store, "alerts"), "by hand", "1 firing: ModelLatencyHigh als since 20 Nov 14:02 new");
    assert_found(found(&Store::new("prod", Vec::new()), "alerts"), "cannot tell", "[[alertmanager]]");
}

#[test]
fn the_log_of_the_day() {
    let mut store = empty();
    let note = |at| Event {
        at,
        kind: EventKind::Note,
        model: None,
        level: Level::Ok,
        what: "handed over".into(),
        detail: "sre@bastion".into(),
    };
    store.record(note(days_ago(1)));
    assert_found(found(&store, "log"), "by hand", "no note today");
    store.record(note(now()));
    assert_found(found(&store, "log"), "verified", "1 note today, the last 14:02 by sre@bastion");
}

#[test]
fn the_trend_of_a_week() {
    let store = empty();
    assert_found(found(&store, "trend"), "cannot tell", "no quality of 7 days: alzheimer, als");
    for (last, is, part) in [(0.87, "verified", "2 of 2"), (0.80, "not met", "acc .880 → .800")] {
        let mut store = empty();
        let points: Vec<_> = (1..8).rev().map(|day| (days_ago(day), 0.88)).chain([(now(), last)]).collect();
        // The point of exactly a day ago belongs to the last day.
        let points: Vec<_> =
            points.into_iter().map(|(at, v)| (at - chrono::TimeDelta::hours(1), v)).collect();
        let facts = ["alzheimer", "als"].map(|model| history(model, Kpi::Accuracy, points.clone()));
        told(&mut store, "prometheus", facts.to_vec());
        assert_found(found(&store, "trend"), is, part);
    }
}

#[test]
fn labels() {
    let mut store = empty();
    assert_found(found(&store, "labels"), "cannot tell", "no measured labels");
    told(&mut store, "prometheus", both(Kpi::LabelCoverage, 31.0));
    assert_found(found(&store, "labels"), "cannot tell", "no label lag");
    told(&mut store, "prometheus", [both(Kpi::LabelCoverage, 31.0), both(Kpi::LabelLag, 7_200.0)].concat());
    assert_found(found(&store, "labels"), "verified", "2 of 2");
    told(&mut store, "prometheus", vec![reading("als", Kpi::LabelLag, 9.0 * 86_400.0)]);
    assert_found(found(&store, "labels"), "not met", "als labels 9 days old > 7");
    told(&mut store, "prometheus", vec![reading("als", Kpi::LabelCoverage, 4.0)]);
    assert_found(found(&store, "labels"), "not met", "label coverage 4 % < 10");
}

#[test]
fn failed_predictions() {
    let mut store = empty();
    assert_found(found(&store, "failed"), "cannot tell", "no error rate");
    told(&mut store, "prometheus", both(Kpi::ErrorRate, 0.4));
    assert_found(found(&store, "failed"), "verified", "no 7 days are kept");
    let points = (0..8).rev().map(|day| (days_ago(day), 1.5)).collect();
    told(&mut store, "prometheus", vec![history("als", Kpi::ErrorRate, points)]);
    assert_found(found(&store, "failed"), "not met", "als errors 1.50 % > 1.00 over 7 days");
}

#[test]
fn resources() {
    let mut store = empty();
    assert_found(found(&store, "resources"), "cannot tell", "no measured resource");
    told(&mut store, "prometheus", both(Kpi::Memory, 40.0));
    assert_found(found(&store, "resources"), "verified", "2 of 2");
    told(&mut store, "prometheus", vec![reading("als", Kpi::Memory, 93.0)]);
    assert_found(found(&store, "resources"), "not met", "als memory 93 % ≥ 90");
}

#[test]
fn sources() {
    let mut store = empty();
    let names: Vec<String> = store.sources.iter().map(|source| source.info.id.to_string()).collect();
    assert_found(found(&store, "sources"), "not met", "0 of 6 sources; prometheus has not answered yet");
    for name in &names {
        told(&mut store, name, Vec::new());
    }
    assert_found(found(&store, "sources"), "verified", "6 of 6 sources");
    failed(&mut store, "mlflow");
    assert_found(found(&store, "sources"), "not met", "5 of 6 sources; mlflow hung");
    assert_found(found(&Store::new("prod", Vec::new()), "sources"), "cannot tell", "no source");
}

#[test]
fn the_audit_trail() {
    let store = empty();
    let with = |trail| look(&store, &Beside { trail, drills: None }, "audit");
    assert_found(with(Trail::Intact(41)), "verified", "41 entries, intact");
    assert_found(with(Trail::Changed("entry 3 was changed".into())), "not met", "entry 3 was changed");
    assert_found(with(Trail::Absent), "cannot tell", "control.folder");
    assert_found(with(Trail::Unreadable("journal.db: is damaged".into())), "cannot tell", "is damaged");
    assert_found(with(Trail::NotLooked), "cannot tell", "not looked");
}

fn entry(production: &str, approved: bool) -> RegisteredModel {
    let version = |number: i32| {
        let mut version = RegisteredVersion::named(Version::new(&number.to_string()));
        version.metrics = [("accuracy".to_owned(), f64::from(100 - number) / 100.0)].into();
        if approved {
            version.approvals = [("clinical".to_owned(), "dr. kim".to_owned())].into();
        }
        version
    };
    RegisteredModel {
        description: if approved { "card".into() } else { String::new() },
        production: Some(Version::new(production)),
        versions: (1..=9).rev().map(version).collect(),
        ..RegisteredModel::default()
    }
}

fn registered(model: &str, entry: RegisteredModel) -> Fact {
    Fact::Registered { model: id(model), entry }
}

#[test]
fn cards_and_clean_up() {
    let mut store = empty();
    assert_found(found(&store, "cards"), "cannot tell", "in no registry: alzheimer, als");
    assert_found(found(&store, "cleanup"), "cannot tell", "[[mlflow]]");
    told(
        &mut store,
        "mlflow",
        vec![registered("alzheimer", entry("9", true)), registered("als", entry("3", true))],
    );
    assert_found(found(&store, "cards"), "verified", "2 of 2");
    // 9 … 5 are the newest, 1 and 2 the best; of als 3 is in production.
    assert_found(
        found(&store, "cleanup"),
        "by hand",
        "3 versions beyond the newest 5 and best 2: alzheimer 2; als 1",
    );
    told(&mut store, "mlflow", vec![registered("als", entry("3", false))]);
    assert_found(found(&store, "cards"), "not met", "als 3 has no model card and no approval");
    let few = || RegisteredModel { versions: entry("9", true).versions[..4].to_vec(), ..entry("9", true) };
    told(&mut store, "mlflow", vec![registered("alzheimer", few()), registered("als", few())]);
    assert_found(found(&store, "cleanup"), "verified", "nothing to clean up in 2 models");
}

#[test]
fn registry_and_cluster() {
    let mut store = empty();
    assert_found(found(&store, "agreement"), "cannot tell", "no known rollout: alzheimer, als");
    let rollouts = ["alzheimer", "als"].map(|model| Fact::Rollout {
        model: id(model),
        rollout: Rollout::of("argo", Version::new("9")).into(),
    });
    told(&mut store, "argo", rollouts.to_vec());
    assert_found(found(&store, "agreement"), "cannot tell", "no production version in a registry");
    told(
        &mut store,
        "mlflow",
        vec![registered("alzheimer", entry("9", true)), registered("als", entry("9", true))],
    );
    assert_found(found(&store, "agreement"), "verified", "2 of 2");
    told(&mut store, "mlflow", vec![registered("als", entry("8", true))]);
    assert_found(
        found(&store, "agreement"),
        "not met",
        "als mlflow calls 8 production, the rollout serves 9",
    );
}

#[test]
fn bias() {
    let mut store = empty();
    assert_found(found(&store, "bias"), "by hand", "no source measures it");
    told(&mut store, "prometheus", vec![finding("als", "bias by sex", "0.02", false)]);
    assert_found(found(&store, "bias"), "by hand", "measured for 1 of 2 models");
    told(&mut store, "prometheus", vec![finding("alzheimer", "bias by sex", "0.01", false)]);
    assert_found(found(&store, "bias"), "verified", "2 of 2");
    told(&mut store, "prometheus", vec![finding("als", "bias by sex", "0.22", true)]);
    assert_found(found(&store, "bias"), "not met", "als bias by sex: 0.22");
}

#[test]
fn retraining() {
    let mut store = empty();
    assert_found(found(&store, "retraining"), "by hand", "no measured trigger");
    let points = (0..9).rev().map(|day| (days_ago(day), 0.82)).collect();
    told(&mut store, "prometheus", vec![history("als", Kpi::Accuracy, points)]);
    assert_found(found(&store, "retraining"), "not met", "als acc beyond .830 for 7 days");
    let mut store = empty();
    let high = FeatureDrift::new("age", "", 0.25, DriftScale::Share, now());
    let points = (0..20).rev().map(|day| (days_ago(day), 0.25)).collect();
    told(&mut store, "prometheus", vec![Fact::DriftHistory { model: id("als"), feature: high, points }]);
    assert_found(found(&store, "retraining"), "not met", "als age drifts for 19 days");
}

#[test]
fn the_drill_of_the_quarter() {
    let store = empty();
    let with = |text: &str| {
        let drills = Some(Ok(Drill::parse(text)));
        look(&store, &Beside { drills, ..Beside::default() }, "rollback")
    };
    let line = |at: Time, verified: bool| {
        format!(
            "{{\"at\": \"{}\", \"verified\": {verified}, \"scenario\": \"errors\", \"more\": [1]}}\n",
            at.to_rfc3339()
        )
    };
    assert_found(with(""), "not met", "no drill is recorded");
    assert_found(with(&line(days_ago(3), false)), "not met", "none of 1 drills was verified");
    let text = format!("{}half a li\n{}", line(days_ago(91), true), line(days_ago(200), true));
    assert_found(with(&text), "verified", "errors on 21 Aug 2026");
    assert_found(with(&line(days_ago(93), true)), "not met", "more than 92 days ago");
    assert_found(with(&line(days_ago(-3), true)), "not met", "none of");
    assert_found(found(&store, "rollback"), "cannot tell", "not looked at");
    let drills = Some(Err("drills.jsonl: permission denied".into()));
    let unreadable = look(&store, &Beside { drills, ..Beside::default() }, "rollback");
    assert_found(unreadable, "cannot tell", "permission denied");
}
