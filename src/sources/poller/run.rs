//! The polling task: starts what the schedule allows, passes reports on, obeys the handle.

use std::collections::HashMap;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::outbox::Outbox;
use super::schedule::Schedule;
use super::{Order, PollSettings, ask};
use crate::domain::{Report, SourceId};
use crate::sources::Source;

/// A poll that has ended: whose, the source back, what it said.
type Done = (usize, Box<dyn Source>, Report);

struct Desk {
    schedule: Schedule,
    /// Sources that are not being polled.
    idle: Vec<Option<Box<dyn Source>>>,
    numbers: HashMap<SourceId, usize>,
    running: JoinSet<Done>,
    outbox: Outbox,
    settings: PollSettings,
}

/// Polls until told to stop.
pub async fn run(
    sources: Vec<Box<dyn Source>>,
    settings: PollSettings,
    reports: mpsc::Sender<Report>,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut desk = Desk::new(sources, settings);
    loop {
        desk.start_what_is_due();
        // Nothing when all wait for a slot: a finished poll frees one. A moment that has just passed wakes at once.
        let next = desk.schedule.next_due();
        let sleep = tokio::time::sleep_until(next.unwrap_or_else(Instant::now));
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Refresh(source)) => desk.refresh(source.as_ref()),
                Some(Order::Stop) | None => return,
            },
            Some(done) = desk.running.join_next() => {
                if let Ok(done) = done {
                    desk.finish(done);
                }
            }
            permit = reports.reserve(), if !desk.outbox.is_empty() => match (permit, desk.outbox.take()) {
                (Ok(permit), Some(report)) => permit.send(report),
                (Ok(_), None) => {}
                (Err(_), _) => return,
            },
            () = reports.closed() => return,
            () = sleep, if next.is_some() => {}
        }
    }
}

impl Desk {
    fn new(sources: Vec<Box<dyn Source>>, settings: PollSettings) -> Self {
        let infos = || sources.iter().map(|source| source.info());
        let schedule =
            Schedule::new(infos().map(|info| info.interval_s), settings.concurrency, settings.seed);
        let numbers = infos().enumerate().map(|(number, info)| (info.id.clone(), number)).collect();
        let idle = sources.into_iter().map(Some).collect();
        Self { schedule, idle, numbers, running: JoinSet::new(), outbox: Outbox::default(), settings }
    }

    fn start_what_is_due(&mut self) {
        while let Some(number) = self.schedule.start(Instant::now()) {
            let Some(mut source) = self.idle.get_mut(number).and_then(Option::take) else { continue };
            let PollSettings { epoch, clock, .. } = self.settings;
            self.running.spawn(async move {
                let report = ask::ask(source.as_mut(), epoch, clock).await;
                (number, source, report)
            });
        }
    }

    fn finish(&mut self, (number, source, report): Done) {
        let fault = report.outcome.as_ref().err().map(|fault| fault.kind);
        self.schedule.finish(number, fault, Instant::now());
        self.idle[number] = Some(source);
        self.outbox.put(number, report);
    }

    fn refresh(&mut self, source: Option<&SourceId>) {
        match source {
            Some(id) => {
                if let Some(&number) = self.numbers.get(id) {
                    self.schedule.refresh(number);
                }
            }
            None => (0..self.idle.len()).for_each(|number| self.schedule.refresh(number)),
        }
    }
}
