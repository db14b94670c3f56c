//! Acts on KServe InferenceServices. Nothing advances by itself there: wardroom is the stepper in both modes.

mod knative;
mod standard;
#[cfg(test)]
mod tests;

use super::object::Place;
use super::{KindPlanner, Site};
use crate::cluster::inferenceservice::INFERENCE_SERVICE;
use crate::cluster::ladder;
use crate::control::{Ask, Boxed, Draft, Finding};
use crate::domain::act::{Operation, Plan, Refusal};
use crate::domain::{ControllerKind, Fault, Target};

/// Until when KServe should have followed, seconds.
const WITHIN: f64 = 60.0;

/// Plans for InferenceServices in Knative mode.
pub struct KserveKnative;

/// Plans for InferenceServices in Standard mode.
pub struct KserveStandard;

fn place(target: &Target) -> Place {
    Place::new(INFERENCE_SERVICE, &target.namespace, &target.name)
}

/// The percent that stepping leads to from here.
fn stepped(operation: &Operation, now: f64, ladder: &[f64]) -> Result<i64, Refusal> {
    let next = |from: f64| {
        let next = ladder::next(ladder, from);
        next.ok_or_else(|| Refusal::new("all traffic is asked for already", "promote --full ends the canary"))
    };
    match operation {
        Operation::Retry => super::share::whole(next(0.0)?.round()),
        Operation::SetWeight { percent } => super::share::whole(*percent),
        _ => super::share::whole(next(now)?.round()),
    }
}

fn no_such(operation: &Operation) -> Refusal {
    Refusal::new(
        format!("KServe has no {}: nothing advances by itself", operation.verb()),
        "the weight stays where it is until it is told",
    )
}

impl KindPlanner for KserveKnative {
    fn kinds(&self) -> &'static [ControllerKind] {
        &[ControllerKind::KserveKnative]
    }

    fn plan<'a>(&'a self, site: &'a Site, ask: &'a Ask) -> Boxed<'a, Result<Draft, Refusal>> {
        Box::pin(knative::plan(site, ask))
    }

    fn observe<'a>(&'a self, site: &'a Site, plan: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>> {
        Box::pin(knative::observe(site, plan))
    }
}

impl KindPlanner for KserveStandard {
    fn kinds(&self) -> &'static [ControllerKind] {
        &[ControllerKind::KserveStandard]
    }

    fn plan<'a>(&'a self, site: &'a Site, ask: &'a Ask) -> Boxed<'a, Result<Draft, Refusal>> {
        Box::pin(standard::plan(site, ask))
    }

    fn observe<'a>(&'a self, site: &'a Site, plan: &'a Plan) -> Boxed<'a, Result<Vec<Finding>, Fault>> {
        Box::pin(standard::observe(site, plan))
    }
}
