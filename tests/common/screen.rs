//! A fleet in which everything has happened, at a fixed moment, and the screen that shows it.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wardroom::app::{App, KeyMap, KeyMapError};
use wardroom::domain::{
    Alert, AlertState, Counter, DriftScale, EndpointStatus, Event, EventKind, Fact, Fault, FaultKind,
    FeatureDrift, Harvest, Kpi, Level, Limits, ModelId, ModelKind, Phase, Readiness, Reading,
    RegisteredModel, RegisteredVersion, Report, Rollout, SourceGroup, SourceId, SourceInfo, Step, Time,
    Total, Version,
};
use wardroom::store::{ModelSpec, Store};
use wardroom::view::{self, Look};

/// A model and its numbers.
struct Row {
    name: &'static str,
    kind: ModelKind,
    version: &'static str,
    latency: [f64; 3],
    errors: f64,
    rate: f64,
    quality: (Kpi, f64, f64),
    drift: &'static [(&'static str, &'static str, f64)],
}

const CLASSES: ModelKind = ModelKind::Classification;
const EVIL: &str = "evil\u{1b}]0;title\u{7} na\u{202e}me";
const WIDE: &str = "脑电图 cafe\u{301} 心";

#[rustfmt::skip]
const ROWS: [Row; 12] = [
    Row { name: "heart-disease", kind: CLASSES, version: "4.1.0", latency: [12.0, 44.0, 71.0], errors: 0.02, rate: 512.0,
        quality: (Kpi::Accuracy, 0.91, 0.0), drift: &[("clinical", "chol", 0.02)] },
    Row { name: "alzheimer", kind: CLASSES, version: "1.2.0", latency: [41.0, 612.0, 890.0], errors: 0.42, rate: 118.0,
        quality: (Kpi::Accuracy, 0.871, -0.012), drift: &[("sensor", "gait_speed", 0.23), ("sensor", "voice_pitch", 0.14),
            ("sensor", "sleep_frag", 0.08), ("omics", "IL6", 0.11), ("omics", "apoe_e4", 0.02), ("omics", "abeta42", 0.03),
            ("clinical", "mmse", 0.06), ("clinical", "age", 0.01), ("clinical", "education", 0.01)] },
    Row { name: "parkinsons", kind: ModelKind::Regression, version: "2.0.1", latency: [38.0, 180.0, 260.0], errors: 0.11,
        rate: 205.0, quality: (Kpi::R2, 0.76, -0.06), drift: &[("sensor", "tremor", 0.07)] },
    Row { name: "als", kind: CLASSES, version: "1.0.4", latency: [22.0, 64.0, 91.0], errors: 0.02, rate: 30.0,
        quality: (Kpi::AucRoc, 0.93, 0.0), drift: &[("sensor", "emg", 0.01)] },
    Row { name: "omics-risk", kind: CLASSES, version: "7.3.2", latency: [96.0, 210.0, 305.0], errors: 0.08, rate: 61.0,
        quality: (Kpi::Accuracy, 0.88, 0.01), drift: &[("omics", "IL6", 0.04)] },
    Row { name: "diagnosis", kind: CLASSES, version: "1.1.0", latency: [140.0, 380.0, 490.0], errors: 0.30, rate: 33.0,
        quality: (Kpi::Sensitivity, 0.96, 0.0), drift: &[("clinical", "icd", 0.03)] },
    Row { name: "triage-notes", kind: CLASSES, version: "0.9.1", latency: [80.0, 290.0, 340.0], errors: 0.0, rate: 12.0,
        quality: (Kpi::F1, 0.88, 0.01), drift: &[] },
    Row { name: WIDE, kind: CLASSES, version: "2026-11-01-rc", latency: [5.0, 9.5, 20.0], errors: 0.0, rate: 1.5,
        quality: (Kpi::Accuracy, 0.9, 0.0), drift: &[] },
    Row { name: EVIL, kind: CLASSES, version: "3", latency: [5.0, 30.0, 50.0], errors: 0.0, rate: 4.0,
        quality: (Kpi::Accuracy, 0.9, 0.0), drift: &[] },
    Row { name: "", kind: CLASSES, version: "1", latency: [5.0, 30.0, 50.0], errors: 0.0, rate: 4.0,
        quality: (Kpi::Accuracy, 0.9, 0.0), drift: &[] },
    Row { name: "retina", kind: CLASSES, version: "5.0.0", latency: [60.0, 120.0, 180.0], errors: 0.01, rate: 9.0,
        quality: (Kpi::Accuracy, 0.93, 0.0), drift: &[("image", "contrast", 0.02)] },
    Row { name: "sepsis-early", kind: CLASSES, version: "2.4.0", latency: [15.0, 40.0, 60.0], errors: 0.1, rate: 80.0,
        quality: (Kpi::Sensitivity, 0.9, 0.0), drift: &[("clinical", "lactate", 0.02)] },
];

/// 2026-11-20 14:02:07 UTC.
pub fn now() -> Time {
    Time::from_timestamp(1_795_183_327, 0).unwrap_or_default()
}

fn ago(seconds: i64) -> Time {
    now() - chrono::TimeDelta::seconds(seconds)
}

fn id(name: &str) -> ModelId {
    // The nameless row is the one with the longest name.
    if name.is_empty() {
        ModelId::new("prod-eu", &"long-name-".repeat(20))
    } else {
        ModelId::new("prod-eu", name)
    }
}

/// A number that looks random and never changes.
fn noise(n: i64) -> f64 {
    ((n * 7_919) % 101) as f64 / 101.0 - 0.5
}

fn source(name: &str, group: SourceGroup, kind: &'static str, model: Option<&str>) -> SourceInfo {
    SourceInfo {
        id: SourceId::new(name),
        group,
        kind: kind.into(),
        place: format!("http://{name}.local"),
        interval_s: 5.0,
        model: model.map(id),
        owes: Vec::new(),
    }
}

fn report(store: &mut Store, source: &str, seconds: i64, outcome: Result<Vec<Fact>, Fault>) {
    let outcome = outcome.map(|facts| Arc::new(Harvest::of(facts)));
    store.apply(&Report {
        epoch: 0,
        source: SourceId::new(source),
        at: ago(seconds),
        took_ms: 12.0,
        outcome,
    });
}

fn reading(row: &Row, version: Option<&str>, kpi: Kpi, value: f64, n: Option<u64>, seconds: i64) -> Fact {
    let reading = Reading::new(value, ago(seconds)).with_samples(n).over(300);
    Fact::Reading { model: id(row.name), version: version.map(Version::new), kpi, reading }
}

fn readings(row: &Row, seconds: i64) -> Vec<Fact> {
    let [p50, p95, p99] = row.latency;
    let n = Some((row.rate * 155.0) as u64);
    let mut facts = vec![
        reading(row, None, Kpi::LatencyP50, p50, n, seconds),
        reading(row, None, Kpi::LatencyP95, p95, n, seconds),
        reading(row, None, Kpi::LatencyP99, p99, n, seconds),
        reading(row, None, Kpi::ErrorRate, row.errors, n, seconds),
        reading(row, None, Kpi::Throughput, row.rate, None, seconds),
        reading(row, Some(row.version), Kpi::Throughput, row.rate, None, seconds),
        reading(row, None, row.quality.0, row.quality.1, Some(1_204), seconds),
    ];
    if row.name == "alzheimer" {
        for (kpi, value, n) in
            [(Kpi::Sensitivity, 0.861, 611), (Kpi::Specificity, 0.88, 593), (Kpi::F1, 0.866, 1_204)]
        {
            facts.push(reading(row, None, kpi, value, Some(n), seconds));
        }
        for (version, p95, errors, rate) in [("1.3.0", 612.0, 1.4, 29.4), ("1.2.0", 204.0, 0.5, 88.6)] {
            facts.push(reading(row, Some(version), Kpi::LatencyP95, p95, Some(640), seconds));
            facts.push(reading(row, Some(version), Kpi::ErrorRate, errors, Some(640), seconds));
            facts.push(reading(row, Some(version), Kpi::Throughput, rate, None, seconds));
        }
    }
    facts
}

fn history(row: &Row, kpi: Kpi, step_s: u32, points: Vec<(Time, f64)>) -> Fact {
    Fact::History { model: id(row.name), version: None, kpi, points, step_s }
}

fn past(row: &Row) -> Vec<Fact> {
    let (kpi, level, slope) = row.quality;
    let days =
        (0..30).rev().map(|d| (ago(d * 86_400 + 60), level - slope * d as f64 / 30.0 + 0.004 * noise(d)));
    let mut facts = vec![history(row, kpi, 86_400, days.collect())];
    if row.name == "alzheimer" {
        for (kpi, before, after) in
            [(Kpi::LatencyP50, 41.0, 41.0), (Kpi::LatencyP95, 205.0, 612.0), (Kpi::LatencyP99, 330.0, 890.0)]
        {
            let at = |s: i64| after - (after - before) * ((s - 140).clamp(0, 100) as f64 / 100.0);
            let shown = (1..180).rev().map(|n| n * 5).filter(|s| !(500..560).contains(s));
            let points = shown.map(|s| (ago(s), at(s) * (1.0 + 0.06 * noise(s)))).collect();
            facts.push(history(row, kpi, 5, points));
        }
    }
    for (group, name, raw) in row.drift {
        let feature = FeatureDrift {
            samples: Some(3_500),
            ..FeatureDrift::new(*name, *group, *raw, DriftScale::Share, ago(600))
        };
        let points = (0..48).rev().map(|h| (ago(600 + h * 3_600), raw * (1.0 - h as f64 / 60.0))).collect();
        facts.push(Fact::DriftHistory { model: id(row.name), feature, points });
    }
    facts
}

fn rollout(row: &Row, canary: &str, asked: f64, step: usize, waits: bool) -> Fact {
    let rollout = Rollout {
        canary: Some(Version::new(canary)),
        steps: [5.0, 10.0, 25.0, 50.0, 100.0]
            .map(|weight| Step { weight, pause_s: Some(1_200.0), ..Step::default() })
            .to_vec(),
        step,
        asked,
        measured: Some(asked - 0.1),
        phase: Phase::Paused,
        since: Some(ago(131)),
        until: (!waits).then(|| now() + chrono::TimeDelta::seconds(1_069)),
        waits,
        owner: "Argo CD, self-heal".into(),
        message: "CanaryPauseStep".into(),
        situation: wardroom::domain::Situation::PausedByStep,
        ..Rollout::of("argo-rollouts", Version::new(row.version))
    };
    Fact::Rollout { model: id(row.name), rollout: rollout.into() }
}

fn registered(row: &Row, production: &str) -> Fact {
    let versions = ["1.3.0", "1.2.0"].map(|name| RegisteredVersion {
        stage: if name == production { "Production" } else { "Staging" }.into(),
        status: "READY".into(),
        created: Some(ago(10 * 86_400)),
        metrics: [("accuracy".into(), 0.88)].into(),
        ..RegisteredVersion::named(Version::new(name))
    });
    let entry = RegisteredModel {
        name: row.name.into(),
        aliases: [("champion".into(), Version::new(production))].into(),
        production: Some(Version::new(production)),
        versions: versions.into(),
        ..RegisteredModel::default()
    };
    Fact::Registered { model: id(row.name), entry }
}

/// What alzheimer's server has counted by a look: the canary fails three times as often and is twice as slow.
fn counted(look: i64) -> Vec<Fact> {
    let total = |version: &str, a_look: i64, per_mille: i64, wrong: i64, below: [i64; 4]| {
        let trials = a_look * look;
        let counter = |total| Counter {
            version: Version::new(version),
            instance: Some("alzheimer-1".into()),
            age_s: None,
            total,
        };
        let share = |part: i64| (trials * part / 1_000) as f64;
        let bounds = [0.1, 0.2, 0.3, 0.6].into_iter().zip(below.map(share));
        let buckets = bounds.chain([(f64::INFINITY, trials as f64)]).collect();
        [
            counter(Total::Events { events: share(per_mille), trials: trials as f64 }),
            counter(Total::Buckets(buckets)),
            counter(Total::Events { events: share(wrong * 3 / 10), trials: share(300) }),
        ]
    };
    let canary = total("1.3.0", 110, 14, 110, [420, 610, 790, 960]);
    let baseline = total("1.2.0", 330, 5, 100, [600, 900, 960, 996]);
    let model = id("alzheimer");
    let both = canary.into_iter().zip(baseline).zip(["errors", "latency", "accuracy"]);
    both.map(|((canary, baseline), metric)| Fact::Counters {
        model: model.clone(),
        metric: metric.into(),
        counters: vec![canary, baseline],
    })
    .collect()
}

fn endpoint(model: &str, name: &str) -> Fact {
    let status = EndpointStatus {
        instance: name.into(),
        readiness: Readiness::Ready,
        probe_ms: 12.3,
        versions: vec![Version::new("1.2.0")],
        server: Some("mlserver 1.7".into()),
        detail: None,
    };
    Fact::Endpoint { model: id(model), status }
}

/// The fleet, before anything answered.
pub fn empty() -> Store {
    let spec =
        |row: &Row| ModelSpec { id: id(row.name), kind: row.kind, limits: Limits::guide(row.kind).into() };
    let mut store = Store::new("prod-eu", ROWS.iter().map(spec).collect());
    store.expect(vec![
        source("prometheus", SourceGroup::Prometheus, "prometheus", None),
        source("prom-edge", SourceGroup::Prometheus, "prometheus", None),
        source("mlflow", SourceGroup::Registry, "mlflow", None),
        source("wardroom-files", SourceGroup::Registry, "files", None),
        source("argo-rollouts", SourceGroup::Controller, "argo", None),
        source("alzheimer-1", SourceGroup::Endpoints, "oip", Some("alzheimer")),
        source("als-1", SourceGroup::Endpoints, "oip", Some("als")),
        source("als-2", SourceGroup::Endpoints, "oip", Some("als")),
        source("alertmanager", SourceGroup::Alerts, "alertmanager", None),
    ]);
    store
}

/// The fleet after a bad quarter of an hour.
pub fn rich() -> Store {
    let mut store = empty();
    let of = |edge: bool| ROWS.iter().filter(move |row| (row.name == "diagnosis") == edge);
    report(
        &mut store,
        "prom-edge",
        300,
        Ok(of(true).flat_map(|row| [past(row), readings(row, 300)].concat()).collect()),
    );
    let [heart, alzheimer, ..] = &ROWS;
    report(&mut store, "argo-rollouts", 400, Ok(vec![rollout(alzheimer, "1.3.0", 10.0, 1, false)]));
    let now_asked = vec![rollout(alzheimer, "1.3.0", 25.0, 2, false), rollout(heart, "4.2.0", 10.0, 1, true)];
    report(&mut store, "argo-rollouts", 203, Ok(now_asked));
    for look in 0..14 {
        let seconds = 200 - 15 * look;
        report(&mut store, "alzheimer-1", seconds, Ok(counted(look)));
        store.tick(ago(seconds));
    }
    report(&mut store, "argo-rollouts", 1, Ok(Vec::new()));
    for seconds in [185, 4] {
        let facts = of(false).flat_map(|row| [past(row), readings(row, seconds)].concat()).collect();
        report(&mut store, "prometheus", seconds, Ok(facts));
        store.tick(ago(seconds));
    }
    report(&mut store, "mlflow", 6, Ok(vec![registered(alzheimer, "1.2.0")]));
    report(&mut store, "wardroom-files", 2, Ok(vec![registered(alzheimer, "1.3.0")]));
    report(&mut store, "alzheimer-1", 3, Ok(vec![endpoint("alzheimer", "alzheimer-1")]));
    report(&mut store, "als-1", 3, Ok(vec![endpoint("als", "als-1")]));
    report(&mut store, "als-2", 41, Ok(vec![endpoint("als", "als-2")]));
    store.record(Event {
        at: ago(65),
        kind: EventKind::Note,
        model: Some(id("alzheimer")),
        level: Level::Ok,
        what: "p95 jump, looking".into(),
        detail: "sre@bastion".into(),
    });
    let hung = Fault::new(FaultKind::Hung, "connected to als-2.local:8080, no answer in 3 s");
    report(&mut store, "als-2", 33, Err(hung.advise("look at the pod's threads")));
    let alert = |name: &str, model: &str, severity, seconds| Alert {
        fingerprint: name.into(),
        name: name.into(),
        labels: [].into(),
        summary: "see the runbook".into(),
        severity,
        state: AlertState::Firing,
        since: ago(seconds),
        model: Some(id(model)),
        silenced_by: Vec::new(),
    };
    let alerts = vec![
        alert("ModelLatencyHigh", "alzheimer", Level::Critical, 120),
        alert("ClinicalReviewMissing", "heart-disease", Level::Warning, 7_200),
    ];
    report(&mut store, "alertmanager", 2, Ok(vec![Fact::Alerts(alerts)]));
    store.tick(now());
    store
}

/// A screen of this size with the worst model selected.
///
/// # Errors
/// Never: the default keys do not conflict.
pub fn app(size: (u16, u16)) -> Result<App, KeyMapError> {
    let mut app = App::new(now(), size, KeyMap::new(&[].into())?);
    app.operator = "sre@bastion".into();
    app.selected = Some(id("alzheimer"));
    Ok(app)
}

/// The frame that shows it.
pub fn frame(app: &App, store: &Store, look: &Look) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    view::draw(&mut buf, app, store, look);
    buf
}
