//! Declaring: what is proposed, and the first entries with what speaks for them.

use tui_input::Input;

use super::dialog::{Declaration, DeclareField, Scope};
use super::{entry, itself, write};
use crate::app::effect::Effect;
use crate::app::state::App;
use crate::domain::incident::{IncidentId, Matter, Milestone, Severity};
use crate::domain::{Alert, AlertState, Event, EventKind, Level, Time, text};
use crate::store::{ModelState, Store};

/// The longest title, characters.
pub(super) const TITLE: usize = 120;

impl Declaration {
    /// What is proposed: about the worst model, as bad as it looks.
    pub(super) fn of(app: &App, store: &Store) -> Self {
        let mut abnormal: Vec<&ModelState> =
            store.models.iter().filter(|model| model.level >= Level::Warning).collect();
        abnormal.sort_by_key(|model| std::cmp::Reverse(model.level));
        let selected = app.selected.as_ref().and_then(|id| store.model(id));
        let worst = abnormal.first().copied();
        // The selected one, when it is no better than the worst.
        let about = selected.filter(|model| worst.is_none_or(|worst| model.level >= worst.level)).or(worst);
        let title = about.filter(|model| !model.why.is_empty());
        let title = title.map_or_else(String::new, |model| format!("{} {}", model.id.name, model.why));
        let severity = match about.map(|model| model.level) {
            Some(Level::Critical) => Severity::Sev2,
            Some(Level::Warning) => Severity::Sev3,
            _ => Severity::Sev4,
        };
        let mut scopes: Vec<Scope> = Vec::new();
        let mut add = |words: String, models: Vec<String>| {
            if !scopes.iter().any(|scope| scope.models == models) {
                scopes.push(Scope { words, models });
            }
        };
        for model in [about, selected].into_iter().flatten() {
            add(model.id.name.to_string(), vec![model.id.name.to_string()]);
        }
        if abnormal.len() > 1 {
            let names: Vec<String> = abnormal.iter().map(|model| model.id.name.to_string()).collect();
            add(format!("all {} that are abnormal: {}", names.len(), names.join(", ")), names);
        }
        add("the whole fleet".into(), Vec::new());
        let title = Input::new(text::clean(&title, TITLE));
        Self { title, severity, scopes, scope: 0, field: DeclareField::Title }
    }

    /// The models it is about, by name; empty: all.
    pub fn models(&self) -> &[String] {
        self.scopes.get(self.scope).map_or(&[], |scope| &scope.models)
    }
}

/// A moment with what speaks for it.
struct Point {
    at: Time,
    evidence: String,
}

/// Writes the first entries of an incident: declared, started, detected, acknowledged, and what has happened since it
/// began.
pub(super) fn declare(app: &mut App, store: &Store, declaration: &Declaration) -> (IncidentId, Vec<Effect>) {
    let now = app.present();
    let models = declaration.models().to_vec();
    let is_about = |name: &str| models.is_empty() || models.iter().any(|model| model == name);
    let started = started(store, &is_about, now);
    let detected = detected(store, &is_about, &started, now);
    let id = name(app, now);
    let title = text::clean(declaration.title.value(), TITLE);
    let milestone =
        |milestone, point: &Point| Matter::Milestone { milestone, evidence: point.evidence.clone() };
    let by = app.operator.clone();
    let mut entries = vec![entry(
        app,
        &id,
        None,
        Matter::Declared { title, severity: declaration.severity, models: models.clone() },
    )];
    entries.push(entry(app, &id, Some(started.at), milestone(Milestone::Started, &started)));
    entries.push(entry(app, &id, Some(detected.at), milestone(Milestone::Detected, &detected)));
    let evidence = format!("{by} declared it");
    entries.push(entry(app, &id, None, Matter::Milestone { milestone: Milestone::Acknowledged, evidence }));
    // The times and the words of these two are not typed: they are taken from what was measured.
    for entry in entries.iter_mut().skip(1).take(2) {
        entry.by = super::ITSELF.into();
    }
    let mut effects = write(app, entries);
    effects.extend(itself::since(app, store, &id, started.at));
    (id, effects)
}

/// A name for the incident, short enough to be said in a call.
fn name(app: &mut App, now: Time) -> IncidentId {
    loop {
        let fresh = app.incidents.name().0;
        let digits =
            fresh.bytes().fold(0x811c_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let id = IncidentId(format!("i-{}-{:04x}", now.format("%m%d"), (digits >> 12) & 0xffff));
        if app.incidents.get(&id).is_none() {
            return id;
        }
    }
}

fn firing<'a>(store: &'a Store, is_about: &'a dyn Fn(&str) -> bool) -> impl Iterator<Item = &'a Alert> {
    let about = |alert: &&Alert| alert.model.as_ref().is_some_and(|model| is_about(&model.name));
    store.alerts.values().flatten().filter(|alert| alert.state == AlertState::Firing).filter(about)
}

/// Since when it is bad: the worst of its models, or an alert that is older.
fn started(store: &Store, is_about: &dyn Fn(&str) -> bool, now: Time) -> Point {
    let about = store.models.iter().filter(|model| is_about(&model.id.name) && model.level >= Level::Warning);
    let worst = about.max_by_key(|model| (model.level, std::cmp::Reverse(model.level_since)));
    let level = worst.and_then(|model| {
        let at = model.level_since?;
        let since = at.format("%H:%M:%S");
        let evidence = format!("{} {} since {since}: {}", model.id.name, model.level.word(), model.why);
        Some(Point { at, evidence })
    });
    let alert = firing(store, is_about).min_by_key(|alert| alert.since).map(|alert| Point {
        at: alert.since,
        evidence: format!("alert {} active since {}", alert.name, alert.since.format("%H:%M:%S")),
    });
    let first = [level, alert].into_iter().flatten().min_by_key(|point| point.at);
    let by_hand = || Point { at: now, evidence: "declared by hand; nothing abnormal is measured".into() };
    first.filter(|point| point.at <= now).unwrap_or_else(by_hand)
}

/// What noticed it first: an alert, or a limit that was crossed.
fn detected(store: &Store, is_about: &dyn Fn(&str) -> bool, started: &Point, now: Time) -> Point {
    let alerts = firing(store, is_about)
        .map(|alert| Point { at: alert.since, evidence: format!("alert {} fires", alert.name) });
    let crossing = |event: &&Event| {
        matches!(event.kind, EventKind::Judgement | EventKind::Drift | EventKind::Alert)
            && event.level >= Level::Warning
            && event.model.as_ref().is_some_and(|model| is_about(&model.name))
    };
    let crossings = store.timeline.iter().filter(crossing).map(|event| Point {
        at: event.at,
        evidence: match &event.model {
            Some(model) if event.kind != EventKind::Alert => format!("{} {}", model.name, event.what),
            _ => event.what.clone(),
        },
    });
    let first = alerts.chain(crossings).filter(|point| point.at >= started.at && point.at <= now);
    let by_hand = || Point { at: now, evidence: "a person noticed".into() };
    first.min_by_key(|point| point.at).unwrap_or_else(by_hand)
}
