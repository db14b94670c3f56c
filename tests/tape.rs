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
#[path = "common/pty.rs"]
mod pty;
#[path = "common/screen.rs"]
#[allow(dead_code, reason = "only some of the screens are recorded here")]
mod screen;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use pty::{PATIENCE, Session};
use ratatui::buffer::Buffer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
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
    let mut ends = Vec::new();
    let mut at = usize::try_from(PREFACE).unwrap();
    while at < bytes.len() {
        let head = block::Head::read(bytes[at..at + HEAD].try_into().unwrap()).unwrap();
        at += HEAD + head.len as usize;
        ends.push(at);
    }
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

fn run(words: &[&str]) -> (Option<i32>, String, String) {
    let folder = std::env::temp_dir();
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_wardroom"))
        .args(words)
        .current_dir(&folder)
        .env_remove("WARDROOM_CONFIG")
        .env("XDG_CONFIG_HOME", folder.join("no-such-folder"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Records the demo until alzheimer's canary and some blocks are on the tape.
fn record(file: &Path) {
    let path = file.to_str().unwrap();
    let mut session = Session::start(&["demo", "--record", path], (160, 45), &[("USER", "florence")]);
    session.wait_text("gait_speed");
    wait_until("five blocks", || {
        let Ok(player) = Player::open(file) else { return false };
        player.ends() > later(player.begins(), 4_000)
    });
    session.keys("q");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();
}

/// The texts of any value.
#[derive(Default)]
struct Texts(Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self::default())
    }
}

impl<'de> Visitor<'de> for Texts {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(mut self, text: &str) -> Result<Self, E> {
        self.0.push(text.to_lowercase());
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self, A::Error> {
        while let Some(Self(texts)) = seq.next_element()? {
            self.0.extend(texts);
        }
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some((Self(keys), Self(values))) = map.next_entry()? {
            self.0.extend(keys);
            self.0.extend(values);
        }
        Ok(self)
    }
}

/// Every text of a recording, unpacked, in small letters.
fn unpacked(file: &Path) -> BTreeSet<String> {
    let bytes = std::fs::read(file).unwrap();
    let mut all = BTreeSet::new();
    let mut at = usize::try_from(PREFACE).unwrap();
    while at < bytes.len() {
        let head = block::Head::read(bytes[at..at + HEAD].try_into().unwrap()).unwrap();
        let payload = &bytes[at + HEAD..at + HEAD + head.len as usize];
        all.extend(block::decode::<Texts>(payload).unwrap().0);
        at += HEAD + head.len as usize;
    }
    all
}

#[test]
fn the_demo_is_recorded_replayed_cut_and_masked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("room.tape");
    record(&file);
    let path = file.to_str().unwrap();

    // Only its owner may read it, and it is never written over.
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let mut again = Session::start(&["demo", "--record", path], (80, 24), &[]);
    again.wait_text("there already");
    assert_eq!(again.end().0, 2);

    // The last frame.
    let (code, out, err) = run(&["replay", path, "--snapshot", "--size", "120x36"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("alzheimer") && out.contains("REPLAY"), "{out}");
    assert_eq!(out.lines().count(), 36);
    let (_, out, _) = run(&["replay", path, "--snapshot"]);
    assert!(out.contains("gait_speed") && out.contains("florence") && out.lines().count() == 45, "{out}");
    // The first one, before anything answered.
    let (code, out, _) = run(&["replay", path, "--snapshot", "--at", "0"]);
    assert_eq!(code, Some(0));
    assert!(!out.contains("gait_speed"), "{out}");

    // Cut in the middle of a block.
    let bytes = std::fs::read(&file).unwrap();
    let cut = folder.path().join("cut.tape");
    std::fs::write(&cut, &bytes[..bytes.len() - 5]).unwrap();
    let (code, out, err) = run(&["replay", cut.to_str().unwrap(), "--snapshot"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("alzheimer") && err.contains("cut off"), "{err}");

    // Not a recording.
    let garbage = folder.path().join("garbage");
    std::fs::write(&garbage, [7u8; 4_096]).unwrap();
    let (code, out, err) = run(&["replay", garbage.to_str().unwrap(), "--snapshot"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("is not a recording"), "{err}");
    std::fs::write(&garbage, &bytes[..40]).unwrap();
    assert_eq!(run(&["replay", garbage.to_str().unwrap()]).0, Some(2));

    // In a terminal.
    let mut session = Session::start(&["replay", path, "--speed", "4"], (140, 40), &[]);
    session.wait_text("REPLAY 4x");
    session.wait_text("alzheimer");
    session.keys("A");
    session.wait_text("this is a recording");
    session.keys(" ");
    session
        .wait_for("the pause or the end", |screen| screen.contains("4x paused") || screen.contains("4x end"));
    session.keys("\x1b[F");
    session.wait_text("REPLAY 4x end");
    session.wait_text("gait_speed");
    session.keys("d");
    session.wait_for("a view of the viewer's own", |screen| screen.contains("guide"));
    session.keys("q");
    assert_eq!(session.end().0, 0);
    session.assert_given_back();

    // Masked.
    let masked = folder.path().join("masked.tape");
    let (code, _, err) = run(&["replay", path, "--mask", masked.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{err}");
    let (originals, texts) = (unpacked(&file), unpacked(&masked));
    let mut player = Player::open(&file).unwrap();
    player.go_to_end();
    let operator = player.scene().desk.operator().to_owned();
    let (user, host) = operator.split_once('@').unwrap_or((&operator, "127.0.0.1"));
    assert_eq!(user, "florence");
    let names = player.store().models.iter().map(|model| model.id.name.to_lowercase());
    let places = player.store().sources.iter().map(|source| source.info.place.to_lowercase());
    for name in names.chain(places).chain(["127.0.0.1", user, host].map(str::to_lowercase)) {
        let stands_in = |text: &&String| {
            text.match_indices(&name).any(|(at, _)| {
                let alone = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
                let after = text[at + name.len()..].chars().next();
                name.len() >= 5 || alone(text[..at].chars().next_back()) && alone(after)
            })
        };
        assert_eq!(texts.iter().find(stands_in), None, "{name} is in the masked copy");
        let plain = originals.iter().any(|text| stands_in(&text));
        assert!(plain || name == "127.0.0.1", "{name} is not in the recording: the test looks for nothing");
    }
    let (code, out, err) = run(&["replay", masked.to_str().unwrap(), "--snapshot"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("model-1") && out.contains("gait_speed"), "{out}");
}
