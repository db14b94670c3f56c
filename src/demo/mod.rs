//! The embedded fleet: model servers, a registry, a canary controller, an alert manager and an MLOps
//! service on loopback over real HTTP, with a load generator and a seeded story of troubles.
//!
//! The room polls it through the same adapters as real servers, and learns nothing from here but base
//! URLs in a config text.

mod acts;
mod alerts;
pub mod cast;
mod controller;
mod fleet;
mod histogram;
mod injection;
mod load;
mod mlops;
mod page;
mod position;
mod registry;
mod samples;
mod script;
mod server;
mod shelf;
pub mod story;
mod track;
mod web;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use fleet::Fleet;
pub use injection::{StageHand, Trouble};
use web::Answerer;

/// Up to this many models each instance has a listener of its own; beyond, one listener serves all by path.
const OWN_LISTENERS: usize = 100;

/// What the demo shall be.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// How many models; the named ones come first.
    pub models: usize,
    /// Another number is another story.
    pub seed: u64,
    /// Which story.
    pub scenario: Scenario,
    /// How fast the story goes.
    pub speed: f64,
    /// How often the room shall poll.
    pub interval: Duration,
    /// When a worker shall panic.
    pub panic_after: Option<Duration>,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            models: 12,
            seed: 7,
            scenario: Scenario::Incident,
            speed: 1.0,
            interval: Duration::from_secs(1),
            panic_after: None,
        }
    }
}

/// The stories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// A canary turns bad, a feature drifts, a server hangs, labels come late.
    Incident,
    /// Nothing happens.
    Calm,
    /// Something new every twenty seconds.
    Chaos,
    /// Nothing happens by itself: one model waits for the stage of a drill ([`StageHand`]).
    Drill,
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "incident" => Ok(Self::Incident),
            "calm" => Ok(Self::Calm),
            "chaos" => Ok(Self::Chaos),
            _ => Err(format!(
                "--scenario {text}: there is no such story; incident (a bad canary, drift, a hung server, late labels), \
                 calm (nothing happens) or chaos (something new every 20 s)"
            )),
        }
    }
}

/// Why the demo cannot start.
#[derive(Debug, thiserror::Error)]
#[error(
    "the demo cannot start: {0}; check that 127.0.0.1 is up, that descriptors are left (ulimit -n) and that \
     temporary files can be written (TMPDIR)"
)]
pub struct DemoError(#[from] std::io::Error);

/// The running demo.
#[derive(Debug)]
pub struct Demo {
    config: String,
    tasks: Vec<JoinHandle<()>>,
    fleet: Arc<Fleet>,
    /// Their folder goes with the demo.
    samples: samples::Files,
}

impl Demo {
    /// A whole config for a room that watches this fleet.
    pub fn config_toml(&self) -> String {
        self.config.clone()
    }

    /// A folder for the journal of acts upon this fleet; it goes with the demo.
    pub fn journal_folder(&self) -> std::path::PathBuf {
        self.samples.journal()
    }

    /// The hand that deploys and breaks things behind the room's back, for a drill.
    pub fn stage_hand(&self) -> StageHand {
        StageHand::new(self.fleet.clone())
    }

    /// The folder of everything that this demo wrote; it goes with the demo.
    pub fn folder(&self) -> std::path::PathBuf {
        self.samples.folder()
    }

    /// Stops every server.
    pub fn stop(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Starts the servers and the load.
///
/// # Errors
/// Loopback ports or descriptors that cannot be had.
pub async fn start(options: DemoOptions) -> Result<Demo, DemoError> {
    // The load generator's client needs one; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fleet = Arc::new(Fleet::new(&options));
    // The samples are written while the servers start.
    let writing = {
        let fleet = fleet.clone();
        tokio::task::spawn_blocking(move || samples::Files::write(&fleet))
    };
    let mut tasks = Vec::new();
    let mut places: Vec<Vec<String>> = Vec::with_capacity(fleet.models.len());
    if fleet.models.len() > OWN_LISTENERS {
        let (address, task) = web::listen(Answerer::ManyModels(fleet.clone())).await?;
        tasks.push(task);
        for model in &fleet.models {
            let instance = |n: usize| format!("http://{address}/m/{}/{n}", model.part.name);
            places.push((0..model.instances.len()).map(instance).collect());
        }
    } else {
        for (index, model) in fleet.models.iter().enumerate() {
            let mut own = Vec::new();
            for instance in 0..model.instances.len() {
                let (address, task) = web::listen(Answerer::Model(fleet.clone(), index, instance)).await?;
                tasks.push(task);
                own.push(format!("http://{address}"));
            }
            places.push(own);
        }
    }
    let mut serve = async |answerer| -> Result<SocketAddr, DemoError> {
        let (address, task) = web::listen(answerer).await?;
        tasks.push(task);
        Ok(address)
    };
    let services = script::Services {
        registry: serve(Answerer::Registry(fleet.clone())).await?,
        controller: serve(Answerer::Controller(fleet.clone())).await?,
        alerts: serve(Answerer::Alerts(fleet.clone())).await?,
        mlops: serve(Answerer::Mlops(fleet.clone())).await?,
    };
    let files = writing.await.map_err(std::io::Error::other)??;
    let config = script::config(&fleet, &places, &services, &files, options.interval);
    tasks.push(tokio::spawn(samples::grow(fleet.clone(), files.current())));
    tasks.push(tokio::spawn(load::generate(fleet.clone(), places)));
    tasks.push(tokio::spawn(controller::count_shares(fleet.clone())));
    if let Some(after) = options.panic_after {
        tasks.push(tokio::spawn(async move {
            tokio::time::sleep(after).await;
            // Never true false: a worker that dies like any other.
            assert!(after == Duration::MAX, "the demo was asked to panic (--panic-after)");
        }));
    }
    Ok(Demo { config, tasks, fleet, samples: files })
}
