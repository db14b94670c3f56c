//! Drift gauges, one series a feature; refuses to guess which way a score points.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Plan;
use super::subject::Subject;
use crate::domain::text::{clean, clean_name};
use crate::domain::{DriftScale, Fact, FeatureDrift, Time};
use crate::sources::exposition::Page;

/// More features than this are cut.
const MOST_FEATURES: usize = 5_000;

/// The drift of one model's features, from the first entry whose metric is on the page.
pub fn facts(subject: &Subject, plan: &Plan<'_>, page: &Page<'_>, now: Time) -> Vec<Fact> {
    let mut worst: BTreeMap<String, FeatureDrift> = BTreeMap::new();
    let mut refused: BTreeSet<String> = BTreeSet::new();
    for kind in &plan.kinds {
        let Some(spec) = &kind.preset.drift else { continue };
        let on_page = |metric: &&String| page.samples.iter().any(|sample| sample.name == **metric);
        let Some(metric) = spec.metric.iter().find(on_page) else { continue };
        for sample in page.samples.iter().filter(|sample| sample.name == *metric && sample.value.is_finite())
        {
            let Some(feature) = spec.feature.iter().find_map(|label| sample.label(label)) else { continue };
            if !subject.owns(&kind.preset, sample) || worst.len() >= MOST_FEATURES {
                continue;
            }
            let method = sample.label(&spec.method);
            let Some(scale) = method.and_then(DriftScale::from_method).or(spec.scale) else {
                refused.insert(match method {
                    Some(method) => format!("{metric}: drift by `{method}`, which is no known method"),
                    None => format!("{metric}: no label `{}` tells the method", spec.method),
                });
                continue;
            };
            let drift = FeatureDrift {
                threshold: spec.threshold,
                ..FeatureDrift::new(
                    clean_name(feature),
                    clean_name(sample.label(&spec.group).unwrap_or_default()),
                    sample.value,
                    scale,
                    now,
                )
            };
            let kept = worst.entry(feature.to_owned()).or_insert_with(|| drift.clone());
            if drift.concern() > kept.concern() {
                *kept = drift;
            }
        }
        break;
    }
    let advice = "whether low or high means drift is not guessed; set the preset's `drift.scale`";
    let mut facts: Vec<Fact> = refused
        .into_iter()
        .take(3)
        .map(|why| Fact::Remark(clean(&format!("{why}: {advice}"), 400)))
        .collect();
    if !worst.is_empty() {
        facts.push(Fact::Drift { model: subject.model.clone(), features: worst.into_values().collect() });
    }
    facts
}
