//! Reads the world: one file an upstream, each turning answers into observations. Nothing here writes.

pub mod alertmanager;
pub mod http;
pub mod poller;
pub mod presets;
pub mod prometheus;
pub mod register;

pub mod canary;
pub mod discover;
mod discover_cluster;
pub mod endpoint;
pub mod exposition;
pub mod files;
pub mod haproxy;
pub mod kubernetes;
mod lenient;
pub mod mlflow;
pub mod mlops;
mod remarks;
pub mod reports;
pub mod samples;
pub mod scrape;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use crate::config::{Config, ModelConfig};
use crate::domain::{Fault, FaultKind, Harvest, ModelId, SourceInfo, Time};

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

    /// Gives it an alarm, before the first poll: a source that is told of changes rings it to be polled at once.
    fn attach(&mut self, _alarm: Alarm) {}
}

/// Makes the poller poll a source now. Without effect once the poller has ended.
#[derive(Clone)]
pub struct Alarm(std::sync::Arc<dyn Fn() + Send + Sync>);

impl Alarm {
    /// An alarm that calls this.
    pub fn new(ring: impl Fn() + Send + Sync + 'static) -> Self {
        Self(std::sync::Arc::new(ring))
    }

    /// Rings.
    pub fn ring(&self) {
        (self.0)();
    }
}

/// Why a path cannot be read.
fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "may not be read by this user".to_owned(),
        _ => error.to_string(),
    };
    Fault::new(FaultKind::File, format!("{} {why}", path.display()))
}

/// The identity of a configured model.
pub fn model_id(config: &Config, model: &ModelConfig) -> ModelId {
    let namespace = crate::domain::text::clean_name(&model.namespace);
    ModelId { namespace: namespace.into(), ..ModelId::new(&config.environment, &model.name) }
}
