//! Drift of the features over time, the worst first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Cx;

/// Draws the pane.
pub fn draw(buf: &mut Buffer, area: Rect, cx: &Cx) {
    let _ = (buf, area, cx);
}

/// The words after the pane's name.
pub fn title(cx: &Cx) -> String {
    cx.model.map(|model| model.id.to_string()).unwrap_or_default()
}
