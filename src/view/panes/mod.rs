//! The panes of the selected model: what they are given, and which file draws which.

mod brush;
pub mod canary;
mod chart;
pub mod drift;
mod effect;
#[cfg(test)]
mod fixture;
mod heat;
pub mod latency;
mod latency_detail;
mod latency_plot;
pub mod log;
pub mod quality;
pub mod registry;
mod registry_compare;
mod shape;
mod silence;
#[cfg(test)]
mod tests;
pub mod timeline;
mod trial;

pub(super) use brush::wrap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::look::{Look, Role};
use crate::app::{App, Pane};
use crate::store::{ModelState, Store};

/// What a pane may look at.
#[derive(Debug, Clone, Copy)]
pub struct Cx<'a> {
    /// What the operator is doing, and the time.
    pub app: &'a App,
    /// What is known.
    pub store: &'a Store,
    /// Colours and glyphs.
    pub look: &'a Look,
    /// The selected model.
    pub model: Option<&'a ModelState>,
    /// Whether the pane fills the screen.
    pub zoomed: bool,
    /// Whether keys go to the pane.
    pub focused: bool,
    /// Whether there is a frame around it that shows its title.
    pub framed: bool,
}

impl<'a> Cx<'a> {
    /// The selected model; without one the pane says so.
    fn selected(&self, brush: &mut brush::Brush<'_>) -> Option<&'a ModelState> {
        if self.model.is_none() {
            brush.put(0, 0, "no model is selected", Role::Dim);
        }
        self.model
    }
}

/// Draws the inside of a pane.
pub fn draw(pane: Pane, buf: &mut Buffer, area: Rect, cx: &Cx) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    match pane {
        Pane::Latency => latency::draw(buf, area, cx),
        Pane::Quality => quality::draw(buf, area, cx),
        Pane::Drift => drift::draw(buf, area, cx),
        Pane::Canary => canary::draw(buf, area, cx),
        Pane::Registry => registry::draw(buf, area, cx),
        Pane::Timeline => timeline::draw(buf, area, cx),
        Pane::Log => log::draw(buf, area, cx),
    }
}

/// The words after a pane's name in its frame.
pub fn title(pane: Pane, cx: &Cx) -> String {
    match pane {
        Pane::Latency => latency::title(cx),
        Pane::Quality => quality::title(cx),
        Pane::Drift => drift::title(cx),
        Pane::Canary => canary::title(cx),
        Pane::Registry => registry::title(cx),
        Pane::Timeline => timeline::title(cx),
        Pane::Log => log::title(cx),
    }
}
