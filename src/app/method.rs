//! The switch of the drift method.

use super::App;
use crate::domain::Level;
use crate::store::Store;

/// Chooses the next method that the selected model's drift is measured by, and says which.
pub(super) fn next(app: &mut App, store: &Store) {
    let Some(model) = app.selected.as_ref().and_then(|id| store.model(id)) else {
        app.say("no model is selected", Level::Warning);
        return;
    };
    let scales = model.drift_scales();
    let Some(&first) = scales.first() else {
        app.say("no drift is measured for this model", Level::Warning);
        return;
    };
    let here = app.drift_scale.and_then(|chosen| scales.iter().position(|scale| *scale == chosen));
    let place = here.map_or(usize::from(scales.len() > 1), |here| (here + 1) % scales.len());
    let scale = scales.get(place).copied().unwrap_or(first);
    app.drift_scale = Some(scale);
    match scales.len() {
        1 => app.say(format!("drift is measured by {} only", scale.word()), Level::Ok),
        count => app.say(format!("drift by {}, {} of {count}", scale.word(), place + 1), Level::Ok),
    }
}
