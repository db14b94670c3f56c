//! What is wrong with a config, with its place and a remedy.

/// One clear message: what, where, and what to do. The program ends with exit code 2 (3 for `check`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}\n  {remedy}")]
pub struct ConfigError {
    /// File, line and key: `wardroom.toml:12, model.kind`.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl ConfigError {
    /// An error at a place.
    pub fn new(place: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into(), remedy: remedy.into() }
    }
}
