//! Judges a model from what is known: its KPIs, its servers, its alerts, its sources.

use super::{ModelState, Store};
use crate::domain::{
    AlertState, Event, EventKind, Freshness, Judgement, Kpi, Level, Readiness, Situation, Time, judge,
};
use crate::judge::Decision;

/// Judges one model again and writes down what changed.
pub(super) fn rejudge(store: &mut Store, index: usize, now: Time) {
    let Some(model) = store.models.get(index) else { return };
    let judgements = judge_all(store, model, now);
    let (level, why) = worst(store, model, &judgements, now);
    let events = crossings(model, &judgements, now);
    let model = &mut store.models[index];
    if model.level != level {
        model.level_since = Some(now);
    }
    (model.level, model.why, model.judgements) = (level, why, judgements);
    for event in events {
        store.record(event);
    }
}

/// Judges one model without a line in the timeline.
pub(super) fn judge_quietly(store: &mut Store, index: usize, now: Time) {
    let Some(model) = store.models.get(index) else { return };
    let judgements = judge_all(store, model, now);
    let (level, why) = worst(store, model, &judgements, now);
    let model = &mut store.models[index];
    (model.level, model.why, model.judgements) = (level, why, judgements);
}

/// Looks at every canary whose time it is.
pub(super) fn look(store: &mut Store, now: Time) {
    let (rules, every_s) = (store.rules.clone(), store.look_s);
    let mut turned = Vec::new();
    for (index, model) in store.models.iter_mut().enumerate() {
        let Some(turn) = model.judging.look(model.rollout.as_ref(), &rules, every_s, now) else { continue };
        // The first verdict of a canary that there is nothing to say about is no news.
        let quiet = |decision: Decision| matches!(decision, Decision::KeepWatching | Decision::CannotTell);
        if turn.was.is_some() || !quiet(turn.is) {
            turned.push((index, model.id.clone(), turn));
        }
    }
    for (index, id, turn) in turned {
        let level = match turn.is {
            Decision::Abort => Level::Critical,
            Decision::CannotTell => Level::Unknown,
            Decision::Promote | Decision::KeepWatching => Level::Ok,
        };
        store.record(Event {
            at: now,
            kind: EventKind::Rollout,
            model: Some(id),
            level,
            what: format!("canary: {}", turn.is.word()),
            detail: turn.line,
        });
        rejudge(store, index, now);
    }
}

/// Judges again what sources that fell silent had brought.
pub(super) fn sweep(store: &mut Store, now: Time) {
    let mut touched: Vec<usize> = store
        .sources
        .iter()
        .filter(|source| source.fault.is_some() || source.freshness(now) >= Freshness::Late)
        .flat_map(|source| source.touches.iter().copied())
        .collect();
    touched.sort_unstable();
    touched.dedup();
    for index in touched {
        rejudge(store, index, now);
    }
}

fn judge_all(store: &Store, model: &ModelState, now: Time) -> Vec<Judgement> {
    let operational = [Kpi::LatencyP95, Kpi::LatencyP99, Kpi::ErrorRate];
    let listed = operational.iter().chain(model.kind.quality()).copied();
    let measured = model.readings.keys().filter(|(_, version)| version.is_none()).map(|(kpi, _)| *kpi);
    let mut kpis: Vec<Kpi> = listed.chain(measured).chain(model.limits.kpis()).collect();
    kpis.sort_unstable();
    kpis.dedup();
    kpis.into_iter().map(|kpi| judge_one(store, model, kpi, now)).collect()
}

fn judge_one(store: &Store, model: &ModelState, kpi: Kpi, now: Time) -> Judgement {
    if let Some(reading) = model.reading(kpi) {
        let entries = model.readings.get(&(kpi, None)).map_or(&[][..], Vec::as_slice);
        let stale = entries.iter().all(|entry| {
            let source = &store.sources[entry.source];
            Freshness::of(Some(entry.seen), source.info.interval_s, now) == Freshness::Stale
        });
        if !stale {
            return judge(kpi, &reading, model.limits.rules(kpi));
        }
        let age = entries.iter().map(|entry| (now - entry.seen).num_seconds()).min().unwrap_or(0);
        let value = reading.value.map_or_else(|| "–".into(), |value| kpi.format_with_unit(value));
        let why = format!("{} is stale: {value} {age} s ago", kpi.short());
        return Judgement { value: reading.value, at: Some(reading.at), ..Judgement::unanswered(kpi, &why) };
    }
    let debtor =
        model.debtors.iter().find(|(_, owed)| *owed == kpi).map(|&(source, _)| &store.sources[source]);
    match debtor {
        Some(source) => match &source.fault {
            Some(fault) => Judgement::unanswered(
                kpi,
                &format!("{}: {} {}", kpi.short(), source.info.id, fault.kind.word()),
            ),
            None => {
                Judgement::unanswered(kpi, &format!("{}: {} has not told it", kpi.short(), source.info.id))
            }
        },
        None => Judgement::not_measured(kpi),
    }
}

/// The level of a model and its reason: the worst of judgements, alerts and servers.
fn worst(store: &Store, model: &ModelState, judgements: &[Judgement], now: Time) -> (Level, String) {
    let mut level = Level::NotMeasured;
    let mut why = String::new();
    let mut concern = |candidate: Level, reason: String| {
        if candidate > level {
            level = candidate;
            why = if candidate >= Level::Unknown { reason } else { String::new() };
        }
    };
    let waits_for_first = store.unasked > 0;
    for (name, instance) in &model.instances {
        let source = &store.sources[instance.source];
        if let Some(fault) = &source.fault {
            concern(Level::Unknown, format!("{name} {}", fault.kind.word()));
        } else if let Some(status) = &instance.status {
            match status.readiness {
                Readiness::Ready => concern(Level::Ok, String::new()),
                Readiness::NotReady => concern(Level::Warning, format!("{name} not ready")),
                Readiness::Absent => concern(Level::Warning, format!("{name} does not serve it")),
            }
            if source.freshness(now) == Freshness::Stale {
                concern(Level::Unknown, format!("{name} stale"));
            }
        }
    }
    for judged in judgements {
        // What a source has not told yet in its first round is not a finding.
        if judged.level == Level::Unknown && judged.value.is_none() && judged.at.is_none() && waits_for_first
        {
            continue;
        }
        concern(judged.level, judged.reason.clone());
    }
    // An aborted canary takes no traffic: what it was like is history, and no trouble of the model any more.
    let is_over = model.rollout.as_ref().is_some_and(|rollout| rollout.situation == Situation::Aborted);
    let verdict = model.verdict().filter(|verdict| verdict.verdict == Decision::Abort && !is_over);
    if let Some(verdict) = verdict {
        let causes: Vec<&str> = verdict.causes.iter().map(|name| &**name).collect();
        let what = if causes.is_empty() { "all metrics together".to_owned() } else { causes.join(", ") };
        concern(Level::Warning, format!("canary worse: {what}"));
    }
    for alert in store.alerts.values().flatten() {
        if alert.model.as_ref() == Some(&model.id) && alert.state == AlertState::Firing {
            concern(alert.severity, format!("alert {}", alert.name));
        }
    }
    (level, why)
}

/// Lines of the timeline for KPIs whose level changed to or from something abnormal.
fn crossings(model: &ModelState, new: &[Judgement], now: Time) -> Vec<Event> {
    let counts = |level: Level| level >= Level::Warning;
    let mut events = Vec::new();
    for judged in new {
        let Some(old) = model.judgement(judged.kpi) else {
            if counts(judged.level) {
                events.push(crossing(model, judged, "first seen", now));
            }
            continue;
        };
        if old.level == judged.level || !(counts(old.level) || counts(judged.level)) {
            continue;
        }
        let was = old.value.map_or_else(|| "–".into(), |value| judged.kpi.format_with_unit(value));
        events.push(crossing(model, judged, &format!("was {was}, {}", old.level.word()), now));
    }
    events
}

fn crossing(model: &ModelState, judged: &Judgement, detail: &str, now: Time) -> Event {
    Event {
        at: now,
        kind: if judged.kpi == Kpi::DataDrift { EventKind::Drift } else { EventKind::Judgement },
        model: Some(model.id.clone()),
        level: judged.level,
        what: judged.reason.clone(),
        detail: detail.to_owned(),
    }
}
