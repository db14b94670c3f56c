//! The past: which moment is asked for and shown.

use super::action::Action;
use super::effect::Effect;
use super::state::App;
use crate::domain::{Level, Time};
use crate::store::{Past, Store};

/// Which moment is shown.
#[derive(Debug, Clone, Default)]
pub struct TimeTravel {
    /// The moment that was asked for; `None`: now.
    pub asked: Option<Time>,
    /// The room as it was then, once it has come.
    pub past: Option<Box<Past>>,
    /// The present, while the past is shown.
    pub now: Option<Time>,
}

/// Moves the whole room in time.
pub fn travel(app: &mut App, _action: Action) -> Vec<Effect> {
    app.say("time travel is not built yet", Level::Warning);
    Vec::new()
}

/// A past moment came.
pub fn arrived(app: &mut App, past: Result<Box<Past>, String>) {
    match past {
        Ok(past) => app.time.past = Some(past),
        Err(why) => app.say(why, Level::Warning),
    }
}

/// Lays what was known before under a room that has just begun.
pub fn fill(_store: &mut Store, _past: &Store) {}
