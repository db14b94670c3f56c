//! The poller against sources that answer, hang, panic, and a reader that does not read.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::domain::{Fact, FaultKind, Harvest, SourceGroup, SourceInfo};
use crate::sources::Polled;

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Answers,
    Hangs,
    Panics,
}

struct Fake {
    info: SourceInfo,
    manner: Manner,
    polls: usize,
    together: Arc<[AtomicUsize; 2]>,
}

impl Source for Fake {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        Duration::from_millis(200)
    }

    fn poll(&mut self, _now: Time) -> Polled<'_> {
        self.polls += 1;
        let polls = self.polls;
        let together = Arc::clone(&self.together);
        let manner = self.manner;
        Box::pin(async move {
            let now = together[0].fetch_add(1, Ordering::SeqCst) + 1;
            together[1].fetch_max(now, Ordering::SeqCst);
            let _leave = Leave(Arc::clone(&together));
            match manner {
                Manner::Answers => tokio::time::sleep(Duration::from_millis(1)).await,
                Manner::Hangs => std::future::pending().await,
                Manner::Panics => panic!("no such field"),
            }
            Ok(Harvest::of(vec![Fact::Remark(polls.to_string())]))
        })
    }
}

struct Leave(Arc<[AtomicUsize; 2]>);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0[0].fetch_sub(1, Ordering::SeqCst);
    }
}

type Together = Arc<[AtomicUsize; 2]>;

fn fakes(manners: &[Manner], interval_s: f64) -> (Vec<Box<dyn Source>>, Together) {
    let together = Together::default();
    let fake = |(number, &manner): (usize, &Manner)| -> Box<dyn Source> {
        let info = SourceInfo {
            id: SourceId::new(&number.to_string()),
            group: SourceGroup::Endpoints,
            kind: "fake".into(),
            place: "nowhere".into(),
            interval_s,
            model: None,
            owes: Vec::new(),
        };
        Box::new(Fake { info, manner, polls: 0, together: Arc::clone(&together) })
    };
    (manners.iter().enumerate().map(fake).collect(), together)
}

fn settings(concurrency: usize) -> PollSettings {
    PollSettings { concurrency, epoch: 7, seed: 1, clock: chrono::Utc::now }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hung_and_panicking_sources_do_not_stop_the_others() {
    let mut manners = vec![Manner::Answers; 20];
    manners[3] = Manner::Panics;
    manners[4..12].fill(Manner::Hangs);
    let (sources, together) = fakes(&manners, 0.05);
    let (sender, mut reports) = mpsc::channel(64);
    let handle = Poller::spawn(sources, settings(16), sender);
    let mut seen: HashMap<usize, (usize, Option<FaultKind>)> = HashMap::new();
    let end = Instant::now() + Duration::from_millis(1_500);
    while let Ok(Some(report)) = tokio::time::timeout_at(end.into(), reports.recv()).await {
        assert_eq!(report.epoch, 7);
        let entry = seen.entry(report.source.0.parse().unwrap()).or_default();
        *entry = (entry.0 + 1, report.outcome.err().map(|fault| fault.kind));
    }
    handle.stop();
    for (number, manner) in manners.iter().enumerate() {
        let (polls, fault) = seen[&number];
        let expected = match manner {
            Manner::Answers => None,
            Manner::Hangs => Some(FaultKind::Hung),
            Manner::Panics => Some(FaultKind::Unreadable),
        };
        assert_eq!(fault, expected, "{number}");
        let enough = if *manner == Manner::Answers { 12 } else { 1 };
        assert!(polls >= enough, "{number}: {polls} polls");
    }
    assert!(together[1].load(Ordering::SeqCst) <= 16, "concurrency is kept");
}

#[tokio::test]
async fn a_reader_that_sleeps_gets_the_newest() {
    let (sources, _) = fakes(&[Manner::Answers; 4], 0.02);
    let (sender, mut reports) = mpsc::channel(1);
    let _handle = Poller::spawn(sources, settings(4), sender);
    tokio::time::sleep(Duration::from_millis(500)).await;
    // One report sits in the channel, and one may have its place already; the rest is new.
    let mut newest = 0;
    for _ in 0..5 {
        let report = reports.recv().await.unwrap();
        if let Some(Fact::Remark(polls)) = report.outcome.unwrap().facts.last() {
            newest = newest.max(polls.parse().unwrap());
        }
    }
    assert!(newest >= 10, "{newest}");
}

#[tokio::test]
async fn refresh_polls_now_and_stop_ends() {
    let (sources, _) = fakes(&[Manner::Answers; 2], 3_600.0);
    let (sender, mut reports) = mpsc::channel(8);
    let handle = Poller::spawn(sources, settings(4), sender);
    for _ in 0..2 {
        reports.recv().await.unwrap();
    }
    handle.refresh(Some(SourceId::new("1")));
    assert_eq!(reports.recv().await.unwrap().source, SourceId::new("1"));
    handle.refresh(None);
    for _ in 0..2 {
        reports.recv().await.unwrap();
    }
    handle.stop();
    assert!(reports.recv().await.is_none(), "the sender is gone");
}

/// A source that is told of changes.
struct Told {
    info: SourceInfo,
    alarm: Arc<std::sync::Mutex<Option<Alarm>>>,
}

impl Source for Told {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn poll(&mut self, _now: Time) -> Polled<'_> {
        Box::pin(async { Ok(Harvest::default()) })
    }

    fn attach(&mut self, alarm: Alarm) {
        *self.alarm.lock().unwrap() = Some(alarm);
    }
}

#[tokio::test]
async fn an_alarm_polls_its_own_source_and_keeps_no_poller_alive() {
    let (mut sources, _) = fakes(&[Manner::Answers], 3_600.0);
    let alarm = Arc::default();
    let info = SourceInfo { id: SourceId::new("told"), ..sources[0].info().clone() };
    sources.push(Box::new(Told { info, alarm: Arc::clone(&alarm) }));
    let (sender, mut reports) = mpsc::channel(8);
    let handle = Poller::spawn(sources, settings(4), sender);
    for _ in 0..2 {
        reports.recv().await.unwrap();
    }
    let alarm = alarm.lock().unwrap().clone().unwrap();
    alarm.ring();
    assert_eq!(reports.recv().await.unwrap().source, SourceId::new("told"));
    drop(handle);
    assert!(reports.recv().await.is_none(), "the alarm keeps the poller alive");
    alarm.ring();
}

#[tokio::test]
async fn a_round_polls_each_once_in_order() {
    let (mut sources, together) =
        fakes(&[Manner::Answers, Manner::Hangs, Manner::Panics, Manner::Answers], 1.0);
    let reports = poll_round(&mut sources, 2, chrono::Utc::now).await;
    let kinds: Vec<_> = reports.iter().map(|report| report.outcome.as_ref().err().map(|f| f.kind)).collect();
    assert_eq!(kinds, [None, Some(FaultKind::Hung), Some(FaultKind::Unreadable), None]);
    assert_eq!(together[1].load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_targets_are_polled_soon() {
    let (sources, _) = fakes(&vec![Manner::Answers; 20_000], 60.0);
    let (sender, mut reports) = mpsc::channel(1024);
    let _handle = Poller::spawn(sources, settings(512), sender);
    let begun = Instant::now();
    for _ in 0..20_000 {
        reports.recv().await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

/// A target that falls due between two looks at the clock, while no poll is under way, must not be forgotten: enough
/// targets with enough turns come to that moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_poller_falls_asleep_for_good() {
    let mut reading = tokio::task::JoinSet::new();
    for seed in 0..48 {
        let (sources, _) = fakes(&[Manner::Answers; 12], 0.02);
        let (sender, mut reports) = mpsc::channel(64);
        let handle = Poller::spawn(sources, PollSettings { seed, ..settings(8) }, sender);
        reading.spawn(async move {
            for number in 0..3_000 {
                let report = tokio::time::timeout(Duration::from_secs(20), reports.recv()).await;
                assert!(report.is_ok(), "asleep after {number} polls");
            }
            handle.stop();
        });
    }
    while let Some(read) = reading.join_next().await {
        read.unwrap();
    }
}
