//! Where a drill takes place: who deploys, breaks, tests and cleans up. The operator never sees this side.

pub mod cluster;
pub mod demo;
mod function;
mod production;

use std::future::Future;
use std::pin::Pin;

use super::scenario::Scenario;
use crate::config::Config;
use crate::domain::{ModelId, Version};
use crate::store::Store;

/// What a stage does takes time.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// A place for drills.
pub trait Stage: Send + Sync {
    /// `demo`, or CONTEXT/NAMESPACE.
    fn name(&self) -> String;

    /// The settings of the room that watches it.
    fn config(&self) -> &Config;

    /// The model that the drill is on.
    fn model(&self) -> ModelId;

    /// The version that serves, and the one that is tried.
    fn versions(&self) -> (Version, Version);

    /// How long pods may take to start here, seconds: every wait for them is so much longer.
    fn pods_start_s(&self) -> f64 {
        0.0
    }

    /// What is needed to clean up after a crash; written to disk before anything is deployed.
    fn undo(&self) -> serde_json::Value;

    /// Whether the room knows enough to go on, `waited_s` after the last step; what is missing, in words.
    ///
    /// # Errors
    /// What is waited for.
    fn is_ready(
        &self,
        scenario: Scenario,
        store: &Store,
        deployed: bool,
        waited_s: f64,
    ) -> Result<(), String>;

    /// Deploys the test version.
    fn deploy(&self, scenario: Scenario) -> Doing<'_, ()>;

    /// Breaks it.
    fn inject(&self, scenario: Scenario) -> Doing<'_, ()>;

    /// Whether the model answers with the version from before, and rightly; what was seen, in words.
    fn function_test(&self) -> Doing<'_, String>;

    /// Puts everything back. May be called at any moment, and again.
    fn clean_up(&self) -> Doing<'_, ()>;

    /// Whether nothing of the drill is left.
    fn is_clean(&self) -> Doing<'_, ()>;

    /// What a drill on this stage does not prove.
    fn limits(&self, scenario: Scenario) -> Vec<String>;
}

/// Cleans up after a drill that was killed, by what it had written down; says what was done.
///
/// # Errors
/// What is in the way.
pub async fn undo(written: &serde_json::Value) -> Result<String, String> {
    match written["kind"].as_str() {
        Some("demo") => Ok(demo::undo(written)),
        Some("cluster") => cluster::undo(written).await,
        // It was cut off before it had written, so before it did anything.
        _ if written.is_null() => Ok("it had not begun".into()),
        _ => Err("it was written by another version of wardroom".into()),
    }
}
