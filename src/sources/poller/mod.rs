//! Polls every source on its own clock, bounded, and keeps on whatever one of them does.

mod ask;
mod outbox;
mod run;
mod schedule;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::mpsc;

pub use ask::is_polling;

use super::{Alarm, Source};
use crate::config::Config;
use crate::domain::{Report, SourceId, Time};

/// Reads the time; the only clock of this room.
pub type Clock = fn() -> Time;

/// How to poll.
#[derive(Debug, Clone, Copy)]
pub struct PollSettings {
    /// How many polls may be under way at once. One eighth (at least one) is kept for sources whose last
    /// poll hung, and they get no more, so they cannot starve the others.
    pub concurrency: usize,
    /// Written into each report; answers of an older epoch change nothing.
    pub epoch: u64,
    /// The seed of the jitter.
    pub seed: u64,
    /// What time it is.
    pub clock: Clock,
}

impl PollSettings {
    /// What a config says, for the first epoch.
    pub fn of(config: &Config, clock: Clock) -> Self {
        Self { concurrency: config.concurrency, epoch: 0, seed: u64::from(std::process::id()), clock }
    }
}

/// What the handle asks of the polling task.
#[derive(Debug)]
enum Order {
    Refresh(Option<SourceId>),
    Stop,
}

/// Starts polling.
#[derive(Debug)]
pub struct Poller;

impl Poller {
    /// Polls all `sources` from now on, each at its interval, in one task of the current runtime, until
    /// the handle is stopped or dropped or nobody reads the reports. When `reports` is full the newest
    /// report of each source waits; older ones give way.
    pub fn spawn(
        mut sources: Vec<Box<dyn Source>>,
        settings: PollSettings,
        reports: mpsc::Sender<Report>,
    ) -> PollerHandle {
        let (orders, inbox) = mpsc::unbounded_channel::<Order>();
        for source in &mut sources {
            // Weak: an alarm in a source must not keep a poller alive whose handle is gone.
            let (orders, id) = (orders.downgrade(), source.info().id.clone());
            source.attach(Alarm::new(move || {
                if let Some(orders) = orders.upgrade() {
                    let _ = orders.send(Order::Refresh(Some(id.clone())));
                }
            }));
        }
        tokio::spawn(run::run(sources, settings, reports, inbox));
        PollerHandle { orders }
    }
}

/// Steers a running poller; dropping it stops the poller.
#[derive(Debug)]
pub struct PollerHandle {
    orders: mpsc::UnboundedSender<Order>,
}

impl PollerHandle {
    /// Polls one source (all without a name) now, whatever its back-off.
    pub fn refresh(&self, source: Option<SourceId>) {
        // A poller that has ended has nothing to refresh.
        let _ = self.orders.send(Order::Refresh(source));
    }

    /// Ends polling; polls under way are dropped.
    pub fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
    }
}

/// Polls everything exactly once, at most `concurrency` at a time, each bounded by its deadline. The
/// reports are in the order of the sources.
pub async fn poll_round(sources: &mut [Box<dyn Source>], concurrency: usize, clock: Clock) -> Vec<Report> {
    let polls = sources
        .iter_mut()
        .enumerate()
        .map(|(number, source)| async move { (number, ask::ask(source.as_mut(), 0, clock).await) });
    let mut reports: Vec<(usize, Report)> =
        stream::iter(polls).buffer_unordered(concurrency.max(1)).collect().await;
    reports.sort_by_key(|(number, _)| *number);
    reports.into_iter().map(|(_, report)| report).collect()
}

#[cfg(test)]
mod tests;
