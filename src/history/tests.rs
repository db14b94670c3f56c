//! The history as a room uses it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

use super::file::File;
use super::read::{Wanted, read};
use super::{History, Keep, Kept, Settings, Tier, look};
use crate::domain::incident::{Entry, EntryId, IncidentId, Matter, Milestone};
use crate::domain::{
    Event, EventKind, Fact, Harvest, Kpi, Level, Limits, ModelId, ModelKind, Reading, Report, SourceGroup,
    SourceId, SourceInfo, Time, Version,
};
use crate::store::{ModelSpec, Past, Store};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// A round hour: windows begin here.
const START: i64 = 1_800_000_000;

fn at(second: i64) -> Time {
    Time::from_timestamp(START + second, 0).unwrap()
}

fn settings(folder: &TempDir) -> Settings {
    let tier = |step_s, keep_s| Tier { step_s, keep_s };
    Settings {
        folder: folder.path().to_owned(),
        max_bytes: 64 << 20,
        tiers: vec![tier(15, 86_400), tier(60, 14 * 86_400), tier(600, 90 * 86_400)],
        frame_s: 60.0,
        environment: "test".into(),
    }
}

fn model(name: &str) -> ModelId {
    ModelId::new("test", name)
}

fn empty() -> Store {
    let limits = Arc::new(Limits::guide(ModelKind::Classification));
    let spec = |name| ModelSpec { id: model(name), kind: ModelKind::Classification, limits: limits.clone() };
    let mut store = Store::new("test", vec![spec("als"), spec("copd")]);
    store.expect(vec![SourceInfo {
        id: SourceId::new("prometheus"),
        group: SourceGroup::Prometheus,
        kind: "test".into(),
        place: String::new(),
        interval_s: 5.0,
        model: None,
        owes: Vec::new(),
    }]);
    store
}

/// What both models do at a moment.
fn value(second: i64) -> f64 {
    100.0 + (second % 600) as f64 / 10.0
}

fn poll(store: &mut Store, second: i64) {
    let facts = ["als", "copd"].into_iter().flat_map(|name| {
        let fact = |kpi, version: Option<&str>, value| Fact::Reading {
            model: model(name),
            version: version.map(Version::new),
            kpi,
            reading: Reading::new(value, at(second)).with_samples(Some(500)),
        };
        [
            fact(Kpi::LatencyP95, None, value(second)),
            fact(Kpi::LatencyP95, Some("1.2.0"), value(second) + 1.0),
            fact(Kpi::Accuracy, None, 0.9),
        ]
    });
    store.apply(&Report {
        epoch: 0,
        source: SourceId::new("prometheus"),
        at: at(second),
        took_ms: 1.0,
        outcome: Ok(Arc::new(Harvest::of(facts.collect()))),
    });
    store.tick(at(second));
}

/// A room that tells what it is told.
struct Room {
    history: History,
    told: Receiver<Kept>,
    store: Store,
}

impl Room {
    fn open(settings: Settings) -> Self {
        let (tell, told) = channel();
        let history = History::open(settings, move |kept| drop(tell.send(kept)));
        Self { history, told, store: empty() }
    }

    /// Lives for some time, a look every five seconds.
    fn live(&mut self, seconds: std::ops::Range<i64>) {
        for second in seconds.step_by(5) {
            poll(&mut self.store, second);
            self.history.observe(&self.store, at(second));
            if second % 60 == 0 {
                // Nothing is left out only because the test is faster than a room.
                self.settle();
            }
        }
        self.settle();
    }

    /// Waits until everything before is written: entries are answered in turn.
    fn settle(&mut self) {
        let mark = EntryId(format!("mark-{}", rand::random::<u64>()));
        self.history.ask(Keep::Entries(vec![entry(&mark.0, 0)]));
        self.wait(|kept| matches!(kept, Kept::Written(entries) if entries.iter().any(|e| e.id == mark)));
        // Lines and samples are written after the entries of a turn: once more round.
        let again = EntryId(format!("mark-{}", rand::random::<u64>()));
        self.history.ask(Keep::Entries(vec![entry(&again.0, 0)]));
        self.wait(|kept| matches!(kept, Kept::Written(entries) if entries.iter().any(|e| e.id == again)));
    }

    fn wait(&self, wanted: impl Fn(&Kept) -> bool) -> Kept {
        loop {
            let kept = self.told.recv_timeout(PATIENCE).unwrap();
            if wanted(&kept) {
                return kept;
            }
        }
    }

    fn past(&self, second: i64) -> Result<Box<Past>, String> {
        self.history.ask(Keep::Past(at(second), Box::new(empty())));
        match self.wait(|kept| matches!(kept, Kept::Past(_))) {
            Kept::Past(past) => past,
            _ => unreachable!(),
        }
    }
}

fn entry(id: &str, second: i64) -> Entry {
    Entry {
        id: EntryId(id.into()),
        incident: IncidentId("i-1".into()),
        happened: at(second),
        recorded: at(second),
        by: "sre".into(),
        matter: Matter::Note { text: id.into() },
    }
}

fn event(what: &str, second: i64) -> Event {
    Event {
        at: at(second),
        kind: EventKind::Alert,
        model: Some(model("als")),
        level: Level::Warning,
        what: what.into(),
        detail: String::new(),
    }
}

#[test]
fn a_past_moment_has_the_values_the_charts_and_the_lines_of_then() {
    let folder = TempDir::new().unwrap();
    let mut room = Room::open(settings(&folder));
    room.live(0..900);
    room.store.record(event("fires", 900));
    room.live(900..1_800);
    let past = room.past(1_000).unwrap();
    assert_eq!(past.at, at(990), "the newest moment that is not after it");
    let als = past.store.model(&model("als")).unwrap();
    assert_eq!(als.value(Kpi::LatencyP95), Some(value(990)));
    assert_eq!(als.level, Level::Ok);
    let series = &als.recent[&(Kpi::LatencyP95, Some(Version::new("1.2.0")))];
    assert_eq!(series.points().next_back(), Some((START + 990, value(990) + 1.0)));
    assert_eq!(series.len(), 990 / 15 + 1);
    assert!(als.long[&(Kpi::Accuracy, None)].len() == 1);
    assert_eq!(past.store.timeline.iter().filter(|line| line.what == "fires").count(), 1);
    assert!(room.past(890).unwrap().store.timeline.iter().all(|line| line.what != "fires"));
    assert_eq!((past.note.as_str(), past.oldest), ("", at(0)));
    let before = room.past(-100).unwrap_err();
    assert!(before.contains("nothing is kept from before"), "{before}");
    let source = past.store.source(&SourceId::new("prometheus")).unwrap();
    assert_eq!(source.freshness(past.at), crate::domain::Freshness::Live);
}

#[test]
fn a_gap_is_said_and_stays_a_gap() {
    let folder = TempDir::new().unwrap();
    let mut room = Room::open(settings(&folder));
    room.live(0..300);
    room.live(2_000..2_300);
    let past = room.past(1_500).unwrap();
    assert_eq!(past.at, at(285));
    assert!(
        past.note.starts_with("nothing was recorded from") && past.note.contains(" to "),
        "{}",
        past.note
    );
    let past = room.past(2_250).unwrap();
    let series = &past.store.model(&model("als")).unwrap().recent[&(Kpi::LatencyP95, None)];
    let inside = |&(t, _): &(i64, f64)| (START + 300..START + 1_995).contains(&t);
    assert_eq!(series.points().filter(inside).count(), 0);
}

#[test]
fn packed_points_read_as_before_and_the_coarser_are_their_means() {
    let folder = TempDir::new().unwrap();
    let mut room = Room::open(settings(&folder));
    // Four hours and a bit: the first window of the coarser tier is whole.
    for hour in 0..5 {
        for second in (hour * 3_600..(hour + 1) * 3_600).step_by(15) {
            poll(&mut room.store, second);
            room.history.observe(&room.store, at(second));
            if second % 105 == 0 {
                room.settle();
            }
        }
    }
    room.settle();
    drop(room);
    let file = File::writable(folder.path()).unwrap();
    let tiers = settings(&folder).tiers;
    let moments = |file: &File| -> i64 {
        file.connection.query_row("SELECT count(*) FROM moments", [], |row| row.get(0)).unwrap()
    };
    let count = |step: i64| {
        let wanted = Wanted { environment: 1, span: (START, START + 18_000), step_s: step };
        let add = |found: &mut Vec<(i64, f32)>, at: i64, value| found.push((at - START, value));
        let series = read(&file.connection, &tiers, wanted, |_| true, add).unwrap();
        for (_, points) in &series {
            assert!(points.is_sorted_by_key(|(at, _)| *at), "each series in order of time");
        }
        series.into_iter().flat_map(|(_, points)| points).collect::<Vec<_>>()
    };
    let before = count(15);
    super::pack::pack(&file, &tiers, START + 18_000 + 3_600).unwrap();
    assert_eq!(moments(&file), 0);
    let after = count(15);
    let sorted = |mut points: Vec<(i64, f32)>| {
        points.sort_by(|a, b| a.partial_cmp(b).unwrap());
        points
    };
    assert_eq!(before.len(), 5 * 240 * 6);
    assert_eq!(sorted(before), sorted(after));
    let minutes: Vec<(i64, f32)> = count(60).into_iter().filter(|(at, _)| *at < 14_400).collect();
    assert_eq!(minutes.len(), 240 * 6, "the first four hours by minutes");
    let first = [0, 15, 30, 45].map(value).iter().sum::<f64>() / 4.0;
    assert!(minutes.contains(&(0, first as f32)), "{first}");
    super::pack::pack(&file, &tiers, START + 18_000 + 3_600).unwrap();
    assert_eq!(count(15).len(), 5 * 240 * 6, "nothing is doubled");
}

#[test]
fn two_rooms_write_one_history() {
    let folder = TempDir::new().unwrap();
    let (mut a, mut b) = (Room::open(settings(&folder)), Room::open(settings(&folder)));
    a.settle();
    b.settle();
    for room in [&mut a, &mut b] {
        room.live(0..60);
        room.store.record(event("fires", 60));
        room.store.record(event("fires", 75));
        room.live(60..120);
    }
    let past = a.past(115).unwrap();
    let said = past.store.timeline.iter().filter(|line| line.what == "fires").count();
    assert_eq!(said, 2, "a room may repeat itself; what the other saw is the same");
    let series = &past.store.model(&model("als")).unwrap().recent[&(Kpi::LatencyP95, None)];
    assert_eq!(series.len(), 8);
    a.history.ask(Keep::Entries(vec![entry("of-a", 120)]));
    b.wait(|kept| matches!(kept, Kept::Entries(list) if list.iter().any(|e| e.id.0 == "of-a")));
}

#[test]
fn an_entry_is_written_once_and_a_new_room_is_told_of_open_incidents() {
    let folder = TempDir::new().unwrap();
    let room = Room::open(settings(&folder));
    let resolved = Entry {
        incident: IncidentId("i-2".into()),
        matter: Matter::Milestone { milestone: Milestone::Resolved, evidence: String::new() },
        ..entry("c", 3)
    };
    room.history.ask(Keep::Entries(vec![entry("a", 5), entry("b", 5), entry("a", 9), resolved]));
    let Kept::Written(written) = room.wait(|kept| matches!(kept, Kept::Written(_))) else { unreachable!() };
    assert_eq!(written.len(), 4);
    let times: Vec<Time> = [0, 1, 3].map(|place: usize| written[place].recorded).to_vec();
    assert!(times[0] < times[1] && times[1] < times[2], "the time of recording grows: {times:?}");
    drop(room);
    let next = Room::open(settings(&folder));
    let Kept::Entries(told) = next.wait(|kept| matches!(kept, Kept::Entries(_))) else { unreachable!() };
    let names: Vec<&str> = told.iter().map(|entry| entry.id.0.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(super::entries(&settings(&folder)).unwrap().len(), 3);
}

#[test]
fn a_new_room_is_filled() {
    let folder = TempDir::new().unwrap();
    let mut room = Room::open(settings(&folder));
    room.live(0..600);
    room.store.record(event("fires", 600));
    room.live(600..700);
    drop(room);
    let mut next = Room::open(settings(&folder));
    // The room knows the time from what it sees.
    poll(&mut next.store, 710);
    next.history.observe(&next.store, at(710));
    next.settle();
    next.history.ask(Keep::Fill(Box::new(empty())));
    let Kept::Filled(filled) = next.wait(|kept| matches!(kept, Kept::Filled(_))) else { unreachable!() };
    let als = filled.model(&model("als")).unwrap();
    assert!(als.recent[&(Kpi::LatencyP95, None)].len() >= 46);
    assert_eq!(filled.timeline.iter().filter(|line| line.what == "fires").count(), 1);
}

#[test]
fn a_file_that_is_no_history_is_said_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("history.db");
    std::fs::write(&path, "these are the notes of somebody else, long enough to be no header").unwrap();
    let room = Room::open(settings(&folder));
    let Kept::Trouble(why) = room.wait(|kept| matches!(kept, Kept::Trouble(_))) else { unreachable!() };
    assert!(why.contains("history.db") && why.contains("damaged") && why.contains("move it aside"), "{why}");
    assert!(room.past(0).unwrap_err().contains("damaged"));
    drop(room);
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("these are the notes"));
    assert!(look(&settings(&folder), false).is_err());
}

#[test]
fn a_folder_that_cannot_be_had_is_said() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let room = Room::open(Settings { folder: file.join("below"), ..settings(&folder) });
    let Kept::Trouble(why) = room.wait(|kept| matches!(kept, Kept::Trouble(_))) else { unreachable!() };
    assert!(why.contains("history.folder"), "{why}");
}

#[test]
fn a_newer_shape_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(File::writable(folder.path()).unwrap());
    let file = File::writable(folder.path()).unwrap();
    file.connection.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(file);
    let words = File::writable(folder.path()).unwrap_err().words;
    assert!(words.contains("newer wardroom"), "{words}");
}
