//! The adapters and the program against real servers. Run by `tests/live/run`, which starts them; the
//! variable `WARDROOM_LIVE` names the file with their addresses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

#[path = "../common/hands.rs"]
mod hands;
#[path = "../common/pty.rs"]
mod pty;

mod adapters;
mod argo;
mod broken;
#[allow(dead_code, reason = "helpers for several tests")]
mod cluster;
mod cost;
mod deployment;
mod desk;
mod drift;
mod drill;
mod driver;
mod expired;
mod flagger;
mod haproxy;
mod judging;
mod kserve;
mod kubernetes;
mod lab;
mod operator;
mod program;
mod ratios;
mod registry;
mod relay;
mod routes;
mod stage;
mod traffic;
mod untouched;
mod watching;
