//! How long a step through the past of a thousand models takes. Prints figures, asserts on no time.
//!
//! With `WARDROOM_LARGE=FOLDER` the history of that folder is used, which
//! `WARDROOM_LARGE=FOLDER cargo test --profile simulation --lib ninety_days` has filled with 90 days of the same models.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail like tests, and figures are for whoever runs them"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wardroom::app::keymap::Chord;
use wardroom::app::{App, Effect, KeyMap, Msg, settle, update};
use wardroom::domain::{
    Fact, Harvest, Kpi, Limits, ModelId, ModelKind, Reading, Report, SourceGroup, SourceId, SourceInfo, Time,
};
use wardroom::history::{History, Keep, Kept, Settings, Tier};
use wardroom::store::{ModelSpec, Past, Store};
use wardroom::view::{self, Look};

const MODELS: usize = 1_000;
const TWELVE: [Kpi; 12] = [
    Kpi::LatencyP50,
    Kpi::LatencyP95,
    Kpi::LatencyP99,
    Kpi::LatencyMean,
    Kpi::ErrorRate,
    Kpi::Throughput,
    Kpi::LabelLag,
    Kpi::Accuracy,
    Kpi::Precision,
    Kpi::Sensitivity,
    Kpi::F1,
    Kpi::AucRoc,
];

/// Seconds before the last full hour, so that the present follows what was kept.
fn at(s: i64) -> Time {
    static NOW: LazyLock<i64> = LazyLock::new(|| chrono::Utc::now().timestamp().div_euclid(3_600) * 3_600);
    Time::from_timestamp(*NOW - 3_600 + s, 0).unwrap()
}

fn id(model: usize) -> ModelId {
    ModelId::new("large", &format!("model-{model:04}"))
}

fn empty() -> Store {
    let limits = Arc::new(Limits::guide(ModelKind::Classification));
    let spec = |model| ModelSpec { id: id(model), kind: ModelKind::Classification, limits: limits.clone() };
    let mut store = Store::new("large", (0..MODELS).map(spec).collect());
    store.expect(vec![SourceInfo {
        id: SourceId::new("prometheus"),
        group: SourceGroup::Prometheus,
        kind: "prometheus".into(),
        place: String::new(),
        interval_s: 15.0,
        model: None,
        owes: Vec::new(),
    }]);
    store
}

fn poll(store: &mut Store, s: i64) {
    let facts = (0..MODELS).flat_map(|model| {
        TWELVE.map(|kpi| Fact::Reading {
            model: id(model),
            version: None,
            kpi,
            reading: Reading::new(0.5 + ((s / 15 + model as i64) % 7) as f64 / 100.0, at(s)),
        })
    });
    let outcome = Ok(Arc::new(Harvest::of(facts.collect())));
    let source = SourceId::new("prometheus");
    store.apply(&Report { epoch: store.epoch, source, at: at(s), took_ms: 1.0, outcome });
    store.tick(at(s));
}

/// The next answer of a kind, or nothing when there is none within a minute.
fn next(told: &Receiver<Kept>, is_it: impl Fn(&Kept) -> bool) -> Option<Kept> {
    loop {
        match told.recv_timeout(Duration::from_secs(60)) {
            Ok(Kept::Trouble(why)) => panic!("{why}"),
            Ok(kept) if is_it(&kept) => return Some(kept),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

fn answer(told: &Receiver<Kept>) -> Result<Box<Past>, String> {
    match next(told, |kept| matches!(kept, Kept::Past(_))) {
        Some(Kept::Past(past)) => past,
        other => panic!("{other:?}"),
    }
}

#[test]
#[ignore = "prints how long a step takes; asserts on no time"]
fn a_step_of_a_thousand_models() {
    let own = tempfile::tempdir().unwrap();
    let given = std::env::var_os("WARDROOM_LARGE").map(PathBuf::from);
    let tier = |step_s, keep_s| Tier { step_s, keep_s };
    let settings = Settings {
        folder: given.unwrap_or_else(|| own.path().to_owned()),
        max_bytes: 2 << 30,
        tiers: vec![tier(15, 86_400), tier(60, 14 * 86_400), tier(600, 90 * 86_400)],
        frame_s: 60.0,
        environment: "large".into(),
    };
    let settings_folder = settings.folder.clone();
    let (tell, told) = channel();
    let mut history = History::open(settings, move |kept| drop(tell.send(kept)));
    let mut live = empty();
    let begun = Instant::now();
    history.ask(Keep::Fill(Box::new(empty())));
    let filled = next(&told, |kept| matches!(kept, Kept::Filled(_)));
    if let Some(Kept::Filled(filled)) = filled {
        let points: usize =
            filled.models.iter().flat_map(|model| model.long.values()).map(|long| long.len()).sum();
        println!("the charts were filled after {:.1?}, with {points} points of days", begun.elapsed());
    }
    let hour = 3_600;
    for s in (0..=hour).step_by(15) {
        poll(&mut live, s);
        // A large room is copied over some ticks.
        for tick in 0..4 {
            history.observe(&live, at(s + tick));
        }
        // Whatever the answer is, what was seen before it is written.
        history.ask(Keep::Past(at(-100 * 86_400), Box::new(empty())));
        let _ = answer(&told);
    }
    let mut app = App::new(at(hour), (200, 50), KeyMap::new(&BTreeMap::new()).unwrap());
    settle(&mut app, &live);
    let mut buffer = Buffer::empty(Rect::new(0, 0, 200, 50));
    let look = Look::default();
    let mut press = |key: &str| {
        // As fast as fingers are.
        std::thread::sleep(Duration::from_millis(150));
        let begun = Instant::now();
        let pressed = update(&mut app, &mut live, Msg::Key(Chord::parse(key).unwrap().press()));
        let [Effect::Past(Some(asked))] = pressed[..] else { panic!("{key}: {pressed:?}") };
        history.ask(Keep::Past(asked, Box::new(empty())));
        let past = answer(&told);
        let read = begun.elapsed();
        update(&mut app, &mut live, Msg::Past(past));
        settle(&mut app, &live);
        view::draw(&mut buffer, &app, &live, &look);
        assert!(app.is_past(), "{:?}", app.message);
        (read, begun.elapsed(), app.now)
    };
    for (keys, times) in [("Left", 20), ("Right", 19), ("Shift-Left", 10), ("Shift-Right", 9)] {
        let keys = vec![keys; times];
        let taken: Vec<_> = keys.iter().map(|key| press(key)).collect();
        let middle = |of: fn(&(Duration, Duration, Time)) -> Duration| {
            let mut all: Vec<_> = taken.iter().map(of).collect();
            all.sort_unstable();
            all[all.len() / 2]
        };
        let longest = taken.iter().map(|taken| taken.1).max().unwrap();
        println!(
            "{:<11} put together in {:>6.1?}, shown after {:>6.1?} (the middle of {}); the first {:>6.1?}, the longest {longest:>6.1?}; now at {}",
            keys[0],
            middle(|taken| taken.0),
            middle(|taken| taken.1),
            taken.len(),
            taken[0].1,
            taken[taken.len() - 1].2,
        );
    }
    let file = rusqlite::Connection::open(settings_folder.join("history.db")).unwrap();
    let sql = "SELECT count(*), sum(length(block)), max(length(block)) FROM frames WHERE key IS ?1";
    for (what, key) in [
        ("key frames", None),
        (
            "frames that lean on the last",
            file.query_row("SELECT max(key) FROM frames", [], |row| row.get::<_, Option<i64>>(0)).unwrap(),
        ),
    ] {
        let (count, sum, most): (i64, Option<i64>, Option<i64>) =
            file.query_row(sql, [key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        println!("{what}: {count}, {} bytes, the largest {}", sum.unwrap_or(0), most.unwrap_or(0));
    }
}
