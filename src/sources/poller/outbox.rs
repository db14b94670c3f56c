//! Reports that wait while the reader is busy: one for each source, the newest.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::domain::{Fact, ModelId, Report};

/// Waiting reports by the number of their source.
#[derive(Debug, Default)]
pub struct Outbox {
    order: VecDeque<usize>,
    waiting: HashMap<usize, Report>,
}

impl Outbox {
    /// Lets a report wait. An older one of the same source gives way, but what is told only once (past
    /// values, remarks) is carried over.
    pub fn put(&mut self, source: usize, mut report: Report) {
        match self.waiting.remove(&source) {
            Some(old) => carry(&old, &mut report),
            None => self.order.push_back(source),
        }
        self.waiting.insert(source, report);
    }

    /// The report that has waited longest.
    pub fn take(&mut self) -> Option<Report> {
        let source = self.order.pop_front()?;
        self.waiting.remove(&source)
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

fn carry(old: &Report, new: &mut Report) {
    let (Ok(old), Ok(new)) = (&old.outcome, &mut new.outcome) else { return };
    let of_rollout = |fact: &Fact| match fact {
        Fact::Rollout { model, .. } | Fact::RolloutGone { model, .. } => Some(model.clone()),
        _ => None,
    };
    let newer: HashSet<ModelId> = new.facts.iter().filter_map(of_rollout).collect();
    let once = |fact: &&Fact| match fact {
        Fact::History { .. } | Fact::DriftHistory { .. } | Fact::Remark(_) => true,
        // A watch tells of a change once; of a model that the new report is silent about this is the newest word.
        fact => of_rollout(fact).is_some_and(|model| !newer.contains(&model)),
    };
    let mut facts: Vec<Fact> = old.facts.iter().filter(once).cloned().collect();
    if !facts.is_empty() {
        let harvest = Arc::make_mut(new);
        facts.append(&mut harvest.facts);
        harvest.facts = facts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Harvest, Rollout, SourceId, Time, Version};

    fn report(source: &str, epoch: u64, words: &[&str]) -> Report {
        let facts = words.iter().map(|word| Fact::Remark((*word).into())).collect();
        let (source, at) = (SourceId::new(source), Time::from_timestamp(0, 0).unwrap());
        Report { epoch, source, at, took_ms: 0.0, outcome: Ok(Arc::new(Harvest::of(facts))) }
    }

    #[test]
    fn a_change_that_was_told_once_is_carried_over() {
        let rollout = |model: &str, stable: &str| Fact::Rollout {
            model: ModelId::new("t", model),
            rollout: Rollout::of("argo", Version::new(stable)).into(),
        };
        let with = |facts| Report { outcome: Ok(Arc::new(Harvest::of(facts))), ..report("eu", 1, &[]) };
        let mut outbox = Outbox::default();
        outbox.put(0, with(vec![rollout("als", "1"), rollout("sepsis", "1")]));
        outbox.put(0, with(vec![rollout("sepsis", "2")]));
        let facts = outbox.take().unwrap().outcome.unwrap().facts.clone();
        assert_eq!(facts, [rollout("als", "1"), rollout("sepsis", "2")]);
    }

    #[test]
    fn the_newest_of_each_source_wins_and_keeps_its_place() {
        let mut outbox = Outbox::default();
        outbox.put(0, report("a", 1, &["once"]));
        outbox.put(1, report("b", 1, &[]));
        outbox.put(0, report("a", 2, &[]));
        let first = outbox.take().unwrap();
        assert_eq!((first.source, first.epoch), (SourceId::new("a"), 2));
        assert_eq!(first.outcome.unwrap().facts, [Fact::Remark("once".into())]);
        assert_eq!(outbox.take().unwrap().source, SourceId::new("b"));
        assert!(outbox.take().is_none() && outbox.is_empty());
    }
}
