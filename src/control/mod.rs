//! The only room that writes to the world: plan → confirm → execute → verify → record.
//!
//! A [`Controller`] plans for one kind of rollout and sends what was planned; a [`Registry`] moves the
//! model registry along with it. Both send only through [`Sender`], which the engine calls after the journal has
//! the request on disk. Adding a controller is one new file and one line of registration.

pub mod controller;
pub mod haproxy;
pub mod kubernetes;

pub use controller::{
    Ask, Boxed, Controller, Draft, Finding, Ready, Registry, RegistryDraft, Seen, Sender, Sent, Settled,
};
