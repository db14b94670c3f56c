//! Acts on Argo Rollouts: each row of the controller's actions with its pitfalls.

mod checks;
mod effect;
mod plan;
mod promote;
mod rollback;
mod route;
mod state;

use serde_json::Value;

use super::object::Place;
use super::owner::{self, Owned};
use super::revision::{self, Found};
use super::{KindPlanner, Site, refused};
use crate::cluster::argo::ROLLOUTS;
use crate::cluster::revisions::ARGO as MARKS;
use crate::control::{Ask, Boxed, Draft, Finding, Ready, Settled};
use crate::domain::act::{Operation, Plan, Refusal};
use crate::domain::{ControllerKind, Fault, Target};

/// The planner for Rollouts.
pub const ARGO: &dyn KindPlanner = &Argo;

struct Argo;

/// A Rollout with what is around it, read for one plan.
struct Look {
    place: Place,
    live: Value,
    sets: Vec<Found>,
    owner: Option<Owned>,
    scaled_by: Option<String>,
    identity: String,
}

impl Look {
    async fn at(site: &Site, target: &Target) -> Result<Self, Fault> {
        let objects = &site.objects;
        let place = place(target);
        let live = objects.get(&place.path()).await?;
        let owner = async {
            match Owned::by(&live) {
                Some(owner) => Some(owner.looked_up(objects).await),
                None => None,
            }
        };
        let (sets, owner, scaled_by, identity) = tokio::join!(
            revisions(site, &place, &live),
            owner,
            owner::autoscaler(objects, &place),
            objects.identity()
        );
        Ok(Self { sets: sets?, owner, scaled_by, identity, place, live })
    }

    fn state(&self) -> state::State<'_> {
        state::State(&self.live)
    }

    fn revision(&self, hash: &str) -> Option<&Found> {
        self.sets.iter().find(|revision| revision.hash == hash)
    }

    /// A revision's name on screen.
    fn name(&self, hash: &str) -> String {
        self.revision(hash).map_or_else(|| hash.to_owned(), Found::name)
    }

    /// The canary's share now, percent.
    fn weight(&self) -> f64 {
        checks::weight(self.state(), &self.sets)
    }
}

fn place(target: &Target) -> Place {
    Place::new(ROLLOUTS, &target.namespace, &target.name)
}

async fn revisions(site: &Site, place: &Place, live: &Value) -> Result<Vec<Found>, Fault> {
    let own = live.pointer("/spec/selector").map(revision::selector).filter(|own| !own.is_empty());
    let selector = own.unwrap_or_else(|| told_selector(live));
    let sets = revision::sets_of(&site.objects, &place.namespace, &selector, live).await?;
    let state = state::State(live);
    Ok(revision::read(&sets, MARKS, &site.naming(), state.stable(), state.wanted()))
}

/// With a workloadRef the Rollout has no selector of its own, but its status tells the one in use. A blue-green one is
/// narrowed to the active hash there.
fn told_selector(live: &Value) -> String {
    let told = live.pointer("/status/selector").and_then(Value::as_str).unwrap_or_default();
    let parts = told.split(',').filter(|part| !part.starts_with(MARKS.hash));
    parts.collect::<Vec<_>>().join(",")
}

impl KindPlanner for Argo {
    fn kinds(&self) -> &'static [ControllerKind] {
        &[ControllerKind::Argo]
    }

    fn plan<'a>(&'a self, site: &'a Site, ask: &'a Ask) -> Boxed<'a, Result<Draft, Refusal>> {
        Box::pin(async move {
            let look = Look::at(site, &ask.target).await.map_err(refused)?;
            let mut draft = match &ask.operation {
                Operation::Pause => plan::pause(site, &look, ask).await,
                Operation::Resume => plan::resume(site, &look, ask).await,
                Operation::Promote => promote::promote(site, &look, ask).await,
                Operation::PromoteFull => plan::promote_full(site, &look, ask).await,
                Operation::Abort => plan::abort(site, &look, ask).await,
                Operation::Retry => plan::retry(site, &look).await,
                Operation::RollBack { to } => rollback::plan(site, &look, ask, to).await,
                Operation::SetWeight { .. } => Err(Refusal::new(
                    "the steps of a Rollout own its weight",
                    "promote it by a step, or edit the steps in its manifest",
                )),
            }?;
            draft.identity = look.identity;
            Ok(draft)
        })
    }

    fn ready<'a>(
        &'a self,
        site: &'a Site,
        plan: &'a Plan,
        n: usize,
        waited_s: f64,
    ) -> Boxed<'a, Result<Ready, Fault>> {
        Box::pin(effect::ready(site, plan, n, waited_s))
    }

    fn needless<'a>(
        &'a self,
        site: &'a Site,
        plan: &'a Plan,
        n: usize,
    ) -> Boxed<'a, Result<Option<String>, Fault>> {
        Box::pin(effect::needless(site, plan, n))
    }

    fn settled<'a>(&'a self, site: &'a Site, plan: &'a Plan, n: usize) -> Boxed<'a, Result<Settled, Fault>> {
        Box::pin(effect::settled(site, plan, n))
    }

    fn observe<'a>(&'a self, site: &'a Site, plan: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>> {
        Box::pin(checks::observe(site, plan))
    }
}
