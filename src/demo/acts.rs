//! The writing half of the canary controller: acts, each at most once, refused with the reason.

use std::sync::{Mutex, PoisonError};

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::controller::{told, word};
use super::fleet::Fleet;
use super::position::Position;
use super::web::{Question, absent, json as answer_json};
use crate::domain::Version;
use crate::domain::act::Operation;

/// So many acts are kept.
const KEPT: usize = 10_000;

/// The body of an act.
#[derive(Debug, Deserialize)]
struct Wanted {
    act: String,
    to: Option<String>,
    weight: Option<f64>,
    if_generation: Option<u64>,
    #[serde(default)]
    id: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    who: String,
}

/// An act that was accepted.
#[derive(Debug, Clone)]
struct Accepted {
    at: DateTime<Utc>,
    told: Value,
}

/// The acts that were accepted, the oldest first.
#[derive(Debug, Default)]
pub struct Log(Mutex<Vec<Accepted>>);

impl Log {
    fn find(&self, id: &str) -> Option<Value> {
        let acts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        acts.iter().find(|act| act.told["id"] == id).map(|act| act.told.clone())
    }

    fn add(&self, at: DateTime<Utc>, told: Value) {
        let mut acts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if acts.len() >= KEPT {
            acts.remove(0);
        }
        acts.push(Accepted { at, told });
    }
}

/// `GET /api/v1/acts?since=…&id=…`
pub fn list(fleet: &Fleet, question: &Question) -> Response {
    let since = question.parameter("since");
    let since = match (since.is_empty(), DateTime::parse_from_rfc3339(since)) {
        (true, _) => None,
        (false, Ok(since)) => Some(since.with_timezone(&Utc)),
        (false, Err(_)) => return wrong(400, "since is not a time such as 2026-11-20T14:00:00Z"),
    };
    let id = question.parameter("id");
    let acts = fleet.acts.0.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = acts
        .iter()
        .filter(|act| since.is_none_or(|since| act.at >= since))
        .filter(|act| id.is_empty() || act.told["id"] == id);
    let wanted: Vec<&Value> = wanted.map(|act| &act.told).collect();
    answer_json(200, &json!({ "acts": wanted }))
}

/// `POST /api/v1/rollouts/NAME/acts`
pub fn act(fleet: &Fleet, name: &str, question: &Question) -> Response {
    let wanted: Wanted = match serde_json::from_slice(&question.body) {
        Ok(wanted) => wanted,
        Err(error) => return wrong(400, &format!("not an act: {error}")),
    };
    let operation = match operation(&wanted) {
        Ok(operation) => operation,
        Err(why) => return wrong(400, &why),
    };
    let dry = question.parameter("dry_run") == "true";
    if wanted.id.is_empty() && !dry {
        return wrong(400, "an act needs an id of its own");
    }
    let Some(model) = fleet.find(name) else { return absent("no such rollout") };
    // Everything below happens while nobody else can act on this rollout.
    let answer = fleet.rollout(model, |track, now, t| {
        if let Some(known) = fleet.acts.find(&wanted.id).filter(|_| !dry) {
            return (200, json!({"id": wanted.id, "already": true, "generation": known["generation"], "at": known["at"]}));
        }
        let generation = track.generation();
        if wanted.if_generation.is_some_and(|expected| expected != generation) {
            let rollout = told(fleet, model, track, &now);
            let error = format!("generation {generation} is not the one that was expected");
            return (409, json!({"error": error, "generation": generation, "rollout": rollout}));
        }
        let versions = fleet.models.get(model).map_or(&[][..], |state| &state.part.versions);
        let to = wanted.to.as_deref().and_then(|to| versions.iter().position(|version| version == to));
        let then = match now.acted(&operation, to, t, fleet.pods_s()) {
            Ok(then) => then,
            Err(why) => return (422, json!({"error": why, "generation": generation})),
        };
        let already = then.is_like(&now);
        if dry {
            let words = |position: &Position| in_words(fleet, model, position);
            let would = format!("{} → {}", words(&now), words(&then));
            return (200, json!({"dry_run": true, "already": already, "would": would, "generation": generation}));
        }
        track.take(then);
        // Looking at it again moves the generation, and begins the count of its share.
        let arrived = || fleet.models.get(model).map(|state| state.arrived()).unwrap_or_default();
        let position = track.look(None, t, fleet.pods_s(), arrived);
        let at = Utc::now();
        let accepted = json!({
            "id": wanted.id, "model": name, "act": wanted.act, "to": wanted.to, "weight": wanted.weight,
            "reason": wanted.reason, "who": wanted.who, "already": already, "generation": track.generation(),
            "at": at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            "audit_id": question.headers.get("audit-id").and_then(|id| id.to_str().ok()),
        });
        fleet.acts.add(at, accepted.clone());
        let mut answer = accepted;
        answer["rollout"] = position.and_then(|position| told(fleet, model, track, &position)).into();
        (200, answer)
    });
    match answer {
        Some((status, body)) => answer_json(status, &body),
        None => absent("no such rollout"),
    }
}

fn wrong(status: u16, error: &str) -> Response {
    answer_json(status, &json!({ "error": error }))
}

fn operation(wanted: &Wanted) -> Result<Operation, String> {
    Ok(match wanted.act.as_str() {
        "pause" => Operation::Pause,
        "resume" => Operation::Resume,
        "promote" => Operation::Promote,
        "promote-full" => Operation::PromoteFull,
        "abort" => Operation::Abort,
        "retry" => Operation::Retry,
        "rollback" => match wanted.to.as_deref() {
            Some(to) if !to.is_empty() => Operation::RollBack { to: Version::new(to) },
            _ => return Err("rollback needs the version: \"to\"".into()),
        },
        "weight" => match wanted.weight {
            Some(percent) if (0.0..=100.0).contains(&percent) => Operation::SetWeight { percent },
            _ => return Err("weight needs a percent from 0 to 100: \"weight\"".into()),
        },
        other => return Err(format!("there is no act `{other}`")),
    })
}

/// `1.3.0 at 25 %, paused-by-step, 1.2.0 stable`
fn in_words(fleet: &Fleet, model: usize, position: &Position) -> String {
    let name = |version: usize| {
        fleet.models.get(model).and_then(|state| state.part.versions.get(version)).map_or("?", String::as_str)
    };
    let situation = word(position.situation);
    let situation = situation.as_str().unwrap_or_default();
    let stable = name(position.to.unwrap_or(position.stable));
    match position.trial() {
        Some((canary, _)) => {
            format!("{} at {} %, {situation}, {stable} stable", name(canary), position.weight)
        }
        None => format!("{stable} at 100 %, {situation}"),
    }
}
