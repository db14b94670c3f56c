//! The only room that writes to the world: plan → confirm → execute → verify → record.
//!
//! A [`Controller`] plans for one kind of rollout and sends what was planned; a [`Registry`] moves the
//! model registry along with it. Both send only through [`Sender`], which the engine calls after the journal has
//! the request on disk. Adding a controller is one new file and one line of registration.

pub mod automatic;
pub mod checks;
pub mod confirm;
pub mod controller;
mod crash;
mod desk;
mod doing;
pub mod engine;
mod execute;
pub mod haproxy;
pub mod http;
pub mod kubernetes;
pub mod parts;
mod planning;
mod recover;
pub mod register;
pub mod registry;
mod reply;
pub mod sight;
mod verify;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use fake::sample_plan;

pub use controller::{
    Ask, Boxed, Controller, Draft, Finding, Ready, Registry, RegistryDraft, Seen, Sender, Sent, Settled,
};
pub use engine::Engine;
pub use parts::{Clock, Fresh, Pace, Parts, ledger, random_names};
pub use sight::Sight;
