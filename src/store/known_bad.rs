//! Which revisions were aborted while somebody looked: controllers themselves do not remember.

use std::collections::BTreeMap;

use crate::domain::{Phase, Rollout, Time};

/// Remembers what is aborted in `new`, and marks its revisions by what is remembered. A revision that has become
/// stable after all is forgotten.
pub(super) fn mark(known: &mut BTreeMap<String, String>, old: Option<&Rollout>, new: &mut Rollout, at: Time) {
    let aborted = new.phase == Phase::Aborted;
    // A first look does not know since when.
    let seen_before = old.is_some_and(|old| old.phase != Phase::Aborted);
    for revision in &mut new.revisions {
        if revision.is_stable {
            known.remove(&revision.hash);
        } else if aborted && revision.is_canary && !known.contains_key(&revision.hash) {
            let words =
                if seen_before { at.format("aborted %-d %b %H:%M").to_string() } else { "aborted".into() };
            known.insert(revision.hash.clone(), words);
        }
        if revision.known_bad.is_empty()
            && let Some(words) = known.get(&revision.hash)
        {
            revision.known_bad.clone_from(words);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Revision, Version};

    fn rollout(phase: Phase, stable: &str, canary: &str) -> Rollout {
        let revision = |hash: &str| Revision {
            hash: hash.into(),
            is_stable: hash == stable,
            is_canary: hash == canary,
            ..Revision::default()
        };
        Rollout {
            phase,
            revisions: ["a", "b", "c"].map(revision).to_vec(),
            ..Rollout::of("t", Version::new("1"))
        }
    }

    fn words(rollout: &Rollout) -> Vec<&str> {
        rollout.revisions.iter().map(|revision| revision.known_bad.as_str()).collect()
    }

    #[test]
    fn an_aborted_revision_stays_known_until_it_is_stable() {
        let at = Time::from_timestamp(1_800_000_000, 0).unwrap();
        let mut known = BTreeMap::new();
        let trial = rollout(Phase::Progressing, "a", "b");
        let mut aborted = rollout(Phase::Aborted, "a", "b");
        mark(&mut known, Some(&trial), &mut aborted, at);
        assert_eq!(words(&aborted), ["", "aborted 15 Jan 08:00", ""]);
        let mut next = rollout(Phase::Progressing, "a", "c");
        mark(&mut known, Some(&aborted), &mut next, at);
        assert_eq!(words(&next), ["", "aborted 15 Jan 08:00", ""], "also while another is tried");
        let mut promoted = rollout(Phase::Healthy, "b", "");
        mark(&mut known, Some(&next), &mut promoted, at);
        let mut later = rollout(Phase::Progressing, "b", "c");
        mark(&mut known, Some(&promoted), &mut later, at);
        assert_eq!(words(&later), ["", "", ""], "it was good after all");
        let mut first = rollout(Phase::Aborted, "a", "c");
        mark(&mut BTreeMap::new(), None, &mut first, at);
        assert_eq!(words(&first), ["", "", "aborted"], "a first look does not know since when");
    }
}
