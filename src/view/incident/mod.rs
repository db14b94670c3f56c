//! Incidents on screen: the bar under the header, and the dialog.

mod bar;
mod forms;
mod sheet;
mod words;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::act::{Cx, sheet as paper};
use super::look::Look;
use crate::app::incident::{Asked, IncidentStage};
use crate::app::{App, Dialog};
use crate::store::Store;

pub use bar::draw as bar;

/// Draws the dialog of an incident over `body`, if it is open; returns where the cursor stands.
pub fn draw(buf: &mut Buffer, body: Rect, app: &App, store: &Store, look: &Look) -> Option<Position> {
    let Dialog::Incident(dialog) = &app.dialog else { return None };
    let cx = Cx { app, store, look, columns: paper::columns(body) };
    let sheet = match &dialog.stage {
        IncidentStage::Declare(declaration) => forms::declare(&cx, declaration),
        IncidentStage::Choose { cursor } => forms::choose(&cx, *cursor),
        IncidentStage::Sheet { id, ask } => sheet::sheet(&cx, id, ask.as_ref(), dialog.scroll),
    };
    sheet.draw(buf, body, look)
}

/// What can be pressed in the dialog, for the last line of the screen.
pub fn keys(app: &App) -> Option<&'static str> {
    let Dialog::Incident(dialog) = &app.dialog else { return None };
    Some(match &dialog.stage {
        IncidentStage::Declare(_) => "Tab moves   Left Right choose   Enter declares it   Esc nothing done",
        IncidentStage::Choose { .. } => "Up Down choose   Enter joins or shows it   Esc closes",
        IncidentStage::Sheet { ask: None, .. } => "Up Down scroll   i others   Esc closes",
        IncidentStage::Sheet { ask: Some(ask), .. } => match ask.what {
            Asked::Choosing(_) => "Up Down choose the entry   Enter corrects it   Esc drops it",
            Asked::Role(_) | Asked::Severity(_) => "Left Right choose   Enter takes it   Esc drops it",
            Asked::Milestone(_) => "Up Down choose   Enter sets it   Esc drops it",
            _ => "Enter writes it   Esc drops it",
        },
    })
}
