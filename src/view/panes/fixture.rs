//! A store in which every pane has something to say, and one in which none has: for the tests of the panes.

use std::sync::Arc;

use crate::app::{App, KeyMap};
use crate::domain::{
    Alert, AlertState, DriftScale, EndpointStatus, Event, EventKind, Fact, Fault, FaultKind, FeatureDrift,
    Harvest, Kpi, Level, Limits, ModelId, ModelKind, Phase, Readiness, Reading, RegisteredModel,
    RegisteredVersion, Report, Rollout, Silence, Situation, SourceGroup, SourceId, SourceInfo, Step, Time,
    Version,
};
use crate::store::{ModelSpec, Store};

/// The moment of every test.
pub fn now() -> Time {
    // 2026-11-20 14:02:07 UTC.
    Time::from_timestamp(1_795_183_327, 0).unwrap()
}

/// So many seconds before it.
pub fn ago(seconds: i64) -> Time {
    now() - chrono::TimeDelta::seconds(seconds)
}

/// A screen at that moment.
pub fn app() -> App {
    App::new(now(), (160, 45), KeyMap::new(&[].into()).unwrap())
}

/// The model that is selected.
pub fn id() -> ModelId {
    ModelId::new("prod-eu", "alzheimer")
}

fn source(name: &str, group: SourceGroup, owes: Vec<(ModelId, Kpi)>) -> SourceInfo {
    let model = (group == SourceGroup::Endpoints).then(id);
    let (kind, place) = ("test", "http://localhost".to_owned());
    SourceInfo {
        id: SourceId::new(name),
        group,
        kind: kind.to_owned().into(),
        place,
        interval_s: 5.0,
        model,
        owes,
    }
}

/// A store of which no source has answered.
pub fn empty() -> Store {
    let kind = ModelKind::Classification;
    let spec =
        |name| ModelSpec { id: ModelId::new("prod-eu", name), kind, limits: Limits::guide(kind).into() };
    let mut store = Store::new("prod-eu", vec![spec("alzheimer"), spec("als")]);
    let owes = vec![(id(), Kpi::LatencyP95), (id(), Kpi::DataDrift)];
    store.expect(vec![
        source("prometheus", SourceGroup::Prometheus, owes),
        source("mlflow", SourceGroup::Registry, Vec::new()),
        source("files", SourceGroup::Registry, Vec::new()),
        source("argo", SourceGroup::Controller, Vec::new()),
        source("alertmanager", SourceGroup::Alerts, Vec::new()),
        source("als-1", SourceGroup::Endpoints, Vec::new()),
        source("als-2", SourceGroup::Endpoints, Vec::new()),
    ]);
    store
}

/// Lets a source answer, or fail.
pub fn report(store: &mut Store, source: &str, at: Time, outcome: Result<Vec<Fact>, Fault>) {
    let outcome = outcome.map(|facts| Arc::new(Harvest::of(facts)));
    store.apply(&Report { epoch: 0, source: SourceId::new(source), at, took_ms: 3.0, outcome });
}

/// A number that looks random and never changes.
fn noise(n: i64) -> f64 {
    ((n * 7_919) % 101) as f64 / 101.0 - 0.5
}

/// Past points of a KPI.
pub fn history(kpi: Kpi, version: Option<&str>, step_s: u32, points: Vec<(Time, f64)>) -> Fact {
    Fact::History { model: id(), version: version.map(Version::new), kpi, points, step_s }
}

fn latency() -> Vec<Fact> {
    let jump = |s: i64, low: f64, high: f64| {
        if s > 240 { low } else { high - (high - low) * (s.max(140) - 140) as f64 / 100.0 }
    };
    let points = |low: f64, high: f64, noisy: f64| -> Vec<(Time, f64)> {
        let times = (0..170).map(|n| 850 - n * 5).filter(|s| !(500..560).contains(s));
        times.map(|s| (ago(s), jump(s, low, high) + noisy * noise(s))).collect()
    };
    let long = |kpi, level: f64, slope: f64| {
        let points =
            (0..720).map(|h| (ago(h * 3_600), level + slope * h as f64 + 0.01 * noise(h))).rev().collect();
        history(kpi, None, 3_600, points)
    };
    vec![
        history(Kpi::LatencyP50, None, 5, points(41.0, 41.0, 4.0)),
        history(Kpi::LatencyP95, None, 5, points(205.0, 612.0, 24.0)),
        history(Kpi::LatencyP99, None, 5, points(330.0, 890.0, 40.0)),
        history(Kpi::LatencyP95, Some("1.3.0"), 5, points(640.0, 700.0, 20.0)),
        history(Kpi::Throughput, None, 5, points(118.0, 118.0, 8.0)),
        history(Kpi::ErrorRate, None, 5, points(0.1, 0.42, 0.1)),
        long(Kpi::Accuracy, 0.871, 0.00002),
        long(Kpi::Sensitivity, 0.84, 0.00006),
        long(Kpi::LatencyP95, 204.0, 0.0),
    ]
}

fn readings() -> Vec<Fact> {
    let all = [
        (Kpi::LatencyP50, None, 41.0, 18_204),
        (Kpi::LatencyP95, None, 612.0, 18_204),
        (Kpi::LatencyP99, None, 890.0, 18_204),
        (Kpi::ErrorRate, None, 0.42, 18_204),
        (Kpi::Throughput, None, 118.0, 0),
        (Kpi::Accuracy, None, 0.871, 1_204),
        (Kpi::Sensitivity, None, 0.84, 611),
        (Kpi::Specificity, None, 0.88, 593),
        (Kpi::AucRoc, None, 0.89, 1_204),
        (Kpi::F1, None, 0.866, 12),
        (Kpi::LabelCoverage, None, 31.0, 0),
        (Kpi::LabelLag, None, 100_000.0, 0),
        (Kpi::Cpu, None, 45.0, 0),
        (Kpi::Memory, None, 93.0, 0),
        (Kpi::LatencyP95, Some("1.3.0"), 612.0, 640),
        (Kpi::LatencyP95, Some("1.2.0"), 204.0, 1_900),
        (Kpi::LatencyP99, Some("1.3.0"), 890.0, 12),
        (Kpi::LatencyP99, Some("1.2.0"), 330.0, 1_900),
        (Kpi::ErrorRate, Some("1.3.0"), 1.4, 640),
        (Kpi::ErrorRate, Some("1.2.0"), 0.5, 1_900),
        (Kpi::Accuracy, Some("1.3.0"), 0.866, 300),
        (Kpi::Accuracy, Some("1.2.0"), 0.872, 900),
        (Kpi::Throughput, Some("1.3.0"), 29.5, 0),
        (Kpi::Throughput, Some("1.2.0"), 88.5, 0),
    ];
    all.into_iter()
        .map(|(kpi, version, value, n)| {
            let mut reading = Reading::new(value, now()).with_samples((n > 0).then_some(n));
            reading.bucket = (kpi == Kpi::LatencyP95).then_some((500.0, 650.0));
            reading.note = (kpi == Kpi::LatencyP99).then(|| "≥".into());
            Fact::Reading { model: id(), version: version.map(Version::new), kpi, reading }
        })
        .collect()
}

fn drift() -> Vec<Fact> {
    let features = [
        ("sensor", "gait_speed", 0.23, DriftScale::Share),
        ("sensor", "voice_pitch", 0.14, DriftScale::Share),
        ("sensor", "sleep_frag", 0.08, DriftScale::Share),
        ("omics", "IL6", 0.11, DriftScale::Share),
        ("omics", "心电图", 0.02, DriftScale::Share),
        ("clinical", "mmse", 0.003, DriftScale::PValue),
        ("clinical", "age", 0.01, DriftScale::Share),
    ];
    let mut facts: Vec<Fact> = features
        .into_iter()
        .map(|(group, name, raw, scale)| {
            let at = ago(600);
            let feature =
                FeatureDrift { samples: Some(3_500), ..FeatureDrift::new(name, group, raw, scale, at) };
            let points = (1..95).rev().map(|n| (ago(n * 1_800), raw * (95 - n) as f64 / 94.0)).collect();
            Fact::DriftHistory { model: id(), feature, points }
        })
        .collect();
    for (kind, finding, abnormal) in [("concept", "none found", false), ("prediction", "+4 pts of 10", true)]
    {
        facts.push(Fact::DriftFinding { model: id(), kind: kind.into(), finding: finding.into(), abnormal });
    }
    facts
}

fn rollout() -> Rollout {
    Rollout {
        canary: Some(Version::new("1.3.0")),
        steps: [5.0, 10.0, 25.0, 50.0, 100.0]
            .map(|weight| Step { weight, pause_s: Some(1_200.0), ..Step::default() })
            .to_vec(),
        step: 2,
        asked: 25.0,
        measured: None,
        phase: Phase::Paused,
        since: Some(ago(130)),
        until: Some(now() + chrono::TimeDelta::seconds(1_069)),
        waits: true,
        owner: "Argo CD, self-heal".into(),
        message: "CanaryPauseStep".into(),
        situation: Situation::PausedByStep,
        ..Rollout::of("argo-rollouts", Version::new("1.2.0"))
    }
}

fn registered(production: &str, versions: &[&str]) -> RegisteredModel {
    let version = |name: &&str| {
        let mut version = RegisteredVersion::named(Version::new(name));
        (version.status, version.created) = ("READY".into(), Some(ago(864_000)));
        version.metrics = [("auc".into(), 0.912), ("accuracy".into(), 0.87)].into();
        version.tags = [("team".into(), "imaging".into()), ("run".into(), (*name).into())].into();
        version.facts.insert("max_depth".into(), name.len().to_string());
        version.approvals.insert("clinical".into(), "dr. who 2026-11-01".into());
        version
    };
    RegisteredModel {
        name: "alzheimer".into(),
        aliases: [("champion".into(), Version::new(production))].into(),
        production: Some(Version::new(production)),
        versions: versions.iter().map(version).collect(),
        ..RegisteredModel::default()
    }
}

fn endpoint(name: &str, readiness: Readiness) -> Fact {
    let (server, detail) = (Some("mlserver 1.7".into()), None);
    let status = EndpointStatus {
        instance: name.into(),
        readiness,
        probe_ms: 12.3,
        versions: vec![Version::new("1.2.0")],
        server,
        detail,
    };
    Fact::Endpoint { model: id(), status }
}

/// A store in which every pane has something to say.
pub fn rich() -> Store {
    let mut store = empty();
    report(&mut store, "prometheus", ago(5), Ok(latency()));
    report(
        &mut store,
        "argo",
        ago(300),
        Ok(vec![Fact::Rollout {
            model: id(),
            rollout: Rollout { step: 1, asked: 10.0, ..rollout() }.into(),
        }]),
    );
    report(&mut store, "argo", ago(243), Ok(vec![Fact::Rollout { model: id(), rollout: rollout().into() }]));
    report(&mut store, "argo", now(), Ok(Vec::new()));
    report(&mut store, "prometheus", now(), Ok([readings(), drift()].concat()));
    let entry = |production, versions: &[&str]| {
        vec![Fact::Registered { model: id(), entry: registered(production, versions) }]
    };
    report(&mut store, "mlflow", now(), Ok(entry("1.2.0", &["1.3.0", "1.2.0", "1.1.0"])));
    report(&mut store, "files", now(), Ok(entry("1.1.0", &["1.1.0"])));
    report(&mut store, "als-1", now(), Ok(vec![endpoint("als-1", Readiness::Ready)]));
    report(
        &mut store,
        "als-2",
        now(),
        Err(Fault::new(FaultKind::Hung, "no answer in 3 s").advise("look at the pod")),
    );
    let alert = Alert {
        fingerprint: "a".into(),
        name: "HighLatency".into(),
        labels: [].into(),
        summary: "p95 above 500 ms".into(),
        severity: Level::Critical,
        state: AlertState::Firing,
        since: ago(180),
        model: Some(id()),
        silenced_by: Vec::new(),
    };
    let silence = Silence {
        id: "s".into(),
        matchers: "model=\"als\"".into(),
        by: "sre".into(),
        comment: "deploy".into(),
        until: now() + chrono::TimeDelta::hours(1),
    };
    report(
        &mut store,
        "alertmanager",
        now(),
        Ok(vec![Fact::Alerts(vec![alert]), Fact::Silences(vec![silence])]),
    );
    for (seconds, name, what) in [(60, "alzheimer", "note"), (30, "als", "p95 64 ms ≤ 300")] {
        store.record(Event {
            at: ago(seconds),
            kind: EventKind::Note,
            model: Some(ModelId::new("prod-eu", name)),
            level: Level::Ok,
            what: what.into(),
            detail: "sre@bastion".into(),
        });
    }
    store
}
