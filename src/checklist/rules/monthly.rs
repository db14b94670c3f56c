//! What is looked at every month.

use std::collections::BTreeSet;

use super::fleet::{Says, all, models, named};
use crate::checklist::item::{Found, Item, Sight};
use crate::checklist::period::Period;
use crate::domain::{DriftLevel, Kpi, RegisteredModel, RegisteredVersion, Version, limits, registry};
use crate::store::ModelState;

const DAY_S: i64 = 86_400;
/// How many of the newest versions a clean-up keeps.
const NEWEST: usize = 5;
/// How many of the best versions a clean-up keeps.
const BEST: usize = 2;
/// A drill is good for a quarter, days.
const QUARTER_DAYS: i64 = 92;

/// The monthly checks.
pub const MONTHLY: &[Item] = &[
    item("cards", "every production version has a model card and an approval", cards),
    item("agreement", "registry and cluster agree on what is in production", agreement),
    item("bias", "metrics by protected group were reviewed for bias", bias),
    item("cleanup", "versions that nobody needs were reviewed for clean-up", cleanup),
    item("retraining", "triggers of retraining were reviewed", retraining),
    item("rollback", "a rollback drill was verified within the quarter", drill),
    item("evaluation", "a full evaluation was made, and baselines were brought up to date", by_hand),
    item("access", "who may act here was reviewed: accounts, roles, keys", by_hand),
    item("procedures", "procedures and documents were reviewed", by_hand),
];

const fn item(id: &'static str, words: &'static str, look: fn(&Sight<'_>) -> Found) -> Item {
    Item { id, period: Period::Monthly, words, look, lasts: true }
}

fn by_hand(_: &Sight<'_>) -> Found {
    Found::ByHand(String::new())
}

/// The entry of the production version in a registry.
fn production(entry: &RegisteredModel) -> Option<&RegisteredVersion> {
    let version = entry.production.as_ref()?;
    entry.versions.iter().find(|other| other.version == *version)
}

fn cards(sight: &Sight<'_>) -> Found {
    all(sight.store, "name a registry: [[mlflow]] or [[files]]", |model| {
        if model.registry.is_empty() {
            return Says::Silent("in no registry".into());
        }
        let told: Vec<_> = model.registry.values().filter_map(|e| Some((e, production(e)?))).collect();
        let Some((_, version)) = told.first() else {
            return Says::Silent("no production version in a registry".into());
        };
        let has_card = told.iter().any(|(entry, version)| {
            !entry.description.is_empty()
                || !version.description.is_empty()
                || version.tags.keys().chain(version.facts.keys()).any(|key| key.contains("card"))
        });
        let has_approval = told.iter().any(|(_, version)| !version.approvals.is_empty());
        let lacks: Vec<&str> = [(has_card, "no model card"), (has_approval, "no approval")]
            .into_iter()
            .filter_map(|(has, lack)| (!has).then_some(lack))
            .collect();
        if lacks.is_empty() {
            return Says::Holds;
        }
        Says::Fails(format!("{} has {}", version.version, lacks.join(" and ")))
    })
}

fn agreement(sight: &Sight<'_>) -> Found {
    let remedy = "name its registry, and its rollout under model.rollout";
    all(sight.store, remedy, |model| {
        if let Some(said) = model.disagreement() {
            let said: Vec<String> = said.iter().map(|(id, version)| format!("{id} says {version}")).collect();
            return Says::Fails(said.join(", "));
        }
        let Some(rollout) = &model.rollout else {
            return Says::Silent("no known rollout".into());
        };
        let tells = |entry: &&RegisteredModel| entry.production.is_some();
        if !model.registry.values().any(|entry| tells(&entry)) {
            return Says::Silent("no production version in a registry".into());
        }
        let differs = model
            .registry
            .iter()
            .find_map(|(id, entry)| Some(format!("{id} {}", registry::disagreement(rollout, entry)?)));
        differs.map_or(Says::Holds, Says::Fails)
    })
}

fn bias(sight: &Sight<'_>) -> Found {
    let is_bias = |kind: &&String| kind.contains("bias") || kind.contains("fairness");
    let measured = |model: &&ModelState| model.findings.keys().any(|kind| is_bias(&kind));
    let store = sight.store;
    match store.models.iter().filter(measured).count() {
        0 => Found::ByHand("no source measures it".into()),
        count if count < store.models.len() => {
            let abnormal = store
                .models
                .iter()
                .any(|model| model.findings.iter().any(|(kind, finding)| is_bias(&kind) && finding.abnormal));
            let words = format!("measured for {count} of {}", models(store.models.len()));
            if abnormal { Found::NotMet(format!("{words}; {}", biased(sight))) } else { Found::ByHand(words) }
        }
        _ => all(store, "", |model| {
            let bad = model.findings.iter().find(|(kind, finding)| is_bias(kind) && finding.abnormal);
            bad.map_or(Says::Holds, |(kind, finding)| Says::Fails(format!("{kind}: {}", finding.text)))
        }),
    }
}

fn biased(sight: &Sight<'_>) -> String {
    let found = sight.store.models.iter().flat_map(|model| {
        let bad = model.findings.iter().filter(|(kind, finding)| {
            finding.abnormal && (kind.contains("bias") || kind.contains("fairness"))
        });
        bad.map(|(kind, finding)| format!("{} {kind}: {}", model.id.name, finding.text))
    });
    named(&found.collect::<Vec<_>>())
}

/// Versions that a clean-up would not keep: not among the newest, not among the best, named by no alias, not in
/// production or serving.
fn candidates(model: &ModelState, entry: &RegisteredModel) -> usize {
    let mut kept: BTreeSet<&Version> = entry.versions.iter().take(NEWEST).map(|v| &v.version).collect();
    kept.extend(entry.production.iter().chain(entry.aliases.values()).chain(model.live_version()));
    kept.extend(model.canary().map(|(version, _)| version));
    let score = |version: &RegisteredVersion| {
        let of = |kpi: &Kpi| version.metrics.get(kpi.id()).copied();
        let (kpi, value) = model.kind.quality().iter().find_map(|kpi| Some((*kpi, of(kpi)?)))?;
        Some(if kpi.direction() == crate::domain::Direction::Higher { value } else { -value })
    };
    let mut scored: Vec<_> = entry.versions.iter().filter_map(|v| Some((score(v)?, &v.version))).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    kept.extend(scored.into_iter().take(BEST).map(|(_, version)| version));
    let names = |version: &Version| entry.names.get(version).is_some_and(|name| kept.contains(name));
    entry.versions.iter().filter(|v| !kept.contains(&v.version) && !names(&v.version)).count()
}

fn cleanup(sight: &Sight<'_>) -> Found {
    let store = sight.store;
    let listed = store.models.iter().filter(|model| !model.registry.is_empty()).count();
    if listed == 0 {
        return Found::CannotTell("no model is in a registry: name [[mlflow]] or [[files]]".into());
    }
    let found: Vec<(usize, String)> = store
        .models
        .iter()
        .filter_map(|model| {
            let most = model.registry.values().map(|entry| candidates(model, entry)).max().unwrap_or(0);
            (most > 0).then(|| (most, format!("{} {most}", model.id.name)))
        })
        .collect();
    match found.iter().map(|(count, _)| count).sum::<usize>() {
        0 => Found::Verified(format!("nothing to clean up in {}", models(listed))),
        sum => {
            let names: Vec<String> = found.into_iter().map(|(_, words)| words).collect();
            Found::ByHand(format!(
                "{sum} versions beyond the newest {NEWEST} and best {BEST}: {}",
                named(&names)
            ))
        }
    }
}

/// What the guide retrains for, as far as it is measured: quality below warning for 7 days, high drift for 14.
fn trigger(model: &ModelState, now_s: i64) -> Option<String> {
    for &kpi in model.kind.quality() {
        let Some(warning) = model.limits.rule(kpi).and_then(|rule| rule.warning) else { continue };
        let Some(series) = model.long.get(&(kpi, None)) else { continue };
        if series.first_s().is_none_or(|first| first > now_s - 7 * DAY_S) {
            continue;
        }
        let mut week = series.points().filter(|&(at, _)| at >= now_s - 7 * DAY_S).map(|(_, v)| v).peekable();
        if week.peek().is_some() && week.all(|value| limits::beyond(kpi, value, warning)) {
            return Some(format!("{} beyond {} for 7 days", kpi.short(), kpi.format(warning)));
        }
    }
    model.features(None).into_iter().find_map(|state| {
        let is_high = state.latest.level() >= Some(DriftLevel::High);
        let since = state.level_since().filter(|_| is_high)?;
        let days = (now_s - since.timestamp()) / DAY_S;
        (days >= 14).then(|| format!("{} drifts for {days} days", state.latest.feature))
    })
}

fn retraining(sight: &Sight<'_>) -> Found {
    let now_s = sight.now.timestamp();
    let found: Vec<String> = sight
        .store
        .models
        .iter()
        .filter_map(|model| Some(format!("{} {}", model.id.name, trigger(model, now_s)?)))
        .collect();
    match found.is_empty() {
        true => Found::ByHand(
            "no measured trigger; look at new data, changed guidelines, security fixes, planned dates".into(),
        ),
        false => Found::NotMet(format!("retraining is due: {}", named(&found))),
    }
}

fn drill(sight: &Sight<'_>) -> Found {
    let drills = match &sight.beside.drills {
        Some(Ok(drills)) => drills,
        Some(Err(why)) => return Found::CannotTell(why.clone()),
        None => return Found::CannotTell("the drills were not looked at yet".into()),
    };
    let last =
        drills.iter().filter(|drill| drill.verified && drill.at <= sight.now).max_by_key(|drill| drill.at);
    let Some(last) = last else {
        let count = drills.len();
        return Found::NotMet(match count {
            0 => "no drill is recorded; run wardroom drill".into(),
            _ => format!("none of {count} drills was verified; run wardroom drill"),
        });
    };
    let words = format!("{} on {}", last.scenario, last.at.format("%-d %b %Y"));
    if (sight.now - last.at).num_days() <= QUARTER_DAYS {
        Found::Verified(words.trim_start().into())
    } else {
        Found::NotMet(format!(
            "the last was {}, more than {QUARTER_DAYS} days ago; run wardroom drill",
            words.trim_start()
        ))
    }
}
