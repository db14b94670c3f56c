//! What an incident writes by itself: lines of the timeline, acts at each of their stages, and that users are well again
//! after an act that took effect.

use chrono::TimeDelta;

use super::{ITSELF, again, write};
use crate::app::effect::Effect;
use crate::app::state::App;
use crate::domain::act::{Act, Operation, Outcome, RequestState};
use crate::domain::incident::{
    Entry, EntryId, Incident, IncidentId, Matter, Milestone, acted_id, seen_id, writes_itself,
};
use crate::domain::{AlertState, Event, EventKind, Level, Time};
use crate::store::Store;

/// So long a model has to be well after an act until it counts as mitigated, seconds.
const WELL_S: i64 = 10;
/// So long after its beginning a room meets values for the first time, seconds.
const FINDS_S: i64 = 60;
/// How many lines from before its declaration an incident takes in.
const BEFORE: usize = 100;
/// So long an act may be without the number of its audit entry, seconds.
const UNNUMBERED_S: i64 = 3;

/// Writes what has happened since the last look. To be called at every tick.
pub fn tick(app: &mut App, store: &Store) -> Vec<Effect> {
    let new = unseen(app, store);
    let now = app.present();
    let began = *app.incidents.began.get_or_insert(now);
    if app.spectator || app.incidents.open.is_empty() {
        return Vec::new();
    }
    let mut entries = Vec::new();
    for incident in &app.incidents.open {
        let seen = new.iter().filter(|event| belongs(incident, event, began));
        entries.extend(seen.map(|event| seen_entry(incident, store, event, now)));
        entries.extend(acts(app, incident, now));
        entries.extend(mitigated(app, store, incident, now));
    }
    let mut effects = write(app, entries);
    if effects.is_empty() {
        effects = again(app);
    }
    effects
}

/// The lines of the timeline that came since the last look.
fn unseen(app: &mut App, store: &Store) -> Vec<Event> {
    let Some(last) = store.timeline.back() else { return Vec::new() };
    if app.incidents.looked.as_ref() == Some(last) {
        return Vec::new();
    }
    let first = match &app.incidents.looked {
        Some(looked) => store.timeline.iter().rposition(|event| event == looked).map_or(0, |place| place + 1),
        None => 0,
    };
    app.incidents.looked = Some(last.clone());
    store.timeline.iter().skip(first).cloned().collect()
}

/// Whether a line is to be taken into an incident. What a room finds when it begins to look is no happening.
fn belongs(incident: &Incident, event: &Event, began: Time) -> bool {
    let fresh = (event.at - began).num_seconds() < FINDS_S;
    let found = event.detail.ends_with("first seen") || fresh && event.detail.starts_with("was –,");
    writes_itself(event.kind) && !found && incident.covers(event)
}

fn seen_entry(incident: &Incident, store: &Store, event: &Event, recorded: Time) -> Entry {
    Entry {
        id: seen_id(&incident.id, event, fires_since(store, event)),
        incident: incident.id.clone(),
        happened: event.at,
        recorded,
        by: ITSELF.into(),
        matter: Matter::Seen { event: event.clone() },
    }
}

/// Since when the alert of a line fires, which its source tells alike to every room.
fn fires_since(store: &Store, event: &Event) -> Option<Time> {
    if event.kind != EventKind::Alert {
        return None;
    }
    let is_meant = |alert: &&crate::domain::Alert| {
        alert.model == event.model
            && alert.state == AlertState::Firing
            && event.what == format!("alert {} {}", alert.name, alert.state.word())
    };
    let mut meant = store.alerts.values().flatten().filter(is_meant);
    let first = meant.next()?;
    // Two of one name cannot be told apart by their lines.
    meant.next().is_none().then_some(first.since)
}

/// Takes into a new incident what happened from its start until it was declared.
fn since_start(app: &App, store: &Store, incident: &Incident, start: Time) -> Vec<Entry> {
    let now = app.present();
    let about = |event: &&Event| {
        writes_itself(event.kind) && event.at >= start && event.at <= now && incident.covers(event)
    };
    let mut lines: Vec<&Event> = store.timeline.iter().rev().filter(about).take(BEFORE).collect();
    lines.reverse();
    lines.into_iter().map(|event| seen_entry(incident, store, event, now)).collect()
}

/// The same, given to be written.
pub(super) fn since(app: &mut App, store: &Store, id: &IncidentId, start: Time) -> Vec<Effect> {
    let Some(incident) = app.incidents.get(id) else { return Vec::new() };
    let entries = since_start(app, store, incident, start);
    app.incidents.looked = store.timeline.back().cloned();
    write(app, entries)
}

/// The acts on its models at every stage that they have reached.
fn acts(app: &App, incident: &Incident, now: Time) -> Vec<Entry> {
    let mine = |act: &&Act| {
        incident.is_about(&act.plan.model.name)
            && incident.started().is_some_and(|start| act.confirmed_at >= start)
    };
    let mut entries = Vec::new();
    for act in app.acting.acts.iter().filter(mine) {
        for (stage, happened) in stages(act, now) {
            let id = acted_id(&incident.id, &act.plan.id, stage);
            if app.incidents.knows(&id) {
                continue;
            }
            let who = &act.plan.who;
            let by = match (who.by == "automatic", who.host.is_empty()) {
                (true, _) => ITSELF.to_owned(),
                (false, true) => who.user.clone(),
                (false, false) => format!("{}@{}", who.user, who.host),
            };
            entries.push(Entry {
                id,
                incident: incident.id.clone(),
                happened,
                recorded: now,
                by,
                matter: Matter::Acted {
                    act: act.plan.id.clone(),
                    headline: act.headline(),
                    stage: stage.into(),
                    audit: act.audit,
                    audit_ids: audit_ids(act),
                },
            });
        }
    }
    entries
}

/// The stages that an act has reached, with when.
fn stages(act: &Act, now: Time) -> Vec<(&'static str, Time)> {
    let mut stages = Vec::new();
    // The number of the audit entry comes a moment after the key.
    let numbered = act.audit.is_some() || act.outcome.is_some();
    if numbered || (now - act.confirmed_at).num_seconds() >= UNNUMBERED_S {
        stages.push(("confirmed", act.confirmed_at));
    }
    match &act.outcome {
        Some(Outcome::Effective) => stages.push(("effective", act.effective_at.unwrap_or(now))),
        Some(outcome) => stages.push((outcome.word(), now)),
        None => {}
    }
    stages
}

/// The `Audit-ID`s of the requests that were sent.
fn audit_ids(act: &Act) -> Vec<String> {
    let of = |request: &RequestState| match request {
        RequestState::Sent { audit_id, .. } | RequestState::Accepted { audit_id, .. } => {
            Some(audit_id.clone())
        }
        _ => None,
    };
    act.requests.iter().filter_map(of).filter(|id| !id.is_empty()).collect()
}

/// After an abort or a rollback that took effect: its model has been well for a while.
fn mitigated(app: &App, store: &Store, incident: &Incident, now: Time) -> Option<Entry> {
    if incident.marks.contains_key(&Milestone::Mitigated) {
        return None;
    }
    let start = incident.started()?;
    let helps = |act: &&Act| {
        matches!(act.plan.operation, Operation::Abort | Operation::RollBack { .. })
            && incident.is_about(&act.plan.model.name)
            && act.effective_at.is_some_and(|at| at >= start)
    };
    let act = app.acting.acts.iter().rev().find(helps)?;
    let effective = act.effective_at?;
    let model = store.model(&act.plan.model)?;
    let since = model.level_since?;
    let well = matches!(model.level, Level::Ok | Level::BelowTarget);
    if !well || now - since.max(effective) < TimeDelta::seconds(WELL_S) {
        return None;
    }
    let evidence = format!(
        "act {} effective {}, {} {} since {}",
        act.plan.id,
        effective.format("%H:%M:%S"),
        model.id.name,
        model.level.word(),
        since.format("%H:%M:%S")
    );
    let id = EntryId(format!("{}-{}-mitigated", incident.id, act.plan.id));
    Some(Entry {
        id,
        incident: incident.id.clone(),
        happened: since.max(effective),
        recorded: now,
        by: ITSELF.into(),
        matter: Matter::Milestone { milestone: Milestone::Mitigated, evidence },
    })
}
