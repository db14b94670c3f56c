//! Counts for the header: models by level, sources by group.

use super::Store;
use crate::domain::{AlertState, Freshness, Level, SourceGroup, Time};

/// How many models stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Models with something critical.
    pub critical: usize,
    /// Models with a warning.
    pub warning: usize,
    /// Models of which something is unknown or stale.
    pub unknown: usize,
    /// Models that are well, and those below target.
    pub ok: usize,
    /// Models that nothing has measured.
    pub not_measured: usize,
    /// Models with a live canary.
    pub canaries: usize,
    /// Canaries that wait for a person.
    pub waiting: usize,
    /// Firing alerts that nobody silenced.
    pub alerts: usize,
}

/// How one group of sources stands.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupHealth {
    /// The group.
    pub group: SourceGroup,
    /// The source's name, or the group's word when it holds several.
    pub name: String,
    /// How many sources answer.
    pub live: usize,
    /// How many there are.
    pub total: usize,
    /// Age of the newest answer, seconds.
    pub age_s: Option<f64>,
    /// The sources in trouble: name, word, age in seconds.
    pub trouble: Vec<(String, &'static str, Option<f64>)>,
}

impl Store {
    /// Counts the models.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for model in &self.models {
            match model.level {
                Level::Critical => tally.critical += 1,
                Level::Warning => tally.warning += 1,
                Level::Unknown => tally.unknown += 1,
                Level::Ok | Level::BelowTarget => tally.ok += 1,
                Level::NotMeasured => tally.not_measured += 1,
            }
            if let Some((_, rollout)) = model.canary() {
                tally.canaries += 1;
                tally.waiting += usize::from(rollout.waits);
            }
        }
        tally.alerts =
            self.alerts.values().flatten().filter(|alert| alert.state == AlertState::Firing).count();
        tally
    }

    /// The sources for the header: endpoints as one group, every other source by itself.
    pub fn groups(&self, now: Time) -> Vec<GroupHealth> {
        let mut groups: Vec<GroupHealth> = Vec::new();
        for source in &self.sources {
            let collected = source.info.group == SourceGroup::Endpoints;
            let place = groups.iter().position(|g| collected && g.group == source.info.group);
            let place = place.unwrap_or_else(|| {
                let name = if collected { "endpoints".into() } else { source.info.id.to_string() };
                let group = source.info.group;
                groups.push(GroupHealth { group, name, live: 0, total: 0, age_s: None, trouble: Vec::new() });
                groups.len() - 1
            });
            let group = &mut groups[place];
            group.total += 1;
            let freshness = source.freshness(now);
            let age = source.seen.map(|seen| (now - seen).as_seconds_f64().max(0.0));
            group.age_s = match (group.age_s, age) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            match (&source.fault, freshness) {
                (Some(fault), _) => {
                    group.trouble.push((source.info.id.to_string(), fault.kind.word(), source.age_s(now)));
                }
                (None, Freshness::Stale) => {
                    group.trouble.push((source.info.id.to_string(), "stale", source.age_s(now)));
                }
                (None, Freshness::Live | Freshness::Late) => group.live += 1,
                (None, Freshness::Never) => {}
            }
        }
        groups
    }
}
