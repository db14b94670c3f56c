//! The one place where a kind of source is made known: one line each.

use super::presets::{Catalogue, catalogue};
use super::{
    Source, alertmanager, canary, endpoint, files, haproxy, kubernetes, mlflow, mlops, prometheus, reports,
    samples,
};
use crate::config::Config;
use crate::domain::Fault;

/// Makes the sources of one kind from a config.
type Kind = fn(&Config, &Catalogue) -> Result<Vec<Box<dyn Source>>, Fault>;

/// Every kind of source, in the order of the header.
const KINDS: &[Kind] = &[
    prometheus::sources,
    mlflow::sources,
    files::sources,
    kubernetes::sources,
    canary::sources,
    haproxy::sources,
    mlops::sources,
    reports::sources,
    samples::sources,
    prometheus::feature_histograms::sources,
    alertmanager::sources,
    endpoint::sources,
];

/// Everything that a config wants polled. A server that is down is no fault here; a secret that is missing
/// or a CA file that cannot be read is.
pub fn build(config: &Config) -> Result<Vec<Box<dyn Source>>, Fault> {
    let catalogue = catalogue(&config.preset);
    let mut all = Vec::new();
    for kind in KINDS {
        all.extend(kind(config, &catalogue)?);
    }
    Ok(all)
}
