//! Acts on rollouts in Kubernetes clusters. One [`Cluster`] for each configured cluster; what differs from kind to
//! kind is a [`KindPlanner`], one file each and one line in [`PLANNERS`].

mod access;
pub mod answer;
mod argo;
mod deployment;
mod dry;
pub mod facts;
mod fault;
mod flagger;
mod kserve;
pub mod object;
pub mod owner;
mod parts;
pub mod request;
pub mod revision;
mod route;
pub mod send;
mod share;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::{Ask, Boxed, Controller, Draft, Finding, Ready, Sender, Sent, Settled};
use crate::cluster::Naming;
use crate::config::{ClusterConfig, Config, ControlConfig};
use crate::domain::act::{Plan, Refusal, Request};
use crate::domain::{ControllerKind, Fault, FaultKind, Target};

pub use object::{Objects, Place};
pub use parts::{check, finding, kept_long_enough, note, template_patch};
pub use request::Patch;

/// Everything a planner needs of its cluster.
#[derive(Clone)]
pub struct Site {
    /// Reads and writes objects.
    pub objects: Objects,
    /// The cluster's settings.
    pub cluster: Arc<ClusterConfig>,
    /// How long effects are waited for.
    pub control: Arc<ControlConfig>,
}

impl Site {
    /// Until when the controller should have seen a write, seconds.
    pub fn observed_s(&self) -> f64 {
        self.control.observed_within.as_secs_f64()
    }

    /// How versions are named here.
    pub fn naming(&self) -> Naming {
        Naming { version_from: self.cluster.version_from.clone(), ladder: self.cluster.ladder.clone() }
    }

    /// Until when a write should be effective, seconds.
    pub fn effective_s(&self) -> f64 {
        self.control.effective_within.as_secs_f64()
    }
}

/// Plans and looks for one kind of rollout object. Sending is the same for all.
pub trait KindPlanner: Send + Sync {
    /// The kinds that it plans for.
    fn kinds(&self) -> &'static [ControllerKind];

    /// As [`Controller::plan`].
    fn plan<'a>(&'a self, site: &'a Site, ask: &'a Ask) -> Boxed<'a, Result<Draft, Refusal>>;

    /// As [`Sender::ready`]; asked only of requests that wait for something.
    fn ready<'a>(&'a self, _: &'a Site, _: &'a Plan, _: usize, _: f64) -> Boxed<'a, Result<Ready, Fault>> {
        Box::pin(async { Ok(Ready::Yes) })
    }

    /// As [`Sender::send`]; a patch with its facts and pins unless the kind has other requests.
    fn send<'a>(&'a self, site: &'a Site, plan: &'a Plan, n: usize, audit_id: &'a str) -> Boxed<'a, Sent> {
        Box::pin(async move {
            match request_of(plan, n) {
                Ok(request) => send::send(&site.objects, request, audit_id).await,
                Err(fault) => Sent::Refused(fault.detail),
            }
        })
    }

    /// Why a request is not needed any more, in words that begin with `already so`. Then it is not sent.
    fn needless<'a>(
        &'a self,
        _: &'a Site,
        _: &'a Plan,
        _: usize,
    ) -> Boxed<'a, Result<Option<String>, Fault>> {
        Box::pin(async { Ok(None) })
    }

    /// As [`Sender::settled`]; by the effect that the request names unless the kind knows better.
    fn settled<'a>(&'a self, site: &'a Site, plan: &'a Plan, n: usize) -> Boxed<'a, Result<Settled, Fault>> {
        Box::pin(async move { send::settled(&site.objects, request_of(plan, n)?).await })
    }

    /// As [`Sender::observe`].
    fn observe<'a>(&'a self, site: &'a Site, plan: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>>;
}

/// Every kind that can be acted upon. One line registers one.
pub const PLANNERS: &[&dyn KindPlanner] = &[
    argo::ARGO,
    deployment::DEPLOYMENTS,
    &flagger::FlaggerPlanner,
    &kserve::KserveKnative,
    &kserve::KserveStandard,
    &route::Routes,
];

/// A controller for each configured cluster. Nothing is connected yet.
///
/// # Errors
/// None today; a setting that cannot be used.
pub fn controllers(config: &Config) -> Result<Vec<Box<dyn Controller>>, Fault> {
    let clusters = config.cluster.iter();
    Ok(clusters.map(|cluster| Box::new(Cluster::new(config, cluster)) as Box<dyn Controller>).collect())
}

/// One configured cluster; connected at its first use.
pub struct Cluster {
    cluster: Arc<ClusterConfig>,
    control: Arc<ControlConfig>,
    deadline: Duration,
    max_bytes: u64,
    objects: Mutex<Option<Objects>>,
}

impl Cluster {
    /// A cluster by its settings.
    pub fn new(config: &Config, cluster: &ClusterConfig) -> Self {
        Self {
            cluster: Arc::new(cluster.clone()),
            control: Arc::new(config.control.clone()),
            deadline: config.deadline(cluster.timeout),
            max_bytes: config.max_bytes(),
            objects: Mutex::new(None),
        }
    }

    async fn site(&self) -> Result<Site, Fault> {
        let mut kept = self.objects.lock().await;
        let objects = match &*kept {
            Some(objects) => objects.clone(),
            None => {
                let client = crate::cluster::connect(&self.cluster, self.deadline).await?;
                let objects = Objects::new(client, &self.cluster.name, self.deadline, self.max_bytes);
                kept.insert(objects).clone()
            }
        };
        Ok(Site { objects, cluster: self.cluster.clone(), control: self.control.clone() })
    }

    /// After a refusal for want of credentials the kubeconfig is read anew at the next use.
    async fn after<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        if result.as_ref().is_err_and(|fault| fault.kind == FaultKind::Denied) {
            *self.objects.lock().await = None;
        }
        result
    }
}

fn planner(kind: ControllerKind) -> Option<&'static dyn KindPlanner> {
    PLANNERS.iter().copied().find(|planner| planner.kinds().contains(&kind))
}

fn planner_of(plan: &Plan) -> Result<&'static dyn KindPlanner, Fault> {
    planner(plan.target.kind).ok_or_else(|| {
        let kind = plan.target.kind.word();
        Fault::new(FaultKind::Refused, format!("wardroom does not act on {kind} here"))
    })
}

/// A request of a plan.
///
/// # Errors
/// There is none of this number.
pub fn request_of(plan: &Plan, n: usize) -> Result<&Request, Fault> {
    let count = plan.requests.len();
    plan.requests.get(n).ok_or_else(|| {
        Fault::new(FaultKind::Absent, format!("the plan has {count} requests, none of number {n}"))
    })
}

impl Sender for Cluster {
    fn ready<'a>(&'a self, plan: &'a Plan, n: usize, waited_s: f64) -> Boxed<'a, Result<Ready, Fault>> {
        Box::pin(async move {
            let planner = planner_of(plan)?;
            if request_of(plan, n)?.after.is_empty() {
                return Ok(Ready::Yes);
            }
            let site = self.site().await?;
            self.after(planner.ready(&site, plan, n, waited_s).await).await
        })
    }

    fn send<'a>(&'a self, plan: &'a Plan, n: usize, audit_id: &'a str) -> Boxed<'a, Sent> {
        Box::pin(async move {
            let planner = match planner_of(plan) {
                Ok(planner) => planner,
                Err(fault) => return Sent::Refused(fault.detail),
            };
            let nothing = |fault: Fault| Sent::Refused(format!("nothing was sent: {fault}"));
            let site = match self.site().await {
                Ok(site) => site,
                Err(fault) => return nothing(fault),
            };
            match self.after(planner.needless(&site, plan, n).await).await {
                Ok(None) => planner.send(&site, plan, n, audit_id).await,
                Ok(Some(note)) => Sent::Accepted { audit_id: audit_id.into(), note },
                Err(fault) => nothing(fault),
            }
        })
    }

    fn settled<'a>(&'a self, plan: &'a Plan, n: usize) -> Boxed<'a, Result<Settled, Fault>> {
        Box::pin(async move {
            let planner = planner_of(plan)?;
            let site = self.site().await?;
            self.after(planner.settled(&site, plan, n).await).await
        })
    }

    fn observe<'a>(&'a self, plan: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>> {
        Box::pin(async move {
            let planner = planner_of(plan)?;
            let site = self.site().await?;
            self.after(planner.observe(&site, plan).await).await
        })
    }
}

impl Controller for Cluster {
    fn knows(&self, target: &Target) -> bool {
        *target.system.0 == *self.cluster.name && planner(target.kind).is_some()
    }

    fn plan<'a>(&'a self, ask: &'a Ask) -> Boxed<'a, Result<Draft, Refusal>> {
        Box::pin(async move {
            let Some(planner) = planner(ask.target.kind) else {
                let kind = ask.target.kind.word();
                return Err(Refusal::new(
                    format!("wardroom does not act on {kind} here"),
                    "act with its own tool",
                ));
            };
            let site = self.after(self.site().await).await.map_err(refused)?;
            planner.plan(&site, ask).await
        })
    }
}

/// A fault as the reason why nothing can be planned.
pub fn refused(fault: Fault) -> Refusal {
    let instead =
        if fault.remedy.is_empty() { "try again when it answers".into() } else { fault.remedy.clone() };
    Refusal::new(format!("{}: {}", fault.kind.word(), fault.detail), instead)
}
