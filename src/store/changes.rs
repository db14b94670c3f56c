//! What changed between two answers, as lines of the timeline.

use super::ModelState;
use super::apply::drift_as_reading;
use super::model_state::Sourced;
use crate::domain::{
    Alert, AlertState, Event, EventKind, Kpi, Level, ModelId, Phase, RegisteredModel, Rollout, SourceId, Time,
};

/// Keeps the model's data drift as a reading beside the others, so that it is judged like them.
pub(super) fn drift_reading(model: &mut ModelState, source: usize, at: Time) {
    if let Some(reading) = drift_as_reading(model, at) {
        model.readings.insert((Kpi::DataDrift, None), vec![Sourced { source, seen: at, reading }]);
    }
}

/// Aliases moved, versions appeared, production changed.
pub(super) fn registry(
    model: &ModelId,
    source: &SourceId,
    old: &RegisteredModel,
    new: &RegisteredModel,
    at: Time,
) -> Vec<Event> {
    let event = |what: String, detail: String| Event {
        at,
        kind: EventKind::Registry,
        model: Some(model.clone()),
        level: Level::Ok,
        what,
        detail,
    };
    let mut events = Vec::new();
    for (alias, version) in &new.aliases {
        match old.aliases.get(alias) {
            Some(before) if before != version => {
                events.push(event(format!("alias {alias} {before} → {version}"), source.to_string()));
            }
            None => events.push(event(format!("alias {alias} → {version}"), source.to_string())),
            Some(_) => {}
        }
    }
    for alias in old.aliases.keys().filter(|alias| !new.aliases.contains_key(*alias)) {
        events.push(event(format!("alias {alias} removed"), source.to_string()));
    }
    for version in &new.versions {
        match old.versions.iter().find(|before| before.version == version.version) {
            None => events.push(event(format!("version {} registered", version.version), source.to_string())),
            Some(before) if before.stage != version.stage => {
                let change = format!("version {} {} → {}", version.version, before.stage, version.stage);
                events.push(event(change, source.to_string()));
            }
            Some(_) => {}
        }
    }
    events
}

/// A rollout began, moved, paused or ended.
pub(super) fn rollout(model: &ModelId, old: Option<&Rollout>, new: &Rollout, at: Time) -> Vec<Event> {
    let level = match new.phase {
        Phase::Degraded => Level::Critical,
        Phase::Aborted => Level::Warning,
        _ => Level::Ok,
    };
    let event = |what: String, detail: String| Event {
        at,
        kind: EventKind::Rollout,
        model: Some(model.clone()),
        level,
        what,
        detail,
    };
    let mut events = Vec::new();
    let Some(old) = old else {
        if let (Some(canary), true) = (&new.canary, new.is_live()) {
            let what = format!("canary {canary} at {:.0} %", new.asked);
            events.push(event(what, format!("{}  first seen", new.controller)));
        }
        return events;
    };
    let step =
        format!("{}  step {} of {}", new.controller, (new.step + 1).min(new.steps.len()), new.steps.len());
    if old.canary != new.canary
        && let Some(canary) = &new.canary
    {
        events.push(event(format!("canary {canary} begins"), step.clone()));
    }
    if old.stable != new.stable {
        events.push(event(format!("stable {} → {}", old.stable, new.stable), new.controller.clone()));
    }
    if (old.asked - new.asked).abs() > 0.01 {
        events.push(event(format!("weight {:.0} → {:.0} %", old.asked, new.asked), step));
    }
    if old.phase != new.phase {
        events.push(event(format!("{} at {:.0} %", new.phase.word(), new.asked), new.message.clone()));
    }
    events
}

/// A rollout is not there any more: a live canary that vanishes is worth a warning.
pub(super) fn rollout_gone(model: &ModelId, old: &Rollout, what: &str, at: Time) -> Event {
    let level = if old.is_live() { Level::Warning } else { Level::Ok };
    let detail = format!("{}  was {} at {:.0} %", old.controller, old.situation.word(), old.asked);
    Event {
        at,
        kind: EventKind::Rollout,
        model: Some(model.clone()),
        level,
        what: format!("{what} is gone"),
        detail,
    }
}

/// Alerts that began, ended, or were silenced.
pub(super) fn alerts(old: &[Alert], new: &[Alert], at: Time) -> Vec<Event> {
    let event = |alert: &Alert, level: Level, word: &str| Event {
        at,
        kind: EventKind::Alert,
        model: alert.model.clone(),
        level,
        what: format!("alert {} {word}", alert.name),
        detail: alert.summary.clone(),
    };
    let mut events = Vec::new();
    for alert in new {
        let before = old.iter().find(|before| before.fingerprint == alert.fingerprint);
        if before.is_none_or(|before| before.state != alert.state) {
            let level = if alert.state == AlertState::Firing { alert.severity } else { Level::Ok };
            events.push(event(alert, level, alert.state.word()));
        }
    }
    for alert in old {
        if !new.iter().any(|now| now.fingerprint == alert.fingerprint) {
            events.push(event(alert, Level::Ok, "ended"));
        }
    }
    events
}
