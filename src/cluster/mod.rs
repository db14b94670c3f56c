//! Kubernetes objects as wardroom reads them: which kinds there are, what an object means as a rollout. The meaning is
//! pure; `connect` builds a client. The reading half (`sources`) and the writing half (`control`) share these, not
//! a socket.

pub mod argo;
pub mod autoscaler;
pub mod connect;
pub mod deployment;
mod duration;
pub mod flagger;
pub mod httproute;
pub mod inferenceservice;
pub mod kind;
pub mod kserve_knative;
pub mod kserve_standard;
pub mod ladder;
mod look;
pub mod owner;
#[cfg(test)]
mod recorded;
pub mod revisions;
pub mod route;
pub mod trouble;
pub mod virtualservice;

pub use connect::{connect, connect_to_watch, identity};
pub use kind::{Around, KINDS, Kind, Naming, Resource};
pub use look::percent;
