//! Makes drift of features from a drift gauge. What the score means comes from its method label or from
//! the config, never from a guess.

use std::collections::{BTreeMap, BTreeSet};

use super::ask::Ask;
use super::group::Group;
use super::measure::Haul;
use super::wire::Line;
use crate::config::DriftPreset;
use crate::domain::text::clean_name;
use crate::domain::{DriftScale, Fact, FeatureDrift, Time};

/// One feature of one model: the line that says most about it.
type Chosen<'l> = BTreeMap<(usize, String), (FeatureDrift, &'l Line)>;

/// Drift now, one fact a model.
pub fn now(group: &Group, haul: &Haul) -> Vec<Fact> {
    let mut remarks = BTreeSet::new();
    let mut by_model: BTreeMap<usize, Vec<FeatureDrift>> = BTreeMap::new();
    for ((member, _), (feature, _)) in chosen(group, haul, &mut remarks) {
        by_model.entry(member).or_default().push(feature);
    }
    let drift = by_model.into_iter().map(|(member, features)| {
        let model = group.members[member].model.clone();
        Fact::Drift { model, features }
    });
    drift.chain(remarks.into_iter().map(Fact::Remark)).collect()
}

/// Drift of the past, one fact a feature.
pub fn history(group: &Group, haul: &Haul) -> Vec<Fact> {
    let all = chosen(group, haul, &mut BTreeSet::new()).into_iter();
    let fact = |((member, _), (feature, line)): ((usize, String), (FeatureDrift, &Line))| {
        let usable = line.points.iter().filter(|(_, value)| value.is_finite());
        let points: Vec<(Time, f64)> =
            usable.filter_map(|&(at, value)| Some((Time::from_timestamp_millis(at)?, value))).collect();
        let model = group.members[member].model.clone();
        (!points.is_empty()).then_some(Fact::DriftHistory { model, feature, points })
    };
    all.filter_map(fact).collect()
}

/// For each feature the line with the newest value, of equals the one of most concern.
fn chosen<'h>(group: &Group, haul: &'h Haul, remarks: &mut BTreeSet<String>) -> Chosen<'h> {
    let mut chosen = Chosen::new();
    let (Some(lines), Some(preset)) = (haul.get(&Ask::Drift), &group.preset.drift) else { return chosen };
    for line in lines {
        let scale = match scale(preset, line) {
            Ok(scale) => scale,
            Err(remark) => {
                remarks.insert(remark);
                continue;
            }
        };
        let Some(feature) = feature(preset, line, scale) else { continue };
        for owner in group.owners(&line.labels, false) {
            let name = feature.feature.to_string();
            let better = chosen.get(&(owner, name.clone())).is_none_or(|(old, _)| {
                feature.at > old.at || feature.at == old.at && feature.concern() > old.concern()
            });
            if better {
                chosen.insert((owner, name), (feature.clone(), line));
            }
        }
    }
    chosen
}

fn feature(preset: &DriftPreset, line: &Line, scale: DriftScale) -> Option<FeatureDrift> {
    let name =
        preset.feature.iter().find_map(|label| line.labels.get(label)).filter(|name| !name.is_empty())?;
    let &(at, raw) = line.points.iter().rev().find(|(_, value)| value.is_finite())?;
    let group = line.labels.get(&preset.group).map(String::as_str).unwrap_or_default();
    Some(FeatureDrift {
        threshold: preset.threshold,
        ..FeatureDrift::new(clean_name(name), clean_name(group), raw, scale, Time::from_timestamp_millis(at)?)
    })
}

fn scale(preset: &DriftPreset, line: &Line) -> Result<DriftScale, String> {
    let method = line.labels.get(&preset.method).filter(|method| !method.is_empty());
    let told = method.and_then(|method| DriftScale::from_method(method));
    told.or(preset.scale).ok_or_else(|| {
        let metric = line.labels.get("__name__").map(|name| clean_name(name)).unwrap_or_default();
        match method {
            Some(method) => format!(
                "{metric}: the drift method `{}` is not known; say what it means with preset.<kind>.drift.scale",
                clean_name(method)
            ),
            None => format!(
                "{metric} has no label `{}`: a p-value and a distance point opposite ways, so it is not shown; \
                 say what it means with preset.<kind>.drift.scale",
                preset.method
            ),
        }
    })
}
