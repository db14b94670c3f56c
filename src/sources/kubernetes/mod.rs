//! A Kubernetes cluster: watches exactly what the config's models need, and is polled at once when that changes.
//!
//! A poll asks the API server whether it is there, and takes what the watches have seen; the watches run from the first
//! poll on and end with the source.

mod board;
mod told;
mod wanted;
mod watch;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::client::Body;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cluster::{connect, trouble};
use crate::config::{ClusterConfig, Config, Preset};
use crate::domain::{Fault, FaultKind, Harvest, SourceGroup, SourceId, SourceInfo, Time};
use crate::sources::{Alarm, Polled, Source, http};
use board::Board;
use told::Told;
use wanted::Wants;

/// The shortest pause between two alarms: a busy cluster must not busy the room.
const GAP: Duration = Duration::from_millis(100);
/// The longest, when nobody takes the news.
const LONGEST_GAP: Duration = Duration::from_secs(5);

/// One cluster.
pub struct Kubernetes {
    info: SourceInfo,
    cluster: ClusterConfig,
    timeout: Duration,
    interval: Duration,
    /// What is wanted, until the first poll takes it.
    board: Arc<Board>,
    told: Told,
    alarm: Option<Alarm>,
    live: Option<Live>,
    /// When the server was last asked whether it is there, and was.
    asked: Option<Instant>,
}

/// Connections and watches.
struct Live {
    client: kube::Client,
    /// Dropping it ends them.
    tasks: JoinSet<()>,
}

/// One source for each configured cluster.
pub fn sources(config: &Config, _: &BTreeMap<String, Preset>) -> Result<Vec<Box<dyn Source>>, Fault> {
    let made = config
        .cluster
        .iter()
        .map(|cluster| Ok(Box::new(Kubernetes::new(config, cluster)) as Box<dyn Source>));
    made.collect()
}

impl Kubernetes {
    fn new(config: &Config, cluster: &ClusterConfig) -> Self {
        let wants = Wants::of(config, cluster);
        let id = SourceId::new(&cluster.name);
        let context = cluster.context.clone().or_else(|| {
            connect::contexts(cluster.kubeconfig.as_deref()).ok().and_then(|(_, current)| current)
        });
        Self {
            info: SourceInfo {
                id: id.clone(),
                group: SourceGroup::Controller,
                kind: "kubernetes".into(),
                place: connect::place(cluster),
                interval_s: config.refresh.as_secs_f64(),
                model: None,
                owes: Vec::new(),
            },
            cluster: cluster.clone(),
            timeout: config.deadline(cluster.timeout),
            interval: config.refresh.0,
            told: Told::new(
                id,
                context.as_deref().unwrap_or(&cluster.name),
                &cluster.version_from,
                &cluster.ladder,
            ),
            board: Arc::new(Board::new(wants)),
            alarm: None,
            live: None,
            asked: None,
        }
    }

    async fn ask(&mut self, now: Time) -> Result<Harvest, Fault> {
        let outcome = self.look(now).await;
        if let Err(fault) = &outcome {
            self.asked = None;
            if matches!(fault.kind, FaultKind::Denied | FaultKind::Tls) {
                // The kubeconfig may hold better credentials by now: it is read anew.
                self.end().await;
            }
        }
        outcome
    }

    async fn look(&mut self, now: Time) -> Result<Harvest, Fault> {
        if self.live.is_none() {
            self.live = Some(self.begin().await?);
        }
        let due = self.asked.is_none_or(|asked| asked.elapsed() >= self.interval.mul_f64(0.8));
        let whole = due || self.board.seen().dirty.is_empty();
        let mut skew_s = None;
        if whole {
            skew_s = self.is_there(now).await?;
            self.asked = Some(Instant::now());
        }
        self.settle().await;
        if let Some(fault) = self.all_denied() {
            return Err(fault);
        }
        let facts = self.told.facts(&self.board, whole, now);
        let later = self.told.later();
        if let Some(live) = &mut self.live {
            while live.tasks.try_join_next().is_some() {}
            for (index, after) in later {
                let board = Arc::clone(&self.board);
                live.tasks.spawn(async move {
                    tokio::time::sleep(after).await;
                    board.again(index);
                });
            }
        }
        Ok(Harvest { facts, skew_s })
    }

    /// Connects and starts the watches.
    async fn begin(&mut self) -> Result<Live, Fault> {
        let client = connect::connect(&self.cluster, self.timeout).await?;
        let for_watches = connect::connect_to_watch(&self.cluster, self.timeout).await?;
        let mut tasks = JoinSet::new();
        for (resource, scope) in self.board.wants.watches.clone() {
            tasks.spawn(watch::keep(for_watches.clone(), resource, scope, Arc::clone(&self.board)));
        }
        if let Some(alarm) = self.alarm.clone() {
            tasks.spawn(ring(Arc::clone(&self.board), alarm));
        }
        // The tasks enter themselves; the poll must not find an empty board and call it settled.
        let wanted = self.board.wants.watches.len();
        while self.board.seen().watches.len() < wanted {
            tokio::task::yield_now().await;
        }
        Ok(Live { client, tasks })
    }

    /// Ends the watches; what they saw stays until they have listed again.
    async fn end(&mut self) {
        if let Some(mut live) = self.live.take() {
            // Watches are known by their number: none may be alive when these are given anew.
            live.tasks.shutdown().await;
        }
        self.board.seen().watches.clear();
    }

    /// Whether the API server is there and takes our credentials, and its clock minus ours.
    async fn is_there(&self, now: Time) -> Result<Option<f64>, Fault> {
        let Some(live) = &self.live else { return Ok(None) };
        let place = &self.info.place;
        let request = ::http::Request::get("/readyz")
            .body(Body::empty())
            .map_err(|error| Fault::new(FaultKind::Refused, error.to_string()))?;
        let answer = tokio::time::timeout(self.timeout, live.client.send(request))
            .await
            .map_err(|_| trouble::hung(place, self.timeout))?
            .map_err(|error| trouble::of(&error, place))?;
        let date = answer.headers().get(::http::header::DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok());
        match answer.status().as_u16() {
            // Some clusters keep /readyz to themselves: that answer is a sign of life too.
            200 | 403 | 404 => Ok(http::skew(date.map(|date| date.with_timezone(&chrono::Utc)), now)),
            500 => Err(Fault::new(
                FaultKind::Status,
                format!("{place}: 500, the API server says that it is not ready"),
            )),
            code => Err(trouble::of_status(code, "", place)),
        }
    }

    /// Waits until every watch has listed once, or cannot; not longer than an answer may take.
    async fn settle(&self) {
        let end = Instant::now() + self.timeout;
        while !self.board.is_settled() {
            if tokio::time::timeout_at(end, self.board.settled.notified()).await.is_err() {
                return;
            }
        }
    }

    /// The fault when nothing that is wanted may be read.
    fn all_denied(&self) -> Option<Fault> {
        let seen = self.board.seen();
        let mut primary = seen
            .watches
            .iter()
            .filter(|watch| !watch.replaced && self.board.wants.is_primary(&watch.resource));
        let first = primary.next()?;
        let denied = |watch: &board::Watch| {
            watch.fault.as_ref().filter(|(code, _)| *code != Some(404)).map(|(_, fault)| fault.clone())
        };
        let fault = denied(first)?;
        primary.all(|watch| denied(watch).is_some()).then_some(fault)
    }
}

/// Rings while there is news that nobody has taken; rarer and rarer while nobody takes any.
async fn ring(board: Arc<Board>, alarm: Alarm) {
    loop {
        board.news.notified().await;
        let mut gap = GAP;
        loop {
            let taken = {
                let seen = board.seen();
                if seen.dirty.is_empty() {
                    break;
                }
                seen.taken
            };
            alarm.ring();
            tokio::time::sleep(gap).await;
            gap = next_gap(gap, board.seen().taken != taken);
        }
    }
}

/// The pause to the next alarm after one that was heeded, or not.
fn next_gap(gap: Duration, heeded: bool) -> Duration {
    if heeded { GAP } else { (gap * 2).min(LONGEST_GAP) }
}

impl Source for Kubernetes {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        // A credential plugin may take its time at the first poll; every request has its own deadline.
        self.timeout * 3 + Duration::from_secs(22)
    }

    fn poll(&mut self, now: Time) -> Polled<'_> {
        Box::pin(self.ask(now))
    }

    fn attach(&mut self, alarm: Alarm) {
        self.alarm = Some(alarm);
    }
}
