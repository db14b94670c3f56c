//! Kubernetes objects as wardroom reads them: which kinds there are, what an object means as a rollout. The meaning is
//! pure; `connect` builds a client. The reading half (`sources`) and the writing half (`control`) share these, not
//! a socket.

pub mod kind;

pub use kind::{Around, KINDS, Kind, Resource};
