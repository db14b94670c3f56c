//! Looks around once a minute: which metrics exist, which kinds they betray, how often they are scraped.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::StreamExt;
use futures_util::stream;

use super::api::Api;
use super::ask::{Names, Query, candidates, queries};
use super::group::{Group, Watched, groups};
use super::own::is_of_query;
use super::query::any_of;
use super::wire::{Targets, duration};
use crate::domain::text::clean_name;
use crate::domain::{Fact, Fault};
use crate::sources::presets::Catalogue;

/// How many queries one Prometheus gets at a time.
pub const AT_ONCE: usize = 4;

/// A group with what was found out about it.
#[derive(Debug, Clone)]
pub struct Surveyed {
    /// The group.
    pub group: Group,
    /// How often its targets are scraped, seconds.
    pub scrape_s: f64,
    /// The window of its rates, at least four scrapes.
    pub window_s: u32,
    /// What is asked of it.
    pub queries: Vec<Query>,
}

/// What a look around found.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The groups that have metrics.
    pub groups: Vec<Surveyed>,
    /// What an operator should know.
    pub remarks: Vec<Fact>,
}

/// What the survey needs to know beforehand.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The configured window, seconds.
    pub window_s: f64,
    /// The scrape interval where targets do not tell it.
    pub scrape_s: Option<f64>,
}

/// Looks around.
pub async fn survey(
    api: &Api,
    models: &[Watched],
    catalogue: &Catalogue,
    terms: Terms,
    now_s: f64,
) -> Result<Survey, Fault> {
    let mut remarks = Vec::new();
    let targets = match api.targets().await {
        Ok(targets) => targets,
        Err(fault) if is_of_query(&fault) => {
            remarks.push(Fact::Remark(format!("scrape intervals are not known, 15 s assumed: {fault}")));
            Targets::default()
        }
        Err(fault) => return Err(fault),
    };
    remarks.extend(down(&targets));
    let kinds = recognise(api, models, catalogue, now_s, &mut remarks).await?;
    let all = groups(models, catalogue, |select| kinds.get(select).cloned().unwrap_or_default());
    let intervals = intervals(&targets);
    let mut looks = Vec::new();
    for group in all {
        looks.push(look(api, group, &intervals, terms, now_s));
    }
    let found: Vec<Result<Surveyed, Fault>> = stream::iter(looks).buffered(AT_ONCE).collect().await;
    let mut surveyed = Vec::new();
    for one in found {
        let one = one?;
        if one.queries.is_empty() {
            let Group { kind, select, .. } = &one.group;
            remarks.push(Fact::Remark(format!("no metric of kind {kind}{}", place(select))));
        } else {
            surveyed.push(one);
        }
    }
    Ok(Survey { groups: surveyed, remarks })
}

/// The kinds that the metrics of each selection betray, the most telling first, for models without preset.
async fn recognise(
    api: &Api,
    models: &[Watched],
    catalogue: &Catalogue,
    now_s: f64,
    remarks: &mut Vec<Fact>,
) -> Result<BTreeMap<String, Vec<String>>, Fault> {
    let unknown = models.iter().filter(|model| model.at.preset.is_empty() && model.at.queries.is_empty());
    let selects: BTreeSet<&str> = unknown.map(|model| model.at.select.as_str()).collect();
    let mut kinds = BTreeMap::new();
    for select in selects {
        let names = match api.values("__name__", &braced(select), now_s).await {
            Ok(names) => names,
            Err(fault) if is_of_query(&fault) => {
                remarks
                    .push(Fact::Remark(format!("server kinds cannot be recognised, name a preset: {fault}")));
                HashSet::new()
            }
            Err(fault) => return Err(fault),
        };
        let mut found: Vec<String> = catalogue
            .iter()
            .filter(|(_, preset)| !preset.detect.is_empty())
            .filter(|(_, preset)| preset.detect.iter().all(|name| names.contains(name)))
            .map(|(kind, _)| kind.clone())
            .collect();
        found.sort_by_key(|kind| {
            std::cmp::Reverse(catalogue.get(kind).map_or(0, |preset| preset.detect.len()))
        });
        let said =
            if found.is_empty() { "no server kind: name a preset".to_owned() } else { found.join(", ") };
        remarks.push(Fact::Remark(format!("metrics{} recognised as {said}", place(select))));
        kinds.insert(select.to_owned(), found);
    }
    Ok(kinds)
}

fn braced(select: &str) -> String {
    let bare = select.trim().trim_start_matches('{').trim_end_matches('}');
    if bare.is_empty() { String::new() } else { format!("{{{bare}}}") }
}

async fn look(
    api: &Api,
    group: Group,
    intervals: &BTreeMap<String, f64>,
    terms: Terms,
    now_s: f64,
) -> Result<Surveyed, Fault> {
    let wanted = candidates(&group);
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let matcher = any_of(&wanted, &[&group.select]);
    // Without a list of names everything is asked, and what is not there answers nothing.
    let names: Names = known(api.values("__name__", &matcher, now_s).await)?;
    let jobs = match names.as_ref().is_some_and(HashSet::is_empty) {
        true => None,
        false => known(api.values("job", &matcher, now_s).await)?,
    };
    let jobs = jobs.unwrap_or_default();
    let slowest = jobs.iter().filter_map(|job| intervals.get(job)).copied().reduce(f64::max);
    let scrape_s = slowest.or(terms.scrape_s).unwrap_or(15.0);
    // A cast saturates, and spans of a config are at most ten years.
    let window_s = terms.window_s.max(4.0 * scrape_s).ceil() as u32;
    let queries = queries(&group, &names, window_s, scrape_s.ceil() as u32);
    Ok(Surveyed { group, scrape_s, window_s, queries })
}

/// What is found out, or nothing when the server refuses to tell; a silent server is a fault.
fn known<T>(outcome: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(fault) if is_of_query(&fault) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// ` where {…}`, nothing for all series.
fn place(select: &str) -> String {
    let braced = braced(select);
    if braced.is_empty() { braced } else { format!(" where {braced}") }
}

/// The longest scrape interval of each job.
fn intervals(targets: &Targets) -> BTreeMap<String, f64> {
    let mut all: BTreeMap<String, f64> = BTreeMap::new();
    for target in &targets.active {
        if let (Some(job), Some(interval)) = (target.labels.get("job"), duration(&target.scrape_interval)) {
            let entry = all.entry(job.clone()).or_default();
            *entry = entry.max(interval);
        }
    }
    all
}

/// One sentence for each job with targets that do not answer.
fn down(targets: &Targets) -> Vec<Fact> {
    let mut jobs: BTreeMap<&str, (usize, usize, &str)> = BTreeMap::new();
    for target in &targets.active {
        let job = target.labels.get("job").map(String::as_str).unwrap_or_default();
        let entry = jobs.entry(job).or_default();
        entry.1 += 1;
        if target.health == "down" {
            entry.0 += 1;
            entry.2 = &target.last_error;
        }
    }
    let silent = jobs.into_iter().filter(|(_, (down, _, _))| *down > 0);
    silent
        .map(|(job, (down, all, error))| {
            let error = crate::domain::text::excerpt(error);
            Fact::Remark(format!(
                "{down} of {all} targets of {} do not answer scrapes: {error}",
                clean_name(job)
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::prometheus::wire::Envelope;

    #[test]
    fn recorded_targets_tell_intervals_and_silence() {
        let body = include_str!("../../../fixtures/prometheus/targets-hung.json");
        let envelope: Envelope<Targets> = serde_json::from_str(body).unwrap();
        let targets = envelope.data().unwrap();
        assert_eq!(intervals(&targets)["mlserver"], 5.0);
        let Fact::Remark(text) = &down(&targets)[0] else { panic!() };
        assert!(text.contains("mlserver") && text.contains("context deadline exceeded"), "{text}");
    }

    #[test]
    fn selections_are_braced_once() {
        assert_eq!(braced("{job=\"a\"}"), "{job=\"a\"}");
        assert_eq!(braced("job=\"a\""), "{job=\"a\"}");
        assert_eq!(braced(" "), "");
    }
}
