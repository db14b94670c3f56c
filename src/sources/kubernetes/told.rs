//! What the room was told of each rollout, and what is to be told now.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::board::{Board, Seen};
use super::wanted::{Scope, Wanted};
use crate::cluster::deployment;
use crate::cluster::kind::Naming;
use crate::domain::text::clean;
use crate::domain::{Fact, FaultKind, Rollout, Situation, SourceId, Target, Time};
use crate::sources::remarks::Remarks;

/// How long a promotion may be on its way before it is called lost.
const DIGESTION: Duration = Duration::from_secs(3);

/// The memory of one cluster's rollouts.
pub struct Told {
    system: SourceId,
    context: Arc<str>,
    naming: Naming,
    rollouts: HashMap<usize, Rollout>,
    /// Since when a promotion seems lost.
    lost: HashMap<usize, Instant>,
    later: Vec<(usize, Duration)>,
    remarks: Remarks,
}

impl Told {
    /// Nothing was told yet.
    pub fn new(system: SourceId, context: &str, version_from: &str, ladder: &[f64]) -> Self {
        Self {
            system,
            context: context.into(),
            naming: Naming { version_from: version_from.to_owned(), ladder: ladder.to_vec() },
            rollouts: HashMap::new(),
            lost: HashMap::new(),
            later: Vec::new(),
            remarks: Remarks::default(),
        }
    }

    /// The facts: what changed, or all when the `whole` is asked for (a report may have been lost).
    pub fn facts(&mut self, board: &Board, whole: bool, now: Time) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut seen = board.seen();
        let mut again = std::mem::take(&mut seen.dirty);
        seen.taken += 1;
        if whole {
            // What a clock changes, no event tells.
            again.extend(
                self.rollouts.iter().filter(|(_, rollout)| rollout.until.is_some()).map(|(index, _)| *index),
            );
        }
        let mut changed = Vec::new();
        for index in again {
            let Some(wanted) = board.wants.all.get(index) else { continue };
            if !is_listed(&seen, wanted) {
                continue;
            }
            match self.read(&seen, index, wanted, now) {
                Some(rollout) => {
                    if self.rollouts.get(&index) != Some(&rollout) {
                        self.rollouts.insert(index, rollout);
                        changed.push(index);
                    }
                }
                None => {
                    if self.rollouts.remove(&index).is_some() {
                        facts.push(Fact::RolloutGone { model: wanted.model.clone(), what: wanted.what() });
                    }
                }
            }
        }
        let remarks = self.troubles(&seen, board);
        drop(seen);
        let told: Vec<usize> = if whole { self.rollouts.keys().copied().collect() } else { changed };
        facts.extend(told.into_iter().filter_map(|index| {
            let (wanted, rollout) = (board.wants.all.get(index)?, self.rollouts.get(&index)?);
            Some(Fact::Rollout { model: wanted.model.clone(), rollout: rollout.clone().into() })
        }));
        facts.extend(remarks.into_iter().map(Fact::Remark));
        self.remarks.only_new(facts)
    }

    /// Rollouts to look at again after a while.
    pub fn later(&mut self) -> Vec<(usize, Duration)> {
        std::mem::take(&mut self.later)
    }

    fn read(&mut self, seen: &Seen, index: usize, wanted: &Wanted, now: Time) -> Option<Rollout> {
        let object = seen.around.get(wanted.kind.resource().plural, &wanted.namespace, &wanted.name)?;
        let mut rollout = wanted.kind.read(object, &seen.around, &self.naming, now)?;
        rollout.target = Some(Target {
            system: self.system.clone(),
            kind: wanted.kind.controller_of(object),
            context: Arc::clone(&self.context),
            namespace: Arc::clone(&wanted.namespace),
            name: Arc::clone(&wanted.name),
        });
        if rollout.situation != Situation::PromotionLost {
            self.lost.remove(&index);
            return Some(rollout);
        }
        // Every promotion looks like this for a moment.
        let since = *self.lost.entry(index).or_insert_with(Instant::now);
        let left = DIGESTION.saturating_sub(since.elapsed());
        if !left.is_zero() {
            self.later.push((index, left));
            rollout.situation = Situation::Progressing;
            rollout.phase = rollout.situation.phase();
            rollout.waits = false;
            rollout.message = "the promotion was accepted; the controller takes it up".into();
        }
        Some(rollout)
    }

    /// What cannot be seen, and what to do.
    fn troubles(&self, seen: &Seen, board: &Board) -> Vec<String> {
        let mut remarks = board.wants.outside.clone();
        for watch in seen.watches.iter().filter(|watch| !watch.replaced) {
            let Some((code, fault)) = &watch.fault else { continue };
            let resource = &watch.resource;
            let group = if resource.group.is_empty() { "core" } else { resource.group };
            let primary = board.wants.is_primary(resource);
            match code {
                Some(404) if primary => remarks.push(format!(
                    "the server knows no {} of {group}: install that controller, or correct rollout.kind of its models",
                    resource.plural
                )),
                // Companions of controllers that this cluster does not have.
                Some(404) => {}
                Some(403) if !primary => remarks.push(format!(
                    "{} in {}: may not be listed, so what they tell is missing",
                    resource.plural, watch.scope
                )),
                _ if primary || fault.kind == FaultKind::Denied => remarks.push(fault.to_string()),
                _ => {}
            }
        }
        for (index, wanted) in board.wants.all.iter().enumerate() {
            if self.rollouts.contains_key(&index) || !is_listed(seen, wanted) {
                continue;
            }
            let object = seen.around.get(wanted.kind.resource().plural, &wanted.namespace, &wanted.name);
            let what = wanted.what();
            remarks.push(match object {
                None => format!("{what}: not there; correct rollout.name and namespace of {}", wanted.model),
                Some(object) if wanted.kind.word() == "deployment" => {
                    let mover = deployment::moved_by(object, &seen.around)
                        .unwrap_or_else(|| "another controller".into());
                    format!("{what}: {mover} moves it; name that one in [model.rollout] of {}", wanted.model)
                }
                Some(_) => format!("{what}: it does not split traffic between two versions"),
            });
        }
        remarks.into_iter().map(|remark| clean(&remark, 300)).collect()
    }
}

/// Whether the objects of this kind are known there.
fn is_listed(seen: &Seen, wanted: &Wanted) -> bool {
    let resource = wanted.kind.resource();
    let covers = |scope: &Scope| match scope {
        Scope::All => true,
        Scope::In(namespace) => *namespace == wanted.namespace,
    };
    seen.watches.iter().any(|watch| watch.resource == resource && watch.synced && covers(&watch.scope))
}
