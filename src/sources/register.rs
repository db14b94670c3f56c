//! The one place where a kind of source is registered: one line each.

use std::collections::BTreeMap;

use super::{Source, canary, endpoint, files, mlflow, mlops, presets};
use crate::config::{Config, Preset};
use crate::domain::Fault;

type Build = fn(&Config, &BTreeMap<String, Preset>) -> Result<Vec<Box<dyn Source>>, Fault>;

const KINDS: &[Build] =
    &[endpoint::sources, mlflow::sources, files::sources, mlops::sources, canary::sources];

/// Every source that a config names.
///
/// # Errors
/// A source that cannot be set up, such as an unreadable CA file or secret.
pub fn build(config: &Config) -> Result<Vec<Box<dyn Source>>, Fault> {
    let catalogue = presets::catalogue(&config.preset);
    let mut sources = Vec::new();
    for kind in KINDS {
        sources.extend(kind(config, &catalogue)?);
    }
    Ok(sources)
}
