//! The store as its sources meet it: reports in, judgements and events out.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ModelSpec, Store};
use crate::domain::{
    Counter, EventKind, Fact, Fault, FaultKind, Harvest, Kpi, Level, Limits, ModelId, ModelKind, Phase,
    Reading, RegisteredModel, Report, Rollout, Situation, SourceGroup, SourceId, SourceInfo, Time, Total,
    Version,
};

fn at(second: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn model() -> ModelId {
    ModelId::new("test", "als")
}

fn info(name: &str, group: SourceGroup, owes: Vec<(ModelId, Kpi)>) -> SourceInfo {
    let model = (group == SourceGroup::Endpoints).then(model);
    SourceInfo {
        id: SourceId::new(name),
        group,
        kind: "test".into(),
        place: String::new(),
        interval_s: 10.0,
        model,
        owes,
    }
}

fn store(sources: Vec<SourceInfo>) -> Store {
    let limits = Arc::new(Limits::guide(ModelKind::Classification));
    let mut store =
        Store::new("test", vec![ModelSpec { id: model(), kind: ModelKind::Classification, limits }]);
    store.expect(sources);
    store
}

fn report(source: &str, second: i64, outcome: Result<Vec<Fact>, FaultKind>) -> Report {
    let outcome = match outcome {
        Ok(facts) => Ok(Arc::new(Harvest::of(facts))),
        Err(kind) => Err(Fault::new(kind, "made for a test")),
    };
    Report { epoch: 0, source: SourceId::new(source), at: at(second), took_ms: 1.0, outcome }
}

fn reading(kpi: Kpi, value: f64, second: i64) -> Fact {
    let reading = Reading::new(value, at(second)).with_samples(Some(500));
    Fact::Reading { model: model(), version: None, kpi, reading }
}

#[test]
fn a_reading_is_judged_even_from_a_source_that_owes_nothing() {
    let mut store = store(vec![info("mlops", SourceGroup::Mlops, Vec::new())]);
    store.apply(&report("mlops", 0, Ok(vec![reading(Kpi::Accuracy, 0.79, 0)])));
    assert_eq!((store.models[0].level, store.models[0].why.as_str()), (Level::Critical, "acc .790 < .800"));
    assert_eq!(store.timeline.back().map(|event| event.kind), Some(EventKind::Judgement));
}

#[test]
fn a_source_that_falls_silent_makes_its_numbers_unknown_and_says_so_once() {
    let owes = vec![(model(), Kpi::LatencyP95)];
    let mut store = store(vec![info("als", SourceGroup::Endpoints, owes)]);
    store.apply(&report("als", 0, Ok(vec![reading(Kpi::LatencyP95, 100.0, 0)])));
    assert_eq!(store.models[0].judgement(Kpi::LatencyP95).map(|judged| judged.level), Some(Level::Ok));
    for second in [10, 20, 30] {
        store.apply(&report("als", second, Err(FaultKind::Hung)));
    }
    assert_eq!((store.models[0].level, store.models[0].why.as_str()), (Level::Unknown, "als hung"));
    store.tick(at(45));
    let judged = store.models[0].judgement(Kpi::LatencyP95).unwrap();
    assert_eq!(judged.level, Level::Unknown, "45 s old at an interval of 10 s");
    assert!(judged.reason.contains("stale") && judged.reason.contains("45 s"), "{}", judged.reason);
    assert_eq!(store.timeline.iter().filter(|event| event.kind == EventKind::Source).count(), 1);
    store.apply(&report("als", 50, Ok(vec![reading(Kpi::LatencyP95, 100.0, 50)])));
    assert_eq!(store.models[0].level, Level::Ok);
    assert!(store.timeline.back().is_some_and(|event| event.what == "als answers again"));
}

#[test]
fn what_nobody_measures_does_not_count() {
    let store = store(vec![info("mlops", SourceGroup::Mlops, Vec::new())]);
    assert_eq!(store.models[0].level, Level::NotMeasured);
    assert_eq!(store.tally().not_measured, 1);
}

#[test]
fn an_answer_of_another_epoch_changes_nothing() {
    let mut store = store(vec![info("mlops", SourceGroup::Mlops, Vec::new())]);
    let late = Report { epoch: 3, ..report("mlops", 0, Ok(vec![reading(Kpi::Accuracy, 0.1, 0)])) };
    store.apply(&late);
    store.apply(&report("stranger", 0, Ok(vec![reading(Kpi::Accuracy, 0.1, 0)])));
    assert_eq!((store.generation, store.models[0].level), (0, Level::NotMeasured));
}

#[test]
fn prometheus_comes_before_a_scrape_as_long_as_it_is_fresh() {
    let sources = vec![
        info("prometheus", SourceGroup::Prometheus, Vec::new()),
        info("als", SourceGroup::Endpoints, Vec::new()),
    ];
    let mut store = store(sources);
    store.apply(&report("prometheus", 0, Ok(vec![reading(Kpi::LatencyP95, 100.0, 0)])));
    store.apply(&report("als", 1, Ok(vec![reading(Kpi::LatencyP95, 250.0, 1)])));
    assert_eq!(store.models[0].value(Kpi::LatencyP95), Some(100.0));
    store.apply(&report("als", 60, Ok(vec![reading(Kpi::LatencyP95, 250.0, 60)])));
    assert_eq!(store.models[0].value(Kpi::LatencyP95), Some(250.0), "the silent one is given up");
}

#[test]
fn an_alias_that_moves_and_registries_that_disagree() {
    let mut store = store(vec![
        info("mlflow", SourceGroup::Registry, Vec::new()),
        info("files", SourceGroup::Registry, Vec::new()),
    ]);
    let entry = |champion: &str| RegisteredModel {
        aliases: BTreeMap::from([("champion".to_owned(), Version::new(champion))]),
        production: Some(Version::new(champion)),
        ..RegisteredModel::default()
    };
    let told = |champion| vec![Fact::Registered { model: model(), entry: entry(champion) }];
    store.apply(&report("mlflow", 0, Ok(told("1"))));
    store.apply(&report("files", 0, Ok(told("1"))));
    assert_eq!(store.models[0].disagreement(), None);
    store.apply(&report("mlflow", 10, Ok(told("2"))));
    assert_eq!(store.timeline.back().map(|event| event.what.as_str()), Some("alias champion 1 → 2"));
    assert_eq!(store.models[0].disagreement().map(|said| said.len()), Some(2));
}

#[test]
fn a_rollout_that_vanishes_is_said_once_and_claimed_no_more() {
    let mut store = store(vec![info("eu", SourceGroup::Controller, Vec::new())]);
    let rollout = Rollout {
        canary: Some(Version::new("2")),
        phase: Phase::Paused,
        asked: 25.0,
        ..Rollout::of("argo-rollouts", Version::new("1"))
    };
    store.apply(&report("eu", 0, Ok(vec![Fact::Rollout { model: model(), rollout: rollout.into() }])));
    assert!(store.models[0].canary().is_some());
    let gone = || Ok(vec![Fact::RolloutGone { model: model(), what: "Rollout ml/als".into() }]);
    store.apply(&report("eu", 1, gone()));
    store.apply(&report("eu", 2, gone()));
    assert_eq!(store.models[0].rollout, None);
    let said: Vec<_> = store.timeline.iter().filter(|event| event.what == "Rollout ml/als is gone").collect();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].level, Level::Warning, "a canary was live");
}

#[test]
fn a_bad_canary_is_a_concern_until_it_is_aborted() {
    let mut store = store(vec![
        info("eu", SourceGroup::Controller, Vec::new()),
        info("als-1", SourceGroup::Endpoints, Vec::new()),
    ]);
    let rollout = |situation: Situation, asked: f64| {
        let canary = Some(Version::new("2"));
        let phase = situation.phase();
        let rollout = Rollout { canary, phase, situation, asked, ..Rollout::of("eu", Version::new("1")) };
        Ok(vec![Fact::Rollout { model: model(), rollout: rollout.into() }])
    };
    store.apply(&report("eu", 0, rollout(Situation::PausedByStep, 25.0)));
    for second in (0..60).step_by(10) {
        let counter = |version: &str, share: f64| {
            let trials = 10.0 * (second + 1) as f64;
            let total = Total::Events { events: (share * trials).floor(), trials };
            Counter { version: Version::new(version), instance: None, age_s: None, total }
        };
        let counters = vec![counter("1", 0.0), counter("2", 0.5)];
        let counted = Fact::Counters { model: model(), metric: "errors".into(), counters };
        store.apply(&report("als-1", second, Ok(vec![counted])));
        store.tick(at(second));
    }
    assert_eq!(
        (store.models[0].level, store.models[0].why.as_str()),
        (Level::Warning, "canary worse: errors")
    );
    store.apply(&report("eu", 60, rollout(Situation::Aborting, 0.0)));
    assert_eq!(store.models[0].level, Level::Warning, "its last requests are still under way");
    store.apply(&report("eu", 61, rollout(Situation::Aborted, 0.0)));
    assert!(store.models[0].level < Level::Warning, "{}", store.models[0].why);
    assert!(store.models[0].verdict().is_some(), "why it was aborted stays to be read");
}
