//! The incident dialog: what keys do in it.

use super::effect::Effect;
use super::state::App;
use crate::domain::Level;
use crate::domain::incident::{Entry, Incident};
use crate::store::Store;

/// Incidents that are known.
#[derive(Debug, Clone, Default)]
pub struct Incidents {
    /// Those that are not resolved, the newest last.
    pub open: Vec<Incident>,
}

/// The dialog.
#[derive(Debug, Clone, Default)]
pub struct IncidentDialog {}

/// Declares, joins or shows an incident.
pub fn open(app: &mut App, _store: &Store) -> Vec<Effect> {
    app.say("incidents are not built yet", Level::Warning);
    Vec::new()
}

/// Takes entries in, own and others'.
pub fn take(_app: &mut App, _entries: Vec<Entry>) {}
