//! The dialogs of acts: asking for a plan, confirming it, following it.

use super::state::App;
use crate::domain::act::Told;
use crate::store::Store;

/// Takes in what the engine told.
pub fn told(_app: &mut App, _store: &mut Store, _told: Told) {}
