//! The writing half of the registry: aliases, tags and notes that were written, over what the story says.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::fleet::Fleet;
use super::registry::version_of;
use super::web::{Question, json as answer_json};

/// What was written about a version, or about a model.
#[derive(Debug, Default)]
pub struct Kept {
    tags: BTreeMap<String, String>,
    /// The note.
    pub description: Option<String>,
}

impl Kept {
    /// Puts the tags that were written over those that are there.
    pub fn over(&self, tags: &mut Vec<Value>) {
        tags.retain(|tag| !tag["key"].as_str().is_some_and(|key| self.tags.contains_key(key)));
        tags.extend(self.tags.iter().map(|(key, value)| json!({"key": key, "value": value})));
    }
}

/// An alias that was written: its version, or none when it was deleted, and which version served then.
#[derive(Debug, Clone, Copy)]
struct Written {
    version: Option<usize>,
    served: usize,
}

/// Everything that was written.
#[derive(Debug, Default)]
pub struct Shelf {
    kept: Mutex<BTreeMap<(usize, Option<usize>), Kept>>,
    aliases: Mutex<BTreeMap<(usize, String), Written>>,
}

impl Shelf {
    /// Looks at what was written about a version, or about the model; `None` when nothing was.
    pub fn read<T>(&self, model: usize, version: Option<usize>, look: impl FnOnce(&Kept) -> T) -> Option<T> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&(model, version)).map(look)
    }

    fn keep(&self, model: usize, version: Option<usize>, change: impl FnOnce(&mut Kept)) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        change(kept.entry((model, version)).or_default());
    }
}

impl Shelf {
    /// Moves the champion away from the version that serves, as if by a mistake.
    pub fn move_champion(&self, model: usize, version: usize, served: usize) {
        let mut aliases = self.aliases.lock().unwrap_or_else(PoisonError::into_inner);
        aliases.insert((model, "champion".to_owned()), Written { version: Some(version), served });
    }

    /// Takes back whatever was written about the aliases of a model.
    pub fn forget_aliases(&self, model: usize) {
        let mut aliases = self.aliases.lock().unwrap_or_else(PoisonError::into_inner);
        aliases.retain(|(of, _), _| *of != model);
    }
}

/// The aliases of a model: champion and challenger go along with the rollout, as a release pipeline does it;
/// what is written stands, for the champion until another version serves.
pub fn aliases(fleet: &Fleet, model: usize) -> BTreeMap<String, usize> {
    let (serving, trial) = fleet.serving(model);
    let mut all: BTreeMap<String, usize> = [("champion".to_owned(), serving)].into();
    all.extend(trial.map(|(version, _)| ("challenger".to_owned(), version)));
    let written = fleet.shelf.aliases.lock().unwrap_or_else(PoisonError::into_inner);
    for ((_, alias), written) in written.iter().filter(|((of, _), _)| *of == model) {
        if alias == "champion" && written.served != serving {
            continue;
        }
        match written.version {
            Some(version) => drop(all.insert(alias.clone(), version)),
            None => drop(all.remove(alias)),
        }
    }
    all
}

/// Answers one request that writes.
pub fn write(fleet: &Fleet, call: &str, question: &Question) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&question.body) else {
        return wrong(400, "INVALID_PARAMETER_VALUE", "not a JSON object");
    };
    let text = |key: &str| body[key].as_str().unwrap_or_default();
    let Some(model) = fleet.find(text("name")) else {
        let message = format!("Registered Model with name={} not found", text("name"));
        return wrong(404, "RESOURCE_DOES_NOT_EXIST", &message);
    };
    let count = fleet.models.get(model).map_or(0, |state| state.part.versions.len());
    let number = text("version").parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let version = number.filter(|version| *version < count);
    let gone = || {
        let message = format!("Model Version (name={}, version={}) not found", text("name"), text("version"));
        wrong(404, "RESOURCE_DOES_NOT_EXIST", &message)
    };
    let set_alias = |version: Option<usize>| {
        let served = fleet.serving(model).0;
        let mut aliases = fleet.shelf.aliases.lock().unwrap_or_else(PoisonError::into_inner);
        aliases.insert((model, text("alias").to_owned()), Written { version, served });
        answer_json(200, &json!({}))
    };
    let set_tag = |version: Option<usize>| {
        let (key, value) = (text("key").to_owned(), text("value").to_owned());
        fleet.shelf.keep(model, version, |kept| drop(kept.tags.insert(key, value)));
        answer_json(200, &json!({}))
    };
    match (&question.method, call, version) {
        (&Method::POST | &Method::DELETE, "registered-models/alias", _) if text("alias").is_empty() => {
            wrong(400, "INVALID_PARAMETER_VALUE", "Registered model alias name cannot be empty.")
        }
        (&Method::POST, "registered-models/alias", Some(version)) => set_alias(Some(version)),
        (&Method::DELETE, "registered-models/alias", _) => set_alias(None),
        (&Method::POST, "model-versions/set-tag" | "registered-models/set-tag", _)
            if text("key").is_empty() =>
        {
            wrong(400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'key'.")
        }
        (&Method::POST, "model-versions/set-tag", Some(version)) => set_tag(Some(version)),
        (&Method::POST, "registered-models/set-tag", _) => set_tag(None),
        (&Method::PATCH, "model-versions/update", Some(version)) => {
            let description = text("description").to_owned();
            fleet.shelf.keep(model, Some(version), |kept| kept.description = Some(description));
            answer_json(200, &json!({"model_version": version_of(fleet, model, version)}))
        }
        (_, "registered-models/alias" | "model-versions/set-tag" | "model-versions/update", None) => gone(),
        _ => wrong(404, "ENDPOINT_NOT_FOUND", "no such call"),
    }
}

fn wrong(status: u16, code: &str, message: &str) -> Response {
    answer_json(status, &json!({"error_code": code, "message": message}))
}
