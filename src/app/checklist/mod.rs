//! The checklist dialog: what keys do in it.

use super::effect::Effect;
use super::state::App;
use crate::domain::Level;
use crate::store::Store;

/// The dialog.
#[derive(Debug, Clone, Default)]
pub struct ChecklistDialog {}

/// Shows the checklists.
pub fn open(app: &mut App, _store: &Store) -> Vec<Effect> {
    app.say("checklists are not built yet", Level::Warning);
    Vec::new()
}
