//! Reads the world: one file an upstream, each turning answers into observations. Nothing here writes.

pub mod http;

pub mod exposition;
pub mod scrape;

use std::future::Future;
use std::pin::Pin;

use crate::domain::{Fault, Harvest, SourceInfo, Time};

/// What a poll gives back.
pub type Polled<'a> = Pin<Box<dyn Future<Output = Result<Harvest, Fault>> + Send + 'a>>;

/// One target that is polled: a server, or one instance of a model's server.
///
/// `poll` is called by the poller only, never twice at the same time, with its own total deadline around
/// it. A source keeps what it needs between two polls (counters, the last answer's time) in itself.
pub trait Source: Send {
    /// Who it is.
    fn info(&self) -> &SourceInfo;

    /// The deadline of one poll.
    fn deadline(&self) -> std::time::Duration;

    /// Asks once.
    fn poll(&mut self, now: Time) -> Polled<'_>;
}
