//! A room without a screen: the poller and its sources at work.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use wardroom::config;
use wardroom::domain::{Fact, Fault, Report, Rollout};
use wardroom::sources::poller::{PollSettings, Poller, PollerHandle};
use wardroom::sources::register;

use crate::cluster::PATIENCE;

/// A room's sources at work.
pub struct Watching {
    reports: mpsc::Receiver<Report>,
    _poller: PollerHandle,
    runtime: tokio::runtime::Runtime,
}

impl Watching {
    /// Polls and watches what a config wants.
    pub fn of(text: &str) -> Self {
        wardroom::sources::http::install_tls();
        let loaded = config::parse("live.toml", text, &[]).unwrap();
        let sources = register::build(&loaded.config).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (sender, reports) = mpsc::channel(1_024);
        let settings = PollSettings { concurrency: 8, epoch: 0, seed: 1, clock: chrono::Utc::now };
        let poller = {
            let _guard = runtime.enter();
            Poller::spawn(sources, settings, sender)
        };
        Self { reports, _poller: poller, runtime }
    }

    /// The next report within a time.
    pub fn next(&mut self, within: Duration) -> Option<Report> {
        let reports = &mut self.reports;
        self.runtime.block_on(async { tokio::time::timeout(within, reports.recv()).await.ok().flatten() })
    }

    /// The first rollout that is as wanted, with the moment at which it was told.
    pub fn rollout(&mut self, wanted: impl Fn(&Rollout) -> bool) -> (Rollout, Instant) {
        let end = Instant::now() + PATIENCE;
        let mut last = None;
        while Instant::now() < end {
            let Some(report) = self.next(Duration::from_secs(1)) else { continue };
            let at = Instant::now();
            match report.outcome {
                Ok(harvest) => {
                    for fact in &harvest.facts {
                        if let Fact::Rollout { rollout, .. } = fact {
                            if wanted(rollout) {
                                return (Rollout::clone(rollout), at);
                            }
                            last = Some(format!("{:?} {}", rollout.situation, rollout.message));
                        }
                    }
                }
                Err(fault) => last = Some(fault.to_string()),
            }
        }
        panic!("not seen; last {last:?}");
    }

    /// The first fault, with the moment.
    pub fn fault(&mut self) -> (Fault, Instant) {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(Report { outcome: Err(fault), .. }) = self.next(Duration::from_secs(1)) {
                return (fault, Instant::now());
            }
        }
        panic!("no fault was told");
    }
}

/// A model with its rollout in the cluster `lab`.
pub fn model(name: &str, kind: &str, namespace: &str) -> String {
    format!(
        "[[model]]\nname = \"{name}\"\n[model.rollout]\nsystem = \"lab\"\nkind = \"{kind}\"\nnamespace = \"{namespace}\"\n"
    )
}
