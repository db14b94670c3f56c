//! Recordings: a replay draws the frames that were recorded, a cut or damaged one never breaks, names can be masked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "common/act.rs"]
#[allow(dead_code, reason = "only some of the acts are recorded here")]
mod act;
#[path = "tape/demo.rs"]
mod demo;
#[path = "common/pty.rs"]
mod pty;
#[path = "common/said.rs"]
mod said;
#[path = "common/screen.rs"]
#[allow(dead_code, reason = "only some of the screens are recorded here")]
mod screen;

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use wardroom::app::keymap::Chord;
use wardroom::app::{App, Dialog, KeyMap, Msg, settle, update};
use wardroom::domain::act::{Operation, Told};
use wardroom::domain::incident::{Entry, EntryId, IncidentId, Matter};
use wardroom::domain::{Fact, Fault, FaultKind, Harvest, Kpi, Reading, Report, SourceId, Time};
use wardroom::store::{ModelSpec, Store};
use wardroom::tape::block::{self, HEAD, PREFACE};
use wardroom::tape::write::{Pace, Sink};
use wardroom::tape::{Player, Recorder, TapeError};
use wardroom::view::export::to_text;
use wardroom::view::{Depth, Look};

/// A recording in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink for Memory {
    fn cut(&mut self, len: u64) {
        self.bytes().truncate(usize::try_from(len).unwrap());
    }
}

/// Blocks are closed when a test says so.
fn slow() -> Pace {
    let never = Duration::from_secs(100_000);
    Pace { block: never, whole: never, whole_at_last: never, ..Pace::default() }
}

fn look() -> Look {
    Look::load("default", Depth::Rgb, false).unwrap()
}

fn frame(app: &App, store: &Store) -> Buffer {
    let mut app = app.clone();
    settle(&mut app, store);
    screen::frame(&app, store, &look())
}

/// The frame of a player that follows the recorded operator.
fn replayed(player: &mut Player) -> Buffer {
    let size = player.scene().glance.size();
    let mut app = App::new(player.scene().now, size, KeyMap::new(&BTreeMap::new()).unwrap());
    player.show(&mut app, true);
    frame(&app, player.store())
}

fn later(time: Time, ms: i64) -> Time {
    time + chrono::TimeDelta::milliseconds(ms)
}

/// One random thing that can come to a room.
fn happen(kind: u8, pick: usize, value: f64, app: &App, store: &Store) -> Msg {
    let model = store.models[pick % store.models.len()].id.clone();
    let source = store.sources[pick % store.sources.len()].info.id.clone();
    let at = later(app.now, 20);
    let report = |source: SourceId, facts: Vec<Fact>| {
        let outcome = Ok(Arc::new(Harvest::of(facts)));
        Msg::Report(Box::new(Report { epoch: 0, source, at, took_ms: value, outcome }))
    };
    let key = |name: &str| Msg::Key(Chord::parse(name).unwrap().press());
    match kind {
        0..=2 => {
            let kpi = [Kpi::LatencyP95, Kpi::LatencyP99, Kpi::ErrorRate, Kpi::Accuracy, Kpi::Throughput];
            let reading = Reading::new(value * 900.0, at).with_samples(Some(900)).over(300);
            report(source, vec![Fact::Reading { model, version: None, kpi: kpi[pick % 5], reading }])
        }
        3 => {
            let fault = Fault::new(FaultKind::Down, "refused").advise("look at the server");
            let outcome = Err(fault);
            Msg::Report(Box::new(Report { epoch: 0, source, at, took_ms: 3.0, outcome }))
        }
        4 => match store.models.iter().find_map(|model| Some((model.id.clone(), model.rollout.clone()?))) {
            Some((model, mut rollout)) => {
                rollout.asked = (value * 100.0).round();
                rollout.step = pick % 4;
                report(SourceId::new("argo-rollouts"), vec![Fact::Rollout { model, rollout: rollout.into() }])
            }
            None => key("j"),
        },
        5 => {
            let alerts = store.alerts.values().flatten().take(pick % 3).cloned().collect();
            report(SourceId::new("alertmanager"), vec![Fact::Alerts(alerts)])
        }
        6 | 7 => Msg::Tick(later(app.now, (value * 20_000.0) as i64)),
        8 => Msg::Told(Box::new(Told::Advice { model, words: format!("would abort: {value:.2}") })),
        9 => Msg::Told(Box::new(Told::Act(Box::new(act::act(Operation::Abort))))),
        10 => Msg::Resize([80, 120, 200, 31][pick % 4], [24, 36, 50, 9][pick % 4]),
        12 => Msg::Entries(vec![Entry {
            id: EntryId(format!("e-{pick}")),
            incident: IncidentId("i-1120-7f3a".into()),
            happened: at,
            recorded: at,
            by: "sre@bastion".into(),
            matter: Matter::Note { text: format!("p95 {value:.2}") },
        }]),
        11 => Msg::Paste(["p95 jump", "al", "!x"][pick % 3].into()),
        _ => {
            let names = [
                "j",
                "k",
                "Enter",
                "Esc",
                "Tab",
                "1",
                "2",
                "3",
                "4",
                "5",
                "6",
                "v",
                "s",
                "d",
                "?",
                "/",
                "a",
                "l",
                "n",
                ":",
                "w",
                "e",
                "A",
                "H",
                "R",
                "G",
                "g",
                "PageDown",
                "Backspace",
                "Down",
            ];
            key(names[pick % names.len()])
        }
    }
}

/// Two frames are the same; the words of a difference are shorter than those of its styles.
fn same(one: &Buffer, other: &Buffer) -> Result<(), TestCaseError> {
    prop_assert_eq!(to_text(one), to_text(other));
    prop_assert!(one == other, "the words are the same, the styles are not");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// At the end of every block, the replay draws the frame that the room drew.
    #[test]
    fn a_replay_draws_the_recorded_frames(
        blocks in prop::collection::vec(prop::collection::vec((0u8..20, 0usize..60, 0.0f64..1.0), 0..14), 1..6),
        rich in any::<bool>(),
    ) {
        let mut store = if rich { screen::rich() } else { screen::empty() };
        let mut app = screen::app((120, 36)).unwrap();
        let memory = Memory::default();
        let mut recorder = Recorder::begin(memory.clone(), slow(), &app, &store);
        let mut frames = BTreeMap::new();
        for block in blocks {
            for (kind, pick, value) in block {
                app.now = later(app.now, 3);
                let msg = happen(kind, pick, value, &app, &store);
                if let Msg::Report(report) = &msg {
                    app.now = app.now.max(report.at);
                }
                let note = Recorder::note(&msg, &store);
                update(&mut app, &mut store, msg);
                recorder.keep(note, &app, &store);
            }
            app.now = later(app.now, 7);
            settle(&mut app, &store);
            recorder.look(&app);
            recorder.close_block();
            // The boxes of incidents and checklists are not kept: what is shown without them is.
            let mut shown = app.clone();
            if matches!(shown.dialog, Dialog::Incident(_) | Dialog::Checklist(_)) {
                shown.dialog = Dialog::None;
            }
            frames.insert(app.now, frame(&shown, &store));
        }
        recorder.end().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &*memory.bytes()).unwrap();
        let mut player = Player::open(file.path()).unwrap();
        let mut seen = 0;
        while player.step() {
            let Some(wanted) = frames.get(&player.position()) else { continue };
            same(&replayed(&mut player), wanted)?;
            seen += 1;
        }
        prop_assert_eq!(seen, frames.len());
        // Jumping shows the same as playing.
        for (at, wanted) in frames.iter().rev() {
            player.go_to(*at);
            same(&replayed(&mut player), wanted)?;
        }
    }
}

/// Where the payload of each block of a recording stands.
fn payloads(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut at = usize::try_from(PREFACE).unwrap();
    while at < bytes.len() {
        let head = block::Head::read(bytes[at..at + HEAD].try_into().unwrap()).unwrap();
        let begins = at + HEAD;
        at = begins + head.len as usize;
        places.push(begins..at);
    }
    places
}

/// A short recording of a small fleet: its bytes, and where each block ends.
fn short() -> (Vec<u8>, Vec<usize>) {
    let full = screen::empty();
    let spec = |model: &wardroom::store::ModelState| ModelSpec {
        id: model.id.clone(),
        kind: model.kind,
        limits: model.limits.clone(),
    };
    let mut store = Store::new("prod-eu", full.models[..2].iter().map(spec).collect());
    store.expect(vec![full.sources[0].info.clone()]);
    let mut app = screen::app((80, 24)).unwrap();
    let memory = Memory::default();
    let mut recorder = Recorder::begin(memory.clone(), slow(), &app, &store);
    for round in 0..4 {
        let msg = happen(0, 1, f64::from(round) / 4.0, &app, &store);
        app.now = later(app.now, 1_000);
        let note = Recorder::note(&msg, &store);
        update(&mut app, &mut store, msg);
        recorder.keep(note, &app, &store);
        recorder.look(&app);
        recorder.close_block();
    }
    recorder.end().unwrap();
    let bytes = memory.bytes().clone();
    let ends = payloads(&bytes).iter().map(|place| place.end).collect();
    (bytes, ends)
}

#[test]
fn a_recording_cut_anywhere_plays_up_to_its_last_whole_block() {
    let (bytes, ends) = short();
    assert_eq!(ends.len(), 5, "a whole state and four blocks");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &bytes).unwrap();
    let mut whole = Player::open(file.path()).unwrap();
    let mut frames = vec![replayed(&mut whole)];
    let mut moments = vec![whole.position()];
    while whole.step() {
        frames.push(replayed(&mut whole));
        moments.push(whole.position());
    }
    assert_eq!((frames.len(), whole.cut()), (5, None));
    for len in (0..bytes.len()).rev() {
        file.as_file().set_len(len as u64).unwrap();
        let blocks = ends.iter().filter(|&&end| end <= len).count();
        match Player::open(file.path()) {
            Err(TapeError::NoTape(_)) => assert!(len < 16, "{len}"),
            Err(TapeError::First { .. }) => assert!(len >= 16 && blocks == 0, "{len}"),
            Err(other) => panic!("{len}: {other}"),
            Ok(mut player) => {
                assert_eq!(player.cut().is_none(), ends.contains(&len), "{len}: {:?}", player.cut());
                player.go_to_end();
                assert_eq!(player.position(), moments[blocks - 1], "{len}");
                if len % 64 == 0 || ends.contains(&len) || ends.contains(&(len + 1)) {
                    assert_eq!(replayed(&mut player), frames[blocks - 1], "{len}");
                }
            }
        }
    }
}

#[test]
fn a_damaged_recording_ends_before_the_damage_and_never_panics() {
    let (bytes, ends) = short();
    let file = tempfile::NamedTempFile::new().unwrap();
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1 << (place % 8);
        std::fs::write(file.path(), &damaged).unwrap();
        let sound = ends.iter().filter(|&&end| end <= place).count();
        match Player::open(file.path()) {
            Err(_) => assert_eq!(sound, 0, "{place}"),
            Ok(mut player) => {
                assert!(sound > 0 && player.cut().is_some(), "{place}");
                let mut steps = 1;
                while player.step() {
                    steps += 1;
                }
                assert_eq!(steps, sound, "{place}");
            }
        }
    }
}

#[test]
fn a_newer_form_is_told_apart_from_a_file_that_is_no_recording() {
    let (mut bytes, _) = short();
    let file = tempfile::NamedTempFile::new().unwrap();
    bytes[14] = 9;
    std::fs::write(file.path(), &bytes).unwrap();
    assert!(matches!(Player::open(file.path()), Err(TapeError::Version { found: 9, .. })));
    std::fs::write(file.path(), "PK\x03\x04 something else that is long enough").unwrap();
    assert!(matches!(Player::open(file.path()), Err(TapeError::NoTape(_))));
}
