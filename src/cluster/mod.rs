//! Kubernetes objects as wardroom reads them: which kinds there are, what an object means as a rollout. The meaning is
//! pure; `connect` builds a client. The reading half (`sources`) and the writing half (`control`) share these, not
//! a socket.

pub mod connect;
pub mod kind;
pub mod trouble;

pub use connect::{connect, connect_to_watch, identity};
pub use kind::{Around, KINDS, Kind, Resource};
