//! Sets the stage from settings: the store, its sources, one round of polling.

use std::time::Duration;

use crate::config::{Config, fleet};
use crate::domain::{Report, Time};
use crate::sources::{Source, poller, register};
use crate::store::Store;

/// The clock of the process.
pub fn now() -> Time {
    chrono::Utc::now()
}

/// A store that expects these sources.
///
/// # Errors
/// A source that cannot be set up, such as an unreadable CA file or secret.
pub fn set(config: &Config) -> Result<(Store, Vec<Box<dyn Source>>), String> {
    let sources = register::build(config).map_err(|fault| fault.to_string())?;
    let mut store = Store::new(&config.environment, fleet::specs(config));
    store.judge_by(config.judge.clone(), config.refresh.as_secs_f64());
    store.expect(sources.iter().map(|source| source.info().clone()).collect());
    Ok((store, sources))
}

/// One full round of every source, put into the store.
///
/// # Errors
/// A source that cannot be set up.
pub fn one_round(config: &Config) -> Result<(Store, Vec<Report>), String> {
    let (mut store, mut sources) = set(config)?;
    let reports = runtime()?.block_on(poller::poll_round(&mut sources, config.concurrency, now));
    for report in &reports {
        store.apply(report);
    }
    store.tick(now());
    Ok((store, reports))
}

/// The runtime of the network side.
///
/// # Errors
/// No threads to be had.
pub fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(8)
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))
}

/// How long a stopped runtime may take to end its tasks.
pub const LAST_ORDERS: Duration = Duration::from_millis(100);
