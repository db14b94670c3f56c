//! What a frame, its bytes and a round of polling cost. `cargo bench`; ratios within one run are what counts.

#![allow(missing_docs, clippy::unwrap_used, reason = "the macros of criterion; a bench may fail")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wardroom::app::{App, KeyMap, Msg, update};
use wardroom::config;
use wardroom::domain::{
    Fact, Harvest, Kpi, Limits, ModelId, ModelKind, Reading, Report, SourceGroup, SourceId, SourceInfo, Time,
};
use wardroom::sources::{http, poller, register};
use wardroom::store::{ModelSpec, Store};
use wardroom::terminal::encode::encode;
use wardroom::view::{self, Look};

const SIZE: (u16, u16) = (200, 50);

fn at(second: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn fleet(models: usize) -> (App, Store) {
    let limits = Arc::new(Limits::guide(ModelKind::Classification));
    let id = |index: usize| ModelId::new("bench", &format!("model-{index:05}"));
    let specs = (0..models)
        .map(|index| ModelSpec { id: id(index), kind: ModelKind::Classification, limits: limits.clone() })
        .collect();
    let mut store = Store::new("bench", specs);
    let info = SourceInfo {
        id: SourceId::new("prometheus"),
        group: SourceGroup::Prometheus,
        kind: "prometheus".into(),
        place: String::new(),
        interval_s: 1.0,
        model: None,
        owes: Vec::new(),
    };
    store.expect(vec![info]);
    let mut app = App::new(at(0), SIZE, KeyMap::new(&BTreeMap::new()).unwrap());
    for second in 0..120 {
        tick(&mut app, &mut store, second);
    }
    (app, store)
}

/// One second: every number of every model moves.
fn tick(app: &mut App, store: &mut Store, second: i64) {
    let facts = store
        .models
        .iter()
        .enumerate()
        .flat_map(|(index, model)| {
            let wave = ((second + index as i64 * 7) % 17) as f64;
            [
                (Kpi::LatencyP50, 40.0 + wave),
                (Kpi::LatencyP95, 180.0 + 9.0 * wave),
                (Kpi::LatencyP99, 260.0 + 11.0 * wave),
                (Kpi::ErrorRate, 0.03 * wave),
                (Kpi::Throughput, 100.0 + wave),
                (Kpi::Accuracy, 0.86 + 0.001 * wave),
            ]
            .map(|(kpi, value)| Fact::Reading {
                model: model.id.clone(),
                version: None,
                kpi,
                reading: Reading::new(value, at(second)).with_samples(Some(900)),
            })
        })
        .collect();
    let report = Report {
        epoch: 0,
        source: SourceId::new("prometheus"),
        at: at(second),
        took_ms: 3.0,
        outcome: Ok(Arc::new(Harvest::of(facts))),
    };
    update(app, store, Msg::Report(Box::new(report)));
    update(app, store, Msg::Tick(at(second)));
}

fn frame(app: &App, store: &Store, look: &Look) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
    view::draw(&mut buffer, app, store, look);
    buffer
}

fn frames(c: &mut Criterion) {
    let look = Look::default();
    for models in [12, 1_000, 10_000] {
        let (app, store) = fleet(models);
        c.bench_function(&format!("frame 200x50, {models} models"), |b| {
            b.iter(|| black_box(frame(&app, &store, &look)));
        });
    }
    let (mut app, mut store) = fleet(1_000);
    let first = frame(&app, &store, &look);
    tick(&mut app, &mut store, 121);
    let next = frame(&app, &store, &look);
    let (whole, change) =
        (encode(None, &first, None, None).len(), encode(Some(&first), &next, None, None).len());
    let mut group = c.benchmark_group("encode 200x50, 1000 models");
    group.throughput(Throughput::Bytes(whole as u64));
    group.bench_function(format!("whole frame, {whole} bytes"), |b| {
        b.iter(|| black_box(encode(None, &first, None, None)));
    });
    group.throughput(Throughput::Bytes(change as u64));
    group.bench_function(format!("a second later, {change} bytes"), |b| {
        b.iter(|| black_box(encode(Some(&first), &next, None, None)));
    });
    group.bench_function("nothing changed, 0 bytes", |b| {
        b.iter(|| black_box(encode(Some(&first), &first, None, None)));
    });
    group.finish();
    c.bench_function("a second of 1000 models into the store", |b| {
        b.iter_batched(
            || (app.clone(), store.clone()),
            |(mut app, mut store)| tick(&mut app, &mut store, 122),
            BatchSize::LargeInput,
        );
    });
}

fn polling(c: &mut Criterion) {
    http::install_tls();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for models in [100u32, 1_000] {
        let options = wardroom::demo::DemoOptions { models: models as usize, ..Default::default() };
        let demo = runtime.block_on(wardroom::demo::start(options)).unwrap();
        let loaded = config::parse("bench", &demo.config_toml(), &[]).unwrap();
        let mut sources = register::build(&loaded.config).unwrap();
        let mut group = c.benchmark_group("poll");
        group.sample_size(10);
        group.bench_function(format!("one round of {} targets", sources.len()), |b| {
            b.iter(|| black_box(runtime.block_on(poller::poll_round(&mut sources, 64, chrono::Utc::now))));
        });
        group.finish();
        demo.stop();
    }
}

criterion_group!(benches, frames, polling);
criterion_main!(benches);
