//! Model registries that are moved along with a rollout.

mod files;
mod mlflow;
#[cfg(test)]
mod tests;

use super::Registry;
use crate::config::Config;
use crate::domain::Fault;

/// Every configured registry, those that can be written first.
///
/// # Errors
/// A client that cannot be made: a CA file or a secret that cannot be read.
pub fn registries(config: &Config) -> Result<Vec<Box<dyn Registry>>, Fault> {
    let mut all: Vec<Box<dyn Registry>> = Vec::new();
    for one in &config.mlflow {
        all.push(Box::new(mlflow::Mlflow::new(config, one)?));
    }
    for one in &config.files {
        all.push(Box::new(files::Files::new(one)));
    }
    Ok(all)
}

/// The registry that is moved: the first one.
///
/// # Errors
/// As [`registries`].
pub fn registry(config: &Config) -> Result<Option<Box<dyn Registry>>, Fault> {
    Ok(registries(config)?.into_iter().next())
}
