//! Time travel as an operator meets it, on the demo fleet, and how long a step of a large fleet takes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail like tests, and figures are for whoever runs them"
)]

#[path = "common/pty.rs"]
mod pty;

use std::time::Instant;

use pty::{PATIENCE, Session};

const LEFT: &str = "\x1b[D";
const RIGHT: &str = "\x1b[C";
const END: &str = "\x1b[F";

fn header(screen: &str) -> String {
    screen.lines().next().unwrap_or_default().to_owned()
}

/// `12:00:05Z` of the header.
fn moment(screen: &str) -> String {
    let header = header(screen);
    header
        .split_whitespace()
        .rev()
        .find(|word| word.ends_with('Z') && word.contains(':'))
        .unwrap_or("")
        .into()
}

/// `−15 s` of the header: what comes after the moment.
fn age(screen: &str) -> String {
    header(screen).rsplit_once('Z').map(|(_, age)| age.trim().to_owned()).unwrap_or_default()
}

fn is_past(screen: &str) -> bool {
    age(screen).starts_with('−')
}

#[test]
fn the_room_goes_back_refuses_to_act_and_returns() {
    let mut session = Session::start(&["demo"], (120, 36), &[]);
    session.wait_for("the canary of a live room", |s| s.contains("1.3.0") && header(s).contains("LIVE"));
    // Until the history has taken something down there is nothing to go back to.
    let end = Instant::now() + PATIENCE;
    while !is_past(&session.screen()) {
        assert!(Instant::now() < end, "no past came; the screen is\n{}", session.screen());
        session.keys(LEFT);
        session.settle();
    }
    session.wait_for("the canary then", |s| is_past(s) && s.contains("1.3.0"));
    session.wait_for("the keys of the past", |s| s.contains("End live"));
    // The moment stands, its age grows: nothing moves the room but its keys.
    let (then, old) = (moment(&session.screen()), age(&session.screen()));
    session.wait_for("a greater age", |s| is_past(s) && age(s) != old);
    assert_eq!(moment(&session.screen()), then);
    for key in ["A", "P", "R"] {
        session.keys(key);
        session.wait_text(": the past: End returns to now");
        assert!(!session.screen().contains("Enter plans"), "{}", session.screen());
    }
    session.keys(END);
    session.wait_for("the present", |s| header(s).contains("LIVE"));
    assert!(moment(&session.screen()) > then, "{}", session.screen());
    session.keys("A");
    session.wait_for("another answer than in the past", |s| {
        !s.contains("the past: End returns to now") && header(s).contains("LIVE")
    });
    session.keys("\x1b");
    session.wait_text("describe");
    session.keys(LEFT);
    session.wait_for("the past again", is_past);
    session.keys(&RIGHT.repeat(4));
    session.wait_for("the present, stepped into", |s| header(s).contains("LIVE"));
    session.keys("\x03");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
}

mod large {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, channel};

    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use wardroom::app::keymap::Chord;
    use wardroom::app::{App, Effect, KeyMap, Msg, settle, update};
    use wardroom::domain::{
        Fact, Harvest, Kpi, Limits, ModelId, ModelKind, Reading, Report, SourceGroup, SourceId, SourceInfo,
        Time,
    };
    use wardroom::history::{History, Keep, Kept, Settings, Tier};
    use wardroom::store::{ModelSpec, Past, Store};
    use wardroom::view::{self, Look};

    use super::{Instant, PATIENCE};

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

    fn at(s: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + s, 0).unwrap()
    }

    fn id(model: usize) -> ModelId {
        ModelId::new("large", &format!("model-{model:04}"))
    }

    fn empty() -> Store {
        let limits = Arc::new(Limits::guide(ModelKind::Classification));
        let spec =
            |model| ModelSpec { id: id(model), kind: ModelKind::Classification, limits: limits.clone() };
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

    fn answer(told: &Receiver<Kept>) -> Result<Box<Past>, String> {
        loop {
            match told.recv_timeout(PATIENCE).unwrap() {
                Kept::Past(past) => return past,
                Kept::Trouble(why) => panic!("{why}"),
                _ => {}
            }
        }
    }

    #[test]
    #[ignore = "prints how long a step takes; asserts on no time"]
    fn a_step_of_a_thousand_models() {
        let folder = tempfile::tempdir().unwrap();
        let tier = |step_s, keep_s| Tier { step_s, keep_s };
        let settings = Settings {
            folder: folder.path().to_owned(),
            max_bytes: 2 << 30,
            tiers: vec![tier(15, 86_400), tier(60, 14 * 86_400), tier(600, 90 * 86_400)],
            frame_s: 60.0,
            environment: "large".into(),
        };
        let (tell, told) = channel();
        let mut history = History::open(settings, move |kept| drop(tell.send(kept)));
        let mut live = empty();
        let hour = 3_600;
        for s in (0..=hour).step_by(15) {
            poll(&mut live, s);
            // A large room is copied over some ticks.
            for tick in 0..4 {
                history.observe(&live, at(s + tick));
            }
            // Whatever the answer is, what was seen before it is written.
            history.ask(Keep::Past(at(-1_000), Box::new(empty())));
            let _ = answer(&told);
        }
        let mut app = App::new(at(hour), (200, 50), KeyMap::new(&BTreeMap::new()).unwrap());
        settle(&mut app, &live);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 200, 50));
        let look = Look::default();
        for key in ["Left", "Left", "Left", "Shift-Left", "Shift-Left", "Left", "Right"] {
            let begun = Instant::now();
            let pressed = update(&mut app, &mut live, Msg::Key(Chord::parse(key).unwrap().press()));
            let [Effect::Past(Some(asked))] = pressed[..] else { panic!("{key}: {pressed:?}") };
            history.ask(Keep::Past(asked, Box::new(empty())));
            let past = answer(&told);
            let read = begun.elapsed();
            update(&mut app, &mut live, Msg::Past(past));
            settle(&mut app, &live);
            view::draw(&mut buffer, &app, &live, &look);
            let whole = begun.elapsed();
            assert!(app.is_past(), "{:?}", app.message);
            println!("{key:<10} put together in {read:>10.1?}, shown after {whole:>10.1?}, at {}", app.now);
        }
    }
}
