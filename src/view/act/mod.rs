//! The dialogs of acts: a box over the panes, which keep moving behind it.

mod choose;
mod plan;
mod progress;
pub(super) mod sheet;
mod unfinished;
mod waits;
pub mod words;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::look::{Look, Role};
use crate::app::acting::{ActDialog, ActStage};
use crate::app::{App, Dialog};
use crate::domain::act::Operation;
use crate::store::Store;
use sheet::{Foot, Sheet};

/// What the dialogs may look at.
#[derive(Clone, Copy)]
pub(super) struct Cx<'a> {
    /// The screen.
    pub(super) app: &'a App,
    /// The world.
    pub(super) store: &'a Store,
    /// Colours and glyphs.
    pub(super) look: &'a Look,
    /// Columns inside the box.
    pub(super) columns: usize,
}

/// Draws the open dialog of acts over `body`, if one is open; returns where the cursor stands.
pub fn draw(buf: &mut Buffer, body: Rect, app: &App, store: &Store, look: &Look) -> Option<Position> {
    let columns = sheet::columns(body);
    let cx = Cx { app, store, look, columns };
    let sheet = match &app.dialog {
        Dialog::Act(dialog) => act(&cx, dialog),
        Dialog::Waits(cursor) => waits::sheet(&cx, *cursor),
        Dialog::Unfinished(cursor) => unfinished::sheet(&cx, *cursor),
        _ => return None,
    };
    sheet.draw(buf, body, look)
}

fn act(cx: &Cx, dialog: &ActDialog) -> Sheet {
    let model = &dialog.model.name;
    let title = |operation: &Operation| format!("{} {model}", operation.title());
    match &dialog.stage {
        ActStage::Versions { list, cursor } => choose::versions(cx, dialog, list, *cursor),
        ActStage::Weight(input) => choose::weight(cx, dialog, input),
        ActStage::Asking { operation, since, .. } => {
            let waited = words::seconds((cx.app.now - *since).as_seconds_f64());
            let mut sheet = Sheet::new(title(operation), "no plan so far");
            sheet.say(cx, &format!("asking the controller, {waited}"), Role::Text);
            sheet.foot.push(Foot::Words("nothing is sent before you confirm   Esc nothing done".into()));
            sheet
        }
        ActStage::Refused { operation, refusal } => {
            let mut sheet = Sheet::new(title(operation), "no plan");
            sheet.fact(cx, "why not", &refusal.why, Role::Warning);
            sheet.fact(cx, "instead", &refusal.instead, Role::Text);
            sheet.foot.push(Foot::Words("nothing was sent   Esc closes".into()));
            sheet
        }
        ActStage::Planned(proposal) => plan::sheet(cx, dialog, proposal),
        ActStage::Following(id) => match cx.app.acting.act(id) {
            Some(act) => progress::sheet(cx, act, dialog.scroll),
            None => Sheet::new(format!("act {id}"), "not known any more"),
        },
    }
}

/// What can be pressed in the open dialog, for the last line of the screen.
pub fn keys(app: &App) -> Option<&'static str> {
    Some(match &app.dialog {
        Dialog::Waits(_) => "Up Down choose   Enter goes to the model   Esc closes",
        Dialog::Unfinished(_) => "V go on verifying   C close as it is   Up Down choose   Esc later",
        Dialog::Act(dialog) => match &dialog.stage {
            ActStage::Versions { .. } => "Up Down choose   Enter plans   Esc nothing done",
            ActStage::Weight(_) => "Enter plans   Esc nothing done",
            ActStage::Asking { .. } => "Esc nothing done",
            ActStage::Refused { .. } => "Esc closes",
            ActStage::Planned(_) => "Tab moves   Enter takes it   PageDown PageUp scroll   Esc nothing done",
            ActStage::Following(_) => "Esc closes the box   PageDown PageUp scroll",
        },
        _ => return super::checklist::keys(app),
    })
}
