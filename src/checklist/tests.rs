//! Every rule with a store made by hand: it holds, it does not, nothing can tell. Then the board.

mod board;
mod rules;

use std::sync::Arc;

use super::*;
use crate::domain::{
    Fact, Fault, FaultKind, Harvest, Kpi, Limits, ModelId, ModelKind, Reading, Report, SourceGroup, SourceId,
    SourceInfo, Time,
};
use crate::store::{ModelSpec, Store};

/// Friday, 20 November 2026.
fn now() -> Time {
    "2026-11-20T14:02:07Z".parse().unwrap()
}

fn days_ago(days: i64) -> Time {
    now() - chrono::TimeDelta::days(days)
}

fn id(name: &str) -> ModelId {
    ModelId::new("prod", name)
}

/// Two models, their sources, nothing known.
fn empty() -> Store {
    let kind = ModelKind::Classification;
    let spec = |name| ModelSpec { id: id(name), kind, limits: Arc::new(Limits::guide(kind)) };
    let mut store = Store::new("prod", vec![spec("alzheimer"), spec("als")]);
    let source = |name: &str, group, model: Option<&str>| SourceInfo {
        id: SourceId::new(name),
        group,
        kind: "test".into(),
        place: String::new(),
        interval_s: 10.0,
        model: model.map(id),
        owes: Vec::new(),
    };
    store.expect(vec![
        source("prometheus", SourceGroup::Prometheus, None),
        source("mlflow", SourceGroup::Registry, None),
        source("argo", SourceGroup::Controller, None),
        source("alertmanager", SourceGroup::Alerts, None),
        source("alzheimer-1", SourceGroup::Endpoints, Some("alzheimer")),
        source("als-1", SourceGroup::Endpoints, Some("als")),
    ]);
    store
}

fn told(store: &mut Store, source: &str, facts: Vec<Fact>) {
    let outcome = Ok(Arc::new(Harvest::of(facts)));
    store.apply(&Report { epoch: 0, source: SourceId::new(source), at: now(), took_ms: 1.0, outcome });
    store.tick(now());
}

fn failed(store: &mut Store, source: &str) {
    let outcome = Err(Fault::new(FaultKind::Hung, "made for a test"));
    store.apply(&Report { epoch: 0, source: SourceId::new(source), at: now(), took_ms: 1.0, outcome });
    store.tick(now());
}

fn reading(model: &str, kpi: Kpi, value: f64) -> Fact {
    let reading = Reading::new(value, now()).with_samples(Some(500));
    Fact::Reading { model: id(model), version: None, kpi, reading }
}

fn history(model: &str, kpi: Kpi, points: Vec<(Time, f64)>) -> Fact {
    Fact::History { model: id(model), version: None, kpi, points, step_s: 21_600 }
}

/// The same reading of both models.
fn both(kpi: Kpi, value: f64) -> Vec<Fact> {
    ["alzheimer", "als"].map(|model| reading(model, kpi, value)).to_vec()
}

/// What the tool finds of an item.
fn look(store: &Store, beside: &Beside, id: &str) -> Found {
    (item(id).unwrap().look)(&Sight { store, beside, now: now() })
}

fn found(store: &Store, id: &str) -> Found {
    look(store, &Beside::default(), id)
}

/// A word for the kind of finding, and its words.
fn kind(found: Found) -> (&'static str, String) {
    let kind = match &found {
        Found::Verified(_) => "verified",
        Found::NotMet(_) => "not met",
        Found::CannotTell(_) => "cannot tell",
        Found::ByHand(_) => "by hand",
    };
    (kind, found.words().to_owned())
}
