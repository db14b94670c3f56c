//! What the planners of Flagger, KServe and routes share: reading around an object, its state, drafts.

use serde_json::Value;

use super::object::{Objects, Place};
use super::owner::Owned;
use super::{Site, refused};
use crate::cluster::{Around, Kind, Naming};
use crate::control::{Ask, Draft, Finding, Seen};
use crate::domain::act::{Beware, CheckPlan, Known, Refusal};
use crate::domain::{Fault, FaultKind, Level, Revision, Rollout, Version};

/// A check of a plan.
pub(super) fn check(id: &str, words: impl Into<String>, needed: bool, within_s: f64) -> CheckPlan {
    CheckPlan { id: id.into(), words: words.into(), needed, within_s }
}

/// A warning.
pub(super) fn beware(level: Level, text: impl Into<String>) -> Beware {
    Beware { level, text: text.into() }
}

/// What a check sees: it holds, or not yet.
pub(super) fn finding(id: &str, holds: bool, detail: impl Into<String>) -> Finding {
    Finding { id: id.into(), seen: if holds { Seen::Yes } else { Seen::NotYet }, detail: detail.into() }
}

/// How revisions are named here, and by what ladder.
pub(super) fn naming(site: &Site) -> Naming {
    Naming { version_from: site.cluster.version_from.clone(), ladder: site.cluster.ladder.clone() }
}

/// Objects by their places; those that are absent are left out.
///
/// # Errors
/// What is wrong with the server.
pub(super) async fn around(objects: &Objects, places: &[Place]) -> Result<Around, Fault> {
    let mut around = Around::default();
    let reads = futures_util::future::join_all(
        places.iter().map(|place| async move { (place, objects.get(&place.path()).await) }),
    );
    for (place, read) in reads.await {
        match read {
            Ok(object) => {
                around.put(place.resource.plural, &place.namespace, &place.name, object.into());
            }
            Err(fault) if fault.kind == FaultKind::Absent => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(around)
}

/// The object means this rollout now; a refusal when it is none, or when the act cannot be done in its state.
///
/// # Errors
/// The refusal.
pub(super) fn stand(
    kind: &dyn Kind,
    live: &Value,
    around: &Around,
    site: &Site,
    ask: &Ask,
) -> Result<Rollout, Refusal> {
    let Some(mut rollout) = kind.read(live, around, &naming(site), ask.now) else {
        let why = format!("{} is no rollout of this kind any more", ask.target);
        return Err(Refusal::new(why, "look at the object"));
    };
    rollout.target = Some(ask.target.clone());
    match rollout.refuses(&ask.operation) {
        None => Ok(rollout),
        Some(why) => {
            let (why, instead) = why.split_once("; ").unwrap_or((why.as_str(), "nothing was sent"));
            Err(Refusal::new(why, instead))
        }
    }
}

/// The live object.
///
/// # Errors
/// Why it cannot be read.
pub(super) async fn live(site: &Site, place: &Place) -> Result<Value, Refusal> {
    site.objects.get(&place.path()).await.map_err(refused)
}

/// Whether a revision is the one that the operator named: by version, name or hash.
pub(super) fn is_named(revision: &Revision, name: &Version) -> bool {
    revision.version.as_ref() == Some(name)
        || revision.name() == name.as_str()
        || revision.hash == name.as_str()
}

/// A draft with what every draft says: who we are, and who puts spec fields back.
pub(super) async fn draft(
    site: &Site,
    ask: &Ask,
    live: &Value,
    before: String,
    after: String,
    facts: Vec<Known>,
) -> Draft {
    let mut beware = Vec::new();
    if let Some(owner) = Owned::by(live) {
        let owner = owner.looked_up(&site.objects).await;
        let (level, when) = match owner.may_revert() {
            true => (Level::Critical, "a field that Git sets is put back by itself: change it there as well"),
            false => (Level::Warning, "its next sync or upgrade brings back what Git sets"),
        };
        beware.push(self::beware(level, format!("managed by {}: {when}", owner.owner)));
    } else if let Some(owner) = ask.seen.as_ref().map(|seen| &seen.owner).filter(|owner| !owner.is_empty()) {
        beware.push(self::beware(Level::Warning, format!("managed by {owner}: it may put fields back")));
    }
    Draft { before, after, facts, beware, identity: site.objects.identity().await, ..Draft::default() }
}

/// A percent that a controller takes only whole.
///
/// # Errors
/// It is not whole or not a percent.
pub(super) fn whole(percent: f64) -> Result<i64, Refusal> {
    if !(0.0..=100.0).contains(&percent) {
        return Err(Refusal::new(format!("{percent} is no percent"), "name a weight from 0 to 100"));
    }
    if percent.fract() != 0.0 {
        return Err(Refusal::new(format!("{percent} % is not whole"), "KServe takes whole percents"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole, 0 to 100")]
    Ok(percent as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_are_whole() {
        assert_eq!(whole(25.0), Ok(25));
        for odd in [2.5, -1.0, 101.0, f64::NAN] {
            assert!(whole(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_revision_has_three_names() {
        let revision = Revision {
            number: Some(3),
            hash: "59c8".into(),
            version: Some(Version::new("1.2.0")),
            ..Revision::default()
        };
        assert!(["1.2.0", "59c8"].iter().all(|name| is_named(&revision, &Version::new(name))));
        let bare = Revision { version: None, ..revision };
        assert!(is_named(&bare, &Version::new("rev 3 (59c8)")) && !is_named(&bare, &Version::new("3")));
    }
}
