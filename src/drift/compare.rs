//! All features of two tables, by each method.

use super::assess::assess;
use super::assessed::Assessed;
use super::column::{Prepared, Reference};
use super::groups::Groups;
use super::method::Method;
use crate::domain::DriftLevel;
use crate::parallel;
use crate::stats::multiple::benjamini_hochberg;

/// Drift of all features.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// One entry a feature and method: in the reference's order, then those that only the current table
    /// has; of one feature in the methods' order.
    pub features: Vec<Assessed>,
}

/// Compares a table with a reference, all cores at work. The order does not depend on them.
pub fn compare(reference: &Reference, current: &[Prepared], methods: &[Method], groups: &Groups) -> Report {
    let by_name: std::collections::HashMap<&str, &Prepared> =
        current.iter().map(|column| (&*column.name, column)).collect();
    let known = reference.columns.iter().map(|r| (Some(r), by_name.get(&*r.name).copied()));
    let new = current.iter().filter(|x| reference.get(&x.name).is_none()).map(|x| (None, Some(x)));
    let pairs: Vec<_> = known.chain(new).collect();
    let of_feature = |(r, x): (Option<&Prepared>, Option<&Prepared>)| -> Vec<Assessed> {
        let name = r.or(x).map_or("", |column| &column.name);
        methods.iter().filter_map(|&method| assess(r, x, groups.of(name), method)).collect()
    };
    let mut features: Vec<Assessed> = parallel::map(pairs, of_feature).into_iter().flatten().collect();
    for &method in methods {
        adjust(&mut features, method);
    }
    Report { features }
}

/// Adjusts the p-values of one method for the number of features.
fn adjust(features: &mut [Assessed], method: Method) {
    let tested: Vec<(usize, f64)> = features
        .iter()
        .enumerate()
        .filter(|(_, said)| said.method == method)
        .filter_map(|(at, said)| Some((at, said.p_value?)))
        .collect();
    let p: Vec<f64> = tested.iter().map(|&(_, p)| p).collect();
    for (&(at, _), adjusted) in tested.iter().zip(benjamini_hochberg(&p)) {
        features[at].p_adjusted = Some(adjusted.clamp(0.0, 1.0));
    }
}

impl Report {
    /// Whether any feature has a score.
    pub fn is_computed(&self) -> bool {
        self.features.iter().any(|said| said.score.is_some())
    }

    /// The worst confirmed level; minimal when none is confirmed, `None` when nothing could be computed.
    pub fn level(&self) -> Option<DriftLevel> {
        let confirmed = self.features.iter().filter_map(Assessed::alerting).max();
        self.is_computed().then(|| confirmed.unwrap_or(DriftLevel::Minimal))
    }
}
