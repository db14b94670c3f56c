//! wardroom: a war room for model rollouts in a terminal.
//!
//! Data flows one way: [`sources`] turn answers of the world into observations, [`app`] puts them into
//! the [`store`], [`view`] draws the store, [`terminal`] shows the drawing. Keys go the other way. The
//! arrows between the rooms are held by `tests/architecture.rs`.

pub mod app;
pub mod checklist;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod control;
pub mod demo;
pub mod domain;
pub mod drift;
pub mod drill;
pub mod history;
pub mod judge;
mod parallel;
pub mod records;
pub mod report;
pub mod samples;
pub mod sources;
pub mod sqlite;
pub mod stats;
pub mod store;
pub mod tape;
pub mod terminal;
pub mod view;
