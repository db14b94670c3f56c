//! Reads the weights of an HAProxy backend and what share of the requests each server really answers.

pub mod socket;
pub mod stat;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::cluster::ladder;
use crate::config::{Config, HaproxyConfig, Preset};
use crate::domain::{
    Condition, ControllerKind, Fact, Fault, Harvest, Level, ModelId, Revision, Rollout, Situation,
    SourceGroup, SourceId, SourceInfo, Target, Time, Version,
};
use crate::sources::{Polled, Source, model_id};

use socket::{Socket, Trouble};
use stat::Server;

/// The window of the measured share, seconds.
const WINDOW_S: f64 = 60.0;

/// One configured HAProxy.
pub struct Haproxy {
    info: SourceInfo,
    socket: Socket,
    config: HaproxyConfig,
    models: Vec<ModelId>,
    counts: VecDeque<(Time, u64, u64)>,
}

/// One source for each configured HAProxy.
pub fn sources(config: &Config, _: &BTreeMap<String, Preset>) -> Result<Vec<Box<dyn Source>>, Fault> {
    Ok(config
        .haproxy
        .iter()
        .map(|haproxy| Box::new(Haproxy::new(config, haproxy)) as Box<dyn Source>)
        .collect())
}

/// The admin socket of a configured HAProxy.
pub fn socket_of(config: &Config, haproxy: &HaproxyConfig) -> Socket {
    let deadline = config.deadline(haproxy.timeout);
    Socket::new(&haproxy.socket, deadline, config.max_bytes())
}

impl Haproxy {
    fn new(config: &Config, haproxy: &HaproxyConfig) -> Self {
        let ours = |model: &&crate::config::ModelConfig| {
            model
                .rollout
                .as_ref()
                .is_some_and(|rollout| rollout.system == haproxy.name && rollout.kind == "haproxy")
        };
        Self {
            info: SourceInfo {
                id: SourceId::new(&haproxy.name),
                group: SourceGroup::Controller,
                kind: "haproxy".into(),
                place: haproxy.socket.clone(),
                interval_s: config.interval_s(haproxy.interval),
                model: None,
                owes: Vec::new(),
            },
            socket: socket_of(config, haproxy),
            config: haproxy.clone(),
            models: config.model.iter().filter(ours).map(|model| model_id(config, model)).collect(),
            counts: VecDeque::new(),
        }
    }

    async fn ask(&mut self, now: Time) -> Result<Harvest, Fault> {
        let answer = self.socket.ask("show stat").await.map_err(Trouble::fault)?;
        let servers = stat::servers(&answer, &self.config.backend)?;
        let mut rollout = read(&self.config, &servers)?;
        self.measure(&mut rollout, &servers, now);
        rollout.target = Some(target(&self.config));
        let facts = self
            .models
            .iter()
            .map(|model| Fact::Rollout { model: model.clone(), rollout: rollout.clone().into() });
        Ok(Harvest::of(facts.collect()))
    }

    /// The canary's share of the answers within the window, with its count.
    fn measure(&mut self, rollout: &mut Rollout, servers: &[Server], now: Time) {
        let count = |name: &str| servers.iter().find(|server| server.name == name).map_or(0, |s| s.requests);
        let (old, new) = (count(&self.config.stable), count(&self.config.canary));
        // A restarted HAProxy counts from zero again.
        if self.counts.back().is_some_and(|&(_, a, b)| old < a || new < b) {
            self.counts.clear();
        }
        self.counts.push_back((now, old, new));
        while self.counts.len() > 2
            && self.counts.get(1).is_some_and(|(at, ..)| (now - *at).as_seconds_f64() >= WINDOW_S)
        {
            self.counts.pop_front();
        }
        let Some(&(since, a, b)) = self.counts.front() else { return };
        let (old, new) = (old - a, new - b);
        if old + new == 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of a minute")]
        let share = new as f64 / (old + new) as f64 * 100.0;
        rollout.measured = Some(share);
        let seconds = (now - since).as_seconds_f64();
        let text =
            format!("{} of {} answers in {seconds:.0} s came from {}", new, old + new, self.config.canary);
        rollout.conditions.push(Condition { level: Level::Ok, text });
    }
}

/// Where a configured HAProxy's backend is reached.
pub fn target(config: &HaproxyConfig) -> Target {
    Target {
        system: SourceId::new(&config.name),
        kind: ControllerKind::Haproxy,
        context: "".into(),
        namespace: "".into(),
        name: config.backend.as_str().into(),
    }
}

/// The two servers of a config.
///
/// # Errors
/// One of them is not in the backend.
pub fn pair<'a>(config: &HaproxyConfig, servers: &'a [Server]) -> Result<(&'a Server, &'a Server), Fault> {
    let of = |name: &str| {
        servers.iter().find(|server| server.name == name).ok_or_else(|| {
            let known: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
            let words = format!("backend {} has no server {name}, only {}", config.backend, known.join(", "));
            Fault::new(crate::domain::FaultKind::Absent, words).advise("check [[haproxy]] stable and canary")
        })
    };
    Ok((of(&config.stable)?, of(&config.canary)?))
}

/// What the weights mean.
///
/// # Errors
/// One of the two servers is not in the backend.
pub fn read(config: &HaproxyConfig, servers: &[Server]) -> Result<Rollout, Fault> {
    let (stable, canary) = pair(config, servers)?;
    let (old, new) = (Version::new(&config.stable), Version::new(&config.canary));
    let mut rollout = Rollout::of("HAProxy", old.clone());
    rollout.steps = ladder::steps(&config.ladder);
    rollout.revisions =
        [(canary, &new), (stable, &old)].map(|(server, version)| revision(server, version)).into();
    ladder::cannot(&mut rollout);
    let sum = f64::from(stable.weight) + f64::from(canary.weight);
    let weight = if sum > 0.0 { f64::from(canary.weight) / sum * 100.0 } else { 0.0 };
    rollout.asked = weight;
    rollout.set = Some(weight);
    rollout.step = ladder::position(&rollout.steps, weight);
    rollout.canary = Some(new);
    if sum == 0.0 {
        rollout.situation = Situation::Degraded;
        rollout.message = "both servers have weight 0: nobody is answered".into();
    } else {
        ladder::stand(&mut rollout, weight, "");
    }
    for server in [stable, canary].into_iter().filter(|server| !server.is_up && server.weight > 0) {
        let text = format!("{} is {}: its share goes to the others", server.name, server.status);
        rollout.conditions.push(Condition { level: Level::Critical, text });
    }
    let others: Vec<&str> = servers
        .iter()
        .filter(|server| server.weight > 0 && ![&config.stable, &config.canary].contains(&&server.name))
        .map(|server| server.name.as_str())
        .collect();
    if !others.is_empty() {
        let why = format!(
            "the backend also sends to {}; wardroom moves weights between two servers",
            others.join(", ")
        );
        ladder::cannot_at_all(&mut rollout, &why);
        rollout.conditions.push(Condition { level: Level::Warning, text: why });
    }
    for revision in &mut rollout.revisions {
        revision.is_stable = revision.version.as_ref() == Some(&rollout.stable);
        revision.is_canary = revision.version == rollout.canary;
    }
    rollout.phase = rollout.situation.phase();
    Ok(rollout)
}

fn revision(server: &Server, version: &Version) -> Revision {
    Revision {
        hash: server.name.clone(),
        version: Some(version.clone()),
        pods: (u32::from(server.is_up), 1),
        ..Revision::default()
    }
}

impl Source for Haproxy {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn deadline(&self) -> Duration {
        self.socket.deadline() * 2 + Duration::from_secs(1)
    }

    fn poll(&mut self, now: Time) -> Polled<'_> {
        Box::pin(self.ask(now))
    }
}

#[cfg(test)]
mod tests;
