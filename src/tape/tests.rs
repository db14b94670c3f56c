//! Recorders on bad disks.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::block::{self, HEAD, Kind, PREFACE};
use super::write::{Draft, Pace, Sink, Word};
use super::{Recorder, Whole};
use crate::app::{App, KeyMap, Msg, update};
use crate::domain::{Limits, ModelId, ModelKind, Time};
use crate::store::{ModelSpec, Store};

const PATIENCE: Duration = Duration::from_secs(30);

fn room() -> (App, Store) {
    let now = Time::from_timestamp(1_800_000_000, 0).unwrap();
    let kind = ModelKind::Classification;
    let id = ModelId::new("prod-eu", "alzheimer");
    let spec = ModelSpec { id, kind, limits: Limits::guide(kind).into() };
    let keys = KeyMap::new(&BTreeMap::new()).unwrap();
    (App::new(now, (80, 24), keys), Store::new("prod-eu", vec![spec]))
}

fn tick(recorder: &mut Recorder, app: &mut App, store: &mut Store) {
    let msg = Msg::Tick(app.now + chrono::TimeDelta::seconds(1));
    let note = Recorder::note(&msg, store);
    update(app, store, msg);
    recorder.keep(note, app, store);
}

/// What the recorder has to say, waited for.
fn word(recorder: &mut Recorder, app: &App, store: &Store) -> Word {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(word) = recorder.keep_up(app, store) {
            return word;
        }
        assert!(Instant::now() < end, "the recorder says nothing");
        std::thread::yield_now();
    }
}

/// A disk with room for so many bytes.
struct Full {
    bytes: Arc<Mutex<Vec<u8>>>,
    room: usize,
}

impl Write for Full {
    fn write(&mut self, new: &[u8]) -> std::io::Result<usize> {
        let mut bytes = self.bytes.lock().unwrap();
        let fits = new.len().min(self.room - bytes.len());
        if fits == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
        }
        bytes.extend_from_slice(&new[..fits]);
        Ok(fits)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink for Full {
    fn cut(&mut self, len: u64) {
        self.bytes.lock().unwrap().truncate(len as usize);
    }
}

#[test]
fn a_full_disk_ends_the_recording_at_a_whole_block_and_says_so() {
    let (mut app, mut store) = room();
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let disk = Full { bytes: bytes.clone(), room: 6_000 };
    let mut recorder = Recorder::begin(disk, Pace::default(), &app, &store);
    let end = Instant::now() + PATIENCE;
    let ended = loop {
        assert!(Instant::now() < end, "the disk never fills");
        tick(&mut recorder, &mut app, &mut store);
        recorder.close_block();
        if let Some(Word::Ended(why)) = recorder.keep_up(&app, &store) {
            break why;
        }
    };
    assert!(ended.contains("recording has ended") && ended.contains("can be played"), "{ended}");
    let bytes = bytes.lock().unwrap();
    let mut at = PREFACE as usize;
    while at < bytes.len() {
        let head = block::Head::read(bytes[at..at + HEAD].try_into().unwrap()).unwrap();
        at += HEAD + head.len as usize;
    }
    assert_eq!(at, bytes.len(), "no half block is left");
}

/// A disk that writes once it is let.
struct Slow {
    bytes: SyncSender<Vec<u8>>,
    gate: Receiver<()>,
    open: bool,
}

impl Write for Slow {
    fn write(&mut self, new: &[u8]) -> std::io::Result<usize> {
        if !self.open {
            // The test that holds the gate is gone when this fails.
            self.gate.recv().map_err(std::io::Error::other)?;
            self.open = true;
        }
        self.bytes.send(new.to_vec()).map_err(std::io::Error::other)?;
        Ok(new.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink for Slow {
    fn cut(&mut self, _len: u64) {}
}

#[test]
fn a_slow_disk_leaves_a_gap_that_is_said_and_the_tape_begins_anew() {
    let (mut app, mut store) = room();
    let (written, blocks) = sync_channel(1_000);
    let (open, gate) = channel();
    let pace = Pace { queue: 4, ..Pace::default() };
    let disk = Slow { bytes: written, gate, open: false };
    let mut recorder = Recorder::begin(disk, pace, &app, &store);
    for _ in 0..10 {
        tick(&mut recorder, &mut app, &mut store);
    }
    let lost = app.now;
    assert!(matches!(word(&mut recorder, &app, &store), Word::Behind(_)));
    open.send(()).unwrap();
    assert!(matches!(word(&mut recorder, &app, &store), Word::GoesOn(_)));
    tick(&mut recorder, &mut app, &mut store);
    recorder.end().unwrap();
    let bytes: Vec<u8> = blocks.try_iter().flatten().collect();
    let (mut at, mut gaps) = (PREFACE as usize, Vec::new());
    while at < bytes.len() {
        let head = block::Head::read(bytes[at..at + HEAD].try_into().unwrap()).unwrap();
        let payload = &bytes[at + HEAD..at + HEAD + head.len as usize];
        if head.kind == Kind::Whole {
            let whole: Whole = block::decode(payload).unwrap();
            gaps.push((whole.gap_since, whole.scene.now));
        }
        at += HEAD + head.len as usize;
    }
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert_eq!(gaps[0].0, None);
    assert!(gaps[1].0.is_some_and(|since| since < lost) && gaps[1].1 == lost, "{gaps:?}");
}

#[test]
fn a_draft_is_private_never_replaces_a_file_and_leaves_nothing_when_it_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("room.tape");
    let draft = Draft::create(&path).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let refused = Draft::create(&path).unwrap_err();
    assert!(refused.contains("there already") && refused.contains("room.tape"), "{refused}");
    drop(draft);
    assert!(!path.exists());
    assert!(Draft::create(&folder.path().join("no/such/room.tape")).unwrap_err().contains("name a file"));
}

#[test]
fn blocks_and_whole_states_are_written_even_when_nothing_comes() {
    let (app, store) = room();
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let disk = Full { bytes: bytes.clone(), room: 100_000_000 };
    let pace = Pace {
        block: Duration::from_millis(5),
        whole: Duration::ZERO,
        whole_at_last: Duration::from_millis(20),
        ..Pace::default()
    };
    let recorder = Recorder::begin(disk, pace, &app, &store);
    let kinds = || {
        let bytes = bytes.lock().unwrap();
        let (mut at, mut kinds) = (PREFACE as usize, Vec::new());
        while at < bytes.len() {
            let Some(head) = bytes.get(at..at + HEAD) else { break };
            let head = block::Head::read(head.try_into().unwrap()).unwrap();
            kinds.push(head.kind);
            at += HEAD + head.len as usize;
        }
        kinds
    };
    let end = Instant::now() + PATIENCE;
    while kinds().iter().filter(|&&kind| kind == Kind::Whole).count() < 3 {
        assert!(Instant::now() < end, "only {:?}", kinds());
        std::thread::yield_now();
    }
    assert_eq!(kinds()[0], Kind::Whole);
    assert!(kinds().contains(&Kind::Items));
    recorder.end().unwrap();
}
