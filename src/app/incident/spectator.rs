//! A room that only looks, on the big screen: it follows the worst model when nobody has pressed a key for a while.

use crate::app::rows::fleet_rows;
use crate::app::state::{App, Dialog, Sort};
use crate::domain::Level;
use crate::store::Store;

/// So long nobody has to press a key, seconds.
const IDLE_S: i64 = 30;

/// Selects the worst model. To be called at every tick.
pub fn follow(app: &mut App, store: &Store) {
    let idle = app.touched.is_none_or(|at| (app.now - at).num_seconds() >= IDLE_S);
    if !app.spectator || !idle || !matches!(app.dialog, Dialog::None) || app.sort != Sort::Worst {
        return;
    }
    let rows = fleet_rows(app, store);
    let worst = rows.first().and_then(|&row| store.models.get(row));
    if let Some(worst) = worst.filter(|model| model.level >= Level::Warning) {
        app.selected = Some(worst.id.clone());
    }
}
